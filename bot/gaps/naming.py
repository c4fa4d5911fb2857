"""A gap's name: the noun phrases of its most typical question that others share, as they were written. No model.

["법인카드 한도가 얼마예요?", "법인카드 한도 올리려면?", …] → "법인카드 한도"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.gaps.likeness import SAY_NOTHING
from knowledge.korean import Analyser, Morpheme, normalise

_IN_A_PHRASE = frozenset({"NNG", "NNP", "SL", "SH", "XR", "SN", "NR", "XPN", "XSN"})
_CARRIES = frozenset({"NNG", "NNP", "SL", "SH", "XR"})
_BOUND = frozenset({"NNB", "NR"})
"""Part of a phrase only right behind its number or noun: 3층."""
_MOST_PHRASES = 3
_LONGEST = 24
_SHARED = 0.5
"""A phrase stands in the name when so many of the questions use its words, on average."""
_PLACEHOLDER = re.compile(r"\[[가-힣 ]+\]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Nouns that stand together. `text`: as written; `nouns`: those that carry meaning, normalised."""

    text: str
    nouns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Said:
    """A question for naming, masked. `person`: to count different people."""

    text: str
    person: str
    private: bool


def name_of(questions: Sequence[Said], analyser: Analyser) -> str:
    """The most typical question comes first. Empty where none names anything."""
    read = [phrases(one.text, analyser) for one in questions]
    return _named(read, read)


def open_name_of(questions: Sequence[Said], analyser: Analyser, people: int) -> str:
    """The same for everyone's eyes: out of questions that others could read, of words that `people` different people used.

    Empty where there are no such words.
    """
    read = [phrases(one.text, analyser) for one in questions]
    used: dict[str, set[str]] = {}
    for one, found in zip(questions, read, strict=True):
        for phrase in found:
            for noun in phrase.nouns:
                used.setdefault(noun, set()).add(one.person)
    common = {noun for noun, by in used.items() if len(by) >= people}
    shown = [
        [phrase for phrase in found if phrase.nouns <= common and _plain(phrase, common)]
        for one, found in zip(questions, read, strict=True)
        if not one.private
    ]
    return _named(shown, read)


def phrases(text: str, analyser: Analyser) -> list[Phrase]:
    """The noun phrases of a text, in order. Placeholders of masked data are no words."""
    text = _PLACEHOLDER.sub(" , ", text)
    found: list[Phrase] = []
    run: list[Morpheme] = []
    for one in analyser.parsed(text):
        tag = one.tag.split("-")[0]
        gap = text[run[-1].end : one.start] if run else ""
        joins = tag in _IN_A_PHRASE or (tag in _BOUND and bool(run) and not gap)
        if run and (not joins or gap.strip() or len(gap) > 1):
            found += _phrase(text, run)
            run = []
        if joins:
            run.append(one)
    return found + _phrase(text, run)


def _phrase(text: str, run: list[Morpheme]) -> list[Phrase]:
    """Without words at its ends that say nothing."""

    def empty(one: Morpheme) -> bool:
        return one.form.lower() in SAY_NOTHING

    while run and empty(run[0]) and not (len(run) > 1 and run[0].end == run[1].start):
        run = run[1:]
    while run and empty(run[-1]):
        joined = len(run) > 1 and run[-2].end == run[-1].start
        if joined and run[-2].tag != "SN":
            break  # the end of a word that Kiwi cut: 비번
        run = run[: -2 if joined else -1]  # the number goes with what it counts: 5번
    nouns = frozenset(normalise(one.form) for one in run if one.tag.split("-")[0] in _CARRIES)
    if not nouns or (all(len(noun) == 1 for noun in nouns) and len(run) == 1):
        return []
    return [Phrase(" ".join(text[run[0].start : run[-1].end].split()), nouns)]


def _plain(phrase: Phrase, common: Collection[str]) -> bool:
    """Nothing else is in the phrase as written: no number that only one person mentioned."""
    return not re.search(r"\d", phrase.text) or any(re.search(r"\d", noun) for noun in common)


def _named(read: Sequence[Sequence[Phrase]], everyone: Sequence[Sequence[Phrase]]) -> str:
    """Of the first question that shares two nouns with most of the others, else one; else the most shared phrase of the first."""
    known: list[frozenset[str]] = [frozenset().union(*(phrase.nouns for phrase in found)) for found in everyone]

    def share(phrase: Phrase) -> float:
        uses = sum(sum(_uses(one, noun) for one in known) for noun in phrase.nouns)
        return uses / (len(phrase.nouns) * max(len(known), 1))

    one_noun, last = "", ""
    for found in read:
        distinct = list(dict.fromkeys(found))
        good = [phrase for phrase in distinct if share(phrase) >= _SHARED]
        if sum(len(phrase.nouns) for phrase in good) > 1:
            return _within(good)
        one_noun = one_noun or (_within(good) if good else "")
        last = last or (_within([max(distinct, key=share)]) if distinct else "")
    return one_noun or last


def _uses(nouns: Collection[str], wanted: str) -> bool:
    """Kiwi cuts a compound in one sentence and not in another: 택시 is in 택시비."""
    return wanted in nouns or (len(wanted) > 1 and any(wanted in noun for noun in nouns))


def _within(found: Sequence[Phrase]) -> str:
    """As many phrases as make a short name."""
    chosen = [found[0].text]
    for phrase in found[1:_MOST_PHRASES]:
        if len(" ".join([*chosen, phrase.text])) <= _LONGEST and phrase.text not in " ".join(chosen):
            chosen.append(phrase.text)
    return " ".join(chosen)[: 2 * _LONGEST]
