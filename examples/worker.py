"""A worker's handler that needs neither a GPU nor a model: it "runs" a graph by naming its nodes.

tenantry worker examples.worker:name_nodes --concurrency 2
"""

from tenantry.queue import Job


async def name_nodes(job: Job) -> dict[str, object]:
    """Go through the nodes in their order, tell how far it is, and leave what was done in the item's session."""
    nodes = list(job.graph["nodes"])
    for place, name in enumerate(nodes, start=1):
        job.canceled.raise_if_set()
        job.progress(place / len(nodes), f"{name} is done")
    return {"id": job.item.session_id, "graph": job.graph, "executed": nodes}
