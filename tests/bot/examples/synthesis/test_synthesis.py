"""Examples from a wiki: the same every time, answered by what is shown or by nothing of it, from open pages only."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot import prompts
from bot.examples.example import Example
from bot.examples.grounding import SentenceGrounding
from bot.examples.masking import mask
from bot.examples.pages import EditionPages
from bot.examples.problems import problems
from bot.examples.synthesis import missing
from bot.examples.synthesis.facts import facts_of
from bot.examples.synthesis.rewording import usable
from bot.examples.synthesis.synthesis import Rewording, over
from knowledge.korean import Analyser
from knowledge.search import SearchIndex
from tests.conftest import Indexer, write_wiki

ROOMS = "# 회의실 예약\n\n| 이름 | 층 | 인원 |\n| --- | --- | --- |\n" + "".join(
    f"| {name} | {floor}층 | {people}명 |\n"
    for name, floor, people in (("두물", 7, 4), ("마루", 8, 12), ("너울", 9, 10), ("가온", 6, 8))
)
WIKI = {
    "회의실.md": f"{ROOMS}\n## 예약 규칙\n\n회의실 예약은 한 번에 최대 2시간까지 할 수 있습니다. 시작 후 10분 안에 입실을 누르지 않으면 "
    "예약이 자동으로 취소됩니다.\n\n## 고장 신고\n\n회의실 화면이 고장 나면 총무팀에 알려 주십시오.\n",
    "장비.md": "# 장비 대여\n\n빔프로젝터는 최대 14일까지 빌릴 수 있습니다. 파손되면 수리비의 30%를 본인이 부담합니다.\n\n"
    "## 반납\n\n교체로 새 장비를 받으면 5영업일 안에 이전 장비를 반납합니다.\n",
    "휴가.md": "# 연차 규정\n\n연차는 사용일 3영업일 전까지 신청합니다.\n\n## 자주 묻는 질문\n\n"
    "**팀원 여럿이 함께 연차를 써도 되나요?** 팀 인원의 절반까지가 기준입니다.\n\n담당은 김민수 대리이며 010-1234-5678로 전화합니다.\n",
    "연봉.md": "---\naudience: [hr]\n---\n# 연봉 밴드\n\n책임 직급의 연봉 상한은 9,100만 원으로 정합니다.\n",
}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory, analyser: Analyser) -> SearchIndex:
    folder: Path = tmp_path_factory.mktemp("synthesis")
    indexer = Indexer(write_wiki(folder / "wiki", WIKI), folder / "data", analyser)
    indexer.build()
    return indexer.open()


def made(index: SearchIndex, count: int = 40, seed: int = 0, rewording: Rewording | None = None) -> list[Example]:
    pages = EditionPages(index.edition.passages)
    grounding = SentenceGrounding(index.analyser, index.idf)
    synthesis = replace(over(index, pages, grounding, mask, most=4, characters=550), rewording=rewording)
    told: list[int] = []
    found = list(synthesis.examples(pages.open_passages(), count, seed, now=1.0, progress=told.append))
    assert told == list(range(1, len(found) + 1))
    return found


@pytest.fixture(scope="module")
def examples(rooms: SearchIndex) -> list[Example]:
    return made(rooms)


def test_the_same_wiki_and_seed_give_the_same_examples(rooms: SearchIndex, examples: list[Example]) -> None:
    assert made(rooms) == examples
    assert len({one.id for one in examples}) == len(examples) > 15
    assert [one.question for one in made(rooms, seed=1)] != [one.question for one in examples]


def test_every_answer_may_be_approved_and_cites_what_carries_it(rooms: SearchIndex, examples: list[Example]) -> None:
    grounding = SentenceGrounding(rooms.analyser, rooms.idf)
    answered = [one for one in examples if one.answer != prompts.REFUSAL]
    assert answered
    for one in examples:
        assert problems(one, grounding) == ()
        assert (one.kind, one.state, one.people) == ("synthetic", "pending", ())
    for one in answered:
        [mark] = set(re.findall(r"\[(\d+)\]", one.answer))
        for number in re.findall(r"\d+", re.sub(r"\[\d+\]", "", one.answer)):
            assert number in one.passages[int(mark) - 1].text


def test_the_right_passage_is_not_always_the_first(rooms: SearchIndex) -> None:
    several = [one for seed in range(4) for one in made(rooms, seed=seed) if len(one.passages) > 1]
    marks = {one.answer[-3] for one in several if one.answer != prompts.REFUSAL}
    assert len(marks) > 1


def test_what_is_refused_is_near_but_not_there(examples: list[Example]) -> None:
    values = {"몇 층": r"{key} \| \d층", "몇 명": r"{key} \| \d+층 \| \d+명"}
    refused = [one for one in examples if one.answer == prompts.REFUSAL]
    assert len(refused) >= 3
    assert all(one.passages for one in refused)
    for one in refused:
        shown = "\n".join(each.text for each in one.passages)
        if "최대 몇 시간" in one.question:
            assert "2시간" not in shown
        for word, row in values.items():
            if word in one.question:
                assert not re.search(row.format(key=one.question[:2]), shown)


def test_no_row_of_a_scale_is_taken_away(tmp_path: Path, analyser: Analyser) -> None:
    # Without "3년 이상" the row "1년 이상" still says something of three years.
    rows = "".join(f"| {years}년 이상 | {days}일 |\n" for years, days in ((1, 15), (3, 16), (5, 17)))
    wiki = f"# 연차 규정\n\n| 근속 기간 | 연차 일수 |\n| --- | --- |\n{rows}"
    indexer = Indexer(write_wiki(tmp_path / "wiki", {"연차.md": wiki}), tmp_path / "data", analyser)
    indexer.build()
    index = indexer.open()
    pages, grounding = EditionPages(index.edition.passages), SentenceGrounding(analyser, index.idf)
    asker = over(index, pages, grounding, mask, most=4, characters=550).asker
    facts = [one for passage in pages.open_passages() for one in facts_of(passage, asker.wording)]
    asked = [(one, found) for one in facts if (found := asker.ask(one, Random(0))) is not None]
    assert asked
    assert [missing.without_row(fact, found) for fact, found in asked] == [None] * len(asked)


def test_nothing_is_refused_that_another_sentence_answers(tmp_path: Path, analyser: Analyser) -> None:
    more = "증상과 자산 번호를 함께 적으면 더 빨리 처리됩니다. " * 25
    wiki = (
        f"# 장비 신고\n\n## 고장\n\n노트북이 고장 나면 헬프데스크에서 수리를 신청합니다. {more}\n\n"
        f"## 접수\n\n노트북이 고장 나면 총무팀에서도 수리를 신청할 수 있습니다. {more}\n"
    )
    indexer = Indexer(write_wiki(tmp_path / "wiki", {"장비.md": wiki}), tmp_path / "data", analyser)
    indexer.build()
    index = indexer.open()
    pages, grounding = EditionPages(index.edition.passages), SentenceGrounding(analyser, index.idf)
    asker = over(index, pages, grounding, mask, most=4, characters=550).asker
    first = next(one for passage in pages.open_passages() for one in facts_of(passage, asker.wording))
    asked = asker.ask(first, Random(1))
    assert asked is not None
    assert asked.question == "노트북이 고장 나면 어디에서 수리를 신청합니까?"
    assert missing.without_passage(asker, first, asked) is None


def test_only_pages_for_everyone_and_no_personal_data(examples: list[Example]) -> None:
    everything = "\n".join(f"{one.question}{one.answer}{[each.shown for each in one.passages]}" for one in examples)
    assert "9,100만" not in everything
    assert "010-1234-5678" not in everything
    assert "김민수" not in everything
    assert not any("[전화번호]" in one.answer or "[이름]" in one.answer for one in examples)


def test_fewer_come_of_a_wiki_that_says_less_and_few_when_few_are_wanted(rooms: SearchIndex) -> None:
    assert 15 < len(made(rooms, count=500)) < 200
    assert len(made(rooms, count=6)) in (5, 6, 7)


def test_a_models_wording_counts_only_where_the_search_finds_the_passage_again(rooms: SearchIndex) -> None:
    plain = {one.question for one in made(rooms)}
    lost = made(rooms, rewording=lambda question, shown: "점심 메뉴가 뭐예요?")
    assert not any("점심" in one.question for one in lost)
    kept = made(rooms, rewording=lambda question, shown: f"혹시 {question}")
    assert any(one.question.startswith("혹시 ") for one in kept)
    assert {one.question.removeprefix("혹시 ") for one in kept} <= plain | {one.question for one in kept}
    assert {one.question for one in made(rooms, rewording=lambda question, shown: None)} == plain


@pytest.mark.parametrize(
    ("words", "may"),
    [
        ("3일 전에 신청하면 되나요?", True),
        ("4일 전에 신청하면 되나요?", False),
        ("신청은 3일 전까지 합니다.", False),
        ("3日前ですか?", False),
        ("3 days before?", False),
        ("3일 전 [1]", False),
        ("3일?", False),
    ],
)
def test_what_a_model_says_must_still_be_the_question(words: str, may: bool) -> None:
    assert (usable(words, "3일 전까지 신청합니까?", ["신청은 3일 전까지 합니다."]) == words) is may
