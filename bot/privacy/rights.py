"""A person's rights over what is kept of them: a copy, what an erasure would touch, the erasure, no more training, and after a restore.

Everything is on record (bot/store/audit.py) and has a due date (`privacy_requests`). Whatever breaks off in the middle is completed by
asking again: files go before rows, since the rows say what to look for.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bot.errors import BadPerson, CopyNotWritable, LoraError, ModelError, StoreError
from bot.models.stamp import write_atomically
from bot.privacy import files
from bot.privacy.opening import pseudonyms_of
from bot.privacy.pseudonyms import Pseudonyms, is_pseudonym
from bot.store import asides, audit, forgetting, loras, personal, privacy
from bot.store import jobs as runs
from bot.store.database import Store
from bot.store.personal import Personal

if TYPE_CHECKING:
    from bot.releases.releases import Releases

_log = logging.getLogger(__name__)
_PERSON = re.compile(r"[a-z]{1,32}:\S{1,95}|(?:web|terminal):\S(?:[\S ]{0,93}\S)?")
"""Names of accounts may hold blanks (bot/commands/accounts.py)."""
_OWN_IDS = ("slack", "discord")
"""Whose ids are nobody's words: they are looked for in files also without their platform."""
LATER = "compacted_at"
"""In a report: when the store was compacted, if that was not possible at once. Not signed."""
TOMBSTONES = "privacy.tombstones"
"""A file beside the store: what it names does not come back even from a backup that is older than the erasure."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a request is about."""

    name: str
    """As rows name them."""
    raw: str
    """`Person.key`; empty when only the pseudonym was given."""


