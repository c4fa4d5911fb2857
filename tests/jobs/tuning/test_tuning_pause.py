"""Training makes way while people wait."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch

from jobs.tuning import run
from jobs.tuning.checkpoint import Checkpoints
from jobs.tuning.job import TuningJob
from jobs.tuning.pause import STALE_SECONDS, is_paused, make_way, pause_file
from jobs.tuning.run import TuningProcess
from jobs.tuning.settings import TuningSettings
from jobs.tuning.surroundings import Surroundings
from jobs.tuning.train import Training
from tests.fakes.tiny_torch import samples, tiny_qwen2, with_loras

SETTINGS = TuningSettings(rank=4, alpha=8, epochs=1, examples_per_step=4, tokens_per_pass=100, precision="fp32")


class World:
    """A clock that only sleeping moves, and people who wait from one look to another."""

    def __init__(self, *, begins: int, looks: int, stops: bool = False) -> None:
        self.now, self.asked, self.slept = 0.0, 0, 0
        self.begins, self.looks, self.stops = begins, looks, stops
        self.lines: list[dict[str, object]] = []
        self.around = Surroundings(
            tell=self.lines.append, stop=self.stop, busy=self.busy, clock=lambda: self.now, sleep=self.sleep
        )

    def busy(self) -> bool:
        self.asked += 1
        return self.begins <= self.asked < self.begins + self.looks

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        self.now += seconds

    def stop(self) -> bool:
        return self.stops and self.slept >= 2

    def events(self) -> list[object]:
        return [line["event"] for line in self.lines]


def test_it_waits_before_the_next_pass_says_so_once_and_the_time_does_not_count() -> None:
    model, given = tiny_qwen2(), samples(8)
    plain = Training(model, with_loras(model), SETTINGS, given).run()
    world, model = World(begins=2, looks=6), tiny_qwen2()
    trained = Training(model, with_loras(model), SETTINGS, given, around=world.around).run()
    assert world.slept == 5
    assert world.events().count("paused") == world.events().count("resumed") == 1
    assert {"event": "resumed", "seconds": 2.5} in world.lines
    assert trained.progress.seconds == 0.0  # no time passed but that of sleep
    assert trained.progress.losses == plain.progress.losses
    assert all(torch.equal(tensor, plain.lora[name]) for name, tensor in trained.lora.items())


def test_a_pause_while_the_held_out_part_is_read_does_not_count_either() -> None:
    world, model = World(begins=1, looks=3), tiny_qwen2()
    training = Training(model, with_loras(model), SETTINGS, samples(8), held_out=samples(3), around=world.around)
    trained = training.run()
    assert world.slept == 2
    assert trained.progress.seconds == 0.0


def test_a_stop_ends_the_pause_and_what_was_done_is_kept(tmp_path: Path) -> None:
    world, model = World(begins=4, looks=1000, stops=True), tiny_qwen2()
    trained = Training(
        model, with_loras(model), SETTINGS, samples(16), checkpoints=Checkpoints(tmp_path, "run"), around=world.around
    ).run()
    assert trained.ending == "stopped"
    assert world.slept == 2
    found = Checkpoints(tmp_path, "run").latest()
    assert found is not None
    assert found.progress.step == trained.progress.step > 0


def test_the_file_says_that_people_wait_until_it_is_gone_or_old(tmp_path: Path) -> None:
    assert not is_paused(tmp_path)
    make_way(tmp_path, waiting=False)  # nothing to take back
    make_way(tmp_path, waiting=True)
    assert pause_file(tmp_path).exists()
    assert is_paused(tmp_path)
    make_way(tmp_path, waiting=True)
    assert is_paused(tmp_path)
    make_way(tmp_path, waiting=False)
    assert not is_paused(tmp_path)


def test_the_word_of_a_service_that_died_does_not_stop_training_for_ever(tmp_path: Path) -> None:
    make_way(tmp_path, waiting=True)
    old = time.time() - STALE_SECONDS - 1
    os.utime(pause_file(tmp_path), (old, old))
    assert not is_paused(tmp_path)
    make_way(tmp_path, waiting=True)
    assert is_paused(tmp_path)


def test_a_run_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    make_way(tmp_path / "none", waiting=True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("waiting", [True, False])
def test_making_way_twice_is_the_same(tmp_path: Path, waiting: bool) -> None:
    for _ in range(2):
        make_way(tmp_path, waiting=waiting)
    assert is_paused(tmp_path) is waiting


def test_a_disk_that_refuses_once_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_LOOK_AGAIN", 0.0)
    asked: list[int] = []

    def people_wait() -> bool:
        asked.append(len(asked))
        return True

    def refuses(folder: Path, *, waiting: bool) -> None:
        if waiting and len(asked) == 1:
            raise OSError("disk full")
        if len(asked) == 2:
            process._over.set()

    monkeypatch.setattr(run, "make_way", refuses)
    process = TuningProcess(tmp_path, TuningJob(tmp_path / "base.gguf", tmp_path / "examples.jsonl", tmp_path))
    process._watch(people_wait)
    assert asked == [0, 1]
