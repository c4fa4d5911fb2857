"""What torch says with a LoRA, for a server to be compared with."""

from __future__ import annotations

import pytest
import torch

from jobs.tuning.parity import parity
from tests.fakes.tiny_torch import TINY, samples, with_loras


@pytest.mark.parametrize("architecture", TINY)
def test_every_answer_token_has_its_logprob_and_the_likeliest_token_of_a_plain_pass(architecture: str) -> None:
    model = TINY[architecture]()
    for lora in with_loras(model).values():
        torch.nn.init.normal_(lora.lora_b, std=0.3)
    given = samples(3)
    rows = parity(model, given, "fp32")
    assert [row["id"] for row in rows] == [sample.id for sample in given]
    for row, sample in zip(rows, given, strict=True):
        assert row["tokens"] == list(sample.tokens)
        assert row["answer_begins"] == sample.answer_begins
        with torch.inference_mode():
            plain = model(input_ids=torch.tensor([sample.tokens])).logits[0].log_softmax(-1)
        places = range(sample.answer_begins, len(sample.tokens))
        assert row["label_logprobs"] == pytest.approx([float(plain[p - 1, sample.tokens[p]]) for p in places], abs=1e-4)
        assert row["top1"] == [int(plain[p - 1].argmax()) for p in places]
