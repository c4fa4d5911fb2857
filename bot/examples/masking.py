"""Personal data → placeholders, before anything is stored as an example.

    mask("김민수 대리 010-1234-5678").text == "[이름] 대리 [전화번호]"

Two layers, both on a normalised view (`normal_view.py`): our own patterns, and the rules of ko-pii for what they miss, so that
nothing hangs on one young package. ko-pii's names are not used: on a wiki it took 노트북 and 고객사 for people. Names in Latin
letters, and names without a sign that a person is meant, are not found: a reviewer must still look. Figures:
`benchmarks/personal_data.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ko_pii import detect_all

from bot.examples.identifiers import Span, identifiers, is_labelled_otherwise, is_nobodys
from bot.examples.normal_view import View, view_of
from bot.examples.personal_kinds import MARK, PLACEHOLDERS, Finding, PersonalKind
from bot.examples.personal_names import personal_names
from bot.examples.postal_addresses import is_an_address, postal_addresses

_ROUNDS = 12
"""Masking changes what stands beside other data, so it is repeated until nothing is found: two or three rounds in practice."""
_CHUNK = 2_000
"""Characters given to ko-pii at once: whatever its rules cost, the whole then takes time linear in the text."""
_LIBRARY_KINDS = {
    "RRN": PersonalKind.RESIDENT_NUMBER,
    "FRN": PersonalKind.FOREIGNER_NUMBER,
    "PHONE": PersonalKind.PHONE,
    "FAX": PersonalKind.PHONE,
    "EMAIL": PersonalKind.EMAIL,
    "CARD": PersonalKind.CARD,
    "ACCOUNT": PersonalKind.ACCOUNT,
    "ADDRESS": PersonalKind.ADDRESS,
    "PASSPORT": PersonalKind.PASSPORT,
    "DRIVER_LICENSE": PersonalKind.DRIVER_LICENCE,
    "BUSINESS_REG": PersonalKind.BUSINESS_NUMBER,
}
_RANK = {kind: rank for rank, kind in enumerate(PersonalKind)}
_ANY_MARK = re.compile(MARK)
_CUT = re.compile(rf"(?s).{{1,{_CHUNK}}}(?:\s|$)|.{{1,{_CHUNK}}}")


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` with placeholders, and where in the original they come from, in the order of the text."""

    text: str
    found: tuple[Finding, ...]


def mask(text: str) -> Masked:
    """Replace personal data by placeholders such as `[전화번호]`.

    Deterministic; time linear in the text; masking a masked text changes nothing. Placeholders that stand in `text` already stay
    and are not findings.
    """
    found: list[Finding] = []
    for _ in range(_ROUNDS):
        more = _look(view_of(text, found))
        if not more:
            break
        found = sorted([*found, *more], key=lambda one: one.start)
    return Masked(_replaced(text, found), tuple(found))


def _look(view: View) -> list[Finding]:
    """What one round finds; overlaps are settled by layer, then by kind, then by place."""
    candidates = [(0, _RANK[kind], start, end, kind) for kind, start, end in _own(view.text)]
    candidates += [(1, _RANK[kind], start, end, kind) for kind, start, end in _library(view.text)]
    taken = bytearray(len(view.text))
    findings = []
    for _, _, start, end, kind in sorted(candidates):
        if start < end and not any(taken[start:end]) and not _ANY_MARK.search(view.text, start, end):
            taken[start:end] = b"\x01" * (end - start)
            findings.append(Finding(kind, *view.original(start, end)))
    return findings


def _own(text: str) -> Iterator[Span]:
    yield from identifiers(text)
    for start, end in postal_addresses(text):
        yield PersonalKind.ADDRESS, start, end
    for start, end in personal_names(text):
        yield PersonalKind.NAME, start, end


def _library(text: str) -> Iterator[Span]:
    """ko-pii's findings, without what we know to be nobody's or something else."""
    for chunk in _CUT.finditer(text):
        for one in detect_all(chunk[0], include=_LIBRARY_KINDS):
            start, end = chunk.start() + one.start, chunk.start() + one.end
            start, end = _trimmed(text, start, end)
            value, kind = text[start:end], _LIBRARY_KINDS[one.label]
            if kind is PersonalKind.ADDRESS and not is_an_address(text, start, end):
                continue
            if is_nobodys(value) or is_labelled_otherwise(text, start, end):
                continue
            if any(letter.isdigit() for letter in value) or kind is PersonalKind.EMAIL:
                yield kind, start, end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without a second line and without blanks at the ends."""
    value = text[start:end]
    first = value.strip().split("\n", 1)[0].rstrip()
    start += len(value) - len(value.lstrip())
    return start, start + len(first)


def _replaced(text: str, found: Iterable[Finding]) -> str:
    parts, position = [], 0
    for one in found:
        parts += [text[position : one.start], PLACEHOLDERS[one.kind]]
        position = one.end
    return "".join([*parts, text[position:]])
