"""What is known of what a LoRA has learnt, from the store and from its card."""

from __future__ import annotations

from bot.loras.seen import Seen
from bot.loras.shelf import ShelvedLora
from bot.releases.releases import Releases
from bot.store import loras


def seen_by(releases: Releases, lora: ShelvedLora) -> Seen | None:
    """Without what was held out. None: nobody knows, so it may have learnt anything. Raises StoreError."""
    recorded = frozenset(releases.store.run_now(loras.examples_of, lora.name))
    told = Seen.of_card(lora.card)
    if told is None and not recorded:
        return None
    held_out = frozenset(str(one) for one in lora.card.get("held_out") or ())
    return Seen(
        (recorded - held_out) | (frozenset() if told is None else told.examples),
        frozenset() if told is None else told.passages,
    )
