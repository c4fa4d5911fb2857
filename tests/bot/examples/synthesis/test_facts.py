"""What can be asked of a passage."""

from __future__ import annotations

import pytest

from bot.examples.synthesis import topics
from bot.examples.synthesis.fact import Fact, FactKind
from bot.examples.synthesis.facts import facts_of
from bot.examples.synthesis.wording import Wording
from knowledge.korean import Analyser
from knowledge.page import Passage


@pytest.fixture(scope="module")
def wording(analyser: Analyser) -> Wording:
    return Wording(analyser)


def found(wording: Wording, text: str, kind: FactKind, *, heading: tuple[str, ...] = ()) -> list[Fact]:
    passage = Passage("wiki", "a.md", 0, "회의실 예약 안내", heading, text)
    return [one for one in facts_of(passage, wording) if one.kind == kind]


@pytest.mark.parametrize(
    ("sentence", "asking", "value"),
    [
        ("회의실은 한 번에 최대 2시간까지 예약합니다.", "회의실은 한 번에 최대 몇 시간까지 예약합니다", "2시간"),
        ("파손되면 수리비의 30%를 본인이 부담합니다.", "파손되면 수리비의 몇 퍼센트를 본인이 부담합니다", "30%"),
        ("다과는 1인당 5,000원이 부서 비용으로 잡힙니다.", "다과는 1인당 얼마가 부서 비용으로 잡힙니다", "5,000원"),
        ("행사는 5영업일 전까지 총무팀에 신청합니다.", "행사는 며칠 전까지 총무팀에 신청합니다", "5영업일"),
        ("다과는 하루 전 15:00까지 신청합니다.", "다과는 하루 전 몇 시까지 신청합니다", "15:00"),
        ("구내식당은 2026년 3월 2일부터 문을 엽니다.", "구내식당은 언제부터 문을 엽니다", "2026년 3월 2일"),
    ],
)
def test_a_quantity_is_what_is_asked_for(wording: Wording, sentence: str, asking: str, value: str) -> None:
    [fact] = found(wording, sentence, "number")
    assert (fact.asking, fact.value, fact.lines, fact.answer) == (asking, value, (sentence,), (sentence[:-1],))


@pytest.mark.parametrize(
    "sentence",
    [
        "재고가 있으면 2영업일, 새로 주문하면 10영업일이 걸립니다.",  # which of the two?
        "다만 3일 전까지 신청해야 합니다.",  # leans on the sentence before
        "기록은 2시간 40분이었습니다.",
        "위 표의 금액은 30만 원까지입니다.",
        "신청은 3일 전까지 하고 결과는 게시판에서 봅니다.",  # two things are said
        "10일을 넘기면 신청할 수 없습니다.",
        "신청 기한: 3일 전까지 올립니다.",
    ],
)
def test_what_would_make_an_odd_question_is_left_alone(wording: Wording, sentence: str) -> None:
    assert found(wording, sentence, "number") == []


TABLE = "이름 | 층 | 인원 | 장비\n두물 | 7층 | 4명 | 모니터\n마루 | 8층 | 12명 | 대형 화면, 화상\n너울 | 8층 | 10명 | -"


def test_cells_are_asked_one_by_one(wording: Wording) -> None:
    cells = {one.asking: one.answer[0] for one in found(wording, TABLE, "cell")}
    assert cells["두물은 몇 층에 있습니다"] == "두물은 7층에 있습니다"
    assert cells["마루의 인원은 몇 명입니다"] == "마루의 인원은 12명입니다"
    assert cells["마루의 장비는 무엇입니다"] == "마루의 장비는 대형 화면, 화상입니다"
    assert not any("너울의 장비" in asking for asking in cells)


def test_two_rows_are_asked_at_once(wording: Wording) -> None:
    [pair] = found(wording, TABLE, "rows")
    assert pair.asking == "두물과 마루의 인원은 각각 몇 명입니다"
    assert pair.answer == ("두물의 인원은 4명입니다", "마루의 인원은 12명입니다")


def test_a_row_that_stands_twice_is_in_no_pair(wording: Wording) -> None:
    twice = "이름 | 인원\n두물 | 4명\n마루 | 12명\n두물 | 6명\n너울 | 10명"
    assert found(wording, twice, "rows") == []


