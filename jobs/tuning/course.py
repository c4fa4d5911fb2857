"""The course of a run, from what its process tells while it runs (`progress.jsonl`). No torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bot.web.course import Course
from jobs.tuning.job import RunFolder


def courses(folder: Path) -> Sequence[Course]:
    """Of every training run in the folder of a job's run, by name; those that have not begun are missing."""
    try:
        parts = sorted(one for one in folder.iterdir() if RunFolder(one).progress.is_file())
    except OSError:
        return []
    return [course(one) for one in parts]


def course(folder: Path) -> Course:
    """Of one. A run that was killed and gone on with tells some steps twice: the last word counts; half a line is not read."""
    losses: dict[int, float] = {}
    held_out: dict[int, float] = {}
    steps: int | None = None
    left: float | None = None
    paused = ended = False
    try:
        text = RunFolder(folder).progress.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for line in text.splitlines():
        try:
            told = json.loads(line)
            event = told["event"]
            if event == "step":
                losses[int(told["step"])] = float(told["loss"])
                steps, left = int(told["steps"]), told.get("seconds_left")
            elif event == "held_out":
                held_out[int(told["step"])] = float(told["loss"])
            elif event == "training":
                steps = int(told["steps"])
        except (ValueError, KeyError, TypeError):
            continue
        paused = event == "paused" or (paused and event != "resumed")
        ended = event in ("ended", "failed") or (ended and event not in ("training", "step"))
    return Course(folder.name, sorted(losses.items()), sorted(held_out.items()), steps, left, paused, ended)
