"""What a trace says of whole questions through the real graph: everything that happened, and nothing that did not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

from langchain_core.outputs import ChatGenerationChunk

from bot.answering.flow import AnswerFlow
from bot.errors import WriterFailed
from bot.live import Live
from bot.messages import Answer, Finished, Outcome, Question
from bot.prompts import REFUSAL
from bot.trace import Trace
from knowledge.search import SearchIndex
from tests.fakes.scripted_writer import ScriptedWriter

GOOD = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다 [1]."
WRONG = "연차는 사용 30일 전까지 그룹웨어에서 신청합니다 [1]."
ASKED = "연차는 며칠 전까지 신청합니까?"


async def traced(
    index: SearchIndex, writer: ScriptedWriter | None, text: str = ASKED, turns: tuple[str, ...] = ()
) -> tuple[Trace, Answer]:
    live = Live(index, index.analyser, writer, "scripted" if writer else "extractive", None, "test", 2.0)
    flow = AnswerFlow(lambda: live)
    events = [event async for event in flow.stream(Question(text, id="q1", turns=turns))]
    assert isinstance(events[-1], Finished)
    assert events[-1].trace is not None
    return events[-1].trace, events[-1].answer


def steps(trace: Trace) -> set[str]:
    return {step.name for step in trace.steps}


async def test_an_answers_way_names_each_step(index: SearchIndex) -> None:
    writer = ScriptedWriter(script=[f"{GOOD} {WRONG} {GOOD}"])
    trace, answer = await traced(index, writer)
    assert [(one.fate, one.attempt) for one in trace.sentences] == [("shown", 0), ("number", 0), ("repeated", 0)]
    shown, wrong, _ = trace.sentences
    assert shown.cites == (1,)
    assert shown.supports[0] == max(shown.supports) > 0.4
    assert len(shown.supports) == len(trace.shown) == len(answer.shown)
    assert shown.nearness is not None
    assert shown.nearness >= trace.threshold
    assert "30일" in wrong.text
    assert "30일" not in answer.text
    assert [(one.source, one.page, one.number) for one in trace.shown] == [
        (one.source, one.page, one.number) for one in answer.shown
    ]
    assert trace.passages[0].score == max(one.score for one in trace.passages)
    assert any(one.dense > 0 for one in trace.passages)
    assert trace.strength >= trace.threshold == 2.0
    assert (trace.edition, trace.model, trace.lora, trace.prompt_version) == (index.name, "scripted", "none", "test")
    assert steps(trace) >= {"condense", "embed", "search", "excerpts", "queue", "read", "write", "check"}
    assert all(step.seconds >= 0 for step in trace.steps)


async def test_the_prompt_is_kept_as_the_writer_got_it(index: SearchIndex) -> None:
    writer = ScriptedWriter(script=[GOOD])
    trace, _ = await traced(index, writer)
    got = writer.calls[0][0]
    assert [(said.role, said.text) for said in trace.prompt] == [(message.type, message.text) for message in got]


async def test_a_second_try_is_told_from_the_first(index: SearchIndex) -> None:
    trace, _ = await traced(index, ScriptedWriter(script=["请在三天前申请。", GOOD]))
    assert [(one.fate, one.attempt) for one in trace.sentences] == [("language", 0), ("shown", 1)]


async def test_quotes_and_refusals_are_told(index: SearchIndex) -> None:
    trace, answer = await traced(index, ScriptedWriter(script=[WRONG]))
    assert [one.fate for one in trace.sentences][:2] == ["number", "quoted"]
    assert trace.sentences[1].text in answer.text
    assert trace.model == "extractive"
    trace, answer = await traced(index, ScriptedWriter(script=[REFUSAL]))
    assert [one.fate for one in trace.sentences] == ["refusal"]
    assert answer.outcome is Outcome.ABSTAINED


async def test_without_evidence_the_scores_are_there_and_nothing_was_written(index: SearchIndex) -> None:
    trace, answer = await traced(index, ScriptedWriter(script=[GOOD]), "피아노 조율은 어떻게 합니까?")
    assert answer.outcome is Outcome.ABSTAINED
    assert trace.strength < trace.threshold
    assert trace.prompt == trace.sentences == ()
    assert not any(one.shown for one in trace.passages)


async def test_a_rewritten_question_shows_both_searches(index: SearchIndex) -> None:
    trace, answer = await traced(index, None, "피아노 조율은 어떻게 합니까?", turns=("연차는 며칠이야?",))
    assert trace.rewritten
    assert trace.searches[0].text == "피아노 조율은 어떻게 합니까?"
    assert len(trace.searches) == 2
    assert trace.condensed == answer.condensed


async def test_what_was_mistyped_is_told(index: SearchIndex) -> None:
    trace, _ = await traced(index, None, "dusck를 쓰려면 며칠 전까지 신청하나요?")
    assert [(one.reading, one.meant) for one in trace.understood] == [("keys", "연차")]


async def test_a_failure_names_itself_and_keeps_what_was_done(index: SearchIndex) -> None:
    class Broken(ScriptedWriter):
        def _text(self, *given: object) -> tuple[str, object]:  # type: ignore[override]
            raise RuntimeError("보이면 안 되는 글")

    trace, answer = await traced(index, Broken(script=[GOOD]))
    assert answer.outcome is Outcome.FAILED
    assert trace.error == "RuntimeError"
    assert trace.passages
    assert trace.prompt


async def test_a_sentence_cut_off_by_the_limit_is_told(index: SearchIndex) -> None:
    trace, _ = await traced(index, ScriptedWriter(script=[f"{GOOD} 그리고 {'가나다 ' * 100}"]))
    assert [one.fate for one in trace.sentences] == ["shown", "cut"]


async def test_a_writer_that_breaks_leaves_what_was_shown(index: SearchIndex) -> None:
    writer = ScriptedWriter(script=[GOOD + " 그리고 " * 50], failure=WriterFailed(reason="x"), fail_after=25)
    trace, _ = await traced(index, writer)
    assert trace.sentences[0].fate == "shown"


async def test_a_trace_survives_json_also_of_an_earlier_version(index: SearchIndex) -> None:
    trace, _ = await traced(index, ScriptedWriter(script=[f"{GOOD} {WRONG}"]))
    assert Trace.of_json(json.loads(json.dumps(trace.as_json()))) == trace
    older = trace.as_json()
    del older["reused_tokens"], older["turns"], older["refusal"]
    assert Trace.of_json(older) == replace(trace, reused_tokens=0, turns=(), refusal=None)


async def test_what_a_paid_writer_says_it_cost_is_on_the_answer(index: SearchIndex) -> None:
    class Paid(ScriptedWriter):
        async def _astream(self, *given: object, **more: object) -> AsyncIterator[ChatGenerationChunk]:  # type: ignore[override]
            async for chunk in super()._astream(*given, **more):  # type: ignore[arg-type]
                if chunk.message.response_metadata:
                    chunk.message.response_metadata["cost_krw"] = 1.5
                yield chunk

    _, answer = await traced(index, Paid(script=["请在三天前申请。", GOOD]))
    assert answer.cost_krw == 3.0  # of both tries
    _, answer = await traced(index, ScriptedWriter(script=[GOOD]))
    assert answer.cost_krw == 0
