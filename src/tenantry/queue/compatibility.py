"""Changes of status as InvokeAI makes them: by whoever asks, from any status that is not an end (contract, section 4.9)."""

from tenantry.queue.chains import Chains
from tenantry.queue.states import FINAL, Status
from tenantry.queue.transitions import Move, Moved

__all__ = ["Compatibility"]


class Compatibility(Chains):
    """For InvokeAI's own session processor, which knows no leases; tenants get `NotAllowed`."""

    __slots__ = ()

    async def become(
        self,
        item_id: int,
        after: Status,
        *,
        device: str | None = None,
        error_type: str | None = None,
        error_message: str | None = None,
        error_traceback: str | None = None,
    ) -> Moved | None:
        """Give an item this status, also the one that it has; None where it has ended, and then nothing is changed.

        The errors replace those of before. Raises `NotFound`.
        """
        self._only_privileged("change the status of items")
        move = Move(
            item_id,
            device=device,
            error_type=error_type,
            error_message=error_message,
            error_traceback=error_traceback,
        )
        while True:
            before = (await self._link(item_id)).status
            if before in FINAL:
                return None
            # Nobody is there only if somebody else changed it since; then it is looked at again.
            for moved in await self._move(before, after, [move], as_invokeai=True):
                return moved
