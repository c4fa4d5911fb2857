"""`saseo index`: read the sources, publish an edition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.commands import index_texts as texts
from bot.commands.output import as_json, progress_bars
from bot.commands.tools import Tools
from bot.messages import Language

if TYPE_CHECKING:
    from knowledge.build import BuildReport


@click.command("index")
@click.option("--full", is_flag=True, help="캐시를 무시하고 처음부터 다시 만듭니다.")
@click.option("--dry-run", is_flag=True, help="무엇이 바뀌는지만 보고 게시하지 않습니다.")
@click.option("--source", "only", multiple=True, metavar="NAME", help="이 출처만 읽습니다(여러 번 쓸 수 있음).")
@click.option(
    "--accept",
    multiple=True,
    metavar="NAME",
    help="문서가 크게 줄어든 이 출처를 그대로 받아들입니다(여러 번 쓸 수 있음).",
)
@click.option("--json", "json_wanted", is_flag=True, help="결과를 JSON 한 줄로 출력합니다.")
@click.pass_obj
def index(
    tools: Tools, full: bool, dry_run: bool, only: tuple[str, ...], accept: tuple[str, ...], json_wanted: bool
) -> None:
    """위키 문서를 색인합니다."""
    from knowledge.build import BuildRequest

    language = tools.settings().language
    request = BuildRequest(full=full, only=only, accept=frozenset(accept), dry_run=dry_run)
    with progress_bars(quiet=json_wanted) as bar:
        report = tools.reindex(request, lambda step, done, total: bar(texts.step(step, language), done, total))
    if json_wanted:
        click.echo(as_json(described(report, language)))
    else:
        for page in report.failed:
            click.secho(f"  ! {texts.failed(page, language)}", err=True, fg="yellow")
        if dry_run:
            for line in texts.changes(report, language):
                click.echo(line)
        click.echo(texts.summary(report, language))
    for held in report.held_back:  # with --json, too: on standard error
        click.secho(f"!! {texts.held_back(held, language)}", err=True, fg="red", bold=True)


def described(report: BuildReport, language: Language) -> dict[str, Any]:
    """A run for scripts; the pages by name only where nothing was published."""
    found: dict[str, Any] = {
        "edition": report.edition,
        "pages": report.pages,
        "passages": report.passages,
        "added": len(report.added),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "moved": [{"source": one.source, "from": one.before, "to": one.now} for one in report.moved],
        "failed": [
            {
                "page": page.page,
                "reason": page.error.explain(language),
                "source": page.source,
                "kept": page.kept,
                "tries": page.tries,
            }
            for page in report.failed
        ],
        "held_back": [
            {"source": one.source, "reason": one.error.explain(language), "before": one.before, "now": one.now}
            for one in report.held_back
        ],
        "reused": report.reused,
        "rolled_back": report.rolled_back,
        "recall@5": report.recall.at5 if report.recall else None,
        "dry_run": report.dry_run,
        "seconds": round(report.seconds, 3),
    }
    if report.dry_run:
        found["names"] = {
            "added": list(report.added),
            "changed": list(report.changed),
            "removed": list(report.removed),
        }
    return found
