"""XML of an HWPX part → a light tree: local names, the attributes that are used, nothing of what is skipped.

Read as a stream, because layout makes up most of a section and a tree of all of it takes twenty times the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from knowledge.errors import UnreadablePage

_ATTRIBUTES = frozenset(
    "id idref href full-path type level name engName paraPrIDRef styleIDRef colAddr rowAddr colSpan rowSpan"
    " num numType composeText idRef numFormat start outlineShapeIDRef".split()
)
_SKIPPED = frozenset(
    "linesegarray parameters equation header footer hiddenComment indexmark script"
    " grid startNum visibility lineNumberShape pagePr footNotePr endNotePr pageBorderFill masterPage presentation"
    " sz pos offset outMargin inMargin cellSz cellMargin renderingInfo lineShape fillBrush shadow"
    " fontfaces borderFills charProperties tabProperties forbiddenWordList".split()
)
"""Whole elements that hold layout, or text that is not part of the reading order (see hwpx.py)."""
_MOST_ELEMENTS = 600_000
_MOST_DEPTH = 800
_CHUNK = 256 * 1024


@dataclass(slots=True)
class Element:
    """`name` without its prefix. `children`: elements and pieces of text, in order."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def elements(self) -> Iterator[Element]:
        """The child elements."""
        return (child for child in self.children if isinstance(child, Element))

    def find(self, name: str) -> Element | None:
        """The first child element of that name."""
        return next((child for child in self.elements() if child.name == name), None)

    def descendants(self, name: str) -> Iterator[Element]:
        """Elements of that name at any depth, in document order, not those within another of that name."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if element.name == name and element is not self:
                yield element
            else:
                waiting.extend(reversed(list(element.elements())))

    def text(self) -> str:
        """The text directly within."""
        return "".join(child for child in self.children if isinstance(child, str))

    def number(self, name: str, default: int = 0) -> int:
        """An attribute that is a small number from 0."""
        value = self.attributes.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default


def read_xml(data: bytes) -> Element:
    """The root. Raises UnreadablePage: not well-formed, with a document type (HWPX has none, attacks do), endless."""
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK], False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # LookupError and ValueError: an encoding that Python does not know, or cannot use
        raise UnreadablePage(reason="a part is not well-formed XML") from error
    if builder.root is None:
        raise UnreadablePage(reason="a part is empty")
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._depth = 0
        self._skipping = 0
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise UnreadablePage(reason="XML nested too deep")
        name = name.rpartition(":")[2]
        if self._skipping or name in _SKIPPED:
            self._skipping += 1
            return
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise UnreadablePage(reason=f"more than {_MOST_ELEMENTS:,} elements in one part")
        kept = {key: value for key, value in attributes.items() if key in _ATTRIBUTES} if attributes else {}
        element = Element(name, kept)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        self._depth -= 1
        if self._skipping:
            self._skipping -= 1
        else:
            self._open.pop()

    def characters(self, text: str) -> None:
        if self._open and not self._skipping:
            self._open[-1].children.append(text)

    def doctype(self, *_: object) -> None:
        raise UnreadablePage(reason="XML with a document type")
