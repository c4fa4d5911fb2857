"""Sentences come out whole, whatever the pieces."""

from hypothesis import given
from hypothesis import strategies as st

from bot.answering.sentence_stream import SentenceStream


def _sentences(text: str, sizes: list[int]) -> list[str]:
    stream, found, at = SentenceStream(), [], 0
    for size in sizes:
        found += stream.feed(text[at : at + size])
        at += size
    found += stream.feed(text[at:])
    return [*found, stream.rest] if stream.rest else found


def test_a_mark_after_the_full_stop_belongs_to_its_sentence() -> None:
    assert _sentences("15일입니다. [1] 신청은 나루워크에서 합니다 [2]. 끝", [3, 3]) == [
        "15일입니다. [1]",
        "신청은 나루워크에서 합니다 [2].",
        "끝",
    ]


def test_several_numbers_in_one_mark_are_a_mark() -> None:
    said = ["15일입니다. [1, 2]", "신청은 나루워크에서 합니다 [1,2].", "끝"]
    assert _sentences(" ".join(said), [3, 3]) == said


def test_dates_and_decimals_do_not_end_a_sentence() -> None:
    assert _sentences("2026. 3. 1. 부터 3.5일을 줍니다.", []) == ["2026. 3. 1. 부터 3.5일을 줍니다."]


def test_a_new_line_ends_a_sentence() -> None:
    assert _sentences("- 첫째\n- 둘째\n", []) == ["- 첫째", "- 둘째"]


@given(st.text(alphabet="가나다라 .!?\n[]12", max_size=60), st.lists(st.integers(1, 7), max_size=20))
def test_cutting_the_stream_anywhere_changes_nothing_but_pending_ends(text: str, sizes: list[int]) -> None:
    assert "".join("".join(_sentences(text, sizes)).split()) == "".join(text.split())
