"""What stands inside a line: emphasis, code spans, links and citation marks.

Written for Korean and for streams. CommonMark decides whether `**` begins or ends bold by the blanks around it, and so leaves the
stars of "**연차(15일)**는" standing; here `**` ends what `**` began. A link's or an image's address is dropped: an answer links only
its sources. All else is text, and the `Emitter` sees to its being harmless.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import regex

from adapters.text.characters import clean
from adapters.text.emitter import Emitter

HELD = 400
"""Characters that may be held back at most, waiting for the end of a link or a code span."""
_LONGEST_RUN = 3

_SPECIAL = regex.compile(r"[\n\\&`\[*_~]|!(?=\[)")
_CITATION = regex.compile(r"\[(\d{1,3})\]")
_LINK = regex.compile(
    r"!?\[((?:[^\[\]\\`\n]|\\[^\n]|`[^`\n]{0,80}`|\[[^\[\]\n]{0,40}\]){0,200}+)\]"
    r"\((?:[^()\n]|\([^()\n]{0,100}\)){0,300}+\)"
)
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_RUN = regex.compile(r"(.)\1*+")
_CLOSING = tuple(regex.compile(rf"(?<!`)`{{{length}}}(?!`)") for length in range(1, _LONGEST_RUN + 1))
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@dataclass(slots=True)
class Scanned:
    """How far a scan came: `text[:end]` is dealt with and became `written`."""

    written: str
    end: int


class Inline:
    """Reads lines for one emitter, and remembers which emphasis is open."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._open: list[str] = []

    def scan(self, text: str, start: int = 0, *, final: bool) -> Scanned:
        """Read from `start` to the next line break or the end. Unless `final`, what more text could change is left."""
        out: list[str] = []
        literal: list[str] = []
        position = start
        emit = self._emitter

        def flush() -> None:
            if literal:
                out.append(emit.text("".join(literal)))
                literal.clear()

        while position < len(text):
            found = _SPECIAL.search(text, position)
            if found is None:
                literal.append(text[position:])
                position = len(text)
                break
            literal.append(text[position : found.start()])
            position = found.start()
            char = text[position]
            if char == "\n":
                break
            if char == "\\":
                if position + 1 == len(text) and not final:
                    break
                following = text[position + 1 : position + 2]
                if following == "|":
                    flush()
                    out.append(emit.bar())
                    position += 2
                elif following in _ESCAPABLE:
                    literal.append(following)
                    position += 2
                else:  # a backslash before a line break asks for the break, which stays anyway
                    literal.append("" if following == "\n" else char)
                    position += 1
            elif char == "&":
                entity = _ENTITY.match(text, position, partial=not final)
                if entity is not None and entity.partial:
                    break
                literal.append(clean(html.unescape(entity.group())).replace("\n", " ") if entity else char)
                position = entity.end() if entity else position + 1
            elif char in "![":
                flush()
                end = self._bracket(text, position, final, out)
                if end is None:
                    break
                literal.append("" if end > position else char)
                position = max(end, position + 1)
            elif char == "`":
                end, code = _code_span(text, position, final)
                if end is None:
                    break
                if code is None:
                    literal.append(text[position:end])
                else:
                    flush()
                    out.append(emit.code(code))
                position = end
            else:
                run = _RUN.match(text, position)
                end = run.end() if run else position + 1
                if end == len(text) and not final and end - position <= _LONGEST_RUN:
                    break
                before = text[position - 1] if position > start else emit.last
                marks = self._marks(text, position, end, before, final)
                if marks is None:
                    literal.append(text[position:end])
                else:
                    flush()
                    out.extend(self._toggle(mark) for mark in marks)
                position = end
        flush()
        return Scanned("".join(out), position)

    def end(self) -> str:
        """Close what is open, at the end of a line of a stream or of a paragraph."""
        written = "".join(self._emitter.close(mark) for mark in reversed(self._open))
        self._open.clear()
        return written

    def _bracket(self, text: str, position: int, final: bool, out: list[str]) -> int | None:
        """Deal with `[` or `![`: where it ends, `position` itself if it is nothing special, None if more must be seen."""
        citation = _CITATION.match(text, position)
        if citation is not None:
            out.append(self._emitter.cite(int(citation.group(1))))
            end: int = citation.end()
            return end
        link = _LINK.match(text, position, partial=not final)
        if link is None:
            return position
        if link.partial:
            return None if len(text) - position < HELD else position
        out.append(self.scan(link.group(1), final=True).written)
        after: int = link.end()
        return after

    def _marks(self, text: str, position: int, end: int, before: str, final: bool) -> list[str] | None:
        """Which marks the run at `position` opens or closes; None: it is text."""
        char, length, after = text[position], end - position, text[end : end + 1]
        if length > _LONGEST_RUN or (char == "~" and length != 2):
            return None
        bold, italic = ["**"] * (length >= 2), ["*"] * (length % 2)
        wanted = ["~~"] if char == "~" else bold + italic
        if self._open[-len(wanted) :] == wanted and not before.isspace():
            ends_word = char == "_" and after.isascii() and after.isalnum()
            return None if ends_word else wanted[::-1]
        inside_word = before.isalnum() and (char == "_" or (length == 1 and before.isascii()))
        if any(mark in self._open for mark in wanted) or inside_word or after.isspace() or not after:
            return None
        # No partner in what is there: text, unless the stream may still bring it (`end` then closes).
        return wanted if not final or text.find(text[position:end], end) >= 0 else None

    def _toggle(self, mark: str) -> str:
        if mark in self._open:
            self._open.remove(mark)
            return self._emitter.close(mark)
        self._open.append(mark)
        return self._emitter.open(mark)


def _code_span(text: str, position: int, final: bool) -> tuple[int | None, str | None]:
    """(end, code) of the backticks at `position`; (end, None): they are text; (None, None): more must be seen."""
    run = _RUN.match(text, position)
    after = run.end() if run else position + 1
    length = after - position
    if length > _LONGEST_RUN:
        return after, None
    line_end = text.find("\n", after)
    limit = min(len(text) if line_end < 0 else line_end, position + HELD)
    closing = _CLOSING[length - 1].search(text, after, limit)
    open_ended = not final and line_end < 0 and limit == len(text)
    if closing is None:
        return (None, None) if open_ended else (after, None)
    if closing.end() == len(text) and open_ended:
        return None, None
    return closing.end(), text[after : closing.start()]
