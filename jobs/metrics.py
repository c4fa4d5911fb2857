"""What an evaluation counts. Pure functions; each docstring is the definition that the figures in docs/ rely on.

Sources: exact match and character F1 follow KorQuAD 1.0's official script `evaluate-v1.0.py` (Lim, Kim, Lee 2019,
korquad.github.io), itself SQuAD 1.1's with F1 over characters; reciprocal rank: TREC-8 QA (Voorhees 1999); nDCG:
Järvelin and Kekäläinen 2002 with binary gains; intervals: percentile bootstrap (Efron 1979) over questions.
"""

from __future__ import annotations

import itertools
import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.quantities import Quantity, quantities

_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation) | dict.fromkeys("'\"《》<>〈〉()‘’", " "))
"""KorQuAD's rule: quotation marks and brackets part words, other ASCII punctuation vanishes."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SEPARATORS = re.compile(r"(?!(?<=\d)\.(?=\d))(?:[^\w%$₩€+#&°℃]|_)+")
"""All that parts words for `contains`; a decimal point and signs that belong to an amount stay."""

_PIECES = re.compile(r"\d+(?:\.\d+)*|[a-z]+|\S")
_BEFORE = {"number": r"(?<!\d)(?<!\d\.)", "latin": r"(?<![a-z])", "other": ""}
_AFTER = {"number": r"(?!\d)(?!\.\d)", "latin": r"(?![a-z])", "other": ""}
"""What may not stand beside a span: more of the same number or word."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over `n` questions and its 95 % bootstrap interval; None where there was no question to count."""

    mean: float | None
    low: float | None
    high: float | None
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """Rounded to four digits."""
        return {"mean": _rounded(self.mean), "low": _rounded(self.low), "high": _rounded(self.high), "n": self.n}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Median and 95th percentile of `n` values; None of none."""

    p50: float | None
    p95: float | None
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """Rounded to four digits."""
        return {"p50": _rounded(self.p50), "p95": _rounded(self.p95), "n": self.n}


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Of a yes-or-no decision."""

    precision: Mean
    recall: Mean
    f1: Mean


def normalise_answer(text: str) -> str:
    """KorQuAD 1.0's: quotes and brackets ('"《》<>〈〉()‘’) → space, lower case, ASCII punctuation away, spaces collapsed.

    NFC first, which the official script leaves out: file text may be NFD, and on NFC text it changes nothing.
    """
    return " ".join(unicodedata.normalize("NFC", text).lower().translate(_PUNCTUATION).split())


def exact_match(answer: str, golds: Collection[str]) -> float:
    """1 if the normalised answer equals a normalised gold answer, else 0."""
    return float(normalise_answer(answer) in {normalise_answer(gold) for gold in golds})


def character_f1(answer: str, golds: Collection[str]) -> float:
    """KorQuAD 1.0's F1 = 2PR/(P+R) over the multisets of characters without spaces; the best of the golds."""
    return max((_character_f1(answer, gold) for gold in golds), default=0.0)


def _character_f1(answer: str, gold: str) -> float:
    said = Counter(normalise_answer(answer).replace(" ", ""))
    wanted = Counter(normalise_answer(gold).replace(" ", ""))
    # 2PR/(P+R) with P = common/|said| and R = common/|wanted| is 2·common/(|said|+|wanted|).
    both = said.total() + wanted.total()
    return 2 * (said & wanted).total() / both if both else 0.0


def contains(answer: str, golds: Collection[str]) -> float:
    """1 if a gold span occurs in the answer, else 0. Not part of KorQuAD: answers here are sentences, not spans.

    Spacing is free (`3영업일 전` = `3 영업일 전`), but a span never begins or ends inside a number or a Latin word:
    `5일` is in neither `15일` nor `1.5일`, and `IT` is not in `security`.
    """
    found = _scannable(answer)
    return float(any(_occurs(gold, found) for gold in golds))


def span_f1(answer: str, golds: Collection[str]) -> float:
    """F1 = 2PR/(P+R), over characters without spaces, of the stretch of the answer, at least as long as the gold, that fits best; the best
    of the golds.

    A number and a Latin word are one piece, as for `contains`: `18일` has of `15일` only the `일` (1/3). Not part of KorQuAD, where
    answers are spans: here they are sentences, and even the shortest one around a span of three characters has a `character_f1` of 2/3.
    It forgives length, lists and "15일 또는 18일", which therefore must be watched beside it (`number_precision`).
    """
    said = _PIECES.findall(_scannable(answer))
    return max((_best_stretch(said, _PIECES.findall(_scannable(gold))) for gold in golds), default=0.0)


def _best_stretch(said: Sequence[str], wanted: Sequence[str]) -> float:
    most, best = sum(map(len, wanted)), 0.0
    for first in range(len(said)):
        left, length, common = Counter(wanted), 0, 0
        for last, piece in enumerate(said[first:], start=first + 1):
            length += len(piece)
            if left[piece] > 0:
                left[piece] -= 1
                common += len(piece)
            whole = (first, last) == (0, len(said))
            if length >= most or whole:  # of a wrong `18일` the `일` alone would look half right
                best = max(best, 2 * common / (length + most))
            if 2 * most <= best * (length + most):  # a longer one that had all of the gold would be no better
                break
    return best


