"""A leg made from counts scores as bm25s itself does, and one that takes over most counts is the one made from nothing."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from bm25s import BM25
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexicon import Lexicon
from knowledge.term_counts import TermCounts

WORDS = ["연차", "휴가", "출장", "일비", "서버", "백업", "보안", "카드"]
documents = st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=1, max_size=8)


def drawn(count: int, seed: int = 1) -> list[list[str]]:
    draw = random.Random(seed)
    return [draw.choices(WORDS, k=draw.randint(1, 30)) for _ in range(count)]


def told(counts: TermCounts) -> dict[str, dict[int, int]]:
    """Token → document → how often."""
    found: dict[str, dict[int, int]] = {}
    for token, column in counts.vocabulary.items():
        part = slice(int(counts.starts[column]), int(counts.starts[column + 1]))
        found[token] = dict(zip(counts.documents[part].tolist(), counts.counts[part].tolist(), strict=True))
    return found


def test_scores_are_those_of_bm25s_to_the_last_bit() -> None:
    corpus = drawn(200)
    reference = BM25()
    reference.index(corpus, show_progress=False)
    ours = Lexicon.build(corpus)
    for word in WORDS:
        assert np.array_equal(ours.scores([word]), reference.get_scores([word]))


@given(documents, documents, st.randoms(use_true_random=False))
def test_counts_that_were_taken_over_are_those_made_from_nothing(
    old: list[list[str]], new: list[list[str]], draw: random.Random
) -> None:
    kept = [number for number in range(len(old)) if draw.random() < 0.6]
    draw.shuffle(kept)
    wanted = [(number, old[number]) for number in kept] + [(-1, tokens) for tokens in new]
    draw.shuffle(wanted)
    rows = np.array([number for number, _ in wanted], dtype=np.int64)
    taken = TermCounts.of(old).taken_over(rows, [tokens for number, tokens in wanted if number < 0])
    made = TermCounts.of([tokens for _, tokens in wanted])
    assert told(taken) == told(made)
    assert taken.lengths.tolist() == made.lengths.tolist()
    for start, end in itertools.pairwise(taken.starts.tolist()):
        assert (np.diff(taken.documents[start:end]) > 0).all()


def test_a_word_that_only_a_removed_document_held_is_gone() -> None:
    taken = TermCounts.of([["연차"], ["기밀"], ["연차", "서버"]]).taken_over(np.array([2, 0]), [])
    assert set(taken.vocabulary) == {"연차", "서버"}


def test_a_saved_leg_can_be_taken_over_and_one_of_an_older_version_cannot(tmp_path: Path) -> None:
    Lexicon.build(drawn(5)).save(tmp_path)
    counts = Lexicon.load(tmp_path).counts
    assert counts is not None
    assert told(counts) == told(TermCounts.of(drawn(5)))
    (tmp_path / "counts.npy").unlink()
    assert Lexicon.load(tmp_path).counts is None


@pytest.mark.parametrize("corpus", [[[]], [[], []]])
def test_documents_without_a_token_are_never_found(corpus: list[list[str]]) -> None:
    lexicon = Lexicon.build(corpus)
    assert lexicon.size == len(corpus)
    assert not lexicon.scores(["연차"]).any()
