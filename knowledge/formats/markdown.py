"""Markdown (CommonMark and tables) with YAML front matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledge.formats import html
from knowledge.formats.front_matter import take_front_matter
from knowledge.formats.lines import unwrap
from knowledge.formats.outline import Outline, clean, one_line
from knowledge.formats.text import decode
from knowledge.page import Document

if TYPE_CHECKING:
    from markdown_it.token import Token

_HARD_BREAK = "\u2028"
_MAX_NESTING = 60


def parse(data: bytes) -> Document:
    """Sections by heading path; inline markup becomes its text."""
    meta, body = take_front_matter(clean(decode(data)))
    outline = Outline()
    read_fragment(body, outline)
    return outline.document(meta=meta)


def read_fragment(text: str, outline: Outline) -> None:
    """Add the headings and blocks of Markdown inside another format."""
    from markdown_it import MarkdownIt

    _Reader(outline).read(MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table").parse(clean(text)))


class _Reader:
    """Walks the flat token stream once; lists are gathered until they end or something stands between the items."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self._items: list[str] = []  # lines of the list being read
        self._markers: list[str] = []  # of the open items, outermost first; "" once written
        self._rows: list[list[str]] = []

    def read(self, tokens: list[Token]) -> None:
        for number, token in enumerate(tokens):
            if token.type == "inline":
                self._inline(tokens[number - 1], token)
            elif token.type in ("fence", "code_block"):
                self._flush_list()
                self.outline.block(token.content, "code")
            elif token.type == "html_block":
                self._flush_list()
                html.read_fragment(token.content, self.outline)
            elif token.type == "list_item_open":
                self._markers.append(f"{token.info}. " if token.info else "- ")
            elif token.type == "list_item_close":
                self._markers.pop()
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                if not self._markers:
                    self._flush_list()
            elif token.type == "tr_open":
                self._rows.append([])
            elif token.type == "table_close":
                self._flush_list()
                self.outline.block("\n".join(" | ".join(row) for row in self._rows if any(row)), "table")
                self._rows = []
        self._flush_list()

    def _inline(self, opener: Token, token: Token) -> None:
        text = _text_of(token)
        if opener.type in ("th_open", "td_open"):
            self._rows[-1].append(one_line(text))
        elif self._markers:
            self._item(one_line(text))
        elif opener.type == "heading_open" and opener.level == 0:
            self.outline.heading(int(opener.tag[1]), text)
        else:
            parts = (unwrap(part.split("\n")) for part in text.split(_HARD_BREAK))
            self.outline.block("\n".join(part.strip() for part in parts))

    def _item(self, text: str) -> None:
        """One line per item: its marker with its first text, later paragraphs of the same item behind it."""
        if not text:
            return
        if self._markers[-1] or not self._items:
            self._items.append("  " * (len(self._markers) - 1) + self._markers[-1] + text)
            self._markers[-1] = ""
        else:
            self._items[-1] += " " + text

    def _flush_list(self) -> None:
        self.outline.block("\n".join(self._items), "list")
        self._items = []


def _text_of(inline: Token) -> str:
    parts: list[str] = []
    for child in inline.children or ():
        if child.type in ("text", "code_inline", "text_special"):
            parts.append(child.content)
        elif child.type == "image":
            parts.append(_text_of(child) if child.children else child.content)
        elif child.type == "softbreak":
            parts.append("\n")
        elif child.type == "hardbreak" or (
            child.type == "html_inline" and child.content.lower().replace(" ", "") in ("<br>", "<br/>")
        ):
            parts.append(_HARD_BREAK)
    return "".join(parts)
