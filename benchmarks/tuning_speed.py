"""Our training loop beside transformers.Trainer with PEFT: seconds per example by the clock and of CPU, and peak memory.

    pip install peft
    python benchmarks/tuning_speed.py [--model qwen2.5-coder-0.5b] [--steps 8] [--blocks N] [--memory]

Both learn the same examples in the same steps of four (serving prompt, starter examples), with LoRAs of the same rank on the same layers in
float32 over the very same weights, under the same autocast. PEFT's side reads one example at a time and masks the prompt with -100.

The sides take turns step by step (AB BA AB …) in one process, which runs with OMP_WAIT_POLICY=PASSIVE as Saseo's own training does: one
works while the other waits, so both meet the same noise. The first step of each is left out (allocation, thread start). What is printed:
medians with their quartiles, and the ratio of each pair of steps, so that one disturbed step counts once. `cores` says how many cores the
steps got; on a machine that others use, where it is below the number of threads, believe the CPU's seconds before the clock's.

`--blocks N` keeps the first N blocks of the model: quicker and smaller, but the vocabulary then weighs more than it should, which
flatters us (we compute it for answers only). `--memory`: peak of each side alone, in a process of its own, over two steps.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PER_STEP = 4
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
OURS, THEIRS = "ours", "theirs"


@dataclass
class Times:
    """Of the steps of one side, the warm-up step first."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


class Turns:
    """Lets one side work at a time, step by step, and times it. Each side calls `begin` once and `end` after every step."""

    def __init__(self, sides: tuple[str, ...], steps: int) -> None:
        self.times = {side: Times() for side in sides}
        self._order = [side for step in range(steps) for side in (sides if step % 2 == 0 else sides[::-1])]
        self._at = 0
        self._gone: set[str] = set()
        self._changed = threading.Condition()
        self._began = (0.0, 0.0)

    def begin(self, side: str) -> None:
        """Wait for the first turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._turn() in (side, None))
            self._began = (time.perf_counter(), time.process_time())

    def end(self, side: str) -> None:
        """A step is done; wait for the next turn."""
        ended = (time.perf_counter(), time.process_time())
        with self._changed:
            self.times[side].wall.append(ended[0] - self._began[0])
            self.times[side].cpu.append(ended[1] - self._began[1])
            self._at += 1
            self._changed.notify_all()
        if side in self._order[self._at :]:
            self.begin(side)

    def leave(self, side: str) -> None:
        """The side is over, or failed: nobody waits for it."""
        with self._changed:
            self._gone.add(side)
            self._changed.notify_all()

    def _turn(self) -> str | None:
        """Whose turn it is; None: everybody's."""
        if self._at >= len(self._order) or self._order[self._at] in self._gone:
            return None
        return self._order[self._at]


def ours(model: Any, samples: list[Any], options: argparse.Namespace, turns: Turns) -> None:
    """One epoch of `jobs.tuning.train`."""
    from jobs.tuning.lora import attach
    from jobs.tuning.surroundings import Surroundings
    from jobs.tuning.train import Training

    loras = attach(model, lambda name: name.endswith("_proj"), rank=options.rank, alpha=2 * options.rank, seed=0)

    def tell(line: dict[str, object]) -> None:
        if line["event"] == "step":
            turns.times[OURS].losses.append(float(str(line["loss"])))
            turns.end(OURS)

    training = Training(model, loras, settings(options), samples, around=Surroundings(tell=tell))
    turns.begin(OURS)
    training.run()


