"""Settings of places: config.toml, over it what an admin changed from chat, and the sentences for what cannot be."""

from __future__ import annotations

import pytest

from bot.conversation import Person, Place, PlaceSettings
from bot.desk.places import PlaceBook
from bot.errors import InvalidSetting, NotAllowed, UnknownSetting
from bot.settings import PlaceTable
from tests.bot.desk.conftest import ADMIN, CHANNEL, DIRECT, KIM, Bench


def book(*tables: PlaceTable) -> PlaceBook:
    return PlaceBook(tables, language="ko", source_names=["hr", "it"], admins={"slack": frozenset({"UADMIN", "S9"})})


def test_a_table_of_its_own_wins_over_the_star_and_the_defaults() -> None:
    places = book(
        PlaceTable(platform="slack", id="*", contacts=("U9",), language="en"),
        PlaceTable(platform="slack", id="C1", sources=("hr",)),
    )
    assert places.settings(CHANNEL) == PlaceSettings(sources=("hr",))
    assert places.settings(DIRECT) == PlaceSettings(contacts=("U9",), language="en")
    assert places.settings(Place("discord", "1", "channel")) == PlaceSettings()


@pytest.mark.parametrize(
    ("key", "value", "parsed"),
    [
        ("sources", "hr, it", ("hr", "it")),
        ("listen", "threads", "threads"),
        ("language", "en", "en"),
        ("private", "예", True),
        ("private", "off", False),
        ("contacts", "<@U12|kim> <!subteam^S34|@it>, U5", ("U12", "S34", "U5")),
    ],
)
def test_changes_from_chat_are_understood(key: str, value: str, parsed: object) -> None:
    places = book()
    changed = places.merged(CHANNEL.platform, {}, {key: value})
    places.load({(CHANNEL.platform, CHANNEL.id): changed})
    assert getattr(places.settings(CHANNEL), key) == parsed
    places.load({(CHANNEL.platform, CHANNEL.id): places.merged(CHANNEL.platform, changed, {key: " "})})
    assert places.settings(CHANNEL) == PlaceSettings()


@pytest.mark.parametrize(
    ("key", "value", "error", "words"),
    [
        ("sources", "hr, sales", InvalidSetting, "sales"),
        ("listen", "always", InvalidSetting, "mention"),
        ("private", "maybe", InvalidSetting, "true"),
        ("contacts", "@kim", InvalidSetting, "@kim"),
        ("contact", "U1", UnknownSetting, "contacts"),
    ],
)
def test_what_cannot_be_is_a_sentence(key: str, value: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        book().merged(CHANNEL.platform, {}, {key: value})


def test_discord_contacts_are_users_or_roles() -> None:
    there = Place("discord", "1", "channel")
    merged = book().merged(there.platform, {}, {"contacts": "<@!12> <@&34> role:5 user:6"})
    places = book()
    places.load({(there.platform, there.id): merged})
    assert places.settings(there).contacts == ("12", "role:34", "role:5", "user:6")


def test_config_with_an_unknown_source_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="sales"):
        book(PlaceTable(platform="slack", id="C1", sources=("sales",)))


def test_a_change_whose_source_is_gone_is_passed_over() -> None:
    places = book()
    places.load({("slack", "C1"): {"sources": "gone", "listen": "all"}})
    assert places.settings(CHANNEL) == PlaceSettings(listen="all")


def test_admins_are_people_or_roles() -> None:
    places = book()
    assert places.is_admin(ADMIN)
    assert places.is_admin(Person("slack", "U5", roles=frozenset({"S9"})))
    assert not places.is_admin(KIM)
    assert not places.is_admin(Person("discord", "UADMIN"))


async def test_only_admins_change_places_and_changes_outlive_the_process(bench: Bench) -> None:
    desk = await bench.start_desk()
    with pytest.raises(NotAllowed):
        await desk.change_place(CHANNEL, KIM, {"listen": "all"})
    changed = await desk.change_place(CHANNEL, ADMIN, {"listen": "all", "private": "예"})
    assert (changed.listen, changed.private) == ("all", True)
    again = await bench.start_desk()
    assert again.place_settings(CHANNEL) == changed
    with pytest.raises(InvalidSetting):
        await again.change_place(CHANNEL, ADMIN, {"listen": "never"})
    assert again.place_settings(CHANNEL) == changed


async def test_processes_on_one_store_know_each_others_changes_and_keep_them(bench: Bench) -> None:
    one = await bench.start_desk(lease=0.3)
    other = await bench.start_desk(lease=30.0)
    await one.change_place(CHANNEL, ADMIN, {"listen": "all"})
    changed = await other.change_place(CHANNEL, ADMIN, {"private": "예"})
    assert (changed.listen, changed.private) == ("all", True)
    await bench.adapter.wait_for(lambda: one.place_settings(CHANNEL) == changed)
    await other.change_place(CHANNEL, ADMIN, {"listen": "", "private": ""})
    await bench.adapter.wait_for(lambda: not one.place_settings(CHANNEL).private)
