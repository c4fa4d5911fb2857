"""Slack under the conformance suite: the loopback Slack and the real adapter."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.adapter import SlackAdapter, SlackTokens, Timing
from bot.conversation import Direction
from bot.platforms import Adapter, Desk
from bot.settings import SlackSettings
from tests.conformance.driver import CAPABILITIES, Asking, Seen
from tests.fakes.slack import Call, Message, Person, Sent, SlackServer

CHANNEL = "C0WIKI"
OUTSIDE = "C0SHARED"
PEOPLE = {"kim": "U0KIM", "lee": "U0LEE", "admin": "U0ADMIN", "guest": "U0GUEST", "helper": "U0HELPER"}
WAIT_SECONDS = 40.0
TIMING = Timing(ping=0.5, stuck=1.0, pace=0.1, post=0.1, connect=10.0, drain=3.0)
_POSTING = ("chat.postMessage", "chat.postEphemeral", "chat.update", "chat.startStream", "chat.appendStream")
_POSTING_TOO = ("chat.stopStream",)
_SIGNS = ("assistant.threads.setStatus", "reactions.add", "chat.postMessage", "chat.postEphemeral", "chat.startStream")
_LINK = re.compile(r"<(https?://[^|>]+)\|")
_MARKDOWN_LINK = re.compile(r"\]\((https?://[^)\s]+)\)")


@dataclass
class Raw:
    """What the driver remembers of an asking. `root`: the thread, empty for an ephemeral answer."""

    channel: str
    root: str
    since: str
    """Messages of the bot count from this ts on."""
    started: float
    sent: Sent = field(compare=False)


class SlackDriver:
    """See tests.conformance.driver.Driver."""

    name = "slack"
    capabilities = frozenset(CAPABILITIES)

    def __init__(self) -> None:
        self.slack = SlackServer()
        self._adapters: list[SlackAdapter] = []
        self._people: dict[str, Person] = {}
        self._stack = contextlib.AsyncExitStack()

    async def open(self) -> None:
        await self._stack.enter_async_context(self.slack)
        insiders = [PEOPLE[name] for name in ("kim", "lee", "admin", "helper")]
        self.slack.channel(CHANNEL, members=insiders)
        self.slack.channel(OUTSIDE, members=[*insiders, PEOPLE["guest"]], ext_shared=True)
        for name, user in PEOPLE.items():
            self._people[name] = self.slack.user(
                user, name, f"{name}@example.com", is_stranger=name == "guest", is_admin=name == "admin"
            )

    def adapter(self, desk: Desk) -> Adapter:
        made = SlackAdapter(
            SlackSettings(enabled=True, api_base_url=self.slack.api_base_url),
            SlackTokens(self.slack.bot_token, self.slack.app_token, self.slack.signing_secret),
            desk,
            language="ko",
            timing=TIMING,
        )
        self._adapters.append(made)
        return made

    async def close(self) -> None:
        for adapter in self._adapters:
            await adapter.close()
        await self._stack.aclose()

    def person_id(self, person: str) -> str:
        return PEOPLE[person]

    def contact(self, person: str) -> str:
        return PEOPLE[person]

    def channel_id(self) -> str:
        return CHANNEL

    async def mention(self, text: str, *, person: str = "kim", outside: bool = False) -> Asking:
        channel, started = OUTSIDE if outside else CHANNEL, time.monotonic()
        sent = await self._people[person].mention(channel, text)
        return Asking(text, person, False, Raw(channel, sent.ts, sent.ts, started, sent))

    async def direct(self, text: str, *, person: str = "kim") -> Asking:
        started = time.monotonic()
        sent = await self._people[person].direct(text)
        return Asking(text, person, True, Raw(self._people[person].im, sent.ts, sent.ts, started, sent))

    async def command(self, text: str, *, person: str = "kim", private: bool = True) -> Asking:
        since, started = self.slack.workspace.new_ts(), time.monotonic()
        sent = await self._people[person].slash("/wiki", text, CHANNEL)
        return Asking(text, person, True, Raw(CHANNEL, "", since, started, sent))

    async def menu(self, text: str, *, person: str = "kim") -> Asking:
        written = await self._people["lee"].say(CHANNEL, text)
        since, started = self.slack.workspace.new_ts(), time.monotonic()
        sent = await self._people[person].shortcut("ask_from_message", written)
        return Asking(text, person, True, Raw(CHANNEL, "", since, started, sent))

    async def follow_up(self, asking: Asking, text: str, *, person: str = "kim") -> Asking:
        raw: Raw = asking.raw
        started = time.monotonic()
        who = self._people[person]
        if raw.channel == who.im:
            sent = await who.direct(text, raw.root)
        else:
            sent = await who.mention(raw.channel, text, raw.root)
        return Asking(text, person, asking.private, Raw(raw.channel, raw.root, sent.ts, started, sent))

    async def deliver_again(self, asking: Asking) -> None:
        raw: Raw = asking.raw
        await self.slack.postman.deliver(raw.sent.kind, raw.sent.payload)
        await self._idle()

    async def answers(self, asking: Asking, *, count: int = 1) -> list[Seen]:
        await self.slack.wait_for(lambda: len(list(self._finals(asking))) >= count, timeout=WAIT_SECONDS)
        await self._idle()
        return [self._seen(message) for message in self._finals(asking)]

    async def signs(self, asking: Asking) -> list[float]:
        raw: Raw = asking.raw
        acked = min(ack.seconds for ack in raw.sent.acks)

        def first() -> list[float]:
            return [
                call.time
                for call in self.slack.calls
                if call.ok and call.time >= raw.started and self._is_sign(call, raw)
            ]

        await self.slack.wait_for(first, timeout=WAIT_SECONDS)
        return [first()[0] - raw.started, acked]

    async def press_thumb(self, seen: Seen, direction: Direction, *, person: str = "kim") -> None:
        await self._people[person].press(seen.raw, "answer_feedback", direction)
        await self._idle()

    async def react(self, seen: Seen, direction: Direction, *, person: str = "kim", skin_tone: bool = False) -> None:
        await self._people[person].react(seen.raw, _thumb(direction, skin_tone))
        await self._idle()

    async def unreact(self, seen: Seen, direction: Direction, *, person: str = "kim", skin_tone: bool = False) -> None:
        await self._people[person].unreact(seen.raw, _thumb(direction, skin_tone))
        await self._idle()

    async def explain(self, seen: Seen, *, reason: str, correction: str, person: str = "kim") -> None:
        await self._submit(person, {"why_text": reason, "why_correction": correction})

    async def escalate(self, seen: Seen, *, person: str = "kim") -> Seen:
        before = list(self._calls_for_help())
        await self._people[person].press(seen.raw, _button(seen.raw, "answer_escalate"))
        await self.slack.wait_for(lambda: len(list(self._calls_for_help())) > len(before), timeout=WAIT_SECONDS)
        await self._idle()
        return self._seen(next(message for message in self._calls_for_help() if message not in before))

    async def resolve(self, call: Seen, *, answer: str, consent: bool, person: str = "helper") -> None:
        await self._people[person].press(call.raw, "escalation_resolve")
        values: dict[str, Any] = {"resolve_answer": answer}
        await self._submit(person, values | ({"resolve_consent": ["yes"]} if consent else {}))

    async def share(self, seen: Seen, *, person: str = "kim") -> Seen | None:
        if not seen.can_share:
            return None
        before = list(self._shared())
        await self._people[person].press(seen.raw, "answer_share")
        await self._idle()
        return next((self._seen(message) for message in self._shared() if message not in before), None)

    async def edit_and_delete(self, asking: Asking) -> None:
        who = self._people[asking.person]
        edited = await who.edit(asking.raw.sent, asking.text + " (고침)")
        deleted = await who.delete(asking.raw.sent)
        assert edited.acked
        assert deleted.acked
        await self._idle()

    def break_posting(self, times: int) -> None:
        for method in (*_POSTING, *_POSTING_TOO):
            self.slack.fault(method, status=503, times=times)

    async def drop_connection(self) -> None:
        count = len(self.slack.socket_mode.live)
        for connection in self.slack.socket_mode.live:
            connection.reset()
        await self.slack.wait_for(lambda: len(self.slack.socket_mode.live) < count, timeout=WAIT_SECONDS)
        await self.slack.wait_connected(count, timeout=WAIT_SECONDS)

    async def kill(self, adapter: Adapter) -> None:
        assert isinstance(adapter, SlackAdapter)
        self._adapters.remove(adapter)
        if adapter._tools is not None:
            adapter._tools.clients.shut()  # whatever still runs of it is heard no more
        adapter._intake.shut()
        await adapter._tasks.cancel()
        for connection in self.slack.socket_mode.live:
            connection.reset()
        await self.slack.wait_for(lambda: not self.slack.socket_mode.live, timeout=WAIT_SECONDS)
        await adapter.close()

    def violations(self) -> list[str]:
        return [f"{found.where}: {found.code} {found.detail}" for found in self.slack.violations]

    # Inside

    async def _idle(self) -> None:
        """Every listener that was under way has ended."""
        for adapter in self._adapters:
            assert await adapter.drained(WAIT_SECONDS)

    async def _submit(self, person: str, values: dict[str, Any]) -> None:
        who = self._people[person]
        await self.slack.wait_for(lambda: who.modal, timeout=WAIT_SECONDS)
        assert who.modal is not None
        await who.submit(who.modal, values)
        await self._idle()

    def _finals(self, asking: Asking) -> Iterator[Message]:
        raw: Raw = asking.raw
        for message in self.slack.messages():
            if message.ts <= raw.since or not message.finished:
                continue
            if raw.root:
                if (message.channel, message.thread_ts) == (raw.channel, raw.root) and _kind(message) == "saseo_answer":
                    yield message
            elif (message.channel, message.ephemeral_to) == (raw.channel, PEOPLE[asking.person]) and _is_answer(
                message
            ):
                yield message

    def _calls_for_help(self) -> Iterator[Message]:
        return (message for message in self.slack.messages() if _button(message, "escalation_resolve"))

    def _shared(self) -> Iterator[Message]:
        return (message for message in self.slack.messages() if _kind(message) == "saseo_share")

    def _is_sign(self, call: Call, raw: Raw) -> bool:
        if call.method == "response_url":
            return not raw.root
        if call.method not in _SIGNS or call.args.get("channel", call.args.get("channel_id")) != raw.channel:
            return False
        return bool(call.args.get("thread_ts", raw.root) == raw.root or call.args.get("timestamp") == raw.since)

    def _seen(self, message: Message) -> Seen:
        text = message.body
        if message.streamed and any(block["type"] == "markdown" for block in message.blocks):
            text = text.removeprefix(message.text)  # rewritten after it streamed: people see the blocks
        pinged = {ping.target for ping in self.slack.pings if (ping.channel, ping.ts) == (message.channel, message.ts)}
        return Seen(
            text=text,
            private=message.ephemeral_to is not None or message.channel.startswith("D"),
            can_vote=bool(_button(message, "answer_feedback")),
            can_escalate=bool(_button(message, "answer_escalate")),
            can_share=bool(_button(message, "answer_share")),
            pings=frozenset(_target(ping) for ping in pinged),
            links=frozenset(_LINK.findall(text) + _MARKDOWN_LINK.findall(text)),
            raw=message,
        )


def _thumb(direction: Direction, skin_tone: bool) -> str:
    return ("+1" if direction == "up" else "-1") + ("::skin-tone-4" if skin_tone else "")


def _is_answer(message: Message) -> bool:
    """An ephemeral answer; words in passing hold no Markdown."""
    return any(block["type"] == "markdown" for block in message.blocks)


def _kind(message: Message) -> str:
    return str((message.metadata or {}).get("event_type", ""))


def _button(message: Message, action_id: str) -> str:
    """The full action_id of the first element whose id begins so; empty: there is none."""
    return next((e["action_id"] for _, e in message.elements() if e["action_id"].startswith(action_id)), "")


def _target(ping: str) -> str:
    """`@U1` → `U1`, `!subteam^S1` → `S1`, `!channel` → `everyone`."""
    return ping.removeprefix("@") if ping.startswith("@") else ping.partition("^")[2] or "everyone"


def make() -> SlackDriver:
    """For the suite."""
    return SlackDriver()
