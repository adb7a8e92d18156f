"""Session documents as the queue's schema builds them, for taking it down."""

import json
from typing import Any
from uuid import UUID

__all__ = ["named_values", "session_id_of", "session_of"]


def session_id_of(base: int, item_id: int) -> str:
    """The session's id: a UUID (version 8) of the batch's base and the item's number."""
    high = (base >> 12) << 16 | 0x8000 | (base & 0xFFF)
    return str(UUID(int=high << 64 | 0b10 << 62 | item_id))


def session_of(session_id: str, graph: str, fields: str, values: str | None) -> str:
    """The session that nothing of was executed yet, with the item's values in the batch's graph."""
    document: dict[str, Any] = json.loads(graph)
    for (path, name), value in zip(json.loads(fields), json.loads(values or "[]"), strict=True):
        document["nodes"][path][name] = value
    session = {
        "id": session_id,
        "graph": document,
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
    return json.dumps(session, ensure_ascii=False)


def named_values(fields: str, values: str) -> str:
    """The values with their places, as InvokeAI keeps them."""
    named = [
        {"node_path": path, "field_name": name, "value": value}
        for (path, name), value in zip(json.loads(fields), json.loads(values), strict=True)
    ]
    return json.dumps(named, ensure_ascii=False)
