"""`saseo search-weights`: learn what the three legs of the search count from people's votes; look at it, take it back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bot.commands.output import as_json
from bot.commands.tools import Tools

if TYPE_CHECKING:
    from knowledge.learned_weights import Learned

_LEGS = {"morpheme": "형태소", "bigram": "글자쌍", "dense": "의미"}


@click.group("search-weights")
def search_weights() -> None:
    """사람들의 평가에서 검색 가중치를 배우고, 보고, 되돌립니다."""


@search_weights.command("learn")
@click.option("--json", "json_wanted", is_flag=True, help="JSON으로 출력합니다.")
@click.pass_obj
def learn(tools: Tools, json_wanted: bool) -> None:
    """평가가 충분하면 가중치를 새로 계산합니다. 다른 질문에서 나빠지면 쓰지 않습니다."""
    _say(tools, tools.learn_weights(), json_wanted)


@search_weights.command("show")
@click.option("--json", "json_wanted", is_flag=True, help="JSON으로 출력합니다.")
@click.pass_obj
def show(tools: Tools, json_wanted: bool) -> None:
    """배운 가중치와 그 근거를 보여 줍니다."""
    from knowledge.learned_weights import load

    learned = load(tools.settings().search_weights_file)
    if learned is None:
        click.echo(
            as_json(None) if json_wanted else "아직 배운 가중치가 없습니다. `saseo search-weights learn`으로 배웁니다."
        )
    else:
        _say(tools, learned, json_wanted)


@search_weights.command("reset")
@click.pass_obj
def reset(tools: Tools) -> None:
    """배운 가중치를 지웁니다. 다음에 열 때부터 설정한 값을 씁니다."""
    tools.settings().search_weights_file.unlink(missing_ok=True)
    click.echo("배운 가중치를 지웠습니다. 설정한 값을 씁니다.")


def _say(tools: Tools, learned: Learned, json_wanted: bool) -> None:
    used = learned.accepted and tools.settings().search.learn
    if json_wanted:
        click.echo(as_json(asdict(learned) | {"used": used}))
        return
    for leg, name in _LEGS.items():
        agreed = f"  (비교 {learned.pairs}쌍 중 {learned.agreed[leg]:.0%}에서 옳음)" if learned.agreed else ""
        click.echo(f"{name}: {learned.defaults[leg]:.3f} → {learned.weights[leg]:.3f}{agreed}")
    click.echo(
        f"평가 {learned.votes}건. 배우지 않은 질문 {learned.checked}건의 MRR: "
        f"{learned.mrr_before:.3f} → {learned.mrr_after:.3f} (차이의 하위 5 %: {learned.mrr_low:+.3f})"
    )
    if not learned.accepted:
        click.echo(f"쓰지 않습니다: {learned.reason}")
    elif not used:
        click.echo("[search] learn = true로 두면 이 값을 씁니다.")
    else:
        click.echo("이 값으로 검색합니다. 이미 실행 중인 서비스는 다음에 색인을 열 때부터 씁니다.")
