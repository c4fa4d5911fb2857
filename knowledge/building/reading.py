"""One source's files → pages. Each costs only what changed: an unchanged file is not read, an unchanged page not cut again."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge.building.options import BuildOptions, recipe_of
from knowledge.building.report import BuildProgress, FailedPage
from knowledge.building.serving import EditionPage, Serving
from knowledge.cache import ContentCache, key_of
from knowledge.chunk import split
from knowledge.documents import load_document
from knowledge.errors import (
    ClosedPage,
    LockedPage,
    PageError,
    PageTooLarge,
    PageWithoutText,
    SourceError,
    UnclearFrontMatter,
    UnreadablePage,
    WikiError,
)
from knowledge.formats import PARSER_VERSION
from knowledge.ledger import Entry, Failure, Known, Ledger, head_of
from knowledge.page import Audience, Document, Page, Passage, Section
from knowledge.parsing import document_json
from knowledge.sources.base import Source, SourceFile, to_page

_KEEP_SECONDS = 2.0
"""How much reading a kill may cost."""
_CLOSING = (ClosedPage, LockedPage, PageWithoutText, UnclearFrontMatter)
"""Such a page is not the page it was: it was closed or locked, its text was taken away, or what it says of its readers
cannot be understood."""


@dataclass(slots=True)
class SourceReading:
    """What one source gave. `documents`, `identities`: of each page that was read, by path."""

    listed: list[str]
    pages: list[EditionPage] = field(default_factory=list)
    failed: list[FailedPage] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    identities: dict[str, str | None] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    """Paths so far. The second file of a path (`list_files`) must not bring the first one's passages along once more."""

    def readers(self) -> dict[str, Audience]:
        """Who may read each page, by path, as far as it was told: nobody, where it was closed, locked or is unclear.

        Text that is missing says nothing of readers.
        """
        closed = [one.page for one in self.failed if not one.kept and not isinstance(one.error, PageWithoutText)]
        # A page that was read stays as it is told, though a second one of its path was not.
        return dict.fromkeys(closed, Audience.of([])) | {page.path: page.audience for page in self.pages}


