"""Lines as printed → lines as meant: joins what was wrapped only to fit the paper or the editor."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

BULLET = re.compile(
    r"\s*(?:[-*+•‣◦·∙○●◎□■◇◆▶▷►→※✓✔❍⦁\u2012-\u2015\uf000-\uf0ff]\s|[①-⑳㉠-㉻]"
    r"|\(?(?:\d{1,3}|[가나다라마바사아자차카타파하]|[A-Za-z])[.)]\s"
    r"|제\s?\d+\s?(?:[장절관]\s|조(?:의\d+)?\s?[(\[【])|\[[ xX]\]\s)"
)
"""How a list item or an article of a regulation begins."""

_ENDS = re.compile(r"[.!?…:;。！？][\"'”’)\]」』》]*$|[다요음함임됨]\.?$")
_FULL_LINE = 0.75


def width(text: str) -> int:
    """Columns on a terminal or page: a Hangul syllable takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def unwrap(lines: Sequence[str], least: int = 56, widest: int | None = None) -> str:
    """Join `lines` with a space where one goes on in the next, else with a line end.

    A line goes on if it is about as wide as the widest one (at least `least` columns), does not end a sentence, and
    the next one does not begin a list item. Inside a wrapped Korean word the space is wrong, but nothing tells.
    `widest`: the widest line of the whole page, if known.
    """
    widest = widest or max(map(width, lines), default=0)
    full = max(least, _FULL_LINE * widest)
    parts: list[str] = []
    for number, line in enumerate(lines):
        parts.append(line.strip() if number and parts[-1] == " " else line)
        if number + 1 < len(lines):
            goes_on = width(line) >= full and not _ENDS.search(line.rstrip()) and not BULLET.match(lines[number + 1])
            parts.append(" " if goes_on else "\n")
    return "".join(parts)
