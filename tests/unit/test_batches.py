"""Batches: what they expand to, and what is refused before anything is stored."""

from typing import Any

import pytest

from tenantry.errors import InvalidInput
from tenantry.queue import Batch, BatchDatum

GRAPH = {
    "id": "g",
    "nodes": {"noise": {"id": "noise", "seed": 0, "width": 64}, "prompt": {"id": "prompt", "text": ""}},
    "edges": [{"source": {"node_id": "noise", "field": "noise"}, "destination": {"node_id": "prompt", "field": "noise"}}],
}


def seeds(*values: Any) -> BatchDatum:
    return BatchDatum(node_path="noise", field_name="seed", items=values)


def texts(*values: Any) -> BatchDatum:
    return BatchDatum(node_path="prompt", field_name="text", items=values)


def widths(*values: Any) -> BatchDatum:
    return BatchDatum(node_path="noise", field_name="width", items=values)


def test_values_are_zipped_in_a_group_and_combined_across_groups() -> None:
    """Runs are outermost, and the last group changes fastest (contract, section 4.9)."""
    batch = Batch(graph=GRAPH, data=[[seeds(1, 2), widths(64, 128)], [texts("fox", "owl")]], runs=2)
    once = [[1, 64, "fox"], [1, 64, "owl"], [2, 128, "fox"], [2, 128, "owl"]]
    assert list(batch.values()) == once * 2
    assert batch.size == 8
    assert batch.fields == [("noise", "seed"), ("noise", "width"), ("prompt", "text")]


def test_a_batch_without_data_runs_as_it_is() -> None:
    """Once for each run."""
    batch = Batch(graph=GRAPH, runs=3)
    assert (batch.size, list(batch.values()), batch.fields) == (3, [[], [], []], [])


def test_expansion_holds_no_more_than_the_values() -> None:
    """The first of ten billion items comes at once."""
    batch = Batch(graph=GRAPH, data=[[seeds(*range(100_000))], [texts(*(f"t{n}" for n in range(100_000)))]])
    assert batch.size == 10**10
    assert next(iter(batch.values())) == [0, "t0"]


@pytest.mark.parametrize(
    "values",
    [
        ("a", "b"),
        (1, 2.5),
        ({"image_name": "a.png"}, {"image_name": "b.png"}),
        ([{"image_name": "a.png"}], []),
        ({"key": "model"}, {"key": "other"}),
    ],
)
def test_values_of_one_kind_pass_through_untouched(values: tuple[object, ...]) -> None:
    """Texts, mixed numbers, images, lists, models."""
    assert [found[0] for found in Batch(graph=GRAPH, data=[[seeds(*values)]]).values()] == list(values)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a graph that is no object": ({"graph": ["nodes"]}, "graph"),
    "a graph without nodes": ({"graph": {}}, "graph.nodes"),
    "a node that is no object": ({"graph": {"nodes": {"a": 1}}}, "graph.nodes"),
    "an edge to nowhere": (
        {
            "graph": {
                **GRAPH,
                "edges": [{"source": {"node_id": "noise"}, "destination": {"node_id": "gone"}}],
            }
        },
        "graph.edges[0].destination",
    ),
    "an edge that is no edge": ({"graph": {**GRAPH, "edges": [7]}}, "graph.edges[0].source"),
    "no runs": ({"runs": 0}, "runs"),
    "runs that are no number": ({"runs": True}, "runs"),
    "a workflow that is no object": ({"workflow": "w"}, "workflow"),
    "an empty destination": ({"destination": ""}, "destination"),
    "an origin with a NUL byte": ({"origin": "a\0b"}, "origin"),
    "an origin that is no text": ({"origin": 7}, "origin"),
    "lists of different lengths": ({"data": [[seeds(1, 2), widths(64)]]}, "data[0][1].items"),
    "values of different types": ({"data": [[seeds(1, "a")]]}, "data[0][0].items"),
    "images among videos": ({"data": [[seeds({"image_name": "a"}, {"video_name": "b"})]]}, "data[0][0].items"),
    "no value": ({"data": [[seeds(None)]]}, "data[0][0].items"),
    "a field twice": ({"data": [[seeds(1)], [seeds(2)]]}, "data[1][0]"),
    "an unknown node": ({"data": [[BatchDatum(node_path="gone", field_name="a", items=[1])]]}, "data[0][0].node_path"),
    "an unknown field": ({"data": [[BatchDatum(node_path="noise", field_name="a", items=[1])]]}, "data[0][0].field_name"),
    "values that are no list": ({"data": [[BatchDatum(node_path="noise", field_name="seed", items="ab")]]}, "data[0][0].items"),
    "a group that is no group": ({"data": [["seed"]]}, "data[0]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_place(case: str) -> None:
    """The error names the field and says what is wrong with it."""
    given, place = REFUSED[case]
    with pytest.raises(InvalidInput) as refused:
        Batch(**{"graph": GRAPH, **given})
    assert refused.value.field == place
    assert refused.value.message


def test_a_caller_may_know_more_fields_than_the_graph_shows() -> None:
    """InvokeAI leaves out of a graph what is not set."""
    datum = BatchDatum(node_path="noise", field_name="image", items=[{"image_name": "a.png"}])
    assert Batch(graph=GRAPH, data=[[datum]], open_fields=True).size == 1
