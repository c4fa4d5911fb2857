"""A growing answer → Markdown for one platform, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import regex

from adapters.text.characters import CleanStream
from adapters.text.emitter import Emitter
from adapters.text.inline import Inline

_LONGEST_CODE_PIECE = 400
_LONGEST_MARKER = 120
_OVERLAP = 16  # longer than "@everyone"
_MARKER = regex.compile(
    r"(?P<indent>[ \t]{0,12}+)(?:(?P<heading>#{1,6})[ \t]+|(?P<bullet>[-*+])[ \t]+|(?P<number>\d{1,3}[.)])[ \t]+|(?P<quote>>)[ \t]?"
    r"|(?P<fence>`{3,20}|~{3,20})(?P<info>[^`\n]{0,80})\n)"
)
_FENCE_END = regex.compile(r"[ \t]{0,12}(?:`{3,20}|~{3,20})[ \t]{0,12}\Z")


class SafeStream:
    """What `Markdown` guarantees for a whole text, for the sum of what `feed` and `close` return, wherever the text was cut.

    Held back is only what more text could turn into something else: an unfinished citation mark, link, code span, entity, emphasis
    run, list marker or emoji, 400 characters at most. A whole sentence comes out at once. Tables pass as they were written.
    """

    def __init__(self, platform: Literal["slack", "discord"], links: Mapping[int, str]) -> None:
        self._emit = Emitter(platform, links)
        self._inline = Inline(self._emit)
        self._characters = CleanStream()
        self._pending = ""
        self._at_start = True
        self._in_code = False
        self._in_quote = False
        self._code_line_begun = False

    def feed(self, sentence: str) -> str:
        """What may be shown now; possibly nothing."""
        self._pending += self._characters.feed(sentence)
        return self._advance(final=False)

    def close(self) -> str:
        """The rest, with everything closed that was left open. Nothing may be fed afterwards."""
        self._pending += self._characters.close()
        written = self._advance(final=True)
        if self._in_code:
            written += self._emit.raw("\n```")
        return written + self._inline.end()

    def _advance(self, *, final: bool) -> str:
        out: list[str] = []
        position = 0
        while position < len(self._pending):
            before = position, self._at_start
            if self._in_code:
                position = self._code(position, out, final)
            elif self._at_start:
                position = self._start(position, out, final)
            else:
                scanned = self._inline.scan(self._pending, position, final=final)
                out.append(scanned.written)
                position = scanned.end
                if self._pending.startswith("\n", position):
                    out.append(self._inline.end() + self._emit.raw("\n"))
                    position += 1
                    self._at_start, self._in_quote = True, False
            if (position, self._at_start) == before:
                break
        self._pending = self._pending[position:]
        return "".join(out)

    def _start(self, position: int, out: list[str], final: bool) -> int:
        """The beginning of a line: a marker that is meant, or text. Returns where to go on."""
        if self._pending.startswith("\n", position):
            out.append(self._emit.raw("\n"))
            self._in_quote = False
            return position + 1
        found = _MARKER.match(self._pending, position, partial=not final)
        if found is not None and found.partial and len(self._pending) - position < _LONGEST_MARKER:
            return position
        if found is None or found.partial:  # text, whose indentation would make it code
            self._at_start = False
            text = self._pending[position:].lstrip(" \t")
            return len(self._pending) - len(text)
        indent = found["indent"].replace("\t", "    ")
        if found["fence"]:
            return self._fence(found, position, out)
        if found["heading"]:
            most = 3 if self._emit.target == "discord" else 6
            marker = found["heading"][:most] + " "
        elif found["quote"]:
            marker = "> "
            self._in_quote = True
        else:
            marker = ("-" if found["bullet"] else found["number"]) + " "
        out.append(self._emit.raw(indent + marker if marker[0] not in "#>" else marker))
        self._at_start = bool(found["quote"])
        end: int = found.end()
        return end

    def _fence(self, found: regex.Match[str], position: int, out: list[str]) -> int:
        """Begin a block of code. Inside a quote its end would lie beyond what is followed here, so there it stays text."""
        if self._in_quote:
            self._at_start = False
            return position
        language = found["info"].strip()
        out.append(self._emit.raw("```" + (language if language.isalnum() and language.isascii() else "") + "\n"))
        self._in_code, self._code_line_begun = True, False
        end: int = found.end()
        return end

    def _code(self, position: int, out: list[str], final: bool) -> int:
        """A line of code, or of a very long line a piece."""
        line_end = self._pending.find("\n", position)
        whole = line_end >= 0 or final
        end = line_end if line_end >= 0 else len(self._pending)
        if not whole:
            if end - position < _LONGEST_CODE_PIECE:
                return position
            end -= _OVERLAP
        line = self._pending[position:end]
        if whole and not self._code_line_begun and _FENCE_END.match(line):
            out.append(self._emit.raw("```"))
            self._in_code, self._at_start = False, False
            return end
        out.append(self._emit.code_line(line))
        self._code_line_begun = not whole
        if line_end >= 0 and whole:
            out.append(self._emit.raw("\n"))
            return end + 1
        return end
