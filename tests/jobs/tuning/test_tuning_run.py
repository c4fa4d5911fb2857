"""A whole run in its own process: from a GGUF and lines of JSON to a LoRA, stopped and resumed on the way."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.numpy import load_file

from bot.errors import (
    BadExamples,
    GpuOutOfMemory,
    InvalidSetting,
    NothingToLearn,
    TuningChangedNothing,
    TuningFailed,
    TuningNotKept,
)
from bot.loras.base_weights import BaseWeights
from bot.loras.check import check_lora
from bot.loras.seen import Seen
from jobs.tuning.dataset import Example, write_examples
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.preferences import Preference, write_preferences
from jobs.tuning.process import Reporter, _explained, work
from jobs.tuning.run import TuningProcess
from jobs.tuning.settings import TuningSettings
from tests.fakes.tiny_gguf import write_tiny_qwen2

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow
SETTINGS = TuningSettings(
    rank=4, alpha=8, epochs=20, examples_per_step=2, most_tokens=4000, held_out_share=0.3, precision="fp32",
    steps_per_checkpoint=2, patience=99, threads=1,
)  # fmt: skip


def _job(folder: Path, settings: TuningSettings = SETTINGS, count: int = 8) -> TuningJob:
    examples = [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(count)]
    write_examples(folder / "examples.jsonl", examples)
    gguf = folder / "tiny.gguf"
    if not gguf.exists():
        write_tiny_qwen2(gguf)
    return TuningJob(gguf, folder / "examples.jsonl", folder / "bases", settings=settings)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tuning")


@pytest.fixture(scope="module")
def whole(workplace: Path) -> Path:
    """The result of an uninterrupted run."""
    job = _job(workplace)
    folder = RunFolder(workplace / "whole")
    lines, priorities, policies = [], set(), set()
    with TuningProcess(folder.path, job) as process:
        surroundings = Path(f"/proc/{process.pid}/environ")
        for line in process:
            lines.append(line)
            if line["event"] == "examples":
                priorities.add(os.getpriority(os.PRIO_PROCESS, process.pid))
                if surroundings.exists():
                    policies.add(b"OMP_WAIT_POLICY=PASSIVE" in surroundings.read_bytes())
                    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == "1000"
        outcome = process.outcome()
    assert priorities == {19}
    assert policies <= {True}
    assert outcome.ending == "finished"
    assert outcome.result is not None
    kept = [json.loads(text) for text in folder.progress.read_text().splitlines()]
    assert kept == [line for line in lines if line["event"] != "base"]
    return outcome.result


def test_the_result_is_a_lora_that_fits_its_base_and_says_where_it_is_from(workplace: Path, whole: Path) -> None:
    card = json.loads((whole / "lora.json").read_text())
    state = load_file(whole / "lora.safetensors")
    assert card["base"]["sha256"] in {path.name for path in (workplace / "bases").iterdir()}
    assert card["examples"]["learnt"]["count"] + card["examples"]["held_out"]["count"] == 8
    assert card["target_modules"] == ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert len(card["losses"]) == card["steps"]["done"] == card["steps"]["planned"]
    assert {array.dtype for array in state.values()} == {np.dtype("float32")}
    assert len(state) == 2 * 7 * 2  # A and B, modules, layers
    assert card["preferences"] is None
    seen = Seen.of_card(card)
    assert seen is not None
    assert len(seen.examples) == len(seen.passages) == card["examples"]["learnt"]["count"]
    assert seen.examples.isdisjoint(card["held_out"])
    assert card["device"] == "cpu"
    assert json.loads((whole / "loss.json").read_text()) == {
        "losses": card["losses"],
        "held_out": card["held_out_losses"],
    }
    assert (whole / "loss.svg").read_text().startswith("<svg ")
    assert check_lora(whole / "lora.gguf", BaseWeights.read(workplace / "tiny.gguf")).rank == 4


def test_parity_of_a_run_that_is_over_is_what_was_written_at_its_end(whole: Path) -> None:
    written = json.loads((whole / "parity.json").read_text())
    card = json.loads((whole / "lora.json").read_text())
    assert len(written) == card["examples"]["held_out"]["count"]
    assert all(
        len(row["label_logprobs"]) == len(row["top1"]) == len(row["tokens"]) - row["answer_begins"] for row in written
    )
    (whole / "parity.json").unlink()
    for folder in (whole, whole.parent):
        subprocess.run([sys.executable, "-m", "jobs.tuning.parity", str(folder)], cwd=ROOT, check=True)
        again = json.loads((whole / "parity.json").read_text())
        assert [row["top1"] for row in again] == [row["top1"] for row in written]
        for row, before in zip(again, written, strict=True):
            assert row["label_logprobs"] == pytest.approx(before["label_logprobs"], abs=1e-4)


def test_it_waits_while_people_do(workplace: Path) -> None:
    folder = RunFolder(workplace / "waits")
    job = _job(workplace, dataclasses.replace(SETTINGS, epochs=200, budget_seconds=60))
    events: list[object] = []
    with TuningProcess(folder.path, job, people_wait=lambda: "step" in events and "paused" not in events) as process:
        for line in process:
            events.append(line["event"])
            if line["event"] == "resumed":
                process.stop()
        assert process.outcome().ending == "stopped"
    assert events.index("step") < events.index("paused")
    assert events[events.index("paused") + 1] == "resumed"
    assert not folder.pause.exists()


def test_the_folder_is_waited_for_while_an_orphan_finishes_its_step(workplace: Path) -> None:
    job = _job(workplace, dataclasses.replace(SETTINGS, epochs=1))
    folder = RunFolder(workplace / "orphaned")
    folder.path.mkdir()
    with FileLock(folder.lock, thread_local=False) as orphan:
        threading.Timer(5.0, orphan.release).start()
        with TuningProcess(folder.path, job) as process:
            assert [line["event"] for line in process][-1] == "ended"
            assert process.outcome().result is not None


def test_who_lost_its_starter_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(RunFolder(tmp_path), io.StringIO())
    assert not reporter.stop()
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert reporter.stop()


def test_killed_while_it_converts_no_half_of_a_lora_is_left_and_the_next_start_writes_what_one_run_writes(
    workplace: Path, whole: Path
) -> None:
    job = _job(workplace)
    folder = RunFolder(workplace / "converting")
    fresh = folder.result.with_name(folder.result.name + ".new")
    with TuningProcess(folder.path, job) as process:
        steps = sum(line["event"] == "step" for line in _until(process, fresh))
        with pytest.raises(TuningFailed):
            process.outcome()
    assert steps > 3
    assert not folder.result.exists()
    with TuningProcess(folder.path, job) as process:
        again = sum(line["event"] == "step" for line in process)
        parts = process.outcome().result
    assert again < steps  # the last checkpoint was there
    assert parts is not None
    assert not fresh.exists()
    one, other = load_file(whole / "lora.safetensors"), load_file(parts / "lora.safetensors")
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert (parts / "lora.gguf").read_bytes() == (whole / "lora.gguf").read_bytes()


def _until(process: TuningProcess, there: Path) -> Iterator[dict[str, object]]:
    """What it tells, until `there` is there: then it is killed."""

    def kill() -> None:
        while not there.exists() and not over.is_set():
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)

    over = threading.Event()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield from process
    finally:
        over.set()
        killer.join()


def test_preferences_are_learnt_from_and_stand_on_the_card(workplace: Path) -> None:
    job = _job(workplace)
    wrong = [
        Preference(f"w{n}", f"물음 {n}?", (f"글 {n}\n답은 {n}년.",), f"{n}년입니다 [1].", f"{n + 1}년입니다 [1].")
        for n in range(3)
    ]
    write_preferences(workplace / "preferences.jsonl", wrong)
    settings = dataclasses.replace(SETTINGS, epochs=2, preference_share=0.5, least_preferences=3)
    job = dataclasses.replace(job, settings=settings, preferences=workplace / "preferences.jsonl")
    with TuningProcess(workplace / "preferred", job) as process:
        [told] = [line for line in process if line["event"] == "examples"]
        result = process.outcome().result
    assert result is not None
    assert told["preferred_pair"] == 3
    card = json.loads((result / "lora.json").read_text())
    assert card["preferences"]["count"] == {"pair": 3}
    assert len(card["preferences"]["steps"]) == card["steps"]["done"] // 2
    too_few = dataclasses.replace(job, settings=dataclasses.replace(settings, least_preferences=4))
    with TuningProcess(workplace / "too-few", too_few) as process:
        list(process)
        result = process.outcome().result
    assert result is not None
    assert json.loads((result / "lora.json").read_text())["preferences"] is None


def test_two_processes_train_together_and_can_be_stopped(workplace: Path, whole: Path) -> None:
    job = _job(workplace, dataclasses.replace(SETTINGS, processes=2, device="cpu"))
    folder = RunFolder(workplace / "together")
    with TuningProcess(folder.path, job) as process:
        for line in process:
            if line["event"] == "step" and line["step"] == 3:
                process.stop()
        assert process.outcome().ending == "stopped"
    with TuningProcess(folder.path, job) as process:
        steps = [line["step"] for line in process if line["event"] == "step"]
        result = process.outcome().result
    assert steps[0] > 3
    assert steps == sorted(set(steps))
    assert result is not None
    one, both = (json.loads((at / "lora.json").read_text()) for at in (whole, result))
    assert both["losses"] == pytest.approx(one["losses"], rel=1e-2)


def test_killed_stopped_by_a_signal_and_by_a_file_it_gives_in_the_end_what_one_run_gives(
    workplace: Path, whole: Path
) -> None:
    job = _job(workplace)
    folder = RunFolder(workplace / "parts")
    with TuningProcess(folder.path, job) as process:
        for line in process:
            if line["event"] == "step" and line["step"] == 3:
                os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(TuningFailed):
            process.outcome()
    with TuningProcess(folder.path, job) as process:
        done = []
        for line in process:
            done += [line["done"]] if line["event"] == "training" else []
            if line["event"] == "step":
                process.stop()
        assert process.outcome().ending == "stopped"
    assert isinstance(done[0], int)
    assert done[0] >= 2  # the checkpoint before the kill
    with TuningProcess(folder.path, job) as process:
        for line in process:
            if line["event"] == "examples":
                folder.stop.touch()
        assert process.outcome().ending == "stopped"
    assert not folder.result.exists()
    with TuningProcess(folder.path, job) as process:
        list(process)
        parts = process.outcome().result
    assert parts is not None
    one, other = load_file(whole / "lora.safetensors"), load_file(parts / "lora.safetensors")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_stopped_before_its_first_word_it_is_stopped_and_not_failed(workplace: Path) -> None:
    with TuningProcess(workplace / "early", _job(workplace)) as process:
        process.stop()
        assert [line for line in process if line["event"] == "failed"] == []
        assert process.outcome().ending == "stopped"


def test_a_stop_that_comes_when_it_has_ended_changes_nothing(workplace: Path, whole: Path) -> None:
    with TuningProcess(whole.parent, _job(workplace)) as process:
        for line in process:
            if line["event"] == "ended":
                process.stop()
        outcome = process.outcome()
    assert outcome.result == whole


def test_leaving_the_block_ends_the_process(workplace: Path) -> None:
    with TuningProcess(workplace / "left", _job(workplace)) as process:
        next(iter(process))
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_what_went_wrong_comes_back_as_the_error_it_was(tmp_path: Path) -> None:
    job = _job(tmp_path, TuningSettings(most_tokens=50))
    with TuningProcess(tmp_path / "run", job) as process:
        [told] = [line for line in process if line["event"] == "examples"]
        with pytest.raises(NothingToLearn):
            process.outcome()
    assert len(told["too_long"]) == 8  # type: ignore[arg-type]
    job.examples.write_text('{"question": "?"}\n', encoding="utf-8")
    with TuningProcess(tmp_path / "run", job) as process:
        list(process)
        with pytest.raises(BadExamples) as caught:
            process.outcome()
    assert caught.value.details["line"] == 1


def test_a_disk_that_refuses_a_checkpoint_is_named_and_one_that_refuses_a_line_is_borne(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.progress.mkdir(parents=True)  # nothing can be written there …
    folder.checkpoints.write_text("or there", encoding="utf-8")
    with TuningProcess(folder.path, _job(tmp_path)) as process:
        steps = [line["step"] for line in process if line["event"] == "step"]
        with pytest.raises(TuningNotKept) as caught:
            process.outcome()
    assert steps == [1, 2]  # up to the first checkpoint
    assert caught.value.details["path"] == str(folder.checkpoints)
    assert "checkpoint.py" in folder.errors.read_text(encoding="utf-8")


def test_a_full_disk_that_safetensors_tells_of_has_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("jobs.tuning.process.work", full)
    folder, out = RunFolder(tmp_path), io.StringIO()
    with pytest.raises(TuningNotKept, match="No space left") as caught:
        _explained(folder, Reporter(folder, out))
    assert caught.value.details["path"] == tmp_path


@pytest.mark.parametrize(
    "full",
    [
        "device.load_on",  # the base
        "recompute.kept_bytes_per_token",
        "train.logits_and_labels",  # a step
        "parity.parity",
    ],
)
def test_a_gpu_without_room_says_so_wherever_that_is_and_the_checkpoints_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    from jobs.tuning.base import load_base

    def out_of_memory(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("jobs.tuning.device.chosen_device", lambda *_: "cuda:0")
    monkeypatch.setattr("jobs.tuning.device.load_on", lambda device, base, settings: load_base(base))
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 900 << 20)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100 << 20, 1000 << 20))
    monkeypatch.setattr(f"jobs.tuning.{full}", out_of_memory)
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    _job(tmp_path, dataclasses.replace(SETTINGS, epochs=1, threads=None)).write(folder.job)
    with pytest.raises(GpuOutOfMemory) as caught:
        work(folder, Reporter(folder, io.StringIO()))
    assert caught.value.details == {"used_mb": 900, "limit_mb": 1000}
    assert 'quantise = "4bit"' in caught.value.explain("ko")
    assert len(list(folder.checkpoints.glob("*.json"))) == (2 if full == "parity.parity" else 0)


def test_a_rank_whose_lora_could_not_be_served_is_refused_before_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    _job(tmp_path, dataclasses.replace(SETTINGS, rank=16)).write(folder.job)
    monkeypatch.setattr("jobs.tuning.targets.MOST_BYTES", 1 << 17)
    monkeypatch.delattr("jobs.tuning.process.prepare_base")
    with pytest.raises(InvalidSetting) as caught:
        work(folder, Reporter(folder, io.StringIO()))
    assert "tuning.training.rank" in caught.value.explain("ko")


def test_what_would_change_nothing_leaves_no_lora_but_a_sentence(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    job = _job(tmp_path, dataclasses.replace(SETTINGS, learning_rate=1e-30, epochs=1))
    with TuningProcess(folder.path, job) as process:
        *_, last = process
        with pytest.raises(TuningChangedNothing):
            process.outcome()
    assert last["event"] == "failed"
    assert not folder.result.exists()


def test_the_parent_needs_no_torch() -> None:
    code = "import sys, jobs.tuning.run, jobs.tuning.dataset; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
