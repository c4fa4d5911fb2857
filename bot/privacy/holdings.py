"""Where an installation may hold somebody outside the rows that name them: LoRAs that learnt from them, files, backups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.backup.shelf import FOLDER
from bot.errors import BadPerson
from bot.privacy import files
from bot.privacy.pseudonyms import Pseudonyms, is_pseudonym
from bot.store import asides, loras, web_accounts
from bot.store.database import Store
from bot.store.personal import Personal
from bot.store.web_accounts import Account

_PERSON = re.compile(r"[a-z]{1,32}:\S{1,95}|(?:web|terminal):\S(?:[\S ]{0,93}\S)?")
"""Names of accounts may hold blanks (bot/commands/accounts.py)."""
_OWN_IDS = ("slack", "discord")
"""Whose ids are nobody's words: they are looked for in files also without their platform."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a request is about."""

    name: str
    """As rows name them."""
    raw: str
    """`Person.key`; empty when only the pseudonym was given, unless it is that of an account of the console."""

    @property
    def names(self) -> set[str]:
        """Both, as far as they are known."""
        return {self.name, self.raw} - {""}

    @property
    def ids(self) -> set[str]:
        """How files may name them. A name of an account, say `approved`, stands in many files that are not about its owner."""
        platform, _, bare = self.raw.partition(":")
        return {self.raw, bare if platform in _OWN_IDS else ""} - {""}


@dataclass(frozen=True, slots=True)
class Holdings:
    """Of one installation. Methods raise StoreError."""

    store: Store
    pseudonyms: Pseudonyms
    data_dir: Path
    backups_folder: Path
    """Of the settings, which may lie anywhere; older ones may lie in the data directory all the same."""

    def subject(self, person: str) -> Subject:
        """`slack:U0123ABCD`, or a pseudonym. Raises BadPerson."""
        given = person.strip()
        if is_pseudonym(given):
            account = self.store.run_now(web_accounts.of_person, given, self.pseudonyms.of)
            return Subject(given, f"web:{account.name}" if account is not None else "")
        if given.startswith("p:") or not _PERSON.fullmatch(given):  # half a pseudonym must not become somebody new
            raise BadPerson(person=given[:60])
        return Subject(self.pseudonyms.of(given), given)

    def account(self, who: Subject) -> Account | None:
        """Theirs in the console."""
        return self.store.run_now(web_accounts.of_person, who.name, self.pseudonyms.of)

    def loras(self, names: Sequence[str]) -> list[dict[str, object]]:
        """For reports."""
        found = [self.store.run_now(loras.get, name) for name in names]
        return [
            {"name": one.name, "sha256": one.sha256, "usable": one.usable, "deleted": one.deleted_at is not None}
            for one in found
            if one is not None
        ]

    def files(self, theirs: Personal, who: Subject) -> list[str]:
        """That hold words of theirs, or name them."""
        return [files.shown(self.data_dir, path) for path in files.holding(self.data_dir, self.needles(theirs, who))]

    def needles(self, theirs: Personal, who: Subject) -> tuple[bytes, ...]:
        """What files are searched for."""
        return files.needles(theirs.texts() | who.ids)

    def backups(self) -> list[str]:
        """Made before now: they still hold the person until they expire, and so does what a restore put aside."""
        found = files.asides(self.data_dir, self.store.file)
        for folder in {self.data_dir.resolve() / FOLDER, self.backups_folder.resolve()}:
            found += folder.glob("[!.]*")
        schemas = [f"schema {name}" for name in self.store.run_now(asides.asides)]
        return sorted([*(files.shown(self.data_dir, path) for path in found), *schemas])
