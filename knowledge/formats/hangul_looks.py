"""What shape, style and numbering make of a paragraph, in either Hangul format: title, heading, list item, its number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge.formats.hangul_numbers import Level, Numbers

Head = Literal["outline", "number", "bullet"]

_NUMBERED_STYLE = re.compile(r"(?:개요|제목|outline|heading)\s*(\d{1,2})", re.IGNORECASE)
_TITLE_STYLES = frozenset({"제목", "문서 제목", "문서제목", "표제", "title"})
_SIZED_STYLES = ("큰제목", "대제목"), ("중간제목", "중제목"), ("작은제목", "소제목")
_CONTENTS_STYLE = re.compile(r"(?:차례|목차|toc)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a paragraph's own shape says. `level`: from 0; `numbering`: which one a number belongs to."""

    head: Head | None = None
    level: int = 0
    numbering: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """`heading`: 1 for the title, from 2 for the outline; `item`: depth in a list, from 0; `number`: as shown."""

    heading: int | None = None
    item: int | None = None
    number: str = ""
    contents: bool = False
    """An entry of the table of contents: it says nothing that the headings do not say."""


PLAIN = Look()


class Looks:
    """The shapes, styles and numberings of one document, by their numbers; counts as the paragraphs are read."""

    def __init__(
        self,
        shapes: Mapping[int, Shape],
        styles: Mapping[int, tuple[str, ...]],
        numberings: Mapping[int, tuple[Level, ...]],
    ) -> None:
        """`styles`: their names, Korean and English."""
        self._shapes = shapes
        self._styles = styles
        self._numbers = Numbers(numberings)
        self.outline = 0
        """The numbering of the outline; each section of a document may name its own."""

    def look(self, shape_number: int, style_number: int) -> Look:
        """That of the next paragraph in reading order.

        The outline begins at heading 2: its first level is the chapter, of which there are many, and not the title.
        """
        shape = self._shapes.get(shape_number, Shape())
        number = ""
        if shape.head in ("outline", "number"):
            number = self._numbers.next(self.outline if shape.head == "outline" else shape.numbering, shape.level)
        for name in (" ".join(name.split()) for name in self._styles.get(style_number, ())):
            if _CONTENTS_STYLE.match(name):
                return Look(contents=True)
            if name.lower() in _TITLE_STYLES:
                return Look(heading=1, number=number)
            numbered = _NUMBERED_STYLE.fullmatch(name)
            if numbered:
                return Look(heading=int(numbered[1]) + 1, number=number)
            for rank, sized in enumerate(_SIZED_STYLES, 2):
                if name.replace(" ", "") in sized:
                    return Look(heading=rank, number=number)
        if shape.head == "outline":
            return Look(heading=shape.level + 2, number=number)
        return Look(item=shape.level, number=number) if shape.head else PLAIN
