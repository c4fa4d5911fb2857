"""The composition root's part for tuning, judging and watching: what those jobs are made of. Only bot/app.py imports this."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot.live import NO_LORA

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.app import Root
    from bot.examples.workbench import Workbench
    from bot.messages import Language
    from bot.releases.releases import Releases
    from bot.settings import Settings
    from bot.store.database import Store
    from jobs.gate.asking import Answerers, Side
    from jobs.learning.parts import LearningOptions, LearningParts, ServedBase
    from jobs.tuning.settings import TuningSettings
    from knowledge.editions.opened import Edition
    from knowledge.korean import Analyser
    from knowledge.search import SearchIndex, SearchOptions


def learning_parts(root: Root) -> LearningParts:
    """Over one configuration."""
    from jobs.learning.parts import LearningParts

    shared = SharedIndex(root)
    return LearningParts(
        options=options(root.settings),
        base=lambda: served_base(root),
        workbench=root.workbench,
        file_bench=lambda: root.workbench(wiki_needed=False),
        releases=root.releases,
        side=lambda name: side(root, name, shared),
        engine=lambda: root.answers.make_engine(served_base(root).gguf),
        folder=root.settings.data_dir / "tuning",
    )


def bench(root: Root, store: Store, edition: Edition | None, analyser: Analyser) -> Workbench:
    """Examples over a store and an edition (None: no page is known) that are open; personal data is masked on the way in.

    It may share the Kiwi of an open index, whose analysis changes nothing in it.
    """
    from bot.examples.grounding import SentenceGrounding
    from bot.examples.guards import Rules
    from bot.examples.masking import mask
    from bot.examples.pages import EditionPages
    from bot.examples.workbench import Workbench

    tuning = root.settings.tuning
    return Workbench(
        store=store,
        pages=EditionPages(edition.passages if edition else ()),
        grounding=SentenceGrounding(analyser, edition.morphemes.idf if edition else lambda token: 1.0),
        mask=mask,
        rules=Rules(**tuning.model_dump(include={"automatic", "voters", "voter_days", "person_share", "person_most"})),
        clock=time.time,
        learning=tuning.learn_from_feedback,
    )


def options(settings: Settings) -> LearningOptions:
    """`[tuning]`, `[gate]` and `[releases]`. Raises InvalidSetting."""
    from bot.releases.watch import WatchRules
    from jobs.gate.settings import GateSettings
    from jobs.learning.parts import LearningOptions
    from jobs.tuning.replay import STARTER_EXAMPLES

    chosen = settings.tuning
    return LearningOptions(
        training=training(settings),
        gate=GateSettings.from_json(settings.gate.model_dump()),
        watch=WatchRules(
            **settings.releases.model_dump(exclude={"canary_share"}),
            **settings.privacy.model_dump(include={"questions_days", "feedback_days"}),
        ),
        least_examples=chosen.least_examples,
        replay=STARTER_EXAMPLES if chosen.replay else None,
        evaluation_sets=chosen.evaluation_sets,
        promote=chosen.promote,
        canary_share=settings.releases.canary_share,
    )


def training(settings: Settings) -> TuningSettings:
    """`[tuning.training]`: 0 stands for no limit of one's own."""
    from jobs.tuning.settings import TuningSettings

    given: dict[str, Any] = settings.tuning.training.model_dump()
    given["budget_seconds"] = given.pop("budget_minutes") * 60
    for name in ("threads", "memory_mb", "budget_seconds"):
        given[name] = given[name] or None
    return TuningSettings(**given)


def served_base(root: Root) -> ServedBase:
    """The configured writer. Raises ModelError."""
    from jobs.learning.parts import ServedBase

    name = root.settings.writer.model
    return ServedBase(name, root.store.path(name, role="writer"), root.base_sha256, root.answers.template())


