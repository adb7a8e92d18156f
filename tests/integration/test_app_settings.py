"""Settings of the installation, on both databases and in both modes."""

import asyncio
import threading

import pytest

from tenantry import Principal, Studio, run
from tenantry.errors import InvalidInput, NotAllowed
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, People

ITSELF = Principal.internal(InternalReason.OPERATE)


async def test_a_setting_is_written_over_and_read_back(mode: Mode, people: People) -> None:
    """None before it was set."""
    assert await mode.read(ITSELF, lambda work: work.app_settings.get("theme")) is None
    await mode.write(people.root, lambda work: work.app_settings.set("theme", "dark"))
    await mode.write(ITSELF, lambda work: work.app_settings.set("theme", "light"))
    assert await mode.read(people.root, lambda work: work.app_settings.get("theme")) == "light"


async def test_the_first_value_that_is_offered_stays(mode: Mode) -> None:
    """Also when it is only looked up, in a transaction that cannot write."""
    assert await mode.write(ITSELF, lambda work: work.app_settings.get_or_create("secret", "one")) == "one"
    assert await mode.write(ITSELF, lambda work: work.app_settings.get_or_create("secret", "two")) == "one"
    assert await mode.read(ITSELF, lambda work: work.app_settings.get_or_create("secret", "three")) == "one"


async def test_all_who_offer_a_value_at_once_get_the_same_one(studio: Studio) -> None:
    """Tasks and threads, each with a value of its own."""
    gate = threading.Barrier(4)

    def in_a_thread(value: str) -> str:
        gate.wait(timeout=10)
        return studio.direct.writing(ITSELF, lambda work: work.app_settings.get_or_create("secret", value))

    async def in_a_task(value: str) -> str:
        async with studio.begin(ITSELF) as work:
            return await work.app_settings.get_or_create("secret", value)

    threads = [asyncio.to_thread(in_a_thread, f"thread {n}") for n in range(4)]
    tasks = [in_a_task(f"task {n}") for n in range(8)]
    answers = set(await asyncio.gather(*threads, *tasks))
    assert len(answers) == 1
    with studio.direct.read(ITSELF) as work:
        assert run(work.app_settings.get("secret")) in answers


async def test_no_tenant_reaches_the_settings(mode: Mode, people: People) -> None:
    """Neither those that exist nor those that do not."""
    await mode.write(ITSELF, lambda work: work.app_settings.set("secret", "s"))
    for attempt in (
        lambda work: work.app_settings.get("secret"),
        lambda work: work.app_settings.get("nothing"),
        lambda work: work.app_settings.set("secret", "mine"),
        lambda work: work.app_settings.get_or_create("secret", "mine"),
    ):
        with pytest.raises(NotAllowed):
            await mode.write(people.ana, attempt)
    assert await mode.read(ITSELF, lambda work: work.app_settings.get("secret")) == "s"


@pytest.mark.parametrize(
    ("key", "value", "field"), [("", "v", "key"), ("x" * 301, "v", "key"), ("a\0", "v", "key"), ("k", "a\0", "value")]
)
async def test_a_setting_that_cannot_be_is_refused(mode: Mode, key: str, value: str, field: str) -> None:
    """The error names the field."""
    for attempt in (lambda work: work.app_settings.set(key, value), lambda work: work.app_settings.get_or_create(key, value)):
        with pytest.raises(InvalidInput) as caught:
            await mode.write(ITSELF, attempt)
        assert caught.value.field == field
