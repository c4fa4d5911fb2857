"""Samples → passes through the model, with what they share computed once.

All prompts begin with the same rules and examples (`bot.prompts.prefix`: more than half of a prompt). Within one step the weights do not
change, so the beginning is put in front once and the rest of each sample sees that beginning and itself, but no other sample. Positions
count from the beginning for each. Loss and gradients are those of separate passes (`tests/jobs/tuning/test_tuning_packing.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch.nn import functional

from jobs.tuning.dataset import Sample
from jobs.tuning.shared_attention import Segments


@dataclass(frozen=True, slots=True)
class Pack:
    """One pass. The first three lists have an item for each token, the others for each token of an answer."""

    tokens: list[int]
    positions: list[int]
    owners: list[int]
    """0: the shared beginning; n: the n-th sample."""
    predicts: list[int]
    """Places whose logits are needed: each is followed by a token of an answer."""
    labels: list[int]
    """Those tokens."""
    beginning: Any = None
    """What was read of the shared beginning already (`jobs.tuning.beginning.Beginning`), or None."""

    @property
    def alone(self) -> bool:
        """Whether it is one sample, for which the model's own causal mask is right."""
        return len(set(self.owners) - {0}) == 1

    @property
    def segments(self) -> Segments:
        """Its cut, for `jobs.tuning.shared_attention`."""
        count = Counter(self.owners)
        lengths = (count.pop(0, 0), *(count[owner] for owner in sorted(count)))
        return Segments(lengths, max(self.positions) + 1)

    def allowed(self, window: int | None = None) -> torch.Tensor:
        """Who sees whom, (1, 1, tokens, tokens); `window`: only this many positions back, itself included."""
        owners, positions = torch.tensor(self.owners), torch.tensor(self.positions)
        seen = (owners[None, :] == 0) | (owners[None, :] == owners[:, None])
        seen &= torch.ones(len(owners), len(owners), dtype=torch.bool).tril()
        if window is not None:
            seen &= positions[:, None] - positions[None, :] < window
        return seen[None, None]


def pack(samples: Sequence[Sample], most_tokens: int, shared: int | None = None) -> list[Pack]:
    """In order, as many as fit into `most_tokens` together; one that does not fit even alone goes alone.

    `shared`: take so many tokens as their beginning; None: as many as those of each pack share.
    """
    packs: list[Pack] = []
    together: list[Sample] = []
    for sample in samples:
        if together and _cost([*together, sample], shared) > most_tokens:
            packs.append(_packed(together, shared))
            together = []
        together.append(sample)
    if together:
        packs.append(_packed(together, shared))
    return packs


def logits_and_labels(model: Any, one: Pack) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (answer tokens, vocabulary) and labels. Nothing is computed for the vocabulary at the other places."""
    device = next(model.parameters()).device
    mask: Any = None
    segments = None
    skipped = 0
    if one.beginning is not None:
        skipped = one.owners.count(0)
    if skipped or not one.alone:
        segments = one.segments
        window = getattr(model.config, "sliding_window", None)
        mask = one.allowed()[:, :, skipped:].to(device)
        if "sliding_attention" in (getattr(model.config, "layer_types", None) or ()):
            mask = {"full_attention": mask, "sliding_attention": one.allowed(window)[:, :, skipped:].to(device)}
    logits = model(
        input_ids=torch.tensor([one.tokens[skipped:]], device=device),
        position_ids=torch.tensor([one.positions[skipped:]], device=device),
        attention_mask=mask,
        past_key_values=one.beginning.cache() if skipped else None,
        logits_to_keep=torch.tensor(one.predicts, device=device) - skipped,
        use_cache=bool(skipped),
        segments=segments,
    ).logits
    return logits[0], torch.tensor(one.labels, device=device)


def label_logprobs(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """log of the probability of each label, in nats, float32, (labels,)."""
    return -functional.cross_entropy(logits.float(), labels, reduction="none")


def shared_tokens(samples: Sequence[Sample]) -> int:
    """Tokens that all begin with; each keeps at least the last token of its prompt, which predicts."""
    common = takewhile(lambda column: len(set(column)) == 1, zip(*(sample.tokens for sample in samples), strict=False))
    return min(sum(1 for _ in common), *(sample.answer_begins - 1 for sample in samples))


def _cost(samples: Sequence[Sample], given: int | None) -> int:
    shared = shared_tokens(samples) if given is None else given
    return shared + sum(len(sample.tokens) - shared for sample in samples)


def _packed(samples: Sequence[Sample], given: int | None) -> Pack:
    shared = shared_tokens(samples) if given is None else given
    made = Pack(list(samples[0].tokens[:shared]), list(range(shared)), [0] * shared, [], [])
    for owner, sample in enumerate(samples, start=1):
        begins = len(made.tokens) - shared
        # The last token is only predicted, never read.
        made.tokens.extend(sample.tokens[shared:-1])
        made.positions.extend(range(shared, len(sample.tokens) - 1))
        made.owners.extend([owner] * (len(sample.tokens) - 1 - shared))
        made.predicts.extend(range(begins + sample.answer_begins - 1, begins + len(sample.tokens) - 1))
        made.labels.extend(sample.tokens[sample.answer_begins :])
    return made
