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

from bot.errors import BadEvaluationSet, EvaluationError

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


class DetailsNotWritable(EvaluationError):
    """`path`, `reason`."""

    ko = "질문별 결과를 쓸 수 없습니다: {path} ({reason}). --details에 쓸 수 있는 경로를 지정해 주세요."
    en = "The per-question results cannot be written: {path} ({reason}). Give --details a writable path."


class _Malformed(Exception):
    """Why a line cannot be used, as a Korean phrase."""


def load_set(path: Path) -> list[Case]:
    """The cases in file order; blank lines are skipped, a byte order mark is tolerated.

    Raises BadEvaluationSet with the line number (0: the file as a whole).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadEvaluationSet(path=path, line=0, reason=f"파일을 열 수 없습니다: {error.strerror}") from error
    cases = []
    # Bytes are split before decoding: the line of a bad byte is then known, and U+2028 in a text ends no line.
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            cases.append(_case(_object(line), number))
        except _Malformed as error:
            raise BadEvaluationSet(path=path, line=number, reason=str(error)) from error
    if not cases:
        raise BadEvaluationSet(path=path, line=0, reason="질문이 하나도 없습니다")
    return cases


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


def _object(line: bytes) -> dict[str, object]:
    try:
        raw = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Malformed(f"UTF-8이 아닙니다: {error.start + 1}번째 바이트") from error
    except json.JSONDecodeError as error:
        raise _Malformed(f"JSON이 아닙니다: {error.colno}번째 글자, {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise _Malformed("JSON을 해석할 수 없습니다: 숫자가 너무 길거나 구조가 너무 깊습니다") from error
    if not isinstance(raw, dict):
        raise _Malformed("한 행은 JSON 객체 {…} 하나여야 합니다")
    return raw


def _case(raw: dict[str, object], line: int) -> Case:
    question = _text(raw, "question")
    if not question:
        raise _Malformed("question이 없거나 비어 있습니다")
    if raw.get("page") is not None and raw.get("pages") is not None:
        raise _Malformed("page와 pages 가운데 하나만 쓸 수 있습니다")
    pages = _texts(raw, "pages") or tuple(filter(None, [_text(raw, "page")]))
    answers = _texts(raw, "answers")
    answerable = raw.get("answerable")
    if answerable is None:
        answerable = bool(pages or answers)
    if not isinstance(answerable, bool):
        raise _Malformed("answerable은 true 또는 false여야 합니다")
    return Case(
        id=_text(raw, "id", numbers=True) or str(line),
        question=question,
        pages=tuple(dict.fromkeys(unicodedata.normalize("NFC", page) for page in pages)),
        answers=tuple(dict.fromkeys(answers)),
        answerable=answerable,
        groups=_groups(raw.get("as")),
        turns=_texts(raw, "turns"),
        kind=_text(raw, "kind"),
    )


def _text(raw: dict[str, object], key: str, *, numbers: bool = False) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if numbers and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _Malformed(f"{key}은(는) 글자여야 합니다")
    return _sound(value, key)


def _texts(raw: dict[str, object], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise _Malformed(f"{key}은(는) 비어 있지 않은 글자의 목록이어야 합니다")
    return tuple(_sound(one, key) for one in value)


def _groups(value: object) -> frozenset[str]:
    """`"hr"`, `"hr,exec"` or a list, as on the command line."""
    if value is None:
        return frozenset()
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _Malformed("as는 그룹 이름이거나 그룹 이름의 목록이어야 합니다")
    return frozenset(name.strip() for name in names if name.strip())


def _sound(text: str, key: str) -> str:
    # JSON can spell half a surrogate pair ("\ud83d"), which no file, log or embedder can take.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _Malformed(f"{key}에 올바르지 않은 유니코드 문자가 있습니다")
    return text.strip()
