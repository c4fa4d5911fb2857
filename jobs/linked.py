"""What hangs together: things that share a key, also through others (union by the first holder of each key)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def linked(keys: Sequence[Iterable[str]]) -> list[int]:
    """A group's number for each thing, counted from 0 in the order of first members. `keys`: of each thing; without any it stands alone."""
    above = list(range(len(keys)))

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    first: dict[str, int] = {}
    for place, own in enumerate(keys):
        for key in own:
            known = first.setdefault(key, place)
            above[top(place)] = top(known)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(top(place), len(numbers)) for place in range(len(keys))]
