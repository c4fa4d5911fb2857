"""What a page says to a crawler: its links, its own address, and whether it wants to be found."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from knowledge.sources.web.urls import normal

_LINKS = {"a": "href", "area": "href", "frame": "src", "iframe": "src"}
_MOST_LINKS = 5000
_MOST_BYTES = 5_000_000
_REFRESH = re.compile(r"\s*\d+\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """`links`: normal addresses in the order of the page. `canonical`: the address it wants to be known by.
    `index`: it may be listed. No links where the page asks that none be followed."""

    title: str = ""
    links: tuple[str, ...] = ()
    canonical: str | None = None
    index: bool = True


def facts_of(data: bytes, url: str, robots_header: str, agent: str) -> PageFacts:
    """`robots_header`: X-Robots-Tag, several joined by commas. `agent`: our name, lower case."""
    rules = _rules(robots_header, agent)
    root = _tree(data)
    if root is None:
        return header_facts(robots_header, agent)
    base = url
    title, canonical = "", None
    for tag in root.iter("title", "base", "meta", "link"):
        if tag.tag == "title" and not title:
            title = " ".join("".join(tag.itertext()).split())
        elif tag.tag == "base" and base == url:
            base = normal(tag.get("href") or "", url) or url
        elif tag.tag == "link" and "canonical" in (tag.get("rel") or "").lower().split():
            canonical = canonical or normal(tag.get("href") or "", base)
        elif tag.tag == "meta" and (tag.get("name") or "").strip().lower() in ("robots", agent):
            rules |= _words(tag.get("content") or "")
    follow = "nofollow" not in rules
    links = tuple(dict.fromkeys(islice(_links(root, base), _MOST_LINKS))) if follow else ()
    return PageFacts(title[:300], links, canonical, "noindex" not in rules)


def header_facts(robots_header: str, agent: str) -> PageFacts:
    """Of what is no HTML page."""
    return PageFacts(index="noindex" not in _rules(robots_header, agent))


def _links(root: Any, base: str) -> Iterator[str]:
    for tag in root.iter(*_LINKS, "meta"):
        if tag.tag == "meta":
            refresh = (tag.get("http-equiv") or "").lower() == "refresh"
            found = _REFRESH.match(tag.get("content") or "") if refresh else None
            target = found[1] if found else ""
        elif "nofollow" in (tag.get("rel") or "").lower().split():
            continue
        else:
            target = tag.get(_LINKS[tag.tag]) or ""
        address = normal(target, base) if target and not target.startswith("#") else None
        if address is not None:
            yield address


def _tree(data: bytes) -> Any:
    """The root element; None for what has none. Links are ASCII or percent-encoded in almost all pages, so the parser's own
    idea of the encoding will do."""
    from lxml import etree

    encoding = "utf-8" if data.startswith(codecs.BOM_UTF8) else None
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding=encoding)
    try:
        return etree.fromstring(data.removeprefix(codecs.BOM_UTF8)[:_MOST_BYTES], parser)
    except (etree.LxmlError, ValueError):
        return None


def _rules(header: str, agent: str) -> set[str]:
    """The words of `noindex, otherbot: nofollow` that are meant for us. A name counts for what follows it."""
    rules: set[str] = set()
    for_us = True
    for part in header.lower().split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"):
            for_us = name.strip() == agent
            part = rest  # noqa: PLW2901 - what stands behind the name
        if for_us:
            rules |= _words(part)
    return rules


def _words(content: str) -> set[str]:
    words = {word.strip() for word in content.lower().split(",")}
    return words | {"noindex", "nofollow"} if "none" in words else words
