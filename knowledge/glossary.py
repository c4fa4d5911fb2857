"""The company's own words (`glossary.toml`): names for the same thing, abbreviations, compounds and their parts.

    [[entry]]
    term = "가상사설망"
    aliases = ["VPN", "브이피엔"]
    parts = ["가상", "사설망"]      # optional; else as Kiwi cuts the word
    note = "재택근무 접속"          # optional; for whoever reads the file

A question with one name of an entry is also searched with its other names. Words that Kiwi would cut or not know are
kept whole and are found by their parts, too. The file is a setting of whoever runs Saseo, never text from a page.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge.errors import BadGlossary, UnreadableGlossary
from knowledge.korean import normalise

MOST_ENTRIES, MOST_ALIASES, LONGEST, SHORTEST = 5_000, 20, 40, 2
"""Entries of a file, aliases and parts of an entry, characters of a word."""
_KEYS = frozenset({"term", "aliases", "parts", "note"})
_TABLE = re.compile(r"^\s*\[\[\s*entry\s*\]\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """Names of one thing: `term` and its `aliases`. `parts`: of the term; empty: as Kiwi cuts it."""

    term: str
    aliases: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the term first."""
        return (self.term, *self.aliases)


@dataclass(frozen=True)
class Glossary:
    """All entries of a file, in its order. `Glossary()` changes nothing anywhere."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def words(self) -> Mapping[str, tuple[str, ...]]:
        """Every name as one written word → its parts (empty: as Kiwi cuts it), normalised."""
        found: dict[str, tuple[str, ...]] = {}
        for entry in self.entries:
            for name in entry.names:
                parts = tuple(normalise(part) for part in entry.parts) if name == entry.term else ()
                found.setdefault("".join(normalise(name).split()), parts)
        return found

    @cached_property
    def stamp(self) -> str:
        """What changes the morphemes of a page: part of the analyser's name. Empty for a glossary without entries.

        Which names belong together does not: that is looked up when somebody asks.
        """
        if not self.entries:
            return ""
        return hashlib.sha256(json.dumps(sorted(self.words.items()), ensure_ascii=False).encode()).hexdigest()[:12]


NO_WORDS = Glossary()


def load_glossary(path: Path) -> Glossary:
    """Read and check a glossary. Raises UnreadableGlossary, BadGlossary (which names the line)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "not UTF-8"
        raise UnreadableGlossary(path=path, reason=reason) from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadGlossary(path=path, line=_line_of(str(error)), reason=str(error)) from error
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if _TABLE.match(line)]
    check = _Check(path, lines)
    unknown = sorted(raw.keys() - {"entry"})
    if unknown:
        raise BadGlossary(path=path, line=_line_with(text, unknown[0]), reason=f"unknown key {unknown[0]!r}")
    tables = raw.get("entry", [])
    if not isinstance(tables, list):
        raise BadGlossary(path=path, line=1, reason="entries are written as [[entry]]")
    if len(tables) > MOST_ENTRIES:
        raise BadGlossary(path=path, line=1, reason=f"more than {MOST_ENTRIES} entries")
    return Glossary(tuple(check.entry(number, table) for number, table in enumerate(tables)))


class _Check:
    """Checks entry after entry and remembers which names were taken."""

    def __init__(self, path: Path, lines: list[int]) -> None:
        self._path = path
        self._lines = lines
        self._taken: dict[str, int] = {}

    def entry(self, number: int, table: object) -> Entry:
        if not isinstance(table, dict):
            raise self._bad(number, "an entry is a table")
        unknown = sorted(table.keys() - _KEYS)
        if unknown:
            raise self._bad(number, f"unknown key {unknown[0]!r} (known: {', '.join(sorted(_KEYS))})")
        term = self._word(number, "term", table.get("term"))
        aliases = self._words(number, "aliases", table)
        parts = self._words(number, "parts", table)
        if not isinstance(table.get("note", ""), str):
            raise self._bad(number, "note must be text")
        if parts and "".join(normalise("".join(parts)).split()) != "".join(normalise(term).split()):
            raise self._bad(number, f"parts do not make {term!r} when joined")
        for name in (term, *aliases):
            key = "".join(normalise(name).split())
            if key in self._taken:
                # Also what would make a circle of entries: a name belongs to one entry, so there is nothing to follow.
                raise self._bad(number, f"{name!r} stands already in the entry at line {self._at(self._taken[key])}")
            self._taken[key] = number
        return Entry(term, aliases, parts)

    def _words(self, number: int, key: str, table: Mapping[str, Any]) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or len(value) > MOST_ALIASES:
            raise self._bad(number, f"{key} must be a list of at most {MOST_ALIASES} words")
        least = 1 if key == "parts" else SHORTEST
        return tuple(self._word(number, key, one, least) for one in value)

    def _word(self, number: int, key: str, value: object, least: int = SHORTEST) -> str:
        if not isinstance(value, str) or not any(letter.isalnum() for letter in value):
            raise self._bad(number, f"{key} must be text with letters")
        word = " ".join(value.split())
        if not least <= len(word) <= LONGEST:
            raise self._bad(number, f"{key} {word[:LONGEST]!r} must have {least} to {LONGEST} characters")
        return word

    def _bad(self, number: int, reason: str) -> BadGlossary:
        return BadGlossary(path=self._path, line=self._at(number), reason=reason)

    def _at(self, number: int) -> int:
        return self._lines[number] if number < len(self._lines) else 1


def _line_of(message: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else 1


def _line_with(text: str, key: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), start=1) if key in line), 1)
