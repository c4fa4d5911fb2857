"""A PDF's own outline (its bookmarks) → headings, and the lines of a page that they stand at.

Whatever an outline says, it is only believed within bounds: a file can link entries in circles, point anywhere and repeat one huge
title, and its text must be read all the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from knowledge.formats.outline import one_line

_MOST_ENTRIES = 5_000
_MOST_TITLE_CHARACTERS = 1_000_000
"""Of all titles as they are written: entries can share one huge title, and each time it is decoded again."""
_MOST_REPEATED = 2_000_000
"""Characters of heading paths at worst, one path for each page and entry; a page's text has to fit beside them (parsing/limits.py)."""
_LONGEST_TITLE = 120
_CUT = "…"
_DEEPEST = 5  # part, chapter, section, article, paragraph
_DEEPEST_WALKED = 15
_MOST_LINES = 3
"""That a printed title may be wrapped into."""
_SHORTEST_BEGINNING = 3
_MOST_BEGINNINGS = 500
_NUMBER = re.compile(
    r"(?:제\s?\d{1,3}\s?[편장절관조항]|\d{1,3}(?:\.\d{1,3})*[.)]?|[IVXⅠ-Ⅻ]{1,5}[.)]?|[A-Z가-하][.)])\s+"
)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """`level` and `page` count from 0. `own_page`: false if `page` is that of the entry below, since it points nowhere itself."""

    title: str
    level: int
    page: int
    own_page: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A heading before line `line` of its page; `lines`: how many lines from there are the title itself."""

    level: int
    title: str
    line: int
    lines: int = 0


def bookmarks_of(document: Any, pages: int) -> list[Bookmark]:
    """In reading order; none if the outline is beyond all bounds. `document`: a `PdfDocument`, under the caller's lock.

    What points back, before an entry in front of it (a list of tables behind the chapters), is left out with all below it.
    """
    entries: list[Bookmark] = []
    waiting: list[Bookmark] = []  # point nowhere: they open where the first entry below them does
    at, skipped, characters = 0, _DEEPEST, 0
    for number, entry in enumerate(document.get_toc(max_depth=_DEEPEST_WALKED)):
        if number >= _MOST_ENTRIES:
            return []
        if entry.level >= _DEEPEST or entry.level > skipped:
            continue
        written = _title_of(entry)
        characters += len(written)
        if characters > _MOST_TITLE_CHARACTERS:
            return []
        page = _page_of(entry, document, pages)
        if page is not None and page < at:
            skipped = entry.level
            continue
        skipped = _DEEPEST
        waiting = [above for above in waiting if above.level < entry.level]
        found = Bookmark(_shown(written), entry.level, at if page is None else page, page is not None)
        if page is None:
            waiting.append(found)
            continue
        entries += [replace(above, page=page) for above in waiting]
        entries.append(found)
        waiting, at = [], page
    entries = [entry for entry in entries if any(map(str.isalpha, entry.title))]  # "1", "2" count pages
    return entries if _repeated(entries, pages) <= _MOST_REPEATED else []


def _title_of(entry: Any) -> str:
    try:
        return str(entry.get_title())
    except UnicodeDecodeError:  # half a letter
        return ""


def _page_of(entry: Any, document: Any, pages: int) -> int | None:
    """Counted from 0. None: it points nowhere, behind the last page, or into another file."""
    from pypdfium2 import raw  # type: ignore[import-untyped,unused-ignore]

    action = raw.FPDFBookmark_GetAction(entry)
    if action and raw.FPDFAction_GetType(action) != raw.PDFACTION_GOTO:
        return None
    target = entry.get_dest()
    page = None if target is None else target.get_index()
    return int(page) if page is not None and page < pages else None


def _shown(written: str) -> str:
    title = one_line(written[: 4 * _LONGEST_TITLE])
    return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1].rstrip() + _CUT


def _repeated(entries: Sequence[Bookmark], pages: int) -> int:
    longest: dict[int, int] = {}
    for entry in entries:
        longest[entry.level] = max(longest.get(entry.level, 0), len(entry.title))
    return (len(entries) + pages) * sum(longest.values())


def by_page(bookmarks: Sequence[Bookmark]) -> dict[int, list[Bookmark]]:
    """Page, from 0 → its bookmarks in their order."""
    return {page: list(found) for page, found in groupby(bookmarks, lambda bookmark: bookmark.page)}


def placed(bookmarks: Sequence[Bookmark], lines: Sequence[str]) -> list[Placed]:
    """Where the bookmarks of one page begin in its `lines`, from top to bottom.

    At the line that is the title, or begins with it. The first one that is printed nowhere begins with the page; another such
    one with the next that is found, else after the page's text: what stands between may belong to the one before.
    """
    if not bookmarks:
        return []
    printed = _Printed(lines)
    found: list[Placed | None] = []
    after = 0
    for bookmark in bookmarks:
        place = printed.find(bookmark, after)
        found.append(place)
        if place is not None:
            after = place.line + max(place.lines, 1)
    first = next((number for number, bookmark in enumerate(bookmarks) if bookmark.own_page), 0)
    places: list[Placed] = []
    next_line = len(lines)
    for number in reversed(range(len(bookmarks))):
        place = found[number]
        if place is None:
            line = 0 if number == first and not any(found[:number]) else next_line
            place = Placed(bookmarks[number].level, bookmarks[number].title, line)
        next_line = place.line
        places.insert(0, place)
    return places


class _Printed:
    """The lines of a page, to look titles up in."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._whole: dict[str, list[tuple[int, int]]] = {}  # letters of a title → first line, number of lines; in order
        self._bare: dict[str, list[tuple[int, int]]] = {}  # the same without its number
        for first in range(len(lines)):
            for many in range(1, min(_MOST_LINES, len(lines) - first) + 1):
                text = " ".join(lines[first : first + many])
                if len(text) > 2 * _LONGEST_TITLE:
                    break
                self._whole.setdefault(_letters(text), []).append((first, many))
                if bare := _without_number(text):
                    self._bare.setdefault(_letters(bare), []).append((first, many))
        self._squeezed = ["".join(line.split()) for line in lines[:_MOST_BEGINNINGS]]

    def find(self, bookmark: Bookmark, after: int) -> Placed | None:
        """From line `after` on."""
        title, bare = _letters(bookmark.title), _letters(_without_number(bookmark.title))
        # Some programs leave the number out of the bookmark, some pages have none
        for known, key in ((self._whole, title), (self._bare, title), (self._whole, bare)):
            places = known.get(key, []) if key else []
            at = bisect_left(places, (after, 0))
            if at < len(places):
                first, many = places[at]
                shown = one_line(" ".join(self._lines[first : first + many])) if known is self._bare else bookmark.title
                return Placed(bookmark.level, shown, first, many)
        return self._beginning(bookmark, after)

    def _beginning(self, bookmark: Bookmark, after: int) -> Placed | None:
        """Articles of regulations go on in the line of their title: "제1조(목적) 이 규칙은 …"."""
        start = "".join(bookmark.title.removesuffix(_CUT).split())
        for number in range(after, len(self._squeezed) if len(start) >= _SHORTEST_BEGINNING else 0):
            if self._squeezed[number].startswith(start) and (
                bookmark.title.endswith(_CUT) or _ends_word(self._lines[number], start)
            ):
                return Placed(bookmark.level, bookmark.title, number)
        return None


def _letters(text: str) -> str:
    """What two ways to write one title have in common."""
    return "".join(char for char in text.casefold() if char.isalnum())


def _without_number(text: str) -> str:
    """ "제1장 총칙" → "총칙"; empty if there is no number."""
    found = _NUMBER.match(text)
    return text[found.end() :] if found else ""


def _ends_word(line: str, start: str) -> bool:
    """Whether a word of `line` ends with its beginning `start`: "제1조" is no beginning of "제1조의2"."""
    left = len(start)
    for char in line:
        if not left:
            return not start[-1].isalnum() or not char.isalnum()
        left -= not char.isspace()
    return True
