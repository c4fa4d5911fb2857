"""A web site as a source: a crawl below one address, or the pages of a sitemap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.web.options import WebOptions

if TYPE_CHECKING:
    from knowledge.sources.web.source import WebSource

__all__ = ["KIND", "WebOptions"]


def _open(config: SourceConfig, options: WebOptions) -> WebSource:
    from knowledge.sources.web.source import WebSource

    return WebSource(config, options)


def _glance(options: WebOptions) -> WebOptions:
    """The start page alone."""
    return replace(options, sitemap="", max_pages=1, max_depth=0, max_minutes=1.0)


KIND = Kind(WebOptions, _open, glance=_glance)