class SharedIndex:
    """The one edition over which all sides of a run of the gate answer. Once open it stays so: while one side answers, which takes
    hours, newer editions are published, and this one may be deleted."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._opened: tuple[str, SearchIndex] | None = None

    @cached_property
    def edition(self) -> str:
        """What served when it was first asked for. Raises NoEdition."""
        return self._root.wiki.shelf.current()

    def open(self, dials: str, options: SearchOptions) -> SearchIndex:
        """`dials`: of the stamp, which `options` are part of. Raises EditionReplaced, BrokenEdition."""
        from bot.errors import EditionReplaced
        from knowledge.errors import BrokenEdition

        if self._opened is None or self._opened[0] != dials:
            self._opened = None  # never two of them in memory
            try:
                self._opened = dials, self._root.wiki.open_index(options, self.edition)
            except BrokenEdition as error:
                if self.edition in self._root.wiki.shelf.names():
                    raise
                raise EditionReplaced(edition=self.edition) from error
        return self._opened[1]


def side(root: Root, name: str, shared: SharedIndex | None = None) -> Side:
    """What answers with this LoRA, or with the plain base, over the edition of `shared`. Raises a LoraError, `NoEdition`."""
    from bot import prompts
    from jobs.gate.answers import Stamp
    from jobs.gate.asking import Side

    shared = shared or SharedIndex(root)
    lora = NO_LORA if name == NO_LORA else root.loras.choosing(name).shelf.get(name, root.base_sha256).sha256
    stamp = Stamp(root.base_sha256, lora, shared.edition, prompts.version(), turned(root))
    options = root.wiki.search_options()  # as they are stamped: what search legs count may be learnt anew meanwhile
    return Side(name, stamp, lambda: answerers(root, name, lambda: shared.open(stamp.dials, options)))


@asynccontextmanager
async def answerers(root: Root, name: str, opening: Callable[[], SearchIndex]) -> AsyncIterator[Answerers]:
    """A flow and its writer, both with this LoRA alone."""
    from bot.errors import WriterFailed
    from jobs.gate.asking import Answerers, WriterDials

    async with root.answers.ready(name, opening=opening) as flow:
        flow.swap(replace(flow.live(), canary=None))
        live = flow.live()
        if live.writer is None:
            raise WriterFailed(reason="no writer")
        chosen = root.settings.writer
        yield Answerers(
            flow,
            live.writer,
            live.lora,
            live.index.analyser,
            WriterDials(
                chosen.max_answer_tokens,
                chosen.temperature,
                chosen.timeout_seconds,
                root.settings.answer.refusal_confidence,
            ),
        )


def tables(releases: Releases, evaluations: Sequence[str], language: Language) -> list[RenderableType]:
    """Of kept verdicts; an id that is not known is left out, and a verdict that another version wrote otherwise. Raises StoreError."""
    from bot.store import loras
    from jobs.gate.table import rendered
    from jobs.gate.verdict import Verdict

    found = [releases.store.run_now(loras.evaluation, one) for one in evaluations]
    shown = []
    for one in found:
        if one is not None:
            with suppress(KeyError, TypeError, ValueError):
                shown.append(rendered(Verdict.from_json(one.verdict), language))
    return shown


@contextmanager
def watched_tuning(language: Language) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """See `Tools.watch_tuning`."""
    import click
    from rich.console import Console

    from jobs.tuning.progress_bar import TuningBar
    from jobs.tuning.progress_lines import TuningLines

    console = Console(stderr=True)
    if console.is_terminal:
        with TuningBar(console, language) as bar:
            yield bar.show
    else:
        yield TuningLines(lambda line: click.echo(line, err=True), language).show


def turned(root: Root) -> str:
    """Whatever else turns an answer into another one: `dials`, and what changes while the settings stay as they are.

    Raises UnreadableGlossary, BadGlossary.
    """
    from bot.backup.writing import program

    words = [[*one.names, "", *one.parts] for one in root.wiki.glossary.entries]
    beside = [dials(root.settings), words, root.wiki.weights(), program()]
    return hashlib.sha256(json.dumps(beside, sort_keys=True).encode()).hexdigest()[:16]


def dials(settings: Settings) -> str:
    """Every setting that turns an answer into another one. Answers that benchmarks keep are stamped with this alone."""
    chosen: list[object] = [
        settings.writer.model_dump(exclude={"lora", "model", "queue_size", "per_person", "threads"})
    ]
    chosen += [settings.answer.model_dump(), settings.search.model_dump(), settings.language]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True, default=str).encode()).hexdigest()[:16]
