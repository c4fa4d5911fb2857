"""Do people like what answers now less than what answered before? Then what answered before answers again, on the record.

`judge` is pure: counts in, rates out. `watch` reads the counts since the release and goes back; a job calls it every hour or so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from bot.releases import past
from bot.releases.choosing import AUTO
from bot.releases.releases import AUTOMATIC, Releases
from bot.releases.significance import fisher
from bot.store import releases as records
from bot.store.releases import Release, Tally

DAYS_BEFORE = 30.0
"""How far back the answers of what answered before are counted."""


@dataclass(frozen=True, slots=True)
class WatchRules:
    """`[releases]`: how much must be seen, and how clear it must be, before anything is rolled back by itself."""

    least_answers: int = 50
    """On each side, for the rate of abstentions."""
    least_votes: int = 20
    """On each side, for the rate of thumbs down."""
    least_people: int = 3
    """Who voted down: one person alone cannot roll anything back."""
    level: float = 0.01
    """Probability (two-sided) of such a difference by chance, below which it counts. Every look gives chance another try: keep it small."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One measure of both. `p` is None when too little was seen."""

    measure: Literal["down", "abstained"]
    now: tuple[int, int]
    """Hits, cases."""
    before: tuple[int, int]
    p: float | None
    worse: bool

    def __str__(self) -> str:
        """As it stands in the record."""
        rates = f"{self.measure} {self.now[0]}/{self.now[1]} ← {self.before[0]}/{self.before[1]}"
        return rates if self.p is None else f"{rates} (p = {self.p:.2g})"


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look came to. `release` is None when what answers stays."""

    watched: str
    """The canary if there is one, else what answers; empty: nothing was released, or the setting decides."""
    against: str = ""
    """What it is compared with; empty: nothing."""
    rates: tuple[Rate, ...] = ()
    release: Release | None = None


def judge(now: Tally, before: Tally, rules: WatchRules) -> tuple[Rate, ...]:
    """Both measures; one that is `worse` is reason enough to go back."""
    votes = (now.down, now.up + now.down), (before.down, before.up + before.down)
    written = (now.abstained, now.answers), (before.abstained, before.answers)
    enough_people = now.down_people >= rules.least_people
    return (
        _rate("down", *votes, rules.least_votes, rules.level if enough_people else 0.0),
        _rate("abstained", *written, rules.least_answers, rules.level),
    )


def watch(releases: Releases, model: str, rules: WatchRules, *, by: str = AUTOMATIC) -> Watched:
    """Look once. `model`: how the served base is stamped on answers. Raises StoreError."""

    def look(connection: Connection) -> Watched:
        records.hold(connection)
        history = records.history(connection, releases.base)
        if releases.choosing.setting != AUTO or not history:
            return Watched("")
        earlier = history[-1].lora if history[-1].canary else releases.before(connection, history)
        watched = history[-1].canary or history[-1].lora
        if earlier is None:
            return Watched(watched)
        rates = judge(*_tallies(connection, model, history, watched, earlier), rules)
        worse = [str(rate) for rate in rates if rate.worse]
        if not worse:
            return Watched(watched, earlier, rates)
        release = releases.back(connection, "watch", by=by, reason=f"{watched} ← {earlier}: {'; '.join(worse)}")
        return Watched(watched, earlier, rates, release)

    return releases.store.run_now(look)


def _tallies(
    connection: Connection, model: str, history: Sequence[Release], watched: str, earlier: str
) -> tuple[Tally, Tally]:
    if history[-1].canary:  # side by side
        since = history[-1].at
        return (
            records.tally(connection, model, watched, since=since),
            records.tally(connection, model, earlier, since=since),
        )
    since = past.answering_since(history)
    return (
        records.tally(connection, model, watched, since=since),
        records.tally(connection, model, earlier, since=since - DAYS_BEFORE * 86_400, until=since),
    )


def _rate(
    measure: Literal["down", "abstained"], now: tuple[int, int], before: tuple[int, int], least: int, level: float
) -> Rate:
    if min(now[1], before[1]) < max(least, 1):
        return Rate(measure, now, before, None, worse=False)
    p = fisher(*now, *before)
    return Rate(measure, now, before, p, worse=p < level and now[0] * before[1] > before[0] * now[1])
