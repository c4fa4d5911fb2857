"""The loopback Discord when things go wrong: refusals, limits, broken connections, killed processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord import DiscordServer
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.people import Person
from tests.fakes.discord.places import Channel
from tests.fakes.discord_bot import Bot, point_at, running


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        point_at(server, monkeypatch)
        server.guild(channels=("일반",))
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guilds[0].channel("일반")


@pytest.fixture
def alice(server: DiscordServer) -> Person:
    return server.user(name="alice")


async def test_wrong_token(server: DiscordServer) -> None:
    client = Bot(server)
    async with client:
        with pytest.raises(discord.LoginFailure):
            await client.start("wrong")
    assert server.requests[-1].status == 401


async def test_privileged_intent_that_the_portal_does_not_allow(server: DiscordServer) -> None:
    client = Bot(server, intents=discord.Intents(guilds=True, message_content=True))
    async with client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(server.token)


async def test_429_and_500_are_retried_by_the_library(server: DiscordServer, channel: Channel) -> None:
    async with running(server) as bot:
        server.fault("POST", f"/channels/{channel.id}/messages", status=429, retry_after=0.05)
        server.fault("POST", f"/channels/{channel.id}/messages", status=500)
        await bot.get_partial_messageable(channel.id).send("answer")
        assert [r.status for r in server.calls("POST", "/messages")] == [429, 500, 200]
        assert [m.text for m in server.sent(channel)] == ["answer"]


async def test_error_code_of_a_fault_reaches_the_bot(server: DiscordServer, channel: Channel) -> None:
    async with running(server) as bot:
        server.fault("POST", "/messages", status=403, code=50013, after=1, times=2)
        place = bot.get_partial_messageable(channel.id)
        await place.send("passes")
        for _ in range(2):
            with pytest.raises(discord.Forbidden) as refused:
                await place.send("refused")
            assert refused.value.code == 50013
        await place.send("passes again")
    assert [m.text for m in server.sent(channel)] == ["passes", "passes again"]


async def test_lost_answer_and_nonce(server: DiscordServer, channel: Channel) -> None:
    """The message was posted but the bot never learned of it: the same nonce does not post it twice."""
    async with running(server) as bot:
        place = bot.get_partial_messageable(channel.id)
        server.fault("POST", "/messages", drop_connection=True, applied=True)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await place.send("once", nonce="q1")
        again = await place.send("once", nonce="q1")
        assert [m.id for m in server.sent(channel)] == [again.id]
        server.advance(600)
        await place.send("once", nonce="q1")
        assert len(server.sent(channel)) == 2
        server.fault("POST", "/messages", drop_connection=True)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await place.send("never")
        assert len(server.sent(channel)) == 2


async def test_rate_limits(server: DiscordServer, channel: Channel) -> None:
    server.rate_limits.limit, server.rate_limits.window = 2, 0.4
    async with running(server) as bot:
        server.rate_limits.enabled = True
        place = bot.get_partial_messageable(channel.id)
        for number in range(5):
            await place.send(str(number))
        assert server.rate_limits.hits == 0, "the library reads the headers and waits by itself"
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bot {server.token}", "User-Agent": "DiscordBot (test, 1)"}
            statuses = []
            for _ in range(3):
                async with session.get(f"{server.api_base_url}/users/@me", headers=headers) as answer:
                    statuses.append(answer.status)
            assert statuses == [200, 200, 429]
            assert answer.headers["Via"]
            assert 0 < float(answer.headers["X-RateLimit-Reset-After"]) <= 0.4
    assert server.rate_limits.hits == 1


async def test_first_response_after_three_seconds(server: DiscordServer, channel: Channel, alice: Person) -> None:
    async with running(server) as bot:
        errors: list[int] = []

        @bot.tree.command(name="slow", description="…")
        async def slow(interaction: discord.Interaction) -> None:
            server.advance(3.5)
            try:
                await interaction.response.defer()
            except discord.NotFound as error:
                errors.append(error.code)

        @bot.tree.command(name="twice", description="…")
        async def twice(interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            interaction.response._response_type = None  # as another process with the same interaction would
            try:
                await interaction.response.defer()
            except discord.HTTPException as error:
                errors.append(error.code)

        await bot.tree.sync()
        late = await alice.slash("slow", {}, channel)
        await server.wait_for(lambda: errors == [10062])
        assert not late.acknowledged
        await alice.slash("twice", {}, channel)
        await server.wait_for(lambda: errors == [10062, 40060])


@pytest.mark.parametrize(("code", "status"), [(50027, 401), (10015, 404)])
async def test_token_of_more_than_fifteen_minutes(
    server: DiscordServer, channel: Channel, alice: Person, code: int, status: int
) -> None:
    server.expired_token_code = code
    async with running(server) as bot:
        kept: list[discord.Interaction] = []

        @bot.tree.command(name="long", description="…")
        async def long(interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            kept.append(interaction)

        await bot.tree.sync()
        asked = await alice.slash("long", {}, channel)
        await server.wait_for(lambda: kept)
        server.advance(14 * 60)
        await kept[0].edit_original_response(content="in time")
        server.advance(70)
        with pytest.raises(discord.HTTPException) as expired:
            await kept[0].edit_original_response(content="too late")
        assert (expired.value.code, expired.value.status) == (code, status)
        assert asked.text == "in time"


async def test_op_7_and_close_4000_are_resumed_with_what_was_missed(
    server: DiscordServer, channel: Channel, alice: Person
) -> None:
    async with running(server) as bot:
        for number, cut in enumerate((server.gateway.ask_to_reconnect, server.gateway.close, server.gateway.reset), 1):
            if cut == server.gateway.close:
                server.gateway.refuse(1)
            cut()
            if cut == server.gateway.close:  # the others are resumed within milliseconds
                await server.wait_for(lambda: not server.gateway.connected)
            await alice.say(channel, f"missed {number}", mention_bot=True)
            await server.wait_for(lambda n=number: bot.resumed == n, timeout=20)  # type: ignore[misc]
            await server.wait_for(lambda n=number: len(bot.seen) == n)  # type: ignore[misc]
        assert server.gateway.resumes == 3
        assert len(server.gateway.identifies) == 1
    assert server.violations == []


async def test_invalid_session_is_identified_anew(server: DiscordServer, channel: Channel, alice: Person) -> None:
    async with running(server) as bot:
        server.gateway.invalidate()
        await server.wait_for(lambda: len(server.gateway.identifies) == 2, timeout=20)
        await server.ready()
        await alice.say(channel, "연차는?", mention_bot=True)
        await server.wait_for(lambda: bot.seen)
    assert [session.ended for session in server.gateway.sessions] == [True, False]


@pytest.mark.parametrize("how", ["forgotten", "goodbye"])
async def test_resume_of_an_ended_session_is_refused(server: DiscordServer, how: str) -> None:
    """Without discord.py, which waits 5 seconds before it identifies again; with zlib-stream, which it may ask for."""
    unpack = zlib.decompressobj()

    async def receive(ws: aiohttp.ClientWebSocketResponse) -> Any:
        return json.loads(unpack.decompress((await ws.receive(timeout=5)).data))

    async with aiohttp.ClientSession() as http:
        url = f"{server.gateway_url}?v=10&encoding=json&compress=zlib-stream"
        async with http.ws_connect(url) as ws:
            assert (await receive(ws))["op"] == 10
            await ws.send_json({"op": 2, "d": {"token": server.token, "intents": 1, "properties": {}}})
            ready = await receive(ws)
            assert (ready["t"], ready["s"]) == ("READY", 1)
            assert (await receive(ws))["t"] == "GUILD_CREATE"
            if how == "forgotten":
                server.gateway.forget_sessions()
                server.gateway.reset()
                await ws.receive(timeout=5)
            else:
                await ws.close(code=1000)
        unpack = zlib.decompressobj()
        async with http.ws_connect(url) as ws:
            await receive(ws)
            resume = {"token": server.token, "session_id": ready["d"]["session_id"], "seq": 2}
            await ws.send_json({"op": 6, "d": resume})
            assert await receive(ws) == {"op": 9, "d": False, "s": None, "t": None}


async def test_heartbeats(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval = 0.1
    async with running(server) as bot:
        await server.wait_for(lambda: server.gateway.heartbeats >= 4)
        assert bot.latency < 5


async def test_what_is_no_payload_closes_the_gateway(server: DiscordServer) -> None:
    async with aiohttp.ClientSession() as session:
        for sent, code in (
            ("{", 4002),
            ('{"op": 99, "d": {}}', 4003),
            ('{"op": 2, "d": {"token": "wrong", "intents": 1}}', 4004),
            (f'{{"op": 2, "d": {{"token": "{server.token}", "intents": -1}}}}', 4013),
            (f'{{"op": 2, "d": {{"token": "{server.token}", "intents": 32768}}}}', 4014),
        ):
            async with session.ws_connect(f"{server.gateway_url}?v=10&encoding=json") as ws:
                await ws.receive(timeout=5)
                await ws.send_str(sent)
                closing = await ws.receive(timeout=5)
                assert closing.data == code
            assert not server.gateway.connected


BOT_PROCESS = """
import asyncio, sys
import discord, yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
Route.BASE, gateway, token = sys.argv[1:4]
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
client = discord.Client(intents=discord.Intents(guilds=True, messages=True))
tree = discord.app_commands.CommandTree(client)

@tree.command(name="ask", description="Ask")
async def ask(interaction: discord.Interaction, question: str) -> None:
    await interaction.response.defer()
    await asyncio.sleep(600)

@client.event
async def on_connect() -> None:
    await tree.sync()

client.run(token, log_handler=None)
"""


async def test_bot_in_another_process_is_killed_in_the_middle(
    server: DiscordServer, channel: Channel, alice: Person, tmp_path: Path
) -> None:
    script = tmp_path / "bot.py"
    script.write_text(BOT_PROCESS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", str(script), server.api_base_url, server.gateway_url, server.token
    )
    try:
        await server.wait_for(lambda: server.commands.find(1, "ask", None), timeout=30)
        asked: Interaction = await alice.slash("ask", {"question": "연차는?"}, channel)
        await server.wait_for(lambda: asked.acknowledged)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    await server.wait_for(lambda: not server.gateway.connected)
    assert asked.original is not None
    assert asked.original.loading
    async with running(server) as bot:
        webhook = discord.Webhook.partial(server.application_id, asked.token, client=bot)
        await webhook.edit_message("@original", content="from the next process")  # type: ignore[call-overload]
        assert asked.text == "from the next process"
    assert server.violations == []
