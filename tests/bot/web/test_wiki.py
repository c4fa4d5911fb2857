"""위키: who sees and may do what with sources, editions and failures; the search tester tells why, and nothing it must not."""

from __future__ import annotations

import html as html_module
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.store import audit, jobs
from bot.store.database import Store
from knowledge.edition import HeldSource
from knowledge.search import SearchIndex
from tests.bot.web.conftest import Browser, Opening, add_account
from tests.bot.web.wiki_office import WikiOffice
from tests.conftest import Indexer

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def office(store: Store, indexer: Indexer, tmp_path: Path) -> Iterator[WikiOffice]:
    one = WikiOffice(store, indexer, tmp_path)
    yield one
    one.flow.close()


async def as_account(browse: Opening, office: WikiOffice, role: Any, *groups: str, name: str = "kim") -> Browser:
    add_account(office.store, name, role, groups)
    browser = browse([office.page])
    await browser.log_in(name)
    return browser


def row(html: str, source: str) -> str:
    found = re.search(rf'<tr data-source="{re.escape(source)}">.*?</tr>', html, re.S)
    assert found
    return found[0]


def plain(html: str) -> str:
    """What stands on the page."""
    return html_module.unescape(re.sub(r"<[^>]+>", "", html))


# -- sources and runs ------------------------------------------------------------------------------------------------------


async def test_sources_are_listed_with_pages_runs_and_readers(browse: Opening, office: WikiOffice) -> None:
    office.ran("reindex", at=time.time() - 7200)
    office.ran("reindex:wiki", at=time.time() - 600)
    html = (await browse([office.page]).get("/wiki")).text
    first, second = row(html, "wiki"), row(html, "둘째")
    assert ">6<" in first
    assert "정상" in first
    assert "9분 전" in first
    assert "아직 색인에 없음" in second
    assert "hr" in second
    assert "1시간 전" in second
    assert "뒤" in second  # by the nightly run of all


async def test_nothing_has_happened_yet_and_that_is_said(browse: Opening, office: WikiOffice) -> None:
    html = (await browse([office.page]).get("/wiki")).text
    assert "기록 없음" in row(html, "wiki")
    assert "모든 문서를 읽었습니다" in html
    html = (await browse([office.page]).get("/wiki/search")).text
    assert "여기에 결과와 그 이유를" in html


async def test_both_languages(browse: Opening, office: WikiOffice) -> None:
    office.ran("reindex:wiki", "failed", error="NoEdition: words")
    browser = browse([office.page])
    await browser.get("/wiki")
    await browser.post("/preferences", {"language": "en", "theme": "dark"})
    for path in ("/wiki", "/wiki/search?q=vpn", "/wiki/unread", "/wiki/page?source=wiki&page=보안.md"):
        answer = await browser.get(path)
        assert answer.status_code == 200
        frame = re.sub(r"<blockquote.*?</blockquote>|<p class=\"text.*?</p>", "", answer.text, flags=re.S)
        known = re.compile("한국어|둘째|[가-힣0-9-]*[.]md|VPN 안내|회의실 예약|연차 규정|국내 출장 규정|부여|신청")
        assert not re.findall("[가-힣]+", known.sub("", plain(frame)))


