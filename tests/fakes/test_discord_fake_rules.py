"""What the loopback Discord refuses, with Discord's codes: bodies, components, commands, pages of messages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord import DiscordServer
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.people import Person
from tests.fakes.discord.places import Channel

V2 = 1 << 15


class Api:
    """Requests as a bot makes them, without a library that would refuse a bad one by itself."""

    def __init__(self, server: DiscordServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self._http = http

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer."""
        headers = {"Authorization": f"Bot {self.server.token}", "User-Agent": "DiscordBot (test, 1)"}
        async with self._http.request(method, self.server.api_base_url + path, json=body, headers=headers) as answer:
            if answer.status == 204:
                return 204, None
            assert answer.headers["Content-Type"] == "application/json"
            return answer.status, await answer.json()


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        server.guild(channels=("일반", "질문"))
        yield server


@pytest.fixture
async def api(server: DiscordServer) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as http:
        yield Api(server, http)


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guilds[0].channel("일반")


@pytest.fixture
def alice(server: DiscordServer) -> Person:
    return server.user(name="alice")


def button(custom_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "누르기", "custom_id": custom_id, **more}


def row(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(inside)}


def text(content: str) -> dict[str, Any]:
    return {"type": 10, "content": content}


def card(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"flags": V2, "components": [{"type": 17, "components": list(inside)}]}


LINK = {"type": 2, "style": 5, "label": "문서", "url": "https://wiki.example/1"}
GOOD = [
    {"content": "가" * 2000},
    {"embeds": [{"description": "나" * 4096, "title": "제목"}]},
    {"content": "a", "components": [row(*(button(f"{r}{n}") for n in range(5))) for r in range(5)]},
    {"content": "a", "components": [row(LINK, button(), button("b", label=None, emoji={"name": "👍"}))]},
    {"content": "a", "components": [row({"type": 3, "custom_id": "s", "options": [{"label": "가", "value": "1"}]})]},
    card(text("가" * 2000), {"type": 14}, text("나" * 2000), row(button())),
    {"flags": V2, "components": [text("가"), {"type": 9, "components": [text("나")], "accessory": button()}]},
    {"content": "a", "allowed_mentions": {"parse": ["users"], "roles": ["1"], "replied_user": False}},
    {"content": "a", "nonce": "0123456789012345678901234", "enforce_nonce": True, "flags": 4},
]


@pytest.mark.parametrize("body", GOOD)
async def test_good_messages_are_accepted(api: Api, server: DiscordServer, channel: Channel, body: Any) -> None:
    status, answer = await api("POST", f"/channels/{channel.id}/messages", body)
    assert (status, answer.get("errors")) == (200, None)
    assert server.violations == []


