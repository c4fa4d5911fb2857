"""A GGUF becomes weights to train on: once, whole, and the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bot.errors import BrokenModel, NotEnoughDisk, UntunableBase
from jobs.tuning import base as base_module
from jobs.tuning.base import load_base, load_gguf, prepare_base
from tests.fakes.tiny_gguf import write_tiny_gptneox, write_tiny_qwen2


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


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


def test_an_architecture_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UntunableBase) as caught:
        prepare_base(write_tiny_gptneox(tmp_path / "neox.gguf"), tmp_path / "cache")
    assert "gptneox" in str(caught.value)
    assert not list((tmp_path / "cache").glob("*.json"))


def test_weights_that_are_not_there_or_no_numbers_are_refused(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    real = transformers.AutoModelForCausalLM.from_pretrained

    def with_report(missing: list[str], harm: bool) -> Any:
        def load(*args: Any, **kwargs: Any) -> Any:
            model, report = real(*args, **kwargs)
            if harm:
                model.get_parameter("model.norm.weight").data[0] = float("nan")
            return model, {**report, "missing_keys": set(missing)}

        return load

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", with_report(["model.norm.weight"], False))
    with pytest.raises(UntunableBase, match=r"model\.norm\.weight"):
        load_gguf(gguf)
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", with_report([], True))
    with pytest.raises(BrokenModel, match="not finite"):
        load_gguf(gguf)


def test_too_little_room_is_said_before_the_work(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1})()
    monkeypatch.setattr(base_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(NotEnoughDisk):
        prepare_base(gguf, tmp_path, load=_never)


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"no")
    with pytest.raises(BrokenModel):
        prepare_base(tmp_path / "x.gguf", tmp_path, load=_never)
