"""The composition root's part for the web console: its pages and what they read. Only bot/app.py imports this.

A new page is one file in bot/web/pages and one line in `pages`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.errors import ConsoleNeedsAccount

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from bot.answering.flow import AnswerFlow
    from bot.app import Root
    from bot.desk.desk import ReferenceDesk
    from bot.job_book import JobBook
    from bot.store.database import Store
    from bot.web.page import Page
    from bot.web.page_readers import MayRead
    from bot.web.server import WebServer


def pages(root: Root, store: Store, flow: AnswerFlow, desk: ReferenceDesk) -> Sequence[Page]:
    """Every page, in the order of the menu: today, conversations, review, gaps, wiki, models, work, ask."""
    from adapters.web.adapter import WebAdapter
    from bot.jobs_app import Book
    from bot.web.page_readers import PageReaders
    from bot.web.pages.ask import ask
    from bot.web.pages.conversations import ConversationsParts, conversations
    from bot.web.pages.today import TodayParts, today

    chat = WebAdapter(desk)
    desk.attach(chat)
    desk.ready(chat.name)
    zone = ZoneInfo(root.settings.jobs.timezone)
    book, may_read = Book(root.job_parts(store)), PageReaders(lambda: flow.live().index)
    return [
        today(TodayParts(store, zone)),
        conversations(ConversationsParts(store, zone, may_read)),
        review_page(root, store, flow),
        gaps_page(root, store, book, may_read),
        wiki_page(root, store, book, flow),
        models_page(root, store, flow),
        work_page(root, store, book),
        ask(chat),
    ]


def gaps_page(root: Root, store: Store, book: JobBook, may_read: MayRead) -> Page:
    """빈틈, with titles of pages that may be read in the edition that answers now."""
    from bot.gaps_app import masked
    from bot.web.pages.gaps import GapsParts, gaps_page

    return gaps_page(GapsParts(store, book, masked, may_read, root.settings.gaps.people))


def wiki_page(root: Root, store: Store, book: JobBook, flow: AnswerFlow) -> Page:
    """위키, over the sources of the settings and the edition that serves."""
    from bot.web.pages.wiki import WikiParts, wiki
    from bot.web.wiki_state import KnownSource, WikiState
    from knowledge.page import Audience
    from knowledge.sources import FolderAudience

    sources = [
        KnownSource(
            one.name,
            one.kind,
            Audience.of(one.audience),
            tuple(FolderAudience(rule.pages, Audience.of(rule.audience)) for rule in one.folders),
        )
        for one in root.settings.sources
    ]
    return wiki(
        WikiParts(
            store=store,
            book=book,
            flow=flow,
            state=WikiState(sources, root.wiki.ledger),
            shelf=root.wiki.shelf,
            made_with=lambda: (root.wiki.analyser_id(), root.wiki.embedder_id()),
            reopen=lambda: root.answers.reopen(flow),
        )
    )


def work_page(root: Root, store: Store, book: JobBook) -> Page:
    """작업, over every job of the registry."""
    from bot.web.pages.work import WorkParts, work

    jobs = root.settings.jobs
    return work(WorkParts(store, book, jobs.timezone, jobs.enabled))


def review_page(root: Root, store: Store, flow: AnswerFlow) -> Page:
    """검토, over the edition that serves."""
    from bot.learning_app import bench
    from bot.web.bench import ServingBench
    from bot.web.pages.review import ReviewParts, review

    serving = ServingBench(lambda index: bench(root, store, index.edition, index.analyser), lambda: flow.live().index)
    return review(ReviewParts(store, serving))


def models_page(root: Root, store: Store, flow: AnswerFlow) -> Page:
    """모델, over the shelf and the served base."""
    import time

    from bot.releases.releases import Releases
    from bot.web.pages.models import Base, ModelsParts, models
    from jobs.gate.shown import shown
    from jobs.learning.tune import GATE, TUNE
    from jobs.tuning.course import courses

    name, runs = root.settings.writer.model, root.settings.data_dir / "jobs"
    choosing = root.loras.choosing()
    return models(
        ModelsParts(
            store=store,
            releases=Releases(store, choosing.shelf, choosing, time.time),
            live=flow.live,
            base=lambda: Base(name, root.base_sha256, root.store.bytes_of(name), root.answers.template()),
            verdict=shown,
            following=lambda run: courses(runs / run),
            learning=(TUNE, GATE),
        )
    )


def console(root: Root, store: Store, flow: AnswerFlow, desk: ReferenceDesk) -> WebServer:
    """The console of this process, listening. Raises ConsoleNeedsAccount, ConsoleNotStarted, StoreError."""
    from bot.store import web_accounts
    from bot.web.app import WebOptions, make_app
    from bot.web.security import door
    from bot.web.server import WebServer

    settings = root.settings
    web = settings.web
    if door(web.host, web.public_url, web.proxies).login and not store.run_now(web_accounts.count):
        raise ConsoleNeedsAccount(host=web.host)
    app = make_app(
        pages(root, store, flow, desk),
        store,
        WebOptions(
            web.host, web.public_url, settings.language, web.texts, ZoneInfo(settings.jobs.timezone), web.proxies
        ),
    )
    app.state.renderer.warm()  # still off the event loop
    served: ASGIApp = app
    if root.telemetry is not None:
        app.router.routes.extend(root.telemetry.console_routes())
        served = root.telemetry.around(app)
    server = WebServer(served, web.host, web.port, proxies=web.proxies)
    server.open()
    return server


async def opened(root: Root, store: Store, flow: AnswerFlow, desk: ReferenceDesk) -> WebServer:
    """`console`, with its templates and files read off the event loop."""
    return await asyncio.to_thread(console, root, store, flow, desk)
