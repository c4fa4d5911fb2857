"""The way of each question is kept with its answer, unless the settings say no; it never costs anybody their answer."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from bot.errors import StoreError
from bot.messages import Outcome
from bot.store import traces
from bot.trace import Trace
from tests.bot.desk.conftest import Bench, asked


def kept(bench: Bench, question: str) -> Trace | None:
    return bench.stores[0].run_now(traces.of_question, question)


async def test_the_way_of_a_question_is_kept_with_its_answer(bench: Bench) -> None:
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    reply = await bench.adapter.reply("a")
    trace = kept(bench, reply.question_id)
    assert trace is not None
    assert [one.fate for one in trace.sentences] == ["shown"]
    assert trace.condensed == reply.answer.condensed
    assert trace.prompt[-1].text == bench.writer.calls[0][0][-1].text


async def test_nothing_is_kept_where_the_settings_say_so(bench: Bench) -> None:
    desk = await bench.start_desk(keep_traces=False)
    await desk.ask(asked(key="a"))
    reply = await bench.adapter.reply("a")
    assert reply.answer.outcome is Outcome.ANSWERED
    assert kept(bench, reply.question_id) is None


async def test_a_failed_question_leaves_how_far_it_came(bench: Bench) -> None:
    bench.writer.failure = RuntimeError("x")
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    reply = await bench.adapter.reply("a")
    assert reply.answer.outcome is Outcome.FAILED
    trace = kept(bench, reply.question_id)
    assert trace is not None
    assert trace.error == "RuntimeError"
    assert trace.passages


async def test_a_trace_that_cannot_be_kept_does_not_keep_a_failure_from_being_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(connection: Connection, question: str, trace: Trace, *, now: float) -> None:
        raise StoreError(where="test", reason="away")

    monkeypatch.setattr(traces, "save", away)
    bench.writer.failure = RuntimeError("x")
    desk = await bench.start_desk()
    await desk.ask(asked(key="a"))
    reply = await bench.adapter.reply("a")
    assert reply.answer.outcome is Outcome.FAILED
    assert kept(bench, reply.question_id) is None
