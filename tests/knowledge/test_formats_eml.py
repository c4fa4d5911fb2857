"""E-mails: those that Python's email package makes, and those of Korean mail programs, byte by byte."""

from __future__ import annotations

import base64
import io
from email.message import EmailMessage

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import PageError, UnreadablePage
from knowledge.formats import eml, parse
from knowledge.formats.eml_text import trimmed
from knowledge.page import Audience, Document
from knowledge.sources.base import SourceFile, to_page

BODY = "4월부터 재택근무는 주 2일까지 할 수 있습니다.\n신청은 그룹웨어에서 합니다."


def mail(text: str = BODY, subject: str = "재택근무 안내") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "김서연 <seoyeon@example.com>"
    made["To"] = "박민준 <minjun@example.com>"
    made["Subject"] = subject
    made["Date"] = "Mon, 02 Mar 2026 14:05:00 +0900"
    made.set_content(text)
    return made


def read(made: EmailMessage | bytes) -> Document:
    return eml.parse(made if isinstance(made, bytes) else bytes(made))


def text_of(document: Document) -> str:
    return "\n".join(block.text for section in document.sections for block in section.blocks)


def test_subject_people_and_date_come_first() -> None:
    document = read(mail())
    assert document.title == "재택근무 안내"
    first, second = document.sections[0].blocks
    assert first.text == "보낸 사람: 김서연 | 받는 사람: 박민준 | 날짜: 2026-03-02 14:05"
    assert second.text == BODY
    page = to_page("메일", Audience(), SourceFile("a.eml", url=None, modified=None, size=1, read=lambda: b""), document)
    assert (page.title, str(page.modified)) == ("재택근무 안내", "2026-03-02")


def test_many_readers_are_counted_and_addresses_stand_where_there_is_no_name() -> None:
    made = mail()
    del made["To"]
    made["To"] = ", ".join(f"user{number}@example.com" for number in range(10))
    assert "받는 사람: user0@example.com, user1@example.com, user2@example.com 외 7명" in text_of(read(made))


def raw(headers: bytes, body: bytes) -> bytes:
    return headers.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


def word(text: str, charset: str, python: str) -> bytes:
    return f"=?{charset}?B?".encode() + base64.b64encode(text.encode(python)) + b"?="


@pytest.mark.parametrize(
    "charset", ["euc-kr", "EUC-KR", "ks_c_5601-1987", "cp949", "utf-8", "iso-2022-kr", "us-ascii", "x-unknown"]
)
def test_bodies_and_subjects_in_the_charsets_of_korean_mail(charset: str) -> None:
    python = {"utf-8": "utf-8", "iso-2022-kr": "iso2022_kr"}.get(charset, "cp949")
    text = (
        "연차 휴가 안내입니다." if charset == "iso-2022-kr" else "똠방각하 연차 휴가 안내입니다."
    )  # only CP949 has 똠
    headers = (
        b"Subject: " + word("연차 안내", charset, python) + f"\nContent-Type: text/plain; charset={charset}".encode()
    )
    document = read(raw(headers + b"\nContent-Transfer-Encoding: 8bit", text.encode(python)))
    assert document.title == "연차 안내"
    assert text_of(document) == text


def test_words_cut_inside_of_a_character_are_joined() -> None:
    data = "재택근무 안내".encode("cp949")
    halves = [b"=?euc-kr?B?" + base64.b64encode(half) + b"?=" for half in (data[:3], data[3:])]
    assert read(raw(b"Subject: " + b"\n ".join(halves), b"-")).title == "재택근무 안내"


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_bare_bytes_in_headers_are_read(encoding: str) -> None:
    headers = "Subject: 재택근무 안내\nFrom: 김서연 <a@example.com>".encode(encoding)
    document = read(raw(headers + b"\nContent-Type: text/plain", BODY.encode(encoding)))
    assert document.title == "재택근무 안내"
    assert "보낸 사람: 김서연" in text_of(document)


def test_plain_text_is_preferred_and_html_read_where_there_is_none_or_next_to_none() -> None:
    both = mail()
    both.add_alternative("<p>HTML로 쓴 안내입니다.</p>", subtype="html")
    assert "HTML로" not in text_of(read(both))
    only = mail()
    only.set_content(
        "<h2>대상</h2><ul><li>정규직</li></ul><table><tr><th>요일</th><th>장소</th></tr></table>", subtype="html"
    )
    assert read(only).sections[-1].heading == ("대상",)
    stub = mail("HTML 메일입니다.")
    stub.add_alternative(f"<p>{BODY * 3}</p>", subtype="html")
    assert "그룹웨어" in text_of(read(stub))


