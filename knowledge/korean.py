"""Korean text → tokens: normalisation, Kiwi's content morphemes, character bigrams, and the start-up self-test.

Knows nothing of passages or scores. Which tags count as content was measured over four Korean question sets (particles
and endings cost 1 to 11 points of recall@1); the list below is that set.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.errors import SelfTestFailed

if TYPE_CHECKING:
    from kiwipiepy import Kiwi, Token

    from knowledge.glossary import Glossary

ANALYSER = "kiwi-content-2"
"""Change it when the tokens change: it is part of the analyser's name."""

_CONTENT = frozenset({"XR", "SL", "SN", "SH", "MAG", "MM", "XPN", "XSN"})
_NOT_CONTENT = frozenset({"VCP", "VCN", "VX"})
_WHOLE = 6.0
"""Kiwi's score of a glossary's word: with 0, its default, 법인카드를 분실 is cut into 법인 카드 all the same."""
_WORDS = re.compile(r"\w+")


def normalise(text: str) -> str:
    """NFKC (full-width digits, compatibility jamo, NFD file text) and lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def bigrams(text: str) -> list[str]:
    """Character pairs within each run of letters and digits; a lone character stands for itself."""
    found: list[str] = []
    for word in _WORDS.findall(normalise(text)):
        found += [word] if len(word) == 1 else [word[i : i + 2] for i in range(len(word) - 1)]
    return found


def is_content(tag: str) -> bool:
    """Whether a Kiwi tag carries meaning (nouns, verbs, roots, foreign words, numbers); `VV-R` counts as `VV`."""
    base = tag.split("-")[0]
    return base not in _NOT_CONTENT and (base[0] in "NVW" or base in _CONTENT)


@dataclass(frozen=True, slots=True)
class Morpheme:
    """`form` with Kiwi's `tag`, and where its letters stand in the text (contracted ones share theirs)."""

    form: str
    tag: str
    start: int
    end: int
    known: bool = True
    """Kiwi's dictionary has it; otherwise it is a guess, as for names and slips."""
    slip: bool = False
    """It is written otherwise in the text: Kiwi took it for a typing slip."""


class Analyser:
    """Owns one Kiwi instance. Loading takes seconds and about 0.5 GB: make one per process.

    Words of the company's glossary that Kiwi would cut are kept whole, followed by their parts: a compound is found by
    itself and by its parts, written with or without spaces.
    """

    def __init__(self, workers: int = 1, glossary: Glossary | None = None) -> None:
        """`workers`: Kiwi's own threads for batches."""
        from kiwipiepy import Kiwi

        self._kiwi: Kiwi = Kiwi(num_workers=workers)
        self.name = analyser_name(glossary)
        self._parts = self._with_words(glossary) if glossary else {}

    def _with_words(self, glossary: Glossary) -> dict[str, tuple[str, ...]]:
        """Teach Kiwi the words that it does not know as they are; each with the parts it is found by."""
        parts = {}
        for word, own in glossary.words.items():
            tokens = self._kiwi.tokenize(word)
            # Letters of another script are one token anyway. A guess is not: it is cut another way in another sentence.
            if own or len(tokens) != 1 or not (tokens[0].base_form or tokens[0].tag == "SL"):
                parts[word] = own or self._cut(word, tokens)
        for word in parts:
            self._kiwi.add_user_word(word, "NNP", _WHOLE)
        return parts

    def _cut(self, word: str, tokens: Sequence[Token]) -> tuple[str, ...]:
        """The parts that a page may write apart; none where Kiwi's cuts are no words (브이·피·엔)."""
        cut = _content(tokens)
        if cut == [word]:
            cut = _content(self._kiwi.tokenize(self._kiwi.space(word, reset_whitespace=True)))
        words = "".join(cut) == word and all(len(part) > 1 for part in cut[:-1])
        return tuple(part for part in cut if part != word) if words else ()

    def is_whole(self, token: str) -> bool:
        """Whether a morpheme is a compound of the glossary, whose parts follow it."""
        return bool(self._parts.get(token))

    def morphemes(self, text: str) -> list[str]:
        """The content morphemes of one text, in order; behind a compound of the glossary its parts."""
        return self._with_parts(_content(self._kiwi.tokenize(normalise(text))))

    def _with_parts(self, tokens: list[str]) -> list[str]:
        if not self._parts:
            return tokens
        return [piece for token in tokens for piece in (token, *self._parts.get(token, ()))]

    def morphemes_of(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[list[str]]:
        """The same for many texts; `progress` is told how many are done."""
        results: list[list[str]] = []
        stream: Iterator[list[Token]] = self._kiwi.tokenize(iter([normalise(text) for text in texts]))
        for tokens in stream:
            results.append(self._with_parts(_content(tokens)))
            if progress is not None:
                progress(len(results))
        return results

    def tagged(self, text: str) -> list[tuple[str, str]]:
        """(form, tag) of every morpheme: for judging whether a question stands alone."""
        return [(token.form, token.tag) for token in self._kiwi.tokenize(normalise(text))]

    def parsed(self, text: str) -> list[Morpheme]:
        """Every morpheme with its place in `text` as it is written: for changing a sentence's words."""
        return [Morpheme(one.form, one.tag, one.start, one.start + one.len) for one in self._kiwi.tokenize(text)]

    def spelled(self, morphemes: Sequence[tuple[str, str]]) -> str:
        """(form, tag) of morphemes → the words that they make: 하/VV + 어야/EC → 해야."""
        joined: str = self._kiwi.join(morphemes)
        return joined

    def analysed(self, text: str, *, slips: bool = False) -> list[Morpheme]:
        """Every morpheme of the normalised text, with its place there. `slips`: as Kiwi reads it when it allows for typing slips."""
        tokens = self._kiwi.tokenize(normalise(text), typos="basic_with_continual" if slips else None)
        return [
            Morpheme(one.form, one.tag, one.start, one.start + one.len, bool(one.base_form), one.typo_cost > 0)
            for one in tokens
        ]

    def respaced(self, text: str) -> str:
        """The normalised text with spaces where Kiwi would put them, whatever stood there."""
        spaced: str = self._kiwi.space(normalise(text), reset_whitespace=True)
        return spaced


def analyser_name(glossary: Glossary | None = None) -> str:
    """Part of every token cache key, of an edition's fingerprint and of its manifest; known without loading Kiwi."""
    return f"{ANALYSER}+{glossary.stamp}" if glossary and glossary.stamp else ANALYSER


def _content(tokens: Iterable[Token]) -> list[str]:
    return [token.form for token in tokens if is_content(token.tag)]


def self_test(analyser: Analyser) -> None:
    """The bare noun must be found in the particle-bearing word, by both legs. Raises SelfTestFailed."""
    for noun, sentence in (("연차", "연차는 입사일을 기준으로 생깁니다."), ("법인카드", "법인카드를 분실했습니다.")):
        wanted, found = analyser.morphemes(noun), analyser.morphemes(sentence)
        if not wanted or not set(wanted) <= set(found):
            raise SelfTestFailed(check="morphemes", reason=f"{noun} → {wanted}, {sentence} → {found}")
        if not set(bigrams(noun)) <= set(bigrams(sentence)):
            raise SelfTestFailed(check="bigrams", reason=noun)
