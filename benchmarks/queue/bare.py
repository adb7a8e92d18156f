"""What PostgreSQL itself can do: a table of jobs without turns, leases, limits or counts, claimed with SKIP LOCKED."""

import time

import psycopg

from benchmarks.queue.ours import CLAIMS, DRAINED, ROWS

__all__ = ["measure_bare"]

_FILL = b"""
CREATE TABLE job (job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text NOT NULL, payload text NOT NULL);
CREATE INDEX ON job (job_id) WHERE status = 'pending';
INSERT INTO job (status, payload) SELECT 'pending', repeat('x', 1024) FROM generate_series(1, %d);
"""
_CLAIM = b"""
UPDATE job SET status = 'running' WHERE job_id IN
(SELECT job_id FROM job WHERE status = 'pending' ORDER BY job_id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING job_id, payload
"""
_FINISH = b"UPDATE job SET status = 'done' WHERE job_id = ANY(%s)"


def measure_bare(url: str) -> dict[str, float]:
    """The rates that it has in common with a queue, of one connection with a commit each."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(_FILL % (DRAINED + CLAIMS))
        connection.commit()
        begun = time.perf_counter()
        for _ in range(CLAIMS):
            connection.execute(_CLAIM, (1,)).fetchall()
            connection.commit()
        claimed = CLAIMS / (time.perf_counter() - begun)
        begun = time.perf_counter()
        while jobs := connection.execute(_CLAIM, (500,)).fetchall():
            connection.commit()
            connection.execute(_FINISH, ([job_id for job_id, _ in jobs],))
        connection.commit()
        drained = DRAINED / (time.perf_counter() - begun)
    return {ROWS[1]: drained, ROWS[3]: claimed}
