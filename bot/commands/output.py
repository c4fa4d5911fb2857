"""How commands speak: JSON for scripts on standard output, progress and errors for people on standard error."""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.texts import Language
from knowledge.errors import ExplainedError

if TYPE_CHECKING:
    from rich.progress import Progress


json_option = click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")


def account() -> str:
    """Of the operating system, as this process acts: not what the environment says."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "unknown"  # a container's user id without a name


def at_terminal() -> str:
    """Who did it, on record: `cli:ACCOUNT`, with sudo `cli:root(ACCOUNT)`."""
    before = os.environ.get("SUDO_USER", "").strip()
    return f"cli:{account()}" + (f"({before[:32]})" if before and before != account() else "")


def as_json(value: object) -> str:
    """One line, Korean as it is."""
    return json.dumps(value, ensure_ascii=False)


def write_private(path: Path, text: str) -> None:
    """A file with people's words: whole, and its owner's alone, also where another one stood. Raises OSError."""
    from knowledge.editions.files import write_whole

    if path.exists() and not path.is_file():  # a pipe, a terminal
        path.write_text(text, encoding="utf-8", newline="")
    else:
        write_whole(path.resolve(), text, 0o600)


def failure(error: ExplainedError, language: Language, *, json_wanted: bool) -> None:
    """Say an error: a sentence on standard error; with `--json` also an object on standard output."""
    if json_wanted:
        click.echo(as_json({"error": type(error).__name__, "message": error.explain(language)}))
    click.secho(error.explain(language), err=True, fg="red" if sys.stderr.isatty() else None)


@contextmanager
def progress_bars(
    *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[str, int, int | None], None]]:
    """A function (label, done, total) that draws one bar per label on a terminal's standard error, and writes lines elsewhere.

    `total` None: unknown. What stands in a label behind ": " may change: it is the same bar. Where standard error is no terminal, each
    label is announced once; what takes long then tells twice a minute how far it is. `clock`: seconds.
    """
    if quiet:
        yield lambda label, done, total: None
        return
    if not sys.stderr.isatty():
        yield _Lines(clock)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars)


_SECONDS_BETWEEN_LINES = 30.0


class _Lines:
    """For a log or a pipe: a job of hours shows that it lives, a quick one does not flood."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spoke: dict[str, float] = {}

    def __call__(self, label: str, done: int, total: int | None) -> None:
        name, now = label.partition(": ")[0], self._clock()
        if name not in self._spoke:
            click.echo(f"{name}…", err=True)
        elif now - self._spoke[name] >= _SECONDS_BETWEEN_LINES:
            click.echo(f"{name} {done}" + ("" if total is None else f"/{total}"), err=True)
        else:
            return
        self._spoke[name] = now


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, int] = {}

    def __call__(self, label: str, done: int, total: int | None) -> None:
        name = label.partition(": ")[0]
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(label, total=total)
        self._bars.update(self._tasks[name], description=label, completed=done, total=total)  # type: ignore[arg-type]
