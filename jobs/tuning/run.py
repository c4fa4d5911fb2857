"""Tuning from the outside: starts the training process, passes on what it tells, stops it. No torch here.

    with TuningProcess(folder, job) as process:
        for line in process:      # what `jobs.tuning.process` tells
            …
        outcome = process.outcome()

The process is the lowest in priority (nice 19) and its threads sleep while they wait (OMP_WAIT_POLICY=PASSIVE), because answering comes
first: with the default policy both were slower by far. While people wait it waits, too (`people_wait`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from bot import errors
from bot.errors import SaseoError, TuningFailed
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.pause import make_way
from jobs.tuning.settings import TuningSettings

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 120.0
"""Seconds for one pass through the model and a checkpoint, after which a process that was told to stop is killed."""
_LOOK_AGAIN = 1.0
"""Seconds between two questions whether people wait."""


@dataclass(frozen=True, slots=True)
class TuningOutcome:
    """How it ended. `result` is None when it was stopped: starting it again goes on."""

    ending: str
    result: Path | None


class TuningProcess:
    """One run in a process of its own. Iterate once, then ask for the outcome; leaving the `with` before stops the run.

    `people_wait`: asked every second, on a thread of its own; while it says so the run makes way (`jobs.tuning.pause`).
    """

    def __init__(self, folder: Path, job: TuningJob, *, people_wait: Callable[[], bool] | None = None) -> None:
        self._folder = RunFolder(folder)
        self._job = job
        self._people_wait = people_wait
        self._over = threading.Event()
        self._watching: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._last: dict[str, object] = {}
        self._asked_to_stop = False

    def __enter__(self) -> TuningProcess:
        self._folder.path.mkdir(parents=True, exist_ok=True)
        self._folder.stop.unlink(missing_ok=True)
        make_way(self._folder.path, waiting=False)  # said to an earlier part of the run
        self._job.write(self._folder.job)
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        surroundings = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_WAIT_POLICY": "PASSIVE",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "TQDM_DISABLE": "1",  # other libraries' bars
        }
        with self._folder.errors.open("ab") as stderr:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *_launched(self._job.settings),
                    "-m",
                    "jobs.tuning.process",
                    str(self._folder.path.absolute()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=surroundings,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C reaches the parent alone, which then asks in its own way
            )
        if self._people_wait is not None:
            self._watching = threading.Thread(target=self._watch, args=(self._people_wait,), daemon=True)
            self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._running()
        self._over.set()
        if self._watching is not None:
            self._watching.join()
        if process.poll() is None:
            self.stop()
            try:
                process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __iter__(self) -> Iterator[dict[str, object]]:
        process = self._running()
        if process.stdout is None:
            raise RuntimeError("no output")
        for text in process.stdout:
            with contextlib.suppress(ValueError):  # a line that a library printed
                line = json.loads(text)
                if isinstance(line, dict) and "event" in line:
                    self._last = line
                    yield line
        process.wait()

    @property
    def pid(self) -> int:
        """Of the training process."""
        return self._running().pid

    def stop(self) -> None:
        """Ask it to save and leave; it takes as long as one pass through the model. Any thread."""
        if self._job.settings.processes > 1:  # a signal would reach the launcher, which knows no farewell
            self._folder.stop.touch()
            return
        with contextlib.suppress(ProcessLookupError):
            self._asked_to_stop = True
            self._running().terminate()

    def outcome(self) -> TuningOutcome:
        """After the last line. Raises what the process said (a `TuningError`, `ModelError`, …), or `TuningFailed` if it said nothing."""
        status = self._running().wait()
        if self._last.get("event") == "failed":
            raise _rebuilt(self._last)
        # Before its first line of Python and after its last, a signal ends it by itself.
        signalled = self._asked_to_stop and status == -signal.SIGTERM
        if signalled and self._last.get("event") != "ended":
            return TuningOutcome("stopped", None)
        if (status != 0 and not signalled) or self._last.get("event") != "ended":
            raise TuningFailed(reason=f"exit status {status}, {self._folder.errors}")
        ending = str(self._last["ending"])
        return TuningOutcome(ending, None if ending == "stopped" else self._folder.result)

    def _watch(self, people_wait: Callable[[], bool]) -> None:
        while not self._over.wait(_LOOK_AGAIN):
            # A store that cannot be asked, a disk that refuses: the last word holds until it is old.
            with contextlib.suppress(SaseoError, OSError):
                make_way(self._folder.path, waiting=people_wait())
        with contextlib.suppress(OSError):
            make_way(self._folder.path, waiting=False)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("not started: use it in a with statement")
        return self._process


def _launched(settings: TuningSettings) -> list[str]:
    """What stands between Python and the module when there is more than one process."""
    if settings.processes == 1:
        return []
    return ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(settings.processes)]


def _rebuilt(line: dict[str, object]) -> SaseoError:
    """The error that the process raised, by its name in `bot.errors`."""
    kind = getattr(errors, str(line.get("error")), None)
    details = line.get("details")
    if isinstance(kind, type) and issubclass(kind, SaseoError) and isinstance(details, dict):
        return kind(**details)
    return TuningFailed(reason=str(line.get("error")))
