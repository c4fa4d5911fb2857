"""What a sentence may say, given the passages."""

from __future__ import annotations

import pytest

from bot.answering.condense import condense
from bot.answering.excerpts import Excerpt
from bot.answering.verify import check, quote_for
from knowledge.korean import Analyser
from knowledge.page import Passage
from knowledge.sentences import sentences


def _excerpt(analyser: Analyser, title: str, text: str) -> Excerpt:
    passage = Passage("wiki", f"{title}.md", 0, title, (), text)
    return Excerpt(passage, text, tuple(sentences(text)), frozenset(analyser.morphemes(f"{title}\n{text}")))


@pytest.fixture
def shown(analyser: Analyser) -> list[Excerpt]:
    """Two passages of two pages."""
    return [
        _excerpt(
            analyser, "연차 규정", "연차는 사용 3일 전까지 그룹웨어에서 신청합니다. 미사용 연차는 이월할 수 없습니다."
        ),
        _excerpt(
            analyser, "국내 출장 규정", "국내 출장 일비는 하루 40,000원입니다. 정산은 복귀 후 7일 안에 제출합니다."
        ),
    ]


def _problem(sentence: str, shown: list[Excerpt], analyser: Analyser, question: str = "질문") -> str | None:
    return check(sentence, shown, question, analyser, lambda _: 1.0).problem


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("연차는 3일 전까지 그룹웨어에서 신청합니다 [1].", None),
        ("일비는 하루 4만 원입니다.", None),
        ("연차는 5일 전까지 그룹웨어에서 신청합니다 [1].", "number"),
        ("연차는 3개월 전까지 그룹웨어에서 신청합니다.", "number"),
        ("연차는 3일 전까지 Workday에서 신청합니다.", "name"),
        ("미사용 연차는 이월할 수 있습니다.", "negation"),
        ("국내 출장 일비는 40,000원이 아닙니다.", "negation"),
        ("年次は三日前までに申請します。", "language"),
        ("You can apply for annual leave on the portal.", "language"),
        ("사내 어린이집은 월요일에 문을 엽니다.", "support"),
        ("제공된 문서에서 확인할 수 없습니다.", "refusal"),
        ("[1]", "empty"),
        ("연차는 언제까지 신청하나요?", "empty"),
        ("질문.", "empty"),
    ],
)
def test_a_sentence_is_judged_by_its_passages(
    sentence: str, problem: str | None, shown: list[Excerpt], analyser: Analyser
) -> None:
    assert _problem(sentence, shown, analyser) == problem


@pytest.mark.parametrize(
    ("question", "sentence", "problem"),
    [
        ("국내 출장 일비는 4만 원이야, 5만 원이야?", "4만 원 [2].", None),
        ("국내 출장 일비는 5만 원이야, 4만 원이야?", "국내 출장 일비 4만 원 [2].", None),
        ("국내 출장 일비는 4만 원 아니면 5만 원인가요?", "국내 출장 일비는 4만 원 [2].", None),
        ("국내 출장 일비는 4만 원이야, 5만 원이야?", "5만 원 [2].", "number"),
        ("국내 출장 일비는 4만 원이야?", "국내 출장 일비는 4만 원이야.", "empty"),
        ("국내 출장 일비가 궁금해. 4만 원이야?", "국내 출장 일비가 궁금해.", "empty"),
        ("국내 출장 일비는 4만 원이야, 5만 원이야?", "국내 출장 일비.", "empty"),
        ("국내 출장 일비는 얼마야?", "국내 출장 일비 [2].", "empty"),
    ],
)
def test_an_answer_that_the_question_offers_is_no_echo_of_it(
    question: str, sentence: str, problem: str | None, shown: list[Excerpt], analyser: Analyser
) -> None:
    assert _problem(sentence, shown, analyser, question) == problem


