"""Registering the commands: what is sent, and that it is sent only when it changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import simcord

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.commands import Korean
from adapters.discord.sync import for_direct, for_server, payload_of
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk
from tests.adapters.discord.office import GUILD

NAME = re.compile(r"[-_'\w]{1,32}")


def registered(env: simcord.Env) -> list[tuple[str, Any]]:
    """(path, body) of every registration."""
    return [(r.path, r.json) for r in env.http_requests if r.method == "PUT" and r.path.endswith("/commands")]


async def test_commands_are_registered_once_and_again_when_they_change(
    simcord_env: simcord.Env, desk: ScriptedDesk, settings: DiscordSettings
) -> None:
    paths = [path for path, _ in registered(simcord_env)]
    assert len(paths) == 2
    assert f"/guilds/{GUILD}/" in paths[0]
    assert [fact for fact in desk.facts if "commands" in fact] == [f"discord:commands:{simcord_env.bot.application_id}"]
    await simcord_env.restart_bot(DiscordAdapter(settings, "token", desk, language="ko").client)
    assert len(registered(simcord_env)) == 2
    more = settings.model_copy(update={"guild_ids": (GUILD, GUILD + 1)})
    await simcord_env.restart_bot(DiscordAdapter(more, "token", desk, language="ko").client)
    assert len(registered(simcord_env)) == 5


@pytest.mark.simcord(check_errors=False)
async def test_what_could_not_be_registered_is_tried_at_the_next_start(
    simcord_env: simcord.Env, desk: ScriptedDesk, settings: DiscordSettings
) -> None:
    desk.facts.clear()
    simcord_env.inject_error("PUT", f"/applications/*/guilds/{GUILD}/commands", status=403, code=50001)
    await simcord_env.restart_bot(DiscordAdapter(settings, "token", desk, language="ko").client)
    assert [fact for fact in desk.facts if "commands" in fact] == []
    await simcord_env.restart_bot(DiscordAdapter(settings, "token", desk, language="ko").client)
    assert [fact for fact in desk.facts if "commands" in fact] != []


async def payload(adapter: DiscordAdapter) -> list[dict[str, Any]]:
    """As `setup_hook` makes it."""
    await adapter.client.tree.set_translator(Korean())
    return await payload_of(adapter.client.tree)


async def test_base_names_are_english_and_korean_is_a_localisation(adapter: DiscordAdapter) -> None:
    found = {command["name"]: command for command in await payload(adapter)}
    assert set(found) == {"ask", "search", "sources", "stop", "help", "reindex", "status", "settings", "위키에서 찾기"}
    ask = found["ask"]
    assert ask["name_localizations"] == {"ko": "질문"}
    assert ask["description_localizations"]["ko"] == "위키에 질문합니다"
    options = {option["name"]: option for option in ask["options"]}
    assert options["question"]["name_localizations"] == {"ko": "질문"}
    assert options["question"]["autocomplete"] is True
    assert options["private"]["name_localizations"] == {"ko": "비공개"}
    assert options["private"]["required"] is False
    for command in found.values():
        for part in [command, *command.get("options", [])]:
            texts = [part.get("description", "-"), *part.get("description_localizations", {}).values()]
            assert all(1 <= len(text) <= 100 for text in texts)
            names = part.get("name_localizations", {}).values() if command["name"] != "위키에서 찾기" else []
            assert all(NAME.fullmatch(name) for name in names)


async def test_servers_and_direct_messages_do_not_list_commands_twice(
    adapter: DiscordAdapter, settings: DiscordSettings
) -> None:
    found = await payload(adapter)
    assert all("contexts" not in command for command in for_server(found))
    direct = for_direct(found, settings)
    assert len(direct) == len(found)
    assert all(command["contexts"] == [1] for command in direct)
    assert all(command["integration_types"] == [0] for command in direct)  # never installed by one person alone
    assert for_direct(found, settings.model_copy(update={"direct_messages": False})) == []
