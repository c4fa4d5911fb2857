"""Every line of the log about a question carries its id, whoever logs it and on whichever thread."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import logs
from bot.errors import DeliveryFailed
from bot.worker import ModelWorker
from bot.writers.engine import StopFlag, WritingReport, WritingRequest
from knowledge.search import SearchIndex
from tests.bot.desk.conftest import KIM, LEE, Bench, asked

_library = logging.getLogger("some.library")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process would write to standard error."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture
async def bench(index: SearchIndex, tmp_path: Path) -> AsyncIterator[Bench]:
    one = Bench(index, tmp_path)
    yield one
    await one.close()


async def test_every_line_of_a_question_has_its_id(
    bench: Bench, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await bench.start_desk()
    search = bench.flow.live().index.search

    def searched(*args: Any, **options: Any) -> Any:
        _library.warning("from the search's thread")
        return search(*args, **options)

    monkeypatch.setattr(bench.flow.live().index, "search", searched)
    from bot.store import answers

    save = answers.save

    def saved(*args: Any, **options: Any) -> Any:
        _library.warning("from the store's thread")
        return save(*args, **options)

    monkeypatch.setattr(answers, "save", saved)
    delivery = type(bench.adapter.delivery("x", "x", "", None))  # type: ignore[arg-type]
    finish, failed = delivery.finish, set()

    async def finished(self: Any, reply: Any) -> str:
        _library.warning("from the platform's library")
        await asyncio.create_task(_told())
        if reply.question_id not in failed:
            failed.add(reply.question_id)
            raise DeliveryFailed(platform="slack", reason="once")
        return await finish(self, reply)

    async def _told() -> None:
        _library.warning("from a task of the adapter")

    monkeypatch.setattr(delivery, "finish", finished)
    await asyncio.gather(desk.ask(asked(key="a", person=KIM)), desk.ask(asked(key="b", person=LEE)))
    await bench.adapter.wait_for(lambda: bool(bench.adapter.sent["a"].replies and bench.adapter.sent["b"].replies))
    await bench.adapter.wait_for(lambda: desk.line() == (0, 0))
    ids = {bench.adapter.sent[key].replies[0].question_id for key in "ab"}
    told = [line for line in lines(written) if line["logger"] != "asyncio"]
    assert {line.get("question") for line in told} == ids
    for question in ids:
        mine = [line.get("event") or line["message"] for line in told if line["question"] == question]
        assert {
            "asked", "outcome", "not_posted", "ended", "from the search's thread", "from the store's thread",
            "from the platform's library", "from a task of the adapter",
        } <= set(mine)  # fmt: skip
        assert mine.index("asked") < mine.index("outcome") < mine.index("not_posted") < mine.index("ended")


async def test_what_the_model_logs_is_about_the_question_it_writes_for(written: io.StringIO) -> None:
    class Engine:
        name, context_tokens = "x", 100

        def write(self, request: WritingRequest, stop: StopFlag) -> Iterator[str | WritingReport]:
            _library.warning("from the model's thread")
            yield "글"
            yield WritingReport(1, 1, 0, 0.0, 0.0, "end")

        def close(self) -> None:
            pass

    worker = ModelWorker(Engine, queue_size=4, per_person=4)  # type: ignore[arg-type]

    async def write(question: str) -> None:
        with logs.about(question):
            async for _ in worker.submit(WritingRequest(()), asker=question).pieces():
                pass

    await asyncio.gather(write("q1"), write("q2"))
    await worker.close()
    assert sorted(line["question"] for line in lines(written)) == ["q1", "q2"]


async def test_an_adapter_learns_the_id_from_the_desk(bench: Bench, written: io.StringIO) -> None:
    desk = await bench.start_desk()
    with logs.about():
        await asyncio.create_task(desk.ask(asked(key="a")))
        _library.warning("the adapter, afterwards")
    _library.warning("about nothing")
    await bench.adapter.wait_for(lambda: bool(bench.adapter.sent["a"].replies))
    after, nothing = (line for line in lines(written) if line["logger"] == "some.library")
    assert after["question"] == bench.adapter.sent["a"].replies[0].question_id
    assert "question" not in nothing


def test_a_line_that_names_its_question_keeps_it(written: io.StringIO) -> None:
    with logs.about("outer"):
        _library.warning(json.dumps({"event": "x", "question": "inner"}))
    assert lines(written)[0]["question"] == "inner"
