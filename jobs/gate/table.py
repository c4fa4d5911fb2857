"""A verdict for the terminal: the sentence, why, and the whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.texts import Language
from jobs.gate import texts
from jobs.gate.comparison import Comparison
from jobs.gate.verdict import Decision, Guard, Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_COLOURS = {"held": "green", "broken": "bold red", "unclear": "yellow", "aside": "dim"}


def rendered(verdict: Verdict, language: Language) -> RenderableType:
    """For `rich.console.Console.print`."""
    from rich.console import Group
    from rich.text import Text

    colour = {Decision.PASSED: "bold green", Decision.NOT_ENOUGH: "bold yellow"}.get(verdict.decision, "bold red")
    lines = [Text(texts.decision(verdict, language), style=colour), Text(texts.basis(verdict, language))]
    lines += [Text(f"  - {reason}") for reason in texts.reasons(verdict, language)]
    named = [(texts.column(one, language), getattr(verdict, one)) for one in ("won", "lost")]
    return Group(
        *lines,
        _table(verdict, language),
        _kinds(verdict, language),
        Text(texts.parity(verdict, language)),
        *(Text(f"{title}: {', '.join(ids)}") for title, ids in named if ids),
    )


def _table(verdict: Verdict, language: Language) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title_justify="left", expand=False)
    names = ("measure", "present", "candidate", "difference", "margin", "questions", "state")
    for name in names:
        table.add_column(_head(verdict, name, language), justify="left" if name in ("measure", "state") else "right")

    def section(name: str, confidence: float) -> None:
        table.add_row(Text(f"{texts.column(name, language)} ({texts.interval(confidence, language)})", style="bold"))

    def row(one: Comparison, guard: Guard | None = None) -> None:
        state = Text(texts.state(guard, language), style=_COLOURS[guard.state]) if guard else Text("")
        margin = f"{guard.margin:.0%}" if guard else ""
        name = Text(f"  {texts.measure(one.measure, language)}")
        table.add_row(name, *figures(one), margin, str(one.questions), state)

    section("main", verdict.main.confidence)
    row(verdict.main)
    table.add_section()
    section("guards", verdict.settings.guard_confidence)
    for guard in verdict.guards:
        row(guard.comparison, guard)
    table.add_section()
    section("told", verdict.settings.confidence)
    for one in verdict.told:
        row(one)
    return table


def _kinds(verdict: Verdict, language: Language) -> Table:
    from rich.table import Table

    table = Table(expand=False)
    table.add_column(texts.column("kinds", language))
    for name in ("measure", "present", "candidate", "difference", "questions"):
        table.add_column(_head(verdict, name, language), justify="left" if name == "measure" else "right")
    for kind, many in verdict.kinds.items():
        for place, one in enumerate(many):
            label = texts.kind(kind, language) if not place else ""
            table.add_row(label, texts.measure(one.measure, language), *figures(one), str(one.questions))
        table.add_section()
    return table


def _head(verdict: Verdict, name: str, language: Language) -> str:
    return texts.column("rival" if verdict.rival and name == "present" else name, language)


def figures(one: Comparison) -> tuple[str, str, str]:
    """(now, candidate, difference with its interval), as people read them."""

    def plain(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}" if one.as_ == "share" else f"{value:.1f}"

    def changed(value: float) -> str:
        return f"{value:+.3f}" if one.as_ == "share" else f"{value:+.0%}"

    if one.difference is None:
        difference = "–"
    elif one.low is None or one.high is None:
        difference = changed(one.difference)
    else:
        difference = f"{changed(one.difference)} [{changed(one.low)}, {changed(one.high)}]"
    return plain(one.present), plain(one.candidate), difference
