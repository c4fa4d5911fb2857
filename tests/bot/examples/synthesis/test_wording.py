"""Korean that a Korean would write: particles that fit, endings of every register."""

from __future__ import annotations

import pytest

from bot.examples.synthesis.wording import Wording, before, with_particle
from knowledge.korean import Analyser


@pytest.fixture(scope="module")
def wording(analyser: Analyser) -> Wording:
    return Wording(analyser)


@pytest.mark.parametrize(
    ("word", "particle", "expected"),
    [
        ("연차", "은", "연차는"),
        ("휴가일", "은", "휴가일은"),
        ("모니터(27형)", "을", "모니터(27형)를"),
        ("VPN", "이", "VPN이"),
        ("3", "은", "3은"),
        ("2", "은", "2는"),
        ("서울", "으로", "서울로"),
        ("총무팀", "으로", "총무팀으로"),
        ("어디", "으로", "어디로"),
        ("두물", "과", "두물과"),
        ("마루", "과", "마루와"),
    ],
)
def test_particles_fit_the_last_sound(word: str, particle: str, expected: str) -> None:
    assert with_particle(word, particle) == expected


@pytest.mark.parametrize(
    ("word", "rest", "expected"),
    [
        ("얼마", "이 지급됩니다", "얼마가 지급됩니다"),
        ("몇 퍼센트", "을 부담합니다", "몇 퍼센트를 부담합니다"),
        ("며칠", "가 걸립니다", "며칠이 걸립니다"),
        ("며칠", " 이상 쉽니다", "며칠 이상 쉽니다"),
        ("얼마", "이상이면 됩니다", "얼마이상이면 됩니다"),
        ("어디", "으로만 보냅니다", "어디로만 보냅니다"),
    ],
)
def test_what_stands_in_for_a_word_takes_over_its_particle(word: str, rest: str, expected: str) -> None:
    assert before(word, rest) == expected


@pytest.mark.parametrize(
    ("statement", "formal", "polite", "plain"),
    [
        ("두물은 몇 층에 있습니다", "두물은 몇 층에 있습니까?", "두물은 몇 층에 있나요?", "두물은 몇 층에 있어?"),
        ("일비는 얼마입니다.", "일비는 얼마입니까?", "일비는 얼마인가요?", "일비는 얼마야?"),
        ("몇 시에 엽니다", "몇 시에 엽니까?", "몇 시에 여나요?", "몇 시에 열어?"),
        ("몇 명이 필요합니다", "몇 명이 필요합니까?", "몇 명이 필요한가요?", "몇 명이 필요해?"),
        ("며칠 걸렸습니다", "며칠 걸렸습니까?", "며칠 걸렸나요?", "며칠 걸렸어?"),
        ("얼마를 지급한다", "얼마를 지급합니까?", "얼마를 지급하나요?", "얼마를 지급해?"),
        ("노트북을 빌려 드립니다", "노트북을 빌려 줍니까?", "노트북을 빌려 주나요?", "노트북을 빌려 줘?"),
        (
            "며칠 전까지 알려 주십시오",
            "며칠 전까지 알려야 합니까?",
            "며칠 전까지 알려야 하나요?",
            "며칠 전까지 알려야 해?",
        ),
        (
            "누구에게 전화하시기 바랍니다",
            "누구에게 전화해야 합니까?",
            "누구에게 전화해야 하나요?",
            "누구에게 전화해야 해?",
        ),
    ],
)
def test_a_statement_becomes_a_question_of_every_register(
    wording: Wording, statement: str, formal: str, polite: str, plain: str
) -> None:
    assert wording.question(statement, "formal") == formal
    assert wording.question(statement, "polite") == polite
    assert wording.question(statement, "plain") == plain


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("기성금은 현금으로 준다.", "기성금은 현금으로 줍니다"),
        ("휴가는 15일이다.", "휴가는 15일입니다"),
        ("문을 연다.", "문을 엽니다"),
        ("서류를 받는다.", "서류를 받습니다"),
        ("이월할 수 없다.", "이월할 수 없습니다"),
        ("헬프데스크에 알려 주십시오.", "헬프데스크에 알려 주십시오"),
        ("14일까지 빌릴 수 있습니다.", "14일까지 빌릴 수 있습니다"),
    ],
)
def test_statements_are_in_formal_style(wording: Wording, sentence: str, expected: str) -> None:
    assert wording.statement(sentence) == expected


@pytest.mark.parametrize("fragment", ["신청 방법", "- 법인카드", "총무팀 내선 2120", ""])
def test_what_is_no_sentence_is_left_alone(wording: Wording, fragment: str) -> None:
    assert wording.statement(fragment) is None
    assert wording.question(fragment, "formal") is None


def test_a_warning_is_not_asked(wording: Wording) -> None:
    assert wording.question("비밀번호를 알려 주지 마십시오", "polite") is None
