"""대화 over a real store and a real edition: lists, filters, one question's way; and what an account may not read is nowhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from html import unescape
from typing import ClassVar
from zoneinfo import ZoneInfo

import httpx
import pytest

from bot.conversation import Place
from bot.messages import Citation, Outcome, Shown
from bot.store import answers, escalations, votes
from bot.store.database import Store
from bot.trace import Reading, Retrieved, Said, Searched, Sentence, Step, Trace
from bot.web.page_readers import AnySource, PageName
from bot.web.pages.conversations import ConversationsParts, conversations
from tests.bot.store.rows import answer
from tests.bot.store.told import KIM, LEE, tell
from tests.bot.web.conftest import Opening, add_account

SEOUL = ZoneInfo("Asia/Seoul")
DIRECT = Place("slack", "D1", "direct")
OTHER = Place("discord", "77", "channel")
OPEN_PAGE, HR_PAGE = ("wiki", "휴가.md"), ("wiki", "연봉.md")
TRACE = Trace(
    edition="e7",
    model="qwen",
    lora="none",
    prompt_version="p1",
    threshold=9.2,
    condensed="연차 신청 방법",
    turns=("앞선 이야기",),
    rewritten=True,
    searches=(
        Searched("연차 신청", 8.1, 0.7, 0.4, (0.01, 0.02)),
        Searched("연차 신청 방법", 10.5, 0.9, 0.9, (0.01, 0.02)),
    ),
    understood=(Reading("keys", "dusck", "연차"),),
    passages=(
        Retrieved(*OPEN_PAGE, 0, "휴가 규정", "신청", 0.91, 0.81, 0.71, 0.61, shown=1),
        Retrieved(*HR_PAGE, 4, "연봉표", "등급", 0.5, 0.4, 0.3, 0.2),
    ),
    prompt=(Said("system", "규칙입니다"), Said("human", "[1] 휴가 규정 본문\n질문: 연차?")),
    sentences=(
        Sentence("연차는 3일 전에 신청합니다.", "shown", 0, (1,), (0.83,), 10.1),
        Sentence("연차는 30일입니다.", "number", 1, (), (0.55,)),
    ),
    steps=(Step("search", 0.2), Step("write", 0.6)),
    reused_tokens=400,
    refusal=0.8312,
)
ANSWER = replace(
    answer(),
    text="연차는 3일 전에 신청합니다. [1]",
    citations=(Citation(1, OPEN_PAGE[1], "휴가 규정", None, "3일 전까지 신청합니다.", "신청"),),
    nearest=(),
    shown=(Shown(*OPEN_PAGE, 0, "휴가 규정 본문"),),
)
SECRETS = ("연차는 3일", "연차는 30일", "휴가 규정 본문")


class Wiki:
    """휴가.md is open to everyone, 연봉.md to hr; other pages are gone."""

    readers: ClassVar = {OPEN_PAGE: "", HR_PAGE: "hr", (AnySource, OPEN_PAGE[1]): "", (AnySource, HR_PAGE[1]): "hr"}

    async def __call__(self, groups: Collection[str], pages: Iterable[PageName]) -> frozenset[PageName]:
        return frozenset(one for one in pages if one in self.readers and self.readers[one] in {"", *groups})


@pytest.fixture
def parts(store: Store) -> ConversationsParts:
    return ConversationsParts(store, SEOUL, Wiki())


def questions(page: httpx.Response) -> list[str]:
    return [unescape(one).strip() for one in re.findall(r'class="question"[^>]*>(.*?)</a>', page.text)]


def body(page: httpx.Response) -> str:
    return unescape(page.text)


async def test_the_list_shows_each_question_with_its_end(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    tell(store, 10.0, text="첫 질문", up=[KIM], lora="l7")
    tell(store, 20.0, Outcome.ABSTAINED, text="둘째 질문", place=OTHER, down=[KIM, LEE])
    page = await browse([conversations(parts)]).get("/conversations")
    assert questions(page) == ["둘째 질문", "첫 질문"]
    assert "Discord · 77" in page.text
    assert "싫어요 2" in page.text
    assert "l7" in page.text
    assert "답 없음" in page.text


async def test_nothing_yet_and_nothing_that_fits_are_told_apart(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    browser = browse([conversations(parts)])
    assert "아직 질문이 없습니다" in (await browser.get("/conversations")).text
    tell(store, 10.0)
    assert "조건에 맞는 대화가 없습니다" in (await browser.get("/conversations?q=없는말")).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=둘째", ["둘째 질문"]),
        ("outcome=abstained", ["둘째 질문"]),
        ("where=discord:77", ["둘째 질문"]),
        ("where=slack:C1", ["첫 질문"]),
        ("where=slack", ["첫 질문"]),
        ("lora=l7", ["첫 질문"]),
        ("vote=up", ["첫 질문"]),
        ("vote=down", ["둘째 질문"]),
        ("since=1970-01-02", ["둘째 질문"]),
        ("until=1970-01-01", ["첫 질문"]),
        ("outcome=nonsense&vote=nonsense&since=x&after=y", ["둘째 질문", "첫 질문"]),
        ("outcome=answered&vote=down", []),
    ],
)
async def test_filters_of_the_form(
    browse: Opening, parts: ConversationsParts, store: Store, query: str, expected: list[str]
) -> None:
    tell(store, 10.0, text="첫 질문", up=[KIM], lora="l7")
    tell(store, 86400.0, Outcome.ABSTAINED, text="둘째 질문", place=OTHER, down=[KIM, LEE])
    page = await browse([conversations(parts)]).get(f"/conversations?{query}")
    assert page.status_code == 200
    assert questions(page) == expected


async def test_more_goes_on_with_the_same_filters_also_without_scripts(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    for n in range(60):
        tell(store, float(n), text=f"질문 {n}", place=OTHER if n % 12 == 0 else Place("slack", "C1", "channel"))
    browser = browse([conversations(parts)])
    page = await browser.get("/conversations?where=slack:C1")
    assert len(questions(page)) == 50
    link = unescape(re.findall(r'class="button" href="([^"]+after=[^"]+)"', page.text)[0])
    rest = await browser.get(link)
    assert len(questions(rest)) == 5
    assert len({*questions(page), *questions(rest)}) == 55
    assert "<html" in rest.text
    part = await browser.get(link, headers={"HX-Request": "true"})
    assert questions(part) == questions(rest)
    assert part.text.lstrip().startswith("<tr>")
    found = await browser.get("/conversations?q=질문 59", headers={"HX-Request": "true"})
    assert questions(found) == ["질문 59"]
    assert "<html" not in found.text
    again = await browser.get("/conversations", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in again.text  # going back in the browser shows the page, not a part of it


async def test_one_question_shows_its_whole_way(browse: Opening, parts: ConversationsParts, store: Store) -> None:
    question = tell(store, 10.0, text="연차는 어떻게?", trace=TRACE, down=[KIM], given=ANSWER)
    store.run_now(votes.explain, f"a{question}", KIM.key, reason="wrong", correction="5일 전입니다")
    store.run_now(escalations.call, f"a{question}", ["U9"], caller=KIM.key, now=99.0)
    older = tell(store, 5.0, down=[LEE])
    tell(store, 6.0)  # not one of the list that was come from
    page = await browse([conversations(parts)]).get(f"/conversations/{question}?back=vote%3Ddown")
    shown = body(page)
    assert page.status_code == 200
    for told in (
        "연차는 어떻게?", *SECRETS, "연차 신청 방법", "앞선 이야기", "dusck", "휴가 규정", "10.50", "9.20", "0.81", "0.71",
        "보여 줌", "문서에 없는 숫자", "2번째 시도", "83%", "규칙입니다", "5일 전입니다", "담당자를 불렀습니다",
        "3일 전까지 신청합니다.", "400",
    ):  # fmt: skip
        assert told in shown, told
    assert "연봉표" not in shown
    assert f'href="/conversations/{older}?back=vote%3Ddown"' in page.text
    assert 'href="/conversations?vote=down"' in page.text


async def test_who_may_not_read_a_page_sees_neither_its_title_nor_what_was_written_from_it(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    add_account(store, "kim", "viewer")
    add_account(store, "lee", "viewer", groups=["hr"])
    secret = replace(
        ANSWER,
        text="연봉은 비밀 금액입니다. [1]",
        citations=(Citation(1, HR_PAGE[1], "연봉표", None, "비밀 금액", "등급"),),
        shown=(Shown(*HR_PAGE, 4, "비밀 금액"),),
    )
    passages = (replace(TRACE.passages[0], shown=0), replace(TRACE.passages[1], shown=1))
    sentences = (Sentence("연봉은 비밀 금액입니다.", "shown", 0, (1,), (0.9,)),)
    prompt = (Said("system", "규칙"), Said("human", "[1] 비밀 금액"))
    trace = replace(TRACE, passages=passages, sentences=sentences, prompt=prompt)
    question = tell(store, 10.0, text="연봉은?", given=secret, trace=trace, down=[KIM])
    store.run_now(votes.explain, f"a{question}", KIM.key, reason="", correction="사실은 비밀 금액 둘")
    kim, lee = (browse([conversations(parts)]) for _ in range(2))
    await kim.log_in("kim")
    await lee.log_in("lee")
    hidden = body(await kim.get(f"/conversations/{question}"))
    assert "연봉은?" in hidden
    assert "휴가 규정" in hidden
    for one in (
        "비밀",
        "연봉표",
        "연봉.md",
        "dusck",
        "연차 신청 방법",
    ):  # what was put right may be a word of such a page
        assert one not in hidden
    assert "이 계정으로는 읽을 수 없는 문서입니다." in hidden
    seen = body(await lee.get(f"/conversations/{question}"))
    for one in ("비밀 금액입니다", "연봉표", "연봉.md", "사실은 비밀 금액 둘"):
        assert one in seen


def read_texts(page: httpx.Response) -> list[str]:
    """What stands in the table of passages, of those that were shown."""
    return [
        unescape(one)
        for one in re.findall(r'<details><summary>읽은 내용</summary><div class="text">(.*?)</div>', page.text)
    ]


async def test_each_passage_that_was_read_shows_its_text_to_who_may_read_its_page(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    add_account(store, "kim", "viewer")
    add_account(store, "lee", "viewer", groups=["hr"])
    given = replace(ANSWER, shown=(Shown(*OPEN_PAGE, 0, "열린 <b>본문</b>"), Shown(*HR_PAGE, 4, "비밀 본문")))
    passages = (
        *(replace(one, shown=n) for n, one in enumerate(TRACE.passages, 1)),
        replace(TRACE.passages[0], number=7),
    )
    question, private = (
        tell(store, 10.0, given=given, trace=replace(TRACE, passages=passages), private=one) for one in (False, True)
    )
    kim, lee = (browse([conversations(parts)]) for _ in range(2))
    await kim.log_in("kim")
    await lee.log_in("lee")
    hidden = await kim.get(f"/conversations/{question}")
    assert read_texts(hidden) == ["열린 <b>본문</b>"]
    assert "비밀 본문" not in hidden.text
    assert read_texts(await lee.get(f"/conversations/{question}")) == ["열린 <b>본문</b>", "비밀 본문"]
    assert read_texts(await lee.get(f"/conversations/{private}")) == []


async def test_a_page_that_is_gone_is_shown_to_nobody(browse: Opening, parts: ConversationsParts, store: Store) -> None:
    gone = replace(ANSWER, nearest=(Citation(1, "옛.md", "옛 제목", None, "옛 글"),), citations=())
    page = await browse([conversations(parts)], texts="all").get(f"/conversations/{tell(store, 1.0, given=gone)}")
    assert "옛 제목" not in page.text
    assert "3일 전에 신청" not in page.text


@pytest.mark.parametrize(
    ("texts", "place", "seen"),
    [("all", DIRECT, True), ("shared", DIRECT, False), ("shared", OTHER, True), ("none", OTHER, False)],
)
async def test_words_are_shown_as_the_privacy_setting_says(
    browse: Opening, parts: ConversationsParts, store: Store, texts: str, place: Place, seen: bool
) -> None:
    question = tell(
        store, 1.0, text="조용한 질문", place=place, private=place is DIRECT, given=ANSWER, trace=TRACE, down=[KIM]
    )
    store.run_now(votes.explain, f"a{question}", KIM.key, reason="", correction="고친 말")
    browser = browse([conversations(parts)], texts=texts)
    for path in (f"/conversations/{question}", "/conversations", "/conversations?q=조용한"):
        page = body(await browser.get(path))
        words = ["조용한 질문"] if "q=" not in path else [question]
        words += ["연차 신청 방법", "앞선 이야기", "dusck", "고친 말", *SECRETS] if path.endswith(question) else []
        for one in words:
            assert (one in page) is seen, (path, one)
    if not seen:
        assert "개인정보 설정에 따라" in body(await browser.get(f"/conversations/{question}"))


async def test_a_private_answer_that_its_asker_shared_is_shown(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    question = tell(store, 1.0, text="공유한 질문", private=True, given=ANSWER)
    browser = browse([conversations(parts)])
    assert "공유한 질문" not in (await browser.get("/conversations")).text
    store.run_now(answers.shown, f"a{question}", "M9")
    assert "공유한 질문" in (await browser.get("/conversations")).text
    assert "연차는 3일" in (await browser.get(f"/conversations/{question}")).text


async def test_what_people_wrote_stays_text(browse: Opening, parts: ConversationsParts, store: Store) -> None:
    hostile = "<img src=x onerror=alert(1)>{{ 7*7 }}</script>"
    trace = replace(TRACE, condensed=hostile, sentences=(Sentence(hostile, "shown", 0),))
    question = tell(store, 1.0, text=hostile, trace=trace, given=replace(ANSWER, text=hostile))
    browser = browse([conversations(parts)])
    for path in ("/conversations", f"/conversations/{question}", f"/conversations?q={'<img'}&lora={'%22%3E<b>'}"):
        page = await browser.get(path)
        assert "<img src=x" not in page.text
        assert '"><b>' not in page.text
    assert hostile in body(await browser.get(f"/conversations/{question}"))


async def test_failed_open_and_unknown_questions_have_their_page(
    browse: Opening, parts: ConversationsParts, store: Store
) -> None:
    browser = browse([conversations(parts)])
    failed = tell(store, 1.0, Outcome.FAILED, trace=replace(TRACE, error="WriterFailed", sentences=(), prompt=()))
    page = await browser.get(f"/conversations/{failed}")
    assert "WriterFailed" in page.text
    assert "보관된 답변이 없습니다" in page.text
    page = await browser.get(f"/conversations/{tell(store, 2.0, None)}")
    assert "이 질문의 과정은 보관하지 않습니다" in page.text
    assert (await browser.get("/conversations/gone")).status_code == 404


async def test_both_pages_speak_english(browse: Opening, parts: ConversationsParts, store: Store) -> None:
    question = tell(store, 1.0, trace=TRACE, given=ANSWER)
    browser = browse([conversations(parts)], language="en")
    assert "Find in questions" in (await browser.get("/conversations")).text
    assert "Each sentence, checked" in (await browser.get(f"/conversations/{question}")).text
