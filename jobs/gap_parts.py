"""What the jobs about gaps are made of, handed in by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bot.gaps.digest import DigestOptions
from bot.gaps.finding import FindOptions
from bot.gaps.reasking import Readable
from bot.messages import Answer, Question
from bot.platforms import Announcer
from knowledge.search import SearchIndex


@dataclass(frozen=True, slots=True)
class AskingParts:
    """An open index, and the writer's way where `[gaps] reask` wants it."""

    index: SearchIndex
    threshold: float
    """Evidence strength from which on a question is answered."""
    answer: Callable[[Question], Answer] | None
    """None: by the search alone."""


@dataclass(frozen=True, slots=True)
class GapParts:
    """Callables make things when called."""

    find: FindOptions
    reask: bool
    most: int
    """Questions of a gap that are asked again."""
    edition: Callable[[], str]
    """Name of the serving one, without opening it. Raises NoEdition."""
    asking: Callable[[], AbstractContextManager[AskingParts]]
    readable: Callable[[], Readable]
    mask: Callable[[str], str]
    digest: DigestOptions
    platform: str
    place: str
    """Where the report goes; empty: nowhere."""
    announcer: Callable[[], Announcer]
