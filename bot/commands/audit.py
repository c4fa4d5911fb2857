"""`saseo audit`: who did what to what, and whether that record is whole."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.commands import privacy_texts as texts
from bot.commands.output import as_json, at_terminal, json_option
from bot.commands.tools import Tools
from bot.errors import CopyNotWritable


@click.group("audit")
def audit() -> None:
    """관리 작업과 내보내기의 감사 기록을 보고, 검증하고, 내보냅니다."""


@audit.command("list")
@click.option("--most", type=click.IntRange(1, 10_000), default=50, show_default=True, help="보여 줄 기록의 수.")
@click.option("--before", type=int, help="이 번호보다 앞의 기록만 보여 줍니다.")
@click.option("--action", default="", help="이 작업만 보여 줍니다. 점으로 끝나면 그것으로 시작하는 작업(예: privacy.).")
@click.option("--subject", default="", help="이 대상의 기록만 보여 줍니다(예: 사람의 가명).")
@json_option
@click.pass_obj
def list_entries(tools: Tools, most: int, before: int | None, action: str, subject: str, json_wanted: bool) -> None:
    """새 기록부터 보여 줍니다."""
    from bot.store import audit as kept

    with tools.open_store() as store:
        found = store.run_now(kept.entries, most=most, before=before, action=action, subject=subject)
    settings = tools.settings()
    if json_wanted:
        click.echo(as_json([one.as_json() for one in found]))
        return
    for one in found:
        click.echo(texts.entry(one, ZoneInfo(settings.jobs.timezone)))
    if not found:
        click.echo(texts.no_entries(settings.language))


@audit.command("verify")
@click.option("--known", default="", help="전에 적어 둔 마지막 해시. 그때까지의 기록이 그대로인지도 확인합니다.")
@json_option
@click.pass_context
def verify(context: click.Context, known: str, json_wanted: bool) -> None:
    """기록이 바뀌거나 빠지지 않았는지 해시를 따라 확인합니다. 이상이 있으면 1로 끝납니다."""
    from bot.store import audit as kept

    tools: Tools = context.obj
    with tools.open_store() as store:
        found = store.run_now(kept.verify, known)
    if json_wanted:
        click.echo(
            as_json(
                {
                    "whole": found.whole,
                    "entries": found.entries,
                    "head": found.head,
                    "broken": found.broken,
                    "reason": found.reason,
                }
            )
        )
    else:
        click.secho(
            texts.verified(found, tools.settings().language),
            fg="red" if not found.whole and sys.stdout.isatty() else None,
        )
    if not found.whole:
        context.exit(1)


@audit.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def export(tools: Tools, file: Path, json_wanted: bool) -> None:
    """모든 기록을 JSON Lines 파일로 내보냅니다. 내보낸 것도 기록합니다."""
    from bot.store import audit as kept
    from knowledge.editions.files import whole

    count, head, last = 0, kept.START, 0
    with tools.open_store() as store:
        try:
            with whole(file) as unfinished, unfinished.open("w", encoding="utf-8") as out:
                while page := store.run_now(kept.following, last):
                    out.writelines(as_json(one.as_json()) + "\n" for one in page)
                    count, head, last = count + len(page), page[-1].hash, page[-1].id
        except OSError as error:
            raise CopyNotWritable(path=file, reason=error.strerror or type(error).__name__) from error
        detail = {"entries": count, "head": head}
        store.run_now(kept.record, by=at_terminal(), action="audit.export", detail=detail, now=time.time())
    if json_wanted:
        click.echo(as_json({"path": str(file), "entries": count, "head": head}))
    else:
        click.echo(texts.audit_exported(str(file), count, head, tools.settings().language))
