"""Plots as data: what charts.js draws with uPlot, and the same numbers as a table for who cannot or will not see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from bot.web import shown

Kind = Literal["line", "bars", "stack"]
Unit = Literal["", "share", "seconds", "won"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line or colour. `tone` is one of the colours of saseo.css: a number from 1 to 6, or good, bad, quiet."""

    label: str
    values: Sequence[float | None]
    tone: str = "1"
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot. `x`: seconds since the epoch where `time`, else numbers. `summary`: the picture in one sentence, for screen readers."""

    title: str
    summary: str
    x: Sequence[float]
    series: Sequence[Series]
    zone: tzinfo
    kind: Kind = "line"
    time: bool = True
    x_label: str = ""
    height: int = 220
    """Pixels."""

    def as_dict(self) -> dict[str, object]:
        """For charts.js. Moments are shifted to the zone here, so that browsers elsewhere show the same days."""
        return {
            "kind": self.kind,
            "time": self.time,
            "height": self.height,
            "xLabel": self.x_label,
            "x": [self._local(at) for at in self.x] if self.time else list(self.x),
            "series": [
                {
                    "label": one.label,
                    "values": [None if value is None else round(value, 4) for value in one.values],
                    "tone": one.tone,
                    "unit": one.unit,
                }
                for one in self.series
            ],
        }

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """One row per x: its name and every series' value."""
        for place, at in enumerate(self.x):
            name = datetime.fromtimestamp(at, self.zone).strftime("%Y-%m-%d %H:%M" if self._fine else "%Y-%m-%d")
            yield name if self.time else f"{at:g}", [_written(one.values[place], one.unit) for one in self.series]

    @property
    def _fine(self) -> bool:
        return len(self.x) > 1 and self.x[1] - self.x[0] < 86_000

    def _local(self, at: float) -> float:
        offset = datetime.fromtimestamp(at, self.zone).utcoffset()
        return at + (offset.total_seconds() if offset else 0.0)


def _written(value: float | None, unit: Unit) -> str:
    if unit == "share":
        return shown.share(value, 1)
    if value is None or not value % 1:
        return shown.number(value)
    return shown.number(value, 2).rstrip("0").rstrip(".")