class Rights:
    """Over one installation. Methods raise StoreError, and BadPerson for what names nobody."""

    def __init__(
        self,
        store: Store,
        pseudonyms: Pseudonyms,
        data_dir: Path,
        releases: Callable[[], AbstractContextManager[Releases]],
        *,
        request_days: int = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`releases`: opened only when a LoRA has learnt from somebody."""
        self._store = store
        self._pseudonyms = pseudonyms
        self._data_dir = data_dir
        self._releases = releases
        self._days = request_days
        self._clock = clock

    def subject(self, person: str) -> Subject:
        """`slack:U0123ABCD`, or a pseudonym. Raises BadPerson."""
        given = person.strip()
        if is_pseudonym(given):
            return Subject(given, "")
        if given.startswith("p:") or not _PERSON.fullmatch(given):  # half a pseudonym must not become somebody new
            raise BadPerson(person=given[:60])
        return Subject(self._pseudonyms.of(given), given)

    # -- looking --------------------------------------------------------------------------------------------------------

    def impact(self, person: str) -> dict[str, Any]:
        """What an erasure would touch, as counts and names; nothing is changed."""
        who = self.subject(person)
        theirs = self._store.run_now(personal.of_person, who.name)
        found = self._store.run_now(forgetting.preview, who.name, now=self._clock())
        return {
            "person": who.name,
            "known": not theirs.empty,
            "questions": found.questions,
            "open": found.open,
            "answers": theirs.count("answers"),
            "traces": theirs.count("traces"),
            "votes": found.votes,
            "votes_of_others": theirs.count("votes_of_others"),
            "resolutions": found.resolutions,
            "examples": list(found.examples),
            "others": found.others,
            "loras": self._loras(found.loras),
            "exports": [row["path"] for row in theirs.tables["exports"]],
            "files": self._files(theirs, who),
            "backups": self._backups(),
        }

    def _loras(self, names: tuple[str, ...]) -> list[dict[str, object]]:
        found = [self._store.run_now(loras.get, name) for name in names]
        return [
            {"name": one.name, "sha256": one.sha256, "usable": one.usable, "deleted": one.deleted_at is not None}
            for one in found
            if one is not None
        ]

    def _files(self, theirs: Personal, who: Subject) -> list[str]:
        wanted = files.needles(theirs.texts() | self._ids(who))
        return [path.relative_to(self._data_dir).as_posix() for path in files.holding(self._data_dir, wanted)]

    def _ids(self, who: Subject) -> set[str]:
        """How files may name them. A name of an account, say `approved`, stands in many files that are not about its owner."""
        platform, _, bare = who.raw.partition(":")
        return {who.raw, bare if platform in _OWN_IDS else ""} - {""}

    def _backups(self) -> list[str]:
        """Made before now: they still hold the person until they expire, and so does what a restore put aside."""
        found = [*(self._data_dir / "backups").glob("[!.]*"), *self._data_dir.glob(files.ASIDE)]
        return sorted(path.relative_to(self._data_dir).as_posix() for path in found)

    # -- a copy ---------------------------------------------------------------------------------------------------------

    def copy(self, person: str) -> dict[str, Any]:
        """Everything that is kept of them, to be read by them."""
        who = self.subject(person)
        theirs = self._store.run_now(personal.of_person, who.name)
        tables = theirs.tables
        given = {row["question"]: row for row in tables["answers"]}
        return {
            "person": who.name,
            "made_at": self._clock(),
            "questions": [
                {
                    "id": row["id"],
                    "platform": row["platform"],
                    "asked_at": row["asked_at"],
                    "text": row["text"],
                    "private": row["private"],
                    "outcome": row["outcome"],
                    "answer": _answer(given.get(row["id"])),
                }
                for row in sorted(tables["questions"], key=lambda row: row["asked_at"])
            ],
            "ways_of_answers": [{"question": row["question"], "way": row["trace"]} for row in tables["traces"]],
            "votes": [
                {name: row[name] for name in ("answer", "direction", "via", "reason", "correction", "voted_at")}
                for row in tables["votes"]
            ],
            "vote_changes": [
                {name: row[name] for name in ("answer", "direction", "via", "at")} for row in tables["vote_changes"]
            ],
            "calls": [
                {
                    "answer": row["answer"],
                    "called": row["called_by"] == who.name,
                    "called_at": row["called_at"],
                    "resolved": row["resolved_by"] == who.name,
                    "resolution": row["resolution"] if row["resolved_by"] == who.name else "",
                }
                for row in tables["escalations"]
            ],
            "examples": [
                {name: row[name] for name in ("id", "kind", "state", "question", "answer", "rejected", "made_at")}
                for row in tables["examples"]
            ],
            "learnt_from_by": sorted({row["lora"] for row in tables["lora_examples"]}),
            "told": [{name: row[name] for name in ("told_at", "suspended_at")} for row in tables["privacy_people"]],
            "requests": [
                {name: row[name] for name in ("id", "kind", "received_at", "due_at", "done_at")}
                for row in tables["privacy_requests"]
            ],
            "on_record": [
                {name: row[name] for name in ("at", "action", "origin")}
                for row in self._store.run_now(personal.on_record, who.name)
            ],
        }

    def export(self, person: str, out: Path | None, *, by: str, origin: str = "") -> dict[str, Any]:
        """Write the copy as a zip for them. Without `out` into `exports` of the data directory. Raises CopyNotWritable."""
        who, now = self.subject(person), self._clock()
        request = self._store.run_now(privacy.receive, who.name, "export", now=now, days=self._days)
        content = self.copy(person)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        path = out or self._data_dir / files.EXPORTS / f"{who.name.removeprefix('p:')[:12]}-{stamp}.zip"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.writestr("saseo.json", json.dumps(content, ensure_ascii=False, indent=1))
            digest = files.sha256(path)
        except OSError as error:
            raise CopyNotWritable(path=path, reason=error.strerror or type(error).__name__) from error
        counts = {name: len(value) for name, value in content.items() if isinstance(value, list)}
        report = {"sha256": digest, **counts}

        def note(connection: Connection) -> None:
            privacy.exported(connection, "privacy", str(path.resolve()), digest, person=who.name, now=now)
            privacy.done(connection, request.id, report, now=now)
            audit.record(
                connection, by=by, action="privacy.export", subject=who.name, detail=report, origin=origin, now=now
            )

        self._store.run_now(note)
        return {"person": who.name, "path": str(path), **report}

    # -- erasing --------------------------------------------------------------------------------------------------------

    def forget(self, person: str, *, by: str, origin: str = "") -> dict[str, Any]:
        """Erase them from rows and files, stop what was learnt from them, and say what was done. Safe to repeat."""
        who, now = self.subject(person), self._clock()
        request = self._store.run_now(privacy.receive, who.name, "forget", now=now, days=self._days)
        theirs = self._store.run_now(personal.of_person, who.name)
        learnt = self._store.run_now(forgetting.preview, who.name, now=now).loras
        affected = self._loras(learnt)
        # What was learnt from them stops answering first: killed in between, the same command still knows what is left to do.
        deleted = self._withdraw(learnt, by=by)
        cleared = self._clear(theirs, who)
        gone = self._store.run_now(
            forgetting.forget,
            who.name,
            asked_by=by,
            now=now,
            raw=who.raw,
            pseudonym=self._pseudonyms.of,
        )
        self._keep_tombstones()
        after = self._store.run_now(personal.of_person, who.name)
        report: dict[str, Any] = {
            "person": who.name,
            "request": request.id,
            "at": now,
            "known": not theirs.empty,
            "questions": gone.questions,
            "votes": gone.votes,
            "resolutions": gone.resolutions,
            "examples": list(gone.examples),
            "loras": affected,
            "loras_deleted": deleted,
            "others": gone.others,
            "open": gone.open,
            "files": cleared.deleted,
            "files_left": cleared.left,
            "backups": self._backups(),
            "before": theirs.digests(),
            "after": {name: digest for name, digest in after.digests().items() if not name.startswith("privacy_")},
            "compacted": self._compact(),
        }
        report["signature"] = self._signature(report)

        def note(connection: Connection) -> None:
            privacy.done(connection, request.id, report, now=self._clock())
            counts = {name: report[name] for name in ("questions", "votes", "resolutions", "others", "open")}
            told = {**counts, "examples": len(gone.examples), "loras": list(learnt), "report": report["signature"]}
            audit.record(
                connection, by=by, action="privacy.forget", subject=who.name, detail=told, origin=origin, now=now
            )

        self._store.run_now(note)
        _log.info(
            json.dumps({"event": "person_forgotten", "questions": gone.questions, "examples": len(gone.examples)})
        )
        return report

    def verify_report(self, report: Mapping[str, Any]) -> bool:
        """Whether this report was written here and is as it was."""
        unsigned = {name: value for name, value in report.items() if name not in ("signature", LATER)}
        return hmac.compare_digest(self._signature(unsigned), str(report.get("signature", "")))

    def _signature(self, report: Mapping[str, Any]) -> str:
        text = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return self._pseudonyms.sign(hashlib.sha256(text.encode()).hexdigest())

    def _withdraw(self, names: tuple[str, ...], *, by: str) -> list[str]:
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
        cleared = files.clear(self._data_dir, files.needles(theirs.texts() | self._ids(who)), running=at_work)
        named = {who.name, who.raw} - {""}
        files.clear_aside(self._data_dir, [one.encode() for one in named], cleared)

        def drop_asides(connection: Connection) -> list[str]:
            gone = [schema for schema in asides.asides(connection) if asides.holds(connection, schema, named)]
            for schema in gone:
                asides.drop(connection, schema)
            return gone

        cleared.deleted |= dict.fromkeys(self._store.run_now(drop_asides), "")
        for row in theirs.tables["exports"]:
            path = Path(row["path"])
            try:
                same = files.sha256(path) == row["sha256"]
            except OSError:
                continue  # gone already
            if same and path.is_relative_to(self._data_dir.resolve()):
                files.delete(self._data_dir.resolve(), path, cleared)
            else:
                cleared.left.append(str(path))  # somebody else's folder: theirs to delete
        return cleared

    def _compact(self) -> bool:
        try:
            self._store.compact()
        except StoreError as error:
            _log.warning(json.dumps({"event": "not_compacted", "reason": str(error)}))
            return False
        return True

    # -- training -------------------------------------------------------------------------------------------------------

    def suspend(self, person: str, *, by: str, origin: str = "") -> bool:
        """Learn nothing from them any more; False: that was so already."""
        return self._wish(person, "suspend", by=by, origin=origin)

    def resume(self, person: str, *, by: str, origin: str = "") -> bool:
        """Learn from them again; False: that was so already."""
        return self._wish(person, "resume", by=by, origin=origin)

    def _wish(self, person: str, kind: privacy.Kind, *, by: str, origin: str) -> bool:
        who, now = self.subject(person), self._clock()

        def do(connection: Connection) -> bool:
            change = (
                privacy.suspend(connection, who.name, now=now)
                if kind == "suspend"
                else privacy.resume(connection, who.name)
            )
            request = privacy.receive(connection, who.name, kind, now=now, days=self._days)
            privacy.done(connection, request.id, {"changed": change}, now=now)
            audit.record(connection, by=by, action=f"privacy.{kind}", subject=who.name, origin=origin, now=now)
            return change

        return self._store.run_now(do)

    # -- requests and restores ------------------------------------------------------------------------------------------

    def receive(self, person: str, kind: privacy.Kind, *, by: str, origin: str = "") -> privacy.Request:
        """Write down that somebody asked for something, to be done until it is due."""
        who, now = self.subject(person), self._clock()

        def note(connection: Connection) -> privacy.Request:
            request = privacy.receive(connection, who.name, kind, now=now, days=self._days)
            audit.record(
                connection,
                by=by,
                action="privacy.request",
                subject=who.name,
                detail={"kind": kind},
                origin=origin,
                now=now,
            )
            return request

        return self._store.run_now(note)

    def reapply(self, *, by: str = "restore") -> list[str]:
        """Erase again whoever was erased since the restored backup was made; their pseudonyms. Call it after a restore, and each night."""
        done = reapply(self._store, self._data_dir, self._pseudonyms, by=by, now=self._clock())
        # The backup may have brought a LoRA back as what answers; and one that could not be deleted then may be deleted now.
        here = [one for one in self._store.run_now(loras.every) if one.deleted_at is None]
        self._withdraw(tuple(one.name for one in here if one.marked == forgetting.REASON), by=by)
        self._compact_later()
        return done

    def _compact_later(self) -> None:
        """An erasure whose store could not be compacted, say because it was busy, is completed."""
        every = self._store.run_now(privacy.requests)
        waiting = [one for one in every if one.report.get("compacted") is False and LATER not in one.report]
        if waiting and self._compact():
            for one in waiting:
                report = {**one.report, LATER: self._clock()}
                self._store.run_now(privacy.done, one.id, report, now=one.done_at or self._clock())

    def _keep_tombstones(self) -> None:
        keep_tombstones(self._store, self._data_dir)


def erase_again(store: Store, data_dir: Path, *, by: str = "restore", now: float) -> int:
    """`reapply` for who restores a backup into `store`: older rows get their pseudonyms first. How many people were erased again.

    Raises StoreError, PrivacyKeyUnusable, WrongPrivacyKey (the backup was made with another key).
    """
    return len(reapply(store, data_dir, pseudonyms_of(store, data_dir), by=by, now=now))


def keep_tombstones(store: Store, data_dir: Path) -> None:
    """Write who was erased beside the store, together with whom the file names already."""
    known = store.run_now(privacy.buried)
    for person, at in read_tombstones(data_dir).items():
        known[person] = max(at, known.get(person, at))
    data_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(data_dir / TOMBSTONES, json.dumps(known, sort_keys=True))
    (data_dir / TOMBSTONES).chmod(0o600)


def read_tombstones(data_dir: Path) -> dict[str, float]:
    """Pseudonym → up to when; nothing where there is no such file."""
    try:
        return {str(name): float(at) for name, at in json.loads((data_dir / TOMBSTONES).read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def reapply(store: Store, data_dir: Path, pseudonyms: Pseudonyms, *, by: str, now: float) -> list[str]:
    """Erase again, of whom the store or the file beside it says that they were erased, what is older than that. Raises StoreError.

    For who restores a backup: `data_dir`'s file of before the restore is to be there. Idempotent.
    """
    from_file = read_tombstones(data_dir)

    def again(connection: Connection) -> list[str]:
        for person, at in from_file.items():
            privacy.bury(connection, person, now=at)
        done = []
        for person, at in sorted(privacy.buried(connection).items()):
            if personal.of_person(connection, person, before=at).empty:
                continue
            gone = forgetting.forget(connection, person, asked_by=by, now=now, before=at, pseudonym=pseudonyms.of)
            audit.record(
                connection,
                by=by,
                action="privacy.reapply",
                subject=person,
                detail={"questions": gone.questions, "votes": gone.votes, "examples": len(gone.examples)},
                now=now,
            )
            done.append(person)
        return done

    done = store.run_now(again)
    keep_tombstones(store, data_dir)
    if done:
        with contextlib.suppress(StoreError):
            store.compact()
    return done


def _answer(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    answer = row["answer"]
    return {
        "id": row["id"],
        "answered_at": row["answered_at"],
        "text": answer.get("text", ""),
        "searched_as": answer.get("condensed", ""),
        "sources": [{"title": one.get("title"), "page": one.get("page")} for one in answer.get("citations", [])],
        "model": row["model"],
        "lora": row["lora"],
    }
