"""What a citation says of its place, from a paged file to what people read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.discord import render as discord
from adapters.slack import render as slack
from bot import texts
from bot.answering.flow import AnswerFlow
from bot.live import Live
from bot.messages import Citation, Outcome, Question
from knowledge.formats import KNOWN_SUFFIXES
from tests.conftest import Indexer
from tests.fakes.pdf_maker import make_pdf

PAGES = [
    ["취업규칙 표지"],
    ["연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다."],
    ["출장비는 복귀 후 5일 안에 정산합니다."],
]


@pytest.fixture
def flow(indexer: Indexer, wiki: Path) -> AnswerFlow:
    (wiki / "취업규칙.pdf").write_bytes(make_pdf(PAGES))
    (wiki / "휴가.md").unlink()
    indexer.build()
    index = indexer.open()
    live = Live(index, index.analyser, None, "extractive", None, "test", 2.0)
    return AnswerFlow(lambda: live)


async def test_an_answer_from_a_pdf_names_the_page_everywhere(flow: AnswerFlow) -> None:
    answer = await flow.answer(Question("연차는 며칠 전까지 신청합니까?", id="q"))
    assert answer.outcome is Outcome.ANSWERED
    cited = next(one for one in answer.citations if one.page == "취업규칙.pdf")
    assert cited.part == "2쪽"
    assert "2쪽" in texts.closing(answer, "ko")
    assert "2쪽" in slack.page(cited)
    assert "2쪽" in discord._title(cited, None)
    assert '"part": "2쪽"' in json.dumps(answer.as_json(), ensure_ascii=False)
    (nearest, *_) = await flow.nearest(Question("연차는 며칠 전까지 신청합니까?", id="q", language="en"), 1)
    assert nearest.part == "p. 2"


@pytest.mark.parametrize(
    ("page", "ko", "en"),
    [
        ("a.pdf", "3쪽", "p. 3"),
        ("A.PPTX", "슬라이드 3", "slide 3"),
        ("b/c.xlsx", "시트 3", "sheet 3"),
        ("이름", "3쪽", "p. 3"),
    ],
)
def test_a_part_is_named_as_people_name_it(page: str, ko: str, en: str) -> None:
    assert (texts.part(page, 3, "ko"), texts.part(page, 3, "en")) == (ko, en)
    assert texts.part(page, None, "ko") == ""
    assert {".pptx", ".xlsx", ".pdf"} <= set(KNOWN_SUFFIXES)


def test_heading_and_part_stand_together() -> None:
    assert Citation(1, "a.pdf", "규정", None, "", "휴가", "3쪽").where == "휴가 · 3쪽"
    assert Citation(1, "a.md", "규정", None, "", "휴가").where == "휴가"
