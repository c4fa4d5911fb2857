"""A question in the served model's own words. What comes back is only a proposal: the search must find the passage with it.

A small model drifts, so nothing of what was asked may be lost that can be checked: its numbers, its length, its language.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from bot import prompts
from bot.answering.verify import wrong_language
from bot.errors import WritingError
from bot.examples.guards import numbers

_RULES = (
    "직원이 회사 위키에 묻는 질문을 뜻이 같은 다른 말로 바꿔 씁니다. 숫자와 이름은 그대로 두고, "
    "질문 한 문장만 씁니다. 답하지 않습니다."
)
_EXAMPLES = (
    ("질문: 연차는 사용일 며칠 전까지 신청합니까?", "연차 쓰려면 며칠 전에 올려야 해요?"),
    ("질문: 두물은 몇 층에 있습니까?", "두물 회의실 몇 층이었죠?"),
)
_LABEL = re.compile(r"^\s*(?:질문|바꾼 질문)\s*[::]\s*")
_SHORTEST, _LONGEST = 6, 90
"""Characters of a usable question."""


class WriterRewording:
    """A `Rewording` over a writer. Call it from any thread but the loop's own."""

    def __init__(self, writer: BaseChatModel, loop: asyncio.AbstractEventLoop, *, seconds: float = 60.0) -> None:
        """`loop`: where the writer lives. `seconds`: how long one question may take."""
        self._writer = writer
        self._loop = loop
        self._seconds = seconds

    def __call__(self, question: str, shown: Sequence[str]) -> str | None:
        """None when the model gives nothing that could be the same question."""
        messages: list[BaseMessage] = [SystemMessage(_RULES)]
        for one, other in _EXAMPLES:
            messages += [HumanMessage(one), AIMessage(other)]
        options: dict[str, Any] = {
            "asker": "synthesis",
            "max_tokens": 60,
            "temperature": 0.0,
            "timeout": self._seconds,
            "stop": ["\n"],
        }
        call = self._writer.ainvoke([*messages, HumanMessage(f"질문: {question}")], **options)
        try:
            text = asyncio.run_coroutine_threadsafe(call, self._loop).result(self._seconds + 5).text
        except (WritingError, TimeoutError):
            return None
        return usable(_LABEL.sub("", " ".join(text.split())), question, shown)


def usable(words: str, question: str, shown: Sequence[str]) -> str | None:
    """`words` if they may be `question` said otherwise."""
    if not _SHORTEST <= len(words) <= _LONGEST or words == question or "[" in words:
        return None
    if (
        words.rstrip(".") in prompts.REFUSAL
        or re.search(r"(?:니다|십시오)\.?$", words)
        or not re.search(r"[가-힣]", words)
    ):
        return None
    if sorted(numbers(words)) != sorted(numbers(question)) or wrong_language(words, [question, *shown]):
        return None
    return words
