"""A chat platform in memory that obeys `bot.platforms`: it keeps every call, and can be told to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.conversation import Health, Reply
from bot.errors import DeliveryFailed
from bot.platforms import Delivery, Remember


@dataclass
class Sent:
    """What reached one `reply_to`."""

    statuses: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    left: int = 0
    """How many deliveries were told that they have nothing to do with it any more."""


class RecordingAdapter:
    """Final messages stay in `posted`, also when the bot dies: they are the platform's."""

    def __init__(self, name: str = "slack") -> None:
        self.name = name
        self.sent: dict[str, Sent] = {}
        self.posted: dict[str, str] = {}  # question id → message
        self.failures = 0
        self.crash_after_posting: Callable[[], None] | None = None
        self.drafts: list[str] = []
        self.changed = asyncio.Event()

    async def start(self) -> None:
        """Always connected."""

    async def stop_intake(self) -> None:
        """Nothing to stop."""

    async def close(self) -> None:
        """Nothing to close."""

    def health(self) -> Health:
        return Health(True)

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> Delivery:
        self.drafts.append(draft)
        return _Delivery(self, question_id, self.sent.setdefault(reply_to, Sent()), remember)

    async def wait_for(self, ready: Callable[[], bool], seconds: float = 40.0) -> None:
        """Until `ready`, looked at whenever something arrived."""
        async with asyncio.timeout(seconds):
            while not ready():
                self.changed.clear()
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.05)
                except TimeoutError:
                    continue

    async def reply(self, reply_to: str) -> Reply:
        """The final message in answer to `reply_to`."""
        await self.wait_for(lambda: bool(self.sent.get(reply_to) and self.sent[reply_to].replies))
        return self.sent[reply_to].replies[-1]


class _Delivery:
    def __init__(self, adapter: RecordingAdapter, question_id: str, sent: Sent, remember: Remember) -> None:
        self._adapter = adapter
        self._question_id = question_id
        self._sent = sent
        self._remember = remember

    async def status(self, text: str) -> None:
        self._sent.statuses.append(text)
        self._adapter.changed.set()

    async def write(self, text: str) -> None:
        if not self._sent.written:
            await self._remember("draft-1")
        self._sent.written.append(text)
        self._adapter.changed.set()

    async def finish(self, reply: Reply) -> str:
        if self._adapter.failures:
            self._adapter.failures -= 1
            raise DeliveryFailed(platform=self._adapter.name, reason="down")
        assert self._question_id not in self._adapter.posted, "answered twice"
        message = f"M{len(self._adapter.posted)}"
        self._adapter.posted[self._question_id] = message
        self._sent.replies.append(reply)
        self._adapter.changed.set()
        if self._adapter.crash_after_posting is not None:
            self._adapter.crash_after_posting()
        return message

    async def find(self) -> str | None:
        return self._adapter.posted.get(self._question_id)

    async def leave(self) -> None:
        self._sent.left += 1
        self._adapter.changed.set()
