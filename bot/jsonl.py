"""JSON Lines files that people hand in → one object per line, broken lines named. Knows no keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bot.errors import SaseoError

T = TypeVar("T")
MOST_TOLD = 10
"""Broken lines that one error names; the others are counted."""


class Malformed(Exception):
    """Why a line cannot be used, as a Korean phrase."""


def read_lines(path: Path, take: Callable[[dict[str, object], int], T], refused: type[SaseoError]) -> list[T]:
    """`take(object, line number)` of every line that is not blank, at least one; a byte order mark is tolerated.

    `take` raises Malformed. Raises `refused` with `path`, `line` (0: the file as a whole) and `reason`, which tells of the other broken
    lines, too.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise refused(path=path, line=0, reason=f"파일을 열 수 없습니다: {error.strerror}") from error
    taken: list[T] = []
    broken: list[tuple[int, str]] = []
    # Bytes are split before decoding: the line of a bad byte is then known, and U+2028 in a text ends no line.
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            taken.append(take(_object(line), number))
        except Malformed as error:
            broken.append((number, str(error)))
    refuse_broken(broken, path, refused)
    if not taken:
        raise refused(path=path, line=0, reason="질문이 하나도 없습니다")
    return taken


def refuse_broken(broken: Sequence[tuple[int, str]], path: Path, refused: type[SaseoError]) -> None:
    """Raise `refused` where there are broken lines: (number, reason), in the order of the file. All at once, to be mended at once."""
    if not broken:
        return
    (line, reason), *others = broken
    told = "".join(f"; {number}행: {why}" for number, why in others[: MOST_TOLD - 1])
    uncounted = len(broken) - MOST_TOLD
    raise refused(path=path, line=line, reason=reason + told + (f"; 그 밖에 {uncounted}행" if uncounted > 0 else ""))


def text(raw: dict[str, object], key: str) -> str:
    """The stripped text under `key`, empty when there is none. Raises Malformed."""
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{key}은(는) 문자열이어야 합니다")
    return _sound(value, key)


def texts(raw: dict[str, object], key: str) -> tuple[str, ...]:
    """The texts of the list under `key`, none empty. Raises Malformed."""
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise Malformed(f"{key}은(는) 비어 있지 않은 문자열의 목록이어야 합니다")
    return tuple(_sound(one, key) for one in value)


def groups(raw: dict[str, object]) -> frozenset[str]:
    """`as`: `"hr"`, `"hr,exec"` or a list, as on the command line. Raises Malformed."""
    value = raw.get("as")
    if value is None:
        return frozenset()
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Malformed("as는 그룹 이름이거나 그룹 이름의 목록이어야 합니다")
    return frozenset(name.strip() for name in names if name.strip())


def _object(line: bytes) -> dict[str, object]:
    try:
        raw = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Malformed(f"UTF-8이 아닙니다: {error.start + 1}번째 바이트") from error
    except json.JSONDecodeError as error:
        raise Malformed(f"JSON이 아닙니다: {error.colno}번째 글자, {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Malformed("JSON을 해석할 수 없습니다: 숫자가 너무 길거나 구조가 너무 깊습니다") from error
    if not isinstance(raw, dict):
        raise Malformed("한 행은 JSON 객체 {…} 하나여야 합니다")
    return raw


def _sound(value: str, key: str) -> str:
    # JSON can spell half a surrogate pair ("\ud83d"), which no file, log or embedder can take.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Malformed(f"{key}에 올바르지 않은 유니코드 문자가 있습니다")
    return value.strip()
