"""Questions → groups, by average linkage: the two most alike groups become one as long as they are alike enough on average.

Incremental: a question that has a group keeps it, and two groups that existed before never become one, since people have named, closed
or assigned them. Deterministic: of equal pairs the first in the order of the questions wins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def grouped(likeness: NDArray[np.float32], before: Sequence[str | None], least: float) -> list[list[int]]:
    """Groups of row numbers, in the order of their first members. Time about quadratic in the questions, memory one copy of `likeness`.

    `likeness`: (n, n), symmetric. `before`: of each question the group it is in already. `least`: average likeness of two groups' members
    from which on they are one.
    """
    groups: list[list[int]] = []
    seeds: list[bool] = []
    known: dict[str, int] = {}
    for row, name in enumerate(before):
        if name is not None and name in known:
            groups[known[name]].append(row)
            continue
        if name is not None:
            known[name] = len(groups)
        groups.append([row])
        seeds.append(name is not None)
    if not groups:
        return []
    return _joined(_averages(likeness, groups), groups, np.array(seeds), least)


def _averages(likeness: NDArray[np.float32], groups: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """(groups, groups): mean likeness of their members."""
    of = np.zeros(likeness.shape[0], dtype=np.int64)
    for number, rows in enumerate(groups):
        of[list(rows)] = number
    sizes = np.bincount(of, minlength=len(groups)).astype(np.float32)
    half = np.zeros((len(groups), likeness.shape[0]), dtype=np.float32)
    np.add.at(half, of, likeness)
    whole = np.zeros((len(groups), len(groups)), dtype=np.float32)
    np.add.at(whole.T, of, half.T)
    means: NDArray[np.float32] = whole / np.outer(sizes, sizes)
    return means


def _joined(
    means: NDArray[np.float32], groups: list[list[int]], seeds: NDArray[np.bool_], least: float
) -> list[list[int]]:
    """Joins the nearest two until none are near enough; `means` is changed."""
    none = np.float32(-1.0)
    np.fill_diagonal(means, none)
    means[np.ix_(seeds, seeds)] = none
    # Of each row its best partner, brought up to date where a join touched it: a full look at every step would be cubic.
    best = means.argmax(axis=1)
    height = means[np.arange(len(groups)), best]
    while len(groups) > 1:
        one = int(height.argmax())
        if height[one] < least:
            break
        one, other = sorted((one, int(best[one])))
        # Average linkage (Lance and Williams 1967): the mean over all pairs of members.
        mine, theirs = len(groups[one]), len(groups[other])
        row = (means[one] * mine + means[other] * theirs) / (mine + theirs)
        forbidden = (means[one] == none) | (means[other] == none)
        row[forbidden] = none
        means[one], means[:, one] = row, row
        means[other], means[:, other] = none, none
        groups[one] += groups[other]
        groups[other] = []
        touched = np.flatnonzero((best == one) | (best == other))
        for place in {one, other, *touched.tolist()}:
            best[place] = means[place].argmax()
            height[place] = means[place, best[place]]
        higher = np.flatnonzero(means[:, one] > height)
        best[higher], height[higher] = one, means[higher, one]
    return sorted((sorted(rows) for rows in groups if rows), key=lambda rows: rows[0])
