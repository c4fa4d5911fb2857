"""A verdict as a picture: on the left every difference with its interval and, shaded, where a guard fails; on the right before and after.

In English, since matplotlib's own font has no Hangul. No pyplot, so no display and no figure that outlives the call.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.gate import texts
from jobs.gate.comparison import Comparison
from jobs.gate.verdict import Decision, Guard, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: to be told apart by everyone; each state has a shape of its own as well.
_BLUE, _GREEN, _ORANGE, _RED, _GREY = "#0072B2", "#009E73", "#E69F00", "#D55E00", "#8A8F98"
_INK, _FAINT, _SHADE = "#222222", "#D9DCE1", "#F6D5C3"
_STATES = {"held": (_GREEN, "o"), "broken": (_RED, "X"), "unclear": (_ORANGE, "s"), "aside": (_GREY, "o")}
_WORDS = {
    Decision.PASSED: ("passed", _GREEN),
    Decision.UNFAITHFUL: ("not passed: does not answer as trained", _RED),
    Decision.WORSE: ("not passed: worse", _RED),
    Decision.NOT_BETTER: ("not passed: no better", _RED),
    Decision.NOT_ENOUGH: ("not passed: not enough questions to tell", _ORANGE),
}
_Row = tuple[Comparison, Guard | None]


def write_plot(verdict: Verdict, path: Path) -> None:
    """SVG or PNG, by the name. The same verdict gives the same file. An OSError is the caller's."""
    import matplotlib

    plain: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "saseo",
        "font.size": 9.5,
        "text.color": _INK,
        "axes.labelcolor": _INK,
    }
    with matplotlib.rc_context(plain), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a LoRA may have a Korean name
        figure = _figure(verdict)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata, dpi=150)


def _figure(verdict: Verdict) -> Figure:
    from matplotlib.figure import Figure

    guards = {guard.comparison.measure: guard for guard in verdict.guards}
    rows: list[_Row] = [(verdict.main, None)]
    rows += [(one, guards.get(one.measure)) for one in verdict.measures[1:] if one.difference is not None]
    shares = [row for row in rows if row[0].as_ == "share"]
    ratios = [row for row in rows if row[0].as_ != "share"]
    height = 2.1 + 0.34 * (len(shares) + len(ratios)) + (0.75 if ratios else 0)
    figure = Figure(figsize=(11.5, height), facecolor="white")
    _title(figure, verdict, height)
    heights = [len(shares) + 0.6] + ([len(ratios) + 0.6] if ratios else [])
    grid = figure.add_gridspec(
        len(heights), 2, width_ratios=[1.5, 1], height_ratios=heights,
        left=0.29, right=0.975, top=1 - 1.0 / height, bottom=0.85 / height, wspace=0.06, hspace=2.4 / height,
    )  # fmt: skip
    for at, (some, unit) in enumerate([(shares, "share of questions"), (ratios, "relative to now")][: len(heights)]):
        left, right = figure.add_subplot(grid[at, 0]), figure.add_subplot(grid[at, 1])
        _differences(left, some, verdict.main, unit)
        (_before_and_after if at == 0 else _values)(right, some)
    _legend(figure, verdict, height)
    return figure


def _title(figure: Figure, verdict: Verdict, height: float) -> None:
    word, colour = _WORDS[verdict.decision]
    sides = f"{texts.side(verdict.candidate.name, 'en')} against {texts.side(verdict.present.name, 'en')}"
    figure.text(0.02, 1 - 0.32 / height, sides, fontsize=14, fontweight="bold", va="center")
    figure.text(0.975, 1 - 0.32 / height, word, fontsize=12, fontweight="bold", color=colour, va="center", ha="right")
    settings = verdict.settings
    basis = (
        f"{texts.basis(verdict, 'en')} Lines: {settings.confidence:.0%} intervals; for guards {settings.guard_confidence:.0%}, "
        "which must stay out of the shaded part."
    )
    figure.text(0.02, 1 - 0.62 / height, basis, color="#555B66", va="center")


