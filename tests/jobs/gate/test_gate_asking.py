"""A side answers what it has not answered yet: the real flow over a small wiki, and the writer alone in front of given passages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from bot import prompts
from bot.answering.flow import AnswerFlow
from bot.errors import WriterFailed, WriterTimeout
from bot.live import Live
from bot.messages import Answer, Outcome, Question
from bot.writers.engine import LoraFile
from jobs.gate.answers import GateAnswer, Stamp
from jobs.gate.asking import Answerers, Side, answer_case, ask_side
from jobs.gate.cases import GateCase
from jobs.gate.kept import KeptAnswers
from jobs.gate.measures import MEASURES
from knowledge.korean import Analyser
from knowledge.search import SearchIndex
from tests.fakes.scripted_writer import ScriptedWriter

LEAVE = "연차 규정 > 부여\n연차는 1년에 15일을 줍니다."
GIVEN = GateCase(
    "x/1",
    "연차는 며칠인가요?",
    True,
    ("연차는 15일입니다.",),
    ("1",),
    passages=(LEAVE, "VPN 안내\nVPN은 노트북에서 씁니다."),
)
LORA = LoraFile("faq-1", Path("faq-1.gguf"), "abc")
STAMP = Stamp("base", "abc", "edition", "ko-1")


class NoFlow:
    """For cases that bring their passages."""

    async def answer(self, question: Question) -> Answer:
        raise AssertionError


@cache
def kiwi() -> Analyser:
    return Analyser()


def said(text: str, case: GateCase = GIVEN, analyser: Analyser | None = None, **more: object) -> GateAnswer:
    writer = ScriptedWriter(script=[text], **more)  # type: ignore[arg-type]
    return asyncio.run(answer_case(case, Answerers(NoFlow(), writer, None, analyser or kiwi())))


def test_given_passages_are_put_before_the_writer_exactly_as_in_serving() -> None:
    writer = ScriptedWriter(script=["연차는 15일입니다 [1]."])
    case = replace(GIVEN, turns=("휴가",))
    answer = asyncio.run(answer_case(case, Answerers(NoFlow(), writer, LORA, kiwi())))
    [(messages, arguments)] = writer.calls
    assert [m.text for m in messages] == [m.text for m in prompts.prompt(case.passages, case.question, case.turns)]
    assert (arguments["temperature"], arguments["lora"], arguments["max_tokens"]) == (0.0, LORA, 160)
    assert (answer.outcome, answer.text, answer.cited) == (Outcome.ANSWERED, "연차는 15일입니다.", ("1",))
    assert answer.written == len("연차는 15일입니다 [1].")
    assert answer.first_token is not None
    assert answer.total is not None
    assert 0 <= answer.first_token <= answer.total


@pytest.mark.parametrize(
    ("text", "outcome", "cited", "notes"),
    [
        (prompts.REFUSAL, Outcome.ABSTAINED, (), ()),
        (f"{prompts.REFUSAL} [1]", Outcome.ABSTAINED, (), ()),
        ("문서에는 해당 정보가 없습니다 [1].", Outcome.ABSTAINED, (), ()),
        ("제공된 자료에는 포상 휴가에 대한 내용이 나와 있지 않습니다.", Outcome.ABSTAINED, (), ()),
        ("답변: 제공된 문서에서 확인할 수 없습니다.", Outcome.ABSTAINED, (), ()),
        ("[1]\n제공된 문서에서 확인할 수 없습니다.", Outcome.ABSTAINED, (), ()),
        # The check leaves a wrong sentence out, and the refusal behind it stands alone; a right one has been shown by then.
        ("연차는 20일입니다 [1]. 제공된 문서에서 확인할 수 없습니다.", Outcome.ABSTAINED, (), ()),
        ("연차는 1년에 15일을 줍니다 [1]. 이월은 문서에 나와 있지 않습니다.", Outcome.ANSWERED, ("1",), ()),
        ("15일 [2], 20일 [9] [2].", Outcome.ANSWERED, ("2", "9"), ()),
        ("年次は15日です [1].", Outcome.ANSWERED, ("1",), ("wrong_language",)),
        ("Annual leave is fifteen days.", Outcome.ANSWERED, (), ("wrong_language",)),
        ("가" * 400, Outcome.ANSWERED, (), ("length",)),
    ],
)
def test_what_the_writer_says_is_read_as_the_flow_would(
    text: str, outcome: Outcome, cited: tuple[str, ...], notes: tuple[str, ...], analyser: Analyser
) -> None:
    answer = said(text, analyser=analyser)
    assert (answer.outcome, answer.cited, answer.notes) == (outcome, cited, notes)
    assert bool(answer.text) == (outcome is Outcome.ANSWERED)


@pytest.mark.parametrize("text", ["", "[1]", " [1, 2]"])
def test_marks_without_a_word_are_no_refusal(text: str, analyser: Analyser) -> None:
    answer = said(text, analyser=analyser)
    assert (answer.outcome, answer.text, answer.cited, answer.notes) == (Outcome.ANSWERED, "", (), ("ungrounded",))
    nothing_there = replace(GIVEN, answerable=False, answers=(), sources=())
    declined = next(one for one in MEASURES if one.name == "abstention_recall")
    assert declined.of(nothing_there, answer) == (0.0, 1.0)


def test_a_rule_of_the_page_is_no_refusal_however_alike(analyser: Analyser) -> None:
    case = replace(GIVEN, question="동료 평가를 볼 수 있나요?", passages=("평가\n동료의 평가 결과는 확인할 수 없다.",))
    answer = said("동료의 평가 결과는 확인할 수 없습니다 [1].", case, analyser)
    assert (answer.outcome, answer.cited) == (Outcome.ANSWERED, ("1",))
    assert said("연봉은 확인할 수 없습니다 [1].", case, analyser).outcome is Outcome.ABSTAINED


@pytest.mark.parametrize("text", [prompts.REFUSAL, "문서에는 해당 정보가 없습니다.", "연차는 1년에 15일을 줍니다 [1]."])
async def test_given_passages_and_the_wiki_are_read_alike(text: str, index: SearchIndex) -> None:
    writer = ScriptedWriter(script=[text, text])
    flow = flow_over(index, writer)
    wiki = GateCase("x/2", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    sides = Answerers(flow, writer, LORA, index.analyser)
    outcomes = [(await answer_case(case, sides)).outcome for case in (wiki, replace(wiki, passages=GIVEN.passages))]
    flow.close()
    assert outcomes[0] is outcomes[1]


def test_a_writer_that_fails_is_a_failed_answer() -> None:
    answer = said("연차는", failure=WriterFailed(reason="x"))
    assert (answer.outcome, answer.notes, answer.text) == (Outcome.FAILED, ("WriterFailed",), "")


def flow_over(index: SearchIndex, writer: ScriptedWriter | None, lora: LoraFile | None = LORA) -> AnswerFlow:
    model = "scripted" if writer else "extractive"
    return AnswerFlow(lambda: Live(index, index.analyser, writer, model, lora, prompts.version(), threshold=5.0))


async def test_a_question_of_a_set_goes_the_whole_way(index: SearchIndex) -> None:
    case = GateCase("x/2", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    writer = ScriptedWriter(script=["연차는 1년에 15일을 줍니다 [1]. 숙박비는 999원입니다 [1]."])
    flow = flow_over(index, writer)
    answer = await answer_case(case, Answerers(flow, writer, LORA, index.analyser))
    flow.close()
    assert (answer.outcome, answer.cited) == (Outcome.ANSWERED, ("휴가.md",))
    assert answer.text == "연차는 1년에 15일을 줍니다."
    assert any(note.startswith("removed_") for note in answer.notes)
    assert answer.first_token is not None


async def test_quotes_instead_of_a_broken_writer_are_a_failure(index: SearchIndex) -> None:
    case = GateCase("x/2", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    for writer in (None, ScriptedWriter(script=["연차는"], failure=WriterFailed(reason="x"))):
        flow = flow_over(index, writer)
        answer = await answer_case(case, Answerers(flow, writer or ScriptedWriter(script=[""]), LORA, index.analyser))
        flow.close()
        assert answer.outcome is Outcome.FAILED


async def test_a_flow_that_writes_with_another_lora_is_noticed(index: SearchIndex) -> None:
    case = GateCase("x/2", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    writer = ScriptedWriter(script=["연차는 1년에 15일을 줍니다 [1]."])
    flow = flow_over(index, writer, lora=None)
    answer = await answer_case(case, Answerers(flow, writer, LORA, index.analyser))
    flow.close()
    assert answer.outcome is Outcome.FAILED
    assert "other_lora" in answer.notes


@pytest.mark.parametrize("text", ["연차는 1년에 15일을 줍니다 [1].", prompts.REFUSAL])
async def test_a_flow_over_another_edition_is_noticed(index: SearchIndex, text: str) -> None:
    case = GateCase("x/2", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    writer = ScriptedWriter(script=[text])
    flow = flow_over(index, writer)
    answer = await answer_case(case, Answerers(flow, writer, LORA, index.analyser), "another")
    assert (answer.outcome, answer.text) == (Outcome.FAILED, "")
    assert "other_edition" in answer.notes
    assert (
        await answer_case(case, Answerers(flow, writer, LORA, index.analyser), index.name)
    ).outcome is not Outcome.FAILED
    flow.close()


@dataclass
class OfEdition:
    """A flow whose answers name another edition than its index'."""

    flow: AnswerFlow
    edition: str

    async def answer(self, question: Question) -> Answer:
        return replace(await self.flow.answer(question), edition=self.edition)


