"""Korean words for what is asked and said: particles after a word, a statement's ending → a question's. Rules over Kiwi's tags.

    Wording(analyser).question("두물은 몇 층에 있습니다", "plain") == "두물은 몇 층에 있어?"

A Korean question has its question word where the answer would stand, so only the ending changes. What the rules cannot spell
back exactly as it was written they leave alone (None).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from knowledge.korean import Analyser, Morpheme

Register = Literal["formal", "polite", "plain", "bare"]
"""합니다체, 해요체, 반말, and a few words without an ending."""

_READ_WITH_CONSONANT = frozenset("013678lmnrLMNR")
"""Digits and Latin letters whose Korean names end in a consonant (영, 일, 삼, …, 엘, 엠)."""
_RIEUL_NAMES = frozenset("178lrLR")
_PARENTHESES = re.compile(r"\s*\([^()]*\)$")
_PAIRS = {
    particle: pair
    for pair in (("이", "가"), ("을", "를"), ("은", "는"), ("과", "와"), ("으로", "로"), ("이나", "나"), ("이며", "며"))
    for particle in pair
}
_PARTICLE = re.compile(rf"({'|'.join(sorted(_PAIRS, key=len, reverse=True))})(?=$|[\s,.?]|만|도|까지|부터)")
_ADJECTIVES = ("VA", "XSA", "VCP", "VCN")


def ends_in_consonant(word: str) -> bool:
    """Whether `word` is read with a consonant at its end; what stands in brackets at the end is not read."""
    last = _PARENTHESES.sub("", word)[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 != 0
    return last in _READ_WITH_CONSONANT


def with_particle(word: str, particle: str) -> str:
    """`word` with the form of `particle` (`은`, `을`, `이`, `과`, `으로` …) that goes with its last letter."""
    after_consonant, after_vowel = _PAIRS[particle]
    bare = _PARENTHESES.sub("", word)
    if after_vowel == "로" and _ends_in_rieul(bare):
        return f"{word}로"
    return word + (after_consonant if ends_in_consonant(bare) else after_vowel)


def before(word: str, rest: str) -> str:
    """`word` in front of `rest`, whose particle, if it begins with one, is made to fit."""
    found = _PARTICLE.match(rest)
    return with_particle(word, found[1]) + rest[found.end() :] if found else word + rest


def _ends_in_rieul(word: str) -> bool:
    last = word[-1:]
    return (ord(last) - ord("가")) % 28 == 8 if "가" <= last <= "힣" else last in _RIEUL_NAMES


class Wording:
    """Changes the endings of sentences."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def statement(self, sentence: str) -> str | None:
        """The sentence in 합니다체, without a full stop; None if it is no whole statement. A request (하십시오) stays one."""
        text = _bare(sentence)
        parts = self._analyser.parsed(text)
        if not _is_whole(parts, text):
            return None
        ending = parts[-1].form
        if ending in ("ᆸ니다", "습니다", "ᆸ시오", "십시오"):
            return text
        if ending not in ("ᆫ다", "는다", "다", "어요", "에요", "어"):
            return None
        stem = parts[:-1]
        return self._respelled(text, parts, len(stem), [_formal(stem, "다")])

    def question(self, statement: str, register: Register) -> str | None:
        """What asks for the word that `statement` (합니다체) leaves open, or whether it is so."""
        text = _bare(statement)
        parts = self._analyser.parsed(text)
        if not _is_whole(parts, text):
            return None
        stem = list(parts[:-1])
        keep = _asked_of_people(parts)
        if keep is not None:
            duty = self._respelled(text, parts, keep, [("어야", "EC")])
            ending = _ending([Morpheme("하", "VX", 0, 0)], register)
            refused = keep and parts[keep - 1].form == "말"
            return None if duty is None or refused else f"{duty} {self._analyser.spelled([('하', 'VX'), ending])}?"
        given: list[tuple[str, str]] = []
        if stem[-1].form == "드리":  # the company gives, and who asks receives
            given = [("주", stem[-1].tag)]
            stem[-1] = Morpheme("주", stem[-1].tag, 0, 0)
        said = self._respelled(text, parts, len(stem) - len(given), [*given, _ending(stem, register)])
        return f"{said}?" if said else None

    def _respelled(self, text: str, parts: Sequence[Morpheme], keep: int, new: Sequence[tuple[str, str]]) -> str | None:
        """`text` with everything from morpheme `keep` on replaced; None if the words cannot be spelled back as they stand."""
        if not keep:
            return None
        begin = text.rfind(" ", 0, parts[keep - 1].start + 1) + 1
        first = next(place for place, one in enumerate(parts) if one.start >= begin)
        together = [(one.form, one.tag) for one in parts[first:]]
        if self._analyser.spelled(together).replace(" ", "") != text[begin:].replace(" ", ""):
            return None
        kept = [(one.form, one.tag) for one in parts[first:keep]]
        words = self._analyser.spelled([*kept, *new])
        return text[:begin] + (
            words if " " in text[begin:] else words.replace(" ", "")
        )  # 함께합니다, as it was written


def _bare(sentence: str) -> str:
    return sentence.strip().rstrip(".!?。").rstrip()


def _is_whole(parts: Sequence[Morpheme], text: str) -> bool:
    """Ends in a final ending, and that is the last of the text."""
    return len(parts) > 1 and parts[-1].tag == "EF" and parts[-1].end >= len(text)


def _asked_of_people(parts: Sequence[Morpheme]) -> int | None:
    """For a request (알려 주십시오, 하시기 바랍니다): how many morphemes stay when "알려야 하" is made of it; None for another sentence."""
    forms = [one.form for one in parts]
    if forms[-3:-1] == ["기", "바라"]:
        keep = len(parts) - 3
    elif forms[-1] in ("ᆸ시오", "십시오", "세요", "으십시오", "으세요"):
        keep = len(parts) - 1
    else:
        return None
    if keep and forms[keep - 1] in ("시", "으시") and parts[keep - 1].tag == "EP":
        keep -= 1
    if keep > 1 and parts[keep - 1].form == "주" and parts[keep - 1].tag == "VX" and parts[keep - 2].tag == "EC":
        keep -= 2
    return keep


def _formal(stem: Sequence[Morpheme], last: Literal["다", "까"]) -> tuple[str, str]:
    """습니다, ᆸ니다, 습니까, ᆸ니까 after `stem`."""
    word = stem[-1].form
    closed = "가" <= word[-1] <= "힣" and (ord(word[-1]) - ord("가")) % 28 not in (0, 8)
    return f"{'습니' if closed else 'ᆸ니'}{last}", "EF"


def _ending(stem: Sequence[Morpheme], register: Register) -> tuple[str, str]:
    tag = stem[-1].tag.split("-")[0]
    if register == "formal":
        return _formal(stem, "까")
    if register == "polite":
        if tag in _ADJECTIVES and stem[-1].form not in ("있", "없", "계시"):
            closed = ends_in_consonant(stem[-1].form) and not _ends_in_rieul(stem[-1].form)
            return "은가요" if closed else "ᆫ가요", "EF"
        return "나요", "EF"
    return ("야", "EF") if tag in ("VCP", "VCN") else ("어", "EF")
