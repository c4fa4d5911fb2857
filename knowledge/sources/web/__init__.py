"""A web site as a source: a crawl below one address, or the pages of a sitemap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.web.options import WebOptions

if TYPE_CHECKING:
    from knowledge.sources.web.source import WebSource

__all__ = ["KIND", "WebOptions"]


def _open(config: SourceConfig, options: WebOptions) -> WebSource:
    from knowledge.sources.web.source import WebSource

    return WebSource(config, options)


KIND = Kind(WebOptions, _open)
