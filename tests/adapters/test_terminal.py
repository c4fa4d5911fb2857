"""A conversation in the terminal, with the core replaced by a script."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

from adapters.terminal.chat import chat
from bot.messages import Answer, Citation, Event, Finished, Outcome, Progressed, Question, Seconds, Tokens, Wrote


class ScriptedCore:
    """Answers every question with its own words; `asked` remembers them."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        """One sentence, one source; "멈춰" is cancelled midway."""
        self.asked.append(question)
        yield Progressed("searching")
        yield Wrote(f"답: {question.text} [1]")
        if question.text == "멈춰":
            raise asyncio.CancelledError
        source = Citation(1, "휴가.md", "연차 규정", None, "연차는 15일입니다.", "부여")
        yield Finished(
            Answer(Outcome.ANSWERED, "답", (source,), "m", "none", "e", "p", Tokens(), Seconds(0.0, None, 0.0))
        )


async def talk(*lines: str) -> tuple[str, ScriptedCore]:
    async def read() -> AsyncIterator[str]:
        for line in lines:
            yield line

    core, out = ScriptedCore(), io.StringIO()
    await chat(core, frozenset({"hr"}), read=read, out=out)
    return out.getvalue(), core


async def test_sentences_and_sources_are_printed() -> None:
    shown, core = await talk("연차는 며칠이야?")
    assert "답: 연차는 며칠이야? [1]" in shown
    assert "출처" in shown
    assert "[1] 연차 규정 > 부여 (휴가.md)" in shown
    assert core.asked[0].groups == {"hr"}


async def test_earlier_questions_are_remembered_and_forgotten_on_request() -> None:
    _, core = await talk("하나", "둘", "셋", "넷", "다섯", "여섯", "/새로", "일곱", "끝", "여덟")
    assert core.asked[5].turns == ("둘", "셋", "넷", "다섯")
    assert core.asked[6].turns == ()
    assert [question.text for question in core.asked][-1] == "일곱"


async def test_a_stopped_answer_does_not_end_the_conversation() -> None:
    shown, core = await talk("멈춰", "다음")
    assert "답변을 멈췄습니다." in shown
    assert core.asked[-1].text == "다음"
