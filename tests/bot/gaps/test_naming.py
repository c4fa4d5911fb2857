"""Names: noun phrases that the questions share; for everyone's eyes only words that several people used in the open."""

from __future__ import annotations

import pytest

from bot.gaps.naming import Said, name_of, open_name_of, phrases
from knowledge.korean import Analyser


def said(*texts: str, private: bool = False) -> list[Said]:
    """By different people."""
    return [Said(text, f"p{n}", private) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("questions", "name"),
    [
        (("법인카드 한도가 얼마예요?", "법인카드 한도 올리려면 누구한테 말해야 하나요"), "법인카드 한도"),
        (("VPN 계정은 어디서 신청하나요?", "새로 입사했는데 VPN 계정 신청 방법 알려주세요"), "VPN 계정 신청"),
        (("주차 등록은 어디서 하나요?", "차 바꿨는데 주차 차량 등록 변경"), "주차 등록"),
        (("회의실 예약 어떻게 해?",), "회의실 예약"),
    ],
)
def test_a_name_is_what_the_questions_share_as_it_was_written(
    questions: tuple[str, ...], name: str, analyser: Analyser
) -> None:
    assert name_of(said(*questions), analyser) == name


def test_what_was_masked_is_no_part_of_a_name(analyser: Analyser) -> None:
    assert name_of(said("[이름] 연락처 좀", "[이름] 연락처 [전화번호] 맞나요"), analyser) == "연락처"


def test_a_question_without_a_noun_names_nothing(analyser: Analyser) -> None:
    assert name_of(said("어떻게 해야 하나요?"), analyser) == ""


def test_an_open_name_has_only_words_of_several_people(analyser: Analyser) -> None:
    mine = said("에메랄드 프로젝트 예산은 얼마인가요?", "프로젝트 예산 신청", "프로젝트 예산은 어디서 보나요")
    assert open_name_of(mine, analyser, 2) == "프로젝트 예산"
    alone = [Said(one.text, "same", False) for one in mine]
    assert open_name_of(alone, analyser, 2) == ""


def test_an_open_name_is_never_made_of_private_questions(analyser: Analyser) -> None:
    questions = ("희망퇴직 위로금은 얼마인가요?", "희망퇴직 위로금 언제 나와요")
    assert open_name_of(said(*questions, private=True), analyser, 2) == ""
    assert open_name_of(said(*questions), analyser, 2) == "희망퇴직 위로금"


def test_a_number_that_one_person_mentioned_is_not_told(analyser: Analyser) -> None:
    found = open_name_of(said("3층 복합기 연결", "복합기 연결이 안 돼요"), analyser, 2)
    assert "3" not in found


def test_phrases_keep_compounds_and_drop_what_says_nothing(analyser: Analyser) -> None:
    assert [one.text for one in phrases("회사 법인카드 한도 안내 부탁드립니다", analyser)][:1] == ["법인카드 한도"]


def test_a_number_goes_with_what_it_counts(analyser: Analyser) -> None:
    assert [one.text for one in phrases("로그인 비번 5번 틀려서 잠겼는데", analyser)] == ["로그인 비번"]
    assert next(one.text for one in phrases("3층 복합기 어떻게 연결해?", analyser)) == "3층 복합기"
