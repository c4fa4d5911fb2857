"""Where Korean sentences end, and where they do not."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sentences import sentences, spans


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("연차는 15일입니다. 반차도 됩니다!", ["연차는 15일입니다.", "반차도 됩니다!"]),
        ("신청했나요? 네… 그렇습니다", ["신청했나요?", "네…", "그렇습니다"]),
        ("성장률은 3.5%입니다. v1.2를 씁니다.", ["성장률은 3.5%입니다.", "v1.2를 씁니다."]),
        ("2026. 1. 5. 시행합니다. 이후 적용합니다.", ["2026. 1. 5. 시행합니다.", "이후 적용합니다."]),
        ("1. 신청서를 씁니다. 2. 결재를 받습니다.", ["1. 신청서를 씁니다.", "2. 결재를 받습니다."]),
        ("가. 목적은 다음과 같다. 나. 범위", ["가. 목적은 다음과 같다.", "나. 범위"]),
        ("No. 3 양식, e.g. 출장비를 봅니다. 끝.", ["No. 3 양식, e.g. 출장비를 봅니다.", "끝."]),
        (
            "15일입니다. [1] 다음 해에는 [2]. 늘어납니다.[3] 끝",
            ["15일입니다. [1]", "다음 해에는 [2].", "늘어납니다.[3]", "끝"],
        ),
        ('"됩니다." 그가 말했다. "그래요."라고 답했다.', ['"됩니다."', "그가 말했다.", '"그래요."라고 답했다.']),
        ("끝났습니다.다음입니다.", ["끝났습니다.", "다음입니다."]),
        (
            "- 첫째입니다\n- 둘째. 이어짐\n\n구분 | 뜻. 설명\n연차 | 15일",
            ["- 첫째입니다", "- 둘째.", "이어짐", "구분 | 뜻. 설명", "연차 | 15일"],
        ),
        ("hr@example.com 또는 www.example.com/a.b로 문의", ["hr@example.com 또는 www.example.com/a.b로 문의"]),
        (" \n ", []),
        ("", []),
    ],
)
def test_sentence_ends(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet=st.sampled_from("가다요. ?!\n1[]|\"'a…니"), max_size=80) | st.text(max_size=60))
def test_no_character_is_lost_or_moved(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() and sentence for sentence in sentences(text))
    found = spans(text)
    assert all(text[a[1] : b[0]].strip() == "" and a[1] <= b[0] for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(
    "text", ["했습니다. " * 50_000, "." * 300_000, "1. " * 100_000, "[1]" * 100_000, "가" * 300_000]
)
def test_long_lines_take_linear_time(text: str) -> None:
    started = time.perf_counter()
    sentences(text)
    assert time.perf_counter() - started < 5
