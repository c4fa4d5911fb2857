"""The small parts of a workbook: which sheets it has, its number formats, its shared strings.

Read as a stream of tags (expat), not as a tree: memory follows the text that is kept, not what a hostile part holds.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.parsers import expat

from knowledge.errors import UnreadablePage
from knowledge.formats.cell_format import BUILT_IN, GENERAL
from knowledge.formats.grid import LONGEST_CELL
from knowledge.formats.zip_guard import SafeZip

_MOST_STRINGS = 2_000_000
_MOST_SHEETS = 300
_MOST_STYLES = 100_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def walk(part: bytes, start: Start, end: End | None = None, text: Text | None = None) -> None:
    """Call back with each tag's local name. Raises UnreadablePage for what is no XML, and for any DTD.

    The whole part is handed over at once: old expat reads a token anew with each piece of it that arrives.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise UnreadablePage(reason="a document type declaration, which no Office program writes")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise UnreadablePage(reason=f"damaged XML ({expat.ErrorString(error.code)})") from error


def relations(archive: SafeZip, part: str) -> list[tuple[str, str, str]]:
    """(id, last word of the type, path of the target) of what `part` points to; `""` is the package itself."""
    folder, name = posixpath.split(part)
    listing = posixpath.join(folder, "_rels", f"{name}.rels")
    found: list[tuple[str, str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            found.append((attributes.get("Id", ""), attributes.get("Type", "").rpartition("/")[2], target))

    if listing in archive:
        walk(archive.read(listing), start)
    return found


@dataclass(frozen=True, slots=True)
class Workbook:
    """`sheets`: (name, path of the part) of the visible worksheets. `codes`: the format code of each cell style."""

    sheets: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    strings: tuple[str, ...]
    from_1904: bool


def read_workbook(archive: SafeZip) -> Workbook:
    """Raises UnreadablePage if it is no workbook, or too much of one."""
    part = next((target for _, kind, target in relations(archive, "") if kind == "officeDocument"), "")
    if part not in archive:
        raise UnreadablePage(reason="not an Excel workbook")
    targets = relations(archive, part)
    sheets, from_1904 = _sheets(archive.read(part), {name: at for name, kind, at in targets if kind == "worksheet"})
    by_kind = {kind: target for _, kind, target in targets if target in archive}
    codes = _codes(archive.read(by_kind["styles"])) if "styles" in by_kind else ()
    strings = _strings(archive.read(by_kind["sharedStrings"])) if "sharedStrings" in by_kind else ()
    return Workbook(tuple(sheet for sheet in sheets if sheet[1] in archive), codes, strings, from_1904)


def _sheets(part: bytes, targets: Mapping[str, str]) -> tuple[list[tuple[str, str]], bool]:
    sheets: list[tuple[str, str]] = []
    from_1904 = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal from_1904
        if tag == "workbookPr":
            from_1904 = attributes.get("date1904") in ("1", "true")
        elif tag == "sheet" and attributes.get("state", "visible") == "visible":
            target = next((targets.get(value) for key, value in attributes.items() if key.endswith(":id")), None)
            if target is not None:
                sheets.append((attributes.get("name", ""), target))
            if len(sheets) > _MOST_SHEETS:
                raise UnreadablePage(reason=f"more than {_MOST_SHEETS} sheets")

    walk(part, start)
    return sheets, from_1904


def _codes(part: bytes) -> tuple[str, ...]:
    own: dict[int, str] = {}
    ids: list[int] = []
    inside = ""

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if tag in ("numFmts", "cellXfs"):
            inside = tag
        elif tag == "numFmt" and inside == "numFmts" and len(own) < _MOST_STYLES:
            own[whole(attributes.get("numFmtId"))] = attributes.get("formatCode", GENERAL)
        elif tag == "xf" and inside == "cellXfs" and len(ids) < _MOST_STYLES:
            ids.append(whole(attributes.get("numFmtId")))

    def end(tag: str) -> None:
        nonlocal inside
        if tag == inside:
            inside = ""

    walk(part, start, end)
    return tuple(own.get(one, BUILT_IN.get(one, GENERAL)) for one in ids)


def _strings(part: bytes) -> tuple[str, ...]:
    strings: list[str] = []
    pieces = Pieces()

    def start(tag: str, _: dict[str, str]) -> None:
        pieces.start(tag)

    def end(tag: str) -> None:
        pieces.end(tag)
        if tag == "si":
            if len(strings) >= _MOST_STRINGS:
                raise UnreadablePage(reason=f"more than {_MOST_STRINGS:,} different texts")
            strings.append(pieces.take())

    walk(part, start, end, pieces.text)
    return tuple(strings)


class Pieces:
    """The text of one string or cell: its runs, without the readings (`rPh`) that Japanese and Korean files carry."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._open = False
        self._reading = False

    def start(self, tag: str) -> None:
        """`t`: text of a string; `v`: a cell's value."""
        if tag == "rPh":
            self._reading = True
        self._open = tag in ("t", "v") and not self._reading

    def end(self, tag: str) -> None:
        """The tag is closed; so is its text."""
        if tag == "rPh":
            self._reading = False
        self._open = False

    def text(self, text: str) -> None:
        """More text, up to the length of a cell."""
        if self._open and self._length < LONGEST_CELL:
            self._parts.append(text[: LONGEST_CELL - self._length])
            self._length += len(text)

    def take(self) -> str:
        """All of it; then empty."""
        if not self._parts:
            return ""
        text = "".join(self._parts)
        self._parts = []
        self._length = 0
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def whole(text: str | None) -> int:
    """A whole number of the markup; 0 for anything else."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0
