"""Session documents: what InvokeAI executes, built from a batch's template when an item is claimed or read.

An item whose session is still the one that it began with stores none (contract, section 4.9; the document's shape is
InvokeAI's `GraphExecutionState`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

__all__ = ["Template", "brought_graph", "brought_values", "fresh_session", "session_base", "session_id_of"]

_BASE_BITS = 60
_ITEM_BITS = 62


def session_base(random_id: str) -> int:
    """The first half of a batch's session ids, from an id that was never used before."""
    return int.from_bytes(hashlib.blake2b(random_id.encode(), digest_size=8).digest()) >> (64 - _BASE_BITS)


def session_id_of(base: int, item_id: int) -> str:
    """The session's id: a UUID (version 8, RFC 9562) whose second half is the item's number, so no two are alike."""
    high = (base >> 12) << 16 | 0x8000 | (base & 0xFFF)
    return str(UUID(int=high << 64 | 0b10 << _ITEM_BITS | item_id))


def fresh_session(session_id: str, graph: Mapping[str, Any]) -> dict[str, Any]:
    """A session that nothing of was executed yet."""
    return {
        "id": session_id,
        "graph": graph,
        "execution_graph": {"id": session_id, "nodes": {}, "edges": []},
        "executed": [],
        "executed_history": [],
        "results": {},
        "errors": {},
        "workflow_call_stack": [],
        "workflow_call_history": [],
        "max_workflow_call_depth": 4,
        "prepared_source_mapping": {},
        "source_prepared_mapping": {},
        "prepared_iteration_paths": {},
        "ready_order": [],
        "indegree": {},
    }


def brought_graph(session: str | None) -> dict[str, Any]:
    """The graph of a session that an item brought with it; empty where there is none, as in what an import found broken."""
    document = _parsed(session)
    graph = document.get("graph") if isinstance(document, dict) else None
    return graph if isinstance(graph, dict) else {}


def brought_values(text: str | None) -> list[dict[str, Any]] | None:
    """The values with their places that an item brought with it; None where they are not in InvokeAI's form."""
    values = _parsed(text)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        return None
    return values


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True)
class Template:
    """A batch's graph and the fields that its items put values into; parsed once for all of them."""

    graph_text: str
    fields_text: str

    @cached_property
    def graph(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.graph_text)
        return parsed

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        return [(path, name) for path, name in json.loads(self.fields_text)]

    @cached_property
    def unchanged_text(self) -> str:
        """The graph's text without the fields that every item replaces."""
        return json.dumps(self.filled([None] * len(self.fields)), ensure_ascii=False)

    def filled(self, values: Sequence[Any]) -> dict[str, Any]:
        """The graph with these values; shares what is not replaced with all others, so it is not to be changed."""
        nodes = dict(self.graph["nodes"])
        for (path, name), value in zip(self.fields, values, strict=True):
            nodes[path] = {**nodes[path], name: value}
        return {**self.graph, "nodes": nodes}

    def field_values(self, values: Sequence[Any]) -> list[dict[str, Any]]:
        """The values with their places, as InvokeAI shows them."""
        return [
            {"node_path": path, "field_name": name, "value": value}
            for (path, name), value in zip(self.fields, values, strict=True)
        ]
