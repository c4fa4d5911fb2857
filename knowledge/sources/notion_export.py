"""Notion's own export ("Markdown & CSV" or "HTML"): names with page ids → readable paths, and the text without its clutter.

    회의록 1a2b….md                 a page; the 32 digits are its id in Notion
    회의록 1a2b…/주간 3c4d….md       a page in it (newer exports leave the id out of the folder's name)
    고객 5e6f….csv, …_all.csv       a database: the view, and all of it
    고객 5e6f…/한빛상사 7a8b….md     a row: its properties stand above its text

Who may read a page Notion's export does not tell; the source's audience holds for all of it.
"""

from __future__ import annotations

import collections
import csv
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from knowledge.errors import UnreadablePage
from knowledge.formats import KNOWN_SUFFIXES
from knowledge.formats.text import decode
from knowledge.sources.base import SourceFile
from knowledge.sources.zip_on_disk import Member

FORM = "1"
"""Part of every version: raise it when the same member would give other bytes."""

_ID = re.compile(r"(?P<id>[0-9a-f]{32})(?P<all>_all)?$")
_WRAPPER = re.compile(r"Export(?:Block)?-[0-9a-f-]{8,}.*")
_BEST_FIRST = (".md", ".html", ".csv")
"""Of one page that stands there in several forms."""
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_CALL_OUT = re.compile(r"\s*</?aside>\s*")
_IMAGE = re.compile(
    r"!\[(?P<alt>[^\]\n]{0,500})\]\((?!https?://)[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,9}\)"
)
_TARGET = re.compile(r" \((?P<target>[^()\s]{36,2000})\)")
_PAGE_TARGET = re.compile(
    r"https://(?:www\.)?notion\.so/.*[0-9a-f]{32}|(?!https?://).*%20[0-9a-f]{32}\.(?:md|html|csv)$"
)
_PROPERTY = re.compile(r"(?P<name>[^\s:#|>*`-][^:\n]{0,80}):(?: (?P<value>.*))?")
_HEAD_BYTES = 64 * 1024
_PROPERTIES = b'<table class="properties">'


@dataclass(frozen=True, slots=True)
class _Name:
    title: str
    id: str | None
    whole: bool
    """`_all.csv`."""


def split_name(stem: str) -> _Name:
    """`회의록 1a2b…` → title and id. A name without an id stays as it is."""
    found = _ID.search(stem)
    if found is None:
        return _Name(stem, None, False)
    return _Name(stem[: found.start()].rstrip(" _-"), found["id"], found["all"] is not None)


def is_export(members: Sequence[Member]) -> bool:
    """Whether most documents have names as only Notion writes them."""
    names = [PurePosixPath(member.name) for member in members]
    stems = [name.stem for name in names if name.suffix.lower() in _BEST_FIRST and name.stem != "index"]
    return 2 * sum(split_name(stem).id is not None for stem in stems) > len(stems)


def pages(members: Sequence[Member]) -> Iterator[SourceFile]:
    """Every page and database once, and documents that were attached; images are skipped."""
    known = [member for member in members if _is_document(member.name)]
    chosen = _once(known)
    paths = _paths(chosen)
    databases = {_folder_of(PurePosixPath(m.name).with_suffix("")): m for m in known if _suffix(m.name) == ".csv"}
    heads = {folder: functools.cache(functools.partial(_columns, member)) for folder, member in databases.items()}
    # One day for all of them is the day of the export, which says nothing about the pages.
    told = len({member.modified for member in chosen}) > 1
    for member in chosen:
        name, suffix = PurePosixPath(member.name), _suffix(member.name)
        found = split_name(name.stem)
        columns = heads.get(_folder_of(name.parent))
        yield SourceFile(
            paths[member],
            url=f"https://www.notion.so/{found.id}" if found.id else None,
            modified=member.modified if told else None,
            size=member.size,
            read=functools.partial(_read, member, suffix, columns) if found.id else member.read,
            version=f"{FORM}:{member.version}",
            identity=found.id,
            # A page's own first heading is whole, its file's name is cut and has no `/`; a database has no heading.
            title=found.title if suffix == ".csv" and found.id else None,
        )


def _is_document(name: str) -> bool:
    """`index.html` is Notion's list of everything. A page may be called ".NET"; without an id the name is a file's."""
    path = PurePosixPath(name)
    if path.suffix.lower() not in KNOWN_SUFFIXES or path.name == "index.html" or "__MACOSX" in path.parts:
        return False
    return split_name(path.stem).id is not None or not path.name.startswith((".", "~$"))


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _once(members: Sequence[Member]) -> list[Member]:
    """The best form of every page; what has no id is nobody's twin."""
    best: dict[str, tuple[tuple[int, bool, str], Member]] = {}
    other = []
    for member in members:
        found, suffix = split_name(PurePosixPath(member.name).stem), _suffix(member.name)
        if found.id is None:
            other.append(member)
            continue
        rank = (_BEST_FIRST.index(suffix) if suffix in _BEST_FIRST else len(_BEST_FIRST), not found.whole, member.name)
        if found.id not in best or rank < best[found.id][0]:
            best[found.id] = (rank, member)
    return [member for _, member in best.values()] + other


