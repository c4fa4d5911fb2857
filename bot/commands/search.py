"""`saseo search`: what the index finds, with the scores explained. No model writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import texts
from bot.commands.batch import Asked, groups_of, read_batch, typed
from bot.commands.output import as_json
from bot.commands.tools import Tools

if TYPE_CHECKING:
    from knowledge.search import Found, Hit, SearchIndex, Understood

_WHY = {
    "glossary": "용어집",
    "keys": "한/영 전환",
    "spacing": "띄어쓰기",
    "spelling": "오타",
}


@click.command("search")
@click.argument("question", required=False)
@click.option("-k", "count", default=10, show_default=True, type=click.IntRange(1, 100), help="결과 수")
@click.option("--as", "as_group", help="이 그룹의 사람으로 검색합니다(여럿이면 쉼표).")
@click.option("--passages", is_flag=True, help="문서마다 하나가 아니라 구절마다 결과를 냅니다.")
@click.option("--batch", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON Lines 파일")
@click.option("--json", "json_wanted", is_flag=True, help="JSON으로 출력합니다.")
@click.pass_obj
def search(
    tools: Tools,
    question: str | None,
    count: int,
    as_group: str | None,
    passages: bool,
    batch: Path | None,
    json_wanted: bool,
) -> None:
    """위키에서 찾습니다(답변은 쓰지 않습니다)."""
    if (question is None) == (batch is None):
        raise click.UsageError("질문 하나를 주거나 --batch FILE을 주십시오.")
    if batch is not None:
        asked = read_batch(batch, groups_of(as_group))
        index = tools.open_index(None)
        for one in asked:
            click.echo(as_json({"question": one.question, "results": _results(_found(index, one, count, passages))}))
        return
    index = tools.open_index(None)
    found = _found(index, Asked(typed(question), groups_of(as_group), ()), count, passages)
    if json_wanted:
        click.echo(as_json(_results(found)))
        return
    results = _results(found)
    for said in _understood(found.understood):
        click.echo(said)
    if not results:
        click.echo("찾은 문서가 없습니다.")
    for shown in results:
        places = [shown["heading"], texts.part(str(shown["page"]), shown["page_number"], "ko")]
        where = " · ".join(str(place) for place in places if place)
        click.secho(f"{shown['rank']:>2}. {shown['title']}{f' > {where}' if where else ''}", bold=True)
        click.echo(
            f"    {shown['page']}  점수 {shown['score']:.3f} (낱말 {shown['lexical']:.2f}, 의미 {shown['dense']:.3f}, "
            f"질문 낱말 포함률 {shown['coverage']:.0%})"
        )
        click.echo("    " + " ".join(str(shown["text"]).split())[:160])


def _understood(understood: Iterable[Understood]) -> list[str]:
    """One line per thing that was also searched in other words."""
    return [f"‘{one.written}’ → ‘{one.meant}’(으)로도 찾았습니다({_WHY[one.reading]})." for one in understood]


def _results(found: Found) -> list[dict[str, Any]]:
    """Each result says for itself how the question was read: a list of results is all that scripts get."""
    understood = [asdict(one) for one in found.understood]
    return [{**_as_dict(rank, hit), "understood": understood} for rank, hit in enumerate(found.hits, start=1)]


def _found(index: SearchIndex, asked: Asked, count: int, passages: bool) -> Found:
    from bot.answering.condense import condense
    from knowledge.page import reader_of

    reader = reader_of(asked.groups)
    question, _ = condense(asked.question, asked.turns, index.analyser, idf=index.rarity(reader))
    return index.search(question, reader, count, one_per_page=not passages)


def _as_dict(rank: int, hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "rank": rank,
        "page": passage.page,
        "title": passage.title,
        "url": passage.url,
        "heading": " > ".join(passage.heading),
        "page_number": passage.page_number,
        "text": passage.text,
        "score": round(hit.score, 4),
        "lexical": round(hit.lexical, 4),
        "dense": round(hit.dense, 4),
        "coverage": round(hit.coverage, 4),
        "legs": {leg: round(share, 4) for leg, share in sorted(hit.shares.items())},
        "source": passage.source,
        "replaced_by": passage.replaced_by,
    }
