"""Passages ⇄ `passages.jsonl`, one a line, in the order of all other files' rows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from knowledge.page import Audience, Passage


def write_passages(path: Path, passages: Iterable[Passage]) -> None:
    """Raises OSError."""
    dumps = json.JSONEncoder(ensure_ascii=False).encode
    with path.open("w", encoding="utf-8") as out:
        out.writelines(dumps(_as_json(passage)) + "\n" for passage in passages)


def read_passages(path: Path) -> list[Passage]:
    """Raises OSError, ValueError, KeyError, TypeError."""
    audiences: dict[str, Audience] = {}  # few differ: one object each saves memory and makes comparing them quick
    with path.open(encoding="utf-8") as lines:
        return [_from_json(json.loads(line), audiences) for line in lines]


def read_audiences(path: Path) -> Iterator[tuple[str, str, Audience]]:
    """Source, page and readers of each passage, without keeping its text. Raises OSError, ValueError, KeyError, TypeError."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            yield raw["source"], raw["page"], Audience.from_lists(raw["audience"])


def _as_json(passage: Passage) -> dict[str, Any]:
    return {
        "source": passage.source,
        "page": passage.page,
        "number": passage.number,
        "title": passage.title,
        "heading": list(passage.heading),
        "text": passage.text,
        "url": passage.url,
        "modified": passage.modified.isoformat() if passage.modified else None,
        "audience": passage.audience.as_lists(),
        "page_number": passage.page_number,
        "replaced_by": passage.replaced_by,
    }


def _from_json(raw: dict[str, Any], audiences: dict[str, Audience]) -> Passage:
    written = repr(raw["audience"])
    if written not in audiences:
        audiences[written] = Audience.from_lists(raw["audience"])
    return Passage(
        source=raw["source"],
        page=raw["page"],
        number=raw["number"],
        title=raw["title"],
        heading=tuple(raw["heading"]),
        text=raw["text"],
        url=raw["url"],
        modified=dt.date.fromisoformat(raw["modified"]) if raw["modified"] else None,
        audience=audiences[written],
        page_number=raw["page_number"],
        replaced_by=raw["replaced_by"],
    )
