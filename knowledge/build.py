"""Sources → pages → passages → an edition: one indexing run. Pages that cannot be read are reported, never fatal.

Costs only what changed: parsed documents, morphemes and vectors are kept by content hash; when nothing changed at all
neither Kiwi nor the embedder is even loaded.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from filelock import FileLock, Timeout

from knowledge import formats, korean
from knowledge.cache import ContentCache, key_of
from knowledge.calibrate import calibrate
from knowledge.chunk import split
from knowledge.documents import Parse, load_document
from knowledge.edition import EditionShelf, Manifest, differences
from knowledge.embed import Embedder, Vectors
from knowledge.embed import self_test as embedder_self_test
from knowledge.errors import BrokenEdition, EmptyWiki, IndexBusy, NoEdition, PageError, PublishFailed
from knowledge.formats import PARSER_VERSION
from knowledge.korean import Analyser, bigrams
from knowledge.lexicon import Lexicon
from knowledge.page import Page, Passage
from knowledge.search import SearchIndex, SearchOptions
from knowledge.sources.base import Source, to_page

BUILD_VERSION = 2
"""Part of the fingerprint: change it when the same pages give other passages or scores."""

_CACHE_EVERY = 256


class BuildProgress(Protocol):
    """Told how far a step is: `reading`, `morphemes`, `vectors`, `publishing`."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """`done` of `total`."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a run needs besides its sources."""

    shelf: EditionShelf
    cache: Path
    embedder_id: str
    passage_size: int = 600
    passage_overlap: int = 100
    max_file_mb: int = 50
    parse: Parse = formats.parse
    """`ParsingProcess.parse` where the files are not trusted."""
    search: SearchOptions = dataclasses.field(default_factory=SearchOptions)


