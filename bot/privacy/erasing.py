"""Somebody is erased: from files and rows, and from what learnt from them; with a signed report of what was done.

Whatever breaks off in the middle is completed by asking again: files go before rows, since the rows say what to look for.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bot.errors import LoraError, ModelError, StoreError
from bot.privacy import files
from bot.privacy.holdings import Holdings, Subject
from bot.privacy.pseudonyms import Pseudonyms
from bot.privacy.tombstones import keep_tombstones
from bot.store import asides, audit, forgetting, loras, personal, privacy
from bot.store import jobs as runs
from bot.store.forgetting import Forgotten
from bot.store.personal import Personal

if TYPE_CHECKING:
    from bot.releases.releases import Releases

_log = logging.getLogger(__name__)
LATER = "compacted_at"
"""In a report: when the store was compacted, if that was not possible at once. Not signed."""


def look(connection: Connection, person: str, *, now: float) -> tuple[Personal, Forgotten]:
    """All that rows hold of them, and what of it an erasure would take."""
    theirs = personal.of_person(connection, person)
    return theirs, forgetting.counted(connection, theirs, now=now)


def verify_report(pseudonyms: Pseudonyms, report: Mapping[str, Any]) -> bool:
    """Whether this report was written with this installation's key and is as it was."""
    unsigned = {name: value for name, value in report.items() if name not in ("signature", LATER)}
    return hmac.compare_digest(_signature(pseudonyms, unsigned).encode(), str(report.get("signature", "")).encode())


