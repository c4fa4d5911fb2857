"""The console's strings: each is said somewhere, and both languages fill the same places."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from bot.web import texts

ROOM = Path(texts.__file__).resolve().parents[1]
FILES = sorted(path.stem for path in (ROOM / "texts").glob("*.py") if path.stem != "__init__")
SAID = re.compile(r"""["']([a-z][\w.]*)["']""")
BEGUN = re.compile(r"""["']([a-z][\w.]*[._])["']\s*~|\bf["']([a-z][\w.]*[._])\{""")
"""A key whose end is put together where it is said: `t("outcome." ~ row.outcome)`, `f"work.every_{unit}"`."""


def strings() -> Iterator[tuple[str, tuple[str, str]]]:
    for name in FILES:
        yield from import_module(f"bot.web.texts.{name}").STRINGS.items()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", FILES)
def test_every_string_is_said_somewhere(name: str) -> None:
    rooms = [ROOM, ROOM.parents[1] / "adapters" / "web"]
    written = "\n".join(
        path.read_text(encoding="utf-8")
        for room in rooms
        for path in sorted(room.rglob("*"))
        if path.suffix in (".py", ".html") and path.parent.name != "texts"
    )
    said = set(SAID.findall(written))
    begun = {one or other for one, other in BEGUN.findall(written)} - {"conversations."}  # too wide: it would hide any
    begun |= {"ago.", "in."}  # `shown.ago` puts both parts together
    keys = import_module(f"bot.web.texts.{name}").STRINGS
    columns = {"conversations." + key for key in said}
    assert [key for key in keys if key not in said and key not in columns and not key.startswith(tuple(begun))] == []


def test_both_languages_fill_the_same_places() -> None:
    assert [key for key, (ko, en) in strings() if fields(ko) != fields(en)] == []
