"""The measure of gaps: pairs are counted right, halves share no subject, and the labelled set is what its description says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gap_clusters import halves, in_chunks, labelled, leaders, measure, scores, subject
from bot.gap_settings import GapsSettings
from knowledge.korean import Analyser
from tests.fakes.hash_embedder import HashEmbedder


def test_pairs_in_one_group_are_right_when_their_labels_agree() -> None:
    assert scores([[0, 1], [2]], ["a", "a", "b"])["f1"] == 1.0
    found = scores([[0, 1, 2]], ["a", "a", "b"])
    assert (found["precision"], found["recall"]) == (pytest.approx(1 / 3, abs=1e-3), 1.0)
    found = scores([[0], [1], [2]], ["a", "a", "b"])
    assert (found["precision"], found["recall"], found["f1"]) == (0.0, 0.0, 0.0)


def test_the_set_is_large_enough_has_near_misses_and_no_question_twice() -> None:
    rows = labelled()
    topics = [topic for topic, _ in rows]
    assert len(rows) >= 120
    assert len(set(topics)) >= 30
    assert len({text for _, text in rows}) == len(rows)
    subjects = {subject(topic) for topic in topics}
    assert len(set(topics)) - len(subjects) >= 8
    assert min(topics.count(topic) for topic in topics) >= 3


def test_what_chooses_the_threshold_has_no_subject_in_common_with_what_is_reported() -> None:
    topics = [topic for topic, _ in labelled()]
    chosen, reported = halves(topics)
    assert not {subject(topics[row]) for row in chosen} & {subject(topics[row]) for row in reported}
    assert sorted([*chosen, *reported]) == list(range(len(topics)))
    assert abs(len(chosen) - len(reported)) < len(topics) / 4


def test_the_simple_way_joins_the_first_group_that_is_like_it() -> None:
    likeness = np.array([[1, 0.9, 0.2], [0.9, 1, 0.8], [0.2, 0.8, 1]], dtype=np.float32)
    assert leaders(likeness, 0.5) == [[0, 1], [2]]


def test_questions_that_come_in_several_runs_are_all_in_a_group() -> None:
    likeness = np.ones((13, 13), dtype=np.float32)
    assert sorted(row for rows in in_chunks(likeness, 0.5) for row in rows) == list(range(13))
    assert len(in_chunks(likeness, 0.5)) == 1


def test_it_measures_every_way_and_ours_beats_chance_even_without_a_model(analyser: Analyser) -> None:
    found = measure(HashEmbedder(), analyser)
    assert found["setting"] == GapsSettings().likeness
    ways = found["ways"]
    assert isinstance(ways, dict)
    assert ways["ours"]["reported"]["f1"] > 0.4
    assert set(ways["ours"]) == {"threshold", "chosen on", "reported", "page"}
