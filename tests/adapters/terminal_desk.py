"""A desk that answers every question with the same events, through the delivery, as the real one does."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.chat import chat
from adapters.terminal.screen import Screen
from bot import texts
from bot.conversation import Asked, Person, Receipt, Reply, Vote, VoteReceipt
from bot.messages import Answer, Citation, Event, Finished, Language, Outcome, Progressed, Seconds, Tokens, Wrote
from bot.platforms import Delivery

CITED = Citation(n=1, page="hr/leave.md", title="연차 규정", url=None, quote="연차는 15일입니다.", heading="부여")


def answer(
    text: str, *, outcome: Outcome = Outcome.ANSWERED, nearest: tuple[Citation, ...] = (), cited: Citation = CITED
) -> Answer:
    return Answer(
        outcome=outcome,
        text=text,
        citations=(cited,) if outcome is Outcome.ANSWERED else (),
        model="extractive",
        lora="none",
        edition="e",
        prompt="p",
        tokens=Tokens(),
        seconds=Seconds(0.0, None, 0.0),
        nearest=nearest,
    )


TWO_SENTENCES: tuple[Event, ...] = (
    Progressed("searching"),
    Progressed("reading", 2),
    Wrote("연차는 15일입니다. [1]"),
    Wrote(" 이월할 수 없습니다. [1]"),
    Finished(answer("연차는 15일입니다. [1] 이월할 수 없습니다. [1]")),
)


async def forget(draft: str) -> None:
    """The terminal keeps no drafts."""


class ScriptedDesk:
    """Only what the terminal uses of `bot.platforms.Desk`. `before_finish` runs between the last sentence and the reply."""

    def __init__(self, *events: Event, language: Language = "ko") -> None:
        self.events: Sequence[Event] = events
        self.language: Language = language
        self.adapter: TerminalAdapter | None = None
        self.asked: list[Asked] = []
        self.votes: list[Vote] = []
        self.reasons: list[tuple[str, str, str]] = []
        self.explains = True
        self.deliveries: list[Delivery] = []
        self.before_finish: Callable[[], Any] | None = None
        self.failures: list[Exception] = []
        self.deaf_to_stop = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Receipt:
        self.asked.append(asked)
        assert self.adapter is not None
        delivery = self.adapter.delivery(f"{len(self.asked):012x}", asked.reply_to, "", forget)
        self.deliveries.append(delivery)
        if asked.text in ("그만", "stop"):
            running = [] if self.deaf_to_stop else list(self._running.values())
            for task in running:
                task.cancel()
            said = (
                texts.stopped(self.language) if running or self.deaf_to_stop else texts.nothing_to_stop(self.language)
            )
            self._spawn(self._refuse(delivery, said))
            return Receipt.STOPPED
        number = len(self.asked)
        self._running[asked.keys[0]] = self._spawn(self._answer(delivery, asked, number))
        return Receipt.ACCEPTED

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self, delivery: Delivery, asked: Asked, number: int) -> None:
        try:
            for event in self.events:
                await asyncio.sleep(0)
                if isinstance(event, Progressed):
                    await delivery.status(texts.step(event.step, event.detail, self.language))
                elif isinstance(event, Wrote):
                    await delivery.write(event.text)
                elif isinstance(event, Finished):
                    if self.before_finish is not None:
                        await self.before_finish()
                    can_vote = event.answer.outcome is not Outcome.FAILED
                    answer_id = f"{number:016x}" if can_vote else ""
                    reply = Reply(f"{number:012x}", answer_id, event.answer, self.language, True, can_vote=can_vote)
                    await self._finish(delivery, reply)
        except asyncio.CancelledError:
            await self._refuse(delivery, texts.stopped(self.language))
        finally:
            self._running.pop(asked.keys[0])

    async def _refuse(self, delivery: Delivery, text: str) -> None:
        await self._finish(
            delivery, Reply("0" * 12, "", answer(text, outcome=Outcome.FAILED), self.language, private=True)
        )

    async def _finish(self, delivery: Delivery, reply: Reply) -> None:
        try:
            await delivery.finish(reply)
        except Exception as error:  # noqa: BLE001 - kept for the test to look at
            self.failures.append(error)

    async def vote(self, vote: Vote) -> VoteReceipt:
        self.votes.append(vote)
        return VoteReceipt.STORED if len(self.votes) == 1 else VoteReceipt.CHANGED

    async def explain_vote(self, answer_id: str, person: Person, *, reason: str, correction: str) -> bool:
        self.reasons.append((answer_id, reason, correction))
        return self.explains

    async def close(self) -> None:
        """Nothing of a test goes on into the next."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def typed(*lines: str) -> Callable[[], AsyncIterator[str]]:
    async def read() -> AsyncIterator[str]:
        for line in lines:
            yield line

    return read


async def talk(desk: ScriptedDesk, *lines: str, transient: bool = False, out: io.StringIO | None = None) -> str:
    """Type the lines and leave; what stands on the screen then."""
    out = out or io.StringIO()
    screen = Screen(out, transient=transient)
    desk.adapter = TerminalAdapter(desk, screen)  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(20):
            await chat(desk.adapter, screen, language=desk.language, read=typed(*lines))
    finally:
        await desk.close()
    return out.getvalue()
