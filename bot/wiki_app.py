"""The composition root's part for the wiki: sources, editions and search, from the settings. Only bot/app.py imports this."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.models.store import ModelStore
    from bot.settings import Settings
    from knowledge.build import BuildOptions, BuildProgress, BuildReport, BuildRequest
    from knowledge.edition import EditionShelf
    from knowledge.embed import Embedder
    from knowledge.glossary import Glossary
    from knowledge.korean import Analyser
    from knowledge.learned_weights import Learned
    from knowledge.rerank import Reranker
    from knowledge.search import SearchIndex, SearchOptions
    from knowledge.sources.base import Source


class WikiParts:
    """Over one configuration. Heavy imports stand inside the functions that need them."""

    def __init__(
        self, settings: Callable[[], Settings], models: Callable[[], ModelStore], warn: Callable[[str], None]
    ) -> None:
        """`settings` and `models` are asked for when first needed. `warn`: a word to the person at the terminal."""
        self._ask_settings = settings
        self._ask_models = models
        self._warn = warn

    @property
    def _settings(self) -> Settings:
        return self._ask_settings()

    @property
    def _models(self) -> ModelStore:
        return self._ask_models()

    @cached_property
    def shelf(self) -> EditionShelf:
        """The editions of this data directory."""
        from knowledge.edition import EditionShelf

        return EditionShelf(self._settings.data_dir / "editions", self._settings.index.keep_editions)

    def sources(self, glance: bool = False) -> list[Source]:
        """Where pages come from, as configured. `glance`: only to see whether they can be read (`Kind.glance`); what such a look
        remembers is kept apart from what indexing does."""
        from knowledge.page import Audience
        from knowledge.sources import KINDS, FolderAudience, SourceConfig, home_of, open_source

        homes = self._settings.data_dir / "sources"
        opened = []
        for one in self._settings.sources:
            home, options, quick = home_of(homes, one.name), one.options, KINDS[one.kind].glance
            if glance and quick is not None:
                home, options = home / "glance", quick(options)
            folders = tuple(FolderAudience(rule.pages, Audience.of(rule.audience)) for rule in one.folders)
            config = SourceConfig(one.name, Audience.of(one.audience), home, one.include, one.exclude, folders)
            opened.append(open_source(one.kind, config, options))
        return opened

    def failed_pages(self) -> dict[str, int]:
        """By source: how many pages could not be read the last time."""
        from knowledge.failures import failure_counts

        return failure_counts(self.ledger)

    def held_back(self) -> Collection[str]:
        """Names of the sources that were not taken as they are when they were last read."""
        return self.shelf.held_back()

    @property
    def ledger(self) -> Path:
        """Of what the indexing runs knew of each file."""
        from knowledge.building.options import BuildOptions

        return BuildOptions(self.shelf, self._cache, "").ledger

    @property
    def _cache(self) -> Path:
        return self._settings.data_dir / "cache" / "knowledge.sqlite"

    def search_options(self) -> SearchOptions:
        """`[search]` as the search wants it."""
        from knowledge.search import SearchOptions
        from knowledge.signals import Signals

        chosen = self._settings.search
        return SearchOptions(
            chosen.candidates,
            chosen.fusion,
            self.weights(),
            chosen.tolerant,
            self.glossary,
            Signals(chosen.recency, chosen.half_life_days, chosen.authority),
        )

    def weights(self) -> dict[str, float]:
        """What each leg counts: as configured, or as learnt from votes since they were configured so."""
        from knowledge.errors import BrokenWeights
        from knowledge.learned_weights import load

        configured = self._settings.search.weights.model_dump()
        if self._settings.search.learn:
            try:
                learned = load(self._settings.search_weights_file)
            except BrokenWeights as error:
                self._warn(error.explain(self._settings.language))
                return configured
            if learned is not None and learned.accepted and learned.learnt_from(configured):
                return learned.weights
        return configured

    def learn_weights(self) -> Learned:
        """Learn from the votes of the store over the serving edition, and keep what came of it."""
        from bot.store import feedback
        from bot.store.database import open_store
        from bot.vote_weights import voted
        from knowledge.learned_weights import learn, save

        settings = self._settings
        self.shelf.current()  # say "no index" before opening or loading anything
        store = open_store(settings.store.url, settings.data_dir)
        try:
            said = store.run_now(feedback.said)
        finally:
            store.close()
        votes = voted(said, self.open_index(None), person_most=settings.tuning.person_most)
        learned = learn(votes, settings.search.weights.model_dump())
        save(settings.search_weights_file, learned)
        return learned

    def make_reranker(self) -> Reranker | None:
        """The cross-encoder of `[search] rerank`. Raises InvalidSetting."""
        from bot.errors import InvalidSetting

        chosen = self._settings.search
        if not chosen.rerank:
            return None
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from knowledge.rerank import CrossEncoderReranker

        try:
            return CrossEncoderReranker(Path(chosen.rerank), most=chosen.rerank_passages, seconds=chosen.rerank_seconds)
        except (OSError, ValueError) as error:
            raise InvalidSetting(key="[search] rerank", reason=f"{chosen.rerank}: {error}") from error

    @cached_property
    def glossary(self) -> Glossary:
        """The company's own words. Raises UnreadableGlossary, BadGlossary."""
        from knowledge.glossary import NO_WORDS, load_glossary

        path = self._settings.search.glossary
        return load_glossary(Path(path)) if path else NO_WORDS

    def analyser_id(self) -> str:
        """What an edition's morphemes were made with; known without loading Kiwi."""
        from knowledge.korean import analyser_name

        return analyser_name(self.glossary)

    def embedder_id(self) -> str:
        """Name and content hash: what an edition's vectors were made with."""
        name = self._settings.embedder.model
        return f"{name}@{self._models.sha256(name)[:16]}"

    def make_embedder(self, threads: int) -> Embedder:
        """Load the embedder; `threads` 1 where a writer shares the cores."""
        # transformers must not ask a model hub behind the person's back: `saseo models pull` is the only way out.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from knowledge.embed import SentenceTransformerEmbedder

        chosen = self._settings.embedder
        return SentenceTransformerEmbedder(
            self._models.path(chosen.model, role="embedder"),
            model_id=self.embedder_id(),
            dtype=chosen.dtype,
            batch_size=chosen.batch_size,
            threads=threads,
        )

    def make_analyser(self, workers: int = 1) -> Analyser:
        """Kiwi with the words of the glossary, and `workers` threads for batches."""
        from knowledge.korean import Analyser

        return Analyser(workers, self.glossary)

    def reindex(self, request: BuildRequest, progress: BuildProgress) -> BuildReport:
        """One indexing run, here in this process, with all cores."""
        # Read when torch loads: idle OpenMP threads must not spin beside Kiwi's and another process's work.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from jobs.reindex import reindex
        from knowledge.parsing import ParsingProcess

        cores = os.cpu_count() or 1
        chosen = self._settings.index
        with ParsingProcess(seconds=chosen.parse_seconds, memory_mb=chosen.parse_memory_mb) as parsing:
            return reindex(
                self.sources(),
                replace(self.build_options(), parse=parsing.parse),
                lambda: self.make_analyser(cores),
                lambda: self.make_embedder(cores),
                request,
                progress,
            )

    def build_options(self) -> BuildOptions:
        """`[index]` as the build wants it."""
        from jobs.regression import RegressionQuestions
        from knowledge.build import BuildOptions, RegressionLimits

        chosen = self._settings.index
        return BuildOptions(
            search=self.search_options(),  # first: a mistake in the glossary is told before a model that is missing
            analyser_id=self.analyser_id(),
            shelf=self.shelf,
            cache=self._cache,
            embedder_id=self.embedder_id(),
            passage_size=chosen.passage_size,
            passage_overlap=chosen.passage_overlap,
            max_file_mb=chosen.max_file_mb,
            limits=f"{chosen.parse_seconds:g} s, {chosen.parse_memory_mb} MB",
            shrink_share=chosen.shrink_share,
            regression=RegressionQuestions(Path(chosen.regression_set)) if chosen.regression_set else None,
            regression_limits=RegressionLimits(chosen.regression_floor, chosen.regression_fall),
        )

    def open_index(self, options: SearchOptions | None, edition: str | None = None) -> SearchIndex:
        """The serving edition, or the one of that name, with analyser and embedder loaded side by side."""
        from knowledge.page import reader_of
        from knowledge.search import SearchIndex

        edition_name = edition or self.shelf.current()  # say "no index" before loading anything
        with ThreadPoolExecutor(3, thread_name_prefix="load") as loading:
            embedder = loading.submit(lambda: (self.make_embedder(1), self.make_reranker()))
            analyser = loading.submit(self.make_analyser)
            opened = loading.submit(self.shelf.open, edition_name)
            vectors, reranker = embedder.result()
            index = SearchIndex(opened.result(), analyser.result(), vectors, options or self.search_options(), reranker)
        # Kiwi builds its tables and torch its kernels at first use: a second or two that no person should wait for.
        index.search("사서", reader_of(), 1)
        return index

    def reopened(self, index: SearchIndex) -> SearchIndex:
        """The serving edition with the parts of `index`, as far as it was made with them."""
        from knowledge.search import SearchIndex

        self.__dict__.pop("glossary", None)  # another one may have been indexed with
        analyser = index.analyser if index.analyser.name == self.analyser_id() else self.make_analyser()
        return SearchIndex(self.shelf.open(), analyser, index.embedder, self.search_options(), index.reranker)
