"""Votes on answers → comparisons of candidates; nobody tunes the search alone."""

from __future__ import annotations

from dataclasses import replace

from bot.messages import Citation
from bot.store.answers import Kept
from bot.store.feedback import Said
from bot.vote_weights import voted
from knowledge.search import SearchIndex
from tests.bot.store.rows import CHANNEL, answer

CITED = Citation(1, "휴가.md", "연차 규정", None, "연차는 사용 3일 전까지")


def said(number: int, up: tuple[str, ...] = (), down: tuple[str, ...] = (), cited: Citation = CITED) -> Said:
    given = replace(answer(), citations=(cited,), condensed="연차는 언제까지 신청하나요?")
    kept = Kept(f"a{number}", f"q{number}", "slack:U9", "그럼 신청은?", given, "ko", False, CHANNEL, "")
    return Said(kept, 0.0, up, down, (), None)


def test_the_cited_passage_is_marked_among_the_candidates_of_the_question_as_it_was_searched(
    index: SearchIndex,
) -> None:
    (one,) = voted([said(1, up=("a", "b"), down=("c",))], index, person_most=20)
    assert one.good
    assert one.question == "q1"
    assert sum(one.cited) == 1
    best = one.shares[one.cited.index(True)]
    assert best == max(one.shares)
    assert all(0.0 <= share <= 1.0 for row in one.shares for share in row)


def test_a_tie_a_page_that_is_gone_and_an_answer_without_sources_teach_nothing(index: SearchIndex) -> None:
    gone = said(3, up=("a",), cited=replace(CITED, page="없음.md"))
    bare = replace(said(4, up=("a",)).kept, answer=replace(answer(), citations=()))
    rows = [said(1, up=("a",), down=("b",)), said(2), gone, Said(bare, 0.0, ("a",), (), (), None)]
    assert voted(rows, index, person_most=20) == []


def test_a_downvoted_answer_teaches_the_other_way_round(index: SearchIndex) -> None:
    (one,) = voted([said(1, down=("a",))], index, person_most=20)
    assert not one.good


def test_one_person_alone_counts_for_so_many_answers_only(index: SearchIndex) -> None:
    alone = [said(number, up=("a",)) for number in range(5)]
    assert len(voted(alone, index, person_most=3)) == 3
    together = [said(number, up=("a", f"p{number}")) for number in range(5)]
    assert len(voted(together, index, person_most=3)) == 5
