"""`saseo evaluate`: measure the search, or whole answers, on a set of questions with known pages."""

from __future__ import annotations

from pathlib import Path

import click

from bot.commands.output import as_json, progress_bars
from bot.commands.tools import Tools


@click.command("evaluate")
@click.option(
    "--set", "set_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON Lines"
)
@click.option("--retrieval", is_flag=True, help="검색만 측정합니다(모델을 쓰지 않습니다).")
@click.option(
    "--lora", default="auto", show_default=True, help="측정할 LoRA 이름, none(기반 모델), auto(지금 답하는 LoRA)"
)
@click.option("--details", type=click.Path(dir_okay=False, path_type=Path), help="질문별 결과를 이 파일에 씁니다.")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def evaluate(tools: Tools, set_file: Path, retrieval: bool, lora: str, details: Path | None, json_wanted: bool) -> None:
    """질문 모음으로 검색이나 답변의 품질을 측정합니다."""
    label = {"ko": "질문", "en": "Questions"}[tools.settings().language]
    with progress_bars(quiet=json_wanted) as bar:
        report = tools.evaluate(
            set_file,
            retrieval=retrieval,
            lora=lora,
            details=details,
            progress=lambda done, total: bar(label, done, total),
        )
    click.echo(as_json(report) if json_wanted else "\n".join(_lines(report)))


def _lines(report: dict[str, object], indent: str = "") -> list[str]:
    """A plain table of the nested report: names on the left, values on the right."""
    lines = []
    for name, value in report.items():
        if isinstance(value, dict) and {"mean", "low", "high"} <= value.keys():
            mean, low, high = value["mean"], value["low"], value["high"]
            shown = "-" if mean is None else f"{mean:.3f}  [{low:.3f}, {high:.3f}]  n={value.get('n', '?')}"
            lines.append(f"{indent}{name:<28} {shown}")
        elif isinstance(value, dict):
            lines.append(f"{indent}{name}")
            lines += _lines(value, indent + "  ")
        else:
            lines.append(
                f"{indent}{name:<28} {value:.4g}" if isinstance(value, float) else f"{indent}{name:<28} {value}"
            )
    return lines