@dataclass
class Counting:
    """A side with a scripted writer: how often it was opened, and what was asked."""

    stamp: Stamp = STAMP
    opened: int = 0
    asked: list[str] = field(default_factory=list)
    fails: frozenset[str] = frozenset()
    late: list[str] = field(default_factory=list)
    """Each time out as often as they stand here."""

    def side(self) -> Side:
        @asynccontextmanager
        async def opening() -> AsyncIterator[Answerers]:
            self.opened += 1
            yield Answerers(NoFlow(), ScriptedWriter(script=self._say), LORA, kiwi())

        return Side("faq-1", self.stamp, opening)

    def _say(self, messages: Sequence[BaseMessage]) -> str:
        question = messages[-1].text.rsplit("질문: ", 1)[1]
        self.asked.append(question)
        if question in self.fails:
            raise WriterFailed(reason="x")
        if question in self.late:
            self.late.remove(question)
            raise WriterTimeout(seconds=90.0)
        return "연차는 15일입니다 [1]."


CASES = [replace(GIVEN, id=f"x/{n}", question=f"{n}번?") for n in range(6)]


async def test_nothing_is_asked_twice_and_a_side_that_need_not_answer_is_not_opened(tmp_path: Path) -> None:
    counting, steps = Counting(), list[tuple[int, int]]()
    with KeptAnswers(tmp_path) as kept:
        first = await ask_side(
            counting.side(), CASES[:4], kept, run="a", timed=0, progress=lambda d, t: steps.append((d, t))
        )
        assert steps == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
        again = await ask_side(counting.side(), CASES[:4], kept, run="b", timed=0)
        assert again == first
        assert (counting.opened, len(counting.asked)) == (1, 4)
        await ask_side(counting.side(), CASES, kept, run="b", timed=0)
    assert (counting.opened, counting.asked[4:]) == (2, ["4번?", "5번?"])


