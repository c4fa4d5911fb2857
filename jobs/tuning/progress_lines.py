"""Lines of the training process → lines of text, for a log or a pipe: a few of each run, however long it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.texts import Language
from jobs.tuning import texts

_PARTS = 20
"""About so many lines tell of the steps of one run."""


class TuningLines:
    """`TuningLines(print, "ko").show(line)` for every line of a `TuningProcess`. Unknown events are ignored."""

    def __init__(self, write: Callable[[str], None], language: Language) -> None:
        self._write = write
        self._language = language
        self._stage = ""
        self._held_out: float | None = None
        write(texts.gathering(language))

    def show(self, line: Mapping[str, Any]) -> None:
        """Take in one line."""
        event = line["event"]
        if event == "left_out":
            self._write(texts.left_out(self._language, line["file"], line["line"], line["reasons"]))
        elif event == "examples_changed":
            self._write(texts.examples_changed(self._language, too_late=line["too_late"]))
        elif event == "examples":
            self._held_out = None
            tokens = line["too_long"]
            self._write(texts.reading(self._language, line["learnt"], line["held_out"], len(tokens)))
            if tokens:
                self._write(texts.too_long(self._language, tokens))
        elif event == "base" and line["stage"] != self._stage:
            self._stage = line["stage"]
            self._write(texts.preparing(self._language, self._stage))
        elif event == "training":
            self._write(texts.training(self._language, None, None, None, (line["done"], line["steps"])))
        elif event == "held_out":
            self._held_out = line["loss"]
        elif event == "step":
            step, steps = line["step"], line["steps"]
            if step == steps or step % max(1, steps // _PARTS) == 0:
                left = line.get("seconds_left") if step < steps else None
                self._write(texts.training(self._language, line["loss"], self._held_out, left, (step, steps)))
        elif event == "paused":
            self._write(texts.paused(self._language))