BAD = [
    ({}, 50006, ""),
    ({"content": "가" * 2001}, 50035, "content"),
    ({"content": 1}, 50035, "content"),
    ({"embeds": [{"description": "나" * 4097}]}, 50035, "embeds.0.description"),
    ({"embeds": [{"description": "나" * 3001}, {"description": "나" * 3000}]}, 50035, "embeds"),
    ({"embeds": [{"title": "가"}] * 11}, 50035, "embeds"),
    ({"embeds": [{"fields": [{"name": "가", "value": ""}]}]}, 50035, "embeds.0.fields.0.value"),
    ({"embeds": [{"fields": [{"name": "가", "value": "나"}] * 26}]}, 50035, "embeds.0.fields"),
    ({"content": "a", "nonce": "0" * 26}, 50035, "nonce"),
    ({"content": "a", "allowed_mentions": {"parse": ["all"]}}, 50035, "allowed_mentions.parse"),
    ({"content": "a", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035, "allowed_mentions"),
    ({"content": "a", "components": [row(button())] * 6}, 50035, "components"),
    ({"content": "a", "components": [row(*(button(str(n)) for n in range(6)))]}, 50035, "components.0.components"),
    ({"content": "a", "components": [row(button("a"), button("a"))]}, 50035, "components.0.components.1.custom_id"),
    ({"content": "a", "components": [row(button("a" * 101))]}, 50035, "components.0.components.0.custom_id"),
    ({"content": "a", "components": [row(button(label="가" * 81))]}, 50035, "components.0.components.0.label"),
    ({"content": "a", "components": [row(button(label=None))]}, 50035, "components.0.components.0"),
    ({"content": "a", "components": [row(button(url="https://a.b"))]}, 50035, "components.0.components.0"),
    ({"content": "a", "components": [row(LINK | {"url": "javascript:1"})]}, 50035, "components.0.components.0.url"),
    ({"content": "a", "components": [row()]}, 50035, "components.0.components"),
    ({"content": "a", "components": [button()]}, 50035, "components.0.type"),
    ({"content": "a", "components": [text("가")]}, 50035, "components.0.type"),
    (card(text("가" * 2001), text("나" * 2000)), 50035, "components"),
    (card(text("")), 50035, "components.0.components.0.content"),
    (card(*(text("가") for _ in range(40))), 50035, "components"),
    (card(text("가")) | {"content": "b"}, 50035, "content"),
    (card(text("가")) | {"embeds": [{"title": "b"}]}, 50035, "embeds"),
    (card({"type": 17, "components": [text("가")]}), 50035, "components.0.components.0.type"),
    ({"content": "a", "message_reference": {"message_id": "1"}}, 50035, "message_reference"),
]


def errors_at(answer: Any, path: str) -> Any:
    node = answer["errors"]
    for step in path.split("."):
        node = node[step]
    return node["_errors"]


@pytest.mark.parametrize(("body", "code", "path"), BAD)
async def test_bad_messages_are_refused(
    api: Api, server: DiscordServer, channel: Channel, body: Any, code: int, path: str
) -> None:
    status, answer = await api("POST", f"/channels/{channel.id}/messages", body)
    assert (status, answer["code"]) == (400, code)
    if path:
        assert errors_at(answer, path)
    assert server.messages(channel) == []
    reply_to_a_deleted_message = path == "message_reference"
    assert len(server.violations) == (0 if reply_to_a_deleted_message else 1)


async def test_unknown_fields_and_flags_are_written_down(api: Api, server: DiscordServer, channel: Channel) -> None:
    body = {"content": "a", "ephemeral": True, "flags": 64, "components": [row(button(colour="red"))]}
    status, _ = await api("POST", f"/channels/{channel.id}/messages", body)
    assert status == 200
    details = sorted(violation.detail for violation in server.violations)
    assert len(details) == 3
    assert "ephemeral" in details[1]
    assert "components.0.components.0.colour" in details[0]
    assert "flags: 64" in details[2]


async def test_unknown_route_and_user_agent_are_written_down(server: DiscordServer, api: Api) -> None:
    assert (await api("GET", "/nothing/here"))[0] == 404
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.api_base_url}/users/@me", headers={"Authorization": f"Bot {server.token}"}) as answer,
    ):
        assert answer.status == 200
    assert [violation.where for violation in server.violations] == ["GET /nothing/here", "GET /users/@me"]


