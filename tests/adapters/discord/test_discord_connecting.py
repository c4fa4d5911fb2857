"""Starting and ending: a second try after a failed one, a session that ended for good, servers that come and go."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import discord
import pytest
from discord import ConnectionClosed

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.login import login_error
from bot.errors import AdapterError
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk
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
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = True
    DiscordAdapter(world.settings(), "token", world.desk, language="ko")
    assert "voice" not in caplog.text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionClosed(SimpleNamespace(close_code=4004), shard_id=None), "Reset Token"),
        (ConnectionClosed(SimpleNamespace(close_code=4013), shard_id=None), "4013"),
        (discord.PrivilegedIntentsRequired(None), "Message Content Intent"),
        (TimeoutError(), "방화벽"),
    ],
)
def test_every_end_is_explained(error: Exception, told: str) -> None:
    sentence = login_error(error, "ko").explain("ko")
    assert told in sentence
    assert ("Reset Token" in sentence) == (told == "Reset Token")


@pytest.mark.parametrize(
    ("base", "excepted", "proxy"),
    [
        ("https://discord.com/api/v10", "", "http://proxy.example:3128"),
        ("https://discord.com/api/v10", "discord.com", None),
        ("http://127.0.0.1:8080/api/v10", "", None),
    ],
)
def test_a_company_proxy_is_used(
    monkeypatch: pytest.MonkeyPatch, desk: ScriptedDesk, base: str, excepted: str, proxy: str | None
) -> None:
    for name in ("https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    adapter = DiscordAdapter(DiscordSettings(guild_ids=(1,), api_base_url=base), "token", desk, language="ko")
    assert adapter.client.http.proxy == proxy