def number_precision(answer: str, golds: Collection[str], asked: str = "") -> float | None:
    """|right| / (|right| + |beside|), each number once; None where nothing is right.

    right: numbers of the answer that a gold has, too; beside: its others in the units of these, but for those of the question, `asked`.
    So beside `15일` an `18일` counts, and not the `1년` of "1년에 15일". Value and unit as in bot/answering/quantities.py.
    """
    said, wanted = quantities(answer), frozenset[Quantity]().union(*map(quantities, golds))
    right = said & wanted
    units = {one.unit for one in right}
    beside = [one for one in said - wanted - quantities(asked) if one.unit in units]
    return len(right) / (len(right) + len(beside)) if right else None


def contains_all(answer: str, golds: Collection[str]) -> float:
    """1 if every gold span occurs in the answer: for questions whose answers are parts, one from each page."""
    found = _scannable(answer)
    return float(bool(golds) and all(_occurs(gold, found) for gold in golds))


def _scannable(text: str) -> str:
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    return _SEPARATORS.sub(" ", _THOUSANDS.sub("", lowered)).strip()


def _occurs(gold: str, found: str) -> bool:
    pieces = _PIECES.findall(_scannable(gold))
    if not pieces:
        return False
    pattern = re.escape(pieces[0])
    for before, piece in itertools.pairwise(pieces):
        # Spacing is free, but two numbers may not grow together into one.
        pattern += (r"\s+" if before[-1].isdecimal() and piece[0].isdecimal() else r"\s*") + re.escape(piece)
    return re.search(_BEFORE[_class(pieces[0])] + pattern + _AFTER[_class(pieces[-1])], found) is not None


def _class(piece: str) -> str:
    return "number" if piece[0].isdecimal() else "latin" if "a" <= piece[0] <= "z" else "other"


def recall_at(ranked: Sequence[str], gold: Collection[str], k: int) -> float:
    """|gold ∩ first k pages| / |gold|: with several gold pages their share, so recall@1 of two pages is at most 1/2."""
    wanted = set(gold)
    return len(wanted & set(_unique(ranked)[:k])) / len(wanted) if wanted else 0.0


def reciprocal_rank(ranked: Sequence[str], gold: Collection[str], k: int = 10) -> float:
    """1 / rank of the first gold page among the first k, else 0."""
    wanted = set(gold)
    return next((1 / rank for rank, page in enumerate(_unique(ranked)[:k], start=1) if page in wanted), 0.0)


def ndcg(ranked: Sequence[str], gold: Collection[str], k: int = 10) -> float:
    """DCG / ideal DCG with DCG = Σ 1/log2(1 + rank) over the gold pages among the first k; ideal: all of them first."""
    wanted = set(gold)
    if not wanted:
        return 0.0
    gained = math.fsum(1 / math.log2(1 + rank) for rank, page in enumerate(_unique(ranked)[:k], 1) if page in wanted)
    return gained / math.fsum(1 / math.log2(1 + rank) for rank in range(1, min(len(wanted), k) + 1))


def page_precision(cited: Collection[str], gold: Collection[str]) -> float:
    """|cited ∩ gold| / |cited| of one answer, pages counted once."""
    pages = set(cited)
    return len(pages & set(gold)) / len(pages) if pages else 0.0


def page_recall(cited: Collection[str], gold: Collection[str]) -> float:
    """|cited ∩ gold| / |gold| of one answer."""
    wanted = set(gold)
    return len(set(cited) & wanted) / len(wanted) if wanted else 0.0


def bootstrap(values: Sequence[float], seed: int = 0, rounds: int = 1000) -> Mean:
    """The mean and the 2.5th and 97.5th percentile of the means of `rounds` samples with replacement."""
    return bootstrap_ratio(values, [1.0] * len(values), seed, rounds)


def bootstrap_ratio(
    numerators: Sequence[float], denominators: Sequence[float], seed: int = 0, rounds: int = 1000
) -> Mean:
    """Σ numerators / Σ denominators, questions resampled as a whole; `n`: questions with a denominator above 0.

    Samples whose denominators are all 0 say nothing and are left out.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if not below.sum():
        return Mean(None, None, None, 0)
    generator, found = np.random.default_rng(seed), []
    for _ in range(rounds):
        picked = generator.integers(len(below), size=len(below))
        total = below[picked].sum()
        if total:
            found.append(above[picked].sum() / total)
    low, high = np.percentile(found, [2.5, 97.5]) if found else (math.nan, math.nan)
    return Mean(float(above.sum() / below.sum()), float(low), float(high), int((below > 0).sum()))


def percentiles(values: Sequence[float]) -> Percentiles:
    """Linear interpolation between neighbours, as numpy's default."""
    if not values:
        return Percentiles(None, None, 0)
    p50, p95 = np.percentile(np.asarray(values, dtype=np.float64), [50, 95])
    return Percentiles(float(p50), float(p95), len(values))


def precision_recall(decided: Sequence[bool], truth: Sequence[bool], seed: int = 0) -> PrecisionRecall:
    """P = TP/(TP+FP), R = TP/(TP+FN), F1 = 2TP/(2TP+FP+FN), over questions.

    For abstention `decided` is "declined to answer" and `truth` "cannot be answered from the wiki".
    """
    pairs = list(zip(decided, truth, strict=True))
    hits = [float(said and so) for said, so in pairs]
    return PrecisionRecall(
        precision=bootstrap_ratio(hits, [float(said) for said, _ in pairs], seed),
        recall=bootstrap_ratio(hits, [float(so) for _, so in pairs], seed),
        f1=bootstrap_ratio([2 * hit for hit in hits], [float(said) + float(so) for said, so in pairs], seed),
    )


def _unique(pages: Sequence[str]) -> list[str]:
    # Two passages of one page are one find.
    return list(dict.fromkeys(pages))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
