"""Jupyter notebooks: Markdown as Markdown, code as code, what it printed in short. Nothing is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.errors import UnreadablePage
from knowledge.formats import html, markdown
from knowledge.formats.outline import Outline
from knowledge.formats.text import decode
from knowledge.page import Document

_MOST_CELLS = 5_000
_MOST_OUTPUTS = 20
_LONGEST_OUTPUT = 2_000
_LONGEST_TABLE = 100_000
"""Of HTML, before it is read."""


def parse(data: bytes) -> Document:
    """Notebooks of format 4 and the older 3. Pictures and scripts among the outputs are left out."""
    try:
        notebook = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise UnreadablePage(reason="not a notebook") from error
    cells = _cells(notebook)
    if cells is None:
        raise UnreadablePage(reason="not a notebook")
    outline = Outline()
    for cell in cells[:_MOST_CELLS]:
        if isinstance(cell, dict):
            _add(cell, outline)
    if len(cells) > _MOST_CELLS:
        outline.block(
            f"(앞의 셀 {_MOST_CELLS:,}개만 읽었습니다. 뒤의 {len(cells) - _MOST_CELLS:,}개는 읽지 않았습니다.)"
        )
    title = _at(notebook, "metadata", "title")
    return outline.document(title=title if isinstance(title, str) else None)


def _cells(notebook: object) -> list[object] | None:
    """Format 4 has cells, format 3 has sheets of cells."""
    if not isinstance(notebook, dict):
        return None
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in _list(_at(sheet, "cells"))]


def _add(cell: Mapping[str, Any], outline: Outline) -> None:
    kind = cell.get("cell_type")
    source = _text(cell.get("source", cell.get("input")))
    if kind == "markdown":
        markdown.read_fragment(source, outline)
    elif kind == "heading":  # format 3
        level = cell.get("level")
        outline.heading(level if isinstance(level, int) and 1 <= level <= 6 else 1, source)
    elif kind == "raw":
        outline.block(source)
    elif kind == "code":
        outline.block(source, "code")
        for output in _list(cell.get("outputs"))[:_MOST_OUTPUTS]:
            _output(output, outline)


def _output(output: object, outline: Outline) -> None:
    """A table as rows, else text; an error by its last line."""
    kind = _at(output, "output_type")
    if kind in ("error", "pyerr"):
        outline.block(f"{_text(_at(output, 'ename'))}: {_text(_at(output, 'evalue'))}"[:_LONGEST_OUTPUT])
        return
    table = _text(_at(output, "data", "text/html") or _at(output, "html"))
    if "<table" in table and len(table) <= _LONGEST_TABLE:
        html.read_fragment(table, outline)
        return
    text = _text(_at(output, "text") or _at(output, "data", "text/markdown") or _at(output, "data", "text/plain"))
    if len(text) > _LONGEST_OUTPUT:
        text = f"{text[:_LONGEST_OUTPUT]}\n(출력이 길어 여기까지만 읽었습니다.)"
    outline.block(text, "code")


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Notebooks keep texts whole or as a list of lines."""
    return value if isinstance(value, str) else "".join(_strings(value))


def _strings(value: object) -> Iterator[str]:
    for line in _list(value):
        if isinstance(line, str):
            yield line
