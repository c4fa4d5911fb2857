"""A text as detectors should see it, with the way back to the original.

NFKC makes full-width digits and letters plain; characters that cannot be seen are dropped; every dash is a hyphen. What is
masked already, or found by an earlier round, is one private-use character of its kind (`MARKS`), which no pattern matches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bot.examples.personal_kinds import KIND_OF, MARKS, PLACEHOLDER, Finding

_CLUSTER = re.compile(
    r".[\u0300-\u036f\u1160-\u11ff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f\uff9e\uff9f]{0,16}", re.DOTALL
)
"""A character with its marks: what NFKC may join. Bounded, since ordering marks takes quadratic time."""
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043"), "-")
_UNUSABLE = {"Cf", "Co", "Cs"}


@dataclass(frozen=True, slots=True)
class View:
    """`text[i]` comes from `starts[i]` … `ends[i]` of the original."""

    text: str
    starts: list[int]
    ends: list[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the view, not empty, lies in the original."""
        return self.starts[start], self.ends[end - 1]


def view_of(text: str, found: Iterable[Finding] = ()) -> View:
    """The view of `text`; `found` in the order of the text, not overlapping."""
    marks = [(one.start, one.end, MARKS[one.kind]) for one in found]
    marks += [(match.start(), match.end(), MARKS[KIND_OF[match[0]]]) for match in PLACEHOLDER.finditer(text)]
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for start, end, mark in [*sorted(marks), (len(text), len(text), "")]:
        for match in _CLUSTER.finditer(text, position, start):
            seen = _seen(match[0])
            letters.append(seen)
            starts += [match.start()] * len(seen)
            ends += [match.end()] * len(seen)
        letters.append(mark)
        starts += [start] * len(mark)
        ends += [end] * len(mark)
        position = end
    return View("".join(letters), starts, ends)


def _seen(cluster: str) -> str:
    if cluster.isascii():
        return cluster
    normal = unicodedata.normalize("NFKC", cluster).translate(_DASHES)
    return "".join(letter for letter in normal if unicodedata.category(letter) not in _UNUSABLE)
