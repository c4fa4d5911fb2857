"""The training process: `python -m jobs.tuning.process FOLDER`. Started by `jobs.tuning.run`, which reads its output.

One JSON object a line on stdout and, but for `base`, in `progress.jsonl`: `base` (preparing: done of total), `examples` (counts, and which
were too long), `training`, `recomputing`, `step`, `preferences`, `held_out`, `paused` and `resumed`, then `ended` (ending) or `failed`
(error, details). Nobody's words are among them. Of several processes (`jobs.tuning.peers`) only the first one speaks.

SIGTERM, SIGINT, the stop file and the end of whoever reads stdout mean the same: save and leave.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from filelock import FileLock, Timeout

from bot.errors import SaseoError, TuningChangedNothing, TuningFailed
from jobs.tuning.base import PreparedBase, prepare_base
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.material import Material, gather
from jobs.tuning.pause import is_paused
from jobs.tuning.refused import REFUSALS, not_kept
from jobs.tuning.targets import demand_servable, targets

if TYPE_CHECKING:
    from jobs.tuning.peers import Peers

_NICE = 19
OTHERS_MB = 6144
"""Left to those who answer, and to whatever else grows while a run lasts for hours: a run that kept 17 of 24 GB was ended by the kernel."""
_PATIENCE_SECONDS = 60.0
"""For a process whose starter was killed, which ends after its step, to leave the folder to the one that goes on."""
_QUIET = ("base",)
"""Events of which there are too many to keep."""


class Reporter:
    """Tells lines, and knows whether somebody wants the run to stop."""

    def __init__(self, folder: RunFolder, out: TextIO, *, silent: bool = False) -> None:
        self._folder = folder
        self._out: TextIO | None = out
        self._silent = silent
        self._asked = False
        self._starter = os.getppid()

    def ask_to_stop(self, *_: object) -> None:
        """A signal handler."""
        self._asked = True

    def stop(self) -> bool:
        """See `jobs.tuning.surroundings.Surroundings.stop`."""
        orphaned = os.getppid() != self._starter  # nobody would take the result; another process goes on with the run
        return self._asked or orphaned or self._folder.stop.exists()

    def busy(self) -> bool:
        """See `Surroundings.busy`."""
        return is_paused(self._folder.path)

    def tell(self, line: dict[str, object]) -> None:
        """See `jobs.tuning.surroundings.Sink`."""
        if self._silent:
            return
        text = json.dumps(line, ensure_ascii=False) + "\n"
        if line["event"] not in _QUIET:
            # The record is for people: a disk without room for a line may still have it for what was learnt, later.
            with contextlib.suppress(OSError), self._folder.progress.open("a", encoding="utf-8") as file:
                file.write(text)
        if self._out is not None:
            try:
                self._out.write(text)
                self._out.flush()
            except OSError:  # nobody reads any more
                self._out = None
                self.ask_to_stop()


def work(folder: RunFolder, reporter: Reporter) -> None:
    """The whole run. Raises a `SaseoError`."""
    job = TuningJob.read(folder.job)
    # One lock for all: the first of several holds it.
    lock = FileLock(folder.lock, timeout=_PATIENCE_SECONDS) if is_first() else contextlib.nullcontext()
    try:
        with lock:
            _work(job, folder, reporter)
    except Timeout as error:
        raise TuningFailed(reason="another process trains in this folder") from error


def _work(job: TuningJob, folder: RunFolder, reporter: Reporter) -> None:
    import torch

    from jobs.tuning.device import chosen_device, room_on
    from jobs.tuning.peers import together

    settings = job.settings
    demand_servable(job.gguf, settings.rank)  # else it would be said after the last step
    device = chosen_device(settings, int(os.environ.get("LOCAL_RANK", "0")))
    peers = together(cpu=device == "cpu")
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    material = gather(job)
    too_long = {one.id: one.tokens for one in material.too_long}
    reporter.tell({"event": "examples", **material.counts(), "too_long": too_long})
    material.check(settings.most_tokens)
    base = prepare_base(job.gguf, job.cache, progress=lambda stage, done, total: _told(reporter, stage, done, total))
    forget_peak()  # of making it ready: the limit is one of training
    with room_on(device):
        _train(job, folder, reporter, material, base, device, peers)
    peers.close()


def _train(
    job: TuningJob,
    folder: RunFolder,
    reporter: Reporter,
    material: Material,
    base: PreparedBase,
    device: str,
    peers: Peers,
) -> None:
    """All that needs the device's memory."""
    from jobs.tuning.checkpoint import Checkpoints
    from jobs.tuning.device import free_mb, load_on, used_mb
    from jobs.tuning.lora import attach, put_state
    from jobs.tuning.parity import parity
    from jobs.tuning.result import write_result
    from jobs.tuning.surroundings import Surroundings
    from jobs.tuning.train import Training

    settings = job.settings
    model = load_on(device, base, settings)
    loras = attach(model, targets(job.gguf), rank=settings.rank, alpha=settings.alpha, seed=settings.seed)
    training = Training(
        model,
        loras,
        settings,
        material.samples["learnt"],
        held_out=material.samples["held_out"],
        replay=material.samples["replay"],
        preferred=material.preferred,
        checkpoints=Checkpoints(folder.checkpoints, material.run_name(job, base)),
        around=Surroundings(
            tell=reporter.tell,
            stop=reporter.stop,
            busy=reporter.busy,
            memory_mb=peak_memory_mb if device == "cpu" else lambda: used_mb(device),
            free_mb=lambda: _room(free_mb(device), settings.memory_mb, on_cpu=device == "cpu"),
        ),
        peers=peers,
    )
    trained = training.run()
    if trained.ending != "stopped" and trained.changes_nothing:
        raise TuningChangedNothing(steps=trained.progress.step)
    if trained.ending != "stopped" and peers.rank == 0:
        put_state(loras, trained.lora)
        rows = parity(model, material.for_parity, trained.progress.precision)
        write_result(folder.result, job.gguf, base, settings, trained, material, parity=rows, device=device)
    reporter.tell({"event": "ended", "ending": trained.ending, "step": trained.progress.step, "steps": trained.steps})


