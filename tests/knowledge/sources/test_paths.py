"""Titles become paths that are unique, readable and stay."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sources.paths import PagePaths, as_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("휴가 규정", "휴가 규정"),
        ("  여러   칸\t과\n줄 ", "여러 칸 과 줄"),
        ("A/B", "A-B"),
        ("", "제목 없음"),
        ("..", "제목 없음"),
        (".NET", ".NET"),
        ("긴" * 200, "긴" * 120 + "…"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("앞\ud800\x07뒤", "앞 뒤"),
    ],
)
def test_a_title_is_one_part_of_a_path(title: str, name: str) -> None:
    assert as_name(title) == name


def test_children_follow_the_path_that_their_parent_got() -> None:
    paths = PagePaths()
    assert paths.add("1" * 32, [], "회의록") == "회의록"
    assert paths.add("2" * 32, [], "회의록") == "회의록 (22222222)"
    assert paths.add("3" * 32, [("2" * 32, "회의록")], "1월") == "회의록 (22222222)/1월"
    assert paths.add("4" * 32, [("hidden", "팀"), ("1" * 32, "회의록")], "1월") == "회의록/1월"


@given(st.lists(st.tuples(st.sampled_from(["가", "가 (00000000)", "/", ""]), st.integers(0, 3)), max_size=12))
def test_no_two_pages_share_a_path(tree: list[tuple[str, int]]) -> None:
    paths, line, seen = PagePaths(), list[tuple[str, str]](), []
    for number, (title, depth) in enumerate(tree):
        identity = f"{number:024x}00000000"
        line = line[:depth]
        seen.append(paths.add(identity, line, title))
        line = [*line, (identity, title)]
    assert len(set(seen)) == len(seen)
