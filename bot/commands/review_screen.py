"""One example after the other in a terminal: passages on the left, question and answer on the right, one key each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.commands import example_texts as texts
from bot.errors import ChangedSince, NotApprovable
from bot.examples.example import Example
from bot.examples.review import Review, words
from bot.messages import Language

_NARROW = 90
"""Columns of a terminal below which the two sides stand one above the other."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a session decided, and how many are left."""

    approved: int
    rejected: int
    left: int


class ReviewScreen:
    """Runs until everything is seen or the reviewer leaves."""

    def __init__(
        self,
        review: Review,
        console: Console,
        key: Callable[[], str],
        edit: Callable[[str], str | None],
        language: Language,
    ) -> None:
        """`key`: waits for one; raises EOFError at the end. `edit`: the answer → the new one, None to leave it."""
        self._review = review
        self._console = console
        self._key = key
        self._edit = edit
        self._language = language

    def run(self) -> Tally:
        """What became of the examples that wait."""
        waiting = self._review.waiting()
        place = 0
        while place < len(waiting):
            self._show(waiting[place], place + 1, len(waiting))
            step = self._step()
            if step == "q":
                break
            place = self._take(step, waiting, place)
        states = [one.state for one in waiting]
        return Tally(states.count("approved"), states.count("rejected"), len(self._review.waiting()))

    def _step(self) -> str:
        while True:
            try:
                pressed = self._key().lower()
            except (EOFError, KeyboardInterrupt):
                return "q"
            for step, keys in texts.KEYS.items():
                if pressed and pressed in keys:
                    return step

    def _take(self, step: str, waiting: list[Example], place: int) -> int:
        """Do it; the place of the example to show next."""
        one = waiting[place]
        if step == "a":
            try:
                waiting[place] = self._review.approve(one.id)
            except NotApprovable as error:
                self._say(error.explain(self._language), "red")
                return place
        elif step == "r":
            waiting[place] = self._review.reject(one.id)
        elif step == "e":
            changed = self._edit(one.answer)
            if changed is not None and changed.strip() and changed != one.answer:
                waiting[place] = self._review.edit(one.id, changed)
            return place
        elif step == "u":
            return self._undo(waiting, place)
        return place + 1

    def _undo(self, waiting: list[Example], place: int) -> int:
        try:
            back = self._review.undo()
        except ChangedSince as error:
            self._say(error.explain(self._language), "red")
            return place
        if back is None:
            self._say(texts.nothing_to_undo(self._language), "yellow")
            return place
        for known, one in enumerate(waiting):
            if one.id == back.id:
                waiting[known] = back
                return known
        waiting.insert(place, back)  # decided in an earlier session
        return place

    def _say(self, text: str, style: str) -> None:
        self._console.print(Text(texts.plain(text), style=style))

    def _show(self, one: Example, number: int, total: int) -> None:
        language = self._language
        left = self._part("passages", "\n\n".join(f"[{n}] {each.shown}" for n, each in enumerate(one.passages, 1)))
        right: list[RenderableType] = []
        for name, text in (
            ("turns", "\n".join(one.turns)),
            ("question", one.question),
            ("answer", one.answer),
            ("rejected", one.rejected),
        ):
            if text:
                right.append(self._part(name, text))
        problems = self._review.problems(one)
        if problems:
            right.append(Text(texts.cannot(words(problems), language), style="red"))
        head = f"{texts.title(number, total, language)} · {texts.kind(one.kind, language)} · {texts.people(len(one.people), language)}"
        if self._console.width < _NARROW:
            body: RenderableType = Group(*right, left)
        else:
            body = Table.grid(padding=(0, 1), expand=True)
            body.add_column(ratio=1)
            body.add_column(ratio=1)
            body.add_row(left, Group(*right))
        self._console.print(Text(f"\n{head}  {one.id}", style="bold"))
        self._console.print(body)
        self._console.print(Text(texts.help_line(language), style="dim"))

    def _part(self, name: str, text: str) -> Panel:
        return Panel(Text(texts.plain(text)), title=texts.label(name, self._language), title_align="left")