def theirs(model: Any, samples: list[Any], options: argparse.Namespace, turns: Turns) -> None:
    """One epoch of transformers.Trainer over a PEFT model, in the order of ours."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from jobs.tuning.schedule import Schedule

    config = LoraConfig(r=options.rank, lora_alpha=2 * options.rank, target_modules=LAYERS, task_type="CAUSAL_LM")
    schedule = Schedule(settings(options), samples, ())
    ordered = [sample for step in range(schedule.steps) for sample in schedule.samples(step)]
    rows = [
        {
            "input_ids": torch.tensor(sample.tokens),
            "labels": torch.tensor([-100] * sample.answer_begins + list(sample.tokens[sample.answer_begins :])),
        }
        for sample in ordered
    ]

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            turns.end(THEIRS)

        def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
            turns.times[THEIRS].losses += [logs["loss"]] if "loss" in logs else []

    class InOrder(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, *_: Any) -> Any:
            return torch.utils.data.SequentialSampler(rows)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=1,
            per_device_train_batch_size=1,
            gradient_accumulation_steps=PER_STEP,
            learning_rate=2e-4,
            max_grad_norm=1.0,
            weight_decay=0.0,
            bf16=options.precision == "bf16",
            use_cpu=True,
            save_strategy="no",
            logging_steps=1,
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            seed=0,
        )
        trainer = InOrder(model=get_peft_model(model, config), args=arguments, train_dataset=rows, callbacks=[Clock()])
        turns.begin(THEIRS)
        trainer.train()


SIDES: dict[str, Callable[[Any, list[Any], argparse.Namespace, Turns], None]] = {OURS: ours, THEIRS: theirs}


def settings(options: argparse.Namespace) -> Any:
    """Of our side, and of the order of both."""
    from jobs.tuning.settings import TuningSettings

    return TuningSettings(
        rank=options.rank,
        alpha=2 * options.rank,
        epochs=1,
        examples_per_step=PER_STEP,
        precision=options.precision,
        recompute="never",
    )


def samples_of(gguf: Path, steps: int) -> list[Any]:
    """Starter examples as tokens, one more step than is timed."""
    from jobs.tuning.dataset import encode, load_examples
    from jobs.tuning.served_tokens import ServedTokens

    wanted = PER_STEP * (steps + 1)
    examples = load_examples(ROOT / "examples" / "tuning" / "starter-a.jsonl")
    with ServedTokens(gguf) as tokens:
        samples, _ = encode(examples[: 2 * wanted], tokens, 1536)
    return list(samples[:wanted])


def base_of(options: argparse.Namespace) -> Any:
    """The frozen model in the number format of the run; `precision` is chosen here when it is `auto`."""
    from jobs.tuning.base import load_base, prepare_base
    from jobs.tuning.lora import attach
    from jobs.tuning.precision import faster_precision, prepare

    model = load_base(prepare_base(options.gguf, options.cache))
    if options.blocks:
        del model.model.layers[options.blocks :]
        model.config.num_hidden_layers = options.blocks
    model.requires_grad_(False)
    if options.precision == "auto":
        loras = attach(copy_of(model), lambda name: name.endswith("down_proj"), rank=8, alpha=16, seed=0)
        options.precision = faster_precision(next(iter(loras.values())), 1024)
    prepare(model, options.precision)
    return model


def copy_of(model: Any) -> Any:
    """Another model over the same weights."""
    return copy.deepcopy(model, {id(one): one for one in (*model.parameters(), *model.buffers())})


def compete(options: argparse.Namespace, sides: tuple[str, ...]) -> dict[str, Any]:
    """In the child: all steps of all sides, in turns."""
    from jobs.tuning.process import peak_memory_mb

    base, samples = base_of(options), samples_of(options.gguf, options.steps)
    turns = Turns(sides, options.steps + 1)
    failed: list[BaseException] = []

    def run(side: str) -> None:
        try:
            SIDES[side](copy_of(base), samples, options, turns)
        except BaseException as error:  # noqa: BLE001  # told by the main thread
            failed.append(error)
        finally:
            turns.leave(side)

    threads = [threading.Thread(target=run, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    import torch

    return {
        "precision": options.precision,
        "threads": torch.get_num_threads(),
        "peak_mb": round(peak_memory_mb()),
        "times": {side: vars(times) for side, times in turns.times.items()},
    }


def child(options: argparse.Namespace, sides: tuple[str, ...], **changed: object) -> dict[str, Any]:
    """`compete` in a process of its own."""
    given = {**vars(options), **changed, "sides": ",".join(sides)}
    keys = ("sides", "gguf", "precision", "steps", "blocks", "rank", "cache")
    command = [sys.executable, __file__, *(f"--{key}={given[key]}" for key in keys)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Let the sides take turns, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--gguf", type=Path, help="another file in place of the catalogue's")
    parser.add_argument("--steps", type=int, default=8, help="timed steps of four examples, for each side")
    parser.add_argument("--blocks", type=int, default=0, help="keep only this many; 0: all")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "saseo-bases")
    parser.add_argument("--precision", choices=["bf16", "fp32", "auto"], default="auto")
    parser.add_argument("--memory", action="store_true", help="also the peak of each side alone")
    parser.add_argument(
        "--sides", help="only `ours` or `theirs`, where memory does not hold both: JSON alone, no ratio"
    )
    options = parser.parse_args()
    options.gguf = options.gguf or model_path(options.model)
    if options.sides:
        print(json.dumps(compete(options, tuple(options.sides.split(",")))))
        return
    prepared(options.gguf, options.cache)
    load = os.getloadavg()[0]
    found = child(options, (OURS, THEIRS))
    peaks = {}
    if options.memory:
        peaks = {
            side: child(options, (side,), steps=1, precision=found["precision"])["peak_mb"] for side in (OURS, THEIRS)
        }
    report(options, found, peaks, load)


def prepared(gguf: Path, cache: Path) -> None:
    """Make the weights once, in a process of its own, so that no side's memory counts it."""
    code = "import sys; from pathlib import Path; from jobs.tuning.base import prepare_base; prepare_base(*map(Path, sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, str(gguf), str(cache)], cwd=ROOT, check=True)


