"""`entities.xml` of a Confluence space export → what it says about pages, read in one pass however large it is.

It is Hibernate's dump: flat `<object class="Page">` … with `<id>`, `<property name="…">` (a text, or the id of another
object) and `<collection name="…">` of ids. The bodies go to a spool; the rest is small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from knowledge.errors import UnreadablePage
from knowledge.sources.spool import Spool

_CLASSES = frozenset(
    {"Page", "BlogPost", "Attachment", "BodyContent", "Space", "ContentPermissionSet", "ContentPermission"}
)
_SUBJECTS = frozenset({"ConfluenceUserImpl"})
_COLLECTIONS = frozenset({"contentPermissionSets", "contentPermissions"})
_MOST_DEPTH = 50
_MOST_TEXT = 4096
"""Characters of a property that is no body; a title has 255."""
_MOST_UNREAD = 16 * 1024 * 1024
"""Bytes that expat may hold back: only a single tag of that length could make it."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
"""XML forbids them, Confluence writes them all the same."""
_SPOOL_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """Where a body lies in the spool, and the hash of it."""

    start: int
    length: int
    digest: str
    kind: str
    """`bodyType`: "2" is the storage format, "0" the wiki markup of long ago."""


@dataclass(slots=True)
class Entity:
    """One object. `values`: property → text or the id it points to; `lists`: collection → ids."""

    kind: str
    id: str = ""
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def value(self, *names: str) -> str:
        """The first property of these that is not empty; Confluence renamed some over the years."""
        return next((self.values[name].strip() for name in names if self.values.get(name, "").strip()), "")


@dataclass(slots=True)
class Entities:
    """Everything of use, by id."""

    by_kind: dict[str, dict[str, Entity]] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    """By the id of the page."""

    def of(self, *kinds: str) -> dict[str, Entity]:
        """Objects of these classes."""
        return {key: one for kind in kinds for key, one in self.by_kind.get(kind, {}).items()}


def read_entities(chunks: Iterable[bytes], spool: Spool) -> Entities:
    """Raises UnreadablePage: not well-formed, or with a document type (entities are for attacks only). Raises OSError."""
    reader = _Reader(spool)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _SPOOL_BYTES
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.document_type
    fed = 0
    try:
        for chunk in chunks:
            legal = chunk.translate(None, _CONTROLS)
            fed += len(legal)
            parser.Parse(legal, False)
            if fed - parser.CurrentByteIndex > _MOST_UNREAD:
                raise UnreadablePage(reason="entities.xml: an endless tag")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = f"entities.xml, line {error.lineno}: {expat.ErrorString(error.code)}"
        raise UnreadablePage(reason=reason) from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise UnreadablePage(reason="entities.xml: unknown encoding") from error
    spool.finish()
    return reader.found


class _Reader:
    """Follows the depth: 1 the root, 2 an object, 3 its ids, properties and collections."""

    def __init__(self, spool: Spool) -> None:
        self.found = Entities()
        self._spool = spool
        self._depth = 0
        self._entity: Entity | None = None
        self._name = ""
        self._list: list[str] | None = None
        self._text: list[str] | None = None
        self._length = 0
        self._body: _BodyBeingRead | None = None
        self._last_body: Body | None = None

    def document_type(self, *_: object) -> None:
        raise UnreadablePage(reason="entities.xml has a document type")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise UnreadablePage(reason="entities.xml is nested too deeply")
        if self._depth == 2:
            kind = attributes.get("class", "")
            self._entity = Entity(kind) if tag == "object" and kind in _CLASSES | _SUBJECTS else None
            self._last_body = None
        if self._entity is None or self._depth < 3:
            return
        if self._depth == 3:
            self._name = "id" if tag == "id" else attributes.get("name", "")
            self._list = None
            if tag == "collection":
                self._list = self._entity.lists.setdefault(self._name, []) if self._name in _COLLECTIONS else None
                self._name = ""
            elif self._entity.kind == "BodyContent" and self._name == "body":
                self._body = _BodyBeingRead(self._spool)
                return
        if tag in ("id", "property"):
            # The id inside of a property is the property's value.
            self._text, self._length = [], 0

    def text(self, data: str) -> None:
        if self._body is not None:
            self._body.add(data)
        elif self._text is not None and self._length < _MOST_TEXT:
            self._text.append(data)
            self._length += len(data)

    def end(self, tag: str) -> None:
        if self._entity is not None and self._depth >= 3:
            self._end_part(tag, self._entity)
        if self._depth == 2 and self._entity is not None:
            self._end_object(self._entity)
            self._entity = None
        self._depth -= 1

    def _end_part(self, tag: str, entity: Entity) -> None:
        if self._body is not None and self._depth == 3:
            self._last_body, self._body = self._body.done(), None
            return
        if self._text is None:
            return
        value = "".join(self._text)[:_MOST_TEXT]
        if tag == "id" and self._list is not None:
            self._list.append(value.strip())
        elif self._name == "id":
            entity.id = value.strip()
        elif self._name:
            entity.values[self._name] = value
        self._text = None

    def _end_object(self, entity: Entity) -> None:
        if entity.kind == "BodyContent":
            page, body = entity.value("content"), self._last_body
            if page and body is not None:
                kind = entity.value("bodyType")
                self.found.bodies[page] = Body(body.start, body.length, body.digest, kind)
        else:
            # A user has a key instead of an id; both stand in `<id>`.
            self.found.by_kind.setdefault(entity.kind, {})[entity.id] = entity


class _BodyBeingRead:
    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._start = spool.size
        self._hash = hashlib.sha256()

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._hash.update(data)
        self._spool.append(data)

    def done(self) -> Body:
        return Body(self._start, self._spool.size - self._start, self._hash.hexdigest(), "")
