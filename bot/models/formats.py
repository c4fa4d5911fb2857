"""Is this really what it should be? Only headers are looked at; nothing is loaded."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from bot.errors import BrokenModel
from bot.models.catalogue import Format


def check_format(name: str, path: Path, expected: Format) -> None:
    """Raise `BrokenModel` unless `path` looks like the expected kind of model."""
    reason = _gguf(path) if expected == "gguf" else _sentence_transformers(path)
    if reason:
        raise BrokenModel(name=name, reason=reason)


def _gguf(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        return str(error)
    if len(head) < 8 or head[:4] != b"GGUF":
        return "not a GGUF file"
    version = struct.unpack("<I", head[4:])[0]
    return "" if version in {2, 3} else f"GGUF version {version} is not known"


def _sentence_transformers(path: Path) -> str:
    for needed in ("modules.json", "config.json", "tokenizer.json", "model.safetensors"):
        if not (path / needed).is_file():
            return f"{needed} is missing"
    try:
        with (path / "model.safetensors").open("rb") as stream:
            length = struct.unpack("<Q", stream.read(8))[0]
            if length > 100_000_000 or not isinstance(json.loads(stream.read(length)), dict):
                return "model.safetensors has no readable header"
    except (OSError, ValueError, struct.error):
        return "model.safetensors has no readable header"
    return ""
