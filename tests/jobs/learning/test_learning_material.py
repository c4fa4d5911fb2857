"""What a LoRA is judged by is nothing that it has learnt."""

from __future__ import annotations

from bot.loras.seen import Seen, fingerprint
from jobs.learning.material import unseen
from jobs.tuning.dataset import Example

LEARNT = Example("a", "연차는 며칠입니까?", ("연차\n연차는 15일입니다.",), "15일입니다 [1].")
BESIDE = Example("b", "연차는 몇 일이죠?", ("연차\n연차는  15일입니다.",), "15일입니다 [1].")
OTHER = Example("c", "VPN은 어디에서 씁니까?", ("VPN\n회사에서만 씁니다.",), "회사에서만 씁니다 [1].")


def _seen(*ids: str, passages: tuple[str, ...] = ()) -> Seen:
    return Seen(frozenset(ids), frozenset(map(fingerprint, passages)))


def test_a_passage_that_was_learnt_is_not_asked_also_when_its_example_was_rejected_since() -> None:
    assert unseen([LEARNT, BESIDE, OTHER], _seen("a")) == [OTHER]
    assert unseen([BESIDE, OTHER], _seen("a"), [LEARNT, BESIDE, OTHER]) == [OTHER]


def test_a_passage_that_only_the_card_tells_of_is_not_asked_either() -> None:
    assert unseen([LEARNT, BESIDE, OTHER], _seen(passages=LEARNT.passages)) == [OTHER]
    assert unseen([LEARNT, OTHER], _seen()) == [LEARNT, OTHER]
