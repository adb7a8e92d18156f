"""`tenantry user audit`: what was done to accounts, and who got in or did not."""

from typing import Annotated

import typer

from tenantry.cli.options import DatabaseOption, in_studio
from tenantry.cli.showing import print_table
from tenantry.repositories import User
from tenantry.repositories.audit import AuditEntry, AuditQuery
from tenantry.repositories.notes import AuditAction
from tenantry.settings import Settings
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal

__all__ = ["audit"]


def audit(
    of: Annotated[str | None, typer.Option("--of", metavar="EMAIL", help="Only what was done to this user.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="EMAIL", help="Only what this user did.")] = None,
    action: Annotated[AuditAction | None, typer.Option("--action", help="Only this.")] = None,
    address: Annotated[str | None, typer.Option("--address", metavar="IP", help="Only from this network address.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="How many entries at most.")] = 50,
    database: DatabaseOption = None,
) -> None:
    """Show the audit trail, newest first: who did what to whom, from where and when."""

    async def read(studio: Studio, _: Settings) -> tuple[list[AuditEntry], dict[str, User]]:
        async with studio.read(Principal.internal(InternalReason.ADMINISTER_ACCOUNTS)) as work:
            subject_id, actor_id = [
                None if email is None else (await work.users.get_by_email(email)).user_id for email in (of, by)
            ]
            entries = (await work.audit.slice(AuditQuery(action, actor_id, subject_id, address), limit=limit)).items
            named = {user_id for entry in entries for user_id in (entry.actor_id, entry.subject_id) if user_id is not None}
            return entries, await work.users.get_many(sorted(named))

    entries, people = in_studio(database, read)
    print_table(("time", "action", "by", "of", "by means of", "from", "detail"), [_row(entry, people) for entry in entries])


def _row(entry: AuditEntry, people: dict[str, User]) -> tuple[str, ...]:
    detail = " ".join(f"{name}={_shown(value)}" for name, value in entry.detail.items())
    actor, subject = (_name(user_id, people) for user_id in (entry.actor_id, entry.subject_id))
    return entry.created_at[:19], entry.action, actor, subject, entry.method, entry.address or "", detail


def _name(user_id: str | None, people: dict[str, User]) -> str:
    known = people.get(user_id or "")
    return (known.email if known else None) or user_id or ""


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