@pytest.mark.parametrize(
    "said",
    [
        "비밀번호를 메신저나 메일로 주고받지 마십시오.",
        "비밀번호를 메신저나 메일로 주고받지 마세요.",
        "비밀번호를 메신저나 메일로 주고받지는 말 것.",
        "비밀번호를 메신저나 메일로 주고받지 맙시다.",
        "비밀번호를 메신저나 메일로 주고받지 말고 직접 알립니다.",
        "비밀번호를 메신저나 메일로 주고받으면 안됩니다.",
        "비밀번호를 메신저나 메일로 주고받으면 안돼요.",
        "비밀번호를 메신저나 메일로 주고받는 것은 불허합니다.",
    ],
)
def test_every_way_to_forbid_is_a_no(said: str, analyser: Analyser) -> None:
    shown = [_excerpt(analyser, "비밀번호", said)]
    assert _problem("비밀번호를 메신저나 메일로 주고받을 수 있습니다 [1].", shown, analyser) == "negation"
    assert _problem("비밀번호를 메신저나 메일로 주고받으면 안 됩니다 [1].", shown, analyser) is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("불가피하면 개인 카드로 결제합니다.", "부득이하면 개인 카드로 결제합니다."),
        ("영수증 원본 제출이 불필요합니다.", "영수증 원본을 제출하지 않아도 됩니다."),
        ("보고서는 금요일까지 마감합니다.", "보고서 마감은 금요일입니다."),
        ("음료는 6시까지 마시고 자리를 정리합니다.", "음료는 6시 전에 마시고 자리를 정리합니다."),
        ("결과는 이메일로 보내 드립니다. 불필요한 서류는 파기합니다.", "서류는 파기합니다."),
        ("신청이 안 되는 것은 아닙니다.", "신청이 안 되지 않습니다."),
    ],
)
def test_what_only_looks_like_a_no_is_none(said: str, answer: str, analyser: Analyser) -> None:
    assert _problem(answer, [_excerpt(analyser, "안내", said)], analyser) is None


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("보안 사고 담당자는 박영희 과장입니다.", None),
        ("담당자는 박영희 과장이며 나루워크에서 신고합니다.", None),
        ("보안 사고 담당자는 김철수 과장입니다.", "name"),
        ("보안 사고는 부산에서 신고합니다.", "name"),
    ],
)
def test_a_proper_name_must_stand_in_the_page(sentence: str, problem: str | None, analyser: Analyser) -> None:
    shown = [_excerpt(analyser, "보안", "보안 사고 담당자는 박영희 과장입니다. 보안 사고는 나루워크에서 신고합니다.")]
    assert _problem(sentence, shown, analyser) == problem


@pytest.mark.parametrize(("month", "problem"), [(5, None), (6, "number")])
def test_the_number_of_a_heading_supports_no_quantity(month: int, problem: str | None, analyser: Analyser) -> None:
    text = "정기 보안 교육은 5월과 11월, 한 해에 두 번 있습니다."
    passage = Passage("wiki", "보안.md", 0, "정보 보안 정책", ("6. 교육",), text)
    morphemes = frozenset(analyser.morphemes(f"{passage.context}\n{text}"))
    shown = [Excerpt(passage, text, tuple(sentences(text)), morphemes)]
    assert _problem(f"정기 보안 교육은 {month}월과 11월에 있습니다 [1].", shown, analyser) == problem


def test_a_wrong_mark_is_replaced_by_the_passage_that_says_so(shown: list[Excerpt], analyser: Analyser) -> None:
    checked = check("국내 출장 일비는 40,000원입니다 [1].", shown, "일비는?", analyser, lambda _: 1.0)
    assert (checked.cites, checked.text) == ((1,), "국내 출장 일비는 40,000원입니다.")


def test_several_numbers_in_one_mark_are_marks(shown: list[Excerpt], analyser: Analyser) -> None:
    sentence = "연차 신청은 3일 전까지, 출장 정산 제출은 복귀 후 7일 안입니다 [1, 2]."
    checked = check(sentence, shown, "기한은?", analyser, lambda _: 1.0)
    assert (checked.cites, checked.text) == (
        (0, 1),
        "연차 신청은 3일 전까지, 출장 정산 제출은 복귀 후 7일 안입니다.",
    )
    assert check("연차는 3일 전까지 신청합니다 [2,1].", shown, "기한은?", analyser, lambda _: 1.0).cites == (0,)


def test_a_mark_between_two_full_stops_leaves_one(shown: list[Excerpt], analyser: Analyser) -> None:
    checked = check("국내 출장 일비는 40,000원입니다. [2].", shown, "일비는?", analyser, lambda _: 1.0)
    assert checked.text == "국내 출장 일비는 40,000원입니다."


def test_a_mark_that_does_not_exist_is_ignored(shown: list[Excerpt], analyser: Analyser) -> None:
    assert check("일비는 40,000원입니다 [7].", shown, "일비는?", analyser, lambda _: 1.0).cites == (1,)


def test_two_passages_are_cited_where_the_numbers_need_both(shown: list[Excerpt], analyser: Analyser) -> None:
    sentence = "연차 신청은 3일 전까지, 출장 정산 제출은 복귀 후 7일 안입니다."
    assert check(sentence, shown, "기한은?", analyser, lambda _: 1.0).cites == (0, 1)


@pytest.mark.parametrize("gap", [" ", "\n"])
def test_a_faqs_question_counts_with_its_answer(gap: str, analyser: Analyser) -> None:
    said = f"회사 노트북으로 개인 동영상을 봐도 되나요?{gap}안 됩니다. 개인 기기를 쓰십시오."
    shown = [_excerpt(analyser, "보안 규정", said)]
    assert _problem("회사 노트북으로 개인 동영상을 볼 수 있습니다 [1].", shown, analyser) == "negation"
    assert _problem("회사 노트북으로 개인 동영상을 보면 안 됩니다 [1].", shown, analyser) is None
    quote = quote_for("회사 노트북으로 개인 동영상을 보면 안 됩니다.", shown[0], analyser)
    assert quote == f"회사 노트북으로 개인 동영상을 봐도 되나요?{gap}안 됩니다."


