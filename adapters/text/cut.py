"""Shortening text that is already rendered."""

from __future__ import annotations

import unicodedata

import regex

# Never cut inside: a link (its text may hold one pair of brackets), a code span, an escaped character, an entity, a Slack link.
_LINK_TEXT = r"(?:[^\[\]\\\n]|\\[^\n]|\[[^\[\]\n]{0,20}\]){0,400}+"
_WHOLE = (
    rf"\[{_LINK_TEXT}\]\([^()\s]{{0,2100}}+\)|(?<!`)(?P<ticks>`{{1,2}}+)(?!`)[^\n]{{1,400}}?(?<!`)(?P=ticks)(?!`)"
    r"|\\[^\n]|&#?[A-Za-z0-9]{1,31};|<[^<>\n]{1,2100}+>"
)
_UNIT = regex.compile(_WHOLE)
_UNIT_OR_MARK = regex.compile(rf"{_WHOLE}|(?P<mark>\*\*\*?|\*(?<!\s\*(?=\s))|~~)")
_FENCE = regex.compile(r"^[ \t>]*+```.*$", flags=regex.MULTILINE)
_SENTENCE_END = regex.compile(
    r"""[.!?…。]["'”’)*\]]{0,4}(?:[ ]?\[\\?\[\d{1,3}\\?\]\]?\([^()\s]{0,2100}\)|[ ]?\[\d{1,3}\])*(?=\s)|(?=\n)"""
)
_LOOSE_MARKS = regex.compile(r"(?<!\\)(?:\*{2,3}|~~)\Z")
_BARE_MARKER = regex.compile(r"[ \t>]*(?:[-*+]|\d{1,3}[.)]|#{1,6})?[ \t]*")
_GRAPHEME = regex.compile(r"\X")
_LONGEST_UNIT = 5_000
_LONGEST_GRAPHEME = 200


def shorten(text: str, limit: int, more: str = "…") -> str:
    """At most `limit` characters (code points, after NFC) of `text` with `more` behind; the whole text if it fits.

    Cuts after a sentence if one ends in the second half, else after a word, never inside a grapheme, a link, a code span or an
    entity. Closes the code block and the emphasis that the cut leaves open, and leaves a block out that has barely begun. If not
    even `more` fits, as much of it as does.
    """
    text = unicodedata.normalize("NFC", text)
    if len(text) <= limit:
        return text
    room = limit - len(more)
    while room > 0:
        kept = _cut(text, room, limit)
        if not kept:
            break
        short = kept + _closing(kept) + more
        if len(short) <= limit:
            return short
        room = min(room, len(kept)) - (len(short) - limit)
    return more if len(more) <= limit else more[: _grapheme_end(more, max(limit, 0))]


def _cut(text: str, room: int, limit: int) -> str:
    """The beginning of `text`, `room` characters at most, ending well."""
    end = _grapheme_end(text, room)
    ends = (found.end() for found in _SENTENCE_END.finditer(text, 0, end + 1))
    sentences = [place for place in ends if end // 2 < place <= end]
    if sentences:
        end = sentences[-1]
    elif not text[end : end + 1].isspace():
        blank = max(text.rfind(" ", 0, end), text.rfind("\n", 0, end))
        end = blank if blank > end // 2 else end
    for unit in _UNIT.finditer(text, 0, min(len(text), end + _LONGEST_UNIT)):
        if unit.start() >= end:
            break
        if unit.end() > end:
            end = unit.start()
            break
    kept = text[:end]
    fences = list(_FENCE.finditer(kept))
    if len(fences) % 2 == 0:
        return _tidy(kept)
    begun = fences[-1].start()
    return _tidy(kept[:begun]) if begun > limit // 2 or fences[-1].end() >= len(kept) else kept.rstrip()


def _tidy(kept: str) -> str:
    """Without the list marker or the opening mark that nothing follows any more."""
    kept = kept.rstrip()
    last_line = kept.rfind("\n") + 1
    if _BARE_MARKER.fullmatch(kept, last_line):
        kept = kept[:last_line].rstrip()
    marks = _LOOSE_MARKS.search(kept, max(0, len(kept) - 4))
    return kept[: marks.start()].rstrip() if marks else kept


def _closing(kept: str) -> str:
    """What ends the code block or the emphasis that is open at the end of `kept`."""
    fences = list(_FENCE.finditer(kept))
    if len(fences) % 2:
        return "\n```\n"
    block = max(kept.rfind("\n\n"), fences[-1].end() if fences else 0, 0)
    opened: list[str] = []
    for found in _UNIT_OR_MARK.finditer(kept, block):
        mark = found["mark"]
        for one in ("**", "*") if mark == "***" else (mark,) if mark else ():
            if one in opened:
                opened.remove(one)
            else:
                opened.append(one)
    return "".join(reversed(opened))


def _grapheme_end(text: str, most: int) -> int:
    """The last border between two graphemes at or before `most`."""
    # From a blank, where a border surely is; a grapheme of hundreds of characters is no person's doing.
    start = max(text.rfind(" ", 0, most), text.rfind("\n", 0, most), most - _LONGEST_GRAPHEME, 0)
    end = start
    for found in _GRAPHEME.finditer(text, start):
        if found.end() > most:
            break
        end = found.end()
    return end
