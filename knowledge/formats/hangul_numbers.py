"""Automatic numbers of paragraphs ("제1조", "가.", "①"): neither Hangul format writes them out, the reader counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"\^(\d{1,2}|[nN])")
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
          (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
_LONGEST_ROMAN = 3999
_FIRST_SYLLABLE = ord("가")
_CONSONANTS = (0, 2, 3, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 18)  # ㄱ ㄴ ㄷ … without the doubled ones
_VOWELS = (0, 4, 8, 13, 18, 20)  # ㅏ ㅓ ㅗ ㅜ ㅡ ㅣ
_LONGEST = 60
_MOST_LEVELS = 10


def _letters(first: str, count: int) -> str:
    return "".join(chr(ord(first) + number) for number in range(count))


_DIGITS, _ROMAN_CAPITAL, _ROMAN_SMALL, _SYLLABLES, _SPOKEN, _IDEOGRAPHS = 0, 2, 3, 8, 12, 13
_ALPHABETS = {
    1: _letters("①", 20) + _letters("㉑", 15) + _letters("㊱", 15),
    4: _letters("A", 26),
    5: _letters("a", 26),
    6: _letters("Ⓐ", 26),
    7: _letters("ⓐ", 26),
    9: _letters("㉮", 14),
    10: "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    11: _letters("㉠", 14),
    14: _letters("㊀", 10),
}
_WORDS = {_SPOKEN: "일이삼사오육칠팔구십", _IDEOGRAPHS: "一二三四五六七八九十"}


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a numbering. `format`: as written in the file, `^1` standing for the number of level 1.

    `kind`: the index in table 41 of Hancom's description (0: 1 2 3, 1: ① ② ③, 2: I II III … 8: 가 나 다 …).
    """

    format: str
    kind: int = _DIGITS
    start: int = 1


class Numbers:
    """The counters of one document. Each numbering counts by itself, in the order in which its paragraphs are read."""

    def __init__(self, numberings: Mapping[int, tuple[Level, ...]]) -> None:
        self._numberings = {name: levels[:_MOST_LEVELS] for name, levels in numberings.items()}
        self._counters: dict[int, list[int]] = {}

    def next(self, numbering: int, level: int) -> str:
        """What stands before the next paragraph of `level` (from 0); empty where the file defines nothing."""
        levels = self._numberings.get(numbering, ())
        if level >= len(levels):
            return ""
        counters = self._counters.setdefault(numbering, [0] * len(levels))
        counters[level] = counters[level] + 1 if counters[level] else levels[level].start
        counters[level + 1 :] = [0] * (len(levels) - level - 1)

        def shown(place: re.Match[str]) -> str:
            if place[1] in "nN":
                path = ".".join(str(counters[at] or levels[at].start) for at in range(level + 1))
                return path + ("." if place[1] == "N" else "")
            at = int(place[1]) - 1
            return written(counters[at] or levels[at].start, levels[at].kind) if 0 <= at < len(levels) else ""

        return _PLACE.sub(shown, levels[level].format[:_LONGEST])[:_LONGEST]


def written(number: int, kind: int) -> str:
    """`number` (from 1) in a kind of letters; in digits where these letters do not reach so far."""
    if kind in _ALPHABETS and 0 < number <= len(_ALPHABETS[kind]):
        return _ALPHABETS[kind][number - 1]
    if kind in (_ROMAN_CAPITAL, _ROMAN_SMALL) and 0 < number <= _LONGEST_ROMAN:
        return _roman(number) if kind == _ROMAN_CAPITAL else _roman(number).lower()
    if kind == _SYLLABLES and 0 < number <= len(_CONSONANTS) * len(_VOWELS):
        vowel, consonant = divmod(number - 1, len(_CONSONANTS))
        return chr(_FIRST_SYLLABLE + (_CONSONANTS[consonant] * 21 + _VOWELS[vowel]) * 28)
    if kind in _WORDS and 0 < number < 100:
        tens, ones = divmod(number, 10)
        words = _WORDS[kind]
        return (words[tens - 1] if tens > 1 else "") + (words[9] if tens else "") + (words[ones - 1] if ones else "")
    return str(number)


def _roman(number: int) -> str:
    parts: list[str] = []
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        parts.append(letters * count)
    return "".join(parts)
