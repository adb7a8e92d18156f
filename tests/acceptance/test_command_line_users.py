"""The command `tenantry`: users, what a deleted user leaves, what nobody owns, and the example studio."""

import io
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tenantry import Principal, connect
from tenantry import run as drive
from tenantry.accounts import AccountRules
from tenantry.accounts.throttling import address_subject
from tenantry.database import DatabaseURL
from tenantry.tenancy import SYSTEM_USER_ID, InternalReason
from tests.acceptance.commands import Command, Said, address, assert_refused

EXAMPLE = Path(__file__).parents[2] / "examples" / "studio-demo" / "studio-demo.db"
PASSWORD = "Correct-Horse-9"

Typed = Callable[[str], None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Puts text on the standard input, which is no terminal."""
    monkeypatch.setenv("TENANTRY_BCRYPT_COST", "4")

    def put(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    put("")
    return put


@pytest.fixture
def database(database_url: DatabaseURL, monkeypatch: pytest.MonkeyPatch) -> DatabaseURL:
    """The database that commands without `--database` mean."""
    monkeypatch.setenv("TENANTRY_DATABASE", address(database_url))
    return database_url


@pytest.fixture
def example(run: Command, database: DatabaseURL, typed: Typed) -> DatabaseURL:
    """A database with the example studio's users: root, ana, bo, and cy who is deactivated."""
    assert run("import", str(EXAMPLE)).status == 0
    return database


def test_a_user_is_added_and_listed(run: Command, database: DatabaseURL, typed: Typed) -> None:
    """With the rights that were asked for."""
    typed(f"{PASSWORD}\n")
    said = run("user", "add", "Root@Example.com", "--name", "Root", "--admin", "--password-stdin")
    assert (said.status, said.out, said.err) == (0, "Added root@example.com, administrator.\n", "")
    listed = run("user", "list")
    assert listed.out.splitlines()[1].split()[:4] == ["root@example.com", "Root", "administrator", "never"]
    assert "$2" not in listed.out


def test_links_are_made_for_who_is_wanted(run: Command, example: DatabaseURL) -> None:
    """What is secret in them is the first line, once."""
    for words, action in (
        (("invite", "di@example.com", "--admin"), "invited"),
        (("reset", "ana@example.com"), "reset_offered"),
    ):
        made = run("user", *words)
        secret = made.out.splitlines()[0]
        assert secret.startswith("tnl_")
        assert action in run("user", "audit", "--limit", "1").out
        assert secret not in run("user", "audit").out
    assert_refused(run("user", "invite", "ana@example.com"), "email")
    assert_refused(run("user", "reset", "no@example.com"), "email")


def test_the_audit_trail_is_shown(run: Command, example: DatabaseURL) -> None:
    """Who runs commands is known no closer; filters are by address."""
    assert run("user", "modify", "bo@example.com", "--deactivate").status == 0
    assert run("user", "key", "add", "ana@example.com", "nightly", "--scope", "read").status == 0
    shown = run("user", "audit").out.splitlines()
    assert [line.split()[2:5] for line in shown[1:]] == [
        ["key_created", "ana@example.com", "command_line"],
        ["logins_ended", "bo@example.com", "command_line"],
        ["user_suspended", "bo@example.com", "command_line"],
    ]
    assert run("user", "audit", "--of", "bo@example.com", "--action", "user_suspended").out.count("\n") == 2
    assert run("user", "audit", "--by", "ana@example.com").out.count("\n") == 1
    assert_refused(run("user", "audit", "--of", "no@example.com"), "no such user")


def test_a_wait_is_lifted(run: Command, example: DatabaseURL) -> None:
    """Of an account or an address; one of them is named."""
    assert run("user", "unblock", "ana@example.com").out == "No login has failed there.\n"
    studio = connect(address(example))
    with studio.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        drive(work.login_attempts.begin([address_subject("203.0.113.9", AccountRules())], timedelta(minutes=1)))
    studio.close()
    assert run("user", "unblock", "--address", "203.0.113.9").out == "The next login need not wait.\n"
    assert_refused(run("user", "unblock"), "nobody")


def test_a_key_is_made_listed_and_revoked(run: Command, example: DatabaseURL) -> None:
    """Its secret is the first line, once, so that a script can keep it."""
    made = run("user", "key", "add", "ana@example.com", "nightly", "--scope", "read", "--scope", "queue", "--days", "30")
    secret = made.out.splitlines()[0]
    assert secret.startswith("tny_")
    listed = run("user", "key", "list", "ana@example.com")
    key_id = listed.out.split()[-1]
    assert listed.out.splitlines()[1].split()[:5] == ["ana@example.com", "nightly", secret[:10], "queue", "read"]
    assert secret not in listed.out
    assert run("user", "key", "list", "bo@example.com").out.count("\n") == 1
    assert run("user", "key", "revoke", key_id).out == f"Revoked nightly, {secret[:10]}...\n"
    assert run("user", "key", "list").out.count("\n") == 1
    assert_refused(run("user", "key", "revoke", key_id), "key_id")
    assert_refused(run("user", "key", "add", "ana@example.com", "x", "--scope", "admin"), "scopes")
    assert_refused(run("user", "key", "add", "no@example.com", "x", "--scope", "read"), "email")


@pytest.mark.parametrize(
    ("email", "name", "password", "word"),
    [
        ("nonsense", "Ana", PASSWORD, "email:"),
        ("new@example.com", "Ana", "weak", "password:"),
        ("new@example.com", "Ana", "", "password:"),
        ("new@example.com", "A" * 1000, PASSWORD, "display_name:"),
        ("a" * 400 + "@example.com", "Ana", PASSWORD, "email:"),
        ("ANA@example.com", "Ana", PASSWORD, "email:"),
    ],
)
def test_a_user_who_cannot_be_is_not_added(
    run: Command, example: DatabaseURL, typed: Typed, email: str, name: str, password: str, word: str
) -> None:
    """The last of them because the address is taken, in other letters."""
    before = run("user", "list").out
    typed(f"{password}\n")
    assert_refused(run("user", "add", email, "--name", name, "--password-stdin"), word)
    assert run("user", "list").out == before


def test_a_password_is_never_asked_for_where_nobody_can_answer(run: Command, example: DatabaseURL) -> None:
    """The remedy is the option."""
    assert_refused(run("user", "add", "new@example.com"), "--password-stdin")


def test_a_user_is_changed_whole_or_not_at_all(run: Command, example: DatabaseURL, typed: Typed) -> None:
    """Name, address, rights and password in one go."""
    typed("New-Horse-10\n")
    words = ("--name", "Anna", "--email", "anna@example.com", "--admin", "--password-stdin")
    assert run("user", "modify", "ana@example.com", *words).out == "Changed anna@example.com, administrator.\n"
    assert _row(run("user", "list"), "anna@example.com")[1:3] == ["Anna", "administrator"]
    before = run("user", "list").out
    typed("weak\n")
    assert_refused(run("user", "modify", "bo@example.com", "--name", "Bob", "--password-stdin"), "password:")
    assert_refused(run("user", "modify", "bo@example.com", "--name", "Bob", "--email", "cy@example.com"), "email:")
    assert_refused(run("user", "modify", "bo@example.com"), "nothing to change")
    assert_refused(run("user", "modify", "zoe@example.com", "--admin"), "no such user")
    assert_refused(run("user", "modify", "system@system.invokeai", "--admin"), "system user")
    assert run("user", "list").out == before


@pytest.mark.parametrize(
    "words", [("modify", "root@example.com", "--no-admin"), ("modify", "root@example.com", "--deactivate")], ids=" ".join
)
def test_the_last_administrator_stays(run: Command, example: DatabaseURL, words: tuple[str, ...]) -> None:
    """Nobody could let others in any more."""
    assert_refused(run("user", *words), "administrator")
    assert_refused(run("user", "delete", "root@example.com", "--data", "keep", "--yes"), "administrator")
    assert _row(run("user", "list"), "root@example.com")[2] == "administrator"


def test_a_user_goes_and_what_they_made_goes_to_another(run: Command, example: DatabaseURL) -> None:
    """Every row has an owner afterwards, and the doctor is content."""
    mine = _media_of(example, "ana@example.com") + _media_of(example, "bo@example.com")
    said = run("user", "delete", "bo@example.com", "--data", "transfer", "--to", "ana@example.com", "--yes")
    assert said.status == 0, said
    assert "given to ana@example.com" in said.out
    assert _media_of(example, "ana@example.com") == mine
    assert "bo@example.com" not in run("user", "list").out
    assert run("doctor").status == 0


def test_a_user_goes_with_what_they_made(run: Command, example: DatabaseURL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and files."""
    shutil.copytree(EXAMPLE.parent / "outputs", "outputs")
    monkeypatch.setenv("TENANTRY_OUTPUTS", "outputs")
    pictures = len(list(Path("outputs/images").glob("*.png")))
    mine = _media_of(example, "bo@example.com")
    said = run("user", "delete", "bo@example.com", "--data", "delete", "--yes")
    assert "deleted" in said.out, said
    assert len(list(Path("outputs/images").glob("*.png"))) == pictures - mine
    assert run("doctor").status == 0


def test_a_user_goes_and_what_they_made_stays(run: Command, example: DatabaseURL) -> None:
    """It can be given to somebody later."""
    mine, his = _media_of(example, "ana@example.com"), _media_of(example, "bo@example.com")
    assert "kept under system" in run("user", "delete", "bo@example.com", "--data", "keep", "--yes").out
    assert "given to ana@example.com" in run("legacy", "assign", "ana@example.com").out
    assert _media_of(example, "ana@example.com") >= mine + his


@pytest.mark.parametrize(
    "words",
    [
        ("bo@example.com",),
        ("bo@example.com", "--data", "burn"),
        ("bo@example.com", "--data", "transfer"),
        ("bo@example.com", "--data", "keep", "--to", "ana@example.com"),
        ("bo@example.com", "--data", "transfer", "--to", "zoe@example.com"),
        ("bo@example.com", "--data", "transfer", "--to", "bo@example.com"),
        ("zoe@example.com", "--data", "delete"),
        ("system@system.invokeai", "--data", "delete"),
    ],
    ids=" ".join,
)
def test_a_deletion_that_makes_no_sense_deletes_nothing(run: Command, example: DatabaseURL, words: tuple[str, ...]) -> None:
    """Neither the user nor anything of theirs."""
    before = run("user", "list").out
    assert_refused(run("user", "delete", *words, "--yes"))
    assert run("user", "list").out == before


def test_a_deletion_is_confirmed(run: Command, example: DatabaseURL, typed: Typed) -> None:
    """No answer is a no."""
    typed("")
    assert run("user", "delete", "bo@example.com", "--data", "delete").status != 0
    assert "bo@example.com" in run("user", "list").out


def test_what_nobody_owns_is_given_to_a_user_who_is_there(run: Command, example: DatabaseURL) -> None:
    """Also while a studio is brought in."""
    assert_refused(run("legacy", "assign", "zoe@example.com"), "email:", "no such user")
    assert_refused(run("import", str(EXAMPLE), "--assign-legacy", "zoe@example.com"))


def test_text_that_somebody_else_wrote_does_not_steer_the_terminal(run: Command, example: DatabaseURL) -> None:
    """A name may hold anything."""
    run("user", "modify", "ana@example.com", "--name", "A\x1b[2Jna [bold]")
    out = run("user", "list").out
    assert "\x1b" not in out
    assert "[bold]" in out or "Ana" in out


def test_the_example_studio_is_brought_in_once(run: Command, typed: Typed) -> None:
    """With its pictures beside the database, and the passwords said."""
    first = run("demo", "--no-serve")
    assert (first.status, first.err) == (0, "")
    assert "root@example.com   Correct-Horse-9    administrator" in first.out
    assert len(list(Path("outputs/images").glob("*.png"))) == 39
    run("user", "modify", "ana@example.com", "--name", "Anna")
    assert run("demo", "--no-serve").out == first.out
    assert _row(run("user", "list"), "ana@example.com")[1] == "Anna"


@pytest.mark.parametrize("administrator", ["mine@example.com", "root@example.com"])
def test_the_example_studio_is_kept_out_of_a_real_one(run: Command, typed: Typed, administrator: str) -> None:
    """Its passwords are known to everybody; an administrator with the same address does not make it the example."""
    assert run("db", "upgrade").status == 0
    typed(f"{PASSWORD}\n")
    run("user", "add", administrator, "--admin", "--password-stdin")
    assert_refused(run("demo", "--no-serve"), "well-known passwords", "--database")
    assert "ana@example.com" not in run("user", "list").out


def _row(said: Said, email: str) -> list[str]:
    (row,) = [line.split() for line in said.out.splitlines() if line.split()[:1] == [email]]
    return row


def _media_of(url: DatabaseURL, email: str) -> int:
    """How many images somebody owns."""
    studio = connect(url)
    try:
        user = studio.direct.reading(Principal.internal(InternalReason.OPERATE), lambda work: work.users.get_by_email(email))
        counts = studio.direct.reading(
            Principal.internal(InternalReason.OPERATE), lambda work: work.ownership.count(user.user_id)
        )
        assert user.user_id != SYSTEM_USER_ID
        return counts.get("media", 0)
    finally:
        studio.close()
