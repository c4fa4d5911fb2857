"""The Korean keyboard: keys ⇄ syllables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.keyboard import is_hangul, keys_of, typed


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=6))
def test_the_keys_of_any_syllables_type_them_again(text: str) -> None:
    assert typed(keys_of(text)) == text


@pytest.mark.parametrize(
    ("keys", "text"),
    [("dusck", "연차"), ("DUSCK", "연차"), ("Rkcl", "까치"), ("rhkdlf", "과일"), ("ekfrrkfql", "닭갈비")],
)
def test_what_was_typed_in_the_other_layout(keys: str, text: str) -> None:
    assert typed(keys) == text


def test_jamo_that_make_no_syllable_are_keys_too() -> None:
    assert keys_of("ㅍㅔㅜ") == "vpn"
    assert not is_hangul("ㅍㅔㅜ")
    assert not is_hangul("")