def _paths(members: Sequence[Member]) -> dict[Member, str]:
    """Readable and unique: of pages with the same name in one place, each bears the beginning of its id."""
    wanted = {member: _readable(member.name) for member in members}
    count = collections.Counter(wanted.values())
    for member, path in wanted.items():
        found = split_name(PurePosixPath(member.name).stem)
        if count[path] > 1 and found.id is not None:
            name = PurePosixPath(path)
            wanted[member] = str(name.with_name(f"{name.stem} ({found.id[:8]}){name.suffix}"))
    return wanted


def _readable(name: str) -> str:
    path = PurePosixPath(name)
    folder = _folder_of(path.parent)
    title = split_name(path.stem).title or path.stem
    return f"{folder}/{title}{path.suffix}" if folder else f"{title}{path.suffix}"


def _folder_of(folder: PurePosixPath) -> str:
    """The folder without ids, without Notion's wrapper, without folders that are only an id."""
    steps = [step for number, step in enumerate(folder.parts) if number or not _WRAPPER.fullmatch(step)]
    return "/".join(title for title in (split_name(step).title for step in steps) if title and title != ".")


def _columns(database: Member) -> frozenset[str]:
    """Names of a database's properties; none if it cannot be read."""
    try:
        head = next(database.chunks(), b"")[:_HEAD_BYTES].decode("utf-8-sig", "replace")
        return frozenset(name.strip() for name in next(csv.reader(head.splitlines(keepends=True)), []))
    except (UnreadablePage, csv.Error):
        return frozenset()


def _read(member: Member, suffix: str, columns: Callable[[], frozenset[str]] | None) -> bytes:
    data = member.read()
    if suffix == ".md":
        return tidy_markdown(decode(data), columns() if columns is not None else frozenset()).encode()
    if suffix == ".csv":
        return _TARGET.sub(_without_target, decode(data)).encode()
    return tidy_html(data) if suffix == ".html" else data


def tidy_markdown(text: str, columns: frozenset[str] = frozenset()) -> str:
    """A page's Markdown with its call-outs as text, without its images, and a row's properties as a list.

    `columns`: names of the database's properties, where the page is a row. Code blocks stay as they are.
    """
    fence = ""
    lines: list[str] = []
    in_properties = bool(columns)
    for written in text.splitlines():
        line = written
        found = _FENCE.match(line)
        if found is not None and fence in ("", found[1]):
            fence = "" if fence else found[1]
            in_properties = False
        if fence:
            lines.append(line)
        elif not _CALL_OUT.fullmatch(line):  # a Markdown parser takes `<aside>` for HTML, and aside for navigation
            if in_properties and line.strip() and not line.startswith("# "):
                line, in_properties = _property(line, columns)
            lines.append(_TARGET.sub(_without_target, _IMAGE.sub(_caption, line)))
    return "\n".join(lines) + "\n"


def _property(line: str, columns: frozenset[str]) -> tuple[str, bool]:
    """A line below the title as a list item, and whether it was a property."""
    found = _PROPERTY.fullmatch(line)
    if found is None or found["name"].strip() not in columns:
        return line, False
    return f"- {found['name'].strip()}: {found['value']}" if found["value"] else "", True


def _without_target(found: re.Match[str]) -> str:
    """Behind a linked page's title, in properties and databases, stands where it leads: of no use to a reader."""
    return "" if _PAGE_TARGET.match(found["target"]) else found[0]


def _caption(image: re.Match[str]) -> str:
    """What a person wrote below the image; nothing where it is only the file's name."""
    alt = image["alt"].strip()
    nameless = alt.casefold() in ("", "untitled", "image") or re.search(r"\.\w{3,4}$", alt)
    return "" if nameless else alt


def tidy_html(data: bytes) -> bytes:
    """A page's HTML with its table of properties as a definition list."""
    start = data.find(_PROPERTIES)
    end = data.find(b"</table>", start)
    if start < 0 or end < 0:
        return data
    table = data[start + len(_PROPERTIES) : end]
    for tag, instead in ((rb"tr|tbody", b""), (rb"th", rb"\1dt>"), (rb"td", rb"\1dd>")):
        table = re.sub(rb"(</?)(?:" + tag + rb")(?: [^<>]*)?>", instead, table)
    return data[:start] + b"<dl>" + table + b"</dl>" + data[end + len(b"</table>") :]
