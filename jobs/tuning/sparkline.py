"""Numbers → one line of blocks, and marks under it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_BLOCKS = "▁▂▃▄▅▆▇█"
_SEEN, _BEST = "○", "●"


def sparkline(numbers: Sequence[float], width: int) -> str:
    """At most `width` characters, each the mean of its share of `numbers`, from the lowest block to the highest."""
    if not numbers or width < 1:
        return ""
    columns = min(width, len(numbers))
    ends = [round(column * len(numbers) / columns) for column in range(columns + 1)]
    means = [sum(numbers[a:b]) / (b - a) for a, b in pairwise(ends)]
    low, high = min(means), max(means)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((mean - low) * scale)] for mean in means)


def marks(held_out: Sequence[tuple[int, float]], steps: int, width: int) -> str:
    """Where the held-out loss was measured on the way through `steps`, in a line as long as `sparkline`'s; full: the lowest so far."""
    columns = min(width, steps)
    if not held_out or columns < 1:
        return ""
    best = min(held_out, key=lambda one: one[1])
    line = [" "] * columns
    for step, loss in held_out:
        place = min(columns - 1, max(0, round(step * columns / steps) - 1))
        if line[place] != _BEST:
            line[place] = _BEST if (step, loss) == best else _SEEN
    return "".join(line).rstrip()
