"""The LoRA that comes with Saseo: whole, for the default base and the prompt in use, and made from the examples in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import prompts
from bot.loras.base_weights import BaseWeights
from bot.loras.check import check_lora
from bot.loras.shelf import SHIPPED, LoraShelf, ShelvedLora
from bot.models.catalogue import Catalogue
from bot.models.store import ModelStore, default_root
from bot.settings import Settings
from jobs.tuning.dataset import fingerprint, load_examples, split_by_passage

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 40_000_000


def shipped() -> list[ShelvedLora]:
    return [one for one in LoraShelf(SHIPPED).every() if one.shipped]


def test_one_answers_by_default_with_the_default_base_and_this_prompt() -> None:
    """Who changes the prompt must tune the starter again: it would be passed over in silence."""
    default = Catalogue.load().get(Settings().writer.model)
    assert LoraShelf(Path("none")).shipped_for(default.sha256, prompts.version()) is not None


@pytest.mark.parametrize("lora", shipped(), ids=lambda lora: lora.name)
def test_it_is_whole_small_and_has_a_card_for_people(lora: ShelvedLora) -> None:
    assert LoraShelf(Path("none")).get(lora.name, lora.base_sha256) == lora
    assert (lora.folder / "lora.gguf").stat().st_size <= MOST_BYTES
    card = (lora.folder / "README.md").read_text(encoding="utf-8")
    for section in ("## Made from", "## Command", "## Figures", "## Licence"):
        assert section in card
    assert lora.sha256 in card


def test_the_starter_was_made_from_the_examples_in_the_repository() -> None:
    files = ("starter-a.jsonl", "starter-b.jsonl", "near-misses.jsonl")
    examples = [one for name in files for one in load_examples(ROOT / "examples" / "tuning" / name)]
    card = LoraShelf(SHIPPED).card("starter-1").card
    learnt, held_out = split_by_passage(examples, card["settings"]["held_out_share"], card["seed"])
    for part, seen in (("learnt", learnt), ("held_out", held_out)):
        assert card["examples"][part] == {"count": len(seen), "sha256": fingerprint(seen)}


@pytest.mark.model
@pytest.mark.parametrize("lora", shipped(), ids=lambda lora: lora.name)
def test_it_fits_the_base_it_names(lora: ShelvedLora) -> None:
    base = ModelStore(default_root(), Catalogue.load()).path(lora.base_name)
    check_lora(lora.folder / "lora.gguf", BaseWeights.read(base))
