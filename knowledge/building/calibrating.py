"""The threshold of an edition: measured, or that of the edition before where hardly a passage is another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from knowledge.building.options import BuildOptions
from knowledge.building.serving import Serving
from knowledge.building.staying import searched_with
from knowledge.search import SearchIndex

MOST_DRIFT = 0.01
"""Share of the passages that may have come or gone since it was measured: a quantile over all of them does not move by so few."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`values`: as `knowledge.calibrate.calibrate` gives them; `drift`: passages that came or went since they were measured."""

    values: dict[str, float]
    measured_with: str
    drift: int


def calibration_of(
    index: SearchIndex,
    serving: Serving,
    changed: int,
    options: BuildOptions,
    measure: Callable[[SearchIndex], dict[str, float]],
) -> Calibration:
    """`changed`: passages that came or went since the serving edition. `measure`: the searches of off-topic questions."""
    now, before = searched_with(options), serving.manifest
    if before is not None and before.calibrated_with == now:
        drift = before.drift + changed
        if drift <= MOST_DRIFT * index.edition.manifest.passages:
            return Calibration(before.calibration, now, drift)
    return Calibration(measure(index), now, 0)
