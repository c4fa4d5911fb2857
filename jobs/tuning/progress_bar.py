"""Lines of the training process → one bar in a terminal, and under it the course of the losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from bot.texts import Language
from jobs.tuning import texts
from jobs.tuning.sparkline import marks, sparkline

_WIDTH = 48


class TuningBar:
    """`with TuningBar(console, "ko") as bar: bar.show(line)` for every line of a `TuningProcess`. Unknown events are ignored."""

    def __init__(self, console: Console, language: Language) -> None:
        self._language = language
        self._losses: list[float] = []
        self._held_out: list[tuple[int, float]] = []
        self._seconds_left: float | None = None
        self._progress = _WithCurve(lambda: self.curve, console)
        self._task = self._progress.add_task(texts.gathering(language), total=None)
        self._at: tuple[int, int] | None = None

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

    @property
    def curve(self) -> list[str]:
        """The lines under the bar: the training loss, then where and how well the held-out part did. None before the second step."""
        if len(self._losses) < 2:
            return []
        width = min(_WIDTH, len(self._losses))
        last = texts.losses(self._language, self._losses[0], self._losses[-1])
        lines = [f"{sparkline(self._losses, _WIDTH)}  {last}"]
        if self._held_out:
            step, best = min(self._held_out, key=lambda one: one[1])
            begins = self._first_step()
            seen = [(at - begins, loss) for at, loss in self._held_out]
            line = marks(seen, len(self._losses), _WIDTH)
            lines.append(f"{line:{width}}  {texts.held_out_losses(self._language, best, step)}")
        return lines

    def show(self, line: Mapping[str, Any]) -> None:
        """Take in one line."""
        event = line["event"]
        if event == "base":
            self._draw(texts.preparing(self._language, str(line["stage"])), line.get("done"), line.get("total"))
        elif event == "examples":
            counts = (_count(line.get(key)) for key in ("learnt", "held_out", "too_long"))
            self._losses, self._held_out, self._seconds_left, self._at = [], [], None, None  # of a run before this one
            self._draw(texts.reading(self._language, *counts), 0, None)
            if line.get("too_long"):
                self._say(texts.too_long(self._language, line["too_long"]))
        elif event == "left_out":
            self._say(texts.left_out(self._language, line["file"], line["line"], line["reasons"]))
        elif event == "examples_changed":
            self._say(texts.examples_changed(self._language, too_late=bool(line["too_late"])))
        elif event == "training":
            self._at = _place(line.get("done"), line.get("steps"))
            self._draw(self._figures(), line.get("done"), line.get("steps"))
        elif event == "step":
            self._losses += [loss] if (loss := _number(line.get("loss"))) is not None else []
            self._seconds_left = _number(line.get("seconds_left"))
            self._at = _place(line.get("step"), line.get("steps"))
            self._draw(self._figures(), line.get("step"), line.get("steps"))
        elif event == "held_out":
            if (loss := _number(line.get("loss"))) is not None:
                self._held_out.append((_count(line.get("step")), loss))
            self._progress.update(self._task, description=self._figures())
        elif event == "paused":
            self._progress.update(self._task, description=texts.paused(self._language))
        elif event == "resumed":
            self._progress.update(self._task, description=self._figures())

    def _first_step(self) -> int:
        """Steps that were done before this part of the run began."""
        return int(self._progress.tasks[0].completed) - len(self._losses)

    def _figures(self) -> str:
        loss = self._losses[-1] if self._losses else None
        held_out = self._held_out[-1][1] if self._held_out else None
        return texts.training(self._language, loss, held_out, self._seconds_left, self._at)

    def _say(self, line: str) -> None:
        """Above the bar, to stay."""
        self._progress.console.print(Text(line))

    def _draw(self, description: str, done: object, total: object) -> None:
        self._progress.tasks[0].total = _number(total)  # `update` cannot make it unknown again
        self._progress.update(self._task, description=description, completed=_number(done) or 0)


class _WithCurve(Progress):
    def __init__(self, curve: Callable[[], list[str]], console: Console) -> None:
        self._curve = curve
        self._can_draw = not console.options.ascii_only
        super().__init__(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=console)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then the curve where the terminal can draw one."""
        yield from super().get_renderables()
        if self._can_draw:
            yield from (Text(line, no_wrap=True, overflow="crop") for line in self._curve())


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _place(done: object, steps: object) -> tuple[int, int] | None:
    return (done, steps) if isinstance(done, int) and isinstance(steps, int) else None


def _count(value: object) -> int:
    """A number, or how many there are."""
    return value if isinstance(value, int) else len(value) if isinstance(value, dict) else 0
