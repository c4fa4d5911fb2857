"""Starting and ending: a second try after a failed one, a session that ended for good, servers that come and go."""

from __future__ import annotations

import logging

import pytest

from adapters.discord.adapter import DiscordAdapter
from bot.errors import AdapterError
from tests.adapters.discord.wire import World


async def test_a_failed_start_may_be_tried_again(world: World) -> None:
    token, world.server.token = world.server.token, "not yet"
    adapter = DiscordAdapter(world.settings(), token, world.desk, language="ko")
    world.adapters.append(adapter)
    world.desk.adapter = adapter
    adapter.client._connection.guild_ready_timeout = 0.2
    with pytest.raises(AdapterError):
        await adapter.start()
    world.server.token = token
    await adapter.start()
    assert adapter.health().connected
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()


async def test_a_revoked_token_is_named(world: World, caplog: pytest.LogCaptureFixture) -> None:
    adapter = await world.start()
    world.server.token = "another"
    world.server.gateway.forget_sessions()
    with caplog.at_level(logging.INFO):
        world.server.gateway.ask_to_reconnect()
        await world.server.wait_for(lambda: adapter._session is not None and adapter._session.done(), 20, "the end")
    assert "Reset Token" in adapter.health().detail
    ended = [r.message for r in caplog.records if "discord_ended" in r.message]
    assert len(ended) == 1
    assert "4004" in ended[0]


async def test_a_server_joined_later_gets_its_commands(world: World) -> None:
    other = 4_242_424_242
    await world.start(guild_ids=(world.guild.id, other))
    before = len(world.server.calls("PUT", f"/guilds/{other}/commands"))
    world.server.guild(name="나중", id=other)
    await world.server.wait_for(
        lambda: len(world.server.calls("PUT", f"/guilds/{other}/commands")) > before, what="the commands"
    )


def test_voice_is_never_missed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    import discord

    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = True
    DiscordAdapter(world.settings(), "token", world.desk, language="ko")
    assert "voice" not in caplog.text
