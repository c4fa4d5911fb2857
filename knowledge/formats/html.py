"""HTML pages: saved wiki pages, Confluence and Notion exports, old groupware pages in CP949."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from knowledge.formats.html_table import rows_of
from knowledge.formats.outline import Outline, one_line
from knowledge.formats.text import decode
from knowledge.page import Document

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_DROPPED = (
    "script style nav footer aside template noscript head iframe object svg math canvas audio video select option "
    "button textarea"
).split()
_BLOCKS = frozenset(
    "address article blockquote body center dd details dialog div dt fieldset figcaption figure form header hgroup "
    "html legend li main p search section summary td th tr tbody thead tfoot caption".split()
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_\-]{2,40})""", re.IGNORECASE)
_KOREAN = frozenset(
    {"euc-kr", "euckr", "euc_kr", "ks_c_5601-1987", "ksc5601", "ks_c_5601", "windows-949", "x-windows-949"}
)
_MAX_DEPTH = 120  # deeper elements are read as flat text: a hostile page must not exhaust Python's stack
_MAX_INDENT = 12
_MOST = 0.5


def parse(data: bytes) -> Document:
    """The page's own content: navigation, scripts and hidden parts are dropped."""
    soup = _soup(_decode(data))
    head_title = soup.title.get_text() if soup.title else ""
    _drop(soup)
    outline = Outline()
    root = _content(soup)
    if root is not soup and root.h1 is None and soup.h1 is not None:
        outline.title(soup.h1.get_text())  # themes put the page's title outside of <main>
    _Reader(outline).read(root)
    return outline.document(title=head_title)


def read_fragment(text: str, outline: Outline) -> None:
    """Add the headings and blocks of an HTML fragment inside another format."""
    soup = _soup(text)
    _drop(soup)
    _Reader(outline).read(soup)


def _soup(text: str) -> BeautifulSoup:
    import warnings

    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "looks like a file name", "looks like XML": not the operator's business
        return BeautifulSoup(text.replace("\0", ""), "lxml")


def _decode(data: bytes) -> str:
    """A byte order mark first, then the page's own word, then the look of the bytes."""
    found = _CHARSET.search(data[:4096])
    if found and b"\0" not in data[:4096] and not data.startswith(codecs.BOM_UTF8):
        name = found[1].decode("ascii").lower()
        try:
            return data.decode("cp949" if name in _KOREAN else name)
        except (UnicodeDecodeError, LookupError, ValueError):
            pass  # pages converted to UTF-8 often keep their old meta tag
    return decode(data)


def _drop(soup: BeautifulSoup) -> None:
    """Take out what is not the page's own visible text."""
    from bs4 import Tag

    whole = len(soup.get_text())
    waiting: list[tuple[Tag, bool]] = [(soup, False)]
    while waiting:
        parent, in_form = waiting.pop()
        for tag in [child for child in parent.children if isinstance(child, Tag)]:
            is_form = tag.name == "form"
            # ASP.NET and old groupware wrap the whole page in one form: that one is the content
            small_form = is_form and not in_form and len(tag.get_text()) <= _MOST * whole
            if tag.name in _DROPPED or small_form or _is_hidden(tag):
                tag.extract()
            else:
                waiting.append((tag, in_form or is_form))


def _is_hidden(tag: Tag) -> bool:
    return (
        tag.has_attr("hidden")
        or str(tag.get("aria-hidden", "")).strip().lower() == "true"
        or _HIDDEN_STYLE.search(str(tag.get("style", ""))) is not None
    )


def _content(soup: BeautifulSoup) -> Tag:
    """<main> or <article> if it holds most of the text, else everything."""
    whole = len(soup.get_text(strip=True))
    for candidate in (soup.find("main"), soup.find(True, attrs={"role": "main"}), soup.find("article")):
        if candidate is not None and len(candidate.get_text(strip=True)) > _MOST * whole:
            return candidate
    return soup