async def test_reading_again_asks_the_job_and_never_indexes_here(
    browse: Opening, office: WikiOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.build.build", lambda *_: pytest.fail("indexed in the request"))
    browser = browse([office.page])
    await browser.get("/wiki")
    for source, job, arguments in (
        ("wiki", "reindex:wiki", {}),
        ("둘째", "reindex", {"sources": ["둘째"]}),
        ("", "reindex", {}),
    ):
        answer = await browser.post("/wiki/run", {"source": source})
        assert answer.url.path == "/wiki"
        assert "곧 시작합니다" in answer.text
        found = [run for run in office.store.run_now(jobs.every, job) if run.arguments == arguments]
        assert [run.state for run in found] == ["due"]
    assert [one.action for one in office.store.run_now(audit.entries, action="job.")] == ["job.run"] * 3
    assert (await browser.post("/wiki/run", {"source": "nothing"})).status_code == 404


async def test_progress_is_polled_and_the_lists_come_when_it_ends(browse: Opening, office: WikiOffice) -> None:
    run = office.begun("reindex:wiki", at=time.time(), done=4, total=8, message="vectors")
    browser = browse([office.page])
    html = (await browser.get("/wiki")).text
    assert f'hx-get="/wiki/progress?was={run.id}" hx-trigger="every 2s"' in html
    assert '<progress max="8" value="4"' in html
    assert "벡터 계산" in html
    assert 'action="/wiki/run"' not in row(html, "wiki")
    part = (await browser.get(f"/wiki/progress?was={run.id}")).text
    assert "hx-swap-oob" not in part
    result = {"pages": 7, "passages": 9}
    office.store.run_now(lambda c: jobs.finish(c, run, "done", now=time.time(), progress={}, result=result))
    part = (await browser.get(f"/wiki/progress?was={run.id}")).text
    assert 'id="lists" hx-swap-oob="true"' in part
    assert "다시 읽기를 마쳤습니다" in part
    assert 'hx-trigger="every 20s"' in part
    assert "hx-swap-oob" not in (await browser.get("/wiki/progress")).text


async def test_a_source_that_was_held_back_says_why_and_is_accepted_after_a_question(
    browse: Opening, office: WikiOffice
) -> None:
    held = HeldSource("문서가 크게 줄었습니다", "it shrank", before=26, now=7, since=time.time() - 7200)
    office.indexer.shelf.note_held_back({"wiki": held})
    browser = browse([office.page])
    html = (await browser.get("/wiki")).text
    assert "문서가 크게 줄었습니다" in html
    assert "처음 보류: 2시간 전" in plain(html)
    assert "보류" in row(html, "wiki")
    assert re.search(r'action="/wiki/accept" data-sure="[^"]*26개에서 7개로', html)
    await browser.post("/wiki/accept", {"source": "wiki"})
    waiting = office.store.run_now(jobs.every, "reindex:wiki")[-1]
    assert (waiting.state, waiting.arguments) == ("due", {"accept": ["wiki"]})
    assert office.store.run_now(audit.entries)[0].detail["accept"] == ["wiki"]


async def test_what_is_held_back_is_what_the_last_run_said_and_not_how_the_edition_was_made(
    browse: Opening, office: WikiOffice
) -> None:
    office.live.index.edition.manifest.held_back.append("wiki")
    office.indexer.shelf.note_held_back({"둘째": HeldSource()})
    html = (await browse([office.page]).get("/wiki")).text
    assert "보류" not in row(html, "wiki")
    assert "보류" in row(html, "둘째")
    assert "?개에서 ?개로" in html
    assert "이유는 색인을 만든 실행의 기록에 있습니다" in html


async def test_a_viewer_can_neither_run_nor_accept_nor_roll_back(browse: Opening, office: WikiOffice) -> None:
    before = office.live.index.name
    office.write("새-문서.md", "# 새 문서\n\n내용입니다.\n")
    office.indexer.build()
    for role in ("viewer", "reviewer"):
        browser = await as_account(browse, office, role, name=role)
        html = (await browser.get("/wiki")).text
        assert "/wiki/run" not in html
        assert "/rollback" not in html
        for path in ("/wiki/run", "/wiki/accept", f"/wiki/editions/{before}/rollback"):
            assert (await browser.post(path, {"source": "wiki"})).status_code == 403
    assert office.store.run_now(jobs.every) == []
    assert office.indexer.shelf.current() != before


# -- editions --------------------------------------------------------------------------------------------------------------


async def test_going_back_to_an_edition_answers_from_it_and_is_on_the_record(
    browse: Opening, office: WikiOffice
) -> None:
    old = office.live.index.name
    office.write("새-문서.md", "# 새 문서\n\n내용입니다.\n")
    office.indexer.build()
    await office.reopen()
    new = office.live.index.name
    browser = browse([office.page])
    html = (await browser.get("/wiki")).text
    assert html.index(new) < html.index(old)
    assert f'action="/wiki/editions/{new}/rollback"' not in html  # it serves
    answer = await browser.post(f"/wiki/editions/{old}/rollback")
    assert f"이제 색인 {old}(으)로 답합니다" in answer.text
    assert office.live.index.name == old
    entry = office.store.run_now(audit.entries)[0]
    assert (entry.action, entry.subject, entry.detail) == ("edition.rollback", old, {"from": new})
    assert new in answer.text.partition("되돌린 상태입니다")[0]
    assert (await browser.post("/wiki/editions/..%2F..%2Fetc/rollback")).status_code in (404, 409)
    assert (await browser.post("/wiki/editions/nothing/rollback")).status_code == 409


async def test_going_back_says_how_many_pages_it_opens_again_and_opens_no_others(
    browse: Opening, office: WikiOffice
) -> None:
    office.write("새-문서.md", "# 새 문서\n\n내용입니다.\n")
    office.write("옛-문서.md", "# 옛 문서\n\n내용입니다.\n")
    office.indexer.build()
    old = office.indexer.shelf.current()
    office.write("새-문서.md", "---\naudience: hr\n---\n# 새 문서\n\n내용입니다.\n")
    office.indexer.build()
    await office.reopen()
    browser = browse([office.page])
    html = (await browser.get("/wiki")).text
    assert re.search(rf'/{old}/rollback" data-sure="[^"]*문서 1개가 예전처럼 열리고, 없어진 문서 0개로', html)
    assert '<input type="hidden" name="reopening" value="1/0">' in html
    (office.indexer.wiki / "옛-문서.md").unlink()
    office.indexer.build()  # more would be open now than the person was asked about
    new = office.indexer.shelf.current()
    for shown in ({}, {"reopening": "1/0"}):
        answer = await browser.post(f"/wiki/editions/{old}/rollback", shown)
        assert answer.status_code == 409
        assert "되돌리지 않았습니다" in answer.text
    assert office.indexer.shelf.current() == new
    assert office.store.run_now(audit.entries, action="edition.rollback") == []
    await office.reopen()
    assert 'name="reopening" value="1/1"' in (await browser.get("/wiki")).text
    answer = await browser.post(f"/wiki/editions/{old}/rollback", {"reopening": "1/1"})
    assert "문서 1개가 예전처럼 열렸고, 없어진 문서 1개로" in answer.text
    assert office.indexer.shelf.current() == old
    entry = office.store.run_now(audit.entries, action="edition.rollback")[0]
    assert entry.detail == {"from": new, "wider": 1, "returned": 1}


async def test_an_edition_of_another_embedder_is_not_gone_back_to(browse: Opening, office: WikiOffice) -> None:
    old = office.live.index.name
    office.write("새-문서.md", "# 새 문서\n\n내용입니다.\n")
    office.indexer.build()
    await office.reopen()
    office.indexer.embedder.id = "another@1"  # type: ignore[misc]
    browser = browse([office.page])
    html = (await browser.get("/wiki")).text
    assert "다르게 만들어 쓸 수 없습니다" in html
    assert f'action="/wiki/editions/{old}/rollback"' not in html
    assert (await browser.post(f"/wiki/editions/{old}/rollback")).status_code == 409
    assert office.indexer.shelf.current() != old
    assert office.store.run_now(audit.entries, action="edition.rollback") == []


# -- pages that could not be read ------------------------------------------------------------------------------------------


async def test_failures_have_reasons_and_restricted_ones_no_name(browse: Opening, office: WikiOffice) -> None:
    (office.indexer.wiki / "깨진.pdf").write_bytes(b"%PDF-1.7 nothing")
    (office.indexer.wiki / "연봉.md").write_bytes(b"\xff\xfe\x00")  # was read before, for hr only
    office.write("숫자.md", "---\naudience: [1]\n---\n# 비밀\n\n본문\n")
    office.indexer.build()
    await office.reopen()
    for groups, seen, unseen, hidden in (
        ((), ["깨진.pdf"], ["연봉", "숫자"], 2),
        (("hr",), ["깨진.pdf", "연봉.md"], ["숫자"], 1),
    ):
        browser = await as_account(browse, office, "viewer", *groups, name="-".join(("in", *groups)))
        for path in ("/wiki", "/wiki/unread", "/wiki/unread?source=wiki"):
            html = (await browser.get(path)).text
            for page in seen:
                assert page in html
            for page in unseen:
                assert page not in html
        assert f"이름을 볼 수 없는 문서가 {hidden}개" in (await browser.get("/wiki")).text


async def test_many_failures_are_paged_by_key(browse: Opening, office: WikiOffice) -> None:
    for number in range(130):
        (office.indexer.wiki / f"깨진-{number:03}.pdf").write_bytes(b"%PDF-1.7 nothing")
    office.indexer.build()
    await office.reopen()
    browser = browse([office.page])
    html = (await browser.get("/wiki")).text
    assert html.count("깨진-") == 10
    assert "모두 보기(130개)" in html
    seen: list[str] = []
    address = "/wiki/unread?source=wiki"
    while address:
        html = (await browser.get(address)).text
        assert len(html.encode()) < 200_000
        seen += re.findall(r'<th scope="row">(깨진-\d+)', html)
        found = re.search(r'href="(/wiki/unread\?[^"]*after=[^"]*)"', html)
        address = html_module.unescape(found[1]) if found else ""
    assert seen == [f"깨진-{number:03}" for number in range(130)]


# -- the search tester -----------------------------------------------------------------------------------------------------


async def test_the_tester_tells_how_the_question_was_read_and_why_each_hit_ranks(
    browse: Opening, office: WikiOffice
) -> None:
    browser = browse([office.page])
    await browser.get("/wiki/search")
    html = (await browser.post("/wiki/search", {"q": "연차 신청은 며칠 전까지 해야 해?"})).text
    expected = office.live.index.explain(
        "연차 신청은 며칠 전까지 해야 해?", frozenset(["everyone"]), 10, one_per_page=True
    )
    assert re.findall(r'<li class="panel-box hit" data-page="([^"]+)"', html) == [
        why.hit.passage.page for why in expected.whys
    ]
    said = plain(html)
    for why in expected.whys:
        assert f"{why.hit.score:.3f}" in said
        for leg in why.legs.values():
            assert f"{leg.raw:.3f}" in said
            assert f"= {leg.part:.3f}" in said
    assert f"{expected.evidence.strength:.2f}" in said
    assert "기준 3.00" in said
    assert "<mark>연차</mark>" in html
    assert "<meter" in html
    assert {word.text for word in expected.words} <= set(re.findall(r'<li class="chip"[^>]*>(\S+)', html))


async def test_a_follow_up_is_read_with_the_question_before(browse: Opening, office: WikiOffice) -> None:
    browser = browse([office.page])
    html = (await browser.get("/wiki/search?q=그럼 신청은 어디서 해?&before=연차는 며칠이야?")).text
    assert "연차 그럼 신청은 어디서 해?" in html
    assert "앞선 질문과 합쳐" in html


async def test_a_page_that_is_missed_is_told_its_rank_or_why_it_has_none(browse: Opening, office: WikiOffice) -> None:
    for number in range(30):
        office.write(f"회의-{number}.md", f"# 회의 안내 {number}\n\n회의 예약은 {number}번 안내를 봅니다.\n")
    office.indexer.build()
    await office.reopen()
    browser = browse([office.page])
    found = office.live.index.explain("회의 예약", frozenset(["everyone"]), 1000, one_per_page=True)
    rank = next(n for n, why in enumerate(found.whys, start=1) if why.hit.passage.page == "보안.md")
    assert rank > 10
    html = (await browser.get("/wiki/search?q=회의 예약&where=vpn")).text
    assert f"후보 {len(found.whys)}개 가운데 {rank}위" in html
    assert html.count('data-page="보안.md"') == 1
    assert html.count('<li class="panel-box hit"') == 11
    for unknown in ("연봉", "nothing"):  # not readable and not there are told alike
        assert (
            f"후보 {len(found.whys)}개에 없습니다"
            in (await browser.get(f"/wiki/search?q=회의 예약&where={unknown}")).text
        )


async def test_below_the_threshold_it_says_so(browse: Opening, office: WikiOffice) -> None:
    browser = browse([office.page])
    assert "기준에 못 미쳐" in (await browser.get("/wiki/search?q=우주여행 보험금")).text
    assert "찾은 구절이 없습니다" in (await browser.get("/wiki/search?q=%3F%3F")).text


async def test_without_scripts_the_form_leads_to_an_address_and_with_them_to_a_part(
    browse: Opening, office: WikiOffice
) -> None:
    browser = browse([office.page])
    await browser.get("/wiki/search")
    answer = await browser.post("/wiki/search", {"q": "회의실", "passages": "all"})
    assert answer.url.path == "/wiki/search"
    assert answer.url.params["q"] == "회의실"
    assert "csrf" not in str(answer.url)
    part = await browser.post("/wiki/search", {"q": "회의실"}, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="results"')
    assert part.headers["HX-Push-Url"].startswith("/wiki/search?q=")


async def test_a_restricted_page_is_found_by_its_group_alone(browse: Opening, office: WikiOffice) -> None:
    question = "책임 직급의 연봉 상한은?"
    outside = await as_account(browse, office, "viewer", name="lee")
    for path in (
        f"/wiki/search?q={question}",
        f"/wiki/search?q={question}&group=hr",
        f"/wiki/search?q={question}&source=wiki",
    ):
        html = (await outside.get(path)).text
        assert "9,100" not in html
        assert "연봉 밴드" not in html
        assert "연봉.md" not in html
    assert (await outside.post("/wiki/search", {"q": question, "group": "hr"})).status_code == 403
    assert (await outside.post("/wiki/search", {"q": question, "other": "x, hr"})).status_code == 403
    assert (await outside.get("/wiki/page?source=wiki&page=연봉.md")).status_code == 404
    inside = await as_account(browse, office, "viewer", "hr", name="park")
    assert "9,100" in (await inside.get(f"/wiki/search?q={question}")).text
    assert "9,100" in (await inside.get("/wiki/page?source=wiki&page=연봉.md")).text
    assert "9,100" not in (await inside.get(f"/wiki/search?q={question}&group=everyone")).text
    assert office.store.run_now(audit.entries, action="search.as") == []


async def test_an_admin_may_try_any_group_and_that_is_on_the_record_without_the_question(
    browse: Opening, office: WikiOffice
) -> None:
    admin = await as_account(browse, office, "admin", "dev")
    question = "책임 직급의 연봉 상한은?"
    html = (await admin.get(f"/wiki/search?q={question}&group=hr")).text
    assert "9,100" not in html  # a link, perhaps of somebody else, does not open them
    assert 'value="hr"' in html  # but the group is there to choose
    html = (await admin.post("/wiki/search", {"q": question, "group": "dev", "other": "hr"})).text
    assert "9,100" in html
    assert "감사 기록에 남겼습니다" in html
    assert "/wiki/page?source=wiki&amp;page=%EC%97%B0%EB%B4%89" not in html  # the page itself stays closed
    entries = office.store.run_now(audit.entries, action="search.as")
    assert [(one.by, one.subject, dict(one.detail)) for one in entries] == [("web:kim", "dev, hr", {"others": ["hr"]})]
    assert "연봉" not in repr(office.store.run_now(audit.entries))
    assert (await admin.get("/wiki/page?source=wiki&page=연봉.md")).status_code == 404


async def test_hostile_titles_paths_texts_and_queries_are_text(browse: Opening, office: WikiOffice) -> None:
    office.write(
        "나쁜.md", f"---\ntitle: '{HOSTILE} \"><img src=x>'\n---\n# 표\n\n악성 문서 {HOSTILE} 와 {{{{7*7}}}}입니다.\n"
    )
    (office.indexer.wiki / '"><b>.pdf').write_bytes(b"%PDF-1.7 nothing")
    office.indexer.build()
    await office.reopen()
    browser = browse([office.page])
    for path in (
        "/wiki",
        "/wiki/unread",
        "/wiki/search?q=악성 문서",
        f"/wiki/search?q={HOSTILE}&before={HOSTILE}&source={HOSTILE}&group={HOSTILE}",
        "/wiki/page?source=wiki&page=나쁜.md",
    ):
        html = (await browser.get(path)).text
        assert HOSTILE not in html
        assert "<img src=x" not in html
        assert "<b>" not in html
    found = (await browser.get("/wiki/search?q=악성 문서")).text
    assert "&lt;script&gt;alert(1)" in found
    assert "{{7*7}}" in found
    assert "<mark>악성</mark>" in found


async def test_odd_addresses_do_no_harm(browse: Opening, office: WikiOffice) -> None:
    browser = browse([office.page])
    for path in (
        "/wiki/progress?was=nothing",
        "/wiki/unread?after=x",
        "/wiki/search?q=%00",
        "/wiki/search?q=" + "가" * 3000,
        "/wiki/search?q=vpn&source=nothing",
        "/wiki/page?source=wiki&page=보안.md&after=²",
    ):
        assert (await browser.get(path)).status_code == 200
    for path in ("/wiki/page", "/wiki/page?source=wiki&page=보안.md&source=x", "/wiki/page?source=&page=보안.md"):
        assert (await browser.get(path)).status_code == 404


async def test_everything_that_searches_runs_in_the_search_thread(
    browse: Opening, office: WikiOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    real: Callable[..., Any] = SearchIndex.explain

    def explain(self: SearchIndex, *args: Any, **kwargs: Any) -> Any:
        names.append(threading.current_thread().name)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(SearchIndex, "explain", explain)
    await browse([office.page]).get("/wiki/search?q=vpn")
    assert [name.startswith("search") for name in names] == [True]


async def test_a_page_is_shown_as_it_was_indexed_a_part_at_a_time(browse: Opening, office: WikiOffice) -> None:
    office.write(
        "긴.md", "# 긴 문서\n\n" + "\n\n".join(f"## {n}장\n\n" + f"{n}장의 내용은 이렇습니다. " * 40 for n in range(60))
    )
    office.indexer.build()
    await office.reopen()
    browser = browse([office.page])
    html = (await browser.get("/wiki/page?source=wiki&page=긴.md")).text
    assert re.findall(r'class="panel-box" id="p(\d+)"', html) == [str(n) for n in range(50)]
    found = re.search(r'href="(/wiki/page\?[^"]*after=49)"', html)
    assert found
    rest = (await browser.get(html_module.unescape(found[1]))).text
    assert re.findall(r'class="panel-box" id="p(\d+)"', rest)[:2] == ["50", "51"]
    assert "모두" in html
