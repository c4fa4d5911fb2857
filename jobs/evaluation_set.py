"""The files of an evaluation: JSON Lines → cases, checked before the first question is asked; and records → JSON Lines.

    {"question", "page"?|"pages"?, "answers"?, "answerable"?, "as"?, "turns"?, "id"?, "kind"?}

`answerable` defaults to true where a page or an answer is given. Other keys are left to whoever wrote the set.
"""

from __future__ import annotations

import contextlib
import json
import logging
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot import jsonl
from bot.errors import BadEvaluationSet, DetailsNotWritable
from bot.jsonl import Malformed

_log = logging.getLogger("saseo.jobs.evaluate")


@dataclass(frozen=True, slots=True)
class Case:
    """One question of a set. `pages`: the gold pages, NFC, relative to their source; `groups`: who asks (`as`)."""

    id: str
    question: str
    pages: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    answerable: bool = False
    groups: frozenset[str] = frozenset()
    turns: tuple[str, ...] = ()
    """Earlier questions of the conversation, oldest first."""
    kind: str = ""

    def as_json(self) -> dict[str, object]:
        """What a per-question record begins with."""
        return {
            "id": self.id,
            "kind": self.kind,
            "question": self.question,
            "turns": list(self.turns),
            "as": sorted(self.groups),
            "answerable": self.answerable,
            "pages": list(self.pages),
            "answers": list(self.answers),
        }


def load_set(path: Path) -> list[Case]:
    """The cases in file order. Raises BadEvaluationSet with the line number (0: the file as a whole)."""
    return jsonl.read_lines(path, _case, BadEvaluationSet)


@contextlib.contextmanager
def details_file(path: Path | None) -> Iterator[Callable[[dict[str, object]], None]]:
    """A function that writes one record as one line, at once: an interrupted run leaves what it has.

    None writes nothing. Raises DetailsNotWritable before the first question.
    """
    if path is None:
        yield lambda record: None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise DetailsNotWritable(path=path, reason=error.strerror) from error
    broken = False

    def write(record: dict[str, object]) -> None:
        nonlocal broken
        if broken:
            return
        try:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
        except OSError as error:  # a full disk must not cost the hours of measuring behind us
            broken = True
            _log.warning(json.dumps({"event": "details_not_written", "path": str(path), "reason": error.strerror}))

    try:
        yield write
    finally:
        with contextlib.suppress(OSError):  # after a failed write, closing fails again on what is left in the buffer
            file.close()


def _case(raw: dict[str, object], line: int) -> Case:
    question = jsonl.text(raw, "question")
    if not question:
        raise Malformed("question이 없거나 비어 있습니다")
    if raw.get("page") is not None and raw.get("pages") is not None:
        raise Malformed("page와 pages 가운데 하나만 쓸 수 있습니다")
    pages = jsonl.texts(raw, "pages") or tuple(filter(None, [jsonl.text(raw, "page")]))
    answers = jsonl.texts(raw, "answers")
    answerable = raw.get("answerable")
    if answerable is None:
        answerable = bool(pages or answers)
    if not isinstance(answerable, bool):
        raise Malformed("answerable은 true 또는 false여야 합니다")
    return Case(
        id=_id(raw) or str(line),
        question=question,
        pages=tuple(dict.fromkeys(unicodedata.normalize("NFC", page) for page in pages)),
        answers=tuple(dict.fromkeys(answers)),
        answerable=answerable,
        groups=jsonl.groups(raw),
        turns=jsonl.texts(raw, "turns"),
        kind=jsonl.text(raw, "kind"),
    )


def _id(raw: dict[str, object]) -> str:
    """A text or a whole number."""
    value = raw.get("id")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else jsonl.text(raw, "id")
