"""A space that Confluence exported: as XML (`entities.xml`, with restrictions and versions) or as HTML.

XML: a page's readers are the source's audience, narrowed by the view restrictions of the page and of every page above it,
as in Confluence: `confluence:GROUP` and `confluence-user:NAME`, which the groups file gives members, by the same names as
with the API (confluence_readers.py). What is not understood admits nobody. The HTML export does not tell restrictions.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from knowledge.formats import KNOWN_SUFFIXES
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.confluence_entities import Body, Entities, Entity, read_entities
from knowledge.sources.confluence_storage import RENDERING, storage_to_html
from knowledge.sources.listing import unreadable
from knowledge.sources.paths import PagePaths
from knowledge.sources.spool import Spool
from knowledge.sources.zip_on_disk import Member

FORM = "1"
"""Part of every version: raise it when the same body would give other bytes."""
NOBODY = Audience.of([])

_BLOG = "블로그"


def entities_of(members: Sequence[Member]) -> Member | None:
    """`entities.xml`, at the top or in the one folder at the top."""
    found = [m for m in members if posixpath.basename(m.name) == "entities.xml" and m.name.count("/") <= 1]
    return min(found, key=lambda one: one.name.count("/"), default=None)


def from_entities(entities: Member, members: Sequence[Member], spool: Spool, site: str = "") -> Iterator[SourceFile]:
    """Every current page and blog post with its attachments. Raises UnreadablePage if `entities.xml` cannot be read."""
    dump = read_entities(entities.chunks(), spool)
    folder = posixpath.dirname(entities.name)
    files = {posixpath.relpath(member.name, folder or "."): member for member in members}
    return _Space(dump, files, spool, site).pages()


class _Space:
    """Puts together what lies apart in the dump."""

    def __init__(self, dump: Entities, files: Mapping[str, Member], spool: Spool, site: str) -> None:
        self._dump = dump
        self._files = files
        self._spool = spool
        self._site = site.rstrip("/")
        self._current = {key: one for key, one in dump.of("Page", "BlogPost").items() if _is_current(one)}
        self._restrictions = Restrictions(dump)
        self._paths = PagePaths()

    def pages(self) -> Iterator[SourceFile]:
        attachments: dict[str, list[Entity]] = {}
        for one in self._dump.of("Attachment").values():
            if _is_current(one):
                attachments.setdefault(one.value("containerContent", "content"), []).append(one)
        chains = {key: self._above(one) for key, one in self._current.items()}
        # Parents first and older pages first: they keep the plain path.
        for key in sorted(self._current, key=lambda one: (len(chains[one][0]), _number(one), one)):
            page = self._current[key]
            above, complete = chains[key]
            path = self._path(page, above)
            if not complete:
                yield self._withheld(page, path)
                continue
            audience = self._restrictions.of([*above, page])
            yield self._page(page, path, audience)
            for attached in sorted(attachments.get(key, ()), key=lambda one: (_number(one.id), one.id)):
                yield from self._attached(attached, page, path, audience)

    def _above(self, page: Entity) -> tuple[list[Entity], bool]:
        """The pages above, outermost first, and whether all of them are there: else their restrictions are unknown."""
        above: list[Entity] = []
        seen = {page.id}
        key = page.value("parent")
        while key:
            parent = self._current.get(key)
            if parent is None or key in seen:
                return above, False
            seen.add(key)
            above.insert(0, parent)
            key = parent.value("parent")
        return above, True

    def _path(self, page: Entity, above: Sequence[Entity]) -> str:
        space = self._dump.of("Space").get(page.value("space") or (above[0].value("space") if above else ""))
        parents = [(f"space:{space.id}", space.value("name", "key"))] if space is not None else []
        title = page.value("title")
        if page.kind == "BlogPost":
            parents.append((f"blog:{space.id if space else ''}", _BLOG))
            title = f"{page.value('creationDate')[:10]} {title}".strip()
        return self._paths.add(page.id, parents + [(one.id, one.value("title")) for one in above], title)

    def _page(self, page: Entity, path: str, audience: Audience) -> SourceFile:
        body = self._dump.bodies.get(page.id, Body(0, 0, "empty", "2"))
        markup = body.kind == "0"
        return SourceFile(
            path,
            url=self._url(page),
            modified=_day(page.value("lastModificationDate", "creationDate")),
            size=body.length,
            read=functools.partial(_read_markup if markup else _read_storage, self._spool, body, page.value("title")),
            # Of the content alone: the same in the next export, if nobody changed the page.
            version=f"{FORM}.{RENDERING}:{_digest(body, page.value('title'))}",
            identity=page.id,
            suffix=".txt" if markup else ".html",
            title=page.value("title"),
            audience=audience,
        )

    def _withheld(self, page: Entity, path: str) -> SourceFile:
        """Whoever exported only some pages of a tree left out restrictions that hold for them: reported, read by nobody."""
        refused = unreadable(
            path, "a page above it is not in the export, so it is not told who may read it", self._url(page)
        )
        return dataclasses.replace(
            refused, identity=page.id, suffix=".html", title=page.value("title"), audience=NOBODY
        )

    def _attached(self, attached: Entity, page: Entity, path: str, audience: Audience) -> Iterator[SourceFile]:
        name = attached.value("title", "fileName")
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in KNOWN_SUFFIXES:
            return
        number = attached.value("version", "attachmentVersion") or "1"
        member = self._files.get(f"attachments/{page.id}/{attached.id}/{number}")
        own = self._paths.add(f"attachment:{attached.id}", [(page.id, path)], name)
        if member is None:
            if any(one.startswith("attachments/") for one in self._files):
                yield unreadable(own, "the attachment is not in the export", self._url(page))
            return  # exported without attachments
        yield SourceFile(
            own,
            url=self._url(page),
            modified=_day(attached.value("lastModificationDate", "creationDate")),
            size=member.size,
            read=member.read,
            version=member.version,
            identity=f"attachment:{attached.id}",
            suffix=suffix,
            audience=audience,
        )

    def _url(self, page: Entity) -> str | None:
        return f"{self._site}/pages/viewpage.action?pageId={page.id}" if self._site and page.id.isdigit() else None


class Restrictions:
    """View restrictions as the dump tells them."""

    def __init__(self, dump: Entities) -> None:
        self._users = dump.of("ConfluenceUserImpl")
        self._sets: dict[str, Entity] = dump.of("ContentPermissionSet")
        self._permissions = dump.of("ContentPermission")
        self._sets_of: dict[str, set[str]] = {}
        for key, one in self._sets.items():
            self._sets_of.setdefault(one.value("owningContent"), set()).add(key)
        self._members_of: dict[str, set[str]] = {}
        for key, one in self._permissions.items():
            self._members_of.setdefault(one.value("owningSet"), set()).add(key)

    def of(self, pages: Sequence[Entity]) -> Audience:
        """Who may read the last of `pages`, those above it included."""
        audience = Audience()
        for page in pages:
            for key in {*self._sets_of.get(page.id, ()), *page.lists.get("contentPermissionSets", ())}:
                audience = audience.narrowed(self._clause(key))
        return audience

    def _clause(self, key: str) -> Audience:
        found = self._sets.get(key)
        if found is None:
            return NOBODY
        kind = found.value("type").casefold()
        if kind in ("edit", "share"):
            return Audience()
        if kind != "view":
            return NOBODY
        members = {*self._members_of.get(key, ()), *found.lists.get("contentPermissions", ())}
        names = [self._name(self._permissions[one]) for one in members if one in self._permissions]
        return Audience.of(name for name in names if name)

    def _name(self, permission: Entity) -> str:
        """The group's or person's name; empty if neither is told."""
        group = permission.value("groupName")
        if group:
            return f"confluence:{group}"
        key = permission.value("userSubject")
        user = self._users.get(key)
        # The account id in the cloud, the user name elsewhere.
        told = user.value("atlassianAccountId", "name", "lowerName") if user is not None else ""
        person = told or permission.value("userName") or key
        return f"confluence-user:{person}" if person else ""


def _is_current(one: Entity) -> bool:
    """Neither deleted, nor a draft, nor an earlier version."""
    return one.value("contentStatus") in ("", "current") and not one.value("originalVersion", "originalVersionId")


def _digest(body: Body, title: str) -> str:
    return hashlib.sha256(f"{body.kind}{body.digest}{title}".encode("utf-8", "replace")).hexdigest()


def _read_storage(spool: Spool, body: Body, title: str) -> bytes:
    # Storage holds CDATA of its own (code blocks); Confluence breaks its end so that it fits into the dump's CDATA.
    storage = spool.read(body.start, body.length).decode().replace("]] >", "]]>")
    return storage_to_html(storage, title).encode("utf-8", "replace")


def _read_markup(spool: Spool, body: Body, title: str) -> bytes:
    return spool.read(body.start, body.length)


def _number(key: str) -> int:
    return int(key) if key.isascii() and key.isdigit() and len(key) < 20 else 0


def _day(written: str) -> dt.date | None:
    """`2026-01-05 09:30:00.000`."""
    try:
        return dt.date.fromisoformat(written[:10])
    except ValueError:
        return None
