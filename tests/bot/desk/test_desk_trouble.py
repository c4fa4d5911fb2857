"""A platform or a store that fails at the worst moment: still one message, and never silence."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.conversation import Receipt, Reply
from bot.desk import asking, posting
from bot.errors import DeliveryFailed, StoreError
from bot.messages import Outcome
from bot.platforms import Delivery, Remember
from bot.store import questions
from tests.bot.desk.conftest import DIRECT, THREAD, Bench, asked
from tests.bot.desk.test_asking import die, outcomes
from tests.fakes.recording_adapter import RecordingAdapter

Hook = Callable[[], Awaitable[None]]


@dataclass
class Hooks:
    """What happens before and after a delivery's calls; each may raise."""

    before: dict[str, Hook] = field(default_factory=dict)
    after: dict[str, Hook] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def around(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls.append(name)
        if name in self.before:
            await self.before[name]()
        result = await call()
        if name in self.after:
            await self.after[name]()
        return result


class TroubledAdapter(RecordingAdapter):
    """The recording platform with hooks around each call of a delivery."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks = Hooks()
        self.broken: set[str] = set()

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> Delivery:
        if reply_to in self.broken:
            raise ValueError("reply_to of an older version")
        return _Hooked(super().delivery(question_id, reply_to, draft, remember), self.hooks)


class _Hooked:
    def __init__(self, inner: Delivery, hooks: Hooks) -> None:
        self._inner = inner
        self._hooks = hooks

    async def status(self, text: str) -> None:
        await self._hooks.around("status", lambda: self._inner.status(text))

    async def write(self, text: str) -> None:
        await self._hooks.around("write", lambda: self._inner.write(text))

    async def finish(self, reply: Reply) -> str:
        return str(await self._hooks.around("finish", lambda: self._inner.finish(reply)))

    async def find(self) -> str | None:
        found: str | None = await self._hooks.around("find", self._inner.find)
        return found

    async def leave(self) -> None:
        await self._hooks.around("leave", self._inner.leave)


@pytest.fixture
def platform(bench: Bench) -> TroubledAdapter:
    bench.adapter = adapter = TroubledAdapter()
    return adapter


def once(error: Exception, times: int = 1) -> Hook:
    """Raises for the first calls."""
    left = [error] * times

    async def hook() -> None:
        if left:
            raise left.pop()

    return hook


def store_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int, *, now: Callable[[], bool]) -> list[str]:
    """The first store fails `times` times once `now` is true; returns what failed."""
    store = bench.stores[0]
    failed: list[str] = []
    run = store.run

    async def flaky(work: Any, *args: Any, **kwargs: Any) -> Any:
        if now() and len(failed) < times:
            failed.append(work.__name__)
            raise StoreError(where="x", reason="disk full")
        return await run(work, *args, **kwargs)

    monkeypatch.setattr(store, "run", flaky)
    return failed


async def test_a_store_that_fails_after_posting_costs_no_second_message(
    bench: Bench, platform: TroubledAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await bench.start_desk()
    failed = store_fails(bench, monkeypatch, 2, now=lambda: bool(platform.posted))
    await desk.ask(asked(key="a"))
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert failed
    assert [reply.answer.outcome for reply in platform.sent["a"].replies] == [Outcome.ANSWERED]
    assert platform.hooks.calls.count("finish") == 1
    assert await desk.answer_at("slack", "M0") == platform.sent["a"].replies[0].answer_id


async def test_a_message_that_stands_is_not_posted_again_when_the_platforms_answer_got_lost(
    bench: Bench, platform: TroubledAdapter
) -> None:
    platform.hooks.after["finish"] = once(ConnectionResetError())
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert platform.hooks.calls.count("finish") == 1
    assert await desk.answer_at("slack", "M0")


async def test_posting_that_hangs_is_looked_for_before_it_is_repeated(
    bench: Bench, platform: TroubledAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "_FINISH_SECONDS", 0.2)

    async def hang() -> None:
        await asyncio.sleep(60)

    platform.hooks.after["finish"] = hang
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert platform.hooks.calls.count("finish") == 1


async def test_who_lost_the_claim_while_posting_failed_does_not_post_again(
    bench: Bench, platform: TroubledAdapter
) -> None:
    bench.retry_after = (0.5,)
    first = await bench.start_desk()
    platform.hooks.before["finish"] = once(DeliveryFailed(platform="slack", reason="down"))
    await first.ask(asked(key="a"))
    await platform.wait_for(lambda: "finish" in platform.hooks.calls)
    assert first._intake._keeper is not None
    first._intake._keeper.cancel()
    await asyncio.gather(first._intake._keeper, return_exceptions=True)
    bench.now += 31
    # The other process has it and has not posted yet.
    assert bench.stores[0].run_now(
        questions.take_over, next(iter(first._intake._open)), owner="other", now=bench.now, lease=30.0
    )
    await platform.wait_for(lambda: not first._intake.open)
    assert platform.hooks.calls.count("finish") == 1
    assert not platform.posted


async def test_a_platform_that_cannot_be_looked_at_yet_is_looked_at_again_before_posting(
    bench: Bench, platform: TroubledAdapter
) -> None:
    first = await bench.start_desk()
    platform.hooks.after["finish"] = asyncio.Event().wait  # type: ignore[assignment]
    await first.ask(asked(key="a"))
    await platform.wait_for(lambda: bool(platform.posted))
    await die(bench, first)
    del platform.hooks.after["finish"]
    platform.hooks.before["find"] = once(ConnectionResetError(), times=2)
    bench.now += 31
    await bench.start_desk()
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert platform.hooks.calls.count("finish") == 1


async def test_stop_counts_also_before_the_first_sign_was_shown(bench: Bench, platform: TroubledAdapter) -> None:
    showing = asyncio.Event()

    async def slow() -> None:
        showing.set()
        await asyncio.Event().wait()

    platform.hooks.before["status"] = slow
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    await asyncio.wait_for(showing.wait(), 40)
    assert await desk.ask(asked("그만", key="stop")) is Receipt.STOPPED
    assert (await platform.reply("a")).answer.text == "답변을 멈췄습니다."
    await platform.wait_for(lambda: outcomes(bench) == {"failed": 2})
    assert not bench.flow.questions


async def test_stop_in_the_same_breath_as_the_question_leaves_nothing_open(
    bench: Bench, platform: TroubledAdapter
) -> None:
    desk = await bench.start_desk()
    intake = desk._intake
    kind, claim = await bench.stores[0].run(questions.claim, asked(key="a"), owner="p0", now=bench.now, lease=30.0)
    assert kind is questions.ClaimKind.NEW
    assert claim is not None
    await intake._accept(claim, intake._asking.run)  # its task has not taken a step yet
    stop = questions.Claim("0" * 12, "p0", 1, asked("그만", key="stop"), asked_at=bench.now)
    assert await intake._obeyed(stop, resumed=False)
    assert (await platform.reply("a")).answer.text == "답변을 멈췄습니다."
    await platform.wait_for(lambda: not intake.open)


async def test_a_redelivery_does_not_wrest_an_open_question_from_its_own_process(
    bench: Bench, platform: TroubledAdapter
) -> None:
    desk = await bench.start_desk()
    bench.flow.gate.clear()
    await desk.ask(asked(key="a"))
    await platform.wait_for(lambda: bool(bench.flow.questions))
    bench.now += 31  # the clock jumped, or the store was away longer than a lease
    assert await desk.ask(asked(key="a")) is Receipt.DUPLICATE
    bench.flow.gate.set()
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert len(bench.flow.questions) == 1


async def test_what_is_taken_over_while_closing_is_handed_on(
    bench: Bench, platform: TroubledAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await bench.start_desk()
    bench.flow.gate.clear()
    await first.ask(asked(key="a"))
    await die(bench, first)
    bench.now += 31
    second = bench.open_desk()
    await second.start()
    await second.ask(asked(key="b"))
    store, taking, go = bench.stores[1], asyncio.Event(), asyncio.Event()
    run = store.run

    async def slow(work: Any, *args: Any, **kwargs: Any) -> Any:
        if work is questions.take_over:
            taking.set()
            await go.wait()
        return await run(work, *args, **kwargs)

    monkeypatch.setattr(store, "run", slow)
    second.ready("slack")
    await asyncio.wait_for(taking.wait(), 40)
    closing = asyncio.create_task(second.close(drain=0.5))
    await asyncio.sleep(0)
    go.set()
    await asyncio.wait_for(closing, 40)
    assert not second._intake.open
    monkeypatch.undo()
    bench.flow.gate.set()
    await bench.start_desk()  # at the same moment: no lease has to run out
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 2})


async def test_a_delivery_that_ignores_cancellation_does_not_keep_the_process_alive(
    bench: Bench, platform: TroubledAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.intake._LEAVING_SECONDS", 0.1)
    over = asyncio.Event()

    async def stubborn() -> None:
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()

    platform.hooks.before["finish"] = stubborn
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    await platform.wait_for(lambda: "finish" in platform.hooks.calls)
    async with asyncio.timeout(40):
        await desk.close(drain=0.05)
    over.set()


async def test_a_question_nobody_can_deliver_does_not_hold_up_the_others(
    bench: Bench, platform: TroubledAdapter
) -> None:
    first = await bench.start_desk()
    bench.flow.gate.clear()
    await first.ask(asked(key="a"))
    await first.ask(asked(key="b"))
    await die(bench, first)
    bench.flow.gate.set()
    platform.broken = {"a"}
    bench.now += 31
    second = await bench.start_desk()
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1, "open": 1})
    for _ in range(asking.MOST_ATTEMPTS):
        bench.now += 31
        second.ready("slack")
        await asyncio.sleep(0.05)
    await platform.wait_for(lambda: outcomes(bench) == {"answered": 1, "failed": 1})


async def test_a_question_that_crashes_every_time_ends_with_a_word(
    bench: Bench, platform: TroubledAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await bench.start_desk()

    def unreadable(*_: Any, **__: Any) -> Any:
        raise TypeError("answer of another version")

    monkeypatch.setattr("bot.store.answers.of_question", unreadable)
    monkeypatch.setattr("bot.store.answers.save", unreadable)
    await desk.ask(asked(key="a"))
    for _ in range(asking.MOST_ATTEMPTS + 1):
        await platform.wait_for(lambda: not desk._intake.open)
        bench.now += 31
        desk.ready("slack")
        await asyncio.sleep(0.05)
    reply = await platform.reply("a")
    assert reply.question_id in reply.answer.text
    await platform.wait_for(lambda: outcomes(bench) == {"failed": 1})


@pytest.mark.parametrize("text", ["연차\ud83d 며칠?", "연차\x00 며칠?"])
async def test_a_text_no_database_takes_is_answered_all_the_same(
    bench: Bench, platform: TroubledAdapter, text: str
) -> None:
    desk = await bench.start_desk()
    assert await desk.ask(asked(text, key="a")) is Receipt.ACCEPTED
    reply = await platform.reply("a")
    person = asked().person
    await platform.wait_for(lambda: bool(outcomes(bench)))
    assert await desk.recent(person)
    await desk.vote(questions_vote(reply.answer_id))
    assert await desk.explain_vote(reply.answer_id, person, reason=text, correction=text)


def questions_vote(answer_id: str) -> Any:
    from bot.conversation import Vote

    return Vote(answer_id, asked().person, "down", via="button")


async def test_without_a_store_a_redelivery_is_not_told_twice(
    bench: Bench, platform: TroubledAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await bench.start_desk()
    with monkeypatch.context() as patch:
        store_fails(bench, patch, 1000, now=lambda: True)
        assert await desk.ask(asked(key="a", place=DIRECT)) is Receipt.REFUSED
        assert await desk.ask(asked(key="a", place=DIRECT)) is Receipt.DUPLICATE
        await platform.wait_for(lambda: not desk._intake.open)
    assert len(platform.sent["a"].replies) == 1


async def test_logs_hold_no_words_of_exceptions(
    bench: Bench, platform: TroubledAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "https://discord.com/api/webhooks/1/aW50ZXJhY3Rpb246"
    platform.hooks.before["finish"] = once(RuntimeError(secret))
    platform.hooks.before["find"] = once(RuntimeError(secret))
    desk = await bench.start_desk()
    with caplog.at_level(logging.INFO):
        await desk.ask(asked(key="a", place=THREAD))
        await platform.wait_for(lambda: outcomes(bench) == {"answered": 1})
    assert "RuntimeError" in caplog.text
    assert "aW50ZXJhY3Rpb246" not in caplog.text
