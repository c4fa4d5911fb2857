"""Confluence's storage format (XHTML with macros, as XML) → plain HTML with its text, for the HTML parser.

What a macro shows of its own body is kept; what it fetches from elsewhere (Jira issues, lists of pages) is not here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from html.entities import html5
from typing import TYPE_CHECKING

from knowledge.errors import UnreadablePage

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

RENDERING = 1
"""Part of a page's version: raise it when the same storage gives other HTML."""
SOMEBODY = "@사용자"
"""Stands for a mentioned person: the format holds an account id, and names change."""

_MAX_DEPTH = 90
_CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.DOTALL)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_TAG = re.compile("<[^>]*>")

_KEPT = frozenset("p ul ol li table thead tbody tfoot tr th td caption pre blockquote dl dt dd div".split())
_DROPPED = frozenset(
    "script style iframe object embed svg math video audio form input button select textarea head".split()
)
_SELF_MADE = frozenset(
    "toc anchor children pagetree pagetreesearch recently-updated contributors contributors-summary livesearch gallery "
    "attachments change-history create-from-template create-space-button popular-labels related-labels listlabels "
    "navmap space-details spaces-list blog-posts content-report-table detailssummary contentbylabel favpages".split()
)
"""Macros without words of their own: lists that Confluence makes anew at each look."""
_CODE = frozenset({"code", "noformat", "markdown", "md", "code-block"})
_INCLUDES = frozenset({"include", "excerpt-include", "excerpt-include-macro", "multiexcerpt-include"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """`left_out`: how often each macro gave no text."""

    html: str
    left_out: Mapping[str, int]


def storage_to_html(storage: str, title: str = "") -> str:
    """The page's HTML. Raises UnreadablePage."""
    return render_storage(storage, title).html


def render_storage(storage: str, title: str = "") -> Rendered:
    """`title`: stands for the text of a page that has none of its own. Raises UnreadablePage."""
    writer = _Writer()
    writer.children(_parsed(storage), 0)
    body = "".join(writer.parts)
    if not _TAG.sub("", body).strip():
        body = f"<p>{escape(title)}</p>"  # a page that only holds others can be found by its name
    page = (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )
    return Rendered(_ILLEGAL.sub("", page), dict(+writer.left_out))


def _parsed(storage: str) -> Element:
    """Strictly, since Confluence stores only well-formed XML: a broken rest must not pass for a short page."""
    from lxml import etree

    pieces = _CDATA.split(_ILLEGAL.sub("", storage))
    known = "".join(
        piece if at % 2 else _REFERENCE.sub(_legal, _ENTITY.sub(_character, piece)) for at, piece in enumerate(pieces)
    )
    prefixes = {found for piece in pieces[::2] for found in _PREFIX.findall(piece)} - {"xml", "xmlns"}
    declared = "".join(f' xmlns:{prefix}="urn:{prefix}"' for prefix in sorted(prefixes | {"ac", "ri"}))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(f"<page{declared}>{known}</page>".encode(), parser)
    except (etree.LxmlError, ValueError, RecursionError) as error:
        raise UnreadablePage(reason="its storage format is no well-formed XML") from error


def _character(entity: re.Match[str]) -> str:
    if entity[1] in _XML_ENTITIES:
        return entity[0]
    found = html5.get(entity[1] + ";")
    return escape(found, quote=True) if found is not None else f"&amp;{entity[1]};"


def _legal(reference: re.Match[str]) -> str:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return reference[0] if number <= 0x10FFFF and not _ILLEGAL.fullmatch(chr(number)) else ""


@dataclass(slots=True)
class _Writer:
    parts: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def text(self, text: str | None) -> None:
        if text:
            self.parts.append(escape(text))

    def children(self, element: Element, depth: int) -> None:
        self.text(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self.element(child, depth + 1)
            self.text(child.tail)

    def element(self, element: Element, depth: int) -> None:
        name = _name(element)
        if depth > _MAX_DEPTH:
            self.text(" ".join(element.itertext()))
        elif re.fullmatch("h[1-6]", name):  # <h1> is left to the page's title
            self.wrapped(element, f"h{min(int(name[1]) + 1, 6)}", depth)
        elif name in _KEPT:
            self.wrapped(element, name, depth)
        elif name in ("br", "hr"):
            self.parts.append(f"<{name}>")
        elif name == "time":  # the lozenge of a date is an attribute without text
            self.text(_attribute(element, "datetime"))
            self.children(element, depth)
        elif name == "img":
            self.text(_attribute(element, "alt"))
        elif name in ("ac:structured-macro", "ac:macro"):
            self.macro(element, depth)
        elif name == "ac:link":
            self.link(element, depth)
        elif name in ("ac:image", "ac:emoticon"):
            self.picture(element, name, depth)
        elif name == "ac:task-list":
            self.wrapped(element, "ul", depth)
        elif name == "ac:task":
            self.task(element, depth)
        elif name == "ac:adf-extension":
            self.adf(element, depth)
        elif name in ("ac:layout", "ac:layout-section", "ac:layout-cell"):
            self.wrapped(element, "div", depth)
        elif name.startswith("ri:"):
            self.text(_resource(element))
        elif name not in _DROPPED and name not in ("ac:parameter", "ac:placeholder", "ac:plain-text-body"):
            self.children(element, depth)

    def wrapped(self, element: Element, tag: str, depth: int) -> None:
        spans = ""
        for key in ("colspan", "rowspan", "start"):
            number = _attribute(element, key)
            if number and number.isascii() and number.isdigit():
                spans += f' {key}="{number[:6]}"'
        self.parts.append(f"<{tag}{spans}>")
        self.children(element, depth)
        self.parts.append(f"</{tag}>")

    def paragraph(self, text: str) -> None:
        if text.strip():
            self.parts.append(f"<p>{escape(text.strip())}</p>")

    def macro(self, macro: Element, depth: int) -> None:
        kind = _attribute(macro, "name") or ""
        parameters = {_attribute(one, "name") or "": one for one in _all(macro, "ac:parameter")}
        title = "".join(parameters["title"].itertext()) if "title" in parameters else ""
        body, plain = _first(macro, "ac:rich-text-body"), _first(macro, "ac:plain-text-body")
        if kind == "status":
            self.text(f" {title} ")
        elif kind in _CODE and plain is not None:
            self.paragraph(title)
            self.parts.append(f"<pre>{escape(''.join(plain.itertext()))}</pre>")
        elif kind in _INCLUDES:
            for page in macro.iter("{*}page", "{*}blog-post"):
                self.paragraph(_resource(page))
        elif kind == "excerpt" and "hidden" in parameters and (parameters["hidden"].text or "").strip() == "true":
            self.left_out["hidden excerpt"] += 1
        elif body is not None:  # panels, expandable parts, columns, and whatever else frames words
            self.parts.append("<div>")
            self.paragraph(title)
            self.children(body, depth)
            self.parts.append("</div>")
        elif kind in ("profile", "profile-picture"):
            self.text(SOMEBODY)
        elif kind not in _SELF_MADE:
            files = [_resource(one) for one in macro.iter("{*}attachment")]
            for name in files:
                self.paragraph(name)
            if not files:
                self.left_out[kind] += 1

    def link(self, link: Element, depth: int) -> None:
        for name in ("ac:link-body", "ac:plain-text-link-body"):
            body = _first(link, name)
            if body is not None and ("".join(body.itertext()).strip() or len(body)):
                self.children(body, depth)
                return
        for child in link:
            if isinstance(child.tag, str) and _name(child).startswith("ri:"):
                self.text(_resource(child))
                return
        self.text(_attribute(link, "anchor"))

    def picture(self, picture: Element, name: str, depth: int) -> None:
        if name == "ac:emoticon":
            sign = _attribute(picture, "emoji-fallback") or ""
            self.text("" if sign.startswith(":") else sign)
            return
        self.text(_attribute(picture, "alt") or _attribute(picture, "title"))
        caption = _first(picture, "ac:caption")
        if caption is not None:
            self.wrapped(caption, "div", depth)

    def task(self, task: Element, depth: int) -> None:
        status, body = _first(task, "ac:task-status"), _first(task, "ac:task-body")
        done = status is not None and (status.text or "").strip() == "complete"
        self.parts.append("<li>☑ " if done else "<li>☐ ")
        if body is not None:
            self.children(body, depth)
        self.parts.append("</li>")

    def adf(self, extension: Element, depth: int) -> None:
        """The new editor's panels: the content itself, else what older versions are shown in its place, never both."""
        for content in list(_outermost(extension, "ac:adf-content")) or _all(extension, "ac:adf-fallback"):
            self.wrapped(content, "div", depth)


def _name(element: Element) -> str:
    """`ac:link`, `p`: with the prefix as written."""
    local = str(element.tag).rsplit("}", 1)[-1]
    return f"{element.prefix}:{local}" if element.prefix else local.lower()


def _attribute(element: Element, name: str) -> str | None:
    """By its local name: `ac:name` and `name` alike."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rsplit("}", 1)[-1] == name), None)


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if isinstance(child.tag, str) and _name(child) == name)


def _first(element: Element, name: str) -> Element | None:
    return next(_all(element, name), None)


def _outermost(element: Element, name: str) -> Iterator[Element]:
    for child in element:
        if isinstance(child.tag, str) and _name(child) == name:
            yield child
        elif isinstance(child.tag, str) and _name(child) != "ac:adf-fallback":
            yield from _outermost(child, name)


def _resource(resource: Element) -> str:
    """What a link to `resource` shows where it has no words of its own."""
    if _name(resource) == "ri:user":
        return SOMEBODY
    for key in ("content-title", "filename", "space-key"):
        value = _attribute(resource, key)
        if value:
            return value
    return ""
