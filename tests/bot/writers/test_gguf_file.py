"""A base's file is read before llama.cpp sees it: whole ones pass, damaged ones get a sentence, and none costs much."""

from __future__ import annotations

import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.writers.gguf_file import BadGguf, check_gguf, read_file_header
from tests.fakes.tiny_gguf import write_tiny_qwen2


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_the_header_is_what_the_gguf_package_reads(model: Path) -> None:
    import gguf

    header, reader = read_file_header(model), gguf.GGUFReader(model)
    assert {t.name: (t.shape, t.kind, header.data_begins + t.offset) for t in header.tensors} == {
        t.name: (tuple(int(size) for size in t.shape), int(t.tensor_type), t.data_offset) for t in reader.tensors
    }
    assert header.count("qwen2.block_count") == 2
    assert header.number("qwen2.rope.freq_base") == 10000.0
    assert header.text("general.architecture") == "qwen2"
    assert header.number("qwen2.block_count") is header.count("qwen2.rope.freq_base") is None
    at = header.values["qwen2.block_count"].at
    assert struct.unpack_from("<I", model.read_bytes(), at) == (2,)


def head(tensors: int = 0, values: int = 1, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, values)


KEY = struct.pack("<Q", 1) + b"k"
HOSTILE = {
    "nothing": b"",
    "another kind": "모델이 아닙니다".encode(),
    "no more than the name": b"GGUF",
    "version 1": head(version=1) + bytes(100),
    "a million values and more": head(values=1_000_001) + bytes(100),
    "countless tensors": head(tensors=1 << 60, values=0) + bytes(100),
    "an endless key": head() + struct.pack("<Q", 1 << 62),
    "an endless text": head() + KEY + struct.pack("<IQ", 8, 1 << 62),
    "an endless array": head() + KEY + struct.pack("<IIQ", 9, 12, 1 << 60),
    "endlessly many texts": head() + KEY + struct.pack("<IIQ", 9, 8, 1 << 60) + bytes(100),
    "an unknown type": head() + KEY + struct.pack("<I", 77),
    "five dimensions": head(1, 0) + KEY + struct.pack("<I", 5) + bytes(100),
    "an unknown type of numbers": head(1, 0) + KEY + struct.pack("<IQIQ", 1, 1, 256, 0) + bytes(100),
    "numbers beyond the end": head(1, 0) + KEY + struct.pack("<IQIQ", 1, 1, 0, 1 << 50) + bytes(100),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_at_no_cost(tmp_path: Path, case: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(HOSTILE[case])
    tracemalloc.start()
    try:
        with pytest.raises(BadGguf) as caught:
            check_gguf(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()


def test_a_file_cut_off_anywhere_in_its_head_or_before_its_last_tensor_is_refused(model: Path, tmp_path: Path) -> None:
    content, header = model.read_bytes(), read_file_header(model)
    last = header.data_begins + max(tensor.offset for tensor in header.tensors)
    path = tmp_path / "model.gguf"
    for length in [*range(4, header.data_begins, 997), header.data_begins, last]:
        path.write_bytes(content[:length])
        with pytest.raises(BadGguf):
            check_gguf(path)


def test_what_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.gguf", tmp_path):
        with pytest.raises(BadGguf):
            check_gguf(path)


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changed_bytes_give_a_sentence_or_a_header(model: Path, tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(model.read_bytes())
    for at, byte in changes:
        content[at] = byte
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with suppress(BadGguf):  # and nothing else
        assert read_file_header(path).data_begins <= len(content)
