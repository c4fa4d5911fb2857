"""Collects headings and blocks in reading order and makes the Document; every parser ends here.

Clean characters (NFC, no controls) and "no text at all" are settled here, once, for all formats.
"""

from __future__ import annotations

import re
import unicodedata

from knowledge.errors import PageWithoutText
from knowledge.page import Block, BlockKind, Document, Section

# Controls, lone surrogates, and marks that are invisible but break word matching: soft hyphen, zero-width space,
# word joiner, byte order mark. Joiners (U+200C, U+200D) stay: emoji are made of them.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_HEADING_LIMIT = 300


def clean(text: str) -> str:
    """`text` in NFC with `\\n` line ends, without control and invisible characters."""
    return unicodedata.normalize("NFC", _UNWANTED.sub("", _LINE_ENDS.sub("\n", text)))


def one_line(text: str) -> str:
    """`clean`, with every run of white space made one space."""
    return " ".join(clean(text).split())


class Outline:
    """The headings and blocks read so far."""

    def __init__(self) -> None:
        self._title: str | None = None
        self._path: list[tuple[int, str]] = []
        self._blocks: list[Block] = []
        self._sections: list[Section] = []
        self._page_number: int | None = None

    def title(self, text: str) -> None:
        """The page's title, said by the format itself; the first one counts."""
        self._title = self._title or one_line(text) or None

    def heading(self, level: int, text: str) -> None:
        """Start a section. The first heading of level 1 is the title and stands in no heading path."""
        text = one_line(text)
        if not text:
            return
        if len(text) > _HEADING_LIMIT:  # a whole paragraph styled as a heading
            self.block(text)
            return
        self._close()
        if level == 1 and self._title is None:
            self._title = text
            self._path = []
            return
        self._path = [(known, name) for known, name in self._path if known < level] + [(level, text)]

    def page(self, number: int) -> None:
        """Start page `number` (1-based) of a paged format."""
        self._close()
        self._page_number = number

    def block(self, text: str, kind: BlockKind = "paragraph") -> None:
        """Add a block to the current section; blank text adds nothing."""
        text = "\n".join(line.rstrip() for line in clean(text).split("\n")).strip("\n")
        if text.strip():
            self._blocks.append(Block(text if kind in ("code", "list") else text.strip(), kind))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Those of the current section."""
        return tuple(self._blocks)

    def _close(self) -> None:
        heading = tuple(name for _, name in self._path)
        if self._sections and not self._sections[-1].blocks:
            # A heading with nothing under it but subheadings lives on in their paths; a bare leaf heading is text.
            parent = self._sections[-1].heading
            if heading[: len(parent)] == parent:
                self._sections.pop()
        if self._blocks or (heading and (not self._sections or self._sections[-1].heading != heading)):
            self._sections.append(Section(heading, tuple(self._blocks), self._page_number))
        self._blocks = []

    def document(self, title: str | None = None, meta: dict[str, object] | None = None) -> Document:
        """Everything read; `title` is used if no heading gave one. Raises PageWithoutText if there is no text."""
        self._close()
        if not self._sections:
            raise PageWithoutText()
        return Document(self._title or one_line(title or "") or None, tuple(self._sections), meta or {})
