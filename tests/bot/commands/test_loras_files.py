"""`saseo loras export` and `import`: from the shelf to files that others read, and back."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.app import main
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.models.hashing import sha256_of
from bot.store import examples, loras, privacy
from bot.store.database import open_store
from bot.writers.gguf_file import read_file_header
from tests.bot.examples.rows import example
from tests.fakes.tiny_gguf import write_tiny_qwen2

NAME = "tiny-20261126-ab12"
MODULE = "model.layers.0.self_attn.q_proj"
Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command of an installation with a tiny model and one LoRA on its shelf; standard output and error."""
    for name in list(os.environ):
        if name.startswith("SASEO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SASEO_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    base = write_tiny_qwen2(tmp_path / "tiny.gguf")
    (tmp_path / "saseo.toml").write_text(f'data_dir = "data"\n[writer]\nmodel = "{base}"\n', encoding="utf-8")
    folder = tmp_path / "data" / "loras" / NAME
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    pair = LoraPair(random.normal(size=(2, 64)), random.normal(size=(64, 2)))
    write_lora(folder / "lora.gguf", BaseWeights.read(base), LoraSettings(2, 4), {MODULE: pair})
    card = {"base": {"name": "tiny", "sha256": sha256_of(base)}, "prompt": "p", "files": {}}
    card["files"] = {"lora.gguf": sha256_of(folder / "lora.gguf")}
    (folder / "lora.json").write_text(json.dumps(card))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*arguments: str | Path, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["saseo", "--config", str(tmp_path / "saseo.toml"), *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        assert left.value.code == code, out + err
        assert "Traceback" not in out + err
        return out, err

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("kind", ["gguf-f16", "gguf-q8_0"])
def test_a_merged_model_is_written_with_its_card(run: Run, tmp_path: Path, kind: str) -> None:
    out, _ = run("loras", "export", NAME, "--format", kind, "--out", tmp_path / "merged.gguf", "--json")
    said = json.loads(out)
    path = tmp_path / "merged.gguf"
    assert said == {
        "lora": NAME,
        "format": kind,
        "path": str(path),
        "bytes": path.stat().st_size,
        "card": str(tmp_path / "merged.lora.json"),
    }
    assert len(read_file_header(path).tensors) == len(read_file_header(tmp_path / "tiny.gguf").tensors)
    assert json.loads((tmp_path / "merged.lora.json").read_text())["base"]["name"] == "tiny"


def test_what_is_exported_for_peft_can_be_imported_again(run: Run, tmp_path: Path) -> None:
    out, _ = run("loras", "export", NAME, "--format", "peft", "--out", tmp_path / "faq")
    assert str(tmp_path / "faq") in out
    assert json.loads(run("loras", "import", tmp_path / "faq", "--json")[0]) == {"lora": NAME}  # the very same bytes
    settings = tmp_path / "faq" / "adapter_config.json"
    settings.write_text(settings.read_text().replace('"lora_alpha": 4', '"lora_alpha": 6'))
    said, _ = run("loras", "import", tmp_path / "faq")
    [name] = {one.name for one in (tmp_path / "data" / "loras").iterdir() if one.is_dir()} - {NAME}
    assert name in said
    assert json.loads((tmp_path / "data" / "loras" / name / "lora.json").read_text())["alpha"] == 6
    listed = json.loads(run("loras", "list", "--json")[0])
    assert {one["name"] for one in listed if not one["shipped"]} == {NAME, name}


def _tells(folder: Path, seen: object) -> None:
    path = folder / "lora.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seen": seen, "held_out": ["e9"]}))