class _Reader:
    """Walks the tree once; text between block elements gathers in `_inline` until the next block."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._inline: list[str] = []

    def read(self, root: Tag) -> None:
        self._children(root, 0)
        self._flush()

    def _children(self, parent: Tag, depth: int) -> None:
        from bs4 import Tag

        if depth > _MAX_DEPTH:
            self._inline.append(parent.get_text(" "))
            return
        for child in parent.children:
            if isinstance(child, Tag):
                self._element(child, depth)
            elif _is_text(child):
                self._inline.append(str(child))

    def _element(self, tag: Tag, depth: int) -> None:
        if tag.name in _HEADINGS:
            self._flush()
            self._outline.heading(int(tag.name[1]), flat_text(tag))
        elif tag.name in ("ul", "ol", "menu", "dir"):
            self._flush()
            self._outline.block("\n".join(_list_lines(tag, 0)), "list")
        elif tag.name == "dl":
            self._flush()
            self._outline.block("\n".join(_definition_lines(tag)), "list")
        elif tag.name == "table":
            self._flush()
            self._table(tag, depth)
        elif tag.name == "pre":
            self._flush()
            self._outline.block(tag.get_text(), "code")
        elif tag.name == "br":
            self._inline.append("\u2028")
        elif tag.name == "img":
            self._inline.append(str(tag.get("alt") or ""))
        elif tag.name in _BLOCKS or tag.name == "hr":
            self._flush()
            self._children(tag, depth + 1)
            self._flush()
        else:
            self._children(tag, depth + 1)

    def _table(self, table: Tag, depth: int) -> None:
        caption = table.find("caption", recursive=False)
        lays_out = table.find(["table", *_HEADINGS]) is not None
        rows = [] if lays_out else rows_of(table, flat_text)
        if lays_out or sum(len(row) for row in rows) == 1:
            self._children(table, depth + 1)  # a table that only lays out the page, or a call-out box
            self._flush()
            return
        if caption is not None:
            self._outline.block(flat_text(caption))
        self._outline.block("\n".join(" | ".join(row) for row in rows), "table")

    def _flush(self) -> None:
        lines = "".join(self._inline).split("\u2028")
        self._inline = []
        self._outline.block("\n".join(one_line(line) for line in lines))


def _is_text(node: object) -> bool:
    """Comments, declarations and the like are subclasses of NavigableString; only the class itself is text."""
    from bs4.element import CData, NavigableString

    return type(node) in (NavigableString, CData)


def flat_text(tag: Tag) -> str:
    """All text of `tag` on one line, with the alternative text of images and a space where a block begins."""
    from bs4 import Tag

    parts: list[str] = []
    for node in tag.descendants:
        if isinstance(node, Tag):
            if node.name == "img":
                parts.append(str(node.get("alt") or ""))
            elif node.name in _BLOCKS or node.name in ("br", "ul", "ol", "table", "pre", "dl"):
                parts.append(" ")
        elif _is_text(node):
            parts.append(str(node))
    return one_line("".join(parts))


def _list_lines(listing: Tag, depth: int) -> list[str]:
    """One line per item, nested lists indented. An item's other blocks are flattened into its line."""
    from bs4 import Tag

    if depth > _MAX_INDENT:
        return ["  " * depth + "- " + flat_text(listing)]
    lines: list[str] = []
    first = str(listing.get("start", "1"))
    number = int(first) if first.isascii() and first.isdigit() and len(first) < 6 else 1
    for item in listing.children:
        if isinstance(item, Tag) and item.name in ("ul", "ol"):  # invalid, but common in old editors' output
            lines += _list_lines(item, depth + 1)
            continue
        marker = f"{number}. " if listing.name == "ol" else "- "
        nested: list[Tag] = []
        if isinstance(item, Tag):
            nested = _outermost_lists(item)
            inner = [line for tag in nested for line in _list_lines(tag, depth + 1)]
            for tag in nested:
                tag.extract()
            text = flat_text(item)
            number += 1
        else:
            inner, text = [], one_line(str(item)) if _is_text(item) else ""
        if text:
            lines.append("  " * depth + marker + text)
        lines += inner
    return lines


def _outermost_lists(item: Tag) -> list[Tag]:
    from bs4 import Tag

    found: list[Tag] = []
    waiting = [item]
    while waiting:
        tag = waiting.pop()
        if tag.name in ("ul", "ol"):
            found.append(tag)
        else:
            waiting.extend(reversed([child for child in tag.children if isinstance(child, Tag)]))
    return found


def _definition_lines(listing: Tag) -> list[str]:
    """`- term: definition`, one line per pair."""
    lines: list[str] = []
    terms: list[str] = []
    for entry in listing.find_all(["dt", "dd"]):
        if entry.find_parent("dl") is not listing:
            continue  # its text is in the outer entry already
        text = flat_text(entry)
        if entry.name == "dt":
            terms.append(text)
        elif text:
            lines.append("- " + (f"{', '.join(terms)}: {text}" if terms else text))
            terms = []
    return lines + [f"- {term}" for term in terms if term]
