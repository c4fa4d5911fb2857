"""Who was erased does not come back: a file beside the store says so to a backup that is older than the erasure."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from sqlalchemy import Connection

from bot.errors import StoreError
from bot.privacy.opening import pseudonyms_of
from bot.privacy.pseudonyms import Pseudonyms
from bot.store import audit, forgetting, personal, privacy, web_accounts
from bot.store.database import Store
from knowledge.editions.files import write_whole

TOMBSTONES = "privacy.tombstones"
"""In the data directory."""


def read_tombstones(data_dir: Path) -> dict[str, float]:
    """Pseudonym → up to when; nothing where there is no such file."""
    try:
        return {str(name): float(at) for name, at in json.loads((data_dir / TOMBSTONES).read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def keep_tombstones(store: Store, data_dir: Path) -> None:
    """Write who was erased beside the store, together with whom the file names already."""
    known = store.run_now(privacy.buried)
    for person, at in read_tombstones(data_dir).items():
        known[person] = max(at, known.get(person, at))
    data_dir.mkdir(parents=True, exist_ok=True)
    write_whole(data_dir / TOMBSTONES, json.dumps(known, sort_keys=True), 0o600)


def reapply(store: Store, data_dir: Path, pseudonyms: Pseudonyms, *, by: str, now: float) -> list[str]:
    """Erase again, of whom the store or the file beside it says that they were erased, what is older than that. Raises StoreError.

    For who restores a backup: `data_dir`'s file of before the restore is to be there. Idempotent, and one transaction for each of them,
    so that the running service writes in between; broken off in the middle, the next call does the rest.
    """
    from_file = read_tombstones(data_dir)

    def bury(connection: Connection) -> dict[str, float]:
        for person, at in from_file.items():
            privacy.bury(connection, person, now=at)
        return privacy.buried(connection)

    def again(connection: Connection, person: str, at: float) -> bool:
        account = web_accounts.of_person(connection, person, pseudonyms.of, before=at)
        if account is None and personal.of_person(connection, person, before=at).empty:
            return False
        gone = forgetting.forget(connection, person, asked_by=by, now=now, before=at, pseudonym=pseudonyms.of)
        if gone.examples:
            privacy.note_forgotten_again(connection, person, gone.examples, now=now)
        told = {"questions": gone.questions, "votes": gone.votes, "examples": len(gone.examples)}
        audit.record(connection, by=by, action="privacy.reapply", subject=person, detail=told, now=now)
        return True

    buried = store.run_now(bury)
    done = [person for person, at in sorted(buried.items()) if store.run_now(again, person, at)]
    keep_tombstones(store, data_dir)
    if done:
        with contextlib.suppress(StoreError):
            store.compact()
    return done


def erase_again(store: Store, data_dir: Path, *, by: str = "restore", now: float) -> int:
    """`reapply` for who restores a backup into `store`: older rows get their pseudonyms first. How many people were erased again.

    Raises StoreError, PrivacyKeyUnusable, WrongPrivacyKey (the backup was made with another key).
    """
    return len(reapply(store, data_dir, pseudonyms_of(store, data_dir), by=by, now=now))
