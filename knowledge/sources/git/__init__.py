"""A git repository as a source: the files of one branch, read without a checkout."""

from __future__ import annotations

from pathlib import Path

from knowledge.sources.git.options import GitOptions
from knowledge.sources.git.source import GitSource
from knowledge.sources.kinds import Kind, SourceConfig

__all__ = ["KIND", "GitOptions", "GitSource"]


def _open(config: SourceConfig, options: GitOptions) -> GitSource:
    return GitSource(config, options)


def _watched(options: GitOptions) -> Path | None:
    """Where a commit shows: in a clone not the working tree, which changes before."""
    if options.path is None:
        return None
    inside = options.path / ".git"
    return inside if inside.is_dir() else options.path


KIND = Kind(GitOptions, _open, _watched)
