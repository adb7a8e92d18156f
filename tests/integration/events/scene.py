"""What happened in a studio, as its outbox would tell it to each user."""

from tenantry import Principal, Studio
from tenantry.events.audience import Delivery, rooms_of
from tenantry.events.places import Places
from tenantry.events.telling import tell
from tenantry.events.types import Event
from tenantry.tenancy import InternalReason

__all__ = ["OPERATE", "PLACES", "deliveries", "heard_by", "place_all"]

OPERATE = Principal.internal(InternalReason.OPERATE)
PLACES = Places("a secret")


async def place_all(studio: Studio) -> None:
    """Give everything that is stored its place."""
    async with studio.begin(OPERATE) as work:
        while await work.outbox.give_places(100):
            pass


async def deliveries(studio: Studio, after: int = 0) -> list[Delivery]:
    """All that is to be delivered after a place."""
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        return list(await tell(work, await work.outbox.after(after, 10_000), PLACES))


async def heard_by(studio: Studio, who: Principal, *queue_ids: str) -> list[Event]:
    """What a user with these subscriptions gets of everything that ever happened."""
    rooms = rooms_of(who.user_id, is_admin=who.is_admin, queue_ids=queue_ids)
    heard = [delivery.form_for(rooms) for delivery in await deliveries(studio)]
    return [event for event in heard if event is not None]
