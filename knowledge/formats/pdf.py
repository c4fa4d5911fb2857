"""PDF with a text layer. Pages become sections with a page number, so that an answer can cite the page; bookmarks are headings."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from knowledge.errors import LockedPage, PageWithoutText, UnreadablePage
from knowledge.formats.lines import BULLET, unwrap, width
from knowledge.formats.outline import Outline, clean, one_line
from knowledge.formats.pdf_bookmarks import Bookmark, Placed, bookmarks_of, by_page, placed
from knowledge.page import Document

_LOCK = threading.Lock()  # PDFium keeps global state: never two threads in it
_ENDS_SENTENCE = re.compile(r"[.!?…。][\"'”’)\]]*$")
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:page|쪽|p\.)?\s*(\d{1,4})\s*(?:(?:/|of)\s*\d{1,4})?\s*(?:쪽|페이지)?[-–—\s]*", re.I
)
_NUMERAL = re.compile(r"(?<!\S)\d{1,4}(?=\s|$|/)")
_NOT_A_TITLE = re.compile(
    r"microsoft (?:word|powerpoint|excel)|untitled|제목\s?없음|무제|^(?:문서|document|presentation|슬라이드)\s?\d*$|^\(|^슬라이드 "
    r"|\.(?:docx?|hwpx?|pptx?|xlsx?|pdf|indd|txt|tmp|rtf)$|^[\d\W_]*$",
    re.I,
)
_RUNNING_LENGTH = 60
_RUNNING_PAGES = 4
_RUNNING_DEPTH = 2
_TITLE_LENGTH = 150
_NARROW = 30
_TOP_LEVEL = 2  # level 1 would be the document's title (outline.py)


def parse(data: bytes) -> Document:
    """The text layer, page by page, without running headers, footers and page numbers; headings as the bookmarks say.

    What a PDF draws as a table is text like any other: nothing in the file says where its cells are.
    """
    title, texts, bookmarks = _read(data)
    pages = [[line.strip() for line in clean(text or "").split("\n") if line.strip()] for text in texts]
    pages = _without_running_lines(pages)
    if not any(pages):  # a scan: bookmarks alone are no text
        raise UnreadablePage(reason="a page of the PDF is broken") if None in texts else PageWithoutText()
    headings = by_page(bookmarks)
    outline = Outline()
    for index, lines in enumerate(pages):
        outline.page(index + 1)
        _add_page(lines, placed(headings.get(index, ()), lines), outline)
        if texts[index] is None:
            outline.block("(이 쪽은 손상되어 읽지 못했습니다.)")
    return outline.document(title=title)


def _read(data: bytes) -> tuple[str | None, list[str | None], list[Bookmark]]:
    """Metadata title, the raw text of each page (None: the page is broken), the outline."""
    import pypdfium2 as pdfium  # type: ignore[import-untyped,unused-ignore]

    with _LOCK:
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            # PDFium's words for a password and for a certificate or another company's rights management
            if "assword" in str(error) or "security scheme" in str(error):
                raise LockedPage(reason="암호화된 PDF, encrypted") from error
            raise UnreadablePage(reason="not a PDF, or a broken one") from error
        try:
            texts: list[str | None] = []
            for index in range(len(document)):
                try:
                    texts.append(_text_of(document[index]))
                except pdfium.PdfiumError:  # the pages before and after it may be whole
                    texts.append(None)
            return _title(str(document.get_metadata_value("Title"))), texts, _bookmarks(document)
        except pdfium.PdfiumError as error:
            raise UnreadablePage(reason="the PDF is broken") from error
        finally:
            document.close()  # closes what is still open of its pages, too


def _text_of(page: Any) -> str:
    text_page = page.get_textpage()
    text = str(text_page.get_text_range())
    text_page.close()
    page.close()
    return text


def _bookmarks(document: Any) -> list[Bookmark]:
    try:
        return bookmarks_of(document, len(document))
    except Exception:  # noqa: BLE001 - a broken outline costs the headings, never the text
        return []


def _title(written: str) -> str | None:
    """Printers and converters leave file names and program names in the metadata: those are no titles."""
    title = one_line(written)
    if not 1 < len(title) <= _TITLE_LENGTH or _NOT_A_TITLE.search(title) or "\ufffd" in title:
        return None
    return title


def _without_running_lines(pages: list[list[str]]) -> list[list[str]]:
    """Drop page numbers, and short first and last lines that return on more than half of the pages."""
    whole, pages = pages, [list(lines) for lines in pages]
    for edge in (0, -1):
        for _ in range(_RUNNING_DEPTH):
            keys = [_running_keys(lines[edge], index) if lines else set() for index, lines in enumerate(pages)]
            counts = Counter(key for found in keys for key in found)
            for index, lines in enumerate(pages):
                repeated = len(pages) >= _RUNNING_PAGES and any(counts[key] > len(pages) / 2 for key in keys[index])
                if lines and (repeated or _is_page_number(lines[edge], index)):
                    lines.pop(edge)
    return pages if any(pages) else whole  # a form printed many times has nothing but repeated lines


def _running_keys(line: str, index: int) -> set[str]:
    """The line as it is, and with its first or last numeral counted from the page: "취업규칙 3" returns as "취업규칙 4"."""
    if len(line) > _RUNNING_LENGTH:
        return set()
    keys = {line}
    numerals = list(_NUMERAL.finditer(line))
    for numeral in numerals[:1] + numerals[-1:]:
        keys.add(f"{line[: numeral.start()]}\0{int(numeral[0]) - index}\0{line[numeral.end() :]}")
    return keys


def _is_page_number(line: str, index: int) -> bool:
    found = _PAGE_NUMBER.fullmatch(line)
    return found is not None and (int(found[1]) == index + 1 or not found[0].strip().isdigit())


def _add_page(lines: list[str], headings: Sequence[Placed], outline: Outline) -> None:
    widest = max(map(width, lines), default=0)
    start = 0
    for heading in headings:
        _add_blocks(lines[start : heading.line], widest, outline)
        outline.heading(_TOP_LEVEL + heading.level, heading.title)
        start = heading.line + heading.lines
    _add_blocks(lines[start:], widest, outline)


def _add_blocks(lines: list[str], widest: int, outline: Outline) -> None:
    """Logical lines; a run of list items is one list, text up to a finished sentence one paragraph."""
    # U+FFFE (cleaned away) and U+0002 are PDFium's marks of a word cut by a hyphen; Korean has none.
    paragraph: list[str] = []
    items: list[str] = []

    def flush() -> None:
        outline.block("\n".join(paragraph))
        outline.block("\n".join(items), "list")
        paragraph.clear()
        items.clear()

    for line in unwrap(lines, least=_NARROW, widest=widest).split("\n"):
        if BULLET.match(line):
            if paragraph:
                flush()
            items.append(line)
            continue
        if items:
            flush()
        paragraph.append(line)
        if _ENDS_SENTENCE.search(line):
            flush()
    flush()
