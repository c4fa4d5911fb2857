"""Tables, charts and SmartArt of a slide → lines of text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from knowledge.formats.cell_format import GENERAL, shown
from knowledge.formats.outline import one_line

_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
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


def chart_lines(chart: Any) -> tuple[str, list[str]]:
    """The chart's title, and a table: one row per category, one column per series."""
    title = one_line(chart.chart_title.text_frame.text) if chart.has_title and chart.chart_title.has_text_frame else ""
    lines: list[str] = []
    for plot in chart.plots:
        series = list(plot.series)[:_MOST_SERIES]
        names = [one_line(str(one.name or "")) for one in series]
        columns = [(list(one.values), _code(one)) for one in series]
        categories = [one_line(str(label)) for label in plot.categories]
        length = max([len(categories), *(len(values) for values, _ in columns)], default=0)
        if not length or not any(any(value is not None for value in values) for values, _ in columns):
            continue
        lines.append(" | ".join(["항목", *names]))
        for at in range(min(length, _MOST_CATEGORIES)):
            cells = [
                shown(float(values[at]), code) if at < len(values) and values[at] is not None else ""
                for values, code in columns
            ]
            lines.append(" | ".join([categories[at] if at < len(categories) else str(at + 1), *cells]))
        if length > _MOST_CATEGORIES:
            lines.append(f"(항목 {length - _MOST_CATEGORIES:,}개는 읽지 않았습니다.)")
    return title, lines


def _code(series: Any) -> str:
    found = series._element.xpath("./c:val//c:formatCode/text()")
    return str(found[0]) if found else GENERAL


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
