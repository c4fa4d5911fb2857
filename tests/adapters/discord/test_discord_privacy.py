"""With the real desk: what is suggested, listed and answered where, and to whom; ids that somebody made up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from knowledge.korean import Analyser
from tests.conformance.discord_driver import DiscordDriver
from tests.conformance.office import LEAVE, SALARY, Office
from tests.fakes.discord.components import walk
from tests.fakes.discord.interactions import Interaction


@pytest.fixture
async def company(tmp_path: Path, analyser: Analyser) -> AsyncIterator[Office]:
    """kim belongs to hr, whose pages hold the salaries; lee does not."""
    driver = DiscordDriver()
    await driver.open()
    made = Office(driver, tmp_path, analyser)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
        await driver.close()
    assert driver.violations() == []


def driver_of(company: Office) -> DiscordDriver:
    assert isinstance(company.driver, DiscordDriver)
    return company.driver


async def suggested(company: Office, person: str, *, private: bool | None = None, direct: bool = False) -> list[str]:
    """Titles for "연봉"."""
    driver = driver_of(company)
    options: dict[str, object] = {} if private is None else {"private": private}
    typed = await driver._people[person].autocomplete(
        "ask",
        options | {"question": "연봉"},  # type: ignore[arg-type]
        None if direct else driver._channel,
    )
    found = await driver.server.wait_for(lambda: typed.acknowledged and (typed.choices or [None]), 10, "suggestions")
    return [str(choice["name"]) for choice in found if choice is not None]


async def test_restricted_titles_are_suggested_to_the_entitled_in_private_alone(company: Office) -> None:
    assert await suggested(company, "kim") == []
    assert await suggested(company, "kim", private=False) == []
    assert await suggested(company, "lee", private=True) == []
    assert any("연봉" in title for title in await suggested(company, "kim", private=True))
    driver = driver_of(company)
    for person in ("kim", "lee"):  # whose membership is known from here on
        await driver.answers(await driver.direct(LEAVE, person=person))
    assert any("연봉" in title for title in await suggested(company, "kim", direct=True))
    assert await suggested(company, "lee", direct=True) == []


async def listed(company: Office, person: str, command: str, options: dict[str, object]) -> Interaction:
    driver = driver_of(company)
    used = await driver._people[person].slash(command, options, driver._channel)  # type: ignore[arg-type]
    await driver.server.wait_for(lambda: used.finished, 10, "the list")
    return used


async def test_lists_are_for_the_person_alone(company: Office) -> None:
    for command, options in (("search", {"words": "연봉 상한"}), ("sources", {})):
        own = await listed(company, "kim", command, dict(options))
        other = await listed(company, "lee", command, dict(options))
        assert own.ephemeral
        assert other.ephemeral
        assert own.text != other.text
        assert "연봉 밴드" not in other.text
    public = await listed(company, "kim", "search", {"words": "연봉 상한"})
    assert "연봉" in public.text


async def test_ids_that_somebody_made_up_do_nothing(company: Office) -> None:
    driver = driver_of(company)
    private = (await driver.answers(await driver.command(SALARY, private=True)))[0]
    assert "9,100만" in private.text
    public = (await driver.answers(await driver.mention(LEAVE, person="lee")))[0]
    stolen = [i for i in private.raw.custom_ids if ":vote:" in i or ":share:" in i]
    assert stolen
    for custom_id in [*stolen, f"saseo:call:{'f' * 16}:now", f"saseo:vote:{'f' * 16}:x:up", f"saseo:solve:{'f' * 16}"]:
        lee = driver._people["lee"]
        button = next(c for c in walk(public.raw.components) if c.get("custom_id"))
        button["custom_id"] = custom_id
        pressed = await lee.press(public.raw, custom_id)
        await driver.server.wait_for(lambda p=pressed: p.acknowledged, 10, custom_id)  # type: ignore[misc]
        assert "9,100" not in pressed.text
    assert await company.votes(lambda rows: rows == []) == []
    assert all("9,100" not in message.text for message in driver.server.sent(driver._channel))