def _signature(pseudonyms: Pseudonyms, report: Mapping[str, Any]) -> str:
    text = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return pseudonyms.sign(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


class Erasing:
    """Over one installation. Methods raise StoreError."""

    def __init__(
        self,
        held: Holdings,
        releases: Callable[[], AbstractContextManager[Releases]],
        request_days: int,
        clock: Callable[[], float],
    ) -> None:
        """`releases`: opened only when a LoRA has learnt from somebody."""
        self._held = held
        self._store = held.store
        self._data_dir = held.data_dir
        self._releases = releases
        self._days = request_days
        self._clock = clock

    def forget(self, who: Subject, *, by: str) -> dict[str, Any]:
        """The report. Safe to repeat."""
        now = self._clock()
        request = self._store.run_now(privacy.receive, who.name, "forget", now=now, days=self._days)
        theirs, found = self._store.run_now(look, who.name, now=now)
        account = self._held.account(who) is not None
        affected = self._held.loras(found.loras)
        # What was learnt from them stops answering first: killed in between, the same command still knows what is left to do.
        deleted = self._withdraw(found.loras, by=by)
        cleared = self._clear(theirs, who)

        def erase(connection: Connection) -> tuple[Forgotten, list[str]]:
            gone = forgetting.forget(
                connection, who.name, asked_by=by, now=now, raw=who.raw, pseudonym=self._held.pseudonyms.of
            )
            # Once they are gone nothing else tells which they were: killed before the report, it has them all the same.
            return gone, privacy.note_forgotten(connection, request.id, gone.examples)

        gone, forgotten = self._store.run_now(erase)
        keep_tombstones(self._store, self._data_dir)
        after = self._store.run_now(personal.of_person, who.name)
        report: dict[str, Any] = {
            "person": who.name,
            "request": request.id,
            "at": now,
            "known": not theirs.empty or account,
            "account": account,
            "questions": gone.questions,
            "votes": gone.votes,
            "resolutions": gone.resolutions,
            "examples": forgotten,
            "loras": affected,
            "loras_deleted": deleted,
            "others": gone.others,
            "open": gone.open,
            "files": cleared.deleted,
            "files_left": cleared.left,
            "backups": self._held.backups(),
            "before": theirs.digests(),
            "after": {name: digest for name, digest in after.digests().items() if not name.startswith("privacy_")},
            "compacted": self._compact(),
        }
        report["signature"] = _signature(self._held.pseudonyms, report)

        def note(connection: Connection) -> None:
            privacy.done(connection, request.id, report, now=self._clock())
            counts = {name: report[name] for name in ("questions", "votes", "resolutions", "others", "open")}
            told = {**counts, "examples": len(forgotten), "loras": list(found.loras), "report": report["signature"]}
            audit.record(connection, by=by, action="privacy.forget", subject=who.name, detail=told, now=now)

        self._store.run_now(note)
        _log.info(json.dumps({"event": "person_forgotten", "questions": gone.questions, "examples": len(forgotten)}))
        return report

    def complete(self, *, by: str) -> None:
        """What earlier erasures could not do: LoRAs that are still there, or back with a backup, and a store that was too busy."""
        here = [one for one in self._store.run_now(loras.every) if one.deleted_at is None]
        self._withdraw([one.name for one in here if one.marked in forgetting.REASONS], by=by)
        every = self._store.run_now(privacy.requests)
        waiting = [one for one in every if one.report.get("compacted") is False and LATER not in one.report]
        if waiting and self._compact():
            for one in waiting:
                report = {**one.report, LATER: self._clock()}
                self._store.run_now(privacy.done, one.id, report, now=one.done_at or self._clock())

    def _withdraw(self, names: Sequence[str], *, by: str) -> list[str]:
        """Mark these LoRAs, so that they answer no more, and delete their files where that is possible now."""
        if not names:
            return []
        deleted = []
        with self._releases() as releases:
            for name in names:
                # A record without files, or a machine without the model: the mark in the store counts, and the next night tries again.
                with contextlib.suppress(LoraError, ModelError):
                    releases.mark(name, forgetting.REASON, by=by)
                with contextlib.suppress(LoraError, ModelError):  # the setting names it: the next night, or a person
                    releases.delete(name, by=by)
                    deleted.append(name)
        return deleted

    def _clear(self, theirs: Personal, who: Subject) -> files.Cleared:
        every = self._store.run_now(runs.every)
        at_work = [one.id for one in every if one.state == "running" and (one.until or 0.0) > self._clock()]
        cleared = files.clear(self._data_dir, self._held.needles(theirs, who), running=at_work)
        self._clear_asides(who, cleared)
        gone = []
        for row in theirs.tables["exports"]:
            if row["path"].startswith(privacy.DOWNLOADED):
                cleared.left.append(
                    row["path"]
                )  # whoever downloaded it, as the audit says by its hash, is to delete it
                continue
            path = Path(row["path"])
            try:
                same = files.sha256(path) == row["sha256"]
                if same and path.is_relative_to(self._data_dir.resolve()):
                    files.delete(self._data_dir, path, cleared)
                else:
                    cleared.left.append(str(path))  # somebody else's folder: theirs to delete
            except OSError:
                pass  # gone already
            if not path.exists():
                gone.append(row["id"])
        self._store.run_now(privacy.export_gone, gone)
        return cleared

    def _clear_asides(self, who: Subject, cleared: files.Cleared) -> None:
        """All that one restore put aside: its schema on PostgreSQL, and its folders. What tells that somebody is in it goes last."""
        place = (self._data_dir, self._store.file)
        by_files = files.asides_holding(*place, [one.encode() for one in who.names])

        def holding(connection: Connection) -> set[str]:
            every = asides.asides(connection)
            return {asides.folder_of(one) for one in every if asides.holds(connection, one, who.names)}

        by_rows = self._store.run_now(holding)

        def drop(connection: Connection) -> list[str]:
            gone = [one for one in asides.asides(connection) if asides.folder_of(one) in by_files | by_rows]
            for schema in gone:
                asides.drop(connection, schema)
            return gone

        files.clear_asides(*place, by_rows - by_files, cleared)
        cleared.deleted |= dict.fromkeys(self._store.run_now(drop), "")
        files.clear_asides(*place, by_files, cleared)

    def _compact(self) -> bool:
        try:
            self._store.compact()
        except StoreError as error:
            _log.warning(json.dumps({"event": "not_compacted", "reason": str(error)}))
            return False
        return True
