"""Sources → pages → passages → an edition: one indexing run. What cannot be read is reported, never fatal.

Costs only what changed: an unchanged file is not read, passages of an unchanged page are taken over with their tokens and vectors, what is
new is computed once (the caches outlive a run that was killed), and when nothing changed at all neither Kiwi nor the embedder is loaded.
The steps stand in `knowledge/building/`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from filelock import FileLock, Timeout

from knowledge import korean
from knowledge.building import checking
from knowledge.building.calibrating import calibration_of
from knowledge.building.comparing import Changes, compare
from knowledge.building.computing import Computing
from knowledge.building.holding import carried_over, check_size
from knowledge.building.listing import list_files
from knowledge.building.options import (
    BUILD_VERSION,
    BuildOptions,
    BuildRequest,
    Regression,
    RegressionLimits,
    recipe_of,
)
from knowledge.building.reading import PageReader, SourceReading
from knowledge.building.report import BuildProgress, BuildReport, FailedPage, HeldBack, MovedPage
from knowledge.building.serving import EditionPage, Serving
from knowledge.building.staying import fingerprint_of, same_since_rollback
from knowledge.cache import ContentCache
from knowledge.calibrate import calibrate
from knowledge.edition import Edition, EditionShelf, HeldSource, Recall
from knowledge.editions.publishing import Approval, Contents
from knowledge.embed import Embedder
from knowledge.embed import self_test as embedder_self_test
from knowledge.errors import EmptyWiki, IndexBusy, PublishFailed, SourceError, UnknownSource
from knowledge.korean import Analyser
from knowledge.ledger import Ledger
from knowledge.page import Audience
from knowledge.search import SearchIndex
from knowledge.sources.base import Source

__all__ = [
    "BUILD_VERSION",
    "BuildOptions",
    "BuildProgress",
    "BuildReport",
    "BuildRequest",
    "FailedPage",
    "HeldBack",
    "MovedPage",
    "Regression",
    "RegressionLimits",
    "build",
]


def build(
    sources: Sequence[Source],
    options: BuildOptions,
    make_analyser: Callable[[], Analyser],
    make_embedder: Callable[[], Embedder],
    request: BuildRequest = BuildRequest(),  # noqa: B008 - frozen
    progress: BuildProgress = lambda step, done, total: None,
) -> BuildReport:
    """Index `sources` and publish.

    Raises UnknownSource, EmptyWiki, PublishFailed, EditionRefused, IndexBusy, SelfTestFailed, ParsingUnavailable, and a source's own error
    when no other source gave anything new; the serving edition then stays.
    """
    started = time.perf_counter()
    configured = [source.name for source in sources]
    for name in {*request.only, *request.accept}.difference(configured):
        raise UnknownSource(name=name, known=", ".join(configured))
    try:
        with _alone(options.shelf):
            if request.full and not request.dry_run:
                for kept in (options.cache, options.ledger):
                    kept.unlink(missing_ok=True)
            with ContentCache(options.cache) as cache, Ledger(options.ledger) as ledger:
                serving = Serving.of(options.shelf, configured)
                run = _Run(sources, options, make_analyser, make_embedder, request, progress, cache, ledger, serving)
                return run.report(started)
    except OSError as error:
        raise PublishFailed(reason=error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise PublishFailed(reason=f"{options.cache}: {error}") from error


@contextmanager
def _alone(shelf: EditionShelf) -> Iterator[None]:
    """One indexing run at a time, in any process."""
    shelf.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(shelf.root / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexBusy(lock=shelf.root / ".lock") from error
    try:
        yield
    finally:
        lock.release()


@dataclass
class _Run:
    """One run; its steps in the order of the methods."""

    sources: Sequence[Source]
    options: BuildOptions
    make_analyser: Callable[[], Analyser]
    make_embedder: Callable[[], Embedder]
    request: BuildRequest
    progress: BuildProgress
    cache: ContentCache
    ledger: Ledger
    serving: Serving
    pages: list[EditionPage] = field(default_factory=list)
    readings: dict[str, SourceReading] = field(default_factory=dict)
    failed: list[FailedPage] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    recall: Recall | None = None
    passages: int | None = None
    """Of the edition that was made here."""

    def report(self, started: float) -> BuildReport:
        """Do it, and tell."""
        self._read_sources()
        digests = {page.name: page.digest for page in self.pages}
        if self.held_back:  # already here: whatever else goes wrong, their former pages answer
            self._note_held_back()
        self._refuse_when_nothing_was_read(digests)
        changes = compare(self.serving, digests, self.readings, self.ledger)
        fingerprint = fingerprint_of(digests, self.options)
        edition, rolled_back = self._staying(digests, fingerprint)
        reused = edition is not None
        if edition is None and not self.request.dry_run:
            edition = self._left_unpublished(fingerprint) or self._publish(digests, fingerprint, changes)
        if not self.request.dry_run:
            self._forget_what_left()
        self._note_held_back(taken=self.readings)
        return BuildReport(
            edition=edition or self.serving.name or "",
            pages=len(digests),
            passages=self._count(edition),
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
            failed=tuple(self.failed),
            seconds=time.perf_counter() - started,
            reused=reused,
            moved=changes.moved,
            held_back=tuple(self.held_back),
            dry_run=self.request.dry_run,
            rolled_back=rolled_back,
            recall=self.recall,
        )

    def _read_sources(self) -> None:
        reader = PageReader(
            self.options,
            self.cache,
            self.ledger,
            self.serving,
            full=self.request.full,
            keep_record=not self.request.dry_run,
        )
        for source in self.sources:
            # Where there is nothing to take the others' pages from, all are read.
            if self.request.only and self.serving.manifest and source.name not in self.request.only:
                self.pages += carried_over(source, self.serving)
                continue
            before = len(self.serving.paths(source.name))
            now: int | None = None
            reading: SourceReading | None = None
            told: dict[str, Audience] = {}
            try:
                files = list_files(source, self.progress)
                told = {file.path: file.audience for file in files if file.audience is not None}
                now = len(files)
                self._check_size(source, before, now)
                reading = reader.read(source, files, self.progress)
                told |= reading.readers()
                now = len(reading.pages)
                self._check_size(source, before, now)
            except SourceError as error:
                self.held_back.append(HeldBack(source.name, error, before, now))
                self.pages += carried_over(source, self.serving, told)
                for one in reading.failed if reading else ():
                    self.failed.append(replace(one, kept=f"{one.source}/{one.page}" in self.serving.digests))
                continue
            self.readings[source.name] = reading
            self.pages += reading.pages
            self.failed += reading.failed

    def _check_size(self, source: Source, before: int, now: int) -> None:
        if source.name not in self.request.accept:
            check_size(source.name, before, now, self.options.shrink_share)

    def _refuse_when_nothing_was_read(self, digests: dict[str, str]) -> None:
        """When no source gave anything and the settings change nothing either, the run has failed."""
        if self.request.dry_run and digests:
            return
        if not self.readings and self.held_back and digests in ({}, self.serving.digests):
            raise self.held_back[0].error
        if not digests:
            raise EmptyWiki(sources=", ".join(source.name for source in self.sources))

    def _note_held_back(self, taken: Collection[str] = ()) -> None:
        """What this run saw; of the sources that it did not read it says nothing new. `taken`: names of those that serve as they are."""
        if self.request.dry_run:
            return
        known = self.options.shelf.held_back()
        noted = {
            source.name: known[source.name]
            for source in self.sources
            if source.name in known and source.name not in taken
        }
        for one in self.held_back:
            since = known[one.source].since if one.source in known else 0.0
            noted[one.source] = HeldSource(
                one.error.explain("ko"), one.error.explain("en"), one.before, one.now, since or time.time()
            )
        self.options.shelf.note_held_back(noted)

    def _staying(self, digests: dict[str, str], fingerprint: str) -> tuple[str | None, bool]:
        """The serving edition if it stays, and whether that is because a person went back to it."""
        serving = self.serving.manifest
        if serving is None or self.request.full:
            return None, False
        if serving.fingerprint == fingerprint:
            return serving.edition, False
        if same_since_rollback(self.serving, digests, self.readings, self.options):
            return serving.edition, True
        return None, False

    def _left_unpublished(self, fingerprint: str) -> str | None:
        """The same edition, where the run before was killed between writing it and pointing at it."""
        if self.serving.name is None or self.request.full:
            return None
        return self.options.shelf.adopt(fingerprint, self.serving.name)

    def _count(self, edition: str | None) -> int:
        """Passages of the edition that serves now, or would."""
        if self.passages is not None:
            return self.passages
        if edition is not None:
            return self.options.shelf.manifest(edition).passages
        return sum(1 for _ in self.serving.assembled(self.pages))

    def _publish(self, digests: dict[str, str], fingerprint: str, changes: Changes) -> str:
        options, serving = self.options, self.serving
        assembled = list(serving.assembled(self.pages))
        passages = [passage for passage, _ in assembled]
        rows = np.array([row for _, row in assembled], dtype=np.int64)
        taken = int((rows >= 0).sum())
        changed = len(rows) - taken + (serving.manifest.passages if serving.manifest else 0) - taken
        self.passages = len(rows)
        analyser, embedder = self.make_analyser(), self.make_embedder()
        korean.self_test(analyser)
        embedder_self_test(embedder)
        computing = Computing(self.cache, None if self.request.full else serving, analyser, embedder, self.progress)
        legs = computing.legs([passage.indexed_text for passage in passages], rows)
        self.progress("publishing", 0, 1)
        contents = Contents(
            fingerprint=fingerprint,
            recipe=recipe_of(options),
            passages=passages,
            pages=digests,
            morphemes=legs.morphemes,
            bigrams=legs.bigrams,
            vectors=legs.vectors,
            analyser=analyser.name,
            embedder=embedder.id,
            sources=self._sizes(),
            held_back=[one.source for one in self.held_back],
        )
        wanted = checking.Wanted(
            pages={page.name: page.audience for page in self.pages},
            sources={source.name: source.audience for source in self.sources},
            removed=changes.removed,
            titles={name: title for name in changes.removed if (title := serving.title(name)) is not None},
        )

        def approve(edition: Edition) -> Approval:
            checking.check_passages(edition, wanted)
            index = SearchIndex(edition, analyser, embedder, options.search)
            checking.check_canaries(index, wanted)
            if options.regression is not None:
                self.recall = checking.check_regression(
                    index, serving, options.search, options.regression, options.regression_limits
                )
            before = Serving(options.shelf, None) if self.request.full else serving
            found = calibration_of(index, before, changed, options, calibrate)
            return Approval(found.values, found.measured_with, found.drift, self.recall)

        name = options.shelf.publish(contents, approve, instead_of=serving.name)
        self.progress("publishing", 1, 1)
        return name

    def _sizes(self) -> dict[str, int]:
        sizes = dict.fromkeys((source.name for source in self.sources), 0)
        for page in self.pages:
            sizes[page.source] += 1
        return sizes

    def _forget_what_left(self) -> None:
        """What left the wiki leaves ledger and cache, too; what could not be asked for stays."""
        for source, reading in self.readings.items():
            self.ledger.forget_others(source, reading.listed)
        self.ledger.forget_sources([source.name for source in self.sources])
        self.ledger.keep()
        self.cache.keep_only("document", self.ledger.documents())
