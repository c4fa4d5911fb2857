"""The composition root's part for knowledge gaps: what asks again, and who posts the report. Only app.py and web_app.py import this."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.app import Root
    from bot.conversation import Place
    from bot.gaps.digest import DigestOptions
    from bot.gaps.reasking import Readable
    from bot.platforms import Announcer
    from bot.settings import Settings
    from jobs.gap_parts import AskingParts, GapParts
    from knowledge.search import SearchIndex

_PAGE = "/gaps"
"""Of the console."""


def gap_parts(root: Root) -> GapParts:
    """Over one configuration."""
    from bot.gaps.finding import FindOptions
    from jobs.gap_parts import GapParts

    chosen = root.settings.gaps
    return GapParts(
        find=FindOptions(chosen.days, chosen.likeness, chosen.people),
        reask=chosen.reask != "off",
        most=chosen.reask_questions,
        edition=root.wiki.shelf.current,
        asking=lambda: asking(root),
        readable=lambda: readable(root.settings),
        mask=masked,
        digest=digest_options(root.settings),
        platform=chosen.digest_platform,
        place=chosen.digest_place,
        announcer=lambda: announcer(root.settings),
    )


def masked(text: str) -> str:
    """Without personal data."""
    from bot.examples.masking import mask

    return mask(text).text


@contextmanager
def asking(root: Root) -> Iterator[AskingParts]:
    """The serving edition; with `[gaps] reask = "answer"` the writer as well, in a loop of its own. Raises NoEdition, ModelError."""
    from jobs.gap_parts import AskingParts

    if root.settings.gaps.reask != "answer":
        index = root.wiki.open_index(None)
        yield AskingParts(index, threshold(root.settings, index), None)
        return
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        flow = runner.run(stack.enter_async_context(root.answers.ready()))
        try:
            live = flow.live()
            yield AskingParts(live.index, live.threshold, lambda question: runner.run(flow.answer(question)))
        finally:
            runner.run(stack.aclose())


def threshold(settings: Settings, index: SearchIndex) -> float:
    """Evidence strength from which on a question is answered."""
    chosen = settings.answer.abstain_threshold
    return index.edition.manifest.calibration["threshold"] if chosen == "auto" else chosen


def readable(settings: Settings) -> Readable:
    """What everyone in a place may read, by the groups file. Raises InvalidSetting."""
    from bot.conversation import Person
    from bot.desk.audience import Groups

    groups = Groups(settings.groups_file)

    def of(place: Place) -> frozenset[str]:
        return groups.readable_by(place, Person(place.platform, ""), private=False)

    return of


def digest_options(settings: Settings) -> DigestOptions:
    """`[gaps]` and `[web]` as the report wants them."""
    from bot.gaps.digest import DigestOptions

    chosen, web = settings.gaps, settings.web
    return DigestOptions(
        language=chosen.digest_language or settings.language,
        people=chosen.people,
        most=chosen.digest_gaps,
        names=web.texts != "none",
        url=f"{web.public_url}{_PAGE}" if web.public_url else "",
    )


def announcer(settings: Settings) -> Announcer:
    """Of the platform that the report goes to."""
    if settings.gaps.digest_platform == "discord":
        from adapters.discord.announcing import DiscordAnnouncer

        return DiscordAnnouncer(settings.discord, os.environ.get("DISCORD_TOKEN", ""), language=settings.language)
    from adapters.slack.announcing import SlackAnnouncer
    from bot.serve_app import slack_tokens

    return SlackAnnouncer(settings.slack, slack_tokens(), language=settings.language)
