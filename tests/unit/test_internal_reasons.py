"""Where Tenantry itself works across users: every place is listed here, so that a new one is a decision and not an accident."""

import ast
from pathlib import Path

import tenantry
from tenantry.tenancy import InternalReason

SOURCE = Path(tenantry.__file__).parent

USES: dict[str, list[str]] = {
    "accounts/accounts.py": ["CHANGE_OWNER"],
    "accounts/signing_in.py": ["ADMINISTER_ACCOUNTS", "AUTHENTICATE"],
    "api/metrics.py": ["OPERATE"],
    "api/routes/server.py": ["OPERATE"],
    "api/upkeep.py": ["ADMINISTER_ACCOUNTS", "AUTHENTICATE", "DELIVER", "INDEX_SEARCH", "WORK"],
    "cli/audit.py": ["ADMINISTER_ACCOUNTS"],
    "cli/doctor.py": ["OPERATE"],
    "cli/demo.py": ["OPERATE"],
    "cli/keys.py": ["ADMINISTER_ACCOUNTS"],
    "cli/users.py": ["ADMINISTER_ACCOUNTS"],
    "events/recording.py": ["RECORD_EVENTS"],
    "events/relay.py": ["DELIVER"],
    "invokeai/exporter.py": ["EXPORT"],
    "invokeai/importer.py": ["IMPORT"],
    "queue/bulk.py": ["KEEP_QUEUE"],
    "queue/control.py": ["KEEP_QUEUE"],
    "queue/enqueueing.py": ["KEEP_QUEUE"],
    "queue/lists.py": ["READ_QUEUE"],
    "queue/positions.py": ["READ_QUEUE"],
    "queue/retries.py": ["KEEP_QUEUE"],
    "queue/status.py": ["READ_QUEUE"],
    "queue/worker.py": ["WORK"],
    "repositories/api_keys.py": ["KEEP_KEYS"],
    "repositories/audit.py": ["RECORD_AUDIT"],
    "repositories/media.py": ["TAKE_OFF_BOARD"],
    "repositories/shares.py": ["MANAGE_SHARES"],
    "repositories/users.py": ["ADMINISTER_ACCOUNTS"],
}
"""Which file names which reasons; add to it what a review has found to be right."""

RESERVED: list[str] = []
"""Reasons that nothing names yet."""


def uses() -> dict[str, list[str]]:
    """For each file the reasons that it names, each once, by the attribute of `InternalReason`."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        names = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "InternalReason"
        }
        if names:
            found[path.relative_to(SOURCE).as_posix()] = sorted(names)
    return found


def made_by_hand() -> list[str]:
    """Files outside of `tenancy` that make an identity, or a principal with a reason of its own, past the list."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not name.startswith("tenancy/"):
                gives_reason = any(keyword.arg in ("reason", None) for keyword in node.keywords) or len(node.args) > 3
                if node.func.id == "Identity" or (node.func.id == "Principal" and gives_reason):
                    found.add(name)
    return sorted(found)


def test_every_reason_is_used_where_it_is_listed() -> None:
    """And nowhere else; each also says in a sentence what it is for."""
    assert uses() == USES
    named = {name for names in USES.values() for name in names}
    assert sorted(reason.name for reason in InternalReason if reason.name not in named) == RESERVED
    assert all(reason.value for reason in InternalReason)


def test_nobody_makes_a_privileged_identity_by_hand() -> None:
    """`Principal.internal` is the only way, because it asks for a reason and counts."""
    assert made_by_hand() == []
