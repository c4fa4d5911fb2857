"""`saseo editions`: the published editions of the index; going back to an older one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bot.commands import index_texts as texts
from bot.commands.output import as_json, at_terminal
from bot.commands.tools import Tools

if TYPE_CHECKING:
    from knowledge.edition import Reopening, Shelved


@click.group("editions")
def editions() -> None:
    """게시한 색인을 보고, 이전 색인으로 되돌립니다."""


@editions.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def list_editions(tools: Tools, json_wanted: bool) -> None:
    """색인마다 만든 시각, 문서와 구절의 수, 크기, 보류한 출처를 보여 줍니다."""
    settings = tools.settings()
    zone, language = ZoneInfo(settings.jobs.timezone), settings.language
    shelved = tools.shelf().shelved()
    if json_wanted:
        click.echo(as_json([described(one) for one in shelved]))
        return
    if not shelved:
        click.echo(texts.no_editions(language))
        return
    for one in shelved:
        click.echo(texts.edition(one, zone, language))
    click.echo(texts.serving_mark(language))


@editions.command("rollback")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--reopen", is_flag=True, help="그 뒤에 범위를 좁혔거나 없앤 문서가 다시 열려도 되돌립니다.")
@click.option("--json", "json_wanted", is_flag=True, help="결과를 JSON 한 줄로 출력합니다.")
@click.pass_obj
def rollback(tools: Tools, name: str | None, reopen: bool, json_wanted: bool) -> None:
    """이전 색인(또는 NAME)으로 되돌립니다. 다음에 새 색인을 게시할 때까지 유지합니다."""
    from bot.store import audit  # late: it loads SQLAlchemy

    shelf = tools.shelf()
    reopened: dict[str, int] = {}

    def agreed(found: Reopening) -> bool:
        reopened.update(wider=found.wider, returned=found.returned)
        return reopen

    with tools.open_store() as store:
        before = next((one.manifest.edition for one in shelf.shelved() if one.serving), "")
        serving = shelf.roll_back(name, tools.made_with(), agreed)
        detail = {"from": before, **reopened}
        store.run_now(
            audit.record, by=at_terminal(), action="edition.rollback", subject=serving, detail=detail, now=time.time()
        )
    if json_wanted:
        click.echo(as_json({"edition": serving, **reopened}))
        return
    language = tools.settings().language
    click.echo(texts.rolled_back(serving, language))
    if reopened:
        click.secho(f"!! {texts.reopened(**reopened, language=language)}", err=True, fg="red", bold=True)


def described(one: Shelved) -> dict[str, object]:
    """One edition for scripts. `size` in bytes."""
    manifest = one.manifest
    return {
        "name": manifest.edition,
        "made": manifest.made,
        "pages": manifest.pages,
        "passages": manifest.passages,
        "sources": manifest.sources,
        "size": one.bytes,
        "serving": one.serving,
        "held_back": manifest.held_back,
        "recall@5": manifest.recall.at5 if manifest.recall else None,
    }
