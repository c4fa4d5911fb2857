"""Bytes of a file → `Document`. One file per format, one line of registration below (README.md: "Add a format")."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from knowledge.errors import PageError, PageWithoutText, UnknownFormat, UnreadablePage
from knowledge.formats import csv_table, docx, eml, hangul, html, markdown, notebook, old_office, pdf, pptx, text, xlsx
from knowledge.page import Document

PARSER_VERSION = 5
"""Part of the parse-cache key: raise it whenever any parser would give another Document for the same bytes."""

_PARSERS: dict[str, Callable[[bytes], Document]] = {
    **dict.fromkeys((".md", ".markdown"), markdown.parse),
    **dict.fromkeys((".txt", ".text"), text.parse),
    **dict.fromkeys((".html", ".htm", ".xhtml"), html.parse),
    **dict.fromkeys((".pdf",), pdf.parse),
    **dict.fromkeys((".docx",), docx.parse),
    **dict.fromkeys((".hwp", ".hwpx"), hangul.parse),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx"), pptx.parse),
    **dict.fromkeys((".xlsx", ".xlsm"), xlsx.parse),
    **dict.fromkeys((".csv", ".tsv"), csv_table.parse),
    **dict.fromkeys((".eml",), eml.parse),
    **dict.fromkeys((".ipynb",), notebook.parse),
    ".doc": old_office.parse_doc,
    ".xls": old_office.parse_xls,
    ".ppt": old_office.parse_ppt,
}

KNOWN_SUFFIXES: frozenset[str] = frozenset(_PARSERS)


def parse(data: bytes, name: str) -> Document:
    """The document in `data`; the format follows from the suffix of `name` (a file name or path).

    Raises only PageError: UnknownFormat, UnreadablePage or PageWithoutText.
    """
    suffix = PurePosixPath(name).suffix.lower()
    parser = _PARSERS.get(suffix)
    if parser is None:
        raise UnknownFormat(suffix=suffix or PurePosixPath(name).name, known=", ".join(sorted(KNOWN_SUFFIXES)))
    if not data:
        raise PageWithoutText()
    try:
        return parser(data)
    except PageError:
        raise
    except Exception as error:
        # Foreign bytes meet foreign libraries here: whatever they raise, one page must not end the whole run.
        # The message is left out because it may quote the page.
        raise UnreadablePage(reason=f"{suffix} parser: {type(error).__name__}") from error