def test_what_saseo_exported_tells_where_it_is_imported_what_it_has_learnt(run: Run, tmp_path: Path) -> None:
    _tells(tmp_path / "data" / "loras" / NAME, {"examples": ["e1", "e2"], "passages": ["0123456789abcdef"]})
    run("loras", "export", NAME, "--format", "peft", "--out", tmp_path / "faq")
    run("loras", "delete", NAME)
    said, _ = run("loras", "import", tmp_path / "faq")
    assert "evaluation_sets" not in said
    [name] = {one["name"] for one in json.loads(run("loras", "list", "--json")[0]) if not one["shipped"]}
    page = json.loads(run("loras", "show", name, "--json")[0])
    assert (page["examples"], page["prompt"]) == (2, "p")  # found again when somebody in them is forgotten here
    assert page["card"]["seen"]["passages"] == ["0123456789abcdef"]
    assert page["card"]["held_out"] == ["e9"]


@pytest.mark.parametrize("why", ["forgotten", "objects"])
def test_what_learnt_from_somebody_who_was_forgotten_or_objects_is_not_taken_in(
    run: Run, tmp_path: Path, why: str
) -> None:
    theirs = example(people=("p1",))
    store = open_store("", tmp_path / "data")
    if why == "forgotten":
        request = store.run_now(privacy.receive, "p1", "forget", now=1.0, days=30)
        store.run_now(privacy.done, request.id, {"examples": [theirs.id]}, now=2.0)
    else:
        store.run_now(examples.add, theirs)
        store.run_now(privacy.suspend, "p1", now=1.0)
    _tells(tmp_path / "data" / "loras" / NAME, {"examples": ["e1", theirs.id], "passages": []})
    run("loras", "export", NAME, "--format", "peft", "--out", tmp_path / "faq")
    run("loras", "delete", NAME)
    _, err = run("loras", "import", tmp_path / "faq", code=1)
    [name] = store.run_now(loras.unusable).keys() - {NAME}
    assert name in err
    assert not (tmp_path / "data" / "loras" / name).exists()
    assert [one for one in json.loads(run("loras", "list", "--json")[0]) if not one["shipped"]] == []
    store.close()


def _trained_on(folder: Path) -> None:
    settings = folder / "adapter_config.json"
    settings.write_text(settings.read_text().replace('"lora_alpha": 4', '"lora_alpha": 6'))


SEEN = {"examples": ["e1"], "passages": []}


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (_trained_on, SEEN),
        (lambda folder: (folder / "lora.json").unlink(), SEEN),
        (lambda folder: (folder / "lora.json").write_text("[" * 100_000), SEEN),
        (lambda folder: None, SEEN | {"examples": "e1"}),
        (lambda folder: None, {"examples": ["e1"]}),
        (lambda folder: None, None),
    ],
    ids=["other weights", "no card", "damaged", "no list", "half", "older"],
)
def test_a_card_that_does_not_tell_of_these_weights_is_not_believed(
    run: Run, tmp_path: Path, spoil: Callable[[Path], object], seen: object
) -> None:
    _tells(tmp_path / "data" / "loras" / NAME, seen)
    run("loras", "export", NAME, "--format", "peft", "--out", tmp_path / "faq")
    run("loras", "delete", NAME)
    spoil(tmp_path / "faq")
    said, _ = run("loras", "import", tmp_path / "faq")
    assert "evaluation_sets" in said
    [name] = {one["name"] for one in json.loads(run("loras", "list", "--json")[0]) if not one["shipped"]}
    page = json.loads(run("loras", "show", name, "--json")[0])
    assert (page["examples"], page["prompt"], "seen" in page["card"]) == (0, "", False)


def test_what_cannot_be_done_is_a_sentence(run: Run, tmp_path: Path) -> None:
    _, err = run("loras", "export", "nobody", "--format", "peft", "--out", tmp_path / "x", code=1)
    assert "nobody" in err
    (tmp_path / "mine").mkdir()
    _, err = run("loras", "export", NAME, "--format", "peft", "--out", tmp_path / "mine", code=1)
    assert "exists" in err
    run("loras", "export", NAME, "--format", "gguf-q4_k_m", "--out", tmp_path / "x", code=2)
    _, err = run("loras", "import", tmp_path / "mine", code=1)
    assert "adapter_config.json" in err
    assert list((tmp_path / "mine").iterdir()) == []
