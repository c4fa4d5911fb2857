"""What prompts share is computed once, and nobody can tell from the result."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers.integrations import sdpa_attention

from jobs.tuning.beginning import passes
from jobs.tuning.dataset import Sample
from jobs.tuning.lora import LoraLinear, attach, named_parameters
from jobs.tuning.packing import logits_and_labels, pack
from jobs.tuning.shared_attention import use_shared_attention
from tests.fakes.tiny_torch import TINY, WORDS, samples


def _gptneox() -> Any:
    """As Polyglot-Ko: parallel residual, half of each head rotated, queries, keys and values in one matrix."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, rotary_pct=0.5,
        max_position_embeddings=512, attn_implementation="sdpa", initializer_range=0.2,
    )  # fmt: skip
    return GPTNeoXForCausalLM(config).eval()


def _qwen3() -> Any:
    """Norms on each head, heads wider than width / heads."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, head_dim=16,
        num_key_value_heads=2, max_position_embeddings=512, attn_implementation="sdpa", initializer_range=0.2,
    )  # fmt: skip
    return Qwen3ForCausalLM(config).eval()


EVERY = {**TINY, "gptneox": _gptneox, "qwen3": _qwen3}


def _with_loras(model: Any) -> dict[str, LoraLinear]:
    """On all linear layers of the blocks, whatever they are called; their B not zero, at which A would have no gradient."""
    loras = attach(model, lambda name: ".layers." in name, rank=4, alpha=8, seed=0)
    for lora in loras.values():
        torch.nn.init.normal_(lora.lora_b, std=0.1)
    return loras


def _gradients(model: Any, loras: Any, given: list[Sample], most_tokens: int) -> tuple[float, dict[str, torch.Tensor]]:
    total = 0.0
    for one in pack(given, most_tokens):
        logits, labels = logits_and_labels(model, one)
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        loss.backward()
        total += float(loss.detach())
    parameters = named_parameters(loras)
    gradients = {name: parameter.grad.clone() for name, parameter in parameters.items()}
    for parameter in parameters.values():
        parameter.grad = None
    return total, gradients


@pytest.mark.parametrize("shared_attention", [True, False])
@pytest.mark.parametrize("architecture", EVERY)
def test_loss_and_gradients_are_those_of_separate_passes(architecture: str, shared_attention: bool) -> None:
    model = EVERY[architecture]()
    if shared_attention:
        use_shared_attention(model)
    loras = _with_loras(model)
    given = samples(5)
    apart_loss, apart = _gradients(model, loras, given, most_tokens=1)
    packed_loss, packed = _gradients(model, loras, given, most_tokens=1000)
    assert packed_loss == pytest.approx(apart_loss, rel=1e-5)
    for name, gradient in apart.items():
        assert float(gradient.abs().max()) > 0, name
        torch.testing.assert_close(packed[name], gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("shared_attention", [True, False])
@pytest.mark.parametrize("architecture", EVERY)
def test_a_beginning_that_is_read_once_for_several_passes_changes_nothing(
    architecture: str, shared_attention: bool
) -> None:
    model = EVERY[architecture]()
    if shared_attention:
        use_shared_attention(model)
    loras = _with_loras(model)
    given = samples(7)
    apart_loss, apart = _gradients(model, loras, given, most_tokens=1)
    packs = passes(model, given, 60, contextlib.nullcontext)
    assert len(packs) > 2
    assert sum(len(one.tokens) - 20 for one in packs) == sum(len(sample.tokens) - 1 - 20 for sample in given)
    total = 0.0
    for one in packs:
        assert one.beginning is packs[0].beginning is not None
        logits, labels = logits_and_labels(model, one)
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        loss.backward()
        total += float(loss.detach())
    packs[0].beginning.backward()
    assert total == pytest.approx(apart_loss, rel=1e-5)
    for name, parameter in named_parameters(loras).items():
        torch.testing.assert_close(parameter.grad, apart[name], rtol=1e-3, atol=1e-5)


def test_a_beginning_is_read_before_only_where_that_saves_something() -> None:
    model = TINY["qwen2"]()
    for given, most in ((samples(3), 1000), (samples(3, shared=5), 20), (samples(1), 5)):
        assert [one.beginning for one in passes(model, given, most, contextlib.nullcontext)] == [None] * len(
            pack(given, most)
        )


@pytest.mark.parametrize("shared", [20, 0])
@pytest.mark.parametrize("shared_attention", [True, False])
@pytest.mark.parametrize("architecture", EVERY)
def test_logits_are_the_models_own(architecture: str, shared_attention: bool, shared: int) -> None:
    """Against a plain call of the untouched model, so that a wrong place or label shows."""
    model, untouched = EVERY[architecture](), EVERY[architecture]()
    if shared_attention:
        use_shared_attention(model)
    given = samples(3, shared=shared)
    [together] = pack(given, 1000)
    with torch.inference_mode():
        logits, labels = logits_and_labels(model, together)
        at = 0
        for sample in given:
            plain = untouched(input_ids=torch.tensor([sample.tokens])).logits[0]
            count = len(sample.tokens) - sample.answer_begins
            torch.testing.assert_close(
                logits[at : at + count], plain[sample.answer_begins - 1 : -1], rtol=1e-4, atol=1e-4
            )
            assert labels[at : at + count].tolist() == list(sample.tokens[sample.answer_begins :])
            at += count
    assert at == len(labels)


@pytest.mark.parametrize(("architecture", "masked"), [("qwen2", 0), ("llama", 0), ("gemma3", 1)])
def test_only_layers_with_a_short_window_look_at_the_whole_pack(
    architecture: str, masked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    plain = sdpa_attention.sdpa_attention_forward

    def counted(*given: Any, **named: Any) -> Any:
        looked.append(named["sliding_window"])
        return plain(*given, **named)

    monkeypatch.setattr(sdpa_attention, "sdpa_attention_forward", counted)
    model = EVERY[architecture]()
    use_shared_attention(model)
    [together] = pack(samples(3), 1000)
    with torch.inference_mode():
        logits_and_labels(model, together)
    assert len(looked) == masked


def test_a_pack_is_cut_into_its_beginning_and_its_samples() -> None:
    given = samples(3, shared=20, own=8, answer=5)
    [together] = pack(given, 1000)
    assert together.segments.lengths == (20, *(len(sample.tokens) - 1 - 20 for sample in given))
    assert together.segments.positions == max(len(sample.tokens) for sample in given) - 1


def test_only_tokens_of_answers_carry_loss() -> None:
    model = TINY["qwen2"]()
    given = samples(4)
    for one in pack(given, 1000):
        assert len(one.labels) == sum(len(sample.tokens) - sample.answer_begins for sample in given)
    # Another beginning of the prompt changes what is read, never what is asked for.
    other = [
        Sample(s.id, (*reversed(s.tokens[: s.answer_begins]), *s.tokens[s.answer_begins :]), s.answer_begins)
        for s in given
    ]
    with torch.inference_mode():
        before = torch.cat([logits_and_labels(model, one)[1] for one in pack(given, 1)])
        after = torch.cat([logits_and_labels(model, one)[1] for one in pack(other, 1)])
    assert before.tolist() == after.tolist()


def test_the_shared_beginning_is_there_once() -> None:
    given = samples(4, shared=20)
    [together] = pack(given, 1000)
    assert together.owners.count(0) == 20
    assert len(together.tokens) == 20 + sum(len(sample.tokens) - 1 - 20 for sample in given)


def test_the_bound_on_tokens_is_kept_and_a_longer_sample_goes_alone() -> None:
    given = [*samples(6, shared=10), *samples(1, seed=5, shared=90)]
    packs = pack(given, 60)
    assert sum(len(one.labels) for one in packs) == sum(len(s.tokens) - s.answer_begins for s in given)
    assert [len(one.tokens) for one in packs if len(one.tokens) > 60] == [len(given[-1].tokens) - 1]
    assert packs[-1].alone
    assert len(packs) < len(given)


def test_two_answers_to_the_very_same_prompt() -> None:
    prompt = tuple(range(10, 20))
    [together] = pack([Sample("a", (*prompt, 3, 2), 10), Sample("b", (*prompt, 4, 5, 2), 10)], 100)
    assert together.labels == [3, 2, 4, 5, 2]
    assert [together.tokens[place] for place in together.predicts] == [19, 3, 19, 4, 5]
