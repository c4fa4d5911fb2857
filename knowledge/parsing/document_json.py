"""A document ⇄ JSON: for the parse cache and for the way out of the parsing process.

What comes back is not believed: whoever broke a parser could have written it.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from knowledge.page import Block, BlockKind, Document, Section

_KINDS = frozenset(get_args(BlockKind))


def dumps(document: Document) -> str:
    """Dates of the front matter become text, which `to_page` reads as well."""
    return json.dumps(
        {
            "title": document.title,
            "meta": document.meta,
            "sections": [
                {"heading": s.heading, "page_number": s.page_number, "blocks": [[b.text, b.kind] for b in s.blocks]}
                for s in document.sections
            ],
        },
        ensure_ascii=False,
        default=str,
    )


def loads(text: str | bytes | bytearray) -> Document:
    """The inverse of `dumps`. Raises ValueError if `text` is no document."""
    try:
        raw = json.loads(text)
        title, meta = raw["title"], raw["meta"]
        if not (title is None or isinstance(title, str)) or not isinstance(meta, dict):
            raise ValueError("no document")
        return Document(title=title, meta=meta, sections=tuple(map(_section, raw["sections"])))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no document") from error


def _section(raw: dict[str, Any]) -> Section:
    heading, number = raw["heading"], raw["page_number"]
    if not all(isinstance(part, str) for part in heading) or not (number is None or type(number) is int):
        raise ValueError("no section")
    return Section(tuple(heading), tuple(_block(text, kind) for text, kind in raw["blocks"]), number)


def _block(text: object, kind: Any) -> Block:
    if not isinstance(text, str) or kind not in _KINDS:
        raise ValueError("no block")
    return Block(text, kind)