class PageReader:
    """Reads the sources of one run."""

    def __init__(
        self,
        options: BuildOptions,
        cache: ContentCache,
        ledger: Ledger,
        serving: Serving,
        *,
        full: bool = False,
        keep_record: bool = True,
        now: float | None = None,
    ) -> None:
        """`full`: take nothing for known. `keep_record` False: the ledger stays as it is."""
        self._options = options
        self._cache = cache
        self._ledger = ledger
        self._serving = serving
        self._full = full
        self._keep_record = keep_record
        self._now = time.time() if now is None else now
        self._made_with = f"{PARSER_VERSION} {options.max_file_mb}"
        self._failed_with = f"{self._made_with} {options.limits}"
        recipe = serving.manifest.recipe if serving.manifest else ""
        self._same_recipe = not full and recipe == recipe_of(options)

    def read(self, source: Source, files: Sequence[SourceFile], progress: BuildProgress) -> SourceReading:
        """Raises SourceError when the source broke meanwhile, ParsingUnavailable, and what `progress` raises."""
        before = {} if self._full else self._ledger.of(source.name)
        reading = SourceReading([file.path for file in files])
        cached = self._cache.holds("document", (entry.known.document for entry in before.values() if entry.known))
        waiting: list[tuple[str, Entry]] = []
        kept_at = time.monotonic()
        for done, file in enumerate(files):
            progress("reading", done, len(files))
            entry = before.get(file.path, Entry())
            after = self._page(source, file, entry, cached, reading)
            reading.met.add(file.path)
            if after != entry:
                waiting.append((file.path, after))
            if time.monotonic() - kept_at > _KEEP_SECONDS:
                self._record(source.name, waiting)
                kept_at = time.monotonic()
        progress("reading", len(files), len(files))
        self._record(source.name, waiting)
        return reading

    def _record(self, source: str, waiting: list[tuple[str, Entry]]) -> None:
        if self._keep_record:
            self._ledger.write(source, waiting)
            self._ledger.keep()
        waiting.clear()

    def _page(self, source: Source, file: SourceFile, entry: Entry, cached: set[str], reading: SourceReading) -> Entry:
        """Adds the page, or its failure, to `reading`; what the ledger shall know of it from now on."""
        document: Document | None = None
        known = entry.known
        # Versions of two pages may be alike (Confluence counts each from 1): what is known of the one says nothing of the other.
        replaced = known is not None and known.identity != file.identity
        unchanged = (
            known is not None
            and not replaced
            and file.version is not None
            and (entry.made_with, known.version) == (self._made_with, file.version)
            and entry.failure is None
            and known.document in cached
        )
        if not unchanged:
            failure = None if replaced else entry.failure
            if failure is not None and not self._full and failure.rests(file.version, self._failed_with, self._now):
                self._failed(source, file, failure, reading)
                return entry
            try:
                document, key = self._load(file)
            except PageError as error:
                failure = Failure.after(failure, error, file.version, self._failed_with, self._now)
                if isinstance(error, PageTooLarge):  # told by its size alone: trying again costs nothing
                    failure = dataclasses.replace(failure, retry_at=self._now)
                self._failed(source, file, failure, reading, replaced=replaced)
                return Entry(entry.made_with, known, failure)
            known = Known(file.version, file.identity, key, head_of(document))
        assert known is not None  # noqa: S101 - for the type checker: either it was unchanged or it was read
        try:
            head = to_page(source.name, source.audience, file, known.head)
        except PageError as error:  # its readers cannot be told: nobody may read it, not even as it was
            reading.failed.append(FailedPage(source.name, file.path, error))
            return Entry(self._made_with, known)
        passages, digest = None, digest_of(head, known.document)
        if not (self._same_recipe and self._serving.digests.get(f"{source.name}/{file.path}") == digest):
            try:
                passages = self._cut(head, file, known.document, document)
            except PageError as error:  # it vanished from the cache and cannot be read now
                failure = Failure.after(None, error, file.version, self._failed_with, self._now)
                self._failed(source, file, failure, reading)
                return Entry(entry.made_with, known, failure)
        reading.pages.append(EditionPage(source.name, file.path, digest, head.audience, passages, passages is None))
        reading.documents[file.path] = known.document
        reading.identities[file.path] = file.identity
        return Entry(self._made_with, known)

    def _load(self, file: SourceFile) -> tuple[Document, str]:
        try:
            return load_document(file, self._cache, self._options.max_file_mb, self._options.parse)
        except (PageError, SourceError, WikiError):
            raise
        except Exception as error:  # a source's own bug must cost one page, not the run
            raise UnreadablePage(reason=type(error).__name__) from error

    def _cut(self, head: Page, file: SourceFile, key: str, document: Document | None) -> tuple[Passage, ...]:
        sections = document.sections if document is not None else self._sections(file, key)
        page = dataclasses.replace(head, sections=sections)
        return tuple(split(page, self._options.passage_size, self._options.passage_overlap))

    def _sections(self, file: SourceFile, key: str) -> tuple[Section, ...]:
        kept = self._cache.get("document", [key]).get(key)
        try:
            return document_json.loads(kept or b"").sections
        except ValueError:
            return self._load(file)[0].sections

    def _failed(
        self,
        source: Source,
        file: SourceFile,
        failure: Failure,
        reading: SourceReading,
        *,
        replaced: bool = False,
    ) -> None:
        """A page that is listed but cannot be read keeps its former passages, open to whom both the old and the new settings admit.

        `replaced`: those are another page's, which stood at the same path.
        """
        name = f"{source.name}/{file.path}"
        has_passages = name in self._serving.digests and not replaced and file.path not in reading.met
        kept = has_passages and not isinstance(failure.error, _CLOSING)
        if kept:
            audience = source.audience if file.audience is None else source.audience.narrowed(file.audience)
            reading.pages.append(self._serving.carried(source.name, file.path, audience))
        reading.failed.append(FailedPage(source.name, file.path, failure.error, kept, failure.count))


def digest_of(page: Page, document: str) -> str:
    """Everything a passage carries beside the file's own bytes, too, so that a new audience or url counts as a change."""
    return key_of(
        document,
        page.title,
        page.url or "",
        str(page.modified),
        json.dumps(page.audience.as_lists()),
        str(page.replaced_by),
    )
