"""What the asker sees until the answer comes: a status line, else eyes on their message, else a note that becomes the answer.

assistant.threads.setStatus is cleared by Slack after two minutes and on a reply (docs.slack.dev), so it is sent again while
the wait lasts. It is refused in some kinds of channel and without its scope; then the next way is tried at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from adapters.slack import log, render, web
from adapters.slack.replies import DRAFT_EVENT
from adapters.slack.respond import respond
from adapters.slack.target import Target
from adapters.slack.tasks import Tasks

REFRESH_SECONDS = 90.0
_FIRST_SECONDS = 0.7
"""The first sign must stand within a second: a way that takes longer is given up for the next one."""
_CALL_SECONDS = 3.0
_PAUSE_SECONDS = 1.0
_LONGEST_SECONDS = 1800.0
_PRIVATE_SECONDS = 8.0
"""After so long a private wait says once more how it stands (the place in the queue). Once: a `response_url` has five uses."""
_logger = logging.getLogger(__name__)
Way = Literal["status", "eyes", "note", "private", "none"]


class Waiting:
    """`show` returns at once; one task talks to Slack and shows the newest text."""

    def __init__(
        self,
        clients: web.Clients,
        target: Target,
        *,
        question_id: str,
        noted: Callable[[str], Awaitable[None]],
        tasks: Tasks,
        refresh: float = REFRESH_SECONDS,
    ) -> None:
        """`noted` is told the ts of a note. `refresh`: seconds between two sendings of the same status."""
        self._clients = clients
        self._target = target
        self._question_id = question_id
        self._noted = noted
        self._tasks = tasks
        self._refresh = refresh
        self._way: Way = "private" if target.ephemeral else "status" if target.thread else "note"
        self._text = ""
        self._private_texts: list[str] = []
        """What was said in private."""
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.note = ""
        """ts of the interim message, if there is one: the answer goes into it."""
        self.uncertain = False
        """A note may stand there whose ts we never learned."""
        self.responded = False
        """A private interim message went out through the `response_url`."""

    def show(self, text: str) -> None:
        """`text` is ours or the core's, never a page's."""
        self._text = text
        self._changed.set()
        if self._task is None and not self._stopping.is_set():
            self._task = self._tasks.spawn(self._run(), f"slack-waiting-{self._question_id}")

    def hush(self) -> None:
        """Send nothing more; the call under way is left alone."""
        self._stopping.set()
        self._changed.set()

    async def stop(self) -> None:
        """Send nothing more, and wait for the call under way (seconds at most)."""
        self.hush()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def clear(self, *, replied: bool) -> None:
        """Take away what still shows. `replied`: a new message stands in the thread, which clears the status by itself."""
        if self._task is None:
            return
        with contextlib.suppress(*web.REFUSALS):
            async with asyncio.timeout(_CALL_SECONDS):
                if self._way == "status" and not replied:
                    await self._status("")
                elif self._way == "eyes":
                    await self._no_eyes()

    async def wipe(self) -> None:
        """Take away what a process that died may have left: its status and its eyes."""
        if self._target.ephemeral or not self._target.thread:
            return
        for taking_away in (self._status(""), self._no_eyes()):
            with contextlib.suppress(*web.REFUSALS):
                await asyncio.wait_for(taking_away, _CALL_SECONDS)

    async def _run(self) -> None:
        first = True
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST_SECONDS
        while not self._stopping.is_set() and loop.time() < until:
            self._changed.clear()
            await self._send(self._text, first)
            first = False
            await self._nap()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_PAUSE_SECONDS, self._refresh)):
                    await self._stopping.wait()

    async def _nap(self) -> None:
        """Until there is something new to say, or the old fades."""
        private = self._way == "private"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(self._refresh, _PRIVATE_SECONDS) if private else self._refresh):
                await (self._stopping if private else self._changed).wait()

    async def _send(self, text: str, first: bool) -> None:
        """By the way that works; the first time, and when a way is refused for good, the next ones are tried."""
        while self._way != "none" and not self._stopping.is_set():
            try:
                async with asyncio.timeout(_FIRST_SECONDS if first else _CALL_SECONDS):
                    await self._by_way(text, first)
                return
            except web.REFUSALS as error:
                reason = web.code(error)
                log.event(
                    _logger,
                    logging.INFO,
                    "slack_status_refused",
                    question=self._question_id,
                    way=self._way,
                    error=reason,
                )
                if self._way == "note" and not self.note:
                    self.uncertain = web.may_have_happened(error)
                if not first and (self._way != "status" or reason == "ratelimited" or web.may_have_happened(error)):
                    return  # it showed once; a refresh that is refused for now is no reason for a second sign
                self._way = self._next()

    def _next(self) -> Way:
        if self._way == "status" and self._target.asked:
            return "eyes"
        return "note" if self._way in ("status", "eyes") else "none"

    async def _by_way(self, text: str, first: bool) -> None:
        if self._way == "status":
            await self._status(text)
        elif self._way == "private":
            if first or (len(self._private_texts) == 1 and text not in self._private_texts):
                self._private_texts.append(text)
                await self._private(text)
        elif self._way == "eyes":
            if first:
                await self._eyes()
        elif self._way == "note":
            await self._note(text)

    async def _status(self, text: str) -> None:
        await self._clients.courtesies.assistant_threads_setStatus(
            channel_id=self._target.channel,
            thread_ts=self._target.thread,
            status=text,
            loading_messages=[text] if text else None,
        )

    async def _eyes(self) -> None:
        await self._clients.courtesies.reactions_add(
            channel=self._target.channel, timestamp=self._target.asked, name="eyes"
        )

    async def _no_eyes(self) -> None:
        if self._target.asked:
            await self._clients.courtesies.reactions_remove(
                channel=self._target.channel, timestamp=self._target.asked, name="eyes"
            )

    async def _private(self, text: str) -> None:
        if self._target.can_respond():
            replace = self.responded and self._target.command
            await respond(self._clients, self._target.response_url, text=text, replace=replace)
            self.responded = True
            return
        await self._clients.courtesies.chat_postEphemeral(
            channel=self._target.channel,
            user=self._target.user,
            text=text,
            thread_ts=self._target.thread or None,
        )

    async def _note(self, text: str) -> None:
        shown: dict[str, Any] = {
            "channel": self._target.channel,
            "text": text,
            "blocks": [render.context(text)],
            "metadata": {"event_type": DRAFT_EVENT, "event_payload": {"question_id": self._question_id}},
        }
        if self.note:
            await self._clients.courtesies.chat_update(ts=self.note, **shown)
            return
        response = await self._clients.courtesies.chat_postMessage(
            thread_ts=self._target.thread or None, unfurl_links=False, unfurl_media=False, **shown
        )
        self.note = str(response["ts"])
        await self._noted(self.note)
