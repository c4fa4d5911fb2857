"""Text → sentences. Pure, one pass, no language model: used to cut passages and to check answers sentence by sentence.

A line end always ends a sentence (list items, table rows). Within a line a sentence ends at `.?!…` before white space,
but not in numbers and dates (3.5, 2026. 1. 5.), after numbering (1. 가. A.) or abbreviations (e.g. No.).
Source marks stay with the sentence they follow: "15일입니다. [1] 다음 …" → "15일입니다. [1]", "다음 …".
"""

from __future__ import annotations

import re

_END = re.compile(
    r"""
      [.?!…。！？]+ ["'”’»)\]」』》〉]* (?:[ \t]{0,2}\[\d{1,3}(?:,[ ]?\d{1,3})*\])* (?=\s|$)  # 끝났습니다." [1] 다음
    | (?<=니다)[.!?]+ (?:\[\d{1,3}(?:,[ ]?\d{1,3})*\])* (?=[가-힣“‘(])  # 끝났습니다.다음: small models forget the space
    """,
    re.VERBOSE,
)
_ROW = re.compile(r"\s\|\s")
_NEXT = re.compile(r"\s*(\S)")
_WORD_WINDOW = 24  # characters looked back from a full stop: no word that matters here is longer
_NUMBERING = re.compile(r"[(\[]?(?:\d{1,2}(?:\.\d{1,2})*|[A-Za-z]|[가나다라마바사아자차카타파하]|[ivxIVX]{1,4})\.")
_DATE_PART = re.compile(r"['’(~-]*\d{1,4}\.")
_ABBREVIATIONS = frozenset("e.g. i.e. etc. vs. no. mr. mrs. ms. dr. fig. vol. ver. tel. st. approx. cf. p. pp.".split())


def sentences(text: str) -> list[str]:
    """The sentences of `text` in order, stripped, none empty."""
    return [text[start:end] for start, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence in `text`; between two of them is only white space."""
    found: list[tuple[int, int]] = []
    at = 0
    for line in text.split("\n"):
        starts = [0]
        if not _ROW.search(line):
            starts += [match.end() for match in _END.finditer(line) if _ends(line, match)]
        for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
            piece = line[start:end]
            if piece.strip():
                left = start + len(piece) - len(piece.lstrip())
                found.append((at + left, at + start + len(piece.rstrip())))
        at += len(line) + 1
    return found


def _ends(line: str, match: re.Match[str]) -> bool:
    """Whether the mark found in `line` ends a sentence: only a single full stop may be part of something else."""
    if not match[0].startswith(".") or match[0].startswith(".."):
        return True
    stop = match.start() + 1
    words = line[max(0, stop - _WORD_WINDOW) : stop].split()
    word = words[-1]
    if word.lower() in _ABBREVIATIONS or _NUMBERING.fullmatch(word):
        return False
    following = _NEXT.match(line, match.end())
    in_date = following is not None and following[1].isdigit()  # 2026. 1. 5.
    return not (in_date and _DATE_PART.fullmatch(word))
