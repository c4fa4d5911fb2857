"""Our training loop beside transformers.Trainer with PEFT: examples per second and peak memory, same base, examples and settings.

    pip install peft
    python benchmarks/tuning_speed.py [--model qwen2.5-coder-0.5b] [--examples 16] [--rounds 2]

Both read the same tokens (the serving prompt, starter examples), have LoRAs of the same rank on the same layers in float32 over a bfloat16
base, compute under the same autocast, and take an optimizer step every four examples. PEFT's side reads one example at a time and masks
the prompt with -100. Each side is a process of its own with OMP_WAIT_POLICY=PASSIVE, as in Saseo's own training; the sides alternate, so
that both meet the same noise. On a machine that others use too, go by the seconds of CPU, which do not count waiting for them. The
first step of each is left out (allocation, thread start). One JSON, then a table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PER_STEP = 4
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def encoded(gguf: Path, count: int) -> list[Any]:
    """The first `count` starter examples as tokens."""
    from jobs.tuning.dataset import encode, load_examples
    from jobs.tuning.served_tokens import ServedTokens

    examples = load_examples(ROOT / "examples" / "tuning" / "starter-a.jsonl")[:count]
    with ServedTokens(gguf) as tokens:
        samples, _ = encode(examples, tokens, 1536)
    return list(samples)


def ours(gguf: Path, cache: Path, count: int, precision: str, rank: int) -> dict[str, Any]:
    """One epoch of `jobs.tuning.train`."""
    from jobs.tuning.base import load_base, prepare_base
    from jobs.tuning.lora import attach
    from jobs.tuning.settings import TuningSettings
    from jobs.tuning.train import Surroundings, Training

    model = load_base(prepare_base(gguf, cache))
    settings = TuningSettings(rank=rank, alpha=2 * rank, epochs=1, examples_per_step=PER_STEP, precision=precision)  # type: ignore[arg-type]
    loras = attach(model, lambda name: name.endswith("_proj"), rank=rank, alpha=2 * rank, seed=0)
    ends: list[tuple[float, float]] = []

    def tell(line: dict[str, object]) -> None:
        if line["event"] in ("training", "step"):
            ends.append((time.perf_counter(), time.process_time()))

    trained = Training(model, loras, settings, encoded(gguf, count), around=Surroundings(tell=tell)).run()
    return {"ends": ends[1:], "losses": trained.progress.losses, "precision": trained.progress.precision}


def theirs(gguf: Path, cache: Path, count: int, precision: str, rank: int) -> dict[str, Any]:
    """One epoch of transformers.Trainer over a PEFT model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from jobs.tuning.base import load_base, prepare_base

    base = load_base(prepare_base(gguf, cache))
    if precision == "fp32":
        base = base.float()
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=LAYERS, task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    rows = [
        {
            "input_ids": torch.tensor(sample.tokens),
            "labels": torch.tensor([-100] * sample.answer_begins + list(sample.tokens[sample.answer_begins :])),
        }
        for sample in encoded(gguf, count)
    ]
    ends: list[tuple[float, float]] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=1,
            per_device_train_batch_size=1,
            gradient_accumulation_steps=PER_STEP,
            learning_rate=2e-4,
            max_grad_norm=1.0,
            weight_decay=0.0,
            bf16=precision == "bf16",
            use_cpu=True,
            save_strategy="no",
            logging_steps=1,
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            seed=0,
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[Clock()])
        trainer.train()
        losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return {"ends": ends, "losses": losses, "precision": precision}


def side(name: str, options: argparse.Namespace, gguf: Path, precision: str) -> dict[str, Any]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--side", name, "--gguf", str(gguf), "--precision", precision]
    command += ["--examples", str(options.examples), "--rank", str(options.rank), "--cache", str(options.cache)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_side(options: argparse.Namespace) -> None:
    """In the child: measure and print one line."""
    from jobs.tuning.process import peak_memory_mb

    measure = ours if options.side == "ours" else theirs
    result = measure(options.gguf, options.cache, options.examples, options.precision, options.rank)
    (began, cpu_began), (ended, cpu_ended) = result["ends"][0], result["ends"][-1]
    examples = PER_STEP * (len(result["ends"]) - 1)
    line = {
        "examples_per_second": examples / (ended - began),
        "cpu_seconds_per_example": (cpu_ended - cpu_began) / examples,
    }
    line |= {
        "peak_mb": round(peak_memory_mb()),
        "precision": result["precision"],
        "loss": statistics.mean(result["losses"]),
    }
    print(json.dumps(line))


def main() -> None:
    """Alternate the sides, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--examples", type=int, default=16, help="a multiple of 4")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "saseo-bases")
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--gguf", type=Path, help="another file in place of the catalogue's")
    parser.add_argument("--precision", choices=["bf16", "fp32", "auto"], default="auto")
    options = parser.parse_args()
    if options.side:
        run_side(options)
        return
    gguf = options.gguf or model_path(options.model)
    prepared(gguf, options.cache)
    first = side("ours", options, gguf, options.precision)
    precision = str(first["precision"])  # what the timing on this machine chose
    runs: dict[str, list[dict[str, Any]]] = {"ours": [first], "theirs": []}
    for number in range(options.rounds):
        runs["theirs"].append(side("theirs", options, gguf, precision))
        if number + 1 < options.rounds:
            runs["ours"].append(side("ours", options, gguf, precision))
    report(options, gguf, precision, runs)


def prepared(gguf: Path, cache: Path) -> None:
    """Make the weights once, in a process of its own, so that no side's memory counts it."""
    code = "import sys; from pathlib import Path; from jobs.tuning.base import prepare_base; prepare_base(*map(Path, sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, str(gguf), str(cache)], cwd=ROOT, check=True)


def model_path(name: str) -> Path:
    """Where `saseo models pull` puts it."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("saseo")) / "models" / f"{name}.gguf"


def report(options: argparse.Namespace, gguf: Path, precision: str, runs: dict[str, list[dict[str, Any]]]) -> None:
    """One line of JSON, then a table."""
    mean = {
        (name, key): statistics.mean(run[key] for run in some)
        for name, some in runs.items()
        for key in ("examples_per_second", "cpu_seconds_per_example", "loss")
    }
    ratio = mean["ours", "examples_per_second"] / mean["theirs", "examples_per_second"]
    cpu_ratio = mean["theirs", "cpu_seconds_per_example"] / mean["ours", "cpu_seconds_per_example"]
    told = {"model": gguf.stem, "examples": options.examples, "rank": options.rank, "precision": precision}
    print(json.dumps({**told, "ratio": round(ratio, 2), "cpu_ratio": round(cpu_ratio, 2), "runs": runs}))
    print(
        "\n| side | examples/s | CPU s/example | peak memory, MiB | mean loss of the epoch |\n| --- | --- | --- | --- | --- |"
    )
    for name, label in (("ours", "jobs.tuning"), ("theirs", "transformers.Trainer + PEFT")):
        rate, cpu, loss = (mean[name, key] for key in ("examples_per_second", "cpu_seconds_per_example", "loss"))
        print(f"| {label} | {rate:.3f} | {cpu:.2f} | {max(run['peak_mb'] for run in runs[name])} | {loss:.3f} |")
    print(f"\n{gguf.stem}, {precision}: {ratio:.2f} times by the clock, {cpu_ratio:.2f} times by CPU")


if __name__ == "__main__":
    main()
