"""A git repository as a source: the files of one branch, read without a checkout."""

from __future__ import annotations

from knowledge.sources.git.options import GitOptions
from knowledge.sources.git.source import GitSource
from knowledge.sources.kinds import Kind, SourceConfig

__all__ = ["KIND", "GitOptions", "GitSource"]


def _open(config: SourceConfig, options: GitOptions) -> GitSource:
    return GitSource(config, options)


KIND = Kind(GitOptions, _open)
