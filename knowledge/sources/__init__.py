"""Where pages come from. One file per kind, one line of registration below (docs/adding-a-source.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.errors import UnknownSourceKind
from knowledge.sources import archive, confluence, folder, git, notion, slack_history, web
from knowledge.sources.base import Source
from knowledge.sources.kinds import Kind, SourceConfig, home_of
from knowledge.sources.narrowed import FolderAudience, NarrowedSource

__all__ = ["KINDS", "FolderAudience", "Kind", "SourceConfig", "home_of", "open_source"]

KINDS: Mapping[str, Kind[Any]] = {
    "confluence": confluence.KIND,
    "export": archive.KIND,
    "folder": folder.KIND,
    "git": git.KIND,
    "notion": notion.KIND,
    "slack": slack_history.KIND,
    "web": web.KIND,
}


def open_source(kind: str, config: SourceConfig, options: object) -> Source:
    """A source of `kind`; `options` is an instance of `KINDS[kind].options`.

    Raises UnknownSourceKind. Whether the source can be read shows when its files are listed.
    """
    known = KINDS.get(kind)
    if known is None:
        raise UnknownSourceKind(name=config.name, kind=kind, known=", ".join(sorted(KINDS)))
    source = known.open(config, options)
    return NarrowedSource(source, config.folders) if config.folders else source
