"""Whole questions through the real graph and a real index; only the model is scripted."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from bot.answering.condense import condense
from bot.answering.flow import AnswerFlow, FlowOptions
from bot.errors import BrokenModel, WriterBusy, WriterFailed, WriterTimeout
from bot.live import Canary, Live
from bot.messages import Answer, Event, Finished, Outcome, Progressed, Question, Wrote
from bot.prompts import REFUSAL
from bot.writers.engine import LoraFile, UnlessSure
from knowledge.page import reader_of
from knowledge.search import SearchIndex
from tests.fakes.scripted_writer import Script, ScriptedWriter

GOOD = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다 [1]."


def flow_with(index: SearchIndex, writer: ScriptedWriter | None, threshold: float = 2.0) -> AnswerFlow:
    live = Live(index, index.analyser, writer, "scripted" if writer else "extractive", None, "test", threshold)
    return AnswerFlow(lambda: live)


def writer_of(script: Script | list[str], **fields: object) -> ScriptedWriter:
    return ScriptedWriter(script=script, **fields)


async def events_of(flow: AnswerFlow, text: str, **fields: object) -> tuple[list[Event], Answer]:
    events = [event async for event in flow.stream(Question(text, id="q1", **fields))]  # type: ignore[arg-type]
    answers = [event.answer for event in events if isinstance(event, Finished)]
    assert len(answers) == 1
    assert isinstance(events[-1], Finished)
    shown = "".join(event.text for event in events if isinstance(event, Wrote))
    assert answers[0].outcome is Outcome.FAILED or shown == answers[0].text
    return events, answers[0]


ASKED = "연차는 며칠 전까지 신청합니까?"


async def test_an_answer_cites_its_page_and_is_stamped(index: SearchIndex) -> None:
    _, answer = await events_of(flow_with(index, writer_of([GOOD])), ASKED)
    assert answer.outcome is Outcome.ANSWERED
    assert [c.page for c in answer.citations] == ["휴가.md"]
    assert answer.text.endswith("[1]")
    assert answer.citations[0].quote in index.edition.passages[1].text or "3일" in answer.citations[0].quote
    assert (answer.model, answer.lora, answer.edition, answer.prompt) == ("scripted", "none", index.name, "test")
    assert answer.seconds.first_token is not None


@pytest.mark.parametrize(
    ("script", "outcome", "note"),
    [
        ([GOOD], Outcome.ANSWERED, None),
        ([REFUSAL], Outcome.ABSTAINED, "writer_refused"),
        (
            ["연차는 30일 전까지 신청합니다."],
            Outcome.ANSWERED,
            "removed_number",
        ),  # quoted instead: the evidence is strong
        (["请在三天前申请。", GOOD], Outcome.ANSWERED, "wrong_language"),
        (["请在三天前申请。"], Outcome.ANSWERED, "ungrounded"),
        ([""], Outcome.ANSWERED, "ungrounded"),
        (["[1]"], Outcome.ANSWERED, "ungrounded"),
    ],
)
async def test_every_way_of_writing_ends_in_one_outcome(
    index: SearchIndex, script: list[str], outcome: Outcome, note: str | None
) -> None:
    _, answer = await events_of(flow_with(index, writer_of(script)), ASKED)
    assert answer.outcome is outcome
    assert note is None or note in answer.notes
    assert "30일" not in answer.text
    assert not any("一" <= character <= "鿿" for character in answer.text)


async def test_a_refusal_must_be_sure_where_the_settings_say_so(index: SearchIndex) -> None:
    writer = writer_of(["연차는 1년에 15일입니다 [1]."])
    lora = LoraFile("tuned", Path("tuned.gguf"), "0" * 64)
    sure = FlowOptions(refusal_confidence=0.75)
    for options, attached, expected in (
        (FlowOptions(), lora, None),
        (sure, None, None),  # the plain base
        (sure, lora, UnlessSure(REFUSAL, 0.75)),
    ):
        live = Live(index, index.analyser, writer, "scripted", attached, "test", 2.0)
        await events_of(AnswerFlow(lambda live=live: live, options), "연차는 며칠인가요?")  # type: ignore[misc]
        assert writer.calls[-1][1]["unless_sure"] == expected


async def test_wrong_language_is_written_again_once(index: SearchIndex) -> None:
    writer = writer_of(["请在三天前申请。", GOOD])
    _, answer = await events_of(flow_with(index, writer), ASKED)
    assert len(writer.calls) == 2
    assert answer.model == "scripted"
    assert writer.cancelled >= 0
    assert writer.calls[1][1]["temperature"] > writer.calls[0][1]["temperature"]


@pytest.mark.parametrize(
    "failure", [WriterFailed(reason="x"), WriterTimeout(seconds=1.0), BrokenModel(name="m", reason="x")]
)
@pytest.mark.parametrize("fail_after", [0, 20])
async def test_a_failing_writer_gives_quotes(index: SearchIndex, failure: Exception, fail_after: int) -> None:
    writer = writer_of(["글자 " * 300], failure=failure, fail_after=fail_after)
    _, answer = await events_of(flow_with(index, writer), ASKED)
    assert answer.outcome is Outcome.ANSWERED
    assert answer.model == "extractive"
    assert "“" in answer.text
    assert type(failure).__name__ in answer.notes


def _language_then_busy() -> Script:
    texts = iter(["请在三天前申请。"])

    def script(messages: Sequence[BaseMessage]) -> str:
        for text in texts:
            return text
        raise WriterBusy(waiting=9, limit=9)

    return script


OFF_TOPIC = "피아노 조율은 어떻게 합니까?"


@pytest.mark.parametrize(
    ("script", "failure", "question", "stamp", "tried"),
    [
        ([""], None, ASKED, ("extractive", "none"), ("scripted", "tuned")),
        (["请在三天前申请。"], None, ASKED, ("extractive", "none"), ("scripted", "tuned")),
        (_language_then_busy(), None, ASKED, ("extractive", "none"), ("scripted", "tuned")),
        ([GOOD], WriterTimeout(seconds=1.0), ASKED, ("extractive", "none"), ("scripted", "tuned")),
        ([GOOD], WriterFailed(reason="x"), ASKED, ("extractive", "none"), ("scripted", "tuned")),
        ([GOOD], WriterBusy(waiting=9, limit=9), ASKED, ("extractive", "none"), ("", "")),  # it was never asked
        ([GOOD], BrokenModel(name="m", reason="x"), ASKED, ("extractive", "none"), ("", "")),
        ([GOOD], None, OFF_TOPIC, ("extractive", "none"), ("", "")),
        ([GOOD], None, ASKED, ("scripted", "tuned"), ("", "")),
        ([REFUSAL], None, ASKED, ("scripted", "tuned"), ("", "")),
    ],
)
async def test_an_answer_tells_whose_words_were_thrown_away(
    index: SearchIndex,
    script: Script | list[str],
    failure: Exception | None,
    question: str,
    stamp: tuple[str, str],
    tried: tuple[str, str],
) -> None:
    lora = LoraFile("tuned", Path("tuned.gguf"), "0" * 64)
    live = Live(index, index.analyser, writer_of(script, failure=failure), "scripted", lora, "test", 2.0)
    _, answer = await events_of(AnswerFlow(lambda: live), question)
    assert (answer.model, answer.lora) == stamp
    assert (answer.tried_model, answer.tried_lora) == tried


async def test_sentences_shown_before_a_failure_stay(index: SearchIndex) -> None:
    writer = writer_of([GOOD + " 그리고 " * 50], failure=WriterFailed(reason="x"), fail_after=25)
    _, answer = await events_of(flow_with(index, writer), ASKED)
    assert answer.model == "scripted"
    assert answer.text.startswith("연차는 사용 3일 전까지")


async def test_without_a_writer_quotes_are_verbatim(index: SearchIndex) -> None:
    _, answer = await events_of(flow_with(index, None), ASKED)
    assert (answer.outcome, answer.model, answer.tried_model) == (Outcome.ANSWERED, "extractive", "")
    texts = "\n".join(passage.text for passage in index.edition.passages)
    assert all(citation.quote in texts for citation in answer.citations)


async def test_off_topic_is_declined_without_asking_the_writer(index: SearchIndex) -> None:
    writer = writer_of([GOOD])
    _, answer = await events_of(flow_with(index, writer), "피아노 조율은 어떻게 합니까?")
    assert answer.outcome is Outcome.ABSTAINED
    assert not writer.calls
    assert "no_evidence" in answer.notes


async def test_a_mistyped_question_is_answered_as_it_was_meant(index: SearchIndex) -> None:
    _, answer = await events_of(flow_with(index, None), "dusck를 쓰려면 며칠 전까지 신청하나요?")
    assert answer.outcome is Outcome.ANSWERED
    assert answer.condensed.startswith("연차를 쓰려면")
    assert not answer.leaned


async def test_where_nothing_is_found_the_question_before_is_added(index: SearchIndex) -> None:
    asked, before = "그룹웨어에서 신청하고 승인은 팀장이 합니까?", "연차는 며칠 전까지 신청합니까?"
    alone = index.search(asked, reader_of(())).evidence.strength
    _, answer = await events_of(flow_with(index, None, threshold=alone + 0.01), asked, turns=(before,))
    assert "rewritten" in answer.notes
    assert (answer.condensed, answer.leaned) == (f"{before} {asked}", True)
    assert answer.outcome is Outcome.ANSWERED


@pytest.mark.parametrize("asked", ["피아노 조율은 어떻게 합니까?", "올해 프로야구 우승팀이 어디입니까?"])
async def test_off_topic_after_a_question_is_not_answered_with_that_ones_answer(index: SearchIndex, asked: str) -> None:
    before = "연차는 며칠 전까지 신청합니까?"
    alone, joined = (index.search(text, reader_of(())).evidence.strength for text in (asked, f"{before} {asked}"))
    assert joined > alone  # the earlier question's own words make it look well founded
    writer = writer_of([GOOD])
    _, answer = await events_of(flow_with(index, writer, threshold=(alone + joined) / 2), asked, turns=(before,))
    assert answer.outcome is Outcome.ABSTAINED
    assert not writer.calls
    assert answer.condensed == asked


async def test_a_short_question_about_something_else_is_searched_alone_too(index: SearchIndex) -> None:
    asked, before = "연차는 며칠이야?", "비트코인 채굴기 전기 요금은 얼마입니까?"
    joined, turns = condense(asked, (before,), index.analyser)
    assert turns == (before,)
    with_it, alone = (index.search(text, reader_of(())).evidence.strength for text in (joined, asked))
    writer = writer_of(["연차는 1년에 15일입니다 [1]."])
    flow = flow_with(index, writer, threshold=(with_it + alone) / 2)
    _, answer = await events_of(flow, asked, turns=(before,))
    assert with_it < alone
    assert (answer.condensed, answer.leaned) == (asked, False)
    assert "rewritten" in answer.notes
    assert writer.calls
    assert "이전 질문" not in writer.calls[-1][0][-1].text
    _, pointing = await events_of(
        flow, "그럼 연차는?", turns=(before,)
    )  # whatever it means, it is said of the one before
    assert "rewritten" not in pointing.notes


async def test_a_short_question_about_nothing_the_wiki_has_is_not_answered_with_the_one_before(
    index: SearchIndex,
) -> None:
    asked, before = "비트코인 지금 사도 될까?", "연차는 며칠 전까지 신청합니까?"
    joined, _ = condense(asked, (before,), index.analyser)
    with_it, alone = (index.search(text, reader_of(())).evidence.strength for text in (joined, asked))
    assert with_it > alone
    writer = writer_of([GOOD])
    _, answer = await events_of(flow_with(index, writer, threshold=(with_it + alone) / 2), asked, turns=(before,))
    assert answer.outcome is Outcome.ABSTAINED
    assert not writer.calls


@pytest.mark.parametrize("asked", ["승인은 누가 해?", "그건 얼마야?", "그럼 비트코인은?", "dusck는 며칠이야?"])
async def test_what_the_wiki_has_and_what_points_back_still_lean(index: SearchIndex, asked: str) -> None:
    before = "연차는 며칠 전까지 신청합니까?"
    writer = writer_of([GOOD])
    _, answer = await events_of(flow_with(index, writer, threshold=0.0), asked, turns=(before,))
    assert f"이전 질문: {before}" in writer.calls[0][0][-1].text
    assert "rewritten" not in answer.notes


async def test_thanks_and_stop_words_are_no_earlier_questions(index: SearchIndex) -> None:
    writer = writer_of([GOOD])
    talk = ("감사합니다!", "네, 알겠습니다 ㅎㅎ", "취소해 줘", "👍", "정말 고마워요~", "저도 궁금합니다")
    before = "연차는 며칠 전까지 신청합니까?"
    _, answer = await events_of(flow_with(index, writer, threshold=0.0), "그럼 승인은?", turns=(before, *talk))
    assert writer.calls[0][0][-1].text.count("이전 질문") == 1
    assert f"이전 질문: {before}" in writer.calls[0][0][-1].text
    assert "감사" not in answer.condensed


async def test_what_only_begins_like_thanks_is_a_question(index: SearchIndex) -> None:
    writer = writer_of([GOOD])
    await events_of(flow_with(index, writer, threshold=0.0), "그럼 승인은?", turns=("감사팀은 어디야?",))
    assert "이전 질문: 감사팀은 어디야?" in writer.calls[0][0][-1].text


async def test_the_rest_of_a_loop_is_not_shown(index: SearchIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받고 그룹웨어에서"
    for reason in ("end", "loop"):
        monkeypatch.setattr(ScriptedWriter, "_text", lambda *_, reason=reason: (rest, reason))
        _, answer = await events_of(flow_with(index, writer_of([rest]), threshold=0.5), ASKED)
        assert (rest in answer.text) == (reason == "end")


async def test_a_follow_up_is_searched_with_its_topic(index: SearchIndex) -> None:
    writer = writer_of([GOOD])
    _, answer = await events_of(flow_with(index, writer), "그럼 신청은 어디서 해?", turns=("연차는 며칠이야?",))
    assert "연차" in answer.condensed
    assert "이전 질문: 연차는 며칠이야?" in writer.calls[0][0][-1].text


async def test_a_restricted_page_reaches_only_its_readers(index: SearchIndex) -> None:
    seen: list[str] = []

    def script(messages: Sequence[BaseMessage]) -> str:
        seen.append(messages[-1].text)
        return "책임 직급의 연봉 상한은 9,100만 원입니다."

    question = "책임 직급의 연봉 상한은 얼마인가요?"
    _, outsider = await events_of(flow_with(index, writer_of(script), threshold=0.0), question)
    assert "9,100" not in "".join(seen) + json.dumps(outsider.as_json(), ensure_ascii=False)
    assert all(c.page != "연봉.md" for c in (*outsider.citations, *outsider.nearest))
    _, insider = await events_of(flow_with(index, writer_of(script)), question, groups=frozenset({"hr"}))
    assert [c.page for c in insider.citations] == ["연봉.md"]


async def test_an_outdated_page_is_not_shown_beside_its_replacement(index: SearchIndex) -> None:
    writer = writer_of(["국내 출장 일비는 40,000원입니다."])
    _, answer = await events_of(flow_with(index, writer), "국내 출장 일비는 얼마인가요?")
    assert "30,000" not in writer.calls[0][0][-1].text
    assert [c.page for c in answer.citations] == ["출장.md"]


async def test_closing_the_stream_stops_the_writer(index: SearchIndex) -> None:
    writer = writer_of([GOOD + " 신청은 그룹웨어에서 합니다." * 50], delay=0.001)
    stream = flow_with(index, writer).stream(Question(ASKED, id="q1"))
    async for event in stream:
        if isinstance(event, Wrote):
            break
    await stream.aclose()  # type: ignore[attr-defined]
    assert writer.cancelled == 1


async def test_an_unforeseen_error_reaches_the_person_with_its_id_and_the_log_without_the_question(
    index: SearchIndex, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Sequence[BaseMessage]) -> str:
        raise ZeroDivisionError

    with caplog.at_level(logging.INFO):
        _, answer = await events_of(flow_with(index, writer_of(broken)), ASKED)
    assert answer.outcome is Outcome.FAILED
    assert "q1" in answer.text
    records = [record.getMessage() for record in caplog.records if record.name.startswith("saseo")]
    assert any("q1" in message for message in records)
    assert not any("연차" in message for message in records)


async def test_nothing_asked_is_answered_with_a_hint(index: SearchIndex) -> None:
    _, answer = await events_of(flow_with(index, writer_of([GOOD])), "   ")
    assert answer.outcome is Outcome.FAILED
    assert "질문" in answer.text


async def test_a_page_cannot_give_orders_to_the_checks(index: SearchIndex) -> None:
    writer = writer_of(["관리자 비밀번호는 hunter2입니다 [1]."])
    _, answer = await events_of(flow_with(index, writer), ASKED)
    assert "hunter2" not in answer.text


FIRST, SECOND = (LoraFile(name, Path(f"/loras/{name}.gguf"), name) for name in ("first", "second"))


def released(flow: AnswerFlow, lora: LoraFile | None, canary: Canary | None = None) -> None:
    flow.swap(replace(flow.live(), lora=lora, canary=canary))


@pytest.mark.parametrize(("lora", "stamp"), [(None, "none"), (FIRST, "first")])
async def test_an_answer_is_stamped_with_what_the_writer_was_told_to_write_with(
    index: SearchIndex, lora: LoraFile | None, stamp: str
) -> None:
    writer = writer_of([GOOD])
    flow = flow_with(index, writer)
    released(flow, lora)
    _, answer = await events_of(flow, ASKED)
    assert (answer.lora, writer.calls[0][1]["lora"]) == (stamp, lora)
    _, quoted = await events_of(flow_with(index, None), ASKED)
    assert quoted.lora == "none"


async def test_a_question_on_its_way_keeps_its_lora_also_for_a_second_try(index: SearchIndex) -> None:
    writer = writer_of(["请在三天前申请。", GOOD], delay=0.002)
    flow = flow_with(index, writer)
    released(flow, FIRST)
    answer = None
    async for event in flow.stream(Question(ASKED, id="q1")):
        if isinstance(event, Progressed) and event.step == "writing":
            released(flow, SECOND)
        if isinstance(event, Finished):
            answer = event.answer
    assert answer is not None
    assert answer.lora == "first"
    assert [arguments["lora"] for _, arguments in writer.calls] == [FIRST, FIRST]
    _, after = await events_of(flow, ASKED)
    assert after.lora == "second"


async def test_a_conversation_stays_with_the_canary_or_with_what_it_is_tried_beside(index: SearchIndex) -> None:
    writer = writer_of([GOOD])
    flow = flow_with(index, writer)
    canary = Canary(SECOND, 0.5, release=3)
    released(flow, FIRST, canary)
    stamps = {}
    for conversation in "abcdef":
        answers = [(await events_of(flow, ASKED, conversation=conversation))[1] for _ in range(2)]
        assert answers[0].lora == answers[1].lora
        stamps[conversation] = answers[0].lora
        assert stamps[conversation] == ("second" if canary.answers(conversation) else "first")
    assert set(stamps.values()) == {"first", "second"}
    _, alone = await events_of(flow, ASKED)  # a question outside of any goes by its own id
    assert alone.lora == ("second" if canary.answers("q1") else "first")


BESIDE = "미사용 연차는 이월할 수 없습니다."


@pytest.fixture(scope="module")
def between(index: SearchIndex) -> float:
    """A threshold that the sentence which answers reaches and the one beside the point does not."""
    near, beside = index.closeness(ASKED, index.idf).of([f"연차 규정\n{GOOD}", f"연차 규정\n{BESIDE}"])
    assert near > beside + 0.5
    return beside


async def test_a_true_sentence_that_is_beside_the_point_is_not_shown(index: SearchIndex, between: float) -> None:
    _, shown = await events_of(flow_with(index, writer_of([BESIDE]), threshold=between - 1.0), ASKED)
    assert BESIDE in shown.text
    _, removed = await events_of(flow_with(index, writer_of([BESIDE]), threshold=between), ASKED)
    assert BESIDE not in removed.text
    assert "removed_beside" in removed.notes
    assert removed.model == "extractive"  # the sentence that answers is near enough to be quoted


async def test_what_follows_a_sentence_that_answers_may_explain_it(index: SearchIndex, between: float) -> None:
    _, answer = await events_of(flow_with(index, writer_of([f"{GOOD} {BESIDE}"]), threshold=between), ASKED)
    assert answer.text.startswith("연차는 사용 3일 전까지")
    assert BESIDE in answer.text
    assert "removed_beside" not in answer.notes


async def test_bad_writing_is_declined_where_no_sentence_is_near_enough_to_quote(index: SearchIndex) -> None:
    evidence = index.search(ASKED, reader_of()).evidence.strength
    _, answer = await events_of(flow_with(index, writer_of([""]), threshold=evidence - 0.01), ASKED)
    assert answer.outcome is Outcome.ABSTAINED
    assert "ungrounded" in answer.notes
