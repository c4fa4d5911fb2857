"""What a gap is: frozen data that crosses from the store to commands, pages and the weekly report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.conversation import Place

State = Literal["open", "snoozed", "closed", "answered"]
"""`closed`: by a person; `answered`: a page says it now."""
Reason = Literal["abstained", "down", "escalated"]
BESIDE = "beside"
"""Key of what `Beside` says, in the detail of the change `drafted`. It is never shown."""
RESTS = "rests"
"""Key of the (source, page) of answers whose words their writer saw and not everyone may, in the same detail. It is never shown."""
PAGE = ("source", "page")
"""Keys of the page that answers, in the detail of the change `answered`. Not shown: `Gap.answered_page` is, to who may read it."""
WEEKS = 8
"""How far a trend looks back."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A question that was not answered, or not well. `text`: as it was searched, with what a follow-up leans on."""

    id: str
    text: str
    own: str
    """As it was asked."""
    person: str
    """As the store names people: counted, never shown."""
    private: bool
    place: Place
    asked_at: float
    reason: Reason
    was_answered: bool
    """It got an answer that was no good: the same evidence will not give a better one."""
    edition: str
    """In which it was asked."""
    seen: frozenset[str]
    """The texts that the writer saw then."""
    pages: frozenset[tuple[str, str]] = frozenset()
    """As `Answer.pages`: what was put right in `text` may stand in them."""
    gap: str = ""
    """Where it belongs already."""
    typical: float = 0.0
    vector: bytes | None = None
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class NearPage:
    """A page that comes close without answering."""

    source: str
    page: str
    title: str
    heading: str
    url: str
    closeness: float
    """Mean strength of its evidence, as a part of what would have been enough: 1.0 is the edge."""
    audience: tuple[tuple[str, ...], ...] = ()
    """Clauses as in `Audience.as_lists`; empty: everyone may read it."""

    def open_to(self, reader: frozenset[str]) -> bool:
        """Whether `reader` (groups) may know of it."""
        return Beside(self.source, self.page, self.audience).open_to(reader)


@dataclass(frozen=True, slots=True)
class Beside:
    """A page that a person saw when they saved a draft: the draft may name it, and is for those alone who may read it."""

    source: str
    page: str
    audience: tuple[tuple[str, ...], ...] = ()
    """As `NearPage.audience`."""

    def open_to(self, reader: frozenset[str]) -> bool:
        """Whether `reader` (groups) may know of it."""
        return all(set(clause) & reader for clause in self.audience)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Beside:
        """Of `dataclasses.asdict`, as the store keeps it."""
        audience = tuple(tuple(str(group) for group in clause) for clause in value["audience"])
        return cls(str(value["source"]), str(value["page"]), audience)


@dataclass(frozen=True, slots=True)
class Gap:
    """One of them, counted. Times in seconds since the epoch."""

    id: str
    state: State
    name: str
    """Made from its questions, from private ones only where it has no others; empty until the next run when one of them was erased."""
    named: str
    """By a person."""
    open_name: str
    """Only of words that several people used where others read along; empty where there are none."""
    assigned: str
    draft: str
    """As a person left it; empty: none."""
    shared: bool
    nearest: tuple[NearPage, ...]
    snoozed_until: float | None
    answered_source: str
    answered_page: str
    asked_edition: str
    made_at: float
    changed_at: float
    count: int
    people: int
    recent_people: int
    """Of the last four weeks."""
    private: int
    """How many of its questions were asked in private."""
    reasons: Mapping[str, int]
    newest_at: float | None
    weeks: tuple[int, ...]
    """Questions of the last `WEEKS` weeks, oldest first."""

    @property
    def title(self) -> str:
        """What to call it; empty where nobody knows yet."""
        return self.named or self.name

    @property
    def weight(self) -> tuple[int, int, int, float]:
        """What comes first in a list: who asked lately, who asked at all, how often, when last."""
        return self.recent_people, self.people, self.count, self.newest_at or 0.0

    def shown_to_all(self, people: int) -> bool:
        """Whether others than admins may see it: so many different people asked, or an admin said so."""
        return self.shared or self.people >= people


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a gap's history."""

    action: str
    by: str
    at: float
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Helper:
    """Who was called for one of its questions, and what they said where they agreed that it is kept."""

    contacts: tuple[str, ...]
    platform: str
    resolution: str
    private: bool
    """Whether the question was: then what they said is as private."""
    pages: frozenset[tuple[str, str]] = frozenset()
    """As `Answer.pages`: what they said was said about that answer."""
