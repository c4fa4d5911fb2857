"""Personal data is masked, and nothing that an answer needs."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.personal_data import measure
from bot.examples.masking import mask
from bot.examples.personal_kinds import PLACEHOLDERS, Finding, PersonalKind

SAMPLES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data" / "personal_data.jsonl").read_text(encoding="utf-8").splitlines()
]
LIKE_A_TELEPHONE = "작업 번호 010-2026-1125"
"""Masked all the same: better a work number lost than a person's number kept."""
HARMLESS = [
    sample
    for sample in SAMPLES
    if not sample["personal"] and sample["part"] == "tuned" and not sample["text"].startswith(LIKE_A_TELEPHONE)
]
WIKI = Path(__file__).parents[3] / "examples" / "wiki"


def test_data_becomes_placeholders_and_positions_are_those_of_the_original() -> None:
    text = "김민수 대리(０１０－１２３４－５６７８)에게 물어보세요."
    masked = mask(text)
    assert masked.text == "[이름] 대리([전화번호])에게 물어보세요."
    assert masked.found == (Finding(PersonalKind.NAME, 0, 3), Finding(PersonalKind.PHONE, 7, 20))
    assert text[7:20] == "０１０－１２３４－５６７８"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("주민번호 900101-1234568", "주민번호 [주민등록번호]"),
        ("주민번호 900101-1234567", "주민번호 [주민등록번호]"),
        ("주민번호 9 0 0 1 0 1 - 1 2 3 4 5 6 7.", "주민번호 [주민등록번호]."),
        ("주민번호 900101-1******", "주민번호 [주민등록번호]"),
        ("주민번호 9001\u200b01-123\u00ad4567", "주민번호 [주민등록번호]"),
        ("등록번호 920415‑5123456", "등록번호 [외국인등록번호]"),
        ("+82 (0)10-1234-5678로", "[전화번호]로"),
        ("내선 4321, 02-555-1234(내선 12)", "내선 4321, [전화번호](내선 12)"),
        ("hong 골뱅이 naver 점 com", "[이메일]"),
        ("카드 4111-1111-1111-1112", "카드 [카드번호]"),
        ("신한은행 110-123-456789로", "신한은행 [계좌번호]로"),
        ("서울시 마포구 월드컵북로 396, 12층으로", "[주소]으로"),
        ("여권번호 M123A4567", "여권번호 [여권번호]"),
        ("운전면허 11-12-345678-90", "운전면허 [운전면허번호]"),
        ("사업자번호 123-45-67890", "사업자번호 [사업자등록번호]"),
        ("이서연 팀장이 반려했고 이서연은 휴가", "[이름] 팀장이 반려했고 [이름]은 휴가"),
        ("신한 110-234-567890 원화 계좌", "신한 [계좌번호] 원화 계좌"),
        ("계좌 **110-234-567890**", "계좌 **[계좌번호]**"),
        ("시설 관리 02-555-1234", "시설 관리 [전화번호]"),
        ("주민등록번호 9001011234567원본", "주민등록번호 [주민등록번호]원본"),
    ],
)
def test_each_kind(text: str, masked: str) -> None:
    assert mask(text).text == masked


AROUND = ["", "관리번호 ", "계약 번호: ", "접수번호는 ", "문서 번호 제", "시리얼 ", "ISBN ", "A", "**", "2026-"]
BEHIND = ["", "호", "원", " 원본", "원화", "호는 ", " USD", "**", "님", "-01", "abc"]


