"""The picture of the losses is a picture, whatever the losses are."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from jobs.tuning.loss_plot import loss_svg

SPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("losses", "held_out"),
    [([2.0, 1.0, 0.5], [(0, 2.5), (3, 0.75)]), ([], []), ([1.0], []), ([], [(0, 2.0)]), ([0.0, 0.0], [(2, 0.0)])],
)
def test_every_loss_is_a_point_within_the_frame(losses: list[float], held_out: list[tuple[int, float]]) -> None:
    root = ET.fromstring(loss_svg(losses, held_out))  # noqa: S314  # our own
    course, seen = (line.get("points", "").split() for line in root.iter(f"{SPACE}polyline"))
    assert (len(course), len(seen)) == (len(losses), len(held_out))
    assert len(list(root.iter(f"{SPACE}circle"))) == len(held_out)
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for point in (*course, *seen):
        x, y = map(float, point.split(","))
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_a_lower_loss_stands_lower_and_a_later_step_further_right() -> None:
    root = ET.fromstring(loss_svg([2.0, 1.0], []))  # noqa: S314
    [first, second] = next(root.iter(f"{SPACE}polyline")).get("points", "").split()
    (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in (first, second))
    assert x1 < x2
    assert y1 < y2
