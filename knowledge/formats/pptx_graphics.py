"""Tables, charts and SmartArt of a slide → lines of text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from knowledge.formats.cell_format import GENERAL, shown
from knowledge.formats.outline import one_line
from knowledge.page import BlockKind

_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MOST_CATEGORIES = 200
_MOST_SERIES = 30
_MOST_NODES = 1_000
_DEEPEST = 12
_LONGEST_REPEATED = 200
_MOST_COVERED = 100_000


def table_lines(table: Any) -> Iterator[str]:
    """One line per row, cells joined by ` | `; a merged cell's text stands in each row and column that it covers."""
    covered: dict[tuple[int, int], str] = {}
    height = len(table.rows)
    for number, row in enumerate(table.rows):
        cells: list[str] = []
        entries = list(row.cells)
        widest = 1
        for column, cell in enumerate(entries):
            text = covered.get((number, column), "") if cell.is_spanned else one_line(cell.text)
            if cell.is_merge_origin:
                widest = max(widest, min(cell.span_width, len(entries)))
                down = range(number, min(number + cell.span_height, height))
                right = range(column, min(column + cell.span_width, len(entries)))
                if len(covered) + len(down) * len(right) <= _MOST_COVERED and len(text) <= _LONGEST_REPEATED:
                    covered.update(dict.fromkeys(itertools.product(down, right), text))
            cells.append(text)
        if widest == len(entries) and widest > 1:
            cells = cells[:1]  # a title across the whole table
        if any(cells):
            yield " | ".join(cells)


def chart_lines(shape: Any) -> Iterator[tuple[str, BlockKind]]:
    """The chart's title, and a table: one row per category, one column per series.

    Read from the XML: python-pptx refuses the kinds of charts that it cannot draw, such as surfaces.
    """
    chart = shape.chart_part._element.find(f"{_C}chart")
    title = "" if chart is None else _rich(chart.find(f"{_C}title"))
    yield title, "paragraph"
    for group in chart.iterfind(f"{_C}plotArea/*") if chart is not None else ():
        series = group.findall(f"{_C}ser")[:_MOST_SERIES]
        columns = [_points(one.find(f"{_C}val"), one.find(f"{_C}yVal")) for one in series]
        categories: dict[int, str] = {}
        for one in reversed(series):
            categories.update(_points(one.find(f"{_C}cat"), one.find(f"{_C}xVal")))
        places = sorted(set().union(*columns))
        if not places:
            continue
        lines = [" | ".join(["항목", *(_name(one) for one in series)])]
        for at in places[:_MOST_CATEGORIES]:
            lines.append(" | ".join([categories.get(at, str(at + 1)), *(column.get(at, "") for column in columns)]))
        yield "\n".join(lines), "table"
        if len(places) > _MOST_CATEGORIES:
            yield f"(항목 {len(places) - _MOST_CATEGORIES:,}개는 읽지 않았습니다.)", "paragraph"


def _rich(title: Any | None) -> str:
    if title is None:
        return ""
    return one_line("".join(node.text or "" for node in title.iter(f"{_A}t")))


def _name(series: Any) -> str:
    tx = series.find(f"{_C}tx")
    return "" if tx is None else one_line(" ".join(node.text or "" for node in tx.iter(f"{_C}v")))


def _points(*sources: Any | None) -> dict[int, str]:
    """Place → text of the stored values; numbers as their format shows them, categories of several levels joined."""
    found: dict[int, str] = {}
    for source in sources:
        if source is None:
            continue
        code = next((node.text for node in source.iter(f"{_C}formatCode")), None) or GENERAL
        is_text = any(True for _ in source.iter(f"{_C}strCache", f"{_C}strLit", f"{_C}multiLvlStrCache"))
        for point in source.iter(f"{_C}pt"):
            place, value = point.get("idx", ""), point.findtext(f"{_C}v") or ""
            if not (place.isascii() and place.isdigit() and len(place) < 7 and value):
                continue
            text = one_line(value if is_text else _number(value, code))
            found[int(place)] = f"{text} {found[int(place)]}" if int(place) in found else text
    return found


def _number(value: str, code: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return shown(number, code) if math.isfinite(number) else ""


def diagram_lines(shape: Any) -> list[str]:
    """The nodes of SmartArt as a list, children indented below their parent."""
    from lxml import etree

    ids = shape.element.xpath("./a:graphic/a:graphicData/*")
    relation = ids[0].get(f"{_R}dm") if ids else None
    if relation is None:
        return []
    part = shape.part.related_part(relation)
    root = etree.fromstring(part.blob, etree.XMLParser(resolve_entities=False, no_network=True))
    texts: dict[str, str] = {}
    tops: list[str] = []
    for point in root.iter(f"{_DGM}pt"):
        if point.get("type", "node") in ("node", "doc", "asst") and len(texts) < _MOST_NODES:
            texts[point.get("modelId", "")] = one_line(" ".join(node.text or "" for node in point.iter(f"{_A}t")))
            if point.get("type") == "doc":
                tops.append(point.get("modelId", ""))
    children: dict[str, list[tuple[int, str]]] = {}
    for link in root.iter(f"{_DGM}cxn"):
        if link.get("type", "parOf") == "parOf" and link.get("destId") in texts:
            order = link.get("srcOrd", "0")
            place = int(order) if order.isdigit() and len(order) < 9 else 0
            children.setdefault(link.get("srcId", ""), []).append((place, link.get("destId", "")))
    lines: list[str] = []
    seen: set[str] = set()
    waiting = [(top, -1) for top in reversed(tops)] or [(node, 0) for node in reversed(texts)]
    while waiting:
        node, depth = waiting.pop()
        if node in seen:  # a circle
            continue
        seen.add(node)
        if texts.get(node) and depth >= 0:
            lines.append("  " * min(depth, _DEEPEST) + f"- {texts[node]}")
        waiting.extend((child, depth + 1) for _, child in sorted(children.get(node, []), reverse=True))
    return lines