def test_a_no_in_a_faqs_question_is_not_its_answer(analyser: Analyser) -> None:
    shown = [_excerpt(analyser, "연차", "수습 기간에는 연차를 쓸 수 없나요? 쓸 수 있습니다.")]
    assert _problem("수습 기간에도 연차를 쓸 수 있습니다 [1].", shown, analyser) is None
    assert _problem("수습 기간에는 연차를 쓸 수 없습니다 [1].", shown, analyser) == "negation"


@pytest.mark.parametrize(
    "said",
    [
        "해당 내용은 문서에 나와 있지 않습니다.",
        "관련 정보가 없습니다.",
        "제공된 문서에는 이에 대한 내용이 없습니다.",
        "문서에 답이 없습니다.",
        "제공된 자료로는 알 수 없습니다.",
        "제공된 정보만으로는 답변할 수 없습니다.",
        "위키에서 찾을 수 없습니다.",
        "제공된 문서에는 국내 출장 일비에 대해 언급되어 있지 않습니다.",
        "제공된 문서에서 연차 이월 여부를 확인하실 수 없습니다.",
    ],
)
def test_to_say_that_the_pages_do_not_say_it_is_a_refusal(said: str, shown: list[Excerpt], analyser: Analyser) -> None:
    assert _problem(said, shown, analyser) == "refusal"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("극비 문서는 메일로 전송할 수 없다.", "극비 문서는 메일로 보낼 수 없습니다."),
        ("미사용 연차는 이월하지 못한다.", "문서에 따르면 미사용 연차는 이월할 수 없습니다."),
        ("고객의 정보는 본인 확인 없이 열람하지 못한다.", "고객 정보는 본인 확인 없이 열람할 수 없습니다."),
        ("회의 내용을 외부에 알려서는 안 된다.", "회의 내용은 외부에 알릴 수 없습니다."),
        ("퇴사자의 개인정보는 보관하지 않는다.", "퇴사자 개인정보는 보관하지 않습니다."),
    ],
)
def test_what_may_not_be_done_with_a_document_is_no_refusal(page: str, said: str, analyser: Analyser) -> None:
    assert _problem(said, [_excerpt(analyser, "규정", page)], analyser) is None


@pytest.mark.parametrize("said", ["helpdesk@naru.example.com [1].", "https://wiki.example.com/hr/leave."])
def test_an_address_with_a_full_stop_is_quoted_not_foreign(said: str, analyser: Analyser) -> None:
    page = "문의는 helpdesk@naru.example.com 으로 보냅니다. 규정은 https://wiki.example.com/hr/leave 에 있습니다."
    assert _problem(said, [_excerpt(analyser, "문의", page)], analyser) != "language"


def test_the_quote_is_verbatim(shown: list[Excerpt], analyser: Analyser) -> None:
    assert quote_for("미사용 연차의 이월은 안 됩니다", shown[0], analyser) == "미사용 연차는 이월할 수 없습니다."


def test_a_follow_up_gets_its_topic_and_a_new_question_does_not(analyser: Analyser) -> None:
    turns = ("연차는 며칠이야?",)
    searched, leaned = condense("그럼 신청은 어디서 해?", turns, analyser)
    assert "연차" in searched
    assert leaned == turns
    alone = "법인카드를 분실하면 어떻게 신고하나요?"
    assert condense(alone, turns, analyser) == (alone, ())
    assert condense("그럼 신청은?", (), analyser) == ("그럼 신청은?", ())


@pytest.mark.parametrize(
    "alone",
    [
        "제가 육아휴직을 쓰면 급여는 얼마나 나오나요?",
        "저는 육아휴직 급여를 얼마나 받나요?",
        "내가 육아휴직을 쓰면 급여가 나와?",
        "우리 팀 식대 한도는 얼마인가요?",
        "저희 부서 비품 신청은 누가 승인하나요?",
    ],
)
def test_who_speaks_does_not_point_back(alone: str, analyser: Analyser) -> None:
    assert condense(alone, ("법인카드는 누가 쓸 수 있나요?",), analyser) == (alone, ())


def test_a_chain_of_follow_ups_goes_back_to_its_topic(analyser: Analyser) -> None:
    searched, _ = condense("거기 전화번호는?", ("VPN 접속이 안 되면 어디에 물어봐?", "그럼 주말에는?"), analyser)
    assert "vpn" in searched.lower()
