"""A sitemap (sitemaps.org 0.9): XML, plain text, compressed or not, and files of sitemaps → addresses of pages."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from knowledge.sources.web.client import Unanswered, Wanted, WebClient
from knowledge.sources.web.urls import normal

_MOST_BYTES = 20_000_000
MOST_FILES = 100
"""Files of one sitemap that are read."""
_MOST_SKIPPED = 1000
"""So many that are not are remembered: a file of 20 MB may name very many."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """`days`: normal address → day of its last change. `whole`: False if more addresses were wanted than asked for.
    `skipped`: files that it names and that were not read, because they are too many or lie elsewhere."""

    days: dict[str, dt.date | None]
    whole: bool
    skipped: tuple[str, ...] = ()


def read_sitemap(
    client: WebClient, url: str, most: int, wanted: Callable[[str], bool], near: Callable[[str], bool]
) -> Sitemap:
    """What the sitemap at `url` says of at most `most` addresses that are `wanted`. Files that it names are read only where
    `near` admits their addresses; neither is a redirect followed elsewhere.

    Raises Unanswered if a file cannot be had or is no sitemap.
    """
    days: dict[str, dt.date | None] = {}
    files, seen, skipped = [url], {url}, dict[str, None]()
    while files:
        for kind, address, day in _entries(_content(client, files.pop(0), near), url):
            if kind == "sitemap" and address not in seen:
                if len(seen) == MOST_FILES or not near(address):
                    if len(skipped) < _MOST_SKIPPED:
                        skipped[address] = None
                    continue
                seen.add(address)
                files.append(address)
            elif kind == "url" and address not in days and wanted(address):
                if len(days) == most:
                    return Sitemap(days, whole=False, skipped=tuple(skipped))
                days[address] = day
    return Sitemap(days, whole=True, skipped=tuple(skipped))


def _content(client: WebClient, url: str, near: Callable[[str], bool]) -> bytes:
    answer = client.get(url, Wanted(_MOST_BYTES, near))
    if answer.leads_to is not None:
        raise Unanswered(f"sitemap {url}: leads to another site, {answer.leads_to[:200]}")
    if answer.body is None:
        raise Unanswered(f"sitemap {url}: {answer.phrase}")
    if not answer.body.startswith(b"\x1f\x8b"):
        return answer.body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(answer.body)) as packed:
            content = packed.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unanswered(f"sitemap {url}: damaged", passing=False) from error
    if len(content) > _MOST_BYTES:
        raise Unanswered(f"sitemap {url}: too large", passing=False)
    return content


def _entries(content: bytes, url: str) -> list[tuple[str, str, dt.date | None]]:
    """`url` or `sitemap`, address, day."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = content.decode("utf-8-sig", "replace").splitlines()
        return [("url", address, None) for line in lines if (address := normal(line, url)) and "://" in line]
    entries = []
    for element in _tree(content, url):
        kind = _name(element)
        fields = {_name(child): (child.text or "").strip() for child in element}
        address = normal(fields.get("loc", "")) if kind in ("url", "sitemap") else None
        if address is not None:
            entries.append((kind, address, _day(fields.get("lastmod", ""))))
    return entries


def _tree(content: bytes, url: str) -> Any:
    from lxml import etree

    # Entities are neither expanded nor fetched: no billion laughs, no files of this machine.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unanswered(f"sitemap {url}: not valid XML", passing=False) from error


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
