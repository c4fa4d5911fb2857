"""빈틈: who sees which gap, what they may do, files, and words that are no markup."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import Connection

from bot import web_app
from bot.app import Root
from bot.examples.masking import mask
from bot.gaps import decisions
from bot.gaps.gap import NearPage
from bot.job_book import JobBook, KnownJob
from bot.jobs_app import Book
from bot.messages import Outcome, Shown
from bot.store import audit, gaps, jobs, personal
from bot.store.database import Store
from bot.web.page import Page
from bot.web.page_readers import PageName
from bot.web.pages.gaps import GapsParts, gaps_page, spark
from tests.bot.gaps.rows import DAY, KIM, LEE, PARK, call, miss, near, put
from tests.bot.web.conftest import Browser, Opening, add_account

HOSTILE = "<script>alert(1)</script> 주차 \"'{{7*7}}"
SALARY = near("연봉 밴드", 0.9, (("hr",),))
GUIDE = near("총무 안내", 0.6, url="https://wiki.example/guide")


class Readers:
    """Everybody reads all but `closed`; `hr` reads the salaries."""

    def __init__(self, *closed: str) -> None:
        self.closed = set(closed)

    async def __call__(self, groups: Collection[str], pages: Iterable[PageName]) -> frozenset[PageName]:
        return frozenset(
            page for page in pages if page[1] not in self.closed and (page[1] != SALARY.page or "hr" in groups)
        )


class NoJobs:
    """For pages whose job nobody asks for."""

    jobs: Mapping[str, KnownJob] = MappingProxyType({})

    def next_times(self, connection: Connection, *, now: float) -> dict[str, float]:
        return {}

    def log_of(self, run: str) -> Path:
        return Path(run)

    def reading(self, source: str | None = None) -> tuple[str, dict[str, list[str]]]:
        return "", {}


def page_of(store: Store, *closed: str, book: JobBook | None = None) -> Page:
    return gaps_page(GapsParts(store, book or NoJobs(), lambda text: mask(text).text, Readers(*closed), 2))


@pytest.fixture
def book(tmp_path: Path, store: Store) -> Book:
    """The real one."""
    (tmp_path / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    return Book(Root(tmp_path / "saseo.toml").job_parts(store))


@pytest.fixture
def parking(store: Store) -> str:
    """A gap that two people asked about, one of them in private."""
    now = time.time()
    miss(store, f"주차 등록은 어떻게 하나요? {HOSTILE} 010-1234-5678", KIM, now=now - DAY)
    miss(store, "비밀 주차 자리 주나요?", LEE, private=True, now=now - 2 * DAY)
    texts = [one.text for one in store.run_now(gaps.missed, since=0.0, most=9)]
    (gap,) = put(store, texts[::-1], name="주차 등록", nearest=(SALARY, GUIDE), now=now - DAY)
    return gap


@pytest.fixture
def alone(store: Store) -> str:
    """A gap of one person."""
    miss(store, "명함은 어떻게 신청하나요?", PARK, now=time.time() - DAY)
    (gap,) = put(store, ["명함은 어떻게 신청하나요?"], name="명함 신청", nearest=(GUIDE,), now=time.time())
    return gap


def look_of(page: str) -> str:
    """Which draft a page shows, as its forms say it."""
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def draft_in(store: Store, gap: str) -> str:
    kept = store.run_now(gaps.get, gap)
    assert kept is not None
    return kept.draft


async def test_a_list_shows_the_heaviest_first_with_its_trend(
    store: Store, browse: Opening, parking: str, alone: str
) -> None:
    shown = await browse([page_of(store)]).get("/gaps")
    assert shown.status_code == 200
    assert shown.text.index(f"/gaps/{parking}") < shown.text.index(f"/gaps/{alone}")
    assert '<svg class="spark"' in shown.text
    assert "주별 질문 수: 0, 0, 0, 0, 0, 0, 0, 2" in shown.text
    assert "관리자만 봄" in shown.text
    assert "총무 안내" in shown.text


async def test_an_empty_list_says_when_gaps_are_found(store: Store, browse: Opening) -> None:
    browser = browse([page_of(store)])
    for state, said in (
        ("open", "열려 있는 빈틈이 없습니다"),
        ("answered", "답하게 된 빈틈이 없습니다"),
        ("nonsense", "열려 있는"),
    ):
        assert said in (await browser.get(f"/gaps?state={state}")).text


async def test_private_words_and_closed_pages_are_nowhere_on_the_page(
    store: Store, browse: Opening, parking: str
) -> None:
    browser = browse([page_of(store)])
    for path in ("/gaps", f"/gaps/{parking}"):
        text = (await browser.get(path)).text
        assert "비밀" not in text
        assert "연봉" not in text
        assert "1234" not in text
        assert "<script>alert" not in text
    detail = (await browser.get(f"/gaps/{parking}")).text
    assert "비공개로 물은 질문 1건" in detail
    assert "[전화번호]" in detail
    assert 'href="https://wiki.example/guide"' in detail


async def test_with_all_texts_allowed_everything_is_shown_and_with_none_nothing(
    store: Store, browse: Opening, parking: str
) -> None:
    assert "비밀 주차 자리" in (await browse([page_of(store)], texts="all").get(f"/gaps/{parking}")).text
    nothing = (await browse([page_of(store)], texts="none").get(f"/gaps/{parking}")).text
    assert "주차" not in nothing
    assert f"이름 없는 주제 {parking[:4]}" in nothing


async def test_a_page_that_was_closed_since_is_not_named(store: Store, browse: Opening, parking: str) -> None:
    assert "총무 안내" not in (await browse([page_of(store, GUIDE.page)]).get(f"/gaps/{parking}")).text


async def test_who_is_in_the_group_sees_its_page(store: Store, browse: Opening, parking: str) -> None:
    add_account(store, "kim", "viewer", ["hr"])
    browser = browse([page_of(store)])
    await browser.log_in("kim")
    assert "연봉 밴드" in (await browser.get(f"/gaps/{parking}")).text


async def test_what_one_person_asked_is_for_admins_until_one_shares_it(
    store: Store, browse: Opening, alone: str
) -> None:
    add_account(store, "viewer", "viewer")
    add_account(store, "admin")
    looking, ruling = browse([page_of(store)]), browse([page_of(store)])
    await looking.log_in("viewer")
    await ruling.log_in("admin")
    assert alone not in (await looking.get("/gaps")).text
    assert (await looking.get(f"/gaps/{alone}")).status_code == 404
    assert "2명보다 적어" in (await ruling.get(f"/gaps/{alone}")).text
    await ruling.post(f"/gaps/{alone}/share")
    assert "명함 신청" in (await looking.get(f"/gaps/{alone}")).text
    assert f"/gaps/{alone}/unshare" in (await ruling.get(f"/gaps/{alone}")).text
    await ruling.post(f"/gaps/{alone}/unshare")
    assert (await looking.get(f"/gaps/{alone}")).status_code == 404


async def test_what_so_many_asked_cannot_be_for_admins_only_and_nobody_is_told_that_it_is(
    store: Store, browse: Opening, parking: str
) -> None:
    add_account(store, "viewer", "viewer")
    add_account(store, "admin")
    looking, ruling = browse([page_of(store)]), browse([page_of(store)])
    await looking.log_in("viewer")
    await ruling.log_in("admin")
    store.run_now(decisions.share, parking, True, by="cli", now=time.time())  # while only one had asked
    assert f"/gaps/{parking}/unshare" not in (await ruling.get(f"/gaps/{parking}")).text
    said = (await ruling.post(f"/gaps/{parking}/unshare")).text
    assert "2명 이상이라 여전히 모두에게 보입니다" in said
    assert "관리자에게만 보입니다." not in said
    assert (await looking.get(f"/gaps/{parking}")).status_code == 200


async def test_each_decision_changes_the_gap_says_so_and_is_recorded(
    store: Store, browse: Opening, parking: str
) -> None:
    browser = browse([page_of(store)])
    look = look_of((await browser.get(f"/gaps/{parking}")).text)
    forms = (
        ("draft", {"draft": "# 내 초안", "seen": look}, "초안을 저장했습니다"),
        ("rename", {"name": "주차 안내"}, "이름을 바꿨습니다"),
        ("assign", {"to": "총무팀"}, "맡은 사람을 바꿨습니다"),
        ("snooze", {"days": "30"}, "미뤘습니다"),
        ("reopen", {}, "다시 열었습니다"),
        ("close", {}, "닫았습니다"),
    )
    for do, fields, said in forms:
        assert said in (await browser.post(f"/gaps/{parking}/{do}", dict(fields))).text
    gap = store.run_now(gaps.get, parking)
    assert gap is not None
    assert (gap.named, gap.assigned, gap.state, gap.draft) == ("주차 안내", "총무팀", "closed", "# 내 초안")
    recorded = [(one.by, one.action) for one in store.run_now(audit.entries)]
    assert recorded[::-1] == [
        ("web:local", f"gap.{action}") for action in ("drafted", "named", "assigned", "snoozed", "reopened", "closed")
    ]
    shown = (await browser.get(f"/gaps/{parking}")).text
    assert "# 내 초안</textarea>" in shown
    assert "사람이 고친 초안" in shown
    await browser.post(f"/gaps/{parking}/reset", {"seen": look_of(shown)})
    assert "초안입니다" in (await browser.get(f"/gaps/{parking}")).text


async def test_a_draft_is_not_saved_or_dropped_over_one_that_came_meanwhile_and_what_was_typed_stays(
    store: Store, browse: Opening, parking: str
) -> None:
    kim, lee = browse([page_of(store)]), browse([page_of(store)])
    first, late = [(await one.get(f"/gaps/{parking}")).text for one in (kim, lee)]
    await kim.post(f"/gaps/{parking}/draft", {"draft": "# 김의 초안", "seen": look_of(first)})
    refused = await lee.post(f"/gaps/{parking}/draft", {"draft": "# 이의 <b>초안", "seen": look_of(late)})
    assert refused.status_code == 409
    assert "그사이 초안이나 가까운 문서가 바뀌어" in refused.text
    assert "# 이의 &lt;b&gt;초안</textarea>" in refused.text
    assert "# 김의 초안</pre>" in refused.text
    assert (await lee.post(f"/gaps/{parking}/reset", {"seen": look_of(late)})).status_code == 409
    assert (await lee.post(f"/gaps/{parking}/draft", {"draft": "x"})).status_code == 409
    assert draft_in(store, parking) == "# 김의 초안"
    await lee.post(f"/gaps/{parking}/draft", {"draft": "# 둘의 초안", "seen": look_of(refused.text)})
    assert draft_in(store, parking) == "# 둘의 초안"


async def test_a_draft_is_not_saved_as_beside_pages_that_its_writer_did_not_see(
    store: Store, browse: Opening, parking: str
) -> None:
    browser = browse([page_of(store)])
    look = look_of((await browser.get(f"/gaps/{parking}")).text)
    page = await browser.post(f"/gaps/{parking}/draft", {"draft": "# 초안", "seen": look})
    grown = gaps.Grown(parking, "주차 등록", "", (GUIDE, near("새 문서")), {}, {})
    store.run_now(gaps.keep, [grown], now=time.time())
    refused = await browser.post(f"/gaps/{parking}/draft", {"draft": "# 다른", "seen": look_of(page.text)})
    assert refused.status_code == 409
    assert draft_in(store, parking) == "# 초안"


async def test_a_saved_draft_tells_nobody_of_pages_that_they_may_not_read(
    store: Store, browse: Opening, parking: str
) -> None:
    add_account(store, "kim", "reviewer", ["hr"])
    add_account(store, "lee", "reviewer")
    add_account(store, "choi")
    insider, outsider, admin = browse([page_of(store)]), browse([page_of(store)]), browse([page_of(store)])
    await insider.log_in("kim")
    await outsider.log_in("lee")
    await admin.log_in("choi")
    page = (await insider.get(f"/gaps/{parking}")).text
    written = html.unescape(page.split("<textarea")[1].split(">", 1)[1])
    assert "연봉 밴드" in written
    await insider.post(f"/gaps/{parking}/draft", {"draft": written.split("</textarea>")[0], "seen": look_of(page)})
    assert "연봉 밴드" in (await insider.get(f"/gaps/{parking}")).text
    text = (await outsider.get(f"/gaps/{parking}")).text
    assert "연봉" not in text
    assert "<textarea" not in text
    assert "읽을 수 없는 문서를 바탕으로 쓴 초안이라" in text
    assert f"/gaps/{parking}/reset" not in text
    for kind in ("md", "json"):
        assert "연봉" not in (await outsider.post("/gaps/export", {"format": kind})).text
    before = store.run_now(gaps.history, parking)
    assert (await outsider.post(f"/gaps/{parking}/draft", {"draft": "x"})).status_code == 409
    assert (await outsider.post(f"/gaps/{parking}/reset")).status_code == 403
    assert store.run_now(gaps.history, parking) == before
    # Whoever runs the console can drop it unseen, or it would stay for ever once such a page is gone.
    page = (await admin.get(f"/gaps/{parking}")).text
    assert "연봉" not in page
    assert "자동으로 만든" in (await admin.post(f"/gaps/{parking}/reset", {"seen": look_of(page)})).text
    assert "<textarea" in (await outsider.get(f"/gaps/{parking}")).text


async def test_a_saved_draft_is_hidden_when_a_page_beside_it_is_closed(
    store: Store, browse: Opening, parking: str
) -> None:
    browser = browse([page_of(store)])
    look = look_of((await browser.get(f"/gaps/{parking}")).text)
    await browser.post(f"/gaps/{parking}/draft", {"draft": "총무 안내 옆", "seen": look})
    assert "총무 안내 옆" in (await browser.get(f"/gaps/{parking}")).text
    text = (await browse([page_of(store, GUIDE.page)]).get(f"/gaps/{parking}")).text
    assert "총무 안내" not in text
    assert "읽을 수 없는 문서를 바탕으로 쓴 초안이라" in text


async def test_who_may_only_look_changes_nothing(store: Store, browse: Opening, parking: str) -> None:
    add_account(store, "viewer", "viewer")
    browser = browse([page_of(store)])
    await browser.log_in("viewer")
    shown = await browser.get(f"/gaps/{parking}")
    assert "readonly" in shown.text
    assert f"/gaps/{parking}/close" not in shown.text
    for path in (f"/gaps/{parking}/close", "/gaps/find", "/gaps/export", f"/gaps/{parking}/draft"):
        assert (await browser.post(path, {"format": "csv", "draft": "x"})).status_code == 403
    assert store.run_now(gaps.history, parking)[1:] == []


async def test_a_reviewer_cannot_share_and_cannot_decide_about_what_is_not_shown(
    store: Store, browse: Opening, parking: str, alone: str
) -> None:
    add_account(store, "lee", "reviewer")
    browser = browse([page_of(store)])
    await browser.log_in("lee")
    await browser.get(f"/gaps/{parking}")
    assert (await browser.post(f"/gaps/{parking}/share")).status_code == 403
    assert (await browser.post(f"/gaps/{alone}/close")).status_code == 404
    assert (await browser.post(f"/gaps/{parking}/close")).status_code == 200


async def test_a_form_without_its_token_changes_nothing(store: Store, browse: Opening, parking: str) -> None:
    browser = browse([page_of(store)])
    await browser.get("/gaps")
    browser.token = "wrong"
    assert (await browser.post(f"/gaps/{parking}/close")).status_code == 403
    assert store.run_now(gaps.history, parking)[1:] == []


@pytest.mark.parametrize("path", ["/gaps/nothing", "/gaps/0123456789ab"])
async def test_a_gap_that_is_not_there_is_no_page(store: Store, browse: Opening, path: str) -> None:
    assert (await browse([page_of(store)]).get(path)).status_code == 404


async def test_an_unknown_deed_is_no_page(store: Store, browse: Opening, parking: str) -> None:
    browser = browse([page_of(store)])
    await browser.get("/gaps")
    assert (await browser.post(f"/gaps/{parking}/explode")).status_code == 404
    assert (await browser.post("/gaps/export", {"format": "exe"})).status_code == 404


async def test_finding_is_asked_of_the_job_once_however_often_one_asks(
    store: Store, browse: Opening, book: Book
) -> None:
    browser = browse([page_of(store, book=book)])
    await browser.get("/gaps")
    for _ in range(2):
        assert "요청했습니다" in (await browser.post("/gaps/find")).text
    (run,) = store.run_now(jobs.every, "gaps")
    assert (run.state, run.asked_by) == ("due", "web:local")


@pytest.mark.parametrize("off", ["[jobs]\nenabled = false\n", "[jobs.gaps]\nenabled = false\n"])
async def test_finding_can_be_asked_for_where_the_job_does_not_run_by_itself(
    store: Store, browse: Opening, tmp_path: Path, off: str
) -> None:
    """The page as the service composes it: the service runs what is asked for all the same."""
    (tmp_path / "saseo.toml").write_text(f'data_dir = "data"\n{off}', encoding="utf-8")
    root = Root(tmp_path / "saseo.toml")
    book = Book(root.job_parts(store))
    assert root.settings.jobs.enabled is ("[jobs.gaps]" in off)
    browser = browse([web_app.gaps_page(root, store, book, Readers())])
    assert 'action="/gaps/find"' in (await browser.get("/gaps")).text
    assert "요청했습니다" in (await browser.post("/gaps/find")).text
    assert [run.state for run in store.run_now(jobs.every, "gaps")] == ["due"]


async def test_what_the_clock_made_due_is_a_persons_once_they_ask(store: Store, browse: Opening, book: Book) -> None:
    store.run_now(jobs.ask, "gaps", by=jobs.CLOCK, now=time.time())
    browser = browse([page_of(store, book=book)])
    await browser.get("/gaps")
    await browser.post("/gaps/find")
    assert [run.asked_by for run in store.run_now(jobs.every, "gaps")] == ["web:local"]


async def test_a_paused_job_is_not_asked_and_both_ways_to_resume_it_are_told(
    store: Store, browse: Opening, book: Book
) -> None:
    store.run_now(jobs.switch, "gaps", True, by="cli", now=time.time())
    browser = browse([page_of(store, book=book)])
    await browser.get("/gaps")
    answer = await browser.post("/gaps/find")
    assert answer.status_code == 409
    assert "다시 켜기" in answer.text
    assert "saseo jobs resume gaps" in answer.text
    assert store.run_now(jobs.every, "gaps") == []
    assert "job.run" not in [one.action for one in store.run_now(audit.entries)]


async def test_files_hold_what_may_be_seen_and_are_recorded(store: Store, browse: Opening, parking: str) -> None:
    store.run_now(decisions.rename, parking, "=주차()", by="cli", now=time.time())
    browser = browse([page_of(store)])
    await browser.get("/gaps")
    table = await browser.post("/gaps/export", {"format": "csv", "state": "open"})
    assert table.headers["content-disposition"] == 'attachment; filename="gaps-open.csv"'
    (row,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert row["name"] == "'=주차()"
    every = json.loads((await browser.post("/gaps/export", {"format": "json"})).text)
    assert [one["id"] for one in every] == [parking]
    written = (await browser.post("/gaps/export", {"format": "md"})).text
    for text in (table.text, json.dumps(every, ensure_ascii=False), written):
        assert "비밀" not in text
        assert "연봉" not in text
        assert "1234" not in text
    entries = [one for one in store.run_now(audit.entries) if one.action == "gap.export"]
    digest = hashlib.sha256(table.content).hexdigest()
    told = {"format": "csv", "state": "open", "gaps": 1, "sha256": digest}
    assert [dict(one.detail) for one in entries][-1] == told
    # Whoever of those people is erased later, the files that were downloaded are named.
    held = store.run_now(personal.of_person, KIM.key).tables["exports"]
    assert [(one["kind"], one["sha256"] == digest) for one in held] == [
        ("gaps", True),
        ("gaps", False),
        ("gaps", False),
    ]
    assert all(one["path"].startswith("console:") for one in held)
    assert store.run_now(personal.of_person, PARK.key).tables["exports"] == []


async def test_an_answered_gap_names_its_page_to_those_who_may_read_it(
    store: Store, browse: Opening, parking: str
) -> None:
    change = {"state": "answered", "answered_source": "wiki", "asked_edition": "e2"}
    detail = {"asked": 3, "passed": 2, "edition": "e2", "source": "wiki", "page": "x"}
    for page, seen in ((GUIDE.page, True), (SALARY.page, False)):
        store.run_now(
            gaps.change, parking, "answered", by=gaps.AUTO, now=time.time(), detail=detail, answered_page=page, **change
        )
        text = (await browse([page_of(store)]).get(f"/gaps/{parking}")).text
        assert (f"<dd>wiki/{page}" in text) is seen
        assert ("이 계정으로는 읽을 수 없는" in text) is not seen
        assert "(2/3, e2)" in text


async def test_a_file_names_the_page_that_answers_to_those_alone_who_may_read_it(
    store: Store, browse: Opening, parking: str
) -> None:
    add_account(store, "kim", "reviewer", ["hr"])
    add_account(store, "lee", "reviewer")
    change = {"state": "answered", "answered_source": "wiki", "answered_page": SALARY.page}
    detail = {"asked": 3, "passed": 2, "edition": "e2", "source": "wiki", "page": SALARY.page}
    store.run_now(gaps.change, parking, "answered", by=gaps.AUTO, now=time.time(), detail=detail, **change)
    files = {}
    for who in ("kim", "lee"):
        browser = browse([page_of(store)])
        await browser.log_in(who)
        await browser.get("/gaps")
        files[who] = (await browser.post("/gaps/export", {"format": "json", "state": "answered"})).text
    assert json.loads(files["kim"])[0]["answered_by"] == {"source": "wiki", "page": SALARY.page}
    (gap,) = json.loads(files["lee"])
    assert gap["answered_by"] is None
    assert gap["history"][-1]["detail"] == {"asked": 3, "passed": 2, "edition": "e2"}
    assert SALARY.page not in files["lee"]


async def test_who_was_called_and_what_they_said_is_shown_masked(store: Store, browse: Opening) -> None:
    now = time.time()
    for person in (KIM, LEE):
        answer = miss(store, f"식당 시간 {person.id}", person, outcome=Outcome.ANSWERED, now=now - DAY)
        call(store, answer, "U9", resolution="총무팀 010-2222-3333", consent=True)
    (gap,) = put(store, ["식당 시간 U1", "식당 시간 U2"], now=now)
    text = (await browse([page_of(store)]).get(f"/gaps/{gap}")).text
    assert "U9" in text
    assert "총무팀 [전화번호]" in text
    assert "2222" not in text


async def test_words_that_may_come_from_a_restricted_page_are_for_its_readers_also_in_drafts_and_files(
    store: Store, browse: Opening
) -> None:
    now, rests = time.time(), (Shown("wiki", SALARY.page, 0, "하한은 4천만 원"),)
    for person in (KIM, LEE):
        wrong, right = f"연봇 하한 {person.id}", f"연봉 하한 {person.id}"
        answer = miss(store, wrong, person, condensed=right, shown=rests, now=now - DAY)
        call(store, answer, "U9", resolution="하한은 4천만 원입니다.", consent=True)
    (gap,) = put(store, ["연봉 하한 U1", "연봉 하한 U2"], now=now)
    add_account(store, "kim", "reviewer", ["hr"])
    add_account(store, "lee", "reviewer")
    insider, outsider = browse([page_of(store)]), browse([page_of(store)])
    await insider.log_in("kim")
    await outsider.log_in("lee")

    async def told(browser: Browser) -> list[str]:
        page = (await browser.get(f"/gaps/{gap}")).text
        return [page, *[(await browser.post("/gaps/export", {"format": kind})).text for kind in ("md", "json", "csv")]]

    for text in await told(outsider):
        assert "4천만" not in text
        assert "연봉" not in text
        assert "연봇 하한" in text
    page, *files = await told(insider)
    assert all("연봉 하한" in text for text in (page, *files))
    assert "하한은 4천만 원입니다." in page
    # A draft that was saved from what they saw is for the same eyes.
    await insider.post(f"/gaps/{gap}/draft", {"draft": "하한은 4천만 원입니다.", "seen": look_of(page)})
    assert "4천만 원입니다.</textarea>" in (await insider.get(f"/gaps/{gap}")).text
    for text in await told(outsider):
        assert "4천만" not in text
        assert SALARY.page not in text
    assert "읽을 수 없는 문서를 바탕으로 쓴 초안이라" in (await outsider.get(f"/gaps/{gap}")).text


async def test_both_languages_have_every_word(store: Store, browse: Opening, parking: str) -> None:
    for state in ("open", "snoozed", "closed", "answered"):
        store.run_now(gaps.change, parking, "reopened", by="x", now=time.time(), state=state, snoozed_until=time.time())
        for language in ("ko", "en"):
            browser = browse([page_of(store)], language=language)
            assert (await browser.get(f"/gaps?state={state}")).status_code == 200
            assert (await browser.get(f"/gaps/{parking}")).status_code == 200


async def test_hostile_links_are_no_links(store: Store, browse: Opening) -> None:
    miss(store, "링크 시험", KIM, now=time.time())
    bad = NearPage("wiki", "a.md", "제목", "", "javascript:alert(1)", 0.5)
    (gap,) = put(store, ["링크 시험"], nearest=(bad,), now=time.time())
    assert "javascript:" not in (await browse([page_of(store)]).get(f"/gaps/{gap}")).text


def test_a_trend_is_drawn_from_left_to_right_and_rests_on_the_floor_without_questions() -> None:
    assert spark((0, 0)) == "2.0,22.0 98.0,22.0"
    assert spark((0, 4, 2)) == "2.0,22.0 50.0,2.0 98.0,12.0"
