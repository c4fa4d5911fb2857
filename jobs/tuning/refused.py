"""What a disk refuses while a LoRA is made, as the error that keeps what was made before. No torch."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError

from bot.errors import TuningNotKept

REFUSALS = (OSError, SafetensorError)
"""safetensors has its own error for a full disk."""


def not_kept(error: OSError | SafetensorError, near: Path) -> TuningNotKept:
    """`near`: named where the error names no file itself."""
    path, reason = getattr(error, "filename", None) or near, getattr(error, "strerror", None) or str(error)
    return TuningNotKept(path=path, reason=reason[:200] or type(error).__name__)
