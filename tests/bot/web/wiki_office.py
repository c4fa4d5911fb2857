"""A wiki, its editions, jobs and the flow over it: what 위키 is tested with. The real parts, with the hash embedder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.answering.flow import AnswerFlow
from bot.app import Root
from bot.jobs_app import Book
from bot.live import Live
from bot.store import jobs
from bot.store.database import Store
from bot.store.job_rows import Run
from bot.web.page import Page
from bot.web.pages.wiki import WikiParts, wiki
from bot.web.wiki_state import KnownSource, WikiState
from knowledge.page import Audience
from tests.conftest import Indexer

THRESHOLD = 3.0


class WikiOffice:
    """`page` over the small wiki of tests/conftest.py."""

    def __init__(self, store: Store, indexer: Indexer, folder: Path) -> None:
        self.store = store
        self.indexer = indexer
        indexer.build()
        self.live = Live(indexer.open(), indexer.analyser, None, "extractive", None, "p", THRESHOLD)
        self.flow = AnswerFlow(lambda: self.live)
        self.reopened = 0
        (folder / "saseo.toml").write_text(
            f'data_dir = "data"\n[[sources]]\nname = "wiki"\nkind = "folder"\npath = "{indexer.wiki}"\nwatch = true\n'
            f'[[sources]]\nname = "둘째"\nkind = "folder"\npath = "{indexer.wiki}"\n[jobs.reindex]\nenabled = true\n',
            encoding="utf-8",
        )
        self.book = Book(Root(folder / "saseo.toml").job_parts(store))
        self.sources = [
            KnownSource("wiki", "folder", Audience()),
            KnownSource("둘째", "folder", Audience.of(["hr"])),
        ]
        self.page: Page = wiki(
            WikiParts(
                store=store,
                book=self.book,
                flow=self.flow,
                state=WikiState(self.sources, indexer.options.ledger),
                shelf=indexer.shelf,
                made_with=lambda: (indexer.analyser.name, indexer.embedder.id),
                reopen=self.reopen,
            )
        )

    async def reopen(self) -> None:
        """What serves on the shelf answers."""
        self.reopened += 1
        self.live = replace(self.live, index=self.indexer.open())

    def write(self, page: str, text: str) -> None:
        """A page of the wiki; the next build sees it."""
        (self.indexer.wiki / page).write_text(text, encoding="utf-8")

    def ran(self, job: str, state: str = "done", *, at: float = 1_700_000_000.0, **more: object) -> Run:
        """A run of the past."""
        arguments = more.pop("arguments", None)
        run = self.begun(job, at=at, arguments=arguments)
        assert self.store.run_now(lambda c: jobs.finish(c, run, state, now=at + 60, progress={}, **more))  # type: ignore[arg-type]
        return run

    def begun(self, job: str, *, at: float, arguments: object = None, **progress: object) -> Run:
        """A run that goes on."""
        rules = jobs.Rules({name: one.group for name, one in self.book.jobs.items()}, set(self.book.jobs), 3600.0)
        self.store.run_now(jobs.ask, job, by="clock", now=at, arguments=arguments)  # type: ignore[arg-type]
        run = self.store.run_now(jobs.claim, job, "here:1", rules, now=at, lease=600.0)
        assert run is not None
        self.store.run_now(jobs.renew, run, progress, now=at, lease=600.0)
        return run
