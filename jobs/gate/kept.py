"""Answers on disk: one JSON Lines file per stamp, a line as soon as its answer is there. A killed run goes on behind its last line.

The key of an answer is its stamp (the file) and the fingerprint of its question (in the line): whoever gave it, candidate or server,
it counts for both. A line that a crash cut off is taken away when the file is next opened for writing.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from bot.errors import AnswersNotKept, GateBusy
from jobs.gate.answers import GateAnswer, Stamp


class KeptAnswers:
    """A folder of kept answers. Use as a context manager: one process at a time.

    Raises `GateBusy` when another process has it, `AnswersNotKept` when the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "lock")
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> KeptAnswers:
        with self._explained():
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout as error:
                raise GateBusy(folder=self._folder) from error
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            with contextlib.suppress(OSError):  # each line is on disk already
                file.close()
        self._files.clear()
        self._lock.release()

    def of(self, stamp: Stamp) -> dict[str, GateAnswer]:
        """Fingerprint → answer, the newest of each: of the wiki in this edition, and over given passages. Bad lines do not count."""
        return self._read(stamp.without_edition) | self._read(stamp)

    def keep(self, stamp: Stamp, fingerprint: str, answer: GateAnswer) -> None:
        """Survives a power cut once this returns."""
        line = json.dumps({"case": fingerprint, "answer": answer.as_json()}, ensure_ascii=False)
        with self._explained():
            file = self._files.get(stamp.digest)
            if file is None:
                file = self._files[stamp.digest] = self._opened(stamp)
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def forget_all_but(self, stamps: Collection[Stamp]) -> int:
        """Delete the answers of every other stamp: how many files went."""
        wanted = {self._path(one) for stamp in stamps for one in (stamp, stamp.without_edition)}
        old = [path for path in self._folder.glob("answers-*.jsonl") if path not in wanted]
        with self._explained():
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    def _read(self, stamp: Stamp) -> dict[str, GateAnswer]:
        answers: dict[str, GateAnswer] = {}
        try:
            content = self._path(stamp).read_bytes()
        except FileNotFoundError:
            return answers
        except OSError as error:
            raise AnswersNotKept(path=self._path(stamp), reason=error.strerror) from error
        for line in content.split(b"\n")[:-1]:  # behind the last line break is what a crash cut off
            with contextlib.suppress(ValueError, KeyError, TypeError):
                raw = json.loads(line)
                answers[str(raw["case"])] = GateAnswer.from_json(raw["answer"])
        return answers

    def _opened(self, stamp: Stamp) -> IO[bytes]:
        """At the end of the last whole line. A new file begins with its stamp in words, for whoever looks into it."""
        file = self._path(stamp).open("a+b")
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
        if b"\n" not in content:
            file.write(json.dumps({"stamp": stamp.as_json()}).encode() + b"\n")
        return file

    def _path(self, stamp: Stamp) -> Path:
        return self._folder / f"answers-{stamp.digest}.jsonl"

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AnswersNotKept(path=self._folder, reason=error.strerror or type(error).__name__) from error
