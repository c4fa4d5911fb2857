"""What was mistyped in a question: the wrong keyboard layout, spaces, slips of keys. Repaired from the reader's own pages.

Only words of passages that the reader may see are ever put in, and only for words that none of those passages has: what a
reader is offered is the same whether other pages exist or not. Numbers and codes are never touched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from knowledge.hits import Understood
from knowledge.keyboard import is_hangul, keys_of, typed
from knowledge.korean import Analyser, Morpheme, bigrams, is_content, normalise
from knowledge.lexicon import Lexicon
from knowledge.readers import View
from knowledge.wording import Alternative, Words

WEIGHT = 0.8
"""What a repaired word counts beside the written one."""
MOST_REPAIRS, LONGEST_WORD = 4, 12
"""Repairs of one question; syllables of a word that is looked at."""
_RUN = re.compile(r"(?<![\w@./\\-])(?:[A-Za-z]{4,}(?![A-Za-z0-9_@/\\-]|\.\w)|[가-힣ㄱ-ㅣ]{2,}(?![A-Za-z0-9_@/\\-]))")
"""Letters of one layout; never a part of a code, an address or a path."""
_PARTICLES = frozenset(
    "은 는 이 가 을 를 에 의 로 도 만 와 과 랑 요 으로 에서 에게 한테 까지 부터 이랑 이나 하고 이란 인가요 이에요 예요".split()
)


@dataclass(frozen=True, slots=True)
class Repair:
    """One word of the question and what it is searched as. `start`, `end`: its place in the normalised question."""

    start: int
    end: int
    text: str
    alternative: Alternative


class Spelling:
    """Of one edition. Thread-safe."""

    def __init__(self, analyser: Analyser, morphemes: Lexicon, pairs: Lexicon) -> None:
        self._analyser = analyser
        self._morphemes = morphemes
        self._pairs = pairs

    def relaid(self, question: str, view: View) -> tuple[str, tuple[Understood, ...]]:
        """The question with words in the wrong keyboard layout put right: `dusck 며칠` → `연차 며칠`."""
        text = unicodedata.normalize("NFC", question)
        notes: list[Understood] = []

        def other(run: re.Match[str]) -> str:
            meant = self._other_layout(run[0], view)
            if meant is None:
                return run[0]
            notes.append(Understood("keys", run[0], meant))
            return meant

        relaid = _RUN.sub(other, text)
        return (relaid, tuple(notes)) if notes else (question, ())

    def suspicious(self, pairs: Sequence[str], view: View) -> bool:
        """Whether two letters stand side by side that do so in none of the reader's passages: else nothing is looked for."""
        hidden = len(view.mask) - view.count  # what more passages have than are hidden, the reader sees somewhere
        return any(
            self._pairs.df(pair) <= hidden and not view.holds(self._pairs.holders(pair))
            for pair in dict.fromkeys(pairs)
        )

    def repairs(self, question: str, view: View) -> list[Repair]:
        """Slips of keys in words that the reader's pages do not have."""
        text = normalise(question)
        found: list[Repair] = []
        plain, slips = self._analyser.analysed(text), self._analyser.analysed(text, slips=True)
        for start, end in _words(text, [*plain, *slips]):
            if len(found) == MOST_REPAIRS:
                break
            if any(letter.isdigit() for letter in text[start:end]) or end - start > 2 * LONGEST_WORD:
                continue
            own = [one for one in plain if start <= one.start < end]
            read = [one for one in slips if start <= one.start < end]
            repair = self._kiwis(text, start, end, own, read, view) or self._nearest_word(text, own, view)
            if repair is not None:
                found.append(repair)
        return found

    def respaced(self, question: str, tokens: Sequence[str], view: View) -> Alternative | None:
        """Words torn apart by spaces (`법 인 카 드`), put together where Kiwi would write them as one."""
        text = self._analyser.respaced(question)
        others = self._analyser.morphemes(text)
        new = [
            token
            for token in dict.fromkeys(others)
            if token not in tokens and len(token) > 1 and self._has(token, view)
        ]
        gone = [token for token in dict.fromkeys(tokens) if token not in others]
        if not new or not gone or any(len(token) > 1 and self._has(token, view) for token in gone):
            return None
        written, meant = Words(" ".join(gone), tuple(gone)), Words(" ".join(new), tuple(new))
        return Alternative(written, (meant,), WEIGHT, (Understood("spacing", written.text, meant.text),))

    def _has(self, token: str, view: View) -> bool:
        return view.holds(self._morphemes.holders(token))

    def _other_layout(self, word: str, view: View) -> str | None:
        if word.isascii():
            if self._has(word.lower(), view):
                return None
            hangul = typed(word)
            if is_hangul(hangul) and len(hangul) > 1:
                tokens = self._analyser.morphemes(hangul)
                if tokens and max(map(len, tokens)) > 1 and all(self._has(token, view) for token in tokens):
                    return hangul
        else:
            if is_hangul(word) and not self.suspicious(bigrams(word), view):
                return None
            if any(len(token) > 1 and self._has(token, view) for token in self._analyser.morphemes(word)):
                return None
            for cut in range(min(3, len(word) - 1)):
                stem, particle = word[: len(word) - cut], word[len(word) - cut :]
                latin = keys_of(stem).lower()
                if (
                    len(latin) > 1
                    and latin.isalpha()
                    and (not cut or particle in _PARTICLES)
                    and self._has(latin, view)
                ):
                    return latin + particle
        return None

    def _kiwis(
        self, text: str, start: int, end: int, own: Sequence[Morpheme], read: Sequence[Morpheme], view: View
    ) -> Repair | None:
        """Kiwi's own reading of the word with slips allowed, if the reader's pages know what it reads."""
        written, meant = _content(own), _content(read)
        new = [token for token in meant if token not in written]
        gone = [token for token in written if token not in meant]
        if not any(one.slip for one in read) or not any(len(token) > 1 for token in new):
            return None
        if not all(self._has(token, view) for token in meant):
            return None
        if any(len(token) > 1 and self._has(token, view) for token in gone):
            return None
        spelled = self._analyser.spelled([(one.form, one.tag) for one in read])
        return _repair(text, start, end, gone, spelled, new)

    def _nearest_word(self, text: str, own: Sequence[Morpheme], view: View) -> Repair | None:
        """The known word that is the fewest keys away from one that neither Kiwi nor the reader's pages know."""
        for one in own:
            guessed = not one.known and one.tag[0] == "N" and is_hangul(one.form)
            foreign = one.tag == "SL" and one.form.isascii() and len(one.form) > 4
            if (guessed or foreign) and 1 < len(one.form) <= LONGEST_WORD and not self._has(one.form, view):
                meant = self._nearest(one.form, view)
                if meant is not None:
                    tokens = [token for token in self._analyser.morphemes(meant) if self._has(token, view)]
                    return _repair(text, one.start, one.end, [one.form], meant, tokens) if tokens else None
        return None

    def _nearest(self, word: str, view: View) -> str | None:
        """`word` with a piece of it replaced by a known word; before and behind it may stand known words and particles."""
        windows = [(0, len(word))]
        if is_hangul(word):
            windows = [
                (i, j)
                for i in range(len(word) - 1)
                for j in range(i + 2, len(word) + 1)
                if (not i or self._has(word[:i], view))
                and (j == len(word) or word[j:] in _PARTICLES or self._has(word[j:], view))
            ]
        ranked = sorted(
            (distance, i - j, i, candidate)
            for i, j in windows
            for distance, candidate in self._near(word[i:j], view)[:1]
        )
        if not ranked:
            return None
        _, size, i, candidate = ranked[0]
        return word[:i] + candidate + word[i - size :]

    def _near(self, piece: str, view: View) -> list[tuple[int, str]]:
        """Known words within one slip of the keys, two of long words: nearest first, then the commonest among the reader's pages."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        keys = keys_of(piece)
        most = 1 if len(keys) < 9 else 2
        found: list[tuple[int, int, str]] = []
        for length in range(len(keys) - most, len(keys) + most + 1):
            tokens, spelled = self._by_length.get(length, ((), ()))
            if tokens:
                distances = process.cdist([keys], spelled, scorer=OSA.distance, score_cutoff=most, dtype=np.uint8)[0]
                for at in np.flatnonzero(distances <= most):
                    held = view.held(self._morphemes.holders(tokens[at]))
                    if held and tokens[at] != piece and is_hangul(tokens[at]) == is_hangul(piece):
                        found.append((int(distances[at]), -held, tokens[at]))
        return [(distance, token) for distance, _, token in sorted(found)]

    @cached_property
    def _by_length(self) -> dict[int, tuple[list[str], list[str]]]:
        """Number of keys → (words, their keys), of all words long enough to be recognised."""
        found: dict[int, tuple[list[str], list[str]]] = {}
        for token in self._morphemes.vocabulary():
            if (is_hangul(token) and len(token) > 1) or (token.isascii() and token.isalpha() and len(token) > 3):
                keys = keys_of(token)
                tokens, spelled = found.setdefault(len(keys), ([], []))
                tokens.append(token)
                spelled.append(keys)
        return found


def _content(morphemes: Sequence[Morpheme]) -> list[str]:
    return list(dict.fromkeys(one.form for one in morphemes if is_content(one.tag)))


def _repair(text: str, start: int, end: int, gone: Sequence[str], meant: str, new: Sequence[str]) -> Repair:
    written = Words(text[start:end], tuple(gone))
    note = Understood("spelling", written.text, meant)
    return Repair(start, end, meant, Alternative(written, (Words(meant, tuple(new)),), WEIGHT, (note,)))


def _words(text: str, morphemes: Sequence[Morpheme]) -> list[tuple[int, int]]:
    """(start, end) of the words between white space, as one where a morpheme reaches over it."""
    words = [
        (group[0][0], group[-1][0] + 1)
        for space, group in (
            (key, list(some)) for key, some in groupby(enumerate(text), key=lambda one: one[1].isspace())
        )
        if not space
    ]
    joined: list[tuple[int, int]] = []
    for start, end in words:
        if joined and any(one.start < joined[-1][1] <= start < one.end for one in morphemes):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
