"""PowerPoint: each slide is a section under its title, with its number for citations.

Shapes are read as people read them: the title, then from top to bottom, in one line from left to right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from knowledge.errors import UnreadablePage
from knowledge.formats.lines import BULLET
from knowledge.formats.office import rebuilt
from knowledge.formats.outline import Outline, one_line
from knowledge.formats.pptx_graphics import chart_lines, diagram_lines, table_lines
from knowledge.page import BlockKind, Document

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
_MOST_SLIDES = 2_000
_MAX_DEPTH = 40
_SHORT = 60
_SAME_LINE = 0.5
_NOT_A_TITLE = re.compile(
    r"(?:powerpoint (?:프레젠테이션|presentation)|프레젠테이션\s?\d*|제목\s?없음|presentation\s?\d*|slide \d+)", re.I
)
_MADE_UP = re.compile(
    r"(?:자동 생성된 설명.*|AI 생성 콘텐츠는 정확하지 않을 수 있습니다\.?|description automatically generated.*"
    r"|AI-generated content may be incorrect\.?)",
    re.I | re.S,
)  # what PowerPoint says about its own guess
_FILE_NAME = re.compile(r"(?:.*\.(?:png|jpe?g|gif|bmp|emf|wmf|svg|tiff?|webp)|(?:그림|picture|image|사진)\s*\d*)", re.I)


def parse(data: bytes) -> Document:
    """Hidden slides are left out; so are footers, dates and slide numbers. Speaker notes stand below their slide."""
    presentation = _open(data)
    outline = Outline()
    slides = list(presentation.slides)
    if len(slides) > _MOST_SLIDES:
        raise UnreadablePage(reason=f"more than {_MOST_SLIDES} slides")
    for number, slide in enumerate(slides, 1):
        if slide.element.get("show") in ("0", "false"):
            continue
        _Slide(slide, number, outline).read()
    title = one_line(str(presentation.core_properties.title or ""))
    return outline.document(title="" if _NOT_A_TITLE.fullmatch(title) else title)


def _open(data: bytes) -> Any:
    stream = rebuilt(data)
    try:
        # pptx.Presentation itself refuses slide shows (.ppsx), which are the same inside
        from pptx.package import Package

        presentation = Package.open(stream).main_document_part.presentation  # type: ignore[attr-defined,unused-ignore]
        _ = presentation.slides
    except Exception as error:
        # KeyError, AttributeError, XMLSyntaxError …: python-pptx trusts its files
        raise UnreadablePage(reason=f"not a PowerPoint file ({type(error).__name__})") from error
    return presentation


class _Slide:
    def __init__(self, slide: Any, number: int, outline: Outline) -> None:
        self._slide = slide
        self._number = number
        self._outline = outline

    def read(self) -> None:
        """Add the slide's section; a slide without any text adds nothing."""
        shapes = _in_reading_order(self._slide.shapes)
        title = self._title(shapes)
        heading = one_line(title.text_frame.text) if title is not None else f"슬라이드 {self._number}"
        inner = Outline()
        self._shapes([shape for shape in shapes if title is None or shape.shape_id != title.shape_id], inner, 0)
        for element in self._slide.shapes._spTree.findall(f"{_COMPATIBLE}AlternateContent"):
            _compatible(element, inner)
        blocks = inner.blocks
        notes = self._notes()
        if title is None and not blocks and not notes:
            return
        self._outline.page(self._number)
        if title is not None and self._number == 1:
            self._outline.title(heading)
        self._outline.heading(2, heading)
        for block in blocks:
            self._outline.block(block.text, block.kind)
        if notes:
            self._outline.heading(3, "발표자 노트")
            self._outline.block(notes)

    def _title(self, shapes: Sequence[Any]) -> Any | None:
        """The title's placeholder, else the topmost text if it is one short line."""
        title = self._slide.shapes.title
        if title is not None and title.text_frame.text.strip():
            return title
        first = next((shape for shape in shapes if shape.has_text_frame and shape.text_frame.text.strip()), None)
        if first is None:
            return None
        text = first.text_frame.text.strip()
        alone = len([shape for shape in shapes if shape is not first]) == 0
        return None if alone or len(text) > _SHORT or re.search(r"[\n\v]", text) or BULLET.match(text) else first

    def _notes(self) -> str:
        if not self._slide.has_notes_slide:
            return ""
        frame = self._slide.notes_slide.notes_text_frame
        return "" if frame is None else str(frame.text).replace("\v", "\n")

    def _shapes(self, shapes: Sequence[Any], outline: Outline, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadablePage(reason="shapes grouped too deep")
        for shape in shapes:
            if _is_furniture(shape):
                continue
            if hasattr(shape, "shapes"):
                self._shapes(_in_reading_order(shape.shapes), outline, depth + 1)
            elif shape.has_text_frame and shape.text_frame.text.strip():
                _text(shape, outline)
            else:
                for text, kind in _graphic(shape):
                    outline.block(text, kind)


def _graphic(shape: Any) -> list[tuple[str, BlockKind]]:
    """Blocks of what is no text: one that cannot be read must not lose the other slides."""
    try:
        if shape.has_table:
            return [("\n".join(table_lines(shape.table)), "table")]
        if shape.has_chart:
            return list(chart_lines(shape))
        if _is_diagram(shape):
            return [("\n".join(diagram_lines(shape)), "list")]
        return [(_alternative_text(shape), "paragraph")]
    except Exception:  # noqa: BLE001 - missing parts, broken numbers: python-pptx trusts its files
        return [("(이 슬라이드의 표나 차트 하나는 읽지 못했습니다.)", "paragraph")]


def _in_reading_order(shapes: Any) -> list[Any]:
    """Title first; then lines of shapes from the top, each from the left. Shapes are in a line if their tops are near."""
    title = getattr(shapes, "title", None)
    places = []
    for shape in shapes:
        first = title is not None and shape.shape_id == title.shape_id
        places.append((not first, int(shape.top or 0), int(shape.left or 0), int(shape.height or 0), shape))
    places.sort(key=lambda place: place[:3])
    lines: list[list[tuple[bool, int, int, int, Any]]] = []
    for place in places:
        line = lines[-1] if lines else []
        reach = min((height for _, _, _, height, _ in [*line, place]), default=0) * _SAME_LINE
        if line and line[0][0] == place[0] and place[1] - line[0][1] < reach:
            line.append(place)
        else:
            lines.append([place])
    return [place[-1] for line in lines for place in sorted(line, key=lambda one: one[2])]


def _is_furniture(shape: Any) -> bool:
    """Hidden, or a placeholder for footer, date or slide number."""
    if any(element.get("hidden") in ("1", "true") for element in shape.element.xpath("./*/p:cNvPr")):
        return True
    kinds = shape.element.xpath("./*/p:nvPr/p:ph/@type")
    return any(kind in ("ftr", "dt", "sldNum", "hdr") for kind in kinds)


def _text(shape: Any, outline: Outline) -> None:
    """Runs of list items and of other paragraphs, each one block."""
    paragraphs = [paragraph for paragraph in shape.text_frame.paragraphs if paragraph.text.strip()]
    is_body = shape.is_placeholder and shape.element.xpath(
        "./p:nvSpPr/p:nvPr/p:ph[not(@type) or @type='body' or @type='obj']"
    )
    listed = bool(is_body) and len(paragraphs) > 1
    lines: list[str] = []
    in_list = False
    for paragraph in paragraphs:
        properties = paragraph._p.find(f"{_A}pPr")
        marked = None if properties is None else _marked(properties)
        level = min(int(paragraph.level or 0), 8)
        is_item = (listed or level > 0 or BULLET.match(paragraph.text) is not None) if marked is None else marked
        if lines and is_item != in_list:
            outline.block("\n".join(lines), "list" if in_list else "paragraph")
            lines = []
        in_list = is_item
        if is_item:
            text = one_line(paragraph.text)
            lines.append("  " * level + ("" if BULLET.match(text) else "- ") + text)
        else:
            lines.append(str(paragraph.text).replace("\v", "\n"))
    outline.block("\n".join(lines), "list" if in_list else "paragraph")


def _marked(properties: Any) -> bool | None:
    """Whether the paragraph says itself that it has a bullet; None: it says nothing."""
    if properties.find(f"{_A}buNone") is not None:
        return False
    return True if any(properties.find(_A + name) is not None for name in ("buChar", "buAutoNum", "buBlip")) else None


def _is_diagram(shape: Any) -> bool:
    return bool(shape.element.xpath(f"./a:graphic/a:graphicData[@uri='{_DIAGRAM}']"))


def _alternative_text(shape: Any) -> str:
    """What the author wrote about a picture; not what the program made up, no file names."""
    described = next(iter(shape.element.xpath("./*/p:cNvPr/@descr")), "")
    text = one_line(_MADE_UP.sub("", str(described))).rstrip(" ,")
    return "" if not text or _FILE_NAME.fullmatch(text) else f"[그림: {text}]"


def _compatible(element: Any, outline: Outline) -> None:
    """What newer versions draw, with a fallback for older ones: the text of the first that has any."""
    for choice in element:
        lines = list(_plain_lines(choice))
        if lines:
            outline.block("\n".join(lines))
            return


def _plain_lines(element: Any) -> Iterator[str]:
    for paragraph in element.iter(f"{_A}p"):
        text = one_line("".join(node.text or "" for node in paragraph.iter(f"{_A}t")))
        if text:
            yield text
