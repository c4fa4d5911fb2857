"""A zip export of another wiki (Notion, Confluence), or any zip of documents, as a source."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from knowledge.errors import (
    BrokenExport,
    EmptyExport,
    EncryptedExport,
    ExportNotFound,
    ReadersNotTold,
    UnreadablePage,
    WrongExport,
)
from knowledge.formats import KNOWN_SUFFIXES
from knowledge.sources import confluence_export, confluence_html, notion_export
from knowledge.sources.base import SourceFile
from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.listing import unreadable
from knowledge.sources.patterns import Patterns
from knowledge.sources.spool import Spool
from knowledge.sources.zip_on_disk import Member, ZipOnDisk, open_zip

_PART = re.compile(r"(?:.*/)?(?:Export[^/]*|[^/]*-Part-\d{1,4})\.zip", re.IGNORECASE)
"""What Notion calls the parts of a large export, each a zip within the one that was downloaded."""
_TOLD_READERS = "readers-were-told"
"""In the source's home, once an export of it has told who may read its pages."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`path`: the zip, or a folder of which the newest zip counts. `site`: address of the Confluence for links."""

    path: Path
    flavour: Literal["auto", "notion", "confluence", "confluence-html", "plain"] = "auto"
    site: str = ""

    def __post_init__(self) -> None:
        if self.site and not re.fullmatch(r"https?://[^\s<>]+", self.site):
            raise ValueError("site must begin with https:// or http://")


class ExportSource:
    """The pages of the newest export; its own page ids are their identities, so a new export renames and moves nothing."""

    def __init__(self, config: SourceConfig, options: ExportOptions) -> None:
        self.name = config.name
        self.audience = config.audience
        self._home = config.home
        self._options = options
        self._include = Patterns(config.include)
        self._exclude = Patterns(config.exclude)

    def files(self) -> Iterator[SourceFile]:
        """Raises ExportNotFound, BrokenExport, EncryptedExport, EmptyExport, WrongExport, ReadersNotTold at once."""
        path = self._newest()
        try:
            archive = open_zip(path)
            members = self._with_parts(archive)
            if any(one.encrypted for one in {archive, *(member.archive for member in members)}):
                raise EncryptedExport(name=self.name, file=path.name)
            listed = list(self._pages(members, path))
        except UnreadablePage as error:  # of a part without which nothing can be read
            raise BrokenExport(name=self.name, file=path.name, reason=error.details["reason"]) from error
        except OSError as error:
            raise BrokenExport(name=self.name, file=path.name, reason=error.strerror or type(error).__name__) from error
        if not listed:
            raise EmptyExport(name=self.name, file=path.name)
        return self._kept(listed)

    def _newest(self) -> Path:
        path = self._options.path
        try:
            if path.is_dir():
                with os.scandir(path) as listing:
                    found = [
                        (entry.stat().st_mtime_ns, entry.name)
                        for entry in listing
                        if entry.name.lower().endswith(".zip") and not entry.name.startswith(".") and entry.is_file()
                    ]
                path = path / max(found)[1] if found else path
            if path.is_file():
                return path
        except OSError as error:
            raise ExportNotFound(name=self.name, path=self._options.path) from error
        raise ExportNotFound(name=self.name, path=self._options.path)

    def _with_parts(self, archive: ZipOnDisk) -> Sequence[Member]:
        """The archive's members; where it only wraps Notion's parts, theirs. A zip within a part stays closed."""
        parts = [member for member in archive.members if _PART.fullmatch(member.name)]
        pages = any(PurePosixPath(member.name).suffix.lower() in KNOWN_SUFFIXES for member in archive.members)
        if not parts or pages or self._options.flavour not in ("auto", "notion"):
            return archive.members
        members: list[Member] = []
        for part in sorted(parts, key=lambda one: one.name):
            spool = Spool(self._home, part.size)
            for chunk in part.chunks():
                spool.append(chunk)
            spool.finish()
            members += ZipOnDisk(spool.file, part.version, keeps=spool).members
        return members

    def _pages(self, members: Sequence[Member], path: Path) -> Iterator[SourceFile]:
        flavour = self._options.flavour
        if flavour in ("auto", "confluence"):
            entities = confluence_export.entities_of(members)
            if entities is not None:
                spool = Spool(self._home, entities.size)
                pages = confluence_export.from_entities(entities, members, spool, self._options.site)
                (self._home / _TOLD_READERS).touch()
                return pages
        found = self._looks_like(members) if flavour in ("auto", "confluence") else flavour
        if flavour.startswith("confluence") and not confluence_html.is_export(members):
            raise WrongExport(name=self.name, file=path.name, flavour="Confluence")
        if found != flavour and (self._home / _TOLD_READERS).exists():
            raise ReadersNotTold(name=self.name, file=path.name, flavour=found)
        if found == "confluence-html":
            return confluence_html.pages(members, self._options.site)
        return notion_export.pages(members) if found == "notion" else plain(members, self._include)

    @staticmethod
    def _looks_like(members: Sequence[Member]) -> str:
        """The flavour by which the settings would name it, of an export that does not tell who may read its pages."""
        if confluence_html.is_export(members):
            return "confluence-html"
        return "notion" if notion_export.is_export(members) else "plain"

    def _kept(self, files: Sequence[SourceFile]) -> Iterator[SourceFile]:
        """By path, what the patterns keep. Of two files with one path or one identity the second is reported."""
        paths: set[str] = set()
        identities: set[str] = set()
        for file in sorted(files, key=lambda one: one.path):
            if self._exclude.match(file.path) or (self._include and not self._include.match(file.path)):
                continue
            if file.path in paths or file.identity in identities:
                yield dataclasses.replace(
                    unreadable(file.path, "another page has its name", file.url), title=file.title
                )
                continue
            paths.add(file.path)
            if file.identity is not None:
                identities.add(file.identity)
            yield file


def plain(members: Sequence[Member], include: Patterns) -> Iterator[SourceFile]:
    """Every document of a known format by its own name, and what `include` asks for; hidden ones are left out."""
    for member in members:
        suffix = PurePosixPath(member.name).suffix.lower()
        hidden = any(step.startswith((".", "~$", "__MACOSX")) for step in member.name.split("/"))
        if not hidden and (suffix in KNOWN_SUFFIXES or include.asks_for(suffix)):
            yield SourceFile(member.name, None, member.modified, member.size, member.read, member.version)


def _open(config: SourceConfig, options: ExportOptions) -> ExportSource:
    return ExportSource(config, options)


KIND = Kind(ExportOptions, _open)
