"""The course of the losses as a picture: one SVG, no library, readable in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 320, 52, 36, 28, 16
_LINES = 4
_BLUE, _ORANGE, _GREY = "#3b78c4", "#d1700f", "#888888"


def loss_svg(losses: Sequence[float], held_out: Sequence[tuple[int, float]]) -> str:
    """`losses`: of step 1, 2, …, nats per answer token; `held_out`: (steps done, loss). Without any, an empty frame."""
    highest = max([*losses, *(loss for _, loss in held_out), 1e-9])
    steps = max(len(losses), *(step for step, _ in held_out), 1) if held_out else max(len(losses), 1)

    def at(step: float, loss: float) -> str:
        x = _LEFT + step / steps * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - loss / highest * (_HEIGHT - _BOTTOM - _TOP)
        return f"{x:.1f},{y:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11">'
    ]
    for line in range(_LINES + 1):
        loss = highest * line / _LINES
        (x, y), (end, _) = (at(step, loss).split(",") for step in (0, steps))
        parts.append(f'<line x1="{x}" y1="{y}" x2="{end}" y2="{y}" stroke="{_GREY}" stroke-opacity="0.3"/>')
        parts.append(_text(_LEFT - 6, float(y) + 4, f"{loss:.2f}", "end"))
    for step in sorted({0, round(steps / 2), steps}):
        parts.append(_text(float(at(step, 0).split(",")[0]), _HEIGHT - _BOTTOM + 16, str(step), "middle"))
    course = " ".join(at(step, loss) for step, loss in enumerate(losses, start=1))
    parts.append(f'<polyline points="{course}" fill="none" stroke="{_BLUE}" stroke-width="1.5"/>')
    seen = " ".join(at(step, loss) for step, loss in held_out)
    parts.append(f'<polyline points="{seen}" fill="none" stroke="{_ORANGE}" stroke-width="1.5"/>')
    for step, loss in held_out:
        x, y = at(step, loss).split(",")
        parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{_ORANGE}"/>')
    parts.append(_text(_LEFT, 16, "학습 손실 · training loss", "start", _BLUE))
    parts.append(_text(_WIDTH - _RIGHT, 16, "검증 손실 · held-out loss", "end", _ORANGE))
    parts.append(_text((_WIDTH + _LEFT) / 2, _HEIGHT - 6, "단계 · step", "middle"))
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, text: str, anchor: str, colour: str = _GREY) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
