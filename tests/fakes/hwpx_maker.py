"""Small HWPX files: XML after OWPML (KS X 6101) in a zip container, with the parts and namespaces that Hangul writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

_SPACES = " ".join(
    f'xmlns:{prefix}="http://www.hancom.co.kr/hwpml/2011/{name}"'
    for prefix, name in (("hs", "section"), ("hp", "paragraph"), ("hh", "head"), ("hc", "core"))
)
_MANIFEST = '<odf:manifest xmlns:odf="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{}</odf:manifest>'
_LINES = '<hp:linesegarray><hp:lineseg textpos="0" vertpos="0" horzsize="42520" flags="393216"/></hp:linesegarray>'
_LIST = '<hp:subList id="" textDirection="HORIZONTAL" lineWrap="BREAK" vertAlign="CENTER">{}</hp:subList>'
_SECTION = (
    '<hp:secPr id="" outlineShapeIDRef="{}"><hp:pagePr width="59528"/></hp:secPr><hp:ctrl><hp:colPr id=""/></hp:ctrl>'
)


def paragraph(*contents: str, shape: int = 0, style: int = 0) -> str:
    """One run per content, which is XML: `text(…)`, `table(…)`, `note(…)` …"""
    runs = "".join(f'<hp:run charPrIDRef="0">{content}</hp:run>' for content in contents)
    return f'<hp:p id="0" paraPrIDRef="{shape}" styleIDRef="{style}" pageBreak="0">{runs}{_LINES}</hp:p>'


def text(words: str) -> str:
    """A `t` element; tabs and line ends become elements."""
    inside = escape(words).replace("\t", '<hp:tab width="4000" leader="0" type="1"/>').replace("\n", "<hp:lineBreak/>")
    return f"<hp:t>{inside}</hp:t>"


def line(words: str, *, shape: int = 0, style: int = 0) -> str:
    """A paragraph of plain text."""
    return paragraph(text(words), shape=shape, style=style)


def cell(content: str, row: int, column: int, high: int = 1, wide: int = 1) -> str:
    """`content`: XML of paragraphs."""
    return (
        f'<hp:tc name="" header="0">{_LIST.format(content)}<hp:cellAddr colAddr="{column}" rowAddr="{row}"/>'
        f'<hp:cellSpan colSpan="{wide}" rowSpan="{high}"/><hp:cellSz width="100" height="100"/></hp:tc>'
    )


def table(rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """`rows`: the `cell`s that begin in each."""
    inside = "".join(f"<hp:tr>{''.join(row)}</hp:tr>" for row in rows)
    above = f'<hp:caption side="TOP">{_LIST.format(caption)}</hp:caption>' if caption else ""
    return f'<hp:tbl id="1" rowCnt="{len(rows)}"><hp:sz width="100"/><hp:pos/>{above}{inside}</hp:tbl>'


def grid(*rows: Sequence[str]) -> str:
    """A table of plain cells."""
    return table([[cell(line(words), y, x) for x, words in enumerate(row)] for y, row in enumerate(rows)])


def note(content: str, *, end: bool = False) -> str:
    name = "endNote" if end else "footNote"
    return f'<hp:ctrl><hp:{name} number="1" suffixChar="41">{_LIST.format(content)}</hp:{name}></hp:ctrl>'


def box(content: str) -> str:
    """A rectangle with text."""
    return (
        f'<hp:rect id="2"><hp:sz width="9"/><hp:drawText lastWidth="9">{_LIST.format(content)}</hp:drawText></hp:rect>'
    )


def control(name: str, content: str, **attributes: str) -> str:
    """A control with a list of paragraphs: `header`, `hiddenComment`, `fieldBegin` …"""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<hp:ctrl><hp:{name}{written}>{_LIST.format(content)}</hp:{name}></hp:ctrl>"


def number(kind: str, value: int) -> str:
    """An automatic number: `TABLE`, `PICTURE`, `FOOTNOTE` …"""
    inside = '<hp:autoNumFormat type="DIGIT" userChar="" prefixChar="" suffixChar="" supscript="0"/>'
    return f'<hp:ctrl><hp:autoNum num="{value}" numType="{kind}">{inside}</hp:autoNum></hp:ctrl>'


def shape(head: str = "NONE", level: int = 0, numbering: int = 0) -> str:
    """A paragraph shape: `OUTLINE`, `NUMBER`, `BULLET`; `level` from 0."""
    return f'<hh:align horizontal="JUSTIFY"/><hh:heading type="{head}" idRef="{numbering}" level="{level}"/>'


def numbering(*levels: tuple[str, str], start: int = 1) -> str:
    """The levels of a numbering: format and kind (`DIGIT`, `HANGUL_SYLLABLE` …)."""
    return "".join(
        f'<hh:paraHead start="{start}" level="{at}" numFormat="{kind}">{escape(words)}</hh:paraHead>'
        for at, (words, kind) in enumerate(levels, 1)
    )


def make_hwpx(
    *sections: Sequence[str],
    shapes: Sequence[str] = (shape(),),
    styles: Sequence[str] = ("바탕글",),
    numberings: Sequence[str] = (),
    outline: int = 0,
    title: str = "",
    order: Sequence[int] | None = None,
    encrypted: Sequence[str] = (),
    replaced: Mapping[str, str | None] | None = None,
) -> bytes:
    """A file of these sections. `order`: their numbers in the spine. `replaced`: parts written otherwise, or not at all."""
    order = range(len(sections)) if order is None else order
    items = "".join(f'<opf:item id="s{n}" href="Contents/section{n}.xml"/>' for n in range(len(sections)))
    spine = "".join(f'<opf:itemref idref="{name}"/>' for name in ("header", *(f"s{n}" for n in order)))
    entries = "".join(
        f'<odf:file-entry full-path="{name}"><odf:encryption-data/></odf:file-entry>' for name in encrypted
    )
    parts: dict[str, str | None] = {
        "mimetype": "application/hwp+zip",
        "version.xml": '<hv:HCFVersion xmlns:hv="http://www.hancom.co.kr/hwpml/2011/version" major="5" minor="1"/>',
        "META-INF/container.xml": "<container/>",
        "META-INF/manifest.xml": _MANIFEST.format(entries),
        "Contents/header.xml": _header(shapes, styles, numberings),
        "Contents/content.hpf": (
            '<opf:package xmlns:opf="http://www.idpf.org/2007/opf/">'
            f"<opf:metadata><opf:title>{escape(title)}</opf:title></opf:metadata>"
            f'<opf:manifest><opf:item id="header" href="Contents/header.xml"/>{items}</opf:manifest>'
            f"<opf:spine>{spine}</opf:spine></opf:package>"
        ),
        "Preview/PrvText.txt": "미리 보기",
    }
    for at, section in enumerate(sections):
        inside = paragraph(_SECTION.format(outline), "<hp:t/>") + "".join(section)
        parts[f"Contents/section{at}.xml"] = f"<hs:sec {_SPACES}>{inside}</hs:sec>"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (parts | dict(replaced or {})).items():
            if part is not None:
                declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>' if part.startswith("<") else ""
                archive.writestr(name, declaration + part)
    return stream.getvalue()


def _header(shapes: Sequence[str], styles: Sequence[str], numberings: Sequence[str]) -> str:
    written_numberings = "".join(
        f'<hh:numbering id="{n}" start="0">{inside}</hh:numbering>' for n, inside in enumerate(numberings, 1)
    )
    written_shapes = "".join(f'<hh:paraPr id="{n}">{inside}</hh:paraPr>' for n, inside in enumerate(shapes))
    written_styles = "".join(
        f'<hh:style id="{n}" type="PARA" name={quoteattr(name)} engName="" paraPrIDRef="0"/>'
        for n, name in enumerate(styles)
    )
    return (
        f"<hh:head {_SPACES}><hh:refList><hh:fontfaces><hh:fontface/></hh:fontfaces>"
        f"<hh:numberings>{written_numberings}</hh:numberings>"
        f"<hh:paraProperties>{written_shapes}</hh:paraProperties><hh:styles>{written_styles}</hh:styles>"
        "</hh:refList></hh:head>"
    )
