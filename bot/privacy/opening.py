"""A store and the key that names people in it, brought together: the first time, and at every start."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from bot.errors import WrongPrivacyKey
from bot.privacy.converting import pseudonymise_once
from bot.privacy.directs import hide_directs_once
from bot.privacy.pseudonyms import Pseudonyms, open_pseudonyms
from bot.store import audit, facts
from bot.store.database import Store

_MARK = "privacy.key"


def pseudonyms_of(store: Store, data_dir: Path) -> Pseudonyms:
    """With the installation's key; rows of before there were pseudonyms are converted. Raises PrivacyKeyUnusable, WrongPrivacyKey."""
    pseudonyms = open_pseudonyms(data_dir)

    def fits(connection: Connection) -> bool:
        known = facts.get(connection, _MARK)
        if known is not None and known != pseudonyms.mark:
            return False
        facts.put(connection, _MARK, pseudonyms.mark)
        pseudonymise_once(connection, pseudonyms.of)
        hide_directs_once(connection, pseudonyms.of)
        return True

    if not store.run_now(fits):
        raise WrongPrivacyKey(where=store.where)
    return pseudonyms


def accept_key(store: Store, data_dir: Path, *, by: str, now: float) -> Pseudonyms:
    """Take the present key, on record, although rows were named by another one: whose those are cannot be told any more.

    Raises PrivacyKeyUnusable.
    """
    pseudonyms = open_pseudonyms(data_dir)

    def accept(connection: Connection) -> None:
        facts.put(connection, _MARK, pseudonyms.mark)
        audit.record(connection, by=by, action="privacy.new_key", now=now)

    store.run_now(accept)
    return pseudonyms
