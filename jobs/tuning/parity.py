"""What torch says about a LoRA, to compare llama.cpp with: `parity.json` in the result.

    [{"id", "tokens": […], "answer_begins": n, "label_logprobs": […], "top1": […]}, …]

`label_logprobs[i]` (nats) and `top1[i]` are about token `answer_begins + i`: how likely it is after those before it, and which token is
the likeliest there. Each sample is read alone, in the number format of the run. Tokens are words: the file is as private as the examples.
Written at the end of every run; `python -m jobs.tuning.parity FOLDER` does it for one that is over (FOLDER: the run's, or its `result`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from jobs.tuning.dataset import Sample
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.packing import label_logprobs, logits_and_labels, pack
from jobs.tuning.precision import computing
from knowledge.editions.files import write_whole

FILE = "parity.json"


def parity(model: Any, samples: Sequence[Sample], precision: str) -> list[dict[str, object]]:
    """One object for each sample, by the model as it is now."""
    rows: list[dict[str, object]] = []
    with torch.inference_mode():
        for sample in samples:
            [one] = pack([sample], len(sample.tokens))
            with computing(model, precision):
                logits, labels = logits_and_labels(model, one)
            rows.append(
                {
                    "id": sample.id,
                    "tokens": list(sample.tokens),
                    "answer_begins": sample.answer_begins,
                    "label_logprobs": [round(float(one), 6) for one in label_logprobs(logits, labels)],
                    "top1": logits.argmax(dim=-1).tolist(),
                }
            )
    return rows


def write_parity(folder: RunFolder) -> Path:
    """For a run that is over: its base and its LoRA are loaded again. Raises `OSError` when it has no result, or a `SaseoError`."""
    from safetensors.torch import load_file

    from jobs.tuning.base import prepare_base
    from jobs.tuning.device import chosen_device, load_on
    from jobs.tuning.lora import attach, put_state
    from jobs.tuning.material import gather
    from jobs.tuning.precision import prepare
    from jobs.tuning.targets import targets

    card = json.loads((folder.result / "lora.json").read_text(encoding="utf-8"))
    job = TuningJob.read(folder.job)
    samples = gather(job).for_parity
    device = chosen_device(job.settings)
    model = load_on(device, prepare_base(job.gguf, job.cache), job.settings)
    loras = attach(model, targets(job.gguf), rank=job.settings.rank, alpha=job.settings.alpha, seed=job.settings.seed)
    put_state(loras, load_file(folder.result / "lora.safetensors"))
    prepare(model, card["precision"])
    rows = parity(model.eval(), samples, card["precision"])
    write_whole(folder.result / FILE, json.dumps(rows))
    return folder.result / FILE


def run_folder(path: Path) -> RunFolder:
    """The run of its own folder or of its result's."""
    return RunFolder(path.parent if (path / "lora.json").exists() else path)


if __name__ == "__main__":
    write_parity(run_folder(Path(sys.argv[1]).absolute()))
