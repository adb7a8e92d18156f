"""Passwords: what is refused, and that InvokeAI's hashes can be checked."""

import bcrypt
import pytest

from tenantry.accounts import Strength, feedback, strength
from tenantry.accounts.passwords import check_password, hash_password, password_matches
from tenantry.errors import InvalidInput

CHEAP = 4


async def test_a_password_matches_its_own_hash_alone() -> None:
    """Two hashes of one password differ by their salt."""
    hashed = await hash_password("Correct-Horse-9", CHEAP)
    assert hashed.startswith("$2b$04$")
    assert hashed != await hash_password("Correct-Horse-9", CHEAP)
    assert await password_matches("Correct-Horse-9", hashed)
    assert not await password_matches("correct-horse-9", hashed)


@pytest.mark.parametrize("missing", [None, ""])
async def test_without_a_hash_a_check_does_the_work_all_the_same(missing: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time of an answer does not tell whether an address is known."""
    worked: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        worked.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    assert not await password_matches("Correct-Horse-9", missing, CHEAP)
    assert [hashed[:7] for hashed in worked] == [b"$2b$04$"]


@pytest.mark.parametrize("broken", ["nonsense", "$2b$04$short", "\x00", "é" * 60, "$2b$03$" + "x" * 53, "$2b$04$" + "x" * 53])
async def test_a_hash_that_is_none_matches_nothing(broken: str) -> None:
    """An import may bring anything."""
    assert not await password_matches("Correct-Horse-9", broken, CHEAP)


@pytest.mark.parametrize("cost", [19, 31])
async def test_a_hash_that_would_take_hours_is_not_tried(cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step doubles the time; an import may bring any, and a few logins would keep every thread busy."""
    worked: list[bytes] = []

    def noted(_: bytes, hashed: bytes) -> bool:
        worked.append(hashed)
        return True

    monkeypatch.setattr(bcrypt, "checkpw", noted)
    costly = (await hash_password("Correct-Horse-9", CHEAP)).replace("$04$", f"${cost}$")
    assert not await password_matches("Correct-Horse-9", costly, CHEAP)
    assert [hashed[:7] for hashed in worked] == [b"$2b$04$"]


@pytest.mark.parametrize("password", ["a\0b", "\ud800"])
async def test_what_cannot_be_a_password_matches_nothing(password: str) -> None:
    """And raises nothing, since anybody may type it."""
    assert not await password_matches(password, await hash_password("Correct-Horse-9", CHEAP), CHEAP)


@pytest.mark.parametrize(
    ("password", "counts"),
    [("x" * 72 + "Tail", b"x" * 72), ("ä" * 40, "ä".encode() * 36), ("x" * 71 + "ä", b"x" * 71), ("€" * 30, "€".encode() * 24)],
)
async def test_long_passwords_are_cut_where_invokeai_cuts_them(password: str, counts: bytes) -> None:
    """After 72 bytes, but never through a character; both ways, so that accounts move in and out."""
    theirs = bcrypt.hashpw(counts, bcrypt.gensalt(CHEAP)).decode()
    assert await password_matches(password, theirs)
    ours = await hash_password(password, CHEAP)
    assert bcrypt.checkpw(counts, ours.encode())


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
async def test_older_markers_of_the_same_hash_are_understood(version: str) -> None:
    """Other programs write them."""
    hashed = await hash_password("Correct-Horse-9", CHEAP)
    assert await password_matches("Correct-Horse-9", hashed.replace("$2b$", f"${version}$"))


@pytest.mark.parametrize(
    ("password", "wish"),
    [
        ("Short-1", "at least 8 characters"),
        ("lower-case-9", "an upper-case letter"),
        ("UPPER-CASE-9", "a lower-case letter"),
        ("No-Digits-Here", "a digit"),
    ],
)
def test_a_weak_password_is_refused_with_what_it_lacks(password: str, wish: str) -> None:
    """And accepted where the studio is not strict."""
    with pytest.raises(InvalidInput) as caught:
        check_password(password)
    assert (caught.value.field, caught.value.remedy) == ("password", f"Use {wish}.")
    check_password(password, strict=False)


@pytest.mark.parametrize("password", ["", "Correct\0Horse-9", "Correct-Horse-9\ud800", "Aa1" * 400])
def test_what_cannot_be_a_password_is_always_refused(password: str) -> None:
    """Strict or not."""
    with pytest.raises(InvalidInput) as caught:
        check_password(password, strict=False)
    assert caught.value.field == "password"
    assert caught.value.remedy


def test_feedback_grows_with_what_is_missing() -> None:
    """The strength is InvokeAI's, the wishes are what would raise it."""
    assert (strength("abc"), strength("abcdefgh"), strength("Abcdefg1")) == (Strength.WEAK, Strength.MODERATE, Strength.STRONG)
    assert feedback("abcdefgh") == ["an upper-case letter", "a digit"]
    assert feedback("Abcdefg1") == []
