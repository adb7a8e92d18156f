"""Databases of InvokeAI for the import's tests: the shipped example, real ones beside the checkout, and made-up ones."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tenantry.invokeai.schema import APPLIED, LEGACY_VERSIONS, applied_migrations, migrations, schema, trigger_statements

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "studio-demo" / "studio-demo.db"
REAL = [EXAMPLE, *sorted((ROOT.parent / "shared" / "data").glob("invokeai-*.db"))]

Contents = dict[str, list[str]]


def contents(path: Path) -> Contents:
    """Every row of every table, with the types of its values, in an order that does not depend on insertion."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = bytes
        tables = [name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(_rows(connection, table)) for table in tables}


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    names = [row[1].decode() for row in connection.execute(f'PRAGMA table_xinfo("{table}")')]
    wanted = ", ".join(f'typeof("{name}"), "{name}"' for name in sorted(names))
    return (repr(row) for row in connection.execute(f'SELECT {wanted} FROM "{table}"'))


def structure(path: Path) -> dict[str, object]:
    """Tables, columns, keys, indexes and triggers as SQLite understands them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        found: dict[str, object] = {
            "objects": sorted(connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()),
        }
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
            # An INTEGER PRIMARY KEY is never NULL, whether its column says so or not; and SQLite takes both quotes for text.
            found[f"{table} columns"] = [
                (name, kind, required or key, str(default).replace('"', "'"), key, hidden)
                for _, name, kind, required, default, key, hidden in columns
            ]
            found[f"{table} keys"] = sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({table})"))
            indexes = connection.execute(f"PRAGMA index_list({table})").fetchall()
            found[f"{table} indexes"] = sorted(
                (row[1:], connection.execute(f"PRAGMA index_xinfo({row[1]})").fetchall()) for row in indexes
            )
        return found


def new_source(path: Path) -> Path:
    """An InvokeAI database with the `system` user and the secret, and nothing else."""
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        schema.create_all(connection)
        connection.execute(sa.insert(migrations), [{"version": version} for version in LEGACY_VERSIONS])
        connection.execute(
            sa.insert(applied_migrations),
            [{"migration_id": name, "legacy_version": version} for name, version in APPLIED.items()],
        )
        for statement in trigger_statements():
            connection.exec_driver_sql(statement)
    with editing(path) as source:
        source.execute("INSERT INTO users (user_id, email, display_name, password_hash) VALUES ('system', 's@s', 'System', '')")
        source.execute("INSERT INTO app_settings (key, value) VALUES ('jwt_secret', 'feed')")
    return path


@contextmanager
def editing(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a source by hand, with foreign keys off as in the sqlite3 shell."""
    with closing(sqlite3.connect(path)) as connection:
        yield connection
        connection.commit()


def add(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """Insert one row; what is not named gets InvokeAI's default."""
    names = ", ".join(values)
    places = ", ".join("?" for _ in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values.values()))


def add_image(connection: sqlite3.Connection, name: str, **values: object) -> None:
    """Insert an image; `values` replace or add to the usual ones."""
    usual: dict[str, object] = {"image_origin": "internal", "image_category": "general", "width": 512, "height": 512}
    add(connection, "images", image_name=name, **{**usual, **values})


def add_item(connection: sqlite3.Connection, session_id: str, **values: object) -> None:
    """Insert a queue item; `values` replace or add to the usual ones."""
    usual: dict[str, object] = {"batch_id": "b", "queue_id": "default", "session": "{}"}
    add(connection, "session_queue", session_id=session_id, **{**usual, **values})
