"""`saseo index`: read the sources, publish an edition."""

from __future__ import annotations

import click

from bot.commands.output import as_json, progress_bars
from bot.commands.tools import Tools

_STEPS = {
    "ko": {"reading": "문서 읽기", "morphemes": "형태소 분석", "vectors": "벡터 계산", "publishing": "색인 게시"},
    "en": {"reading": "Reading pages", "morphemes": "Analysing", "vectors": "Embedding", "publishing": "Publishing"},
}


@click.command("index")
@click.option("--full", is_flag=True, help="캐시를 무시하고 처음부터 다시 만듭니다.")
@click.option("--json", "json_wanted", is_flag=True, help="결과를 JSON 한 줄로 출력합니다.")
@click.pass_obj
def index(tools: Tools, full: bool, json_wanted: bool) -> None:
    """위키 문서를 색인합니다."""
    language = tools.settings().language
    with progress_bars(quiet=json_wanted) as bar:
        report = tools.reindex(full, lambda step, done, total: bar(_STEPS[language][step], done, total))
    if json_wanted:
        failed = [
            {"page": page.page, "reason": page.error.explain(language), "source": page.source} for page in report.failed
        ]
        click.echo(
            as_json(
                {
                    "edition": report.edition,
                    "pages": report.pages,
                    "passages": report.passages,
                    "added": len(report.added),
                    "changed": len(report.changed),
                    "removed": len(report.removed),
                    "failed": failed,
                    "reused": report.reused,
                    "seconds": round(report.seconds, 3),
                }
            )
        )
        return
    for page in report.failed:
        click.secho(f"  ! {page.source}/{page.page}: {page.error.explain(language)}", err=True, fg="yellow")
    if language == "ko":
        what = "바뀐 문서가 없어 그대로 둡니다" if report.reused else "게시했습니다"
        click.echo(
            f"색인 {report.edition}: {what}. 문서 {report.pages}개, 구절 {report.passages}개 "
            f"(추가 {len(report.added)}, 변경 {len(report.changed)}, 삭제 {len(report.removed)}, "
            f"실패 {len(report.failed)}), {report.seconds:.1f}초"
        )
    else:
        what = "nothing changed" if report.reused else "published"
        click.echo(
            f"Edition {report.edition}: {what}. {report.pages} pages, {report.passages} passages "
            f"(+{len(report.added)} ~{len(report.changed)} -{len(report.removed)}, "
            f"{len(report.failed)} failed), {report.seconds:.1f} s"
        )
