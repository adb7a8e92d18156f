"""Session documents, built from a batch's template."""

import json
from uuid import UUID

from tenantry.queue.sessions import Template, fresh_session, session_base, session_id_of

GRAPH = {"id": "g", "nodes": {"a": {"id": "a", "seed": 0, "model": "m-1"}, "b": {"id": "b"}}, "edges": []}


def test_session_ids_are_uuids_that_never_meet() -> None:
    """The item's number is in them, and what is random is the batch's."""
    base = session_base("2d3c1f6e-9a0b-4c1d-8e2f-0123456789ab")
    found = [session_id_of(base, item_id) for item_id in (1, 2, 2**61)]
    assert len(set(found)) == 3
    assert {UUID(each).version for each in found} == {8}
    assert {UUID(each).variant for each in found} == {"specified in RFC 4122"}
    assert UUID(found[2]).int & (2**62 - 1) == 2**61
    assert session_id_of(session_base("ffffffff-ffff-ffff-ffff-ffffffffffff"), 1) != found[0]


def test_a_template_fills_in_values_and_stays_as_it_is() -> None:
    """Two items of one batch do not see each other's values."""
    template = Template(json.dumps(GRAPH), json.dumps([["a", "seed"]]))
    assert template.filled([7])["nodes"]["a"] == {"id": "a", "seed": 7, "model": "m-1"}
    assert template.filled([8])["nodes"]["a"]["seed"] == 8
    assert template.graph == GRAPH
    assert template.field_values([7]) == [{"node_path": "a", "field_name": "seed", "value": 7}]


def test_what_items_share_is_the_graph_without_what_they_replace() -> None:
    """Device affinity looks for model keys in it once a batch."""
    template = Template(json.dumps(GRAPH), json.dumps([["a", "model"]]))
    assert "m-1" not in template.unchanged_text
    assert '"b"' in template.unchanged_text


def test_a_fresh_session_has_executed_nothing() -> None:
    """Its shape is InvokeAI's."""
    session = fresh_session("s", GRAPH)
    assert (session["id"], session["graph"], session["executed"], session["results"]) == ("s", GRAPH, [], {})
