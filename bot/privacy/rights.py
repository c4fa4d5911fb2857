"""A person's rights over what is kept of them: a copy, what an erasure would touch, the erasure, no more training, and after a restore.

Everything is on record (bot/store/audit.py) and has a due date (`privacy_requests`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bot.backup.shelf import FOLDER
from bot.privacy import copying, erasing, files
from bot.privacy.erasing import Erasing
from bot.privacy.holdings import Holdings, Subject
from bot.privacy.pseudonyms import Pseudonyms
from bot.privacy.tombstones import reapply
from bot.store import audit, personal, privacy, web_accounts
from bot.store.database import Store

if TYPE_CHECKING:
    from bot.releases.releases import Releases


class Rights:
    """Over one installation. Methods raise StoreError, and BadPerson for what names nobody."""

    def __init__(
        self,
        store: Store,
        pseudonyms: Pseudonyms,
        data_dir: Path,
        releases: Callable[[], AbstractContextManager[Releases]],
        *,
        backups: Path | None = None,
        request_days: int = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`releases`: opened only when a LoRA has learnt from somebody. `backups`: their folder, if it is not the data directory's."""
        self._store = store
        self._pseudonyms = pseudonyms
        self._data_dir = data_dir
        self._held = Holdings(store, pseudonyms, data_dir, backups or data_dir / FOLDER)
        self._erasing = Erasing(self._held, releases, request_days, clock)
        self._days = request_days
        self._clock = clock

    def subject(self, person: str) -> Subject:
        """`slack:U0123ABCD`, or a pseudonym. Raises BadPerson."""
        return self._held.subject(person)

    def impact(self, person: str) -> dict[str, Any]:
        """What an erasure would touch, as counts and names; nothing is changed."""
        who = self.subject(person)
        theirs, found = self._store.run_now(erasing.look, who.name, now=self._clock())
        account = self._held.account(who) is not None
        return {
            "person": who.name,
            "known": not theirs.empty or account,
            "account": account,
            "questions": found.questions,
            "open": found.open,
            "answers": theirs.count("answers"),
            "traces": theirs.count("traces"),
            "votes": found.votes,
            "votes_of_others": theirs.count("votes_of_others"),
            "resolutions": found.resolutions,
            "examples": list(found.examples),
            "others": found.others,
            "loras": self._held.loras(found.loras),
            "exports": [row["path"] for row in theirs.tables["exports"]],
            "files": self._held.files(theirs, who),
            "backups": self._held.backups(),
        }

    def copy(self, person: str) -> dict[str, Any]:
        """Everything that is kept of them, to be read by them."""
        who = self.subject(person)

        def read(connection: Connection) -> dict[str, Any]:
            theirs = personal.of_person(connection, who.name)
            account = web_accounts.of_person(connection, who.name, self._pseudonyms.of)
            on_record = personal.on_record(connection, who.names, account.name if account is not None else "")
            return copying.content(theirs, account, on_record, self._clock())

        return self._store.run_now(read)

    def export(self, person: str, out: Path | None, *, by: str) -> dict[str, Any]:
        """Write the copy as a zip for them. Without `out` into `exports` of the data directory. Raises CopyNotWritable."""
        who, now = self.subject(person), self._clock()
        request = self._store.run_now(privacy.receive, who.name, "export", now=now, days=self._days)
        content = self.copy(person)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        path = out or self._data_dir / files.EXPORTS / f"{who.name.removeprefix('p:')[:12]}-{stamp}.zip"
        digest = copying.pack(path, content)
        counts = {name: len(value) for name, value in content.items() if isinstance(value, list)}
        report = {"sha256": digest, **counts}

        def note(connection: Connection) -> None:
            privacy.exported(connection, "privacy", str(path.resolve()), digest, person=who.name, now=now)
            privacy.done(connection, request.id, report, now=now)
            audit.record(connection, by=by, action="privacy.export", subject=who.name, detail=report, now=now)

        self._store.run_now(note)
        return {"person": who.name, "path": str(path), **report}

    def forget(self, person: str, *, by: str) -> dict[str, Any]:
        """Erase them from rows and files, stop what was learnt from them, and say what was done. Safe to repeat."""
        return self._erasing.forget(self.subject(person), by=by)

    def verify_report(self, report: Mapping[str, Any]) -> bool:
        """Whether this report of an erasure was written here and is as it was."""
        return erasing.verify_report(self._pseudonyms, report)

    def suspend(self, person: str, *, by: str) -> bool:
        """Learn nothing from them any more; False: that was so already."""
        return self._wish(person, "suspend", by)

    def resume(self, person: str, *, by: str) -> bool:
        """Learn from them again; False: that was so already."""
        return self._wish(person, "resume", by)

    def _wish(self, person: str, wished: privacy.Wish, by: str) -> bool:
        name = self.subject(person).name
        return self._store.run_now(privacy.wish, name, wished, by=by, now=self._clock(), days=self._days)

    def receive(self, person: str, kind: privacy.Kind, *, by: str) -> privacy.Request:
        """Write down that somebody asked for something, to be done until it is due."""
        who, now = self.subject(person), self._clock()

        def note(connection: Connection) -> privacy.Request:
            request = privacy.receive(connection, who.name, kind, now=now, days=self._days)
            detail = {"kind": kind}
            audit.record(connection, by=by, action="privacy.request", subject=who.name, detail=detail, now=now)
            return request

        return self._store.run_now(note)

    def reapply(self, *, by: str = "restore") -> list[str]:
        """Erase again whoever was erased since the restored backup was made; their pseudonyms. Call it after a restore, and each night."""
        done = reapply(self._store, self._data_dir, self._pseudonyms, by=by, now=self._clock())
        self._erasing.complete(by=by)
        return done
