"""How a payload reaches the bot: attempts, acknowledgements, and Slack's redelivery of events.

Facts: an envelope (or POST) must be acknowledged within 3 s; an Events API payload is then sent up to three times more with
`retry_attempt`/`retry_reason`. Slash commands and interactions are not sent again by Slack: the person sees an error instead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from tests.fakes.slack.records import JSON, Ack
from tests.fakes.slack.state import Message

EVENTS = "events_api"
COMMANDS = "slash_commands"
INTERACTIONS = "interactive"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of one payload. `number` counts from 0; from 1 on it is a redelivery for `reason`."""

    kind: str
    payload: JSON
    number: int = 0
    reason: str = ""

    @property
    def name(self) -> str:
        """What it is, for records."""
        event = self.payload.get("event")
        return str(event["type"] if event else self.payload.get("command") or self.payload["type"])


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt was not acknowledged."""

    reason: str
    final: bool = False
    """The bot asked for no retry."""


class Transport(Protocol):
    """Socket Mode or HTTP."""

    async def send(self, attempt: Attempt, seconds: float) -> Ack | Failure:
        """Send once and wait for the acknowledgement."""

    async def ready(self, seconds: float) -> None:
        """Wait until the bot can be reached, at most so long."""


@dataclass(slots=True)
class Sent:
    """What became of something a person did."""

    kind: str
    payload: JSON
    acks: list[Ack] = field(default_factory=list)
    attempts: int = 0
    message: Message | None = None
    """What the person wrote."""
    also: list[Sent] = field(default_factory=list)
    """Other events about the same thing: `message.channels` beside `app_mention`."""

    @property
    def acked(self) -> bool:
        """Acknowledged in time, at some attempt, with every other event about it. Also when nothing was owed to the bot."""
        return (self.attempts == 0 or any(not ack.late for ack in self.acks)) and all(sent.acked for sent in self.also)

    @property
    def response(self) -> JSON | None:
        """What the acknowledgement carried: `{"response_action": "errors", …}`, `{"text": …}`."""
        return next((ack.payload for ack in self.acks if ack.payload), None)

    @property
    def ts(self) -> str:
        """Of the person's message."""
        assert self.message is not None, "this action writes no message"
        return self.message.ts

    @property
    def channel(self) -> str:
        """Of the person's message."""
        assert self.message is not None, "this action writes no message"
        return self.message.channel

    @property
    def thread_ts(self) -> str:
        """The thread that an answer belongs to."""
        assert self.message is not None, "this action writes no message"
        return self.message.thread_ts or self.message.ts

    @property
    def event_id(self) -> str:
        """Of the Events API payload."""
        return str(self.payload["event_id"])


class Postman:
    """Delivers payloads over the transport that is set."""

    def __init__(self, transport: Transport, retry_delays: tuple[float, ...]) -> None:
        self.transport = transport
        self.retry_delays = retry_delays
        self.ack_seconds = 3.0
        self.retry_interactions = False
        self.patience = 0.0
        """Seconds that a redelivery waits for the bot to be reachable. Slack's own retries span minutes; this spans a restart
        of the bot without waiting for minutes."""
        self._tasks: set[asyncio.Task[Sent]] = set()

    async def deliver(self, kind: str, payload: JSON, copies: int = 1) -> Sent:
        """Send until acknowledged or given up. `copies`: the same payload so many times at once (a duplicate delivery)."""
        sent = Sent(kind, payload)
        # Copies start one after the other within this turn of the loop, so that they go to different connections.
        results = await asyncio.gather(*(self._deliver_one(sent) for _ in range(copies)))
        for ack in results:
            if ack is not None:
                sent.acks.append(ack)
        return sent

    async def _deliver_one(self, sent: Sent) -> Ack | None:
        delays = self.retry_delays if sent.kind == EVENTS or self.retry_interactions else ()
        reason = ""
        for number, delay in enumerate((0.0, *delays)):
            if delay:
                await asyncio.sleep(delay)
                await self.transport.ready(self.patience)
            sent.attempts += 1
            attempt = Attempt(sent.kind, sent.payload, number, reason)
            outcome = await self.transport.send(attempt, self.ack_seconds)
            if isinstance(outcome, Ack):
                return outcome
            if outcome.final:
                return None
            reason = outcome.reason
        return None

    def deliver_later(self, kind: str, payload: JSON) -> None:
        """In the background: what happens without a person waiting for it, such as the bot's own messages coming back."""
        task = asyncio.create_task(self.deliver(kind, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Forget what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
