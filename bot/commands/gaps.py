"""`saseo gaps`: what people ask about and the wiki does not answer: list, show, export, decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from bot.commands import gap_texts as texts
from bot.commands.output import as_json, at_terminal, write_private
from bot.commands.tools import Tools
from bot.errors import GapsNotWritable
from bot.gaps.gap import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.examples.pages import EditionPages
    from bot.gaps.detail import Detail, Sight
    from bot.gaps.exports import Format
    from bot.store.database import Store

_states = click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(get_args(State)),
    help="이 상태의 빈틈만. 여러 번 쓸 수 있습니다.",
)
_groups = click.option("--as", "groups", multiple=True, metavar="GROUP", help="이 그룹이 읽는 문서의 제목까지 봅니다.")
_json = click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")


@click.group("gaps")
def gaps() -> None:
    """사람들이 묻지만 위키가 답하지 못하는 내용(빈틈)을 보고, 내보내고, 닫습니다."""


@gaps.command("list")
@_states
@_groups
@_json
@click.pass_obj
def list_gaps(tools: Tools, states: Sequence[str], groups: Sequence[str], json_wanted: bool) -> None:
    """빈틈을 무거운 것부터 보여 줍니다. 상태를 주지 않으면 열려 있는 것만 보여 줍니다."""
    from bot.gaps.detail import seen
    from bot.gaps.exports import as_json as described
    from bot.store import gaps as rows

    language = tools.settings().language
    sight = _sight(tools, groups)
    with tools.open_store() as store:
        found = [seen(one, sight) for one in store.run_now(rows.every, states=states or ("open",))]
    if json_wanted:
        click.echo(as_json([described(one) for one in found]))
        return
    for one in found:
        click.echo(texts.line(one, language))
        if one.nearest:
            click.echo(f"    {texts.near(one, language)}")
    if not found:
        click.echo(texts.nothing(language))


@gaps.command("show")
@click.argument("gap")
@_groups
@_json
@click.pass_obj
def show(tools: Tools, gap: str, groups: Sequence[str], json_wanted: bool) -> None:
    """한 빈틈의 질문과, 어떤 문서를 쓰면 좋을지 초안을 보여 줍니다."""
    from bot.gaps.drafting import draft_of
    from bot.gaps.exports import detail_as_json

    language = tools.settings().language
    with tools.open_store() as store:
        detail = _detail(_pages(tools), store, gap, _sight(tools, groups))
    if json_wanted:
        click.echo(as_json(detail_as_json(detail, language)))
        return
    click.echo(texts.head(detail.gap, language))
    if detail.gap.answered_page:
        click.echo(texts.answered(f"{detail.gap.answered_source}/{detail.gap.answered_page}", language))
    click.echo()
    click.echo(draft_of(detail, language), nl=False)


@gaps.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "csv", "json"]),
    default="md",
    show_default=True,
    help="파일 형식. md: 초안 모음, csv: 표 계산 프로그램용, json: 전부.",
)
@_states
@_groups
@_json
@click.pass_obj
def export(
    tools: Tools, file: Path, form: Format, states: Sequence[str], groups: Sequence[str], json_wanted: bool
) -> None:
    """빈틈을 파일로 내보냅니다. 개인정보는 가리고, 비공개 질문의 내용은 싣지 않습니다."""
    from bot.gaps import exports
    from bot.gaps.exports import write
    from bot.store import gaps as rows
    from knowledge.editions.files import sha256

    language, sight = tools.settings().language, _sight(tools, groups)
    with tools.open_store() as store:
        chosen = store.run_now(rows.every, states=states or ("open",))
        pages = _pages(tools)
        details = [_detail(pages, store, one.id, sight) for one in chosen]
        try:
            write_private(file, write(details, form, language))
        except OSError as error:
            raise GapsNotWritable(path=file, reason=error.strerror or type(error).__name__) from error
        counted = {"format": form, "gaps": len(details)}

        def note(connection: Connection) -> None:
            held = exports.held(connection, [one.id for one in chosen])
            exports.note(
                connection, str(file.resolve()), sha256(file), held, by=at_terminal(), detail=counted, now=time.time()
            )

        store.run_now(note)
    if json_wanted:
        click.echo(as_json({"path": str(file), **counted}))
    else:
        click.echo(texts.exported(len(details), str(file), language))


@gaps.command("close")
@click.argument("gap")
@_json
@click.pass_obj
def close(tools: Tools, gap: str, json_wanted: bool) -> None:
    """빈틈이 아니거나 채울 필요가 없는 것을 닫습니다."""
    from bot.gaps import decisions

    _decide(
        tools, gap, lambda connection: decisions.close(connection, gap, by=at_terminal(), now=time.time()), json_wanted
    )


@gaps.command("reopen")
@click.argument("gap")
@_json
@click.pass_obj
def reopen(tools: Tools, gap: str, json_wanted: bool) -> None:
    """닫았거나, 미뤘거나, 문서가 답한 것으로 된 빈틈을 다시 엽니다."""
    from bot.gaps import decisions

    _decide(
        tools, gap, lambda connection: decisions.reopen(connection, gap, by=at_terminal(), now=time.time()), json_wanted
    )


@gaps.command("snooze")
@click.argument("gap")
@click.option(
    "--days", type=click.FloatRange(min=1, max=366), default=30, show_default=True, help="이만큼 지나면 다시 엽니다."
)
@_json
@click.pass_obj
def snooze(tools: Tools, gap: str, days: float, json_wanted: bool) -> None:
    """빈틈을 얼마 동안 미룹니다."""
    from bot.gaps import decisions

    _decide(
        tools,
        gap,
        lambda connection: decisions.snooze(connection, gap, days, by=at_terminal(), now=time.time()),
        json_wanted,
    )


@gaps.command("rename")
@click.argument("gap")
@click.argument("name")
@_json
@click.pass_obj
def rename(tools: Tools, gap: str, name: str, json_wanted: bool) -> None:
    """빈틈에 알아보기 쉬운 이름을 붙입니다. 빈 이름을 주면 질문에서 만든 이름으로 돌아갑니다."""
    from bot.gaps import decisions

    _decide(
        tools,
        gap,
        lambda connection: decisions.rename(connection, gap, name, by=at_terminal(), now=time.time()),
        json_wanted,
    )


def _decide(tools: Tools, gap: str, work: Callable[[Connection], None], json_wanted: bool) -> None:
    from bot.gaps.detail import seen
    from bot.gaps.exports import as_json as described
    from bot.store import gaps as rows

    with tools.open_store() as store:
        store.run_now(work)
        found = store.run_now(rows.get, gap)
    if found is None:
        return
    if json_wanted:
        click.echo(as_json(described(seen(found, _sight(tools, ())))))
    else:
        click.echo(texts.changed(gap, found.state, tools.settings().language))


def _sight(tools: Tools, groups: Sequence[str]) -> Sight:
    from bot.gaps.detail import Sight

    return Sight(tools.settings().web.texts, frozenset(groups))


def _pages(tools: Tools) -> EditionPages:
    """Of the serving edition. Without one nobody can say who may read a page: then nobody may."""
    from bot.examples.pages import EditionPages
    from knowledge.errors import BrokenEdition, NoEdition

    try:
        return EditionPages(tools.shelf().open().passages)
    except (NoEdition, BrokenEdition):
        return EditionPages(())


def _detail(pages: EditionPages, store: Store, gap: str, sight: Sight) -> Detail:
    from bot.examples.masking import mask
    from bot.gaps.detail import read, shown

    material = store.run_now(read, gap)
    allowed = [page for page in material.pages if pages.may_read(*page, sight.groups)]
    return shown(material, sight, lambda text: mask(text).text, allowed)
