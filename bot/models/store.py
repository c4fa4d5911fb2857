"""The model cache folder: one copy of each model for every data directory of the machine.

    <root>/<name>.gguf, or the folder <root>/<name>/     the model, complete and verified
    <root>/<name>.json                                   its stamp
    <root>/.work/<name>/<place>/                         what an interrupted pull left, to be continued
    <root>/.work/<name>.lock                             only one process fetches a model

A model appears under its name only after its SHA-256 was right, by one rename. Nothing half-done is ever visible.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BrokenModel, DownloadFailed, InvalidSetting, ModelMissing, NotEnoughDisk, WrongChecksum
from bot.models.catalogue import Catalogue, Model, Role
from bot.models.formats import check_format
from bot.models.hashing import Progress, files_of, sha256_of, silent
from bot.models.places import AnyPlace, Fetcher, Job, PlaceFailed, fetcher_for
from bot.models.places.job import is_disk_full
from bot.models.stamp import Stamp

_LOCAL = "local:"
_NOT_RECORDED = "not recorded"
_WANTED: dict[Role, str] = {"writer": "not a .gguf file", "embedder": "not a sentence-transformers folder"}


@dataclass(frozen=True)
class ModelState:
    """One line of `saseo models list`."""

    model: Model
    present: bool
    path: Path
    sha256: str  # as last verified; empty if never
    source: str


def default_root() -> Path:
    """SASEO_MODELS_DIR, else the user's cache directory."""
    chosen = os.environ.get("SASEO_MODELS_DIR", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("saseo", appauthor=False) / "models"


def disk_free(folder: Path) -> int:
    """Bytes a normal user may still write."""
    return shutil.disk_usage(folder).free


class ModelStore:
    """Present models by name, and a way to get the others."""

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue,
        *,
        fetcher: Callable[[AnyPlace], Fetcher] = fetcher_for,
        free_bytes: Callable[[Path], int] = disk_free,
    ) -> None:
        self.root = root
        self._catalogue = catalogue
        self._fetcher = fetcher
        self._free_bytes = free_bytes

    def path(self, name: str, progress: Progress = silent, *, role: Role | None = None) -> Path:
        """The verified model called `name`, or the model file a path names. `role`: what it is wanted for.

        Raises `InvalidSetting` (a model of another role), `UnknownModel`, `ModelMissing`, `WrongChecksum` or
        `BrokenModel`. Takes milliseconds while nothing changed.
        """
        local = local_path(name)
        if local is not None:
            found = _check_local(name, local)
            if role is not None and found.is_dir() != (role == "embedder"):
                raise InvalidSetting(key=f"[{role}] model", reason=f"{local}: {_WANTED[role]}")
            return found
        model = self._catalogue.get(name)
        if role is not None and model.role != role:
            raise InvalidSetting(key=f"[{role}] model", reason=f"{name} = {model.role}")
        self._verified(model, progress)
        return self._place_of(model)

    def sha256(self, name: str, progress: Progress = silent) -> str:
        """What identifies the bytes in use, for stamps of answers and editions. A path's file is hashed each time."""
        local = local_path(name)
        if local is not None:
            return sha256_of(_check_local(name, local), progress)
        return self._verified(self._catalogue.get(name), progress).sha256

    def bytes_of(self, name: str) -> int:
        """Of the model as it lies here, else as the catalogue says; 0 for a path with nothing there. Raises UnknownModel."""
        local = local_path(name)
        model = None if local is not None else self._catalogue.get(name)
        path = local if model is None else self._place_of(model)
        if path is None or not path.exists():
            return model.bytes if model is not None else 0
        return sum(file.stat().st_size for file in files_of(path))

    def states(self) -> tuple[ModelState, ...]:
        """The whole catalogue; nothing is hashed."""
        return tuple(self._state(model) for model in self._catalogue)

    def pull(self, name: str, progress: Progress = silent, allow_unverified: bool = False) -> Path:
        """Get the model if it is not here: each place in order, until one gives the right bytes.

        `allow_unverified` is the operator's consent to bytes the catalogue cannot vouch for; the SHA-256 seen is
        recorded and checked from then on. Raises `DownloadFailed`, `NotEnoughDisk` and what `path` raises.
        An interruption leaves what has arrived, and the next call continues there.
        """
        local = local_path(name)
        if local is not None:
            return _check_local(name, local)
        model = self._catalogue.get(name)
        with suppress(ModelMissing, WrongChecksum, BrokenModel):
            return self.path(name, progress)
        with self._lock(model, progress):
            with suppress(ModelMissing, WrongChecksum, BrokenModel):
                return self.path(name, progress)  # another process was quicker
            if allow_unverified and self._adopted(model, progress):
                return self._place_of(model)
            return self._fetched(model, progress, allow_unverified)

    def _fetched(self, model: Model, progress: Progress, allow_unverified: bool) -> Path:
        reasons: list[str] = []
        for place in model.places:
            if not (model.expected(place) or allow_unverified):
                reasons.append(f"- {place}: SHA-256 unknown (--allow-unverified)")
                continue
            work = self._work(model) / _key(place)
            try:
                work.mkdir(parents=True, exist_ok=True)
                self._from(model, place, work, progress)
            except PlaceFailed as failure:
                reasons.append(f"- {failure}")
            except (WrongChecksum, BrokenModel) as wrong:
                # What arrived is whole but not the model: continuing from it would never help.
                shutil.rmtree(work, ignore_errors=True)
                reasons.append(f"- {place}: {wrong}")
            except OSError as error:
                if is_disk_full(error):
                    raise _disk_full(model, self.root, self._free_bytes(self.root)) from error
                reasons.append(f"- {place}: {error}")
            else:
                shutil.rmtree(self._work(model), ignore_errors=True)
                return self._place_of(model)
        raise DownloadFailed(name=model.name, reasons="\n".join(reasons))

    def _from(self, model: Model, place: AnyPlace, work: Path, progress: Progress) -> None:
        expected = model.expected(place)
        exact = bool(expected) and expected == model.sha256 and not place.sha256
        job = Job(model, work, progress, self._free_bytes, exact=exact)
        arrived = self._fetcher(place).fetch(job)
        found = sha256_of(arrived, progress)
        if expected and found != expected:
            raise WrongChecksum(name=model.name, expected=expected, found=found)
        check_format(model.name, arrived, model.format)
        for file in files_of(arrived):
            _to_disk(file)
        target = self._place_of(model)
        if target.is_dir():
            # A folder cannot be replaced in one step; the old one leaves first, and this one is whole already.
            shutil.rmtree(self._work(model) / "old", ignore_errors=True)
            target.rename(self._work(model) / "old")
        arrived.replace(target)
        _to_disk(self.root)
        Stamp.of(target, found, str(place), first_use=not expected).write(self._stamp(model))

    def _verified(self, model: Model, progress: Progress) -> Stamp:
        target = self._place_of(model)
        if not target.exists():
            raise ModelMissing(name=model.name, path=target)
        stamp = Stamp.read(self._stamp(model))
        accepted = model.known
        if stamp is not None and stamp.first_use and model.may_trust_first_use:
            accepted |= {stamp.sha256}
        if stamp is not None and stamp.sha256 in accepted and stamp.matches(target):
            return stamp
        try:
            found = sha256_of(target, progress)
        except OSError as error:
            raise BrokenModel(name=model.name, reason=str(error)) from error
        if found not in accepted:
            expected = next(iter(sorted(accepted)), _NOT_RECORDED)
            raise WrongChecksum(name=model.name, expected=expected, found=found)
        check_format(model.name, target, model.format)
        source = stamp.source if stamp is not None and stamp.sha256 == found else "found"
        fresh = Stamp.of(target, found, source, first_use=found not in model.known)
        fresh.write(self._stamp(model))
        return fresh

    def _adopted(self, model: Model, progress: Progress) -> bool:
        """A file somebody carried here by hand, of a model nobody can vouch for: the consent covers it."""
        target = self._place_of(model)
        if model.known or not target.exists() or self._stamp(model).exists():
            return False
        check_format(model.name, target, model.format)
        Stamp.of(target, sha256_of(target, progress), "found", first_use=True).write(self._stamp(model))
        return True

    def _state(self, model: Model) -> ModelState:
        target = self._place_of(model)
        stamp = Stamp.read(self._stamp(model))
        source = stamp.source if stamp is not None else ""
        return ModelState(model, target.exists(), target, stamp.sha256 if stamp is not None else "", source)

    @contextmanager
    def _lock(self, model: Model, progress: Progress) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = self.root / ".work" / f"{model.name}.lock"
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DownloadFailed(name=model.name, reasons=f"- {self.root}: {error}") from error
        mutex = FileLock(lock)
        try:
            mutex.acquire(timeout=0)
        except Timeout:
            progress("wait", 0, None)
            mutex.acquire()
        try:
            yield
        finally:
            mutex.release()

    def _place_of(self, model: Model) -> Path:
        return self.root / (f"{model.name}.gguf" if model.format == "gguf" else model.name)

    def _stamp(self, model: Model) -> Path:
        return self.root / f"{model.name}.json"

    def _work(self, model: Model) -> Path:
        return self.root / ".work" / model.name


def local_path(name: str) -> Path | None:
    """The path that `name` is, if it is not a name of the catalogue: `local:…`, or something with a slash or .gguf."""
    if name.startswith(_LOCAL):
        return Path(name.removeprefix(_LOCAL)).expanduser()
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    if name.endswith(".gguf") or name.startswith("~") or any(separator in name for separator in separators):
        return Path(name).expanduser()
    return None


def _check_local(name: str, path: Path) -> Path:
    if not path.exists():
        raise ModelMissing(name=name, path=path)
    check_format(name, path, "sentence-transformers" if path.is_dir() else "gguf")
    return path


def _key(place: AnyPlace) -> str:
    """Partial results of different places, or of an edited entry, never mix."""
    return hashlib.sha256(place.model_dump_json().encode()).hexdigest()[:16]


def _disk_full(model: Model, root: Path, free: int) -> NotEnoughDisk:
    return NotEnoughDisk(name=model.name, needed_mb=-(-model.bytes // 1_000_000), free_mb=free // 1_000_000, path=root)


def _to_disk(path: Path) -> None:
    with suppress(OSError):  # some network file systems cannot
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
