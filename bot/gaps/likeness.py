"""How alike two questions are: the edition's own vectors, shared words and shared pairs of letters, from 0 (unrelated) to 1.

Cosines of E5 hardly spread (unrelated Korean questions reach 0.8), and another embedder's lie elsewhere. So the zero is measured:
it is the mean cosine between questions that have nothing to do with each other (`knowledge/data/off_topic_ko.txt`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from knowledge.calibrate import off_topic_questions
from knowledge.embed import Embedder, Vectors
from knowledge.korean import Analyser, bigrams

DENSE_SHARE = 0.6
"""Of the vectors; the rest is half of the words and half of their letters (법인카드 and 법인 카드 and 법카 share some). Measured:
benchmarks/gap_clusters.py."""
_NOUNS = frozenset({"NNG", "NNP", "SL", "SH", "XR"})
_VERBS = frozenset({"VV", "VA"})
_VERB_WEIGHT = 0.5
_A_WORD = re.compile(r"[가-힣a-z0-9一-龥]")
"""ㅠㅠ and ㅋㅋ are none."""
SAY_NOTHING = frozenset(
    (
        "경우 것 거 수 때 그때 방법 얼마 언제 어디 누구 무엇 뭐 며칠 몇 왜 차이 다음 이후 이전 가능 필요 추가 정도 사람 번 "
        "절차 안내 문의 질문 답변 부탁 안녕 감사 죄송 여부 궁금 회사 우리 "
        "하 되 있 없 주 알리 싶 보 같 말하 가 오 받 나오 좋 쓰 그렇 어떻 이렇"
    ).split()
)
"""What stands in questions about anything."""

Words = Mapping[str, float]
"""What a question is about: each word with its weight."""


@dataclass(frozen=True, slots=True)
class Read:
    """Questions as they are compared: `vectors` (n, dimension), unit length; `words` of each."""

    vectors: Vectors
    words: tuple[Words, ...]

    def __len__(self) -> int:
        return len(self.words)


class Likeness:
    """Of questions, by one edition's analyser, embedder and rarity of words (`idf`)."""

    def __init__(
        self,
        analyser: Analyser,
        embedder: Embedder,
        idf: Callable[[str], float],
        *,
        dense_share: float = DENSE_SHARE,
    ) -> None:
        self._analyser = analyser
        self._embedder = embedder
        self._idf = idf
        self.dense_share = dense_share

    @property
    def embedder_id(self) -> str:
        """Whose vectors these are: others must not be compared with them."""
        return self._embedder.id

    def vector(self, text: str) -> Vectors:
        """(dimension,) of one question."""
        return self._embedder.query(text)

    def words(self, text: str) -> dict[str, float]:
        """What the question is about; empty for one that names nothing ("안녕", "ㅋㅋ")."""
        found: dict[str, float] = {}
        for form, tag in self._analyser.tagged(text):
            base = tag.split("-")[0]
            if form not in SAY_NOTHING and _A_WORD.search(form) and (base in _NOUNS or base in _VERBS):
                found[form] = self._idf(form) * (1.0 if base in _NOUNS else _VERB_WEIGHT)
        return found

    def names_a_topic(self, text: str) -> bool:
        """Whether there is anything in the question that a page could be about."""
        tags = ((form, tag.split("-")[0]) for form, tag in self._analyser.tagged(text))
        return any(
            tag in _NOUNS and form not in SAY_NOTHING and len(form) > 1 and _A_WORD.search(form) for form, tag in tags
        )

    def between(self, one: Read, other: Read) -> NDArray[np.float32]:
        """(len(one), len(other)), each 0..1."""
        cosines = one.vectors @ other.vectors.T
        dense = np.clip((cosines - self.unrelated) / (1.0 - self.unrelated), 0.0, 1.0)
        shared = (overlap(one.words, other.words) + overlap(_letters(one.words), _letters(other.words))) / 2
        mixed: NDArray[np.float32] = (self.dense_share * dense + (1.0 - self.dense_share) * shared).astype(np.float32)
        return mixed

    @cached_property
    def unrelated(self) -> float:
        """The mean cosine between questions about different things."""
        vectors = np.stack([self._embedder.query(text) for text in off_topic_questions()])
        cosines = vectors @ vectors.T
        return min(float(cosines[np.triu_indices(len(vectors), 1)].mean()), 0.99)


def overlap(one: Sequence[Words], other: Sequence[Words]) -> NDArray[np.float32]:
    """(len(one), len(other)): cosine of the weights, over the words that both use."""
    places: dict[str, int] = {}
    for words in (*one, *other):
        for word in words:
            places.setdefault(word, len(places))

    def rows(side: Sequence[Words]) -> NDArray[np.float32]:
        table = np.zeros((len(side), max(len(places), 1)), dtype=np.float32)
        for row, words in enumerate(side):
            for word, weight in words.items():
                table[row, places[word]] = weight
        norms = np.linalg.norm(table, axis=1, keepdims=True)
        scaled: NDArray[np.float32] = np.divide(table, norms, out=np.zeros_like(table), where=norms > 0)
        return scaled

    shared: NDArray[np.float32] = rows(one) @ rows(other).T
    return shared


def _letters(side: Sequence[Words]) -> list[Words]:
    """Pairs of letters over the words as if they were one, so that it does not matter where Kiwi cuts a compound."""
    return [dict.fromkeys(bigrams("".join(words)), 1.0) for words in side]
