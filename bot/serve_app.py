"""The composition root's part for `saseo serve` and `saseo chat`: store, desk and adapters put together. Only bot/app.py imports this.

A new chat platform is one more `if` in `platforms` and one in `checks`.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from bot import texts
from bot.commands.tools import Check
from bot.errors import NothingToServe, PrivacyError, ServiceError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from adapters.slack.tokens import SlackTokens
    from adapters.terminal.screen import Screen
    from bot.answering.flow import AnswerFlow
    from bot.desk.audience import Groups
    from bot.desk.desk import ReferenceDesk, Reindex
    from bot.desk.people import People
    from bot.platforms import Desk
    from bot.privacy.rights import Rights
    from bot.releases.releases import Releases
    from bot.serving import Beside, Platform
    from bot.settings import Settings
    from bot.store.database import Store
    from bot.telemetry.observer import Observer
    from bot.telemetry.telemetry import Telemetry
    from bot.web.server import WebServer
    from bot.wiki_app import WikiParts

T = TypeVar("T")
_AT_A_TERMINAL = 1000
"""Open questions of the one person: no limit."""
_LEAVING_SECONDS = 2.0
"""For what is being written down when the person leaves; nobody waits for an answer then."""


def process_name() -> str:
    """Of this process among all that may share a store; never used twice."""
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"


def check_enabled(settings: Settings) -> None:
    """Raises NothingToServe when neither a platform nor the console is enabled."""
    if not (settings.slack.enabled or settings.discord.enabled or settings.web.enabled):
        raise NothingToServe


def platforms(settings: Settings, desk: Desk) -> list[Platform]:
    """The enabled adapters. Raises AdapterError when a token is missing."""
    from bot.serving import Platform

    language = settings.language
    found: list[Platform] = []
    if settings.slack.enabled:
        from adapters.slack.adapter import SlackAdapter

        found.append(Platform(SlackAdapter(settings.slack, slack_tokens(), desk, language=language)))
    if settings.discord.enabled:
        from adapters.discord.adapter import DiscordAdapter

        token = os.environ.get("DISCORD_TOKEN", "")
        found.append(Platform(DiscordAdapter(settings.discord, token, desk, language=language), alone=True))
    return found


def checks(settings: Settings) -> Iterator[Check]:
    """What `saseo doctor` says about the enabled platforms and the store."""
    language = settings.language
    if settings.slack.enabled:
        from adapters.slack.checks import checks as slack_checks

        yield from (Check(*line) for line in slack_checks(settings.slack, slack_tokens(), language))
    if settings.discord.enabled:
        from adapters.discord.checks import checks as discord_checks

        token = os.environ.get("DISCORD_TOKEN", "")
        yield from (Check(*line) for line in discord_checks(settings.discord, token, language))
    if settings.slack.enabled or settings.discord.enabled:
        yield _store_check(settings)


def from_store(settings: Settings, look: Callable[[Connection], T], otherwise: T) -> T:
    """What the store says; `otherwise` where there is none yet, since looking makes none. Raises StoreError."""
    from bot.store.database import open_store, store_exists

    if not store_exists(settings.store.url, settings.data_dir):
        return otherwise
    store = open_store(settings.store.url, settings.data_dir)
    try:
        return store.run_now(look)
    finally:
        store.close()


def privacy_check(settings: Settings) -> Check:
    """Requests of people that are due, and whether the key that names them is there."""
    from bot.privacy.opening import pseudonyms_of
    from bot.privacy.requests import due
    from bot.store import privacy
    from bot.store.database import open_store, store_exists

    name = "개인정보" if settings.language == "ko" else "Personal data"
    if not store_exists(settings.store.url, settings.data_dir):
        return Check(name, True, due((), 0.0, settings.language)[0])
    try:
        store = open_store(settings.store.url, settings.data_dir)
        try:
            pseudonyms_of(store, settings.data_dir)
            waiting = store.run_now(privacy.requests, open_only=True)
        finally:
            store.close()
    except (ServiceError, PrivacyError) as error:
        return Check(name, False, type(error).__name__, error.explain(settings.language))
    found, remedy = due(waiting, time.time(), settings.language)
    return Check(name, not remedy, found, remedy)


def _store_check(settings: Settings) -> Check:
    from bot.store.database import open_store

    name = "저장소" if settings.language == "ko" else "Store"
    try:
        store = open_store(settings.store.url, settings.data_dir)
    except ServiceError as error:
        return Check(name, False, type(error).__name__, error.explain(settings.language))
    where = store.where
    store.close()
    return Check(name, True, where)


def slack_tokens() -> SlackTokens:
    """Of the environment; what is not set is empty."""
    from adapters.slack.tokens import SlackTokens

    return SlackTokens(
        bot=os.environ.get("SLACK_BOT_TOKEN", ""),
        app=os.environ.get("SLACK_APP_TOKEN", ""),
        signing_secret=os.environ.get("SLACK_SIGNING_SECRET", ""),
    )


async def discord_sync(settings: Settings) -> int:
    """Register the commands now; how many there are. Raises AdapterError."""
    from adapters.discord.sync import sync_once

    return await sync_once(settings.discord, os.environ.get("DISCORD_TOKEN", ""))


def rights_over(settings: Settings, store: Store, releases: Callable[[], AbstractContextManager[Releases]]) -> Rights:
    """Of people over what is kept of them. Raises PrivacyKeyUnusable, WrongPrivacyKey."""
    from bot.privacy.opening import pseudonyms_of
    from bot.privacy.rights import Rights

    return Rights(
        store,
        pseudonyms_of(store, settings.data_dir),
        settings.data_dir,
        releases,
        backups=settings.backups,
        request_days=settings.privacy.request_days,
    )


def make_people(settings: Settings, store: Store) -> People:
    """How rows name people, and what they are told. Raises PrivacyKeyUnusable, WrongPrivacyKey."""
    from bot.desk.people import People
    from bot.privacy.notices import first_use
    from bot.privacy.opening import pseudonyms_of

    chosen, learning = settings.privacy, settings.tuning.learn_from_feedback

    def words(language: texts.Language) -> str:
        if not chosen.first_use_notice:
            return ""
        return chosen.notice or first_use(
            language,
            questions_days=chosen.questions_days,
            feedback_days=chosen.feedback_days,
            learning=learning,
            contact=chosen.contact,
        )

    return People(
        store,
        pseudonyms_of(store, settings.data_dir),
        ai_notice=chosen.ai_notice,
        first_use=words,
        request_days=chosen.request_days,
    )


def make_desk(
    settings: Settings,
    store: Store,
    flow: AnswerFlow,
    *,
    owner: str,
    reindex: Reindex | None = None,
    groups: Groups | None = None,
    observer: Observer | None = None,
) -> ReferenceDesk:
    """The desk with its places and groups, those of the groups file unless others are given.

    Raises InvalidSetting, PrivacyKeyUnusable, WrongPrivacyKey.
    """
    from bot.desk.audience import Groups
    from bot.desk.desk import ReferenceDesk
    from bot.desk.intake import IntakeOptions
    from bot.desk.places import PlaceBook

    people = make_people(settings, store)
    service = settings.service
    return ReferenceDesk(
        store,
        flow,
        PlaceBook(
            settings.places,
            language=settings.language,
            source_names=[source.name for source in settings.sources],
            admins={
                "slack": frozenset(settings.slack.admins),
                "discord": frozenset(settings.discord.admins) | frozenset(settings.discord.admin_roles),
                "terminal": frozenset({"local"}),
            },
            named=people.place,
        ),
        groups or Groups(settings.groups_file),
        people,
        IntakeOptions(
            queue_size=service.queue_size,
            per_person=service.per_person,
            at_once=service.at_once,
            lease=service.lease_seconds,
        ),
        owner=owner,
        reindex=reindex,
        keep_traces=settings.web.traces,
        observer=observer,
    )


def make_telemetry(settings: Settings, wiki: WikiParts) -> Telemetry:
    """What a running service is measured by. Raises ExtraMissing."""
    from bot.backup.shelf import BackupShelf
    from bot.telemetry.telemetry import Telemetry

    enabled = {"slack": settings.slack.enabled, "discord": settings.discord.enabled, "web": settings.web.enabled}
    return Telemetry(
        settings,
        platforms=[name for name, on in enabled.items() if on],
        failed_pages=wiki.failed_pages,
        held_back=wiki.held_back,
        backup_at=BackupShelf(settings.backups).newest_at,
    )


async def serve(
    settings: Settings,
    store: Store,
    flow: AnswerFlow,
    *,
    reindex: Reindex,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    beside: Sequence[Beside] = (),
    console: Callable[[ReferenceDesk], Awaitable[WebServer]] | None = None,
    telemetry: Telemetry | None = None,
) -> None:
    """Run until a signal. Raises AdapterError, InvalidSetting; without a platform also what keeps the console from opening."""
    from bot.errors import WebError
    from bot.serving import Service

    owner = process_name()
    observer = telemetry.observer if telemetry is not None else None
    desk = make_desk(settings, store, flow, owner=owner, reindex=reindex, observer=observer)
    enabled = platforms(settings, desk)
    opened: WebServer | None = None
    if console is not None:
        try:
            opened = await console(desk)
        except WebError as error:
            if not enabled:
                raise
            warn(error.explain(settings.language))  # a port that is taken must not keep people from their answers
    service = Service(
        desk,
        store,
        enabled,
        owner=owner,
        drain_seconds=settings.service.drain_seconds,
        say=say,
        ready=lambda: texts.serving(
            [one.adapter.name for one in enabled], settings.language, console=opened.address if opened else ""
        ),
        warn=lambda error: warn(error.explain(settings.language)),
        language=settings.language,
        beside=(*beside, opened) if opened else beside,
        observer=observer,
    )
    if telemetry is not None:
        telemetry.standing.line, telemetry.standing.doors = desk, service
    await service.run()


async def chat(
    settings: Settings,
    store: Store,
    flow: AnswerFlow,
    groups: frozenset[str],
    screen: Screen,
) -> None:
    """Talk at this terminal until the person leaves. `groups`: whose pages they may read. Raises StoreError, BrokenPipeError."""
    from adapters.terminal.adapter import TerminalAdapter
    from adapters.terminal.chat import chat
    from bot.desk.audience import Groups

    # One person asks one question at a time here. What killed conversations left is theirs too, but must not be held against them.
    service = settings.service.model_copy(update={"per_person": _AT_A_TERMINAL})
    desk = make_desk(
        settings.model_copy(update={"service": service}),
        store,
        flow,
        owner=process_name(),
        groups=Groups(None, always=groups),
    )
    adapter = TerminalAdapter(desk, screen)
    desk.attach(adapter)
    await desk.start()
    try:
        await adapter.start()
        desk.ready(adapter.name)
        await chat(adapter, screen, language=settings.language)
    finally:
        await adapter.stop_intake()
        await desk.close(_LEAVING_SECONDS)
        await adapter.close()
