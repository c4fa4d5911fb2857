"""Setting, newest release and shelf say which LoRA answers; what cannot be used is named and never served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot import prompts
from bot.errors import BrokenLora, MarkedLora, UnknownLora, WrongBase
from bot.live import Canary, name_of
from bot.loras.shelf import LoraShelf
from bot.releases.choosing import Choice, Choosing, Released
from bot.store.releases import Release
from tests.fakes.lora_folders import sha256, write_result


@pytest.fixture
def shelf(results: tuple[Path, list[Path]], tmp_path: Path) -> LoraShelf:
    made = LoraShelf(tmp_path / "loras", tmp_path / "shipped")
    for name, seed in (("first", 1), ("second", 2)):
        write_result(tmp_path / "loras" / name, results[0], seed)
    return made


@pytest.fixture
def choosing(shelf: LoraShelf, results: tuple[Path, list[Path]]) -> Choosing:
    return Choosing("auto", shelf, lambda: sha256(results[0]), prompts.version())


def release(lora: str, canary: str = "", share: float = 0.0) -> Release:
    return Release(7, "b", lora, "promote", "kim", 1.0, canary=canary, share=share)


def chosen(choosing: Choosing, setting: str = "auto", *given: object) -> Choice:
    return replace(choosing, setting=setting).choose(Released(*given))  # type: ignore[arg-type]


def test_the_newest_release_answers(choosing: Choosing) -> None:
    choice = chosen(choosing, "auto", release("first"))
    assert (name_of(choice.lora), choice.why, choice.problem) == ("first", "released", None)
    plain = chosen(choosing, "auto", release("none"))
    assert (plain.lora, plain.why) == (None, "released")


def test_a_canary_has_the_number_of_its_release(choosing: Choosing) -> None:
    choice = chosen(choosing, "auto", release("first", "second", 0.25))
    assert choice.canary is not None
    assert (name_of(choice.canary.lora), choice.canary.share, choice.canary.release) == ("second", 0.25, 7)
    plain = chosen(choosing, "auto", release("first", "none", 0.25)).canary
    assert plain is not None
    assert plain.lora is None


def test_without_a_release_what_came_for_exactly_this_base_and_prompt_answers(
    choosing: Choosing, results: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    assert chosen(choosing).why == "nothing"
    write_result(tmp_path / "shipped" / "old", results[0], 3, prompt="ko-of-yesterday")
    assert chosen(choosing).why == "nothing"
    write_result(tmp_path / "shipped" / "starter", results[0], 4)
    choice = chosen(choosing)
    assert (name_of(choice.lora), choice.why) == ("starter", "shipped")
    assert chosen(choosing, "auto", None, (("starter", "licence"),)).why == "nothing"
    assert name_of(chosen(choosing, "auto", release("first")).lora) == "first"


def test_none_is_the_plain_base_whatever_was_released_and_needs_no_base_to_be_read(choosing: Choosing) -> None:
    def unread() -> str:
        raise AssertionError

    choice = replace(choosing, base=unread, setting="none").choose(Released(release("first")))
    assert (choice.lora, choice.why) == (None, "set")


def test_a_name_is_that_one_whatever_was_released(choosing: Choosing) -> None:
    choice = chosen(choosing, "second", release("first", "first", 0.5))
    assert (name_of(choice.lora), choice.why, choice.canary) == ("second", "set", None)


@pytest.mark.parametrize("setting", ["auto", "first"])
@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        ("gone", UnknownLora),
        ("damaged", BrokenLora),
        ("marked", MarkedLora),
        ("deleted", UnknownLora),
        ("base", WrongBase),
    ],
)
def test_what_cannot_be_used_is_named_and_the_plain_base_answers(
    choosing: Choosing, tmp_path: Path, setting: str, spoil: str, problem: type[Exception]
) -> None:
    unusable: tuple[tuple[str, str], ...] = ()
    if spoil == "gone":
        (tmp_path / "loras" / "first").rename(tmp_path / "elsewhere")
    elif spoil == "damaged":
        (tmp_path / "loras" / "first" / "lora.gguf").write_bytes(b"GGUF")
    elif spoil == "base":
        choosing = replace(choosing, base=lambda: "0" * 64)
    else:
        unusable = (("first", "forgotten" if spoil == "marked" else ""),)
    choice = chosen(choosing, setting, release("first"), unusable)
    assert (choice.lora, choice.why) == (None, "unusable")
    assert isinstance(choice.problem, problem)
    assert choice.lacking == (spoil != "marked")  # a mark stays: nothing is to be tried again


def test_a_canary_that_cannot_be_used_does_not_hinder_what_answers(choosing: Choosing) -> None:
    choice = chosen(choosing, "auto", release("first", "gone", 0.5))
    assert (name_of(choice.lora), choice.canary, choice.problem) == ("first", None, None)
    assert isinstance(choice.canary_problem, UnknownLora)


def test_a_conversation_stays_with_one_of_the_two_as_long_as_a_release_lasts() -> None:
    canary = Canary(None, 0.2, release=1)
    drawn = [canary.answers(f"slack:C{n}:1") for n in range(5000)]
    assert drawn == [canary.answers(f"slack:C{n}:1") for n in range(5000)]
    assert 0.17 < sum(drawn) / len(drawn) < 0.23
    again = [replace(canary, release=2).answers(f"slack:C{n}:1") for n in range(5000)]
    assert drawn != again
    assert not any(replace(canary, share=0.0).answers(str(n)) for n in range(100))
    assert all(replace(canary, share=1.0).answers(str(n)) for n in range(100))