def test_a_range_is_a_condition_and_a_group_a_case(wording: Wording) -> None:
    ranges = "근속 기간 | 부여 일수\n1년 미만 | 11일\n3년 이상 | 16일"
    assert found(wording, ranges, "cell")[0].asking == "근속 기간이 1년 미만이면 부여 일수는 며칠입니다"
    groups = "품목 | 개발 직군 | 인턴\n모니터 | 2대 | 1대"
    assert [one.asking for one in found(wording, groups, "cell")] == [
        "개발 직군의 경우 모니터는 몇 대입니다",
        "인턴의 경우 모니터는 몇 대입니다",
    ]


def test_what_happened_when_is_no_table_of_things(wording: Wording) -> None:
    assert found(wording, "날짜 | 한도\n2026-01-06 | 3일\n2025-07-01 | 5일", "cell") == []
    assert found(wording, "시점 | 담당\n14일 전 | 인사팀\n퇴사 당일 | 총무팀", "cell") == []


def test_a_page_that_asks_itself_is_taken_at_its_word(wording: Wording) -> None:
    text = "팀원 여럿이 함께 쉬어도 되나요?\n네. 팀 인원의 절반까지가 기준입니다.\n\n문의는 인사팀으로 합니다."
    [fact] = found(wording, text, "faq")
    assert (fact.asking, fact.answer) == ("팀원 여럿이 함께 쉬어도 되나요?", ("팀 인원의 절반까지가 기준입니다",))


def test_teams_roles_and_places_are_asked_for(wording: Wording) -> None:
    assert [one.asking for one in found(wording, "고장 난 화면은 총무팀(내선 2120)에 알려 주십시오.", "who")] == [
        "고장 난 화면은 어느 팀에 알려 주십시오"
    ]
    assert [one.asking for one in found(wording, "휴가 날짜를 바꾸려면 실장 승인을 받습니다.", "who")] == [
        "휴가 날짜를 바꾸려면 누구의 승인을 받습니다"
    ]
    assert [one.asking for one in found(wording, "필요한 물건은 헬프데스크에서 무료로 줍니다.", "who")] == [
        "필요한 물건은 어디에서 무료로 줍니다"
    ]
    assert [
        one.asking for one in found(wording, "손님은 12층 안내데스크(내선 5100)에서 방문증을 받습니다.", "who")
    ] == ["손님은 어디에서 방문증을 받습니다"]
    assert found(wording, "급하면 팀장이나 인사팀에 먼저 알립니다.", "who") == []
    assert found(wording, "급한 건은 사업 담당 실장이 직접 요청합니다.", "who") == []


def test_whether_something_may_be_is_asked_without_a_no(wording: Wording) -> None:
    [fact] = found(wording, "방문객은 업무 공간에 들어갈 수 없습니다.", "yes_no")
    assert (fact.asking, fact.answer) == (
        "방문객은 업무 공간에 들어갈 수 있습니다",
        ("방문객은 업무 공간에 들어갈 수 없습니다",),
    )


def test_short_ways_are_told_whole_and_long_ones_not_at_all(wording: Wording) -> None:
    two = "1. 나루워크에서 종류를 고릅니다.\n2. 팀장이 승인합니다."
    [fact] = found(wording, two, "steps", heading=("신청",))
    assert fact.asking == "회의실 예약 신청은 어떻게 합니다"
    assert fact.answer == ("나루워크에서 종류를 고릅니다", "팀장이 승인합니다")
    four = two + "\n3. 총무팀이 확인합니다.\n4. 결과를 알립니다."
    assert found(wording, four, "steps", heading=("신청",)) == []


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("국내 출장 규정 (2026)", "국내 출장"),
        ("온보딩 - 입사 첫 주", "온보딩"),
        ("안내", "안내"),
        ("인턴 운영 안내", "인턴"),
    ],
)
def test_a_title_says_what_a_page_is_about(title: str, expected: str) -> None:
    assert topics.of_title(title) == expected


@pytest.mark.parametrize(
    ("topic", "heading", "expected"),
    [
        ("온콜", "교대", "온콜 교대"),
        ("국내 출장", "출장 정산", "출장 정산"),
        ("온콜", "", "온콜"),
        ("", "교대", "교대"),
    ],
)
def test_topic_and_heading_become_one_noun(topic: str, heading: str, expected: str) -> None:
    assert topics.joined(topic, heading) == expected


@pytest.mark.parametrize("heading", ["자주 묻는 질문", "변경 이력", "예약하기", "도착하면", "세 가지 분류", "1. 기준"])
def test_a_heading_that_says_little_is_no_topic(heading: str) -> None:
    assert topics.of_heading(heading) == ""