async def test_another_lora_prompt_or_question_is_asked_anew(tmp_path: Path) -> None:
    counting = Counting()
    with KeptAnswers(tmp_path) as kept:
        for change in ({}, {"lora": "none"}, {"prompt": "ko-2"}, {"dials": "80"}):
            counting.asked.clear()
            counting.stamp = replace(STAMP, **change)
            await ask_side(counting.side(), CASES[:2], kept, run="a", timed=0)
            assert counting.asked == ["0번?", "1번?"]
        changed = [replace(CASES[0], passages=(LEAVE,)), CASES[1]]
        await ask_side(counting.side(), changed, kept, run="a", timed=0)
    assert counting.asked[2:] == ["0번?"]


async def test_a_new_edition_asks_the_wiki_again_and_not_what_brings_its_passages(
    tmp_path: Path, index: SearchIndex
) -> None:
    wiki = GateCase("x/w", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    writer = ScriptedWriter(script=["연차는 1년에 15일을 줍니다 [1]."])
    flow = flow_over(index, writer)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Answerers]:
        yield Answerers(OfEdition(flow, edition), writer, LORA, kiwi())

    with KeptAnswers(tmp_path) as kept:
        for edition, asked in (("one", 2), ("two", 1), ("one", 0)):
            before = len(writer.calls)
            stamp = replace(STAMP, edition=edition)
            answers = await ask_side(Side("faq-1", stamp, opening), [GIVEN, wiki], kept, run="a", timed=0)
            assert [one.outcome for one in answers.values()] == [Outcome.ANSWERED] * 2
            assert len(writer.calls) - before == asked
        assert kept.forget_all_but([replace(STAMP, edition="two")]) == 1
        assert len(kept.of(replace(STAMP, edition="two"))) == 2
    flow.close()


