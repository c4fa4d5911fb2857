"""The prompt's last message ⇄ its parts, so that files made for other tools hold exactly what the writer reads.

    문서:\\n[1] 제목\\n글\\n[2] …\\n\\n이전 질문: …\\n질문: …

A line of a passage that looks like one of these begins gets a backslash, which is taken off again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot import prompts

_DOCUMENTS, _EARLIER, _QUESTION = "문서:\n", "이전 질문: ", "질문: "
_AMBIGUOUS = re.compile(r"^(?=\\|\[\d+\] |이전 질문: |질문: )", re.MULTILINE)
_ESCAPED = re.compile(r"^\\", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a message holds. `passages` are as shown: heading line and text."""

    question: str
    passages: tuple[str, ...]
    turns: tuple[str, ...]


def message(question: str, passages: Sequence[str], turns: Sequence[str]) -> str:
    """What the writer reads after the rules and examples. `question` and `turns` are single lines."""
    escaped = [_AMBIGUOUS.sub(r"\\", passage) for passage in passages]
    return str(prompts.prompt(escaped, question, turns)[-1].content)


def documents(passages: Sequence[str], turns: Sequence[str]) -> str:
    """The same without the question."""
    return message("", passages, turns).removesuffix(_QUESTION).strip()


def parts(text: str) -> Parts | None:
    """The inverse of `message`; None for a text that has another form."""
    lines = text.split("\n")
    if not text.startswith(_DOCUMENTS) or not lines[-1].startswith(_QUESTION):
        return None
    return _parts(lines[:-1], lines[-1].removeprefix(_QUESTION))


def parts_of_documents(text: str) -> Parts | None:
    """The inverse of `documents`, the question left empty; None for a text that has another form."""
    return _parts(text.split("\n"), "") if text.startswith(_DOCUMENTS) else None


def _parts(lines: list[str], question: str) -> Parts | None:
    body = lines[1:]
    turns: list[str] = []
    while body and body[-1].startswith(_EARLIER):
        turns.insert(0, body.pop().removeprefix(_EARLIER))
    passages: list[list[str]] = []
    for line in body:
        begin = f"[{len(passages) + 1}] "
        if line.startswith(begin):
            passages.append([line.removeprefix(begin)])
        elif passages:
            passages[-1].append(line)
        elif line:
            return None
    if not passages:
        return None
    return Parts(question, tuple(_ESCAPED.sub("", "\n".join(one).strip("\n")) for one in passages), tuple(turns))
