"""The optional cross-encoder: bounded to the best passages, all or none of them within its time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.page import reader_of
from knowledge.rerank import CrossEncoderReranker, reranked
from knowledge.search import SearchIndex


class Reading:
    """Likes texts with a word in them."""

    def __init__(self, word: str, most: int = 3) -> None:
        self.most = most
        self._word = word
        self.read: list[str] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float64] | None:
        self.read = list(texts)
        return np.array([float(self._word in text) for text in texts])


class NoTime(Reading):
    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float64] | None:
        return None


def test_half_and_half_within_the_range_of_the_fused_scores() -> None:
    assert reranked(np.array([0.9, 0.8, 0.5]), np.array([-3.0, 7.0, 2.0])).tolist() == pytest.approx([0.7, 0.85, 0.6])
    assert reranked(np.array([0.5, 0.5]), np.array([1.0, 1.0])).tolist() == [0.5, 0.5]


def test_only_the_best_are_read_and_stay_above_the_rest(index: SearchIndex) -> None:
    question = "연차 신청은 며칠 전까지?"
    plain = index.search(question, reader_of())
    reading = Reading("VPN")
    found = SearchIndex(index.edition, index.analyser, index.embedder, reranker=reading).search(question, reader_of())
    assert reading.read == [hit.passage.indexed_text for hit in plain.hits[:3]]
    assert {hit.number for hit in found.hits[:3]} == {hit.number for hit in plain.hits[:3]}
    assert [hit.number for hit in found.hits[3:]] == [hit.number for hit in plain.hits[3:]]
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)
    assert found.evidence == plain.evidence


def test_without_time_the_order_stays(index: SearchIndex) -> None:
    hurried = SearchIndex(index.edition, index.analyser, index.embedder, reranker=NoTime("연차"))
    assert hurried.search("연차 신청", reader_of()).hits == index.search("연차 신청", reader_of()).hits


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights, as sentence-transformers saves one."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("cross-encoder")
    torch.manual_seed(0)
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "연차", "신청", "출장"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(vocabulary), num_labels=1, max_position_embeddings=64, **size)
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"]
    assert (folder / "model.safetensors").is_file()
    return folder


def test_a_cross_encoder_of_a_local_folder_scores_every_text(tiny: Path) -> None:
    reranker = CrossEncoderReranker(tiny, most=5, seconds=60)
    scores = reranker.scores("연차 신청", ["연차", "출장 신청", "연차 신청", "출장", "신청"])
    assert scores is not None
    assert scores.shape == (5,)
    assert len(set(scores.round(6).tolist())) > 1
    again = reranker.scores("연차 신청", ["연차"])
    assert again is not None
    assert again[0] == pytest.approx(scores[0], abs=1e-5)


def test_beyond_its_time_it_says_nothing(tiny: Path) -> None:
    assert CrossEncoderReranker(tiny, seconds=-1.0).scores("연차", ["연차"]) is None


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((OSError, ValueError)):
        CrossEncoderReranker(tmp_path)