def is_first() -> bool:
    """Whether this process speaks and writes: it is alone, or the first of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) < 2 or os.environ.get("RANK", "0") == "0"


def forget_peak() -> None:
    """`peak_memory_mb` counts from now on, where the system allows that (proc(5), clear_refs)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> float:
    """The most that this process has had in memory since it began, or since `forget_peak`, in MiB."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / (1 << 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _room(free: float | None, limit: float | None, *, on_cpu: bool) -> float | None:
    """MiB that may still be taken: what is free less what others may come to need, within the limit that was set."""
    if not on_cpu:  # the limit is one of the machine's memory
        return free
    left = None if free is None else free - OTHERS_MB
    return left if limit is None else min(limit - peak_memory_mb(), limit if left is None else left)


def _be_the_first_to_go() -> None:
    """Where memory runs out the kernel shall end this process, which goes on from a checkpoint, and not the one that answers people."""
    with contextlib.suppress(OSError):  # Linux alone has it
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _told(reporter: Reporter, stage: str, done: int, total: int | None) -> None:
    reporter.tell({"event": "base", "stage": stage, "done": done, "total": total})


def main(arguments: list[str]) -> int:
    """Exit status 0: ended or stopped; 1: failed, and the last line says why."""
    folder = RunFolder(Path(arguments[0]))
    reporter = Reporter(folder, sys.stdout, silent=not is_first())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, reporter.ask_to_stop)
    os.nice(_NICE)
    _be_the_first_to_go()
    try:
        _explained(folder, reporter)
    except SaseoError as error:
        details = {key: value if isinstance(value, int | float) else str(value) for key, value in error.details.items()}
        reporter.tell({"event": "failed", "error": type(error).__name__, "details": details})
        return 1
    return 0


def _explained(folder: RunFolder, reporter: Reporter) -> None:
    """The whole run; what the disk refuses has its sentence, too, and stderr has the place. Raises a `SaseoError`."""
    try:
        work(folder, reporter)
    except REFUSALS as error:
        with contextlib.suppress(OSError):
            traceback.print_exc()
        raise not_kept(error, folder.path) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
