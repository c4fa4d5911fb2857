"""One answer on its way into Slack: status, stream, and exactly one final message.

Whatever goes wrong on the way, `finish` tries the next thing that leaves one complete message and nothing that still
streams: stop the stream, else rewrite its message, else delete it and post, else write to the asker directly.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.slack import log, privately, render, replies, web
from adapters.slack.begun import Begun
from adapters.slack.budget import MinuteBudget, Pace
from adapters.slack.stream import Stream, StreamEnd
from adapters.slack.target import Target, split_ref
from adapters.slack.tasks import Tasks
from adapters.slack.waiting import REFRESH_SECONDS, Waiting
from adapters.text import SafeStream, mrkdwn
from bot.conversation import Reply
from bot.errors import DeliveryFailed
from bot.platforms import Remember

_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.5
_LOOK_SECONDS = 20.0
_NO_THREAD = frozenset({"thread_not_found", "invalid_thread_ts", "cannot_reply_to_message", "message_not_found"})
_NO_CHANNEL = frozenset(
    {"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "user_not_in_channel", "no_permission"}
)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What all deliveries of one adapter share. Seconds: `refresh` of the status, `pace` between appends."""

    clients: web.Clients
    workspace: web.Workspace
    tasks: Tasks
    starts: MinuteBudget
    appends: MinuteBudget
    posts: Pace
    begun: Begun = field(default_factory=Begun)
    streaming: bool = True
    refresh: float = REFRESH_SECONDS
    pace: float = 1.0