@dataclass(frozen=True, slots=True)
class FailedPage:
    """A page that is not in the edition, and why (`reason` in English; `error` explains itself in Korean too)."""

    source: str
    page: str
    """Relative to its source, as everywhere."""
    error: PageError


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a run did."""

    edition: str
    pages: int
    passages: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[FailedPage, ...]
    seconds: float
    reused: bool
    """Nothing had changed: the serving edition stays."""


def build(
    sources: Sequence[Source],
    options: BuildOptions,
    make_analyser: Callable[[], Analyser],
    make_embedder: Callable[[], Embedder],
    *,
    full: bool = False,
    progress: BuildProgress = lambda step, done, total: None,
) -> BuildReport:
    """Index `sources` and publish. `full`: ignore the caches and publish even if nothing changed.

    Raises SourceNotFound, EmptyWiki, PublishFailed, IndexBusy, SelfTestFailed; the serving edition then stays.
    """
    started = time.perf_counter()
    try:
        options.shelf.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(options.shelf.root / ".lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise IndexBusy(lock=options.shelf.root / ".lock") from error
    except OSError as error:
        raise PublishFailed(reason=error.strerror or str(error)) from error
    try:
        if full:
            options.cache.unlink(missing_ok=True)
        with ContentCache(options.cache) as cache:
            pages, digests, failed, documents = _read(sources, options, cache, progress)
            if not pages:
                raise EmptyWiki(sources=", ".join(source.name for source in sources))
            fingerprint = _fingerprint(digests, options)
            previous = _previous(options.shelf)
            old = options.shelf.pages(previous.edition) if previous else {}
            added, changed, removed = differences(old, digests)
            if previous is not None and previous.fingerprint == fingerprint and not full:
                edition, count, reused = previous.edition, previous.passages, True
            else:
                passages = [p for page in pages for p in split(page, options.passage_size, options.passage_overlap)]
                edition = _publish(
                    passages, digests, fingerprint, options, cache, make_analyser, make_embedder, progress
                )
                count, reused = len(passages), False
            cache.keep_only("document", documents)
    except OSError as error:
        raise PublishFailed(reason=error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise PublishFailed(reason=f"{options.cache}: {error}") from error
    finally:
        lock.release()
    return BuildReport(
        edition=edition,
        pages=len(pages),
        passages=count,
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
        failed=tuple(failed),
        seconds=time.perf_counter() - started,
        reused=reused,
    )


def _read(
    sources: Sequence[Source], options: BuildOptions, cache: ContentCache, progress: BuildProgress
) -> tuple[list[Page], dict[str, str], list[FailedPage], list[str]]:
    """Pages, their digests by `source/path`, failures, and the cache keys in use."""
    pages, digests, failed, keys = [], {}, [], []
    files = [(source, file) for source in sources for file in source.files()]
    for done, (source, file) in enumerate(files):
        progress("reading", done, len(files))
        name = f"{source.name}/{file.path}"
        try:
            document, key = load_document(file, cache, options.max_file_mb, options.parse)
            page = to_page(source.name, source.audience, file, document)
        except PageError as error:
            failed.append(FailedPage(source.name, file.path, error))
            continue
        keys.append(key)
        pages.append(page)
        # Everything a passage carries beside the file's own bytes, so that a new audience or url counts as a change.
        digests[name] = key_of(
            key,
            page.title,
            page.url or "",
            str(page.modified),
            json.dumps(page.audience.as_lists()),
            str(page.replaced_by),
        )
    progress("reading", len(files), len(files))
    return pages, digests, failed, keys


def _fingerprint(digests: dict[str, str], options: BuildOptions) -> str:
    chosen = options.search  # the threshold was calibrated with them
    search = [chosen.candidates, chosen.fusion, sorted(chosen.weights.items())]
    made_with = [BUILD_VERSION, PARSER_VERSION, options.passage_size, options.passage_overlap, korean.ANALYSER, search]
    return key_of(options.embedder_id, json.dumps(made_with), json.dumps(sorted(digests.items()), ensure_ascii=False))


def _previous(shelf: EditionShelf) -> Manifest | None:
    try:
        return shelf.open().manifest
    except (NoEdition, BrokenEdition):
        return None


def _publish(
    passages: Sequence[Passage],
    digests: dict[str, str],
    fingerprint: str,
    options: BuildOptions,
    cache: ContentCache,
    make_analyser: Callable[[], Analyser],
    make_embedder: Callable[[], Embedder],
    progress: BuildProgress,
) -> str:
    texts = [passage.indexed_text for passage in passages]
    analyser, embedder = make_analyser(), make_embedder()
    korean.self_test(analyser)
    embedder_self_test(embedder)
    morphemes = _morphemes(texts, analyser, cache, progress)
    vectors = _vectors(texts, embedder, cache, progress)
    progress("publishing", 0, 1)
    name = options.shelf.publish(
        fingerprint=fingerprint,
        passages=passages,
        pages=digests,
        morphemes=Lexicon.build(morphemes),
        bigrams=Lexicon.build([bigrams(text) for text in texts]),
        vectors=vectors,
        analyser=analyser.name,
        embedder=embedder.id,
        calibrate=lambda edition: calibrate(SearchIndex(edition, analyser, embedder, options.search)),
    )
    progress("publishing", 1, 1)
    return name


def _morphemes(
    texts: Sequence[str], analyser: Analyser, cache: ContentCache, progress: BuildProgress
) -> list[list[str]]:
    keys = [key_of(analyser.name, text) for text in texts]
    known = cache.get("morphemes", keys)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    for batch in _batches(list(missing)):
        tokens = analyser.morphemes_of([missing[key] for key in batch])
        fresh = {key: json.dumps(found, ensure_ascii=False).encode() for key, found in zip(batch, tokens, strict=True)}
        cache.put("morphemes", fresh)
        known |= fresh
        progress("morphemes", len(known), len(set(keys)))
    cache.keep_only("morphemes", keys)
    return [json.loads(known[key]) for key in keys]


def _vectors(texts: Sequence[str], embedder: Embedder, cache: ContentCache, progress: BuildProgress) -> Vectors:
    keys = [key_of(embedder.id, text) for text in texts]
    known = cache.get("vector", keys)
    # A cached vector of another length would be a damaged cache: compute it again.
    known = {key: value for key, value in known.items() if len(value) == 4 * embedder.dimension}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    # Longest first over the whole run, so that every batch holds texts of one length.
    for batch in _batches(sorted(missing, key=lambda key: -len(missing[key]))):
        vectors = embedder.passages([missing[key] for key in batch])
        fresh = {key: vector.tobytes() for key, vector in zip(batch, vectors, strict=True)}
        cache.put("vector", fresh)
        known |= fresh
        progress("vectors", len(known), len(set(keys)))
    cache.keep_only("vector", keys)
    return np.stack([np.frombuffer(known[key], dtype=np.float32) for key in keys])


def _batches(keys: list[str]) -> list[list[str]]:
    return [keys[start : start + _CACHE_EVERY] for start in range(0, len(keys), _CACHE_EVERY)]
