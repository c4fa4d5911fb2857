"""Do people like what answers now less than what answered before? Then what answered before answers again, on the record.

`judge` is pure: counts in, rates out. `watch` reads the counts since the release and goes back; a job calls it every hour or so.

Looking at the same counts as they grow would find a difference by chance sooner or later. So each measure is judged when what answers now
has reached the least number of cases, and then each time that has doubled, by what was there at that moment: between two doublings a
look finds what the last one found (less votes that were taken back since). Of `level` the first has a half, the next a quarter and so
on: by Boole's inequality all together stay below it, however long something answers. The moments follow from the counts; nothing is
kept between looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sqlalchemy import Connection

from bot.releases import past
from bot.releases.choosing import AUTO
from bot.releases.releases import AUTOMATIC, Releases
from bot.releases.significance import fisher
from bot.store import releases as records
from bot.store.releases import Release, Tally

DAYS_BEFORE = 30.0
"""How far back the answers of what answered before are counted; half of the time for which they are kept, if that is less."""
_DAY = 86_400.0
Measure = Literal["down", "abstained", "ungrounded"]


@dataclass(frozen=True, slots=True)
class WatchRules:
    """`[releases]`: how much must be seen, and how clear it must be, before anything is rolled back by itself."""

    least_answers: int = 50
    """On each side, for the rates of abstentions and of answers of whose words nothing held."""
    least_votes: int = 20
    """On each side, for the rate of thumbs down: of people, who are one voice each."""
    least_people: int = 3
    """Of these, against what answers now: one person alone cannot roll anything back."""
    level: float = 0.01
    """Of each measure, over all looks: probability (two-sided) of finding such a difference by chance."""
    questions_days: int = 0
    """`[privacy]`: for so long answers are kept; 0: for ever."""
    feedback_days: int = 0
    """`[privacy]`: for so long those that were voted on, if that is more; 0: for ever."""

    def kept(self, measure: Measure) -> tuple[float, str]:
        """For how many days all that a measure counts is kept, and which setting says so."""
        if not self.questions_days or (measure == "down" and not self.feedback_days):
            return float("inf"), ""
        if measure == "down" and self.feedback_days > self.questions_days:
            return self.feedback_days, "feedback_days"
        return self.questions_days, "questions_days"


@dataclass(frozen=True, slots=True)
class Rate:
    """One measure of both. `p` is None when too little was seen."""

    measure: Measure
    now: tuple[int, int]
    """Hits, cases."""
    before: tuple[int, int]
    p: float | None
    worse: bool
    ended: str = ""
    """By which setting some of it may be deleted by now, so that it is not looked at any more."""

    def __str__(self) -> str:
        """As it stands in the record."""
        if self.ended:
            return f"{self.measure} ({self.ended})"
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
    """Every measure; one that is `worse` is reason enough to go back."""
    votes = (now.down, now.up + now.down), (before.down, before.up + before.down)
    declined = (now.abstained, now.answers), (before.abstained, before.answers)
    thrown_away = (now.ungrounded, now.answers), (before.ungrounded, before.answers)
    enough_people = now.down >= rules.least_people
    return (
        _rate("down", *votes, rules.least_votes, rules.level if enough_people else 0.0),
        _rate("abstained", *declined, rules.least_answers, rules.level),
        _rate("ungrounded", *thrown_away, rules.least_answers, rules.level),
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
        rates = _rates(connection, model, history, watched, earlier, rules, releases.clock())
        worse = [str(rate) for rate in rates if rate.worse]
        if not worse:
            return Watched(watched, earlier, rates)
        release = releases.back(connection, "watch", by=by, reason=f"{watched} ← {earlier}: {'; '.join(worse)}")
        return Watched(watched, earlier, rates, release)

    return releases.store.run_now(look)


def last_look(reached: Callable[[int], float | None], least: int) -> float:
    """When one side had `least` cases, or the last doubling of that; now (infinity) before it had.

    `reached`: when it had so many, or None when it never had.
    """
    found, cases = float("inf"), max(least, 1)
    while (at := reached(cases)) is not None:
        found, cases = at, cases * 2
    return found


def _rates(
    connection: Connection,
    model: str,
    history: Sequence[Release],
    watched: str,
    earlier: str,
    rules: WatchRules,
    now: float,
) -> tuple[Rate, ...]:
    """Each measure as it was at its last look, as long as all of it is kept."""
    canary = bool(history[-1].canary)  # side by side
    since = history[-1].at if canary else past.answering_since(history)
    ended: dict[Measure, str] = {}

    def sides(measures: Sequence[Measure], reached: Callable[..., float | None], least: int) -> tuple[Tally, Tally]:
        kept, setting = rules.kept(measures[0])
        began = since if canary else since - min(DAYS_BEFORE, kept / 2) * _DAY
        if now - began > kept * _DAY:
            ended.update(dict.fromkeys(measures, f"[privacy] {setting} = {kept}"))
            return Tally(), Tally()
        # Quotes of an older program do not tell whose words they replaced: then none count, on neither side.
        quoted = records.quotes_tell(connection, since=began)
        seen = last_look(lambda nth: reached(connection, model, watched, since=since, nth=nth, quoted=quoted), least)
        count = partial(records.tally, connection, model, seen=seen, quoted=quoted)
        return count(watched, since=since), count(earlier, since=began, until=float("inf") if canary else since)

    written = sides(("abstained", "ungrounded"), records.answered_at, rules.least_answers)
    voted = sides(("down",), records.voiced_at, rules.least_votes)
    ours, theirs = (replace(one, up=two.up, down=two.down) for one, two in zip(written, voted, strict=True))
    return tuple(replace(rate, ended=ended.get(rate.measure, "")) for rate in judge(ours, theirs, rules))


def _rate(measure: Measure, now: tuple[int, int], before: tuple[int, int], least: int, level: float) -> Rate:
    least = max(least, 1)
    if min(now[1], before[1]) < least:
        return Rate(measure, now, before, None, worse=False)
    p = fisher(*now, *before)
    spent = level / 2 ** (now[1] // least).bit_length()  # a half up to the first doubling, then a quarter …
    return Rate(measure, now, before, p, worse=p < spent and now[0] * before[1] > before[0] * now[1])
