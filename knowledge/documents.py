"""One file → its parsed document, from the cache when the same bytes were parsed before."""

from __future__ import annotations

import json
from typing import Any

from knowledge.cache import ContentCache, key_of
from knowledge.errors import PageError, PageTooLarge, UnreadablePage
from knowledge.formats import PARSER_VERSION, parse
from knowledge.page import Block, Document, Section
from knowledge.sources.base import SourceFile


def load_document(file: SourceFile, cache: ContentCache, max_file_mb: int) -> tuple[Document, str]:
    """The document and its cache key (which names the bytes and the parser). Raises PageError."""
    if file.size > max_file_mb * 1_000_000:
        raise PageTooLarge(megabytes=file.size / 1_000_000, limit=max_file_mb)
    data = file.read()
    name = f"page{file.suffix}" if file.suffix is not None else file.path
    key = key_of(str(PARSER_VERSION), name.rsplit(".", 1)[-1].lower(), data)
    cached = cache.get("document", [key]).get(key)
    if cached is not None:
        return _from_json(json.loads(cached)), key
    try:
        document = parse(data, name)
    except PageError:
        raise
    except Exception as error:  # a parser's own bug must cost one page, not the run
        raise UnreadablePage(reason=f"{type(error).__name__}") from error
    cache.put("document", {key: json.dumps(_to_json(document), ensure_ascii=False, default=str).encode()})
    return document, key


def _to_json(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "meta": document.meta,
        "sections": [
            {"heading": s.heading, "page_number": s.page_number, "blocks": [[b.text, b.kind] for b in s.blocks]}
            for s in document.sections
        ],
    }


def _from_json(raw: dict[str, Any]) -> Document:
    return Document(
        title=raw["title"],
        meta=raw["meta"],
        sections=tuple(
            Section(tuple(s["heading"]), tuple(Block(text, kind) for text, kind in s["blocks"]), s["page_number"])
            for s in raw["sections"]
        ),
    )
