"""One of several processes of `test_tuning_peers.py`: trains the tiny model and writes down what it saw."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from jobs.tuning.checkpoint import Checkpoints
from jobs.tuning.dataset import Sample
from jobs.tuning.packing import Pack
from jobs.tuning.peers import Peers, together
from jobs.tuning.preferences import Preferred
from jobs.tuning.settings import TuningSettings
from jobs.tuning.surroundings import Surroundings
from jobs.tuning.train import Training
from tests.fakes.tiny_torch import samples, tiny_qwen2, with_loras

SETTINGS = TuningSettings(
    rank=4, alpha=8, learning_rate=1e-2, epochs=3, examples_per_step=3, tokens_per_pass=100, precision="fp32", patience=99,
    preference_share=0.25, least_preferences=1,
)  # fmt: skip
LEARNT = samples(10)  # the last step of an epoch has one sample: the second process has nothing to read


def preferred() -> list[Preferred]:
    """A pair, a thumb up and a thumb down."""
    one, two, three, other = samples(4, seed=30)
    rejected = Sample("r", (*one.tokens[: one.answer_begins], *other.tokens[other.answer_begins :]), one.answer_begins)
    return [Preferred("p", one, rejected), Preferred("u", two, None), Preferred("d", None, three)]


def train(folder: Path, peers: Peers) -> dict[str, Any]:
    """What one process has to tell."""
    model, told, read = tiny_qwen2(), [], []  # type: ignore[var-annotated]
    training = Training(
        model,
        with_loras(model),
        SETTINGS,
        LEARNT,
        held_out=samples(5, seed=7),
        preferred=preferred(),
        checkpoints=Checkpoints(folder / f"checkpoints-{peers.rank}", "run"),
        around=Surroundings(tell=lambda line: told.append(line["event"])),
        peers=peers,
    )
    plain = training._loss

    def counted(one: Pack) -> Any:
        read.append(len(one.tokens))
        return plain(one)

    training._loss = counted  # type: ignore[method-assign]
    trained = training.run()
    digest = hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in trained.lora.values()))
    return {
        "rank": peers.rank,
        "count": peers.count,
        "losses": trained.progress.losses,
        "held_out": trained.progress.held_out,
        "preferences": trained.progress.preferences,
        "read": len(read),
        "told": [event for event in dict.fromkeys(told) if event in ("training", "step")],
        "lora": digest.hexdigest(),
    }


if __name__ == "__main__":
    us = together(cpu=True)
    folder = Path(sys.argv[1])
    (folder / f"{us.rank}.json").write_text(json.dumps(train(folder, us)))
    us.close()
