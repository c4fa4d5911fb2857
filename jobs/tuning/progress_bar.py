"""Lines of the training process → one bar in a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from bot.texts import Language
from jobs.tuning import texts


class TuningBar:
    """`with TuningBar(console, "ko") as bar: bar.show(line)` for every line of a `TuningProcess`. Unknown events are ignored."""

    def __init__(self, console: Console, language: Language) -> None:
        self._language = language
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=console)
        self._task = self._progress.add_task("", total=None)
        self._loss: float | None = None
        self._held_out: float | None = None
        self._seconds_left: float | None = None

    def __enter__(self) -> TuningBar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @property
    def description(self) -> str:
        """What stands before the bar now."""
        return self._progress.tasks[0].description

    @property
    def share(self) -> float | None:
        """How much of the bar is full, 0 to 1; None while nobody knows."""
        task = self._progress.tasks[0]
        return task.completed / task.total if task.total else None

    def show(self, line: dict[str, object]) -> None:
        """Take in one line."""
        event = line["event"]
        if event == "base":
            self._draw(texts.preparing(self._language, str(line["stage"])), line.get("done"), line.get("total"))
        elif event == "examples":
            counts = (_count(line.get(key)) for key in ("learnt", "held_out", "too_long"))
            self._draw(texts.reading(self._language, *counts), 0, None)
        elif event == "training":
            self._draw(self._figures(), line.get("done"), line.get("steps"))
        elif event == "step":
            self._loss, self._seconds_left = _number(line.get("loss")), _number(line.get("seconds_left"))
            self._draw(self._figures(), line.get("step"), line.get("steps"))
        elif event == "held_out":
            self._held_out = _number(line.get("loss"))
            self._progress.update(self._task, description=self._figures())

    def _figures(self) -> str:
        return texts.training(self._language, self._loss, self._held_out, self._seconds_left)

    def _draw(self, description: str, done: object, total: object) -> None:
        self._progress.tasks[0].total = _number(total)  # `update` cannot make it unknown again
        self._progress.update(self._task, description=description, completed=_number(done) or 0)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _count(value: object) -> int:
    """A number, or how many there are."""
    return value if isinstance(value, int) else len(value) if isinstance(value, dict) else 0