@pytest.mark.parametrize("before", AROUND)
@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize(
    "number", ["900101-1234567", "850315 - 5345678", "９００１０１－１２３４５６７", "9 0 0 1 0 1 - 1 2 3 4 5 6 7"]
)
def test_a_resident_number_is_masked_whatever_stands_around_it(before: str, number: str, behind: str) -> None:
    assert "345" not in unicodedata.normalize("NFKC", mask(before + number + behind).text).replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "접수번호는 02-2026-1234입니다.",
        "제02-2026-0012호는 폐지된 규정입니다.",
        "예산은 9001011234567원입니다.",
        "법인등록번호 110111-1234567",
    ],
)
def test_a_word_that_names_the_number_or_a_whole_unit_leaves_it(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_decomposed_hangul_is_read_too(form: str) -> None:
    text = unicodedata.normalize(form, "담당자는 박지훈 과장, 010-1234-5678")
    masked = mask(text)
    assert unicodedata.normalize("NFC", masked.text) == "담당자는 [이름] 과장, [전화번호]"
    assert [unicodedata.normalize("NFC", text[one.start : one.end]) for one in masked.found] == [
        "박지훈",
        "010-1234-5678",
    ]


@pytest.mark.parametrize("sample", HARMLESS, ids=lambda one: one["text"][:20])
def test_what_an_answer_needs_survives(sample: dict[str, Any]) -> None:
    assert mask(sample["text"]).text == sample["text"]


def test_there_are_enough_samples_of_every_kind() -> None:
    assert len(SAMPLES) >= 240
    kinds = [span["kind"] for sample in SAMPLES for span in sample["personal"]]
    assert {kind: kinds.count(kind) for kind in PersonalKind if kinds.count(kind) < 5} == {}
    assert sum(not sample["personal"] for sample in SAMPLES) >= 100


@pytest.mark.parametrize(("part", "recall", "precision"), [("tuned", 0.98, 0.99), ("held_out", 0.8, 0.9)])
def test_recall_and_precision_do_not_fall(part: str, recall: float, precision: float) -> None:
    row = measure([sample for sample in SAMPLES if sample["part"] == part])["all"]
    assert row["found"] / row["labelled"] >= recall
    assert 1 - row["wrong"] / row["findings"] >= precision


def test_no_page_of_the_demo_wiki_is_taken_for_a_persons() -> None:
    found = {
        (one.kind, text[one.start : one.end])
        for text in (path.read_text(encoding="utf-8") for path in WIKI.rglob("*.md"))
        for one in mask(text).found
    }
    assert {pair for pair in found if pair[0] is not PersonalKind.EMAIL} == set()
    assert {value for _, value in found} <= {"busan@gyeolnaru.example.com", "pangyo@gyeolnaru.example.com"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one["text"][:20])
def test_masking_twice_changes_nothing(sample: dict[str, Any]) -> None:
    once = mask(sample["text"])
    again = mask(once.text)
    assert again.text == once.text
    assert again.found == ()


PIECES = st.one_of(
    st.sampled_from([sample["text"] for sample in SAMPLES]),
    st.sampled_from(list(PLACEHOLDERS.values())),
    st.sampled_from(
        [" ", ", ", "\n", "-", "(", ":", " | ", "\u200b", "은행 ", "김민수", "팀장님", "010", "\ue000", "ᅡ"]
    ),
    st.text(alphabet="0123456789-. @김이박민수서연로동호()[]", max_size=12),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(PIECES, max_size=6).map("".join))
def test_masking_is_idempotent_and_its_positions_rebuild_its_text(text: str) -> None:
    masked = mask(text)
    parts, position = [], 0
    for one in masked.found:
        assert position <= one.start < one.end <= len(text)
        parts += [text[position : one.start], PLACEHOLDERS[one.kind]]
        position = one.end
    assert "".join([*parts, text[position:]]) == masked.text
    assert mask(masked.text) == type(masked)(masked.text, ())


HOSTILE = {
    "digits": "1",
    "digits and hyphens": "010-",
    "at signs": "a@",
    "dots": "a.",
    "names": "김민수, ",
    "titles": "김민수 대리 ",
    "roads": "서울특별시 강남구 테헤란로 ",
    "addresses": "서울 강남구 테헤란로 152, 103동 1202호 ",
    "resident numbers": "900101-1234567 ",
    "banks": "국민은행 계좌 번호 ",
    "combining marks": "\u0301\u0316",
    "jamo": "\u1100\u1161\u11a8",
    "ligatures": "\ufdfa",
    "placeholders": "[이름] ",
    "stars": "*",
    "blanks": " ",
    "unknown names": "가나다 씨 ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    short, long = (piece * (size // len(piece.encode())) for size in (12_500, 100_000))
    seconds = []
    for text in (short, long):
        began = time.perf_counter()
        mask(text)
        seconds.append(time.perf_counter() - began)
    assert seconds[1] < 8 * 5 * max(seconds[0], 0.1), seconds