async def test_edits(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> None:
    _, plain = await api("POST", f"/channels/{channel.id}/messages", {"content": "a", "components": [row(button())]})
    here = f"/channels/{channel.id}/messages/{plain['id']}"
    assert (await api("PATCH", here, {"content": "b"}))[1]["content"] == "b"
    assert server.sent(channel)[0].labels == ["누르기"], "what an edit does not name stays"
    assert (await api("PATCH", here, {"content": None, "components": []}))[1]["code"] == 50006
    assert (await api("PATCH", here, card(text("c"))))[0] == 400, "the content must be emptied first"
    assert (await api("PATCH", here, card(text("c")) | {"content": None}))[0] == 200
    assert server.sent(channel)[0].text == "c"
    back = await api("PATCH", here, {"flags": 0, "components": [text("d")]})
    assert errors_at(back[1], "flags")[0]["code"] == "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG"
    theirs = await alice.say(channel, "mine")
    status, answer = await api("PATCH", f"/channels/{channel.id}/messages/{theirs.id}", {"content": "x"})
    assert (status, answer["code"]) == (403, 50005)
    status, answer = await api("DELETE", f"/channels/{channel.id}/messages/{theirs.id}")
    assert (status, answer["code"]) == (403, 50013), "the bot may not manage messages"
    assert (await api("DELETE", here))[0] == 204
    assert server.sent(channel) == []


async def test_pages_of_messages(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> None:
    said = [await alice.say(channel, str(number)) for number in range(6)]
    here = f"/channels/{channel.id}/messages"

    async def ids(query: str) -> list[int]:
        return [int(message["id"]) for message in (await api("GET", here + query))[1]]

    newest_first = [message.id for message in reversed(said)]
    assert await ids("") == newest_first
    assert await ids("?limit=2") == newest_first[:2]
    assert await ids(f"?limit=2&before={said[3].id}") == [said[2].id, said[1].id]
    assert await ids(f"?limit=2&after={said[1].id}") == [said[3].id, said[2].id]
    assert await ids(f"?limit=3&around={said[2].id}") == [said[3].id, said[2].id, said[1].id]
    assert (await api("GET", f"{here}?limit=101"))[0] == 400
    server.deny(channel, "read_message_history")
    assert await ids("") == []


async def test_unknown_things(api: Api, server: DiscordServer, channel: Channel) -> None:
    for method, path, code in (
        ("GET", "/channels/1", 10003),
        ("GET", f"/channels/{channel.id}/messages/1", 10008),
        ("DELETE", f"/channels/{channel.id}/messages/1", 10008),
        ("GET", "/guilds/1", 10004),
        ("GET", f"/guilds/{server.guilds[0].id}/members/1", 10007),
        ("GET", "/users/1", 10013),
        ("POST", "/interactions/1/token/callback", 10062),
    ):
        status, answer = await api(method, path, {} if method == "POST" else None)
        assert (status, answer["code"]) == (404, code), path
    status, answer = await api("GET", f"/webhooks/{server.application_id}/token/messages/@original")
    assert (status, answer["code"]) == (401, 50027)
    assert server.violations == []


async def test_account_and_server_routes(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> None:
    guild = server.guilds[0]
    assert (await api("GET", "/users/@me"))[1]["id"] == str(server.bot.id)
    assert (await api("GET", "/applications/@me"))[1]["flags"] == 0
    assert (await api("GET", "/gateway"))[1] == {"url": server.gateway_url}
    assert (await api("GET", "/gateway/bot"))[1]["session_start_limit"]["remaining"] == 1000
    assert [c["name"] for c in (await api("GET", f"/guilds/{guild.id}/channels"))[1]] == ["일반", "질문"]
    assert [r["name"] for r in (await api("GET", f"/guilds/{guild.id}/roles"))[1]] == ["@everyone", "직원"]
    assert [g["id"] for g in (await api("GET", "/users/@me/guilds"))[1]] == [str(guild.id)]
    _, direct = await api("POST", "/users/@me/channels", {"recipient_id": str(alice.id)})
    assert direct["type"] == 1
    assert (await api("POST", "/users/@me/channels", {"recipient_id": alice.id}))[1]["id"] == direct["id"]
    _, thread = await api("POST", f"/channels/{channel.id}/threads", {"name": "이야기", "type": 11})
    assert (await api("PATCH", f"/channels/{thread['id']}", {"archived": True}))[1]["thread_metadata"]["archived"]
    assert (await api("GET", f"/guilds/{guild.id}/threads/active"))[1]["threads"] == []
    assert (await api("POST", f"/channels/{channel.id}/threads", {"name": "가" * 101, "type": 11}))[0] == 400
    assert (await api("DELETE", f"/users/@me/guilds/{guild.id}"))[0] == 204
    assert not guild.bot_in


def command(**more: Any) -> dict[str, Any]:
    return {"name": "ask", "description": "Ask", "type": 1, **more}


def option(**more: Any) -> dict[str, Any]:
    return {"type": 3, "name": "question", "description": "The question", **more}


BAD_COMMANDS = [
    ([command(name="Ask")], "0.name"),
    ([command(name="두 낱말")], "0.name"),
    ([command(name="a" * 33)], "0.name"),
    ([command(description="")], "0.description"),
    ([command(description="가" * 101)], "0.description"),
    ([command(name_localizations={"ko": "두 낱말"})], "0.name_localizations.ko"),
    ([command(name_localizations={"kr": "질문"})], "0.name_localizations.kr"),
    ([command(description_localizations={"ko": "가" * 101})], "0.description_localizations.ko"),
    ([command(), command()], "1.name"),
    ([command(options=[option(), option(name="more", required=True)])], "0.options.1"),
    ([command(options=[option(), option()])], "0.options.1.name"),
    ([command(options=[option(autocomplete=True, choices=[{"name": "가", "value": "나"}])])], "0.options.0"),
    ([command(options=[option(choices=[{"name": "가" * 101, "value": "나"}])])], "0.options.0.choices.0.name"),
    ([command(options=[option(name=str(n)) for n in range(26)])], "0.options"),
    ([command(contexts=[3])], "0.contexts"),
    ([command(type=3, name="위키에서 찾기", description="x")], "0.description"),
    ([command(options=[option(choices=[{"name": "가" * 100, "value": f"{n:0100}"} for n in range(25)], name=f"o{k}")
                       for k in range(2)])], "0"),
]  # fmt: skip


@pytest.mark.parametrize(("commands", "path"), BAD_COMMANDS)
async def test_bad_commands_are_refused(api: Api, server: DiscordServer, commands: Any, path: str) -> None:
    status, answer = await api("PUT", f"/applications/{server.application_id}/commands", commands)
    assert (status, answer["code"]) == (400, 50035)
    assert errors_at(answer, path)
    assert server.commands.listed(None) == []


async def test_commands_keep_their_ids_and_places(
    api: Api, server: DiscordServer, channel: Channel, alice: Person
) -> None:
    guild = server.guilds[0]
    everywhere = f"/applications/{server.application_id}/commands"
    here = f"/applications/{server.application_id}/guilds/{guild.id}/commands"
    menu = {"type": 3, "name": "위키에서 찾기"}
    korean = command(
        name_localizations={"ko": "질문"}, contexts=[0], options=[option(name_localizations={"ko": "물음"})]
    )
    _, first = await api("PUT", here, [korean, menu])
    _, second = await api("PUT", here, [korean])
    assert second[0]["id"] == first[0]["id"]
    assert second[0]["version"] != first[0]["version"]
    assert (await api("GET", here))[1] == second
    assert (await api("GET", everywhere))[1] == []
    assert server.commands.overwrites == 2
    asked = await alice.slash("질문", {"물음": "연차는?"}, channel)
    assert asked.payload["data"]["name"] == "ask", "the payload carries base names"
    assert asked.payload["data"]["options"] == [{"name": "question", "type": 3, "value": "연차는?"}]
    with pytest.raises(AssertionError, match="no command"):
        await alice.slash("ask", {"question": "연차는?"})  # a server's command is not in direct conversations
    assert (await api("POST", everywhere, command(name="help")))[0] == 201
    _, listed = await api("GET", everywhere)
    assert (await api("DELETE", f"{everywhere}/{listed[0]['id']}"))[0] == 204
    assert (await api("DELETE", f"{everywhere}/{listed[0]['id']}"))[1]["code"] == 10063
    assert (await api("PUT", f"/applications/{server.application_id}/guilds/1/commands", []))[1]["code"] == 50001


@pytest.fixture
async def asked(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> Interaction:
    await api("PUT", f"/applications/{server.application_id}/commands", [command(options=[option(autocomplete=True)])])
    return await alice.slash("ask", {"question": "연차는?"}, channel)


async def respond(api: Api, interaction: Interaction, body: Any, query: str = "") -> tuple[int, Any]:
    return await api("POST", f"/interactions/{interaction.id}/{interaction.token}/callback{query}", body)


async def test_callback(api: Api, server: DiscordServer, asked: Interaction) -> None:
    before = f"/webhooks/{server.application_id}/{asked.token}"
    assert (await api("POST", before, {"content": "early"}))[1]["code"] == 10015
    assert (await respond(api, asked, {"type": 6}))[1]["code"] == 50035, "6 is for components"
    status, answer = await respond(api, asked, {"type": 5, "data": {"flags": 64}}, "?with_response=true")
    assert status == 200
    assert answer["interaction"]["response_message_loading"]
    assert answer["interaction"]["response_message_ephemeral"]
    assert answer["resource"]["message"]["flags"] == 64 | 128
    assert (await respond(api, asked, {"type": 5}))[1]["code"] == 40060
    edited = await api("PATCH", f"{before}/messages/@original", {"content": "done"})
    assert edited[1]["flags"] == 64, "still ephemeral, no longer loading"
    _, more = await api("POST", before, {"content": "more", "flags": 64})
    assert (await api("GET", f"{before}/messages/{more['id']}"))[1]["content"] == "more"
    assert (await api("PATCH", f"{before}/messages/{more['id']}", {"content": "changed"}))[0] == 200
    assert (await api("DELETE", f"{before}/messages/{more['id']}"))[0] == 204
    assert (await api("GET", f"{before}/messages/{more['id']}"))[1]["code"] == 10008
    assert asked.text == "done"
    assert len(server.violations) == 1


async def test_callback_without_response_and_late(api: Api, server: DiscordServer, asked: Interaction) -> None:
    server.advance(2.5)
    assert await respond(api, asked, {"type": 4, "data": {"content": "hi"}}) == (204, None)
    assert asked.callback_seconds is not None
    assert 2.5 <= asked.callback_seconds < 3
    late = await asked.user.slash("ask", {"question": "?"}, asked.channel)  # type: ignore[attr-defined]
    server.advance(3.01)
    assert (await respond(api, late, {"type": 4, "data": {"content": "hi"}}))[1]["code"] == 10062


async def test_slow_server_counts_for_the_deadline(api: Api, server: DiscordServer, asked: Interaction) -> None:
    server.fault("POST", "/callback", delay=0.2)
    started = time.monotonic()
    await respond(api, asked, {"type": 5})
    assert time.monotonic() - started >= 0.2
    assert asked.callback_seconds is not None
    assert asked.callback_seconds >= 0.2


@pytest.mark.parametrize(
    ("choices", "fine"),
    [
        ([{"name": "가" * 100, "value": "나" * 100}] * 25, True),
        ([{"name": "가", "value": "나"}] * 26, False),
        ([{"name": "가" * 101, "value": "나"}], False),
        ([{"name": "가", "value": "나" * 101}], False),
        ([{"name": "", "value": "나"}], False),
    ],
)
async def test_choices(api: Api, asked: Interaction, choices: Any, fine: bool) -> None:
    person = asked.user
    assert isinstance(person, Person)
    typing = await person.autocomplete("ask", {"question": "연"}, asked.channel)
    assert typing.payload["data"]["options"][0]["focused"]
    assert (await respond(api, typing, {"type": 4, "data": {"content": "no"}}))[0] == 400
    status, _ = await respond(api, typing, {"type": 8, "data": {"choices": choices}})
    assert status == (204 if fine else 400)
    assert typing.choices == (choices if fine else None)


def modal(*components: Any, title: str = "왜?", custom_id: str = "m") -> Any:
    return {"type": 9, "data": {"title": title, "custom_id": custom_id, "components": list(components)}}


FIELD = {"type": 4, "custom_id": "f", "style": 1, "label": "이유"}
LABELLED = {"type": 18, "label": "이유", "component": {"type": 4, "custom_id": "f", "style": 2, "label": None}}
MODALS = [
    (modal(row(FIELD)), True),
    (modal(LABELLED), True),
    (modal(text("설명"), LABELLED), True),
    (modal(row(FIELD), title="가" * 45), True),
    (modal(row(FIELD), title="가" * 46), False),
    (modal(row(FIELD), title=""), False),
    (modal(row(FIELD), custom_id="a" * 101), False),
    (modal(), False),
    (modal(*(row(FIELD | {"custom_id": str(n)}) for n in range(6))), False),
    (modal(row(FIELD | {"label": "가" * 46})), False),
    (modal(row(FIELD | {"label": None})), False),
    (modal(row(FIELD), row(FIELD)), False),
    (modal(row(FIELD | {"placeholder": "가" * 101})), False),
    (modal(row(FIELD | {"max_length": 4001})), False),
    (modal(LABELLED | {"label": "가" * 46}), False),
    (modal(LABELLED | {"component": FIELD}), False),
    (modal(row(button())), False),
]


@pytest.mark.parametrize(("body", "fine"), MODALS)
async def test_modals(api: Api, server: DiscordServer, asked: Interaction, body: Any, fine: bool) -> None:
    status, answer = await respond(api, asked, body)
    assert status == (204 if fine else 400), answer
    assert (asked.modal is not None) is fine
    assert len(server.violations) == (0 if fine else 1)


async def test_a_form_is_filled_in_as_far_as_a_person_could(api: Api, asked: Interaction) -> None:
    person = asked.user
    assert isinstance(person, Person)
    agree = {"type": 3, "custom_id": "s", "options": [{"label": "예", "value": "y"}, {"label": "아니요", "value": "n"}]}
    note = {"type": 4, "custom_id": "f", "style": 2, "required": False, "max_length": 5}
    body = modal(
        {"type": 18, "label": "동의", "component": agree},
        {"type": 18, "label": "의견", "component": note},
        {"type": 18, "label": "확인", "component": {"type": 23, "custom_id": "c"}},
    )
    assert (await respond(api, asked, body))[0] == 204
    filled = await person.submit(asked, {"동의": "y", "확인": True})
    sent = [component["component"] for component in filled.payload["data"]["components"]]
    assert sent == [
        {"type": 3, "id": 2, "custom_id": "s", "values": ["y"]},
        {"type": 4, "id": 4, "custom_id": "f", "value": ""},
        {"type": 23, "id": 6, "custom_id": "c", "value": True},
    ]
    for impossible in ({}, {"동의": "maybe"}, {"동의": ["y", "n"]}, {"동의": "y", "의견": "여섯 글자요"}):
        with pytest.raises(AssertionError):
            await person.submit(asked, impossible)
    assert (await respond(api, filled, body))[0] == 400, "a modal does not answer a modal"
    assert (await respond(api, filled, {"type": 6}))[0] == 400, "there is no message to update"
    assert (await respond(api, filled, {"type": 4, "data": {"content": "ok"}}))[0] == 204


async def test_what_a_person_cannot_do(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> None:
    stranger = server.user(name="stranger", guilds=[])
    choose = {"type": 3, "custom_id": "s", "options": [{"label": "가", "value": "1"}, {"label": "나", "value": "2"}]}
    rows = [row(button(disabled=True)), row(LINK), row(choose)]
    await api("POST", f"/channels/{channel.id}/messages", {"content": "a", "components": rows})
    message = server.sent(channel)[0]
    attempts: list[tuple[Callable[[], Awaitable[Any]], str]] = [
        (lambda: stranger.say(channel, "hello"), "not in this channel"),
        (lambda: stranger.react(message, "👍"), "not in this channel"),
        (lambda: alice.press(message, "누르기"), "disabled"),
        (lambda: alice.press(message, "문서"), "opens a page"),
        (lambda: alice.press(message, "s"), "0 values"),
        (lambda: alice.press(message, "s", values=["3"]), "not among"),
        (lambda: alice.edit(message, "mine now"), "somebody else"),
    ]
    for attempt, why in attempts:
        with pytest.raises(AssertionError, match=why):
            await attempt()
    chosen = await alice.press(message, "s", values=["2"])
    assert chosen.payload["data"]["values"] == ["2"]
    server.delete(message)
    with pytest.raises(AssertionError, match="deleted"):
        await alice.press(message, "s", values=["2"])


async def test_channels_end(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> None:
    thread = await alice.thread(channel, "이야기")
    assert (await api("PATCH", f"/channels/{thread.id}", {"archived": True}))[0] == 200
    assert (await api("POST", f"/channels/{thread.id}/messages", {"content": "a"}))[0] == 200
    assert not thread.archived, "a message takes a thread out of the archive"
    server.delete_channel(thread)
    status, answer = await api("POST", f"/channels/{thread.id}/messages", {"content": "a"})
    assert (status, answer["code"]) == (404, 10003)
    server.deny(channel, "send_messages")
    assert (await api("POST", f"/channels/{channel.id}/messages", {"content": "a"}))[1]["code"] == 50013
    assert server.invalid_requests == 1


async def test_component_updates_its_message(api: Api, server: DiscordServer, channel: Channel, alice: Person) -> None:
    await api("POST", f"/channels/{channel.id}/messages", {"content": "a", "components": [row(button())]})
    message = server.sent(channel)[0]
    pressed = await alice.press(message, "누르기")
    assert pressed.payload["data"] == {"component_type": 2, "custom_id": "a", "id": 2}
    assert (await respond(api, pressed, {"type": 7, "data": {"content": "b", "components": []}}))[0] == 204
    assert (message.text, message.labels) == ("b", [])
    assert pressed.original is message
    with pytest.raises(AssertionError, match="no '누르기'"):
        await alice.press(message, "누르기")
    webhook = f"/webhooks/{server.application_id}/{pressed.token}"
    assert (await api("PATCH", f"{webhook}/messages/@original", {"content": "c"}))[0] == 200
    assert message.text == "c"
    assert pressed.messages == [], "the message is not the interaction's own"


async def test_default_pings_differ_by_endpoint(
    api: Api, server: DiscordServer, channel: Channel, asked: Interaction
) -> None:
    ping = {"content": f"@here <@{asked.user.id}> <@&{server.guilds[0].roles[1].id}>"}
    await api("POST", f"/channels/{channel.id}/messages", ping)
    everyone = server.sent(channel)[0].pings
    assert everyone.everyone
    assert everyone.users
    assert everyone.roles
    await respond(api, asked, {"type": 4, "data": ping})
    assert asked.original is not None
    assert (asked.original.pings.everyone, asked.original.pings.roles) == (False, frozenset())
    assert asked.original.pings.users == {asked.user.id}
    quiet: dict[str, Any] = ping | {"allowed_mentions": {"parse": []}}
    await api("POST", f"/webhooks/{server.application_id}/{asked.token}", quiet)
    assert not asked.followups[0].pings
    await api("PATCH", f"/webhooks/{server.application_id}/{asked.token}/messages/{asked.followups[0].id}", ping)
    assert asked.followups[0].pings.users, "an edit without allowed_mentions parses anew"


async def test_a_reply_pings_unless_told_not_to(
    api: Api, server: DiscordServer, channel: Channel, alice: Person
) -> None:
    question = await alice.say(channel, "연차는?", mention_bot=True)
    reply = {"content": "15일", "message_reference": {"message_id": question.id}}
    await api("POST", f"/channels/{channel.id}/messages", reply)
    await api("POST", f"/channels/{channel.id}/messages", reply | {"allowed_mentions": {"parse": []}})
    await api(
        "POST", f"/channels/{channel.id}/messages", reply | {"allowed_mentions": {"parse": [], "replied_user": True}}
    )
    assert [set(m.pings.users) for m in server.sent(channel)] == [{alice.id}, set(), {alice.id}]


async def test_waiting_gives_up_with_what_was_asked_for(server: DiscordServer) -> None:
    with pytest.raises(AssertionError, match=r"Waited 0\.1 s for a bot"):
        await server.wait_for(lambda: False, timeout=0.1, what="a bot")
    assert await server.wait_for(lambda: 7) == 7


async def test_previews(api: Api, server: DiscordServer, channel: Channel) -> None:
    body = {"content": "https://a.example/1 <https://a.example/2> [b](https://a.example/3)"}
    await api("POST", f"/channels/{channel.id}/messages", body)
    await api("POST", f"/channels/{channel.id}/messages", body | {"flags": 4})
    assert [m.previews for m in server.sent(channel)] == [["https://a.example/1", "https://a.example/3"], []]