@pytest.mark.parametrize(
    "quoted",
    [
        "-----Original Message-----\nFrom: 박민준\n언제부터인가요?",
        "----- 원본 메시지 -----\n보낸 사람: 박민준\n언제부터인가요?",
        "보낸 사람: 박민준\n보낸 날짜: 2026년 3월 1일\n받는 사람: 김서연\n제목: 질문\n\n언제부터인가요?",
        "________________________________\nFrom: 박민준\nSent: Sunday\nTo: 김서연\nSubject: 질문\n\n언제부터인가요?",
        "On Sun, Mar 1, 2026 at 9:00 AM 박민준 <minjun@example.com> wrote:\n> 언제부터인가요?",
        "On Sun, Mar 1, 2026 at 9:00 AM 박민준\n<minjun@example.com> wrote:\n> 언제부터인가요?",
        "2026년 3월 1일 (일) 오전 9:00, 박민준 <minjun@example.com>님이 작성:\n> 언제부터인가요?",
        "> 언제부터인가요?\n> 궁금합니다.",
    ],
)
def test_earlier_mails_below_an_answer_are_left_out(quoted: str) -> None:
    assert trimmed(f"{BODY}\n\n{quoted}").strip() == BODY


def test_signatures_are_left_out() -> None:
    assert trimmed(f"{BODY}\n-- \n김서연\n인사팀 | 내선 1234").strip() == BODY
    assert trimmed(f"{BODY}\n\n나의 iPhone에서 보냄").strip() == BODY


def test_the_only_text_is_never_left_out() -> None:
    quoted = "-----Original Message-----\nFrom: 박민준\n4월부터 주 2일까지 재택근무가 됩니다."
    for text in (quoted, f"네.\n\n{quoted}", f"> {BODY}", f"-- \n{BODY}", "짧은 답"):
        assert trimmed(text) == text


def test_answers_between_the_lines_keep_their_questions() -> None:
    text = "> 재택근무는 언제부터인가요?\n4월 1일부터입니다. 팀장에게 알려 주십시오."
    assert trimmed(text) == text


def test_of_a_forwarded_mail_everything_is_read() -> None:
    text = "모두 읽어 보시기 바랍니다. 중요한 내용입니다.\n\n-----Original Message-----\nFrom: 대표이사\n4월부터 재택근무를 시작합니다."
    assert "4월부터" in text_of(read(mail(text, "FW: 재택근무")))
    assert "4월부터" not in text_of(read(mail(text, "RE: 재택근무")))


def test_an_earlier_mail_in_html_is_left_out_too() -> None:
    made = mail(subject="RE: 질문")
    made.set_content(
        f"<p>{BODY}</p><p>From: 박민준<br>Sent: Sunday<br>To: 김서연<br>Subject: 질문</p><p>언제부터인가요?</p>",
        subtype="html",
    )
    assert "언제부터" not in text_of(read(made))


def workbook() -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "예산"
    for row in (["팀", "금액"], ["인사팀", 100]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def attach(made: EmailMessage, data: bytes, name: str) -> None:
    made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)


def test_attachments_of_known_formats_are_read_others_named() -> None:
    made = mail()
    attach(made, workbook(), "2026 예산.xlsx")
    attach(made, b"\0\1\2", "설치 파일.exe")
    attach(made, b"PK broken", "깨진 파일.docx")
    document = read(made)
    by_heading = {section.heading: [block.text for block in section.blocks] for section in document.sections}
    assert by_heading["첨부: 2026 예산.xlsx", "예산"] == ["팀 | 금액\n인사팀 | 100"]
    assert by_heading["첨부 파일",] == ["- 설치 파일.exe"]
    assert by_heading["첨부: 깨진 파일.docx",][0].startswith("(첨부 파일을 읽지 못했습니다. 문서를 읽을 수 없습니다")
    assert document.title == "재택근무 안내"


@pytest.mark.parametrize(
    "disposition",
    [
        b'filename="' + word("예산.csv", "EUC-KR", "cp949") + b'"',
        b"filename*0*=euc-kr''%BF%B9; filename*1*=%BB%EA.csv",
        b"filename*=UTF-8''" + b"%EC%98%88%EC%82%B0.csv",
        b'filename="' + "예산.csv".encode("cp949") + b'"',
        b'filename="' + "예산.csv".encode() + b'"',
    ],
)
def test_names_of_attachments_in_every_way_they_are_written(disposition: bytes) -> None:
    body = (
        b"--b\r\n\r\nhello\r\n--b\r\nContent-Disposition: attachment; "
        + disposition
        + b"\r\n\r\na,b\r\n1,2\r\n--b--\r\n"
    )
    document = read(raw(b"Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b", body))
    assert document.sections[-1].heading == ("첨부: 예산.csv",)
    assert text_of(document).endswith("a | b\n1 | 2")


