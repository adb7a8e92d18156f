"""A batch: one graph, and the values that are put into it, item by item.

The rules are those of InvokeAI's API (contract, section 4.9): data is a list of groups; within a group the values are zipped,
so their lists are of one length; across groups every combination is made; all of it as often as `runs` says.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any, TypeVar

from tenantry.errors import InvalidBatch
from tenantry.repositories.checks import check_text

__all__ = ["Batch", "BatchDatum"]

T = TypeVar("T")

_MAX_LABEL = 1_000
"""Characters of a batch's id, origin, destination or board at most."""

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDatum:
    """The values that a field of a node takes, one an item. Values are JSON, and pass through untouched."""

    node_path: str
    field_name: str
    items: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What to run: `graph` is a JSON object with `nodes`, and `data` are the values put into it.

    `board_id` says where the results are to go. `batch_id` is made up where none is given. A field that the graph does not
    show is refused unless `open_fields` is set, for callers that know more of the nodes than the document says.

    Raises `InvalidBatch` naming the place that cannot be.
    """

    graph: Mapping[str, Any]
    data: Sequence[Sequence[BatchDatum]] = ()
    runs: int = 1
    workflow: Mapping[str, Any] | None = None
    origin: str | None = None
    destination: str | None = None
    board_id: str | None = None
    batch_id: str | None = None
    open_fields: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        _check_graph(self.graph)
        if type(self.runs) is not int or self.runs < 1:
            raise InvalidBatch("A batch runs at least once.", field="runs", remedy="Give a whole number from 1.")
        if self.workflow is not None and not isinstance(self.workflow, Mapping):
            raise InvalidBatch("A workflow is a JSON object.", field="workflow")
        for name in ("origin", "destination", "board_id", "batch_id"):
            _check_label(getattr(self, name), name)
        seen: set[tuple[str, str]] = set()
        for place, group in enumerate(self.data):
            _check_group(group, f"data[{place}]")
            for position, datum in enumerate(group):
                self._check_place(datum, seen, f"data[{place}][{position}]")

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The places that values are put into, in the order of `values`."""
        return [(datum.node_path, datum.field_name) for group in self.data for datum in group]

    @property
    def size(self) -> int:
        """How many items the batch makes."""
        return self.runs * math.prod(len(group[0].items) if group else 0 for group in self.data)

    def values(self) -> Iterator[list[Any]]:
        """For each item the values of its fields: runs outermost, then every combination of the groups."""
        return expand([[datum.items for datum in group] for group in self.data], self.runs)

    def _check_place(self, datum: BatchDatum, seen: set[tuple[str, str]], place: str) -> None:
        node = self.graph["nodes"].get(datum.node_path)
        if node is None:
            raise InvalidBatch("The graph has no such node.", field=f"{place}.node_path", remedy="Name a node of the graph.")
        if not self.open_fields and datum.field_name not in node:
            raise InvalidBatch(
                "The node has no such field.", field=f"{place}.field_name", remedy="Name a field that stands in the node."
            )
        if (datum.node_path, datum.field_name) in seen:
            raise InvalidBatch("Two lists of values are for the same field.", field=place, remedy="Leave one out.")
        seen.add((datum.node_path, datum.field_name))


def _check_graph(graph: object) -> None:
    if not isinstance(graph, Mapping):
        raise InvalidBatch("A graph is a JSON object.", field="graph", remedy="Send an object with `nodes` and `edges`.")
    nodes, edges = graph.get("nodes"), graph.get("edges", [])
    if not isinstance(nodes, Mapping) or not all(isinstance(node, Mapping) for node in nodes.values()):
        raise InvalidBatch(
            "The graph's nodes are an object of objects.", field="graph.nodes", remedy="Name each node by its id."
        )
    if not isinstance(edges, Sequence) or isinstance(edges, str):
        raise InvalidBatch("The graph's edges are a list.", field="graph.edges")
    for place, edge in enumerate(edges):
        for end in ("source", "destination"):
            if not _joins(edge, end, nodes):
                raise InvalidBatch("The edge's end is no node of the graph.", field=f"graph.edges[{place}].{end}")


def _joins(edge: object, end: str, nodes: Mapping[str, Any]) -> bool:
    joined = edge.get(end) if isinstance(edge, Mapping) else None
    return isinstance(joined, Mapping) and isinstance(joined.get("node_id"), str) and joined["node_id"] in nodes


def _check_label(value: object, name: str) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise InvalidBatch("This is a text.", field=name)
    if not value:
        raise InvalidBatch("This is empty.", field=name, remedy="Leave it out.")
    check_text(value, name, most=_MAX_LABEL)


def _check_group(group: object, place: str) -> None:
    if not isinstance(group, Sequence) or not all(isinstance(datum, BatchDatum) for datum in group):
        raise InvalidBatch("A group is a list of `BatchDatum`.", field=place)
    for position, datum in enumerate(group):
        if not isinstance(datum.items, Sequence) or isinstance(datum.items, str):
            raise InvalidBatch("The values are a list.", field=f"{place}[{position}].items")
        if len(datum.items) != len(group[0].items):
            raise InvalidBatch(
                "The lists of values of one group are of different lengths.",
                field=f"{place}[{position}].items",
                remedy="Give as many values for each field of the group.",
            )
        kinds = {_kind(value) for value in datum.items}
        if len(kinds) > 1 or "nothing" in kinds:
            raise InvalidBatch(
                "The values of a field are of different types.",
                field=f"{place}[{position}].items",
                remedy="Give texts only, numbers only, or objects of one kind only; none may be null.",
            )


def _kind(value: object) -> str:
    """What values of one field must have in common; numbers may be mixed."""
    match value:
        case None:
            return "nothing"
        case str():
            return "text"
        case bool() | int() | float():
            return "number"
        case Mapping():
            return next((f"object with {name}" for name in ("image_name", "video_name") if name in value), "object")
        case Sequence():
            return "list"
    return "nothing"


def expand(groups: Sequence[Sequence[Sequence[T]]], runs: int) -> Iterator[list[T]]:
    """What each item has of the lists: runs outermost, then every combination of the groups."""
    zipped = [list(zip(*group, strict=True)) for group in groups]
    for _ in range(runs):
        for combination in product(*zipped):
            yield list(chain.from_iterable(combination))


def as_json(document: object, name: str) -> str:
    """The document as JSON text. Raises `InvalidBatch` for what has no place in JSON."""
    return as_texts([document], name)[0]


def as_texts(values: Sequence[object], name: str) -> list[str]:
    """Each value as JSON text. Raises `InvalidBatch` for what has no place in JSON."""
    try:
        # Seeds are the most common values, and the encoder's way to them is long.
        return [str(value) if type(value) is int else _encode(value) for value in values]
    except (TypeError, ValueError, RecursionError):
        raise InvalidBatch("This is not a JSON document.", field=name, remedy="Use only what JSON has.") from None