def _differences(axes: Axes, rows: list[_Row], main: Comparison, unit: str) -> None:
    """Turned so that right is better, whatever the measure."""
    ends = [0.0]
    for one, guard in rows:
        ends += [*(one.gain_bounds or ()), one.gain or 0.0, *([-guard.margin] if guard else [])]
    spread = max(max(ends) - min(ends), 0.05)
    left, right = min(ends) - 0.06 * spread, max(ends) + 0.06 * spread
    for at, (one, guard) in enumerate(rows):
        y, gain = -at, one.gain
        colour, shape = _STATES[guard.state] if guard else (_BLUE, "D") if one is main else (_GREY, "o")
        if guard is not None:
            axes.barh(y, -guard.margin - left, left=left, height=0.86, color=_SHADE, linewidth=0, zorder=0)
        if one.gain_bounds is not None:
            axes.plot(one.gain_bounds, [y, y], color=colour, linewidth=3.2 if one is main else 2, solid_capstyle="butt")
        if gain is not None:
            axes.plot([gain], [y], shape, color=colour, markersize=9 if one is main else 7, markeredgecolor="white")
    axes.axvline(0, color=_INK, linewidth=0.9, zorder=1)
    axes.set_xlim(left, right)
    axes.set_yticks([-at for at in range(len(rows))], [texts.measure(one.measure, "en") for one, _ in rows])
    for label, (one, _) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if one is main else "normal")
    axes.set_xlabel(f"← worse     gain, {unit}     better →")
    _tidy(axes, len(rows))


def _before_and_after(axes: Axes, rows: list[_Row]) -> None:
    for at, (one, _) in enumerate(rows):
        if one.present is None or one.candidate is None:
            continue
        better = one.gain is not None and one.gain >= 0
        colour = _BLUE if better else _RED
        axes.plot([one.present, one.candidate], [-at, -at], color=colour, linewidth=2, alpha=0.45, zorder=2)
        axes.plot([one.present], [-at], "o", color="white", markeredgecolor="#555B66", markersize=6.5, zorder=3)
        axes.plot([one.candidate], [-at], "o", color=colour, markersize=6.5, zorder=4)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("before (hollow) and after, 0 to 1")
    axes.set_yticks([])
    _tidy(axes, len(rows))


def _values(axes: Axes, rows: list[_Row]) -> None:
    """Characters and seconds share no scale: said in figures."""
    for at, (one, _) in enumerate(rows):
        unit = "characters" if one.measure == "length" else "s"
        axes.text(0.03, -at, f"{one.present:.1f} → {one.candidate:.1f} {unit}", va="center")
    axes.set_xlim(0, 1)
    axes.set_yticks([])
    axes.set_xticks([])
    _tidy(axes, len(rows))


def _tidy(axes: Axes, rows: int) -> None:
    axes.set_ylim(-rows + 0.45, 0.55)
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)


def _legend(figure: Figure, verdict: Verdict, height: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    words = {"held": "guard held", "broken": "guard broken", "unclear": "guard: cannot tell"}
    states = [state for state in words if any(guard.state == state for guard in verdict.guards)]
    marks: list[Line2D | Patch] = [Line2D([], [], color=_BLUE, marker="D", linewidth=3, label="main measure")]
    marks += [
        Line2D([], [], color=_STATES[state][0], marker=_STATES[state][1], linewidth=2, label=words[state])
        for state in states
    ]
    marks += [
        Line2D([], [], color=_GREY, marker="o", linewidth=2, label="not guarded"),
        Patch(color=_SHADE, label="worse than the margin"),
    ]
    figure.legend(
        handles=marks, loc="lower left", bbox_to_anchor=(0.012, 0.0), ncols=len(marks), frameon=False, fontsize=9
    )
