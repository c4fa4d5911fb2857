"""How likely the base alone finds the preferred and rejected answers: measured once, kept beside the checkpoints of the run.

`reference.safetensors` is one file, renamed into place, with the run's name and its own SHA-256 inside.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

_NAME, _TENSOR = "reference.safetensors", "logprobs"


def keep_reference(folder: Path, run: str, logprobs: torch.Tensor) -> None:
    """`logprobs` (preferences, 3), see `PreferenceTerm`; `run` as in `Checkpoints`."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{_NAME}.new"
    save_file({_TENSOR: logprobs.contiguous()}, fresh, metadata={"run": run, "sha256": _sha256(logprobs)})
    fresh.replace(folder / _NAME)


def kept_reference(folder: Path, run: str) -> torch.Tensor | None:
    """None if there is none of this run that is whole."""
    try:
        with safe_open(folder / _NAME, "pt") as file:
            told = file.metadata() or {}
            logprobs: torch.Tensor = file.get_tensor(_TENSOR)
    except (OSError, SafetensorError):
        return None
    return logprobs if told == {"run": run, "sha256": _sha256(logprobs)} else None


def _sha256(logprobs: torch.Tensor) -> str:
    return hashlib.sha256(logprobs.contiguous().numpy().tobytes()).hexdigest()