class SlackDelivery:
    """See bot.platforms.Delivery. A private message in a channel is ephemeral: `find` can never see it and answers None."""

    def __init__(self, question_id: str, target: Target, draft: str, remember: Remember, tools: Tools) -> None:
        self._question_id = question_id
        self._target = target
        self._draft = split_ref(draft)[1]
        self._remember = remember
        self._tools = tools
        self._waiting = Waiting(
            tools.clients,
            target,
            question_id=question_id,
            noted=self._note_draft,
            tasks=tools.tasks,
            refresh=tools.refresh,
        )
        self._safe = SafeStream("slack", {})
        self._stream: Stream | None = None
        self._written = ""
        self._cut = False
        self._left = False
        self._unsure = False
        """A finished message may stand there although nobody told us."""

    async def status(self, text: str) -> None:
        """Returns at once; the newest text is shown."""
        self._waiting.show(text)

    async def write(self, text: str) -> None:
        """Returns at once; the stream's own task sends it."""
        if self._left or self._waiting.note:
            return
        if self._target.ephemeral or not self._target.thread or not self._tools.streaming:
            return
        self._written += text
        if len(self._written) > render.ANSWER_CHARACTERS:
            self._cut = True  # the final form is cut there, says so, and replaces what was streamed
            return
        if self._stream is None:
            self._stream = Stream(
                self._tools.clients.courtesies,
                self._target,
                starts=self._tools.starts,
                appends=self._tools.appends,
                begun=self._tools.begun,
                started=self._stream_started,
                tasks=self._tools.tasks,
                question_id=self._question_id,
                pace=self._tools.pace,
            )
        self._stream.feed(self._safe.feed(text))

    async def finish(self, reply: Reply) -> str:
        """The one final message. Raises DeliveryFailed; called again then, it looks first whether one got through."""
        await self._waiting.stop()
        if self._unsure and (finished := await self._already()):
            await self._waiting.clear(replied=True)
            return self._ref(finished)
        end = await self._stream.end() if self._stream is not None else StreamEnd()
        if self._target.ephemeral or (reply.private and not self._target.direct):
            replaces = self._waiting.responded and self._target.command
            ref = await privately.post(self._tools.clients, self._target, reply, replaces=replaces)
            replied = True
        else:
            before = end.ts or self._waiting.note or self._draft
            # In a channel what concerns the asker alone is told to them alone.
            ref = await self._in_the_open(reply if self._target.direct else replace(reply, notice=""), end)
            replied = split_ref(ref)[1] != before
            if reply.notice and not self._target.direct:
                self._tools.tasks.spawn(self._tell_asker(reply.notice), "notice")
        await self._waiting.clear(replied=replied)
        log.event(_logger, logging.INFO, "slack_delivered", question=self._question_id, streamed=bool(end.ts))
        return ref

    async def _tell_asker(self, notice: str) -> None:
        """For their eyes alone, in the thread."""
        target = self._target
        try:
            await self._tools.clients.courtesies.chat_postEphemeral(
                channel=target.channel, user=target.user, text=mrkdwn(notice), thread_ts=target.thread or None
            )
        except web.REFUSALS as error:
            self._log("slack_notice_refused", error)

    async def find(self) -> str | None:
        """After a crash: our finished message in the thread, else None once every half-written one is gone."""
        if self._target.ephemeral:
            return None
        finished, drafts, seen = await self._look()
        self._unsure = not seen
        if self._draft and self._draft != finished:
            drafts.add(self._draft)
        for ts in drafts:
            await self._remove(ts)
        self._draft = ""
        await self._waiting.wipe()
        return self._ref(finished) if finished else None

    async def leave(self) -> None:
        """Nothing is sent from now on. A stream or note that nobody finished stays for the `find` of whoever goes on."""
        self._left = True
        self._waiting.hush()
        if self._stream is not None:
            self._stream.hush()

    async def _in_the_open(self, reply: Reply, end: StreamEnd) -> str:
        rendered = render.reply(reply)
        leftover = {ts for ts in (end.ts, self._waiting.note, self._draft) if ts}
        shown = end.state == "open" and not self._cut and _same(self._written, reply.answer.text)
        if shown and await self._stop(end.ts, text=end.rest + self._safe.close(), rendered=rendered):
            await self._remove_all(leftover - {end.ts})
            return self._ref(end.ts)
        chosen = end.ts or self._waiting.note or self._draft
        if chosen:
            if chosen != self._waiting.note:
                await self._stop(chosen)
            if await self._rewrite(chosen, rendered):
                await self._remove_all(leftover - {chosen})
                return self._ref(chosen)
        if end.uncertain or self._waiting.uncertain:
            leftover |= (await self._look())[1]
        await self._remove_all(leftover)
        return await self._post(rendered)

    async def _stop(self, ts: str, *, text: str = "", rendered: render.Rendered | None = None) -> bool:
        """chat.stopStream, with the end of the text and the final blocks or bare. False: refused."""
        final: dict[str, Any] = {}
        if rendered is not None:
            final = {
                "blocks": list(rendered.foot) or None,
                "metadata": rendered.metadata,
                "markdown_text": text or None,
            }
        try:
            await self._tools.clients.promises.chat_stopStream(channel=self._target.channel, ts=ts, **final)
        except web.REFUSALS as error:
            self._log("slack_stop_refused", error)
            return False
        return True

    async def _rewrite(self, ts: str, rendered: render.Rendered) -> bool:
        """chat.update, which may be repeated safely. False: refused."""
        for attempt in range(_ATTEMPTS):
            try:
                await self._tools.clients.promises.chat_update(
                    channel=self._target.channel,
                    ts=ts,
                    text=rendered.text,
                    blocks=rendered.blocks,
                    metadata=rendered.metadata,
                )
            except web.REFUSALS as error:
                self._log("slack_update_refused", error)
                if web.code(error) == "streaming_state_conflict" and attempt == 0:
                    await self._stop(ts)
                elif not web.may_have_happened(error):
                    return False
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * attempt)
            else:
                return True
        return False

    async def _post(self, rendered: render.Rendered) -> str:
        """chat.postMessage. After a failure whose effect is unknown it looks first whether the message stands there."""
        channel, thread = self._target.channel, self._target.thread
        message: dict[str, Any] = {"text": rendered.text, "blocks": rendered.blocks, "metadata": rendered.metadata}
        reason = ""
        for attempt in range(_ATTEMPTS):
            await self._tools.posts.turn(channel)
            self._unsure = True  # until Slack answers: the caller's deadline may end this call
            try:
                response = await self._tools.clients.promises.chat_postMessage(
                    channel=channel,
                    thread_ts=thread or None,
                    unfurl_links=False,
                    unfurl_media=False,
                    **message,
                )
            except web.REFUSALS as error:
                self._log("slack_post_refused", error)
                reason = web.code(error)
                self._unsure = web.may_have_happened(error)
                if self._unsure or reason == "ratelimited":
                    await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
                    if self._unsure and (finished := await self._already()):
                        return self._ref(finished)
                elif reason in web.BAD_BLOCKS and "blocks" in message:
                    del message["blocks"]
                elif reason in _NO_THREAD and thread:
                    thread = ""
                elif reason in _NO_CHANNEL and channel != self._target.user:
                    # Nobody else would see it there; the asker may read it anywhere.
                    channel, thread = self._target.user, ""
                else:
                    break
            else:
                self._unsure = False
                return f"{response['channel']}:{response['ts']}"
        raise DeliveryFailed(platform="Slack", reason=reason)

    async def _already(self) -> str:
        """ts of our finished message, or empty. Raises DeliveryFailed when it cannot be seen just now: a post could double it."""
        finished, _, seen = await self._look()
        if not seen:
            raise DeliveryFailed(platform="Slack", reason="unreachable")
        self._unsure = False
        return finished

    async def _look(self) -> tuple[str, set[str], bool]:
        """ts of our finished message in the thread (or empty), those of our half-written ones after the question, and whether
        they could be seen."""
        target = self._target
        messages = await self._posted()
        if messages is None:
            return "", set(), False
        ours = [message for message in messages if replies.by_us(message, self._tools.workspace)]
        finished = next((str(m["ts"]) for m in ours if replies.is_answer(m, self._question_id)), "")
        since = target.asked or target.thread
        in_thread = bool(target.thread)
        drafts = {
            str(m["ts"])
            for m in ours
            if replies.later(m, since) and replies.is_draft(m, self._question_id, in_thread=in_thread)
        }
        return finished, drafts, True

    async def _posted(self) -> list[dict[str, Any]] | None:
        """The thread, or what was said lately where the answer hangs in none. Empty where we may never look, None when Slack
        stumbles."""
        target, client = self._target, self._tools.clients.promises
        for attempt in range(_ATTEMPTS):
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    if target.thread:
                        since = target.asked or target.thread
                        return await replies.thread(client, target.channel, target.thread, since=since, metadata=True)
                    return await replies.recent(client, target.channel)
            except web.REFUSALS as error:
                self._log("slack_look_refused", error)
                if not web.may_have_happened(error):
                    return None if web.code(error) == "ratelimited" else []
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * attempt)
        return None

    async def _remove_all(self, drafts: set[str]) -> None:
        for ts in drafts:
            await self._remove(ts)

    async def _remove(self, ts: str) -> None:
        """Stop it if it streams, then delete it; never what another question of this process shows."""
        if await self._tools.begun.by_another(self._ref(ts), self._question_id):
            return
        await self._stop(ts)
        try:
            await self._tools.clients.promises.chat_delete(channel=self._target.channel, ts=ts)
        except web.REFUSALS as error:
            if web.code(error) != "message_not_found":
                self._log("slack_delete_refused", error)

    async def _stream_started(self, ts: str) -> None:
        self._waiting.hush()
        await self._note_draft(ts)

    async def _note_draft(self, ts: str) -> None:
        try:
            await self._remember(self._ref(ts))
        except Exception as error:  # noqa: BLE001 - the store's trouble must not lose the answer; `find` looks in the thread
            self._log("slack_draft_not_remembered", error)

    def _ref(self, ts: str) -> str:
        return f"{self._target.channel}:{ts}"

    def _log(self, name: str, error: BaseException) -> None:
        log.event(_logger, logging.WARNING, name, question=self._question_id, error=web.code(error))


def _same(written: str, final: str) -> bool:
    """Whether the stream showed the final text. Its line breaks and spaces may differ at the ends of sentences."""
    return written.split() == final.split()
