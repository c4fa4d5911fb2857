"""The server object: puts the parts together behind one port of the loopback interface."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from aiohttp import web

from tests.fakes.slack import payloads
from tests.fakes.slack.assistant import Assistant
from tests.fakes.slack.chat import Change, Chat
from tests.fakes.slack.delivery import EVENTS, Postman, Sent
from tests.fakes.slack.faults import Fault
from tests.fakes.slack.http_mode import HttpMode
from tests.fakes.slack.lookups import Lookups
from tests.fakes.slack.people import Office, Person
from tests.fakes.slack.records import JSON, Ack, Call, Ping, Violation
from tests.fakes.slack.response_url import ResponseUrls
from tests.fakes.slack.socket_mode import SocketMode
from tests.fakes.slack.state import BOT_USER, Channel, ChannelKind, Message, User, View, Workspace
from tests.fakes.slack.views import Views
from tests.fakes.slack.web_api import Handler, Tokens, WebApi

SCOPES = frozenset(
    {
        "app_mentions:read", "assistant:write", "chat:write", "commands", "im:history", "im:read", "im:write",
        "channels:history", "groups:history", "channels:read", "groups:read", "reactions:read", "reactions:write",
        "users:read", "users:read.email", "usergroups:read",
    }
)  # fmt: skip
EVENTS_SUBSCRIBED = frozenset({"app_home_opened", "app_mention", "message.im", "reaction_added", "reaction_removed"})


class SlackServer:
    """Slack on a loopback port. Use as `async with SlackServer() as slack:`; the package's docstring tells the rest."""

    bot_user = BOT_USER

    def __init__(
        self,
        *,
        scopes: Iterable[str] = SCOPES,
        events: Iterable[str] = EVENTS_SUBSCRIBED,
        retry_delays: tuple[float, ...] = (0.2, 0.5, 1.0),
        port: int = 0,
    ) -> None:
        self.bot_token = "xoxb-fake-bot-token"
        self.app_token = "xapp-fake-app-token"
        self.signing_secret = "fake-signing-secret"
        self.calls: list[Call] = []
        self.acks: list[Ack] = []
        self.violations: list[Violation] = []
        self.pings: list[Ping] = []
        self.workspace = Workspace()
        self.tokens = Tokens(self.bot_token, self.app_token, set(scopes), set())
        self.socket_mode = SocketMode(lambda: f"ws://127.0.0.1:{self.port}", self.acks, self.violations, self._changed)
        self.postman = Postman(self.socket_mode, retry_delays)
        self.chat = Chat(self.workspace, self.pings, self._echo_message)
        self.assistant = Assistant(self.workspace, self.chat.channel, self._echo_reaction)
        self.views = Views(self.workspace, self.violations)
        self.office = Office(self.workspace, self.postman, self.views, lambda: f"http://127.0.0.1:{self.port}")
        self.office.subscriptions = set(events)
        self.web_api = WebApi(self.workspace, self.tokens, self._handlers(), self.calls, self.violations, self._changed)
        self.response_urls = ResponseUrls(
            self.workspace, self.chat, self.calls, self.violations, self._changed, self._echo_message
        )
        self.dark = False
        """Slack cannot be reached: every request's connection is dropped."""
        self.port = port
        self.people: dict[str, Person] = {}
        self._http: HttpMode | None = None
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Event()

    # Life

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._darkness], client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.web_api.handle)
        app.router.add_get("/link/", self.socket_mode.handle)
        app.router.add_post("/response/{id}", self.response_urls.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.postman.close()
        await self.socket_mode.close()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_base_url(self) -> str:
        """For `[slack] api_base_url` and `AsyncWebClient(base_url=…)`."""
        return f"http://127.0.0.1:{self.port}/api/"

    def environment(self) -> dict[str, str]:
        """The secrets as the service reads them from the environment, for a bot in another process."""
        return {
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "SLACK_SIGNING_SECRET": self.signing_secret,
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY", ""), "127.0.0.1"))),
        }

    @web.middleware
    async def _darkness(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        if self.dark and request.transport is not None:
            request.transport.abort()
            return web.Response(status=503)
        response: web.StreamResponse = await handler(request)
        return response

    # Setting the scene

    def user(self, user_id: str, name: str = "", email: str = "", **flags: Any) -> Person:
        """A person (made on first use). `flags`: fields of `state.User`, such as `is_restricted=True`, `is_stranger=True`."""
        if user_id not in self.people:
            if flags.get("is_stranger"):
                flags.setdefault("team", "T0OTHER")
            user = User(user_id, name or user_id.lower(), email, **flags)
            self.workspace.users[user_id] = user
            self.people[user_id] = Person(self.office, user)
        return self.people[user_id]

    def channel(
        self,
        channel_id: str,
        kind: ChannelKind = "public",
        name: str = "",
        *,
        ext_shared: bool = False,
        members: Iterable[str] = (),
        bot: bool = True,
    ) -> Channel:
        """A channel; `bot`: whether the bot is a member."""
        room = Channel(channel_id, kind, name or channel_id.lower(), ext_shared, members=set(members))
        if bot:
            room.members.add(BOT_USER)
        self.workspace.channels[channel_id] = room
        return room

    def usergroup(self, group_id: str, users: Iterable[str]) -> None:
        """A user group."""
        self.workspace.usergroups[group_id] = set(users)

    @property
    def subscriptions(self) -> set[str]:
        """What the app subscribed to: `app_mention`, `message.channels`, …; may be changed at any time."""
        return self.office.subscriptions

    @subscriptions.setter
    def subscriptions(self, events: set[str]) -> None:
        self.office.subscriptions = events

    def use_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Grant the scopes and subscribe to the events of an app manifest, nothing else."""
        self.tokens.scopes = set(manifest["oauth_config"]["scopes"]["bot"])
        self.office.subscriptions = set(manifest["settings"]["event_subscriptions"]["bot_events"])

    def withhold(self, *scopes: str) -> None:
        """Take scopes away: `missing_scope` follows, which is then no violation."""
        self.tokens.withheld |= set(scopes)

    def use_http(self, url: str) -> HttpMode:
        """Deliver by signed POSTs to the bot's request URL instead of Socket Mode."""
        self._http = HttpMode(url, self.signing_secret, self.acks, self._changed)
        self.postman.transport = self._http
        return self._http

    def fault(
        self,
        method: str,
        *,
        status: int | None = None,
        retry_after: int | None = None,
        error: str | None = None,
        drop_connection: bool = False,
        delay: float = 0.0,
        times: int | None = 1,
        after: int = 0,
        applied: bool = False,
        late: float = 0.0,
    ) -> Fault:
        """Let the next `times` calls of a method (`*`: any) go wrong, after `after` good ones; see `faults.Fault`."""
        fault = Fault(method, status, retry_after, error, drop_connection, delay, times, after, applied, late)
        self.web_api.faults.add(fault)
        return fault

    def end_stream(self, message: Message) -> None:
        """Slack itself ends a stream: the next append or stop finds it not streaming."""
        message.streaming = False

    async def another_bot_says(self, channel: str, text: str, thread_ts: str | None = None) -> Sent:
        """A message of another app."""
        room = self.workspace.channels[channel]
        message = Message(
            channel, self.workspace.new_ts(), "U0OTHERBOT", payloads.escape(text), thread_ts, bot_id="B0OTHER"
        )
        message.subtype = "bot_message"
        self.workspace.messages.append(message)
        event = payloads.message_event(message, None, room)
        return await self.office.events([event] if self.office.subscribed(room) else [], room, message)

    async def send_again(self, sent: Sent, copies: int = 1) -> Sent:
        """Deliver an event that was sent before once more: same event_id."""
        again = await self.postman.deliver(EVENTS, sent.payload, copies)
        again.message = sent.message
        return again

    async def uninstall(self) -> Sent:
        """The app is removed: its token stops working and it is told so."""
        self.tokens.bot = "revoked"
        events: list[JSON] = [
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}, "event_ts": self.workspace.new_ts()},
            {"type": "app_uninstalled", "event_ts": self.workspace.new_ts()},
        ]
        return await self.office.events([e for e in events if e["type"] in self.subscriptions], None)

    # Looking

    async def wait_for(self, what: str | Callable[[], Any], timeout: float = 40.0, count: int = 1) -> Any:
        """Wait until a method was called successfully `count` times (returns that call), or until `what()` is true.

        Raises AssertionError with what happened instead.
        """

        def met() -> Any:
            if callable(what):
                return what()
            done = [call for call in self.calls if call.method == what and call.ok]
            return done[count - 1] if len(done) >= count else None

        end = time.monotonic() + timeout
        while not (found := met()):
            left = end - time.monotonic()
            if left <= 0:
                happened = [f"{call.method}{'!' + call.error if call.error else ''}" for call in self.calls]
                name = what if isinstance(what, str) else "what was waited for"
                raise AssertionError(f"{name} did not come within {timeout} s; calls: {happened}; {self.violations}")
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), min(left, 0.05))  # a predicate may look elsewhere too
            except TimeoutError:
                continue
        return found

    async def wait_connected(self, connections: int = 1, timeout: float = 40.0) -> None:
        """Wait until the bot holds so many live Socket Mode connections."""
        await self.wait_for(lambda: len(self.socket_mode.live) >= connections, timeout)

    def calls_of(self, method: str) -> list[Call]:
        """Every call of a method."""
        return [call for call in self.calls if call.method == method]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The root and its replies, ephemeral ones too."""
        return self.workspace.thread(channel, ts)

    def messages(self, channel: str | None = None) -> list[Message]:
        """What the bot posted and what still stands there, ephemeral too, oldest first."""
        return [m for m in self.workspace.messages if m.by_bot and not m.deleted and channel in (None, m.channel)]

    def final_answers(self, channel: str | None = None, thread_ts: str | None = None) -> list[Message]:
        """Finished messages of the bot that carry metadata or feedback buttons: one per answered question, or a test fails."""
        found = [m for m in self.messages(channel) if m.finished and thread_ts in (None, m.thread_ts)]
        return [m for m in found if m.metadata or any(e["type"] == "feedback_buttons" for _, e in m.elements())]

    def status(self, channel: str, thread_ts: str) -> str:
        """The assistant status shown in a thread now; empty: none."""
        return self.assistant.status(channel, thread_ts)

    def home(self, user_id: str) -> View | None:
        """A person's Home tab."""
        return self.workspace.homes.get(user_id)

    # Inside

    def _changed(self) -> None:
        self._news.set()

    def _handlers(self) -> dict[str, Handler]:
        lookups = Lookups(
            self.workspace,
            self.chat.channel,
            lambda scope: scope in self.tokens.scopes and scope not in self.tokens.withheld,
        )
        return {
            "apps.connections.open": lambda _: {"url": self.socket_mode.new_url()},
            "assistant.threads.setStatus": self.assistant.set_status,
            "assistant.threads.setSuggestedPrompts": self.assistant.set_prompts,
            "auth.test": lookups.auth_test,
            "bots.info": lookups.bots_info,
            "chat.appendStream": self.chat.append_stream,
            "chat.delete": self.chat.delete,
            "chat.getPermalink": self.chat.permalink,
            "chat.postEphemeral": self.chat.post_ephemeral,
            "chat.postMessage": self.chat.post_message,
            "chat.startStream": self.chat.start_stream,
            "chat.stopStream": self.chat.stop_stream,
            "chat.update": self.chat.update,
            "conversations.history": lookups.conversations_history,
            "conversations.info": lookups.conversations_info,
            "conversations.members": lookups.conversations_members,
            "conversations.open": lookups.conversations_open,
            "conversations.replies": lookups.conversations_replies,
            "reactions.add": self.assistant.add_reaction,
            "reactions.remove": self.assistant.remove_reaction,
            "usergroups.list": lookups.usergroups_list,
            "usergroups.users.list": lookups.usergroups_users_list,
            "users.info": lookups.users_info,
            "views.open": self.views.open,
            "views.publish": self.views.publish,
            "views.push": self.views.push,
            "views.update": self.views.update,
        }

    def _echo_message(self, change: Change, message: Message, before: JSON | None) -> None:
        """The app hears of its own messages, edits and deletions too."""
        room = self.workspace.channels[message.channel]
        if not self.office.subscribed(room):
            return
        ts = self.workspace.new_ts()
        if change == "posted":
            event = payloads.message_event(message, None, room)
        elif change == "changed":
            event = payloads.message_changed(message, before or {}, room, ts)
        else:
            event = payloads.message_deleted(before or {}, room, ts)
        self.postman.deliver_later(EVENTS, self.office.wrap(event, room))

    def _echo_reaction(self, kind: str, message: Message, name: str) -> None:
        if kind in self.subscriptions:
            event = payloads.reaction(kind, BOT_USER, message, name, self.workspace.new_ts())
            self.postman.deliver_later(EVENTS, self.office.wrap(event, self.workspace.channels[message.channel]))
