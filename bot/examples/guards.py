"""Against poisoning: whose votes count, what needs a reviewer, what of a set one person may fill. Pure functions.

The store keeps one live vote per person and answer; here it is decided what votes are worth. Near-duplicates are one example,
so that asking the same thing often gains nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot import prompts
from bot.examples.example import Example
from knowledge.korean import bigrams, normalise

T = TypeVar("T")

_NUMBER = re.compile(r"\d+")
ALIKE = 0.8
"""Least shared part (Jaccard) of the character bigrams of two texts that count as the same."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`[tuning]`: the dials of the guards."""

    automatic: bool = False
    """Approve without a reviewer what enough people voted up and nobody voted down."""
    voters: int = 2
    """Least number of different people behind such an example; never below 2."""
    voter_days: float = 7.0
    """A person's votes count this long after they were first seen: new accounts are cheap."""
    person_share: float = 0.05
    """Largest part of a set that may rest on one person."""
    person_most: int = 20
    """And the largest number."""


def clusters(items: Iterable[T], texts: Callable[[T], tuple[str, ...]], bucket: Callable[[T], object]) -> list[list[T]]:
    """Near-duplicates together, in the order given; the first of each list stands for it.

    Two items of one `bucket` are near-duplicates if every one of their `texts` (one or more) is alike.
    """
    listed = [(item, bucket(item), tuple(frozenset(bigrams(text)) for text in texts(item))) for item in items]
    often = Counter(pair for _, _, pairs in listed for pair in pairs[0])
    found: list[list[T]] = []
    heads: list[tuple[frozenset[str], ...]] = []  # of each in `found`
    places: dict[object, dict[str, list[int]]] = {}  # bucket → a head's rarest bigrams → where it is in `found`
    for item, held, pairs in listed:
        here = places.setdefault(held, {})
        rarest = _rarest(pairs[0], often)
        for place in sorted({place for pair in rarest for place in here.get(pair, ())}):
            if all(_alike(one, other) for one, other in zip(pairs, heads[place], strict=True)):
                found[place].append(item)
                break
        else:
            for pair in rarest:
                here.setdefault(pair, []).append(len(found))
            found.append([item])
            heads.append(pairs)
    return found


def numbers(text: str) -> tuple[str, ...]:
    """The digits of a text, run by run: "15일" and "16일" share most bigrams and mean two things."""
    return tuple(_NUMBER.findall(normalise(text)))


def counted(people: Iterable[str], first_seen: Mapping[str, float], rules: Rules, *, now: float) -> tuple[str, ...]:
    """The people whose votes count: each once, and not before they have been here for `voter_days`."""
    known = now - rules.voter_days * 86_400
    return tuple(sorted({one for one in people if first_seen.get(one, now) <= known}))


def may_approve_itself(
    example: Example, up: Sequence[str], down: Sequence[str], rules: Rules, *, original: bool = True
) -> bool:
    """Whether the rule alone may approve: the bot's own grounded answer (`original`), enough people for it, nobody against it.

    `up`: people whose votes count (`counted`); `down`: everybody who voted it down, new or not. Refusals are never approved by
    votes: they would teach the bot to be silent.
    """
    return (
        rules.automatic
        and original
        and example.kind == "liked"
        and not example.problems
        and example.answer != prompts.REFUSAL
        and len(set(up)) >= max(rules.voters, 2)
        and not down
    )


def chosen(approved: Sequence[Example], rules: Rules, *, known: Collection[str], others: int = 0) -> list[Example]:
    """What may go into one set: near-duplicates once, and no person carrying more than their part. The order given is kept.

    `known`: people whose votes count (`counted`). `others`: how many examples without people (replay) the set will have beside
    these; they count for the share. An example that a reviewer approved rests on one of its people, one that votes approved on
    `voters` of its known people; those with the fewest so far are charged. So k people who act together fill at most k / voters
    parts of `person_share`; newcomers carry nothing, or a few people could hide behind many new accounts.
    """
    same = clusters(
        approved,
        lambda one: (one.question, one.answer or one.rejected),
        lambda one: (one.kind == "disliked", numbers(one.question), numbers(one.answer or one.rejected)),
    )
    kept = [first for first, *_ in same]
    while True:
        most = min(rules.person_most, int(rules.person_share * (len(kept) + others) + 1e-9))
        fitting = _within(kept, most, max(rules.voters, 2), frozenset(known))
        if len(fitting) == len(kept):
            return fitting
        kept = fitting  # a smaller set allows each person less


def _within(examples: Sequence[Example], most: int, voters: int, known: frozenset[str]) -> list[Example]:
    charged: Counter[str] = Counter()
    kept = []
    for example in examples:
        if example.people:
            needed = 1 if example.reviewed else voters
            able = example.people if example.reviewed else known.intersection(example.people)
            free = sorted((one for one in able if charged[one] < most), key=lambda one: (charged[one], one))
            if len(free) < needed:
                continue
            charged.update(free[:needed])
        kept.append(example)
    return kept


def _rarest(pairs: frozenset[str], often: Mapping[str, int]) -> list[str]:
    """So many of a text's rarest bigrams that any text alike has one of them among its own rarest; "" where it has none at all.

    Prefix filtering (Chaudhuri, Ganti and Kaushik, ICDE 2006): alike sets share at least `ALIKE` of the larger one. In one order for all,
    what follows the beginning that is taken here is less than that, so some of what they share stands in the beginnings of both.
    """
    ordered = sorted(pairs, key=lambda pair: (often[pair], pair))
    return ordered[: len(pairs) - int(ALIKE * len(pairs)) + 1] or [""]


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    together = len(one) + len(other) - shared
    return not together or shared / together >= ALIKE