async def test_failures_are_asked_again_in_another_run(tmp_path: Path) -> None:
    counting = Counting(fails=frozenset({"1번?"}))
    with KeptAnswers(tmp_path) as kept:
        first = await ask_side(counting.side(), CASES[:3], kept, run="a", timed=0)
        assert first[CASES[1].fingerprint].outcome is Outcome.FAILED
        assert (await ask_side(counting.side(), CASES[:3], kept, run="a", timed=0)) == first
        counting.fails = frozenset()
        second = await ask_side(counting.side(), CASES[:3], kept, run="b", timed=0)
    assert second[CASES[1].fingerprint].outcome is Outcome.ANSWERED
    assert counting.asked[3:] == ["1번?"]


async def test_what_timed_out_is_asked_once_more_at_the_end_before_it_counts(tmp_path: Path) -> None:
    counting, steps = Counting(late=["0번?", "1번?", "1번?"]), list[tuple[int, int]]()
    with KeptAnswers(tmp_path) as kept:
        found = await ask_side(
            counting.side(), CASES[:3], kept, run="a", timed=0, progress=lambda d, t: steps.append((d, t))
        )
        assert counting.asked == ["0번?", "1번?", "2번?", "0번?", "1번?"]
        assert steps == [(0, 3), (1, 4), (2, 5), (3, 5), (4, 5), (5, 5)]
        outcomes = [found[case.fingerprint].outcome for case in CASES[:3]]
        assert outcomes == [Outcome.ANSWERED, Outcome.FAILED, Outcome.ANSWERED]
        assert kept.of(counting.stamp) == found
        again = await ask_side(counting.side(), CASES[:3], kept, run="b", timed=0)
    assert counting.asked[5:] == ["1번?"]
    assert again[CASES[1].fingerprint].outcome is Outcome.ANSWERED


async def test_an_answer_that_was_cut_off_by_its_time_is_asked_again_too(tmp_path: Path, index: SearchIndex) -> None:
    case = GateCase("x/w", "연차는 1년에 며칠인가요?", True, ("15일",), ("휴가.md",))
    text = "연차는 1년에 15일을 줍니다 [1]. "
    writer = ScriptedWriter(script=[text * 9], failure=WriterTimeout(seconds=90.0), fail_after=9)
    flow = flow_over(index, writer)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Answerers]:
        yield Answerers(flow, writer, LORA, index.analyser)

    side = Side("faq-1", replace(STAMP, edition=index.name), opening)
    with KeptAnswers(tmp_path) as kept:
        for run, asked in (("a", 2), ("a", 2), ("b", 4)):
            [found] = (await ask_side(side, [case], kept, run=run, timed=0)).values()
            assert (found.outcome, "WriterTimeout" in found.notes) == (Outcome.ANSWERED, True)
            assert len(writer.calls) == asked
    flow.close()


async def test_way_is_given_before_each_question(tmp_path: Path) -> None:
    counting = Counting(late=["1번?"])
    asked: list[int] = []

    async def give_way() -> None:
        asked.append(len(counting.asked))

    with KeptAnswers(tmp_path) as kept:
        await ask_side(counting.side(), CASES[:3], kept, run="a", timed=0, give_way=give_way)
    assert asked == [0, 1, 2, 3]


async def test_a_few_are_timed_anew_in_every_run_the_same_for_both_sides(tmp_path: Path) -> None:
    one, two = Counting(), Counting(Stamp("base", "none", "edition", "ko-1"))
    with KeptAnswers(tmp_path) as kept:
        for counting in (one, two):
            await ask_side(counting.side(), CASES, kept, run="a", timed=2)
            assert len(counting.asked) == 6
        for counting in (one, two):
            answers = await ask_side(counting.side(), CASES, kept, run="b", timed=2)
            assert sorted(answer.run for answer in answers.values()) == ["a"] * 4 + ["b"] * 2
    assert one.asked[6:] == two.asked[6:]


async def test_a_cancelled_run_leaves_what_is_answered(tmp_path: Path) -> None:
    counting = Counting()
    with KeptAnswers(tmp_path) as kept:

        async def stop_after_two() -> None:
            def stop(done: int, total: int) -> None:
                if done == 2:
                    task.cancel()

            task = asyncio.ensure_future(ask_side(counting.side(), CASES, kept, run="a", timed=0, progress=stop))
            with pytest.raises(asyncio.CancelledError):
                await task

        await stop_after_two()
        assert len(kept.of(counting.stamp)) == 2
        assert len(await ask_side(counting.side(), CASES, kept, run="b", timed=0)) == 6
