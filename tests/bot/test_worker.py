"""The worker with engines made of Python: fairness, bounds, cancelling, time limits, and surviving whatever an engine does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BrokenModel, WriterBusy, WriterFailed, WriterTimeout, WritingCancelled
from bot.worker import ModelWorker, Ticket
from bot.writers.engine import StopFlag, Turn, WritingReport, WritingRequest
from bot.writers.fair_queue import FairQueue

REPORT = WritingReport(1, 1, 0, 0.0, 0.0, "end")


class FakeEngine:
    """Writes the letters of the prompt; `crash` raises, `wait` blocks until stopped or released, `slow` takes its time."""

    name = "fake"
    context_tokens = 100

    def __init__(self) -> None:
        self.order: list[str] = []
        self.threads = {threading.get_ident()}
        self.released = threading.Event()
        self.begun = threading.Event()
        self.closed = False
        self.forgotten = 0

    def write(self, request: WritingRequest, stop: StopFlag) -> Iterator[str | WritingReport]:
        self.threads.add(threading.get_ident())
        text = request.turns[-1].text
        self.order.append(text)
        self.begun.set()
        if text == "crash":
            yield "c"
            raise ZeroDivisionError("engine")
        if text == "no report":
            return
        if text == "wait":
            while not self.released.wait(0.002):
                if stop.is_set():
                    raise WritingCancelled()
        for letter in text:
            if text.startswith("slow"):
                time.sleep(0.02)
            yield letter
        yield REPORT

    def count_tokens(self, text: str) -> int:
        return len(text)

    def forget(self) -> None:
        self.forgotten += 1

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed = True


@asynccontextmanager
async def working(
    engine: FakeEngine | None = None, *, queue_size: int = 8, per_person: int = 4
) -> AsyncIterator[ModelWorker]:
    engine = engine or FakeEngine()
    worker = ModelWorker(lambda: engine, queue_size=queue_size, per_person=per_person)
    try:
        yield worker
    finally:
        engine.released.set()
        await worker.close(drain=False, deadline=1)


def asked(text: str) -> WritingRequest:
    return WritingRequest((Turn("user", text),))


async def answer(ticket: Ticket) -> str:
    return "".join([piece async for piece in ticket.pieces()])


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_streams_and_reports() -> None:
    async with working() as worker:
        ticket = worker.submit(asked("안녕"), asker="a")
        assert [piece async for piece in ticket.pieces()] == ["안", "녕"]
        assert ticket.report == REPORT
        assert ticket.position == 0
        assert ticket.waited_seconds > 0
        assert worker.stats().answered == 1


async def test_everything_of_the_engine_happens_on_one_other_thread() -> None:
    made: list[FakeEngine] = []

    def load() -> FakeEngine:
        made.append(FakeEngine())
        return made[0]

    worker = ModelWorker(load, queue_size=4, per_person=4)
    assert not made  # lazily
    await answer(worker.submit(asked("x"), asker="a"))
    await worker.close()
    assert made[0].closed
    assert len(made[0].threads) == 1
    assert threading.get_ident() not in made[0].threads


async def test_round_robin_between_people() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        blocker = worker.submit(asked("wait"), asker="x")
        await until(engine.begun.is_set)
        tickets = [worker.submit(asked(text), asker=text[0]) for text in ("a1", "a2", "a3", "b1", "b2", "c1")]
        assert [ticket.position for ticket in tickets] == [1, 4, 6, 2, 5, 3]
        assert blocker.position == 0
        assert worker.stats().waiting == 6
        engine.released.set()
        await asyncio.gather(*(answer(ticket) for ticket in [blocker, *tickets]))
        assert engine.order[1:] == ["a1", "b1", "c1", "a2", "b2", "a3"]


@given(st.lists(st.sampled_from("abcd"), max_size=20))
def test_positions_are_the_order_in_which_they_are_taken(askers: list[str]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    items = [(asker, n) for n, asker in enumerate(askers)]
    for item in items:
        queue.put(item[0], item)
    told = sorted(items, key=lambda item: queue.position(item[0], item))
    assert sorted(queue.position(*(item[0], item)) for item in items) == list(range(1, len(items) + 1))
    assert queue.drain() == told
    assert len(queue) == 0


async def test_a_full_queue_refuses_at_once() -> None:
    engine = FakeEngine()
    async with working(engine, queue_size=2) as worker:
        worker.submit(asked("wait"), asker="x")
        await until(engine.begun.is_set)
        worker.submit(asked("1"), asker="a")
        worker.submit(asked("2"), asker="b")
        with pytest.raises(WriterBusy) as caught:
            worker.submit(asked("3"), asker="c")
        assert caught.value.details == {"waiting": 2, "limit": 2}


async def test_one_person_cannot_fill_the_queue() -> None:
    engine = FakeEngine()
    async with working(engine, per_person=2) as worker:
        worker.submit(asked("wait"), asker="a")  # running counts too
        await until(engine.begun.is_set)
        waiting = worker.submit(asked("1"), asker="a")
        with pytest.raises(WriterBusy):
            worker.submit(asked("2"), asker="a")
        worker.submit(asked("3"), asker="b")
        waiting.cancel()
        worker.submit(asked("4"), asker="a")


async def test_cancelling_a_waiting_request_removes_it() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        blocker = worker.submit(asked("wait"), asker="x")
        await until(engine.begun.is_set)
        ticket = worker.submit(asked("never"), asker="a")
        ticket.cancel()
        ticket.cancel()
        with pytest.raises(WritingCancelled):
            await answer(ticket)
        assert worker.stats().waiting == 0
        engine.released.set()
        assert await answer(blocker) == "wait"
        assert engine.order == ["wait"]


async def test_cancelling_the_running_request_stops_the_engine() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        ticket = worker.submit(asked("wait"), asker="a")
        await until(engine.begun.is_set)
        ticket.cancel()
        with pytest.raises(WritingCancelled):
            await answer(ticket)
        assert await answer(worker.submit(asked("next"), asker="a")) == "next"
        stats = worker.stats()
        assert (stats.answered, stats.failed, stats.running) == (1, 1, 0)


async def test_leaving_the_stream_early_cancels() -> None:
    async with working() as worker:
        pieces = worker.submit(asked("slow and long text"), asker="a").pieces()
        assert await anext(pieces) == "s"
        await pieces.aclose()
        await until(lambda: worker.stats().running == 0)
        assert worker.stats().failed == 1


async def test_cancelling_the_task_cancels_the_request() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        task = asyncio.create_task(answer(worker.submit(asked("wait"), asker="a")))
        await until(engine.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: worker.stats().running == 0)


async def test_time_limit_counts_from_submission() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        running = worker.submit(asked("wait"), asker="a", timeout=0.1)
        await until(engine.begun.is_set)
        waiting = worker.submit(asked("never"), asker="b", timeout=0.05)
        began = time.perf_counter()
        for ticket in (waiting, running):
            with pytest.raises(WriterTimeout):
                await answer(ticket)
        assert time.perf_counter() - began < 8
        await until(lambda: worker.stats().running == 0)
        assert engine.order == ["wait"]


async def test_a_crash_fails_one_request_only() -> None:
    async with working() as worker:
        crashed = worker.submit(asked("crash"), asker="a")
        after = worker.submit(asked("after"), asker="a")
        with pytest.raises(WriterFailed, match="ZeroDivisionError: engine"):
            await answer(crashed)
        assert await answer(after) == "after"
        with pytest.raises(WriterFailed):
            await answer(worker.submit(asked("no report"), asker="a"))


async def test_a_model_that_cannot_be_loaded() -> None:
    tries: list[int] = []
    both_wait = threading.Event()

    def load() -> FakeEngine:
        tries.append(1)
        both_wait.wait(10)
        if len(tries) < 3:
            raise BrokenModel(name="m", reason="no") if len(tries) == 1 else OSError("disk")
        return FakeEngine()

    worker = ModelWorker(load, queue_size=4, per_person=4)
    waiting = [worker.submit(asked("x"), asker=asker) for asker in "ab"]
    both_wait.set()
    for ticket in waiting:
        with pytest.raises(BrokenModel):
            await answer(ticket)
    with pytest.raises(BrokenModel):  # refused without another try
        worker.submit(asked("x"), asker="a")
    with pytest.raises(BrokenModel):
        await asyncio.to_thread(worker.count_tokens, "x")
    assert len(tries) == 1
    with pytest.raises(BrokenModel, match="OSError: disk"):
        await worker.start()
    await worker.start()
    assert await answer(worker.submit(asked("ok"), asker="a")) == "ok"
    assert len(tries) == 3
    await worker.close()


async def test_close_finishes_what_waits() -> None:
    engine = FakeEngine()
    worker = ModelWorker(lambda: engine, queue_size=8, per_person=8)
    answers = [asyncio.create_task(answer(worker.submit(asked(f"slow{n}"), asker="a"))) for n in range(3)]
    await until(engine.begun.is_set)
    await worker.close(drain=True, deadline=10)
    assert [await task for task in answers] == ["slow0", "slow1", "slow2"]
    assert engine.closed
    with pytest.raises(WriterFailed):
        worker.submit(asked("late"), asker="a")
    with pytest.raises(WriterFailed):
        await worker.run(lambda engine: None)
    with pytest.raises(WriterFailed):
        worker.count_tokens("late")


@pytest.mark.parametrize("drain", [True, False])
async def test_close_has_a_deadline(drain: bool) -> None:
    engine = FakeEngine()
    worker = ModelWorker(lambda: engine, queue_size=8, per_person=8)
    answers = [asyncio.create_task(answer(worker.submit(asked("wait"), asker="a"))) for _ in range(2)]
    await until(engine.begun.is_set)
    began = time.perf_counter()
    await worker.close(drain=drain, deadline=0.1)
    assert time.perf_counter() - began < 8
    for task in answers:
        with pytest.raises(WriterFailed, match="shutting down"):
            await task
    assert engine.closed


async def test_closing_an_idle_worker() -> None:
    worker = ModelWorker(FakeEngine, queue_size=1, per_person=1)
    await worker.close()
    await worker.close()


async def test_run_comes_before_those_who_wait() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        blocker = worker.submit(asked("wait"), asker="x")
        await until(engine.begun.is_set)
        waiting = worker.submit(asked("later"), asker="a")
        chore = asyncio.create_task(worker.run(lambda e: (e.forget(), list(engine.order))[1]))
        await asyncio.sleep(0.01)
        engine.released.set()
        assert await chore == ["wait"]
        assert engine.forgotten == 1
        assert [await answer(blocker), await answer(waiting)] == ["wait", "later"]
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda e: 1 // 0)


async def test_tokens_are_counted_while_the_engine_works() -> None:
    engine = FakeEngine()
    async with working(engine) as worker:
        worker.submit(asked("wait"), asker="x")
        await until(engine.begun.is_set)
        assert worker.count_tokens("세 글자") == 4
        assert worker.context_tokens == 100


async def test_a_hundred_askers_lose_and_double_nothing() -> None:
    engine = FakeEngine()
    async with working(engine, queue_size=100, per_person=1) as worker:
        texts = [f"답변 {n} " * 5 for n in range(100)]
        got = await asyncio.gather(*(answer(worker.submit(asked(text), asker=f"U{n}")) for n, text in enumerate(texts)))
        assert got == texts
        assert Counter(engine.order) == Counter(texts)
        assert worker.stats().answered == 100


async def test_the_event_loop_is_never_blocked() -> None:
    engine = FakeEngine()
    async with working(engine, queue_size=50, per_person=50) as worker:
        longest, last = 0.0, time.perf_counter()
        tasks = [asyncio.create_task(answer(worker.submit(asked("slow"), asker=f"U{n}"))) for n in range(20)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        assert longest < 1.0  # the engine sleeps 1.6 s in all; the machine is shared, so this is generous


def test_a_closed_event_loop_stops_its_request() -> None:
    engine = FakeEngine()
    worker = ModelWorker(lambda: engine, queue_size=4, per_person=4)

    async def leave() -> Ticket:
        return worker.submit(asked("slow and never read"), asker="a")

    ticket = asyncio.run(leave())
    worker.close_and_wait(deadline=5)
    assert ticket.stop.is_set()
    assert engine.closed
