"""One streamed message: the core feeds checked text, a single task starts and appends.

slack_sdk's own `AsyncChatStream` loses text under concurrent appends (20 of them made 22 streams or a tenth of the text),
so exactly one task talks to Slack here, at most once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import log, web
from adapters.slack.begun import Begun
from adapters.slack.budget import MinuteBudget
from adapters.slack.target import Target
from adapters.slack.tasks import Tasks

State = Literal["unused", "open", "broken"]
_CALL_SECONDS = 10.0
_IDLE_SECONDS = 900.0
"""Nobody feeds for so long: whoever owned this answer is gone."""
_PIECE_CHARACTERS = 4000
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How far it came. `uncertain`: a message may stand there whose ts we never learned."""

    state: State = "unused"
    ts: str = ""
    rest: str = ""
    """Fed, but not sent yet."""
    uncertain: bool = False


class Stream:
    """chat.startStream with the first piece, then chat.appendStream. Whoever calls `end` stops the message."""

    def __init__(
        self,
        client: AsyncWebClient,
        target: Target,
        *,
        starts: MinuteBudget,
        appends: MinuteBudget,
        begun: Begun,
        started: Callable[[str], Awaitable[None]],
        tasks: Tasks,
        question_id: str,
        pace: float = 1.0,
    ) -> None:
        """`client` must not wait out rate limits. `started` is told the ts. `pace`: seconds between two appends."""
        self._client = client
        self._target = target
        self._starts = starts
        self._appends = appends
        self._begun = begun
        self._started = started
        self._pace = pace
        self._question_id = question_id
        self._pending = ""
        self._state: State = "unused"
        self._ts = ""
        self._uncertain = False
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = tasks.spawn(self._run(), f"slack-stream-{question_id}")

    def feed(self, text: str) -> None:
        """More text, safe to show."""
        if text:
            self._pending += text
            self._wake.set()

    def hush(self) -> None:
        """Send nothing more; the call under way is left alone."""
        self._closing.set()
        self._wake.set()

    async def end(self) -> StreamEnd:
        """Send nothing more; waits for the call that is under way."""
        self.hush()
        await asyncio.wait([self._task])
        return StreamEnd(self._state, self._ts, self._pending, self._uncertain)

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()
            if self._closing.is_set() or (self._pending and not await self._send()):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace):
                    await self._closing.wait()

    async def _send(self) -> bool:
        """One call. False: this stream takes no more."""
        piece = self._pending[:_PIECE_CHARACTERS]
        first = not self._ts
        if first and not self._starts.try_take():
            log.event(_logger, logging.INFO, "slack_stream_budget_spent", question=self._question_id)
            return False
        if not first and not self._appends.try_take():
            self._wake.set()  # try again after the pause
            return True
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                await (self._start(piece) if first else self._append(piece))
        except web.REFUSALS as error:
            self._state = "broken"
            self._uncertain = first and web.may_have_happened(error)
            log.event(_logger, logging.WARNING, "slack_stream_broke", question=self._question_id, error=web.code(error))
            return False
        self._pending = self._pending[len(piece) :]
        if first:
            await self._started(self._ts)
        if self._pending:
            self._wake.set()
        return True

    async def _start(self, piece: str) -> None:
        with self._begun.starting():
            response = await self._client.chat_startStream(
                channel=self._target.channel,
                thread_ts=self._target.thread,
                markdown_text=piece,
                recipient_team_id=self._target.team or None,
                recipient_user_id=self._target.user or None,
            )
            self._ts = str(response["ts"])
            self._begun.add(f"{self._target.channel}:{self._ts}", self._question_id)
        self._state = "open"

    async def _append(self, piece: str) -> None:
        await self._client.chat_appendStream(channel=self._target.channel, ts=self._ts, markdown_text=piece)
