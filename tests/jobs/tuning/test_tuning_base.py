"""A GGUF becomes weights to train on: once, whole, and the same weights."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

import gguf as gguf_format
import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from bot.errors import BrokenModel, NotEnoughDisk, TuningNotKept, UntunableBase
from bot.writers.gguf_file import read_file_header
from jobs.tuning import base as base_module
from jobs.tuning.base import load_base, load_gguf, prepare_base
from tests.fakes.tiny_gguf import write_tiny_qwen2


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


class Usage(NamedTuple):
    """Of a disk."""

    free: int


def _never(path: Path) -> Any:
    raise AssertionError("loaded again")


def test_the_weights_are_the_files_own(gguf: Path, tmp_path: Path) -> None:
    from gguf import GGUFReader

    prepared = prepare_base(gguf, tmp_path)
    model = load_base(prepared)
    stored = {tensor.name: np.array(tensor.data) for tensor in GGUFReader(gguf).tensors}
    names = {
        "blk.1.attn_q.weight": "model.layers.1.self_attn.q_proj.weight",
        "blk.0.ffn_down.weight": "model.layers.0.mlp.down_proj.weight",
        "token_embd.weight": "model.embed_tokens.weight",
        "output.weight": "lm_head.weight",
    }
    for inside, name in names.items():
        expected = torch.from_numpy(stored[inside]).to(torch.bfloat16)
        assert torch.equal(model.get_parameter(name).detach(), expected), name
    assert prepared.folder.name == prepared.sha256


def test_it_is_done_once_and_told(gguf: Path, tmp_path: Path) -> None:
    told: list[str] = []
    first = prepare_base(gguf, tmp_path, progress=lambda stage, done, total: told.append(stage))
    assert "convert" in told
    assert prepare_base(gguf, tmp_path, load=_never) == first
    # Another name or place of the same bytes is the same base.
    elsewhere = tmp_path / "copy" / "other.gguf"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(gguf.read_bytes())
    assert prepare_base(elsewhere, tmp_path, load=_never).folder == first.folder
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("harm", ["cut", "no stamp", "no file"])
def test_a_damaged_folder_is_made_again(gguf: Path, tmp_path: Path, harm: str) -> None:
    prepared = prepare_base(gguf, tmp_path)
    weights = next(prepared.folder.glob("*.safetensors"))
    before = weights.read_bytes()
    if harm == "cut":
        weights.write_bytes(before[:-1])
    elif harm == "no file":
        weights.unlink()
    else:
        (tmp_path / f"{prepared.sha256}.json").unlink()
        weights.write_bytes(b"")
    prepare_base(gguf, tmp_path)
    assert weights.read_bytes() == before


def test_a_crash_while_converting_leaves_nothing_to_believe(gguf: Path, tmp_path: Path) -> None:
    class Crash(Exception):
        pass

    class HalfSaved:
        def save_pretrained(self, folder: Path) -> None:
            folder.mkdir()
            (folder / "model.safetensors").write_bytes(b"half")
            raise Crash

    with pytest.raises(Crash):
        prepare_base(gguf, tmp_path, load=lambda path: HalfSaved())
    prepared = prepare_base(gguf, tmp_path)
    assert load_base(prepared).config.model_type == "qwen2"


def test_an_architecture_that_is_not_offered_is_refused(gguf: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf.read_bytes().replace(b"qwen2", b"bloom"))
    with pytest.raises(UntunableBase, match="bloom"):
        prepare_base(other, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.json"))


def test_numbers_that_are_none_are_refused(gguf: Path, tmp_path: Path) -> None:
    header = read_file_header(gguf)
    norm = next(tensor for tensor in header.tensors if tensor.name == "output_norm.weight")
    content = bytearray(gguf.read_bytes())
    struct.pack_into("<f", content, header.data_begins + norm.offset, float("nan"))
    (tmp_path / "nan.gguf").write_bytes(content)
    with pytest.raises(BrokenModel, match="not finite"):
        load_gguf(tmp_path / "nan.gguf")


def test_too_little_room_is_said_before_the_work(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_module.shutil, "disk_usage", lambda path: Usage(1))
    with pytest.raises(NotEnoughDisk):
        prepare_base(gguf, tmp_path, load=_never)


def test_what_is_left_of_a_killed_conversion_does_not_count_against_the_room(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare_base(gguf, tmp_path)
    left = tmp_path / f"{prepared.sha256}.new"
    prepared.folder.rename(left)
    needed = sum(file.stat().st_size for file in left.iterdir()) + (20 << 20)
    monkeypatch.setattr(base_module.shutil, "disk_usage", lambda path: Usage(0 if left.exists() else needed))
    assert prepare_base(gguf, tmp_path) == prepared


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_room_that_is_asked_for_is_what_the_weights_will_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type[np.floating[Any]]
) -> None:
    monkeypatch.setattr(base_module.shutil, "disk_usage", lambda path: Usage(1 << 20))
    with pytest.raises(NotEnoughDisk) as caught:
        prepare_base(_large(tmp_path / "large.gguf", np.dtype(dtype)), tmp_path / "bases", load=_never)
    assert caught.value.details["needed_mb"] == 2 * 8 + 16


def _large(path: Path, dtype: np.dtype[Any]) -> Path:
    """Of 8 Mi numbers, all of them in a hole."""
    writer, size = gguf_format.GGUFWriter(path, "qwen2"), (1 << 23) * dtype.itemsize
    writer.add_tensor_info("token_embd.weight", (1 << 13, 1 << 10), dtype, size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    os.truncate(path, path.stat().st_size + size)
    return path


FULL = "No space left on device"


@pytest.mark.parametrize("refusal", [OSError(errno.ENOSPC, FULL), SafetensorError(f"I/O error: {FULL} (os error 28)")])
def test_a_disk_that_is_full_all_the_same_is_said_and_nothing_half_made_stays(
    gguf: Path, tmp_path: Path, refusal: Exception
) -> None:
    class Full:
        def save_pretrained(self, folder: Path) -> None:
            folder.mkdir()
            (folder / "model.safetensors").write_bytes(b"half")
            raise refusal

    with pytest.raises(TuningNotKept, match=FULL) as caught:
        prepare_base(gguf, tmp_path, load=lambda path: Full())
    assert caught.value.details["path"] == tmp_path
    assert [one for one in tmp_path.iterdir() if one.is_dir()] == []


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"no")
    with pytest.raises(BrokenModel):
        prepare_base(tmp_path / "x.gguf", tmp_path, load=_never)
