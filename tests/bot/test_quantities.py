"""Amounts, dates and counts in the many ways Korean writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.quantities import Quantity, quantities, unsupported


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10만 원", "100,000원"),
        ("3만 5천 원", "35,000원"),
        ("1만 2,500원", "12500원"),
        ("1억 5천만 원", "150,000,000원"),
        ("5백만 원", "5,000,000원"),
        ("세 번", "3회"),
        ("두 달", "2개월"),
        ("이틀", "2일"),
        ("2026-03-01", "2026년 3월 1일"),
        ("오후 6시", "18:00"),
        ("6시", "18:00"),
        ("9시까지", "오전 9시까지"),
        ("14:00까지", "오후 2시까지"),
        ("열다섯 명", "15명"),
        ("스물한 명", "21명"),
        ("2천5백만 원", "25,000,000원"),
        ("3백5십만 원", "350만 원"),
        ("오만 원", "50,000원"),
        ("삼십만 원", "30만 원"),
        ("백만 원", "1,000,000원"),
        ("일주일에 한 번", "주 1회"),
        ("３일", "3일"),
        ("한 달에 한 번", "월 1회"),
        ("1년에 한 번", "연 1회"),
        ("한 달에 두 번", "매월 2회"),
        ("하루에 한 번", "매일 한 번"),
        ("세 가지", "3종"),
        ("서류 3부를", "서류 3부"),
        ("2장씩", "2매"),
        ("4층과 5층", "4,5층"),
    ],
)
def test_two_ways_of_writing_one_quantity_are_equal(one: str, other: str) -> None:
    assert not unsupported(one, [other])
    assert not unsupported(other, [one])


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("3일 전까지 신청합니다", "3개월 전까지 신청합니다"),
        ("15일입니다", "연차는 12일입니다"),
        ("20만 원까지", "한도는 2만 원입니다"),
        ("오후 6시까지", "오전 9시부터 오후 5시까지"),
        ("오후 9시에 시작합니다", "오전 9시에 시작합니다"),
        ("오전 6시까지", "18:00까지"),
        ("열다섯 명", "5명"),
        ("5년 동안 보관합니다", "제5조에 따라 10년 동안 보관합니다"),
        ("3일 안에 냅니다", "3. 서류를 7일 안에 냅니다"),
        ("오만 원", "오십만 원"),
        ("1억 5천만 원", "1억 원과 5천만 원"),
        ("3일 안에 냅니다", "서류 3가지를 7일 안에 냅니다"),
        ("2시간 걸립니다", "신청서 2부를 냅니다"),
        ("3일 뒤입니다", "3차 면접은 7일 뒤입니다"),
        ("1년에 한 번", "월 1회"),
        ("석 달에 한 번이 아니라 3개월마다", "월 1회"),
        ("45층", "4,5층"),
        ("6월에 있습니다", "정보 보안 정책 > 6. 교육\n교육은 5월에 있습니다"),
        ("3일 전까지", "휴가 규정 > 3. 신청\n5일 전까지"),
        ("3일 전까지", "휴가 규정 > 3 신청\n5일 전까지"),
        ("3명입니다", "휴가 규정 > 3 인사팀\n담당은 5명입니다"),
        ("1시간입니다", "정보 보안 정책 > 6-1. 교육\n2시간입니다"),
        ("1시간입니다", "6-1. 교육은 2시간입니다"),
        ("3일 전까지", "휴가 규정 > (3) 신청\n5일 전까지"),
        ("1일 쉽니다", "① 일반 직원은 3일 쉽니다"),
        ("2일 쉽니다", "직원은 ⑴ 3일, ⑵ 하루를 쉽니다"),
        ("3일 안에 냅니다", "(3) 서류를 7일 안에 냅니다"),
        ("3일 안에 냅니다", "(３)서류를 7일 안에 냅니다"),
    ],
)
def test_another_value_or_unit_is_not_supported(answer: str, passage: str) -> None:
    assert unsupported(answer, [passage])


def test_a_table_cell_without_its_unit_supports_the_value() -> None:
    assert not unsupported("한도는 100,000원입니다", ["구분 | 한도(원)\n팀장 | 100,000"])


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("제2항에 따라 3일입니다", "① 신청합니다\n② 3일을 줍니다"),
        ("(2)에 따라 3일입니다", "(1) 신청합니다\n(2) 3일을 줍니다"),
        ("② 3일을 줍니다", "신청하면 3일을 줍니다"),
        ("'6-1. 교육'에 있습니다", "보안 정책 > 6-1. 교육\n온라인입니다"),
        ("'1.2 적용'에 있습니다", "보안 정책 > 1.2 적용\n모두입니다"),
    ],
)
def test_an_answer_may_point_to_a_numbered_clause(answer: str, passage: str) -> None:
    assert not unsupported(answer, [passage])


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("상담 > 24 시간 운영", Quantity(24.0, "시간")),
        ("휴가 > 3 일 전 신청", Quantity(3.0, "일")),
        ("전결 > 50 만 원 이하", Quantity(500_000.0, "원")),
        ("휴가 > 2026년 계획", Quantity(2026.0, "년")),
        ("휴가 > 제3조 신청", Quantity(3.0, "조")),
        ("10 명 이상", Quantity(10.0, "명")),
        ("1.5 배", Quantity(1.5, "배")),
    ],
)
def test_a_quantity_in_a_heading_or_at_a_lines_start_is_no_numbering(text: str, quantity: Quantity) -> None:
    assert quantities(text) == {quantity}


def test_a_circled_number_keeps_what_stands_around_it_apart() -> None:
    assert quantities("표 5② 일반") == {Quantity(5.0)}


def test_a_counter_is_a_word_of_its_own() -> None:
    assert quantities("1부터 3부서") == {Quantity(1.0), Quantity(3.0)}
    assert quantities("신청서 3부를 2곳에") == {Quantity(3.0, "부"), Quantity(2.0, "곳")}


def test_an_article_number_is_not_a_trillion() -> None:
    assert quantities("제3조") == {Quantity(3.0, "조")}


@given(st.integers(1, 10**11))
def test_every_amount_survives_grouping_by_commas(amount: int) -> None:
    assert Quantity(float(amount), "원") in quantities(f"모두 {amount:,}원입니다")


@given(st.text())
def test_any_text_supports_itself(text: str) -> None:
    assert not unsupported(text, [text])