def test_an_attached_mail_is_read_one_level_deep() -> None:
    innermost = mail("셋째 메일의 글입니다.", "셋째")
    inner = mail("둘째 메일의 글입니다.", "둘째")
    inner.add_attachment(innermost)
    attach(inner, "비밀번호 규정".encode(), "규정.txt")
    outer = mail()
    outer.add_attachment(inner)
    attach(outer, bytes(mail("파일로 붙인 메일입니다.", "넷째")), "넷째.eml")
    document = read(outer)
    text = text_of(document)
    assert {section.heading for section in document.sections} >= {("첨부: 둘째",), ("첨부: 넷째",)}
    assert "둘째 메일의 글" in text
    assert "파일로 붙인 메일" in text
    assert "셋째 메일의 글" not in text
    assert "비밀번호 규정" not in text
    assert "- 규정.txt" in text


def test_many_and_large_attachments_are_only_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eml, "_MOST_ATTACHMENTS", 3)
    monkeypatch.setattr(eml, "_MOST_ATTACHED_BYTES", 100)
    made = mail()
    for number in range(5):
        attach(made, f"내용 {number}".encode() * (20 if number == 1 else 1), f"{number}.txt")
    document = read(made)
    assert [section.heading for section in document.sections][1:] == [("첨부: 0.txt",), ("첨부 파일",)]
    assert text_of(document).endswith("- 1.txt\n- 2.txt\n- 3.txt\n- 4.txt")


def test_mails_nested_without_end_are_refused() -> None:
    nested = b"Subject: a\r\n\r\nend"
    for _ in range(3000):
        nested = b"Subject: a\r\nContent-Type: message/rfc822\r\n\r\n" + nested
    with pytest.raises(UnreadablePage, match="nested too deep"):
        read(nested)
    with pytest.raises(UnreadablePage, match="parts"):
        read(b"Subject: a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000)


def test_floods_of_headers_are_bounded() -> None:
    many = b"".join(b"X-Flood-%d: a\r\n" % number for number in range(50_000)) + b"Subject: a\r\n\r\n" + BODY.encode()
    assert text_of(read(many)) == BODY
    long = (
        b"To: "
        + b"a@example.com, " * 100_000
        + b"\r\nSubject: "
        + b"=?utf-8?B?7Jew?= " * 50_000
        + b"\r\n\r\n"
        + BODY.encode()
    )
    assert len(text_of(read(long))) < 1_000
    with pytest.raises(UnreadablePage, match="endless headers"):
        read(b"Subject: a\r\nContent-Type: text/plain; " + b"a=b; " * 100_000 + b"\r\n\r\nhello")


@pytest.mark.parametrize("data", [b"", b"\n\n", "제목 없는 글입니다.".encode(), bytes(range(256))])
def test_what_is_no_mail_is_a_page_error(data: bytes) -> None:
    with pytest.raises(PageError):
        read(data)


def good() -> bytes:
    made = mail()
    made.add_alternative(f"<p>{BODY}</p>", subtype="html")
    attach(made, "가,나\n1,2".encode(), "표.csv")
    made.add_attachment(mail("둘째"))
    return bytes(made)


GOOD = good()
_PIECE = st.sampled_from(
    [
        *(b"\r\n", b"\r\n\r\n", b"--", b"=?", b"?=", b"=?euc-kr?B?/w?=", b"\xff\xfe", b"\0", b'"', b";", b"<", b"@", b":"),
        *(b"Content-Type: multipart/mixed", b"Content-Type: text/html; charset=\xb0\xa1", b"boundary=", b"name*0*=''", b"filename*="),
        *(b"Content-Type: ;;;=", b"Content-Disposition: attachment; filename*1=", b"Content-Transfer-Encoding: base64\r\n\r\n!!"),
        *(b"Date: 99", b"charset=utf-7", b"charset=idna", b"charset=hex", b"message/rfc822", b"uuencode"),
    ]
)  # fmt: skip


@given(
    cuts=st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 30), _PIECE | st.binary(max_size=6)), max_size=6)
)
@settings(max_examples=150, deadline=None)
def test_damaged_mails_raise_only_page_errors(cuts: list[tuple[int, int, bytes]]) -> None:
    data = GOOD
    for at, length, piece in cuts:
        data = data[:at] + piece + data[at + length :]
    try:
        document = eml.parse(data)  # directly: parse() would hide a bug of its own
    except PageError:
        return
    assert all(block.text.strip() for section in document.sections for block in section.blocks)


def test_mails_are_registered() -> None:
    assert parse(GOOD, "보관/안내.EML").title == "재택근무 안내"
