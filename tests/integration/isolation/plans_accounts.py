"""How users and the ownership of everything are attacked."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tenantry.errors import Conflict, NotAllowed, NotFound
from tenantry.queue import UnitOfWork
from tenantry.repositories.audit import AuditQuery
from tenantry.repositories.login_attempts import Subject
from tenantry.repositories.notes import AuditAction
from tests.integration.isolation.plan_kinds import Attack, Outcome, Plan, own, privileged
from tests.integration.isolation.world import OWNER, Target

NOT_ALLOWED, NOT_FOUND, SUCCESS = Outcome.NOT_ALLOWED, Outcome.NOT_FOUND, Outcome.SUCCESS
HASH = "$2b$04$" + "x" * 53
ATTEMPT = Subject(f"hidden {OWNER.user_id}", 3)
SOMEBODY = "user-reader"


def _of_a_user(attack: Attack, *, owner: Outcome) -> Plan:
    """For what is aimed at Ana herself: whatever of hers is shown to somebody, she is not."""
    return Plan(attack, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, owner)


async def _set_up(work: UnitOfWork, target: Target) -> object:
    try:
        return await work.users.create_first_admin("first@example.com", HASH)
    except Conflict as too_late:
        # What an administrator gets, whose studio has one.
        return too_late.message


async def _update(work: UnitOfWork, target: Target) -> object:
    me = work.principal.user_id
    with suppress(NotAllowed):
        await work.users.update(me, is_admin=True)
        return "hidden: somebody made an administrator of himself"
    with suppress(NotAllowed):
        await work.users.update(me, email="other@example.com")
        return "hidden: an address was changed without an administrator"
    return await work.users.update(target.owner, display_name="taken")


async def _own_key(work: UnitOfWork, target: Target) -> object:
    """For somebody else first, which must be refused."""
    with suppress(NotFound):
        await _key_for(work, "user-writer" if work.principal.user_id == OWNER.user_id else OWNER.user_id)
        if not work.principal.sees_everything:
            return "hidden: a key was made in somebody else's name"
    return await _key_for(work, work.principal.user_id)


async def _key_for(work: UnitOfWork, user_id: str) -> object:
    return await work.api_keys.create(user_id, "mine", prefix="tny_", key_hash=f"hash for {user_id}", scopes=["read"])


async def _invite(work: UnitOfWork, target: Target) -> object:
    end = datetime(2999, 1, 1, tzinfo=UTC)
    return await work.account_links.invite("new@example.com", is_admin=True, secret_hash="hash", expires_at=end)


async def _offer_reset(work: UnitOfWork, target: Target) -> object:
    end = datetime(2999, 1, 1, tzinfo=UTC)
    return await work.account_links.offer_reset(target.owner, secret_hash="hash", expires_at=end)


async def _touch(work: UnitOfWork, target: Target) -> object:
    return await work.api_keys.touch("hidden-api-key", datetime(2999, 1, 1, tzinfo=UTC))


async def _slice(work: UnitOfWork, target: Target) -> object:
    return await work.users.slice(limit=1, include_hidden=True), await work.users.slice(search="e", include_hidden=True)


PLANS: dict[str, Plan] = {
    "users.get": _of_a_user(lambda work, target: work.users.get(target.owner), owner=SUCCESS),
    "users.get_by_email": _of_a_user(lambda work, target: work.users.get_by_email("hidden@example.com"), owner=SUCCESS),
    "users.get_many": own(lambda work, target: work.users.get_many([target.owner, work.principal.user_id])),
    "users.all": own(lambda work, target: work.users.all(include_hidden=True)),
    "users.page": own(lambda work, target: work.users.page(include_hidden=True)),
    "users.slice": own(_slice),
    "users.update": _of_a_user(_update, owner=SUCCESS),
    "users.has_admin": privileged(lambda work, target: work.users.has_admin()),
    "users.count_admins": privileged(lambda work, target: work.users.count_admins()),
    "users.credentials": privileged(lambda work, target: work.users.credentials("hidden@example.com"), internal=True),
    "users.create": privileged(lambda work, target: work.users.create("new@example.com", HASH, is_admin=True)),
    "users.create_first_admin": privileged(_set_up),
    "users.set_password": _of_a_user(lambda work, target: work.users.set_password(target.owner, HASH), owner=NOT_ALLOWED),
    "users.end_tokens": _of_a_user(lambda work, target: work.users.end_tokens(target.owner), owner=NOT_ALLOWED),
    "users.touch_login": _of_a_user(lambda work, target: work.users.touch_login(target.owner), owner=NOT_ALLOWED),
    "users.check_deletable": _of_a_user(lambda work, target: work.users.check_deletable(target.owner), owner=NOT_ALLOWED),
    # Of somebody who owns nothing; the reader is that user.
    "users.delete": Plan(
        lambda work, target: work.users.delete(SOMEBODY), NOT_FOUND, NOT_FOUND, NOT_ALLOWED, NOT_FOUND, NOT_FOUND, NOT_ALLOWED
    ),
    "api_keys.slice": own(lambda work, target: work.api_keys.slice()),
    "api_keys.create": own(_own_key),
    "api_keys.delete": _of_a_user(lambda work, target: work.api_keys.delete("hidden-api-key"), owner=SUCCESS),
    "api_keys.find": privileged(lambda work, target: work.api_keys.find("hidden hash hidden"), internal=True),
    "api_keys.touch": privileged(_touch, internal=True),
    "audit.note": privileged(lambda work, target: work.audit.note(AuditAction.LOGIN, target.owner)),
    "audit.slice": privileged(lambda work, target: work.audit.slice(AuditQuery())),
    "audit.prune": privileged(lambda work, target: work.audit.prune(datetime(2999, 1, 1, tzinfo=UTC), 10)),
    "account_links.all": privileged(lambda work, target: work.account_links.all()),
    "account_links.invite": privileged(_invite),
    "account_links.offer_reset": privileged(_offer_reset),
    "account_links.delete": privileged(lambda work, target: work.account_links.delete("hidden-link")),
    "account_links.find": privileged(lambda work, target: work.account_links.find("hidden hash hidden"), internal=True),
    "account_links.redeem": privileged(lambda work, target: work.account_links.redeem("hidden hash hidden"), internal=True),
    "account_links.prune": privileged(lambda work, target: work.account_links.prune(datetime(3000, 1, 1, tzinfo=UTC), 10)),
    "login_attempts.wait": privileged(lambda work, target: work.login_attempts.wait([ATTEMPT])),
    "login_attempts.begin": privileged(lambda work, target: work.login_attempts.begin([ATTEMPT], timedelta(days=1))),
    "login_attempts.succeed": privileged(lambda work, target: work.login_attempts.succeed(ATTEMPT, [ATTEMPT])),
    "login_attempts.lift": privileged(lambda work, target: work.login_attempts.lift([ATTEMPT])),
    "login_attempts.prune": privileged(lambda work, target: work.login_attempts.prune(datetime(2999, 1, 1, tzinfo=UTC), 10)),
    "ownership.count": privileged(lambda work, target: work.ownership.count(target.owner)),
    "ownership.delete_data": privileged(lambda work, target: work.ownership.delete_data(target.owner)),
    "ownership.transfer": privileged(lambda work, target: work.ownership.transfer(target.owner, work.principal.user_id)),
    "ownership.keep": privileged(lambda work, target: work.ownership.keep(target.owner)),
    "ownership.legacy_assign": privileged(lambda work, target: work.ownership.legacy_assign("user-bo@example.com")),
}
