"""`saseo search` says what it also looked for, and why."""

from __future__ import annotations

import json
from types import SimpleNamespace

from click.testing import CliRunner

from bot.commands.search import search
from knowledge.search import SearchIndex


def said(index: SearchIndex, *arguments: str) -> str:
    """What the command prints over this index."""
    done = CliRunner().invoke(search, arguments, obj=SimpleNamespace(open_index=lambda _: index))
    assert done.exit_code == 0, done.output
    return done.output


def test_what_was_put_right_is_told_before_the_results(index: SearchIndex) -> None:
    first = said(index, "dusck 신청").splitlines()[0]
    assert first == "‘dusck’ → ‘연차’(으)로도 찾았습니다(한/영 전환)."


def test_scripts_get_it_with_every_result(index: SearchIndex) -> None:
    found = json.loads(said(index, "dusck 신청", "--json"))
    assert found[0]["understood"] == [{"reading": "keys", "written": "dusck", "meant": "연차"}]
    assert json.loads(said(index, "연차 신청", "--json"))[0]["understood"] == []
