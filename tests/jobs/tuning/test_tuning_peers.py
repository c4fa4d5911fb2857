"""Two real processes (gloo) that train together give what one gives, but for the rounding of sums."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from jobs.tuning.peers import Alone, together
from jobs.tuning.train import Training
from tests.fakes.tiny_torch import samples, tiny_qwen2, with_loras
from tests.jobs.tuning.together import LEARNT, SETTINGS, preferred

ROOT = Path(__file__).parents[3]


def test_a_process_without_others_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = together(cpu=True)
    given = [torch.ones(3)]
    alone.add_up(given)
    assert isinstance(alone, Alone)
    assert (alone.rank, alone.count, alone.total(2.5), alone.agreed(True)) == (0, 1, 2.5, True)
    assert given[0].tolist() == [1, 1, 1]


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "tests.jobs.tuning.together", str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert (first["count"], first["rank"], second["rank"]) == (2, 0, 1)
    model = tiny_qwen2()
    one = Training(model, with_loras(model), SETTINGS, LEARNT, held_out=samples(5, seed=7), preferred=preferred()).run()
    for told in (first, second):
        assert told["losses"] == pytest.approx(one.progress.losses, rel=1e-3)
        assert [loss for _, loss in told["held_out"]] == pytest.approx(
            [loss for _, loss in one.progress.held_out], rel=1e-3
        )
        assert [loss for _, loss, *_ in told["preferences"]] == pytest.approx(
            [loss for _, loss, *_ in one.progress.preferences], rel=1e-3
        )
    assert first["read"] > 0
    assert second["read"] > 0
    assert first["lora"] == second["lora"]  # the processes are alike to the last bit
    assert first["told"] == ["training", "step"]
    assert list(tmp_path.glob("checkpoints-0/*.safetensors"))
    assert not (tmp_path / "checkpoints-1").exists()
