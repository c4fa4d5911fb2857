"""Where pages come from. One file per kind, one line of registration below (README.md: "Add a source")."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from knowledge.errors import UnknownSourceKind
from knowledge.page import Audience
from knowledge.sources.base import Source
from knowledge.sources.folder import FolderSource

_KINDS: dict[str, Callable[..., Source]] = {
    "folder": FolderSource,
}

KNOWN_KINDS: frozenset[str] = frozenset(_KINDS)


def open_source(kind: str, name: str, path: Path, audience: Audience, **settings: Any) -> Source:
    """A source of `kind` at `path`; `settings` are the kind's own (for a folder: `include`, `exclude`).

    Raises UnknownSourceKind. Whether the source can be read shows when its files are listed.
    """
    make = _KINDS.get(kind)
    if make is None:
        raise UnknownSourceKind(name=name, kind=kind, known=", ".join(sorted(KNOWN_KINDS)))
    return make(name, path, audience, **settings)
