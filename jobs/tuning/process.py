"""The training process: `python -m jobs.tuning.process FOLDER`. Started by `jobs.tuning.run`, which reads its output.

One JSON object a line on stdout and, but for `base`, in `progress.jsonl`: `base` (preparing: done of total), `examples` (counts, and which
were too long), `training`, `step`, `held_out`, then `ended` (ending) or `failed` (error, details). Nobody's words are among them.

SIGTERM, SIGINT, the stop file and the end of whoever reads stdout mean the same: save and leave.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock, Timeout

from bot.errors import NothingToLearn, SaseoError, TuningFailed
from jobs.tuning import dataset
from jobs.tuning.base import PreparedBase, load_base, prepare_base
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.served_tokens import ServedTokens

_NICE = 19
_QUIET = ("base",)
"""Events of which there are too many to keep."""


class Reporter:
    """Tells lines, and knows whether somebody wants the run to stop."""

    def __init__(self, folder: RunFolder, out: TextIO) -> None:
        self._folder = folder
        self._out: TextIO | None = out
        self._asked = False

    def ask_to_stop(self, *_: object) -> None:
        """A signal handler."""
        self._asked = True

    def stop(self) -> bool:
        """See `jobs.tuning.train.Surroundings.stop`."""
        return self._asked or self._folder.stop.exists()

    def tell(self, line: dict[str, object]) -> None:
        """See `jobs.tuning.train.Sink`."""
        text = json.dumps(line, ensure_ascii=False) + "\n"
        if line["event"] not in _QUIET:
            with self._folder.progress.open("a", encoding="utf-8") as file:
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
    try:
        with FileLock(folder.lock, timeout=0):
            _work(job, folder, reporter)
    except Timeout as error:
        raise TuningFailed(reason="another process trains in this folder") from error


def _work(job: TuningJob, folder: RunFolder, reporter: Reporter) -> None:
    import torch

    from jobs.tuning.checkpoint import Checkpoints
    from jobs.tuning.lora import attach
    from jobs.tuning.result import write_result
    from jobs.tuning.train import Surroundings, Training

    settings = job.settings
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    examples = dataset.load_examples(job.examples)
    replay = dataset.load_examples(job.replay) if job.replay is not None else []
    learnt, held_out = dataset.split_by_passage(examples, settings.held_out_share, settings.seed)
    sets = {"learnt": learnt, "held_out": held_out, "replay": replay}
    with ServedTokens(job.gguf, template=job.template) as tokens:
        encoded = {name: dataset.encode(some, tokens, settings.most_tokens) for name, some in sets.items()}
    too_long = [one for _, left_out in encoded.values() for one in left_out]
    counts = {name: len(samples) for name, (samples, _) in encoded.items()}
    reporter.tell({"event": "examples", **counts, "too_long": {one.id: one.tokens for one in too_long}})
    if not counts["learnt"]:
        raise NothingToLearn(
            reason=f"{len(too_long)} of {len(examples)} examples are longer than {settings.most_tokens} tokens"
        )
    base = prepare_base(job.gguf, job.cache, progress=lambda stage, done, total: _told(reporter, stage, done, total))
    model = load_base(base)
    loras = attach(model, _targets(job.gguf), rank=settings.rank, alpha=settings.alpha, seed=settings.seed)
    training = Training(
        model,
        loras,
        settings,
        encoded["learnt"][0],
        held_out=encoded["held_out"][0],
        replay=encoded["replay"][0],
        checkpoints=Checkpoints(folder.checkpoints, _run_name(job, base, sets)),
        around=Surroundings(tell=reporter.tell, stop=reporter.stop, memory_mb=peak_memory_mb),
    )
    trained = training.run()
    if trained.ending != "stopped":
        write_result(folder.result, job.gguf, base, settings, trained, sets, too_long)
    reporter.tell({"event": "ended", "ending": trained.ending, "step": trained.progress.step, "steps": trained.steps})


def peak_memory_mb() -> float:
    """The most that this process has had in memory, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _targets(gguf: Path) -> Any:
    """Which modules take a LoRA: the linear layers of the blocks, not the output over the vocabulary."""
    from bot.errors import UntunableBase
    from bot.loras.architectures import ARCHITECTURES
    from bot.loras.base_weights import BaseWeights

    base = BaseWeights.read(gguf)
    if base.architecture not in ARCHITECTURES:
        raise UntunableBase(name=base.name, reason=f"architecture {base.architecture}")
    architecture = ARCHITECTURES[base.architecture]
    return lambda module: architecture.tensor_of(module) not in (None, "output.weight")


def _run_name(job: TuningJob, base: PreparedBase, sets: dict[str, list[dataset.Example]]) -> str:
    """What a checkpoint must agree with to be gone on from."""
    parts: dict[str, object] = {
        "base": base.sha256,
        "template": job.template,
        "settings": job.settings.decides_weights(),
    }
    parts |= {name: dataset.fingerprint(examples) for name, examples in sets.items()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _told(reporter: Reporter, stage: str, done: int, total: int | None) -> None:
    reporter.tell({"event": "base", "stage": stage, "done": done, "total": total})


def main(arguments: list[str]) -> int:
    """Exit status 0: ended or stopped; 1: failed, and the last line says why."""
    folder = RunFolder(Path(arguments[0]))
    reporter = Reporter(folder, sys.stdout)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, reporter.ask_to_stop)
    os.nice(_NICE)
    try:
        work(folder, reporter)
    except SaseoError as error:
        details = {key: value if isinstance(value, int | float) else str(value) for key, value in error.details.items()}
        reporter.tell({"event": "failed", "error": type(error).__name__, "details": details})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
