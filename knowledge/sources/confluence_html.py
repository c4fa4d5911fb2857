"""Confluence's HTML export of a space: `index.html` is the tree, `제목_12345.html` or `12345.html` a page.

Without menus, authors, lists of attachments and comments. Who may read a page this export does not tell; the source's
audience holds for all of it.
"""

from __future__ import annotations

import functools
import html
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from knowledge.errors import UnreadablePage
from knowledge.formats import KNOWN_SUFFIXES
from knowledge.formats.text import decode
from knowledge.sources.base import SourceFile
from knowledge.sources.paths import PagePaths
from knowledge.sources.zip_on_disk import Member

FORM = "1"
"""Part of every version: raise it when the same member would give other bytes."""

_PAGE = re.compile(r"(?:(?P<title>.+)_)?(?P<id>\d{3,20})\.html")
_ATTACHED = re.compile(r"attachments/(?P<page>\d{3,20})/(?P<id>\d{3,20})\.\w{1,10}")
_INSIDE = "[^<>]{0,500}"
_MAIN = re.compile(rf"""<div\b{_INSIDE}\bid=["']main-content["']{_INSIDE}>""")
_AFTER = re.compile(rf"""<div\b{_INSIDE}\b(?:class=["']pageSection group["']|id=["']footer["'])""")
_TITLE = re.compile(rf"""<span\b{_INSIDE}\bid=["']title-text["']{_INSIDE}>(?P<title>[^<>]{{0,2000}})</span>""")
_LINK = re.compile(
    rf"""<a\b{_INSIDE}\bhref=["'](?P<target>attachments/[^"'<>]{{1,300}})["']{_INSIDE}>(?P<name>[^<>]{{1,300}})</a>"""
)
_TOKEN = re.compile(r"<(?P<closes>/?)(?P<tag>li|a)\b(?P<attributes>[^<>]{0,2000})>", re.IGNORECASE)
_HREF = re.compile(r"""\bhref=["'](?P<target>[^"']*)["']""")
_TAG = re.compile(r"<[^<>]*>")
_MOST_DEPTH = 100
_MOST_INDEX = 50_000_000
"""Bytes of index.html; of a page that is looked through for its attachments' names."""


def is_export(members: Sequence[Member]) -> bool:
    """Whether an index stands beside pages named as only Confluence names them."""
    folder = _folder(members)
    return folder is not None and any(_page_in(folder, member.name) for member in members)


def pages(members: Sequence[Member], site: str = "") -> Iterator[SourceFile]:
    """Every page with its attachments of known formats. Raises UnreadablePage if the index cannot be read."""
    folder = _folder(members) or ""
    files = {posixpath.relpath(member.name, folder or "."): member for member in members}
    index = files.get("index.html")
    tree = read_tree(_text(index)) if index is not None else {}
    found = {match["id"]: (name, match["title"] or "") for name in sorted(files) if (match := _PAGE.fullmatch(name))}
    attached: dict[str, list[str]] = {}
    for name in sorted(files):
        match = _ATTACHED.fullmatch(name)
        if match is not None and PurePosixPath(name).suffix.lower() in KNOWN_SUFFIXES:
            attached.setdefault(match["page"], []).append(name)
    paths = PagePaths()
    # One day for all of them is the day of the export, which says nothing about the pages.
    told = len({files[name].modified for name, _ in found.values()}) > 1
    order = {key: number for number, key in enumerate(tree)}
    for key in sorted(found, key=lambda one: (order.get(one, len(order)), int(one))):
        name, named = found[key]
        above, title = tree.get(key, ((), ""))
        member = files[name]
        path = paths.add(key, above, title or named.replace("-", " ") or key)
        url = f"{site.rstrip('/')}/pages/viewpage.action?pageId={key}" if site else None
        yield SourceFile(
            path,
            url=url,
            modified=member.modified if told else None,
            size=member.size,
            read=functools.partial(_read, member),
            version=f"{FORM}:{member.version}",
            identity=key,
            suffix=".html",
            title=title or None,
        )
        yield from _attachments(attached.get(key, ()), files, member, key, paths, url)


def _attachments(
    names: Sequence[str], files: Mapping[str, Member], page: Member, key: str, paths: PagePaths, url: str | None
) -> Iterator[SourceFile]:
    titles = _names_of_attachments(page) if names else {}
    for name in names:
        member, number = files[name], PurePosixPath(name).stem
        title = titles.get(name, posixpath.basename(name))
        yield SourceFile(
            paths.add(f"attachment:{number}", [(key, "")], title),
            url=url,
            modified=member.modified,
            size=member.size,
            read=member.read,
            version=member.version,
            identity=f"attachment:{number}",
            suffix=PurePosixPath(name).suffix.lower(),
        )


def _names_of_attachments(page: Member) -> dict[str, str]:
    """The file in the export → the name a person gave it."""
    try:
        text = _text(page)
    except UnreadablePage:
        return {}  # reported when the page itself is read
    return {unquote(m["target"]): html.unescape(m["name"]).strip() for m in _LINK.finditer(text)}


def _folder(members: Sequence[Member]) -> str | None:
    """Where the index is: at the top, or in the one folder at the top, named after the space."""
    found = [m.name for m in members if posixpath.basename(m.name) == "index.html" and m.name.count("/") <= 1]
    return posixpath.dirname(min(found, key=lambda one: one.count("/"))) if found else None


def _page_in(folder: str, name: str) -> bool:
    return posixpath.dirname(name) == folder and _PAGE.fullmatch(posixpath.basename(name)) is not None


def _text(member: Member) -> str:
    if member.size > _MOST_INDEX:
        raise UnreadablePage(reason=f"larger than {_MOST_INDEX // 1_000_000} MB")
    return decode(member.read())


def _read(member: Member) -> bytes:
    return tidy(decode(member.read())).encode()


def tidy(text: str) -> str:
    """The page's title and its content. A page that looks otherwise stays whole."""
    main = _MAIN.search(text)
    if main is None:
        return text
    after = _AFTER.search(text, main.end())
    content = text[main.end() : after.start() if after is not None else len(text)]
    found = _TITLE.search(text, 0, main.start())
    # "Space name : title"; a title may hold a colon, too.
    title = html.unescape(found["title"]).strip().split(" : ", 1)[-1].strip() if found is not None else ""
    return f"<html><head><title>{html.escape(title)}</title></head><body>{content}</body></html>"


def read_tree(index: str) -> dict[str, tuple[tuple[tuple[str, str], ...], str]]:
    """Page id → the pages above it (id and title, outermost first) and its title, in the order of the index.

    The index is nested `<ul><li><a href="제목_12345.html">제목</a> <ul>…`.
    """
    found: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {}
    above: list[tuple[str, str]] = []
    link, begins = "", 0
    for token in _TOKEN.finditer(index):
        tag, closes = token["tag"].lower(), bool(token["closes"])
        if tag == "li" and not closes and len(above) < _MOST_DEPTH:
            above.append(("", ""))
        elif tag == "li" and closes and above:
            above.pop()
        elif tag == "a" and not closes:
            target = _HREF.search(token["attributes"])
            page = _PAGE.fullmatch(unquote(html.unescape(target["target"]))) if target is not None else None
            link, begins = (page["id"] if page is not None else ""), token.end()
        elif tag == "a" and link and above and not above[-1][0] and link not in found:
            title = " ".join(html.unescape(_TAG.sub("", index[begins : token.start()])).split())
            above[-1] = (link, title)
            found[link] = (tuple(one for one in above[:-1] if one[0]), title)
            link = ""
    return found