def model_path(name: str) -> Path:
    """Where `saseo models pull` puts it."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("saseo")) / "models" / f"{name}.gguf"


def quartiles(numbers: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return low, middle, high


def report(options: argparse.Namespace, found: dict[str, Any], peaks: dict[str, int], load: float) -> None:
    """One line of JSON, then a table."""
    told: dict[str, Any] = {
        "model": options.gguf.stem,
        "blocks": options.blocks or "all",
        "steps": options.steps,
        "rank": options.rank,
        "precision": found["precision"],
        "threads": found["threads"],
        "load_before": round(load, 1),
        "peak_mb": {"together": found["peak_mb"], **peaks},
        "ratio": {},
        "times": found["times"],
    }
    timed = {(side, by): found["times"][side][by][1:] for side in (OURS, THEIRS) for by in ("wall", "cpu")}
    for by in ("wall", "cpu"):
        a, b = timed[OURS, by], timed[THEIRS, by]
        pairs = [theirs / ours for ours, theirs in zip(a, b, strict=True)]
        told["ratio"][by] = {
            "of_medians": round(statistics.median(b) / statistics.median(a), 2),
            "pairs": [round(number, 2) for number in quartiles(pairs)],
        }
    print(json.dumps(told))
    print(
        "\n| side | s/example | CPU s/example | cores | mean loss | peak alone, MiB |\n| --- | --- | --- | --- | --- | --- |"
    )
    for side, label in ((OURS, "jobs.tuning"), (THEIRS, "transformers.Trainer + PEFT")):
        wall, cpu = (quartiles([one / PER_STEP for one in timed[side, by]]) for by in ("wall", "cpu"))
        shown = [f"{middle:.2f} ({low:.2f}–{high:.2f})" for low, middle, high in (wall, cpu)]
        cores = sum(timed[side, "cpu"]) / sum(timed[side, "wall"])
        loss = statistics.mean(found["times"][side]["losses"])
        print(f"| {label} | {shown[0]} | {shown[1]} | {cores:.2f} | {loss:.3f} | {peaks.get(side, '–')} |")
    for by, label in (("wall", "by the clock"), ("cpu", "of CPU")):
        ratio = told["ratio"][by]
        low, middle, high = ratio["pairs"]
        print(f"\n{label}: {ratio['of_medians']} times (medians); pairs of steps {middle} ({low}–{high})")


if __name__ == "__main__":
    main()
