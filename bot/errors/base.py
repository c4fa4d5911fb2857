"""The base of every error of the core."""

from __future__ import annotations

from knowledge.errors import ExplainedError


class SaseoError(ExplainedError):
    """Base of every error of the core."""
