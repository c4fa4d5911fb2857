"""Glob patterns over a relative path, as in .gitignore.

규정/*.md        in that folder
규정/**/*.md     in it and below
**/초안/**       below any folder of that name
*.pdf            no slash: at any depth
비공개           a folder (or file) of that name at any depth, with all it holds
/비공개          only at the root
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


class Patterns:
    """Matches a path if any pattern names it or a folder it is in. False if there are no patterns."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [unicodedata.normalize("NFC", pattern.strip()) for pattern in patterns if pattern.strip()]
        self._matchers = [re.compile(_regex(pattern)) for pattern in self._patterns]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match(self, path: str) -> bool:
        """`path`: NFC, `/`-separated. Empty parts of it count for nothing: to most servers `hr//pay` is `hr/pay`."""
        path = "/".join(filter(None, path.split("/")))
        return any(matcher.fullmatch(path) for matcher in self._matchers)

    def asks_for(self, suffix: str) -> bool:
        """Whether a pattern names files of `suffix` (such as `.hwp`) explicitly, not by a mere `*`."""
        return bool(suffix) and any(pattern.lower().endswith(suffix) for pattern in self._patterns)


def _regex(pattern: str) -> str:
    anchored = "/" in pattern.rstrip("/")
    segments = [segment for segment in pattern.split("/") if segment not in ("", ".")]
    if not anchored:
        segments.insert(0, "**")
    parts = ""
    for segment in segments[:-1]:
        parts += "(?:[^/]+/)*" if segment == "**" else _segment(segment) + "/"
    last = segments[-1] if segments else "**"
    return parts + (".+" if last == "**" else _segment(last) + "(?:/.+)?")


def _segment(segment: str) -> str:
    """One name: `*`, `?` and `[…]` never cross a slash."""
    parts, at = "", 0
    while at < len(segment):
        char = segment[at]
        closing = segment.find("]", at + 2) if char == "[" else -1
        if char == "*":
            parts += "" if parts.endswith("[^/]*") else "[^/]*"  # `**` inside a name is one `*`: no slow matching
        elif char == "?":
            parts += "[^/]"
        elif closing > 0:
            inside = segment[at + 1 : closing]
            negated = inside[0] in "!^"
            letters = re.sub(r"([\\\]\[^&~|])", r"\\\1", inside[1:] if negated else inside)
            parts += f"(?!/)[{'^' if negated else ''}{letters}]"
            at = closing
        else:
            parts += re.escape(char)
        at += 1
    return parts
