"""The composition root's part for backups: from settings, store, editions and privacy. Only bot/app.py imports this."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backup.archive import Manifest, opened, verify
from bot.backup.restoring import Restored, RestoreParts, restore
from bot.backup.shelf import FOLDER, BackupShelf, Kept
from bot.backup.writing import BackupParts, Told, Written, write
from bot.privacy.pseudonyms import FILE, VARIABLE, Pseudonyms
from bot.privacy.tombstones import erase_again, reapply
from knowledge.errors import NoEdition

if TYPE_CHECKING:
    from bot.app import Root
    from bot.store.database import Store


class Backups:
    """What `saseo backup`, `saseo restore` and the job `backup` use; see `bot.commands.tools.BackupTools`."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self.folder = root.settings.backups

    def make(
        self, to: Path | None, *, editions: bool | None, by: str, told: Told, store: Store | None = None
    ) -> Written:
        """One at `to`, a file or a folder, or in the folder of the settings. `editions` None: as the settings say."""
        if store is None:
            with self._root.open_store() as opened_now:
                return self.make(to, editions=editions, by=by, told=told, store=opened_now)
        settings = self._root.settings
        folder = self.folder if to is None else to if to.is_dir() else None
        place = BackupShelf(folder).new(time.time()) if folder is not None else to
        wanted = settings.backup.editions if editions is None else editions
        parts = BackupParts(store, settings.data_dir, self._config(), self._named(), self._edition(wanted), time.time)
        return write(parts, place or self.folder, by=by, told=told)

    def nightly(self, store: Store, told: Told) -> dict[str, object]:
        """What the job does: one more, and the oldest go."""
        made = self.make(None, editions=None, by="job:backup", told=told, store=store)
        gone = BackupShelf(self.folder).forget(self._root.settings.backup.keep, time.time())
        if self.folder != self._root.settings.data_dir / FOLDER:  # copies from before an update lie there
            gone += BackupShelf(self._root.settings.data_dir / FOLDER).forget(
                self._root.settings.backup.keep, time.time()
            )
        return {"file": made.path.name, "bytes": made.bytes, "rows": made.manifest.rows, "deleted": len(gone)}

    def every(self) -> list[Kept]:
        """Oldest first."""
        return BackupShelf(self.folder).every()

    def verify(self, path: Path, told: Told) -> Manifest:
        """Compare every checksum."""
        with opened(path, lambda done, total: told("seal", done, total)) as archive:
            verify(archive, lambda done, total: told("check", done, total))
            return archive.manifest

    def restore(
        self, path: Path, to: Path | None, *, by: str, sure: Callable[[Manifest, bool], None], told: Told
    ) -> tuple[Restored, bool]:
        """Into `to`, a data directory with SQLite, or into what the settings say; whether the pseudonyms' key is missing there."""
        settings = self._root.settings
        data_dir = to.absolute() if to is not None else settings.data_dir
        key = bool(os.environ.get(VARIABLE, "").strip()) or (data_dir / FILE).exists()

        def again(store: Store) -> int:
            if key:
                return erase_again(store, data_dir, by=by, now=time.time())
            # No key is made here: the old one is yet to come. Rows have their pseudonyms; only the contacts of open calls cannot be told.
            return len(reapply(store, data_dir, Pseudonyms(secrets.token_bytes(32)), by=by, now=time.time()))

        parts = RestoreParts(
            url="" if to is not None else settings.store.url,
            data_dir=data_dir,
            config=self._config(),
            config_folder=Path.cwd(),
            erase_again=again,
            clock=time.time,
        )
        restored = restore(path, parts, by=by, sure=sure, told=told)
        if to is None and key:  # files that the backup brought back, beside the rows
            with self._root.rights() as rights:
                rights.reapply(by=by)
        return restored, not key

    def _config(self) -> Path | None:
        """The file of settings in use (bot/settings.py)."""
        path = self._root.config or Path("config.toml")
        return path.absolute() if path.is_file() else None

    def _named(self) -> tuple[Path, ...]:
        settings = self._root.settings
        found = [settings.groups_file, settings.catalogue, *settings.tuning.evaluation_sets]
        found += [Path(name) for name in (settings.search.glossary, settings.index.regression_set) if name]
        return tuple(path for path in found if path is not None)

    def _edition(self, wanted: bool) -> Path | None:
        with suppress(NoEdition):
            if wanted:
                shelf = self._root.wiki.shelf
                return shelf.root / shelf.current()
        return None
