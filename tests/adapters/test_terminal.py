"""The terminal conversation with a scripted core and scripted lines."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from adapters.terminal.chat import REMEMBERED, chat
from bot import texts
from bot.messages import Answer, Citation, Event, Finished, Outcome, Progressed, Question, Seconds, Tokens, Wrote

CITED = Citation(n=1, page="hr/leave.md", title="연차 규정", url=None, quote="연차는 15일입니다.", heading="부여")


def answer(text: str, *, outcome: Outcome = Outcome.ANSWERED, nearest: tuple[Citation, ...] = ()) -> Answer:
    return Answer(
        outcome=outcome,
        text=text,
        citations=(CITED,) if outcome is Outcome.ANSWERED else (),
        model="extractive",
        lora="none",
        edition="e",
        prompt="p",
        tokens=Tokens(),
        seconds=Seconds(0.0, None, 0.0),
        nearest=nearest,
    )


class Core:
    """Answers each question with the same events; remembers what it was asked and whether streams were closed."""

    def __init__(self, *events: Event) -> None:
        self.events = events
        self.asked: list[Question] = []
        self.closed = 0

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        self.asked.append(question)
        try:
            for event in self.events:
                await asyncio.sleep(0)
                yield event
        finally:
            self.closed += 1


TWO_SENTENCES = (
    Progressed("searching"),
    Progressed("reading", 2),
    Wrote("연차는 15일입니다. [1]"),
    Wrote(" 이월할 수 없습니다. [1]"),
    Finished(answer("연차는 15일입니다. [1] 이월할 수 없습니다. [1]")),
)


def typed(*lines: str) -> Callable[[], AsyncIterator[str]]:
    async def read() -> AsyncIterator[str]:
        for line in lines:
            yield line

    return read


async def talk(core: object, *lines: str, groups: frozenset[str] = frozenset(), language: texts.Language = "ko") -> str:
    out = io.StringIO()
    await chat(core, groups, language=language, read=typed(*lines), out=out)  # type: ignore[arg-type]
    return out.getvalue()


async def test_sentences_are_printed_as_they_come_and_the_sources_after_them() -> None:
    shown = await talk(Core(*TWO_SENTENCES), "연차 며칠?\n")
    assert "연차는 15일입니다. [1] 이월할 수 없습니다. [1]" in shown
    assert shown.index("이월할 수 없습니다.") < shown.index("출처:") < shown.index("[1] 연차 규정 > 부여 (hr/leave.md)")
    assert "“연차는 15일입니다.”" in shown


async def test_progress_and_escape_codes_stay_out_of_a_pipe() -> None:
    shown = await talk(Core(*TWO_SENTENCES), "연차 며칠?")
    assert "\x1b" not in shown
    assert texts.step("searching", 0, "ko") not in shown


async def test_a_declined_question_shows_the_nearest_pages() -> None:
    text = texts.abstained((CITED,), "ko")
    declined = answer(text, outcome=Outcome.ABSTAINED, nearest=(CITED,))
    shown = await talk(Core(Wrote(text), Finished(declined)), "로또 번호?")
    assert text in shown
    assert "[1] 연차 규정" in shown
    assert "출처:" not in shown


async def test_a_failed_question_still_says_a_sentence() -> None:
    text = texts.failed("abc", "ko")
    shown = await talk(Core(Finished(answer(text, outcome=Outcome.FAILED))), "연차?")
    assert text in shown


async def test_earlier_questions_go_along_oldest_first_and_at_most_four() -> None:
    core = Core(*TWO_SENTENCES)
    await talk(core, *(f"질문 {n}" for n in range(7)))
    assert core.asked[0].turns == ()
    assert core.asked[2].turns == ("질문 0", "질문 1")
    assert core.asked[6].turns == ("질문 2", "질문 3", "질문 4", "질문 5")
    assert max(len(question.turns) for question in core.asked) == REMEMBERED == 4


@pytest.mark.parametrize("word", ["/새로", "/new"])
async def test_a_new_conversation_forgets_the_earlier_questions(word: str) -> None:
    core = Core(*TWO_SENTENCES)
    shown = await talk(core, "첫 질문", word, "둘째 질문", "셋째 질문")
    assert [question.text for question in core.asked] == ["첫 질문", "둘째 질문", "셋째 질문"]
    assert [question.turns for question in core.asked] == [(), (), ("둘째 질문",)]
    assert texts.forgotten("ko") in shown


@pytest.mark.parametrize("word", ["/끝", "/quit", "끝", "exit"])
async def test_a_word_of_parting_ends_the_conversation(word: str) -> None:
    core = Core(*TWO_SENTENCES)
    await talk(core, "첫 질문", word, "둘째 질문")
    assert len(core.asked) == 1


async def test_empty_lines_are_no_questions_and_spaces_are_tidied() -> None:
    core = Core(*TWO_SENTENCES)
    await talk(core, "\n", "   \t ", "  연차   며칠?\n")
    assert [question.text for question in core.asked] == ["연차 며칠?"]


async def test_each_question_has_an_id_of_its_own_and_the_groups_of_the_person() -> None:
    core = Core(*TWO_SENTENCES)
    await talk(core, "하나", "둘", groups=frozenset({"hr"}))
    assert len({question.id for question in core.asked}) == 2
    assert {question.groups for question in core.asked} == {frozenset({"hr"})}


async def test_every_stream_is_closed() -> None:
    core = Core(*TWO_SENTENCES)
    await talk(core, "하나", "둘")
    assert core.closed == 2


class Interrupted(Core):
    """A person presses Ctrl-C in the middle of the first answer."""

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        self.asked.append(question)
        try:
            yield Wrote("연차는 15일입니다. [1]")
            if len(self.asked) == 1:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(30)
            yield Finished(answer("연차는 15일입니다. [1]"))
        finally:
            self.closed += 1


async def test_ctrl_c_stops_the_answer_says_so_and_the_conversation_goes_on() -> None:
    core = Interrupted()
    async with asyncio.timeout(10):
        shown = await talk(core, "하나", "둘")
    stopped, after = shown.split(texts.stopped("ko"))
    assert "연차는 15일입니다." in stopped
    assert "출처:" not in stopped
    assert "> 둘" in after
    assert "출처:" in after
    assert core.closed == 2
    assert core.asked[1].turns == ("하나",)


async def test_after_an_answer_ctrl_c_is_the_programs_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    await talk(Core(*TWO_SENTENCES), "하나")
    assert signal.getsignal(signal.SIGINT) is before


async def test_stopping_the_whole_program_is_not_taken_for_a_stopped_answer() -> None:
    class Slow(Core):
        async def stream(self, question: Question) -> AsyncIterator[Event]:
            self.asked.append(question)
            await asyncio.sleep(30)
            yield Wrote("")

    core = Slow()
    talking = asyncio.create_task(talk(core, "하나", "둘"))
    while not core.asked:
        await asyncio.sleep(0.01)
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    assert len(core.asked) == 1


async def test_english_is_spoken_when_it_is_the_language() -> None:
    shown = await talk(Core(*TWO_SENTENCES), "/new", "How many days?", language="en")
    assert texts.forgotten("en") in shown
    assert "Sources:" in shown
