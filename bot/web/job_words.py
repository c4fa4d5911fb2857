"""Jobs in words: schedules, who asked, errors, results. Functions of the texts and the language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.commands.job_texts import step
from bot.job_book import KnownJob
from bot.messages import Language
from bot.store.job_rows import Run
from bot.store.jobs import CHANGE, CLOCK, DIED
from bot.web.texts import Texts

__all__ = ["by", "error", "result", "schedule", "short_result", "step"]
_EVERY = re.compile(r"every\s+(\d+)\s*([smhd])")
_SHORT = ("pages", "passages", "added", "changed", "removed", "failed")
"""Of an indexing run, in a list."""


def schedule(job: KnownJob, texts: Texts, language: Language) -> str:
    """`매일 03:00`; a schedule that has no short words is shown as it is written."""
    text = job.schedule.strip()
    if not text:
        if job.name.startswith("reindex:"):
            return texts("work.change", language)
        return texts("work.then" if job.enabled else "work.by_hand", language)
    every = _EVERY.fullmatch(text)
    if every:
        return texts(f"work.every_{every[2]}", language, n=every[1])
    parts = text.split()
    if len(parts) != 5 or parts[2] != "*" or parts[3] != "*" or not parts[0].isdigit():
        return text
    minute, hour, day = int(parts[0]), parts[1], parts[4]
    if hour == "*" and day == "*":
        return texts("work.hourly", language, minute=f"{minute:02d}")
    if not hour.isdigit():
        return text
    at = f"{int(hour):02d}:{minute:02d}"
    if day == "*":
        return texts("work.daily", language, time=at)
    if len(day) == 1 and day in "01234567":
        return texts("work.weekly", language, day=texts("work.days", language).split()[int(day)], time=at)
    return text


def by(who: str, texts: Texts, language: Language) -> str:
    """Who asked for a run."""
    if who in (CLOCK, CHANGE):
        return texts(f"work.by.{who}", language)
    kind, colon, name = who.partition(":")
    return texts(f"work.by.{kind}", language, name=name) if colon and kind in ("job", "web", "p") else who


def error(run: Run, texts: Texts, language: Language) -> str:
    """Why it did not end well; empty: it did. The words of a known error are in the language of the settings."""
    if run.state == "missed":
        return texts("work.missed", language)
    if run.error == DIED:
        return texts("work.died", language)
    kind, colon, words = run.error.partition(": ")
    if not run.error or colon:
        return words
    return texts("work.broke", language, kind=kind)


def result(run: Run, texts: Texts, language: Language) -> list[tuple[str, str]]:
    """(name, value) of what it left that is a number or a name. Names of pages are not among it: not everybody may know them."""
    return [(_name(key, texts, language), _value(value, texts, language)) for key, value in _plain(run.result).items()]


def short_result(run: Run, texts: Texts, language: Language) -> str:
    """The same in a line of a list."""
    known = _plain(run.result)
    wanted = {key: known[key] for key in _SHORT if known.get(key)} if "passages" in known else known
    shown = [f"{_name(key, texts, language)} {_value(value, texts, language)}" for key, value in wanted.items()]
    return ", ".join(shown[:6])


def _plain(found: Mapping[str, object]) -> dict[str, bool | int | float | str]:
    return {
        key: value
        for key, value in found.items()
        if isinstance(value, bool | int | float | str) and value not in ("", False)
    }


def _name(key: str, texts: Texts, language: Language) -> str:
    own = f"work.result.{key}"
    return texts(own, language) if texts.has(own) else key.replace("_", " ")


def _value(value: bool | int | float | str, texts: Texts, language: Language) -> str:
    if isinstance(value, bool):
        return texts("yes" if value else "no", language)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else value[:200]
