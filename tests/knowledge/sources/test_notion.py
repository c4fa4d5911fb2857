"""A Notion workspace as a source, over real sockets against a loopback Notion that is strict about its API."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import (
    SourceDenied,
    SourceError,
    SourcePartNotFound,
    SourceUnreachable,
    TokenMissing,
    UnreadablePage,
)
from knowledge.formats import parse
from knowledge.page import Audience
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.base import SourceFile
from knowledge.sources.notion import NotionOptions, NotionSource, root_id
from knowledge.sources.paced import PacedApi, Patience
from tests.fakes.misanswering import ODDITIES, Misanswering
from tests.fakes.notion import TOKEN, FakeNotion, block, rich

LATE = "2026-01-06T10:00:00.000Z"


@pytest.fixture
def notion(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNotion]:
    monkeypatch.setenv("NOTION_TOKEN", TOKEN)
    with FakeNotion() as server:
        yield server
        assert server.broken == []


class Slept:
    """Every pause asked for, none taken."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def source(notion: FakeNotion, tmp_path: Path) -> NotionSource:
    return make(notion, tmp_path)


def make(notion: FakeNotion, home: Path, slept: Slept | None = None, **keys: Any) -> NotionSource:
    common = {key: keys.pop(key) for key in ("include", "exclude") if key in keys}
    config = SourceConfig("노션", Audience.of(["직원"]), home / "notion", **common)
    options = NotionOptions(api_base_url=notion.base, requests_per_second=100, **keys)
    patience = Patience(attempts=3)
    return NotionSource(config, options, functools.partial(PacedApi, patience=patience, sleep=slept or Slept()))


def child_page(notion: FakeNotion, parent: str, title: str, **more: Any) -> str:
    return notion.page(title, {"type": "page_id", "page_id": parent}, **more)


def listed(source: NotionSource) -> dict[str, SourceFile]:
    return {file.path: file for file in source.files()}


def text_of(file: SourceFile) -> str:
    document = parse(file.read(), f"page{file.suffix}")
    return "\n".join(part.text for section in document.sections for part in section.blocks)


def test_pages_are_named_by_their_parents_and_carry_what_notion_tells(notion: FakeNotion, source: NotionSource) -> None:
    top = notion.page("회사 위키")
    middle = child_page(notion, top, "인사/총무")
    leaf = child_page(notion, middle, "휴가 규정", blocks=[block("paragraph", "연차는 15일입니다.")], edited=LATE)
    files = listed(source)
    assert list(files) == ["회사 위키", "회사 위키/인사-총무", "회사 위키/인사-총무/휴가 규정"]
    file = files["회사 위키/인사-총무/휴가 규정"]
    assert file.identity == leaf
    assert file.title == "휴가 규정"
    assert file.url == f"https://www.notion.so/{leaf.replace('-', '')}"
    assert file.modified == dt.datetime.fromisoformat(LATE).astimezone().date()
    assert file.audience is None
    assert text_of(file) == "연차는 15일입니다."


def test_listing_asks_for_no_content_and_pages_by_the_hundred(notion: FakeNotion, source: NotionSource) -> None:
    for number in range(250):
        notion.page(f"문서 {number}")
    assert len(listed(source)) == 250
    assert [one.path for one in notion.requests] == ["/v1/search"] * 4
    assert notion.asked("children") == []


def test_an_unchanged_page_keeps_its_version_and_an_edited_one_does_not(
    notion: FakeNotion, source: NotionSource
) -> None:
    same, edited = notion.page("그대로"), notion.page("고침")
    before = listed(source)
    notion.rewrite(edited, [block("paragraph", "새 글")], LATE)
    after = listed(source)
    assert before["그대로"].version == after["그대로"].version is not None
    assert before["고침"].version != after["고침"].version
    assert after["그대로"].identity == same


def test_a_page_edited_this_minute_has_no_version_yet(notion: FakeNotion, source: NotionSource) -> None:
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    notion.page("방금", edited=now.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    assert listed(source)["방금"].version is None


def test_rows_are_pages_with_their_columns(notion: FakeNotion, source: NotionSource) -> None:
    wiki = notion.page("위키")
    tasks = notion.data_source("업무", wiki)
    partner = notion.page("협력사")
    notion.row(
        tasks,
        "서버 이전",
        [block("paragraph", "주말에 합니다.")],
        상태={"type": "status", "status": {"name": "진행"}},
        관련={"type": "relation", "relation": [{"id": partner}]},
    )
    files = listed(source)
    assert text_of(files["위키/업무/서버 이전"]) == "- 관련: 협력사\n- 상태: 진행\n주말에 합니다."


def test_a_column_that_changes_without_an_edit_changes_the_version(notion: FakeNotion, source: NotionSource) -> None:
    tasks = notion.data_source("업무")
    row = notion.row(tasks, "일", 합={"type": "rollup", "rollup": {"type": "number", "number": 1}})
    before = listed(source)["업무/일"].version
    notion.objects[row]["properties"]["합"]["rollup"]["number"] = 2
    assert listed(source)["업무/일"].version != before


def test_what_is_in_the_trash_is_left_out_with_all_below(notion: FakeNotion, source: NotionSource) -> None:
    gone = notion.page("버림")
    child_page(notion, gone, "버린 것의 하위")
    notion.page("남음")
    notion.objects[gone]["in_trash"] = True
    assert list(listed(source)) == ["남음"]


def test_pages_of_one_name_are_told_apart_and_keep_their_paths(notion: FakeNotion, source: NotionSource) -> None:
    first = notion.page("회의록", created="2026-01-01T00:00:00.000Z")
    second = notion.page("회의록", created="2026-01-02T00:00:00.000Z")
    child_page(notion, second, "1월")
    notion.page("  ")
    files = listed(source)
    other = f"회의록 ({second.replace('-', '')[-8:]})"
    assert {path: file.identity for path, file in files.items() if "회의록" in path} == {
        "회의록": first,
        other: second,
        f"{other}/1월": files[f"{other}/1월"].identity,
    }
    assert "제목 없음" in files


def test_roots_limit_what_is_read_to_themselves_and_below(notion: FakeNotion, tmp_path: Path) -> None:
    wanted, other = notion.page("공개"), notion.page("비공개")
    inside = child_page(notion, wanted, "안")
    notion.row(notion.data_source("표", inside), "행")
    outside = notion.data_source("비밀 표", other)
    notion.row(outside, "비밀 행")
    link = f"https://www.notion.so/회사/{wanted.replace('-', '')}?v=0123456789abcdef0123456789abcdef"
    assert list(listed(make(notion, tmp_path, roots=(link,)))) == ["공개", "공개/안", "공개/안/표/행"]
    assert notion.asked(outside) == []
    database = notion.objects[outside]["parent"]["database_id"]
    assert list(listed(make(notion, tmp_path, roots=(database,)))) == ["비공개/비밀 표/비밀 행"]


def test_a_root_that_is_not_shared_is_told(notion: FakeNotion, tmp_path: Path) -> None:
    notion.unshared.add(hidden := notion.page("숨김"))
    with pytest.raises(SourcePartNotFound) as told:
        make(notion, tmp_path, roots=(hidden,)).files()
    assert told.value.details == {"name": "노션", "part": hidden, "key": "roots"}


def test_a_page_inside_a_column_is_found_below_its_page(notion: FakeNotion, source: NotionSource) -> None:
    top = notion.page("홈", blocks=[block("column_list", "", [block("column")])])
    column = notion.inside[notion.inside[top][0]][0]
    notion.page("열 안", {"type": "block_id", "block_id": column})
    assert list(listed(source)) == ["홈", "홈/열 안"]


def test_what_search_leaves_out_is_found_by_parents_rows_and_the_last_run(
    notion: FakeNotion, source: NotionSource
) -> None:
    top = notion.page("상위")
    child_page(notion, top, "하위")
    row = notion.row(notion.data_source("표"), "행")
    lonely = notion.page("혼자")
    assert list(listed(source)) == ["상위", "상위/하위", "표/행", "혼자"]
    notion.hidden = {top, row, lonely}
    assert list(listed(source)) == ["상위", "상위/하위", "표/행", "혼자"]
    notion.objects[lonely]["in_trash"] = True
    assert list(listed(source)) == ["상위", "상위/하위", "표/행"]
    notion.unshared.add(top)
    assert list(listed(source)) == ["표/행", "하위"]


def test_more_rows_than_a_query_gives_are_all_read(notion: FakeNotion, source: NotionSource) -> None:
    table = notion.data_source("표")
    for number in range(23):
        notion.hidden.add(notion.row(table, f"행 {number:02}", created=f"2026-01-05T09:{number // 2:02}:00.000Z"))
    notion.most_results, notion.page_size = 6, 4
    assert list(listed(source)) == [f"표/행 {number:02}" for number in range(23)]


def test_a_query_that_cannot_get_on_is_no_short_list(notion: FakeNotion, source: NotionSource) -> None:
    table = notion.data_source("표")
    for number in range(8):
        notion.hidden.add(notion.row(table, f"행 {number}"))
    notion.most_results = 5
    with pytest.raises(SourceUnreachable, match="one minute"):
        source.files()


def test_a_search_that_was_capped_is_no_short_list(notion: FakeNotion, source: NotionSource) -> None:
    for number in range(8):
        notion.page(f"문서 {number}")
    notion.most_results = 5
    with pytest.raises(SourceUnreachable, match="10,000"):
        source.files()


def test_a_database_that_cannot_be_queried_costs_only_rows_that_nothing_else_tells_of(
    notion: FakeNotion, source: NotionSource, caplog: pytest.LogCaptureFixture
) -> None:
    table = notion.data_source("표")
    notion.hidden.add(notion.row(table, "옛 행"))
    listed(source)
    notion.hidden.add(notion.row(table, "새 행"))
    notion.trouble(f"data_sources/{table}/query", 400, times=9)
    assert list(listed(source)) == ["표/옛 행"]
    assert json.loads(caplog.records[-1].message) == {"event": "notion_rows_not_listed", "data_source": table}


@pytest.mark.parametrize("failure", ["status", "cut", "no cursor", "no results", "silent"])
def test_a_listing_cut_off_in_the_middle_is_no_short_list(
    notion: FakeNotion, source: NotionSource, failure: str
) -> None:
    for number in range(8):
        notion.page(f"문서 {number}")
    notion.page_size = 3
    if failure == "status":
        notion.trouble("search.*start_cursor", 502, times=99)
    elif failure == "cut":
        notion.cut_off("search.*start_cursor", times=99)
    else:
        broken = {"object": "list", "results": [], "has_more": True, "next_cursor": "x"}
        if failure == "no cursor":
            broken["next_cursor"] = None
        else:
            del broken["results" if failure == "no results" else "has_more"]
        notion.trouble("search.*start_cursor", 200, times=99, body=broken)
    with pytest.raises(SourceUnreachable):
        source.files()


def test_a_busy_notion_is_waited_for_as_it_asks(notion: FakeNotion, tmp_path: Path) -> None:
    notion.page("문서")
    notion.trouble("search", 429, times=2, Retry_After="9")
    slept = Slept()
    assert list(listed(make(notion, tmp_path, slept))) == ["문서"]
    assert slept.pauses.count(9.0) == 2


def test_a_token_that_is_missing_or_wrong_is_named_by_its_variable(
    notion: FakeNotion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(notion, tmp_path, token_env="WIKI_TOKEN")
    with pytest.raises(TokenMissing) as missing:
        source.files()
    assert missing.value.details["variable"] == "WIKI_TOKEN"
    for wrong in ("wrong", "한글", "a\nb"):
        monkeypatch.setenv("WIKI_TOKEN", wrong)
        with pytest.raises(SourceDenied, match="WIKI_TOKEN") as denied:
            source.files()
        assert wrong not in denied.value.explain()


def test_a_permission_that_is_missing_is_named(notion: FakeNotion, source: NotionSource) -> None:
    notion.trouble("search", 403)
    with pytest.raises(SourceDenied, match="Read content"):
        source.files()


def test_pages_without_content_say_which_capability_is_missing(notion: FakeNotion, source: NotionSource) -> None:
    page = notion.page("부분")
    notion.objects[page] = {"object": "page", "id": page, "in_trash": False, "last_edited_time": ""}
    with pytest.raises(SourceDenied, match="Read content"):
        source.files()


def test_one_page_that_cannot_be_read_is_that_pages_matter(notion: FakeNotion, source: NotionSource) -> None:
    lost, broken = notion.page("사라짐"), notion.page("고장")
    notion.page("멀쩡", blocks=[block("paragraph", "본문")])
    files = listed(source)
    notion.unshared.add(lost)
    notion.trouble(f"{broken}/children", 500, times=3)
    with pytest.raises(UnreadablePage, match="no longer shared"):
        files["사라짐"].read()
    with pytest.raises(UnreadablePage, match="HTTP 500"):
        files["고장"].read()
    assert text_of(files["멀쩡"]) == "본문"


def test_long_pages_are_read_whole_and_what_belongs_to_other_pages_is_not(
    notion: FakeNotion, source: NotionSource
) -> None:
    many = [block("paragraph", f"줄 {number}") for number in range(230)]
    inner = block("toggle", "접힘", many)
    child = block("child_page", title="하위")
    copy = block("synced_block", "", [block("paragraph", "사본")], synced_from={"block_id": "x"})
    notion.page("긴 문서", blocks=[inner, child, copy])
    text = text_of(listed(source)["긴 문서"])
    assert [line for line in text.splitlines() if line.startswith("줄")] == [f"줄 {number}" for number in range(230)]
    assert "사본" not in text
    assert len(notion.asked("children")) == 4  # the page, and three hundreds of the toggle


def test_what_gave_no_text_is_logged_without_any_text(
    notion: FakeNotion, source: NotionSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    page = notion.page("비밀 제목", blocks=[block("unsupported"), block("paragraph", "비밀 글")])
    listed(source)["비밀 제목"].read()
    told = json.loads(caplog.records[-1].message)
    assert told == {"event": "notion_blocks_left_out", "page": page, "blocks": {"unsupported": 1}}


def test_patterns_choose_by_path(notion: FakeNotion, tmp_path: Path) -> None:
    top = notion.page("인사")
    child_page(notion, top, "규정")
    child_page(notion, top, "초안")
    assert list(listed(make(notion, tmp_path, include=("인사/*",), exclude=("초안",)))) == ["인사/규정"]


def test_a_title_that_begins_with_a_dot_is_no_hidden_file(notion: FakeNotion, source: NotionSource) -> None:
    for title in (".NET 안내", "..", "가/../나", "\u1100\u1161\t나"):
        notion.page(title)
    assert list(listed(source)) == [".NET 안내", "가 나", "가-..-나", "제목 없음"]


def test_a_lost_memory_costs_nothing_but_itself(notion: FakeNotion, source: NotionSource, tmp_path: Path) -> None:
    notion.page("문서")
    (tmp_path / "notion").mkdir()
    for broken in (b"\xff", b"{}", b"[1, null]"):
        (tmp_path / "notion" / "pages.json").write_bytes(broken)
        assert list(listed(source)) == ["문서"]


def test_a_table_of_notion_arrives_as_rows(notion: FakeNotion, source: NotionSource) -> None:
    rows = [block("table_row", cells=[rich(a), rich(b)]) for a, b in (("직급", "한도"), ("팀장", "50만 원"))]
    notion.page("한도", blocks=[block("table", "", rows, has_column_header=True)])
    assert text_of(listed(source)["한도"]) == "직급 | 한도\n팀장 | 50만 원"


@pytest.mark.parametrize("root", ["", "휴가 규정", "https://www.notion.so/", "12345678"])
def test_a_root_without_an_id_is_refused_with_the_settings(root: str) -> None:
    with pytest.raises(ValueError, match="Notion id"):
        NotionOptions(roots=(root,))


def test_an_id_is_found_in_all_its_forms() -> None:
    wanted = "1a2b3c4d-0000-4000-8000-00000000000f"
    for form in (
        wanted,
        wanted.replace("-", ""),
        f"https://www.notion.so/Title-{wanted.replace('-', '')}?pvs=4",
        wanted.upper(),
    ):
        assert root_id(form) == wanted


@pytest.mark.parametrize("keys", [{"requests_per_second": 0}, {"api_base_url": "http://notion.example.com"}])
def test_settings_that_would_harm_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        NotionOptions(**keys)


def test_it_is_opened_by_its_kind(notion: FakeNotion, tmp_path: Path) -> None:
    notion.page("문서")
    source = open_source("notion", SourceConfig("노션", Audience(), tmp_path), NotionOptions(api_base_url=notion.base))
    assert [file.path for file in source.files()] == ["문서"]


@given(st.integers(0, 8), st.integers(0, 400), st.sampled_from(ODDITIES))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_api_answers_is_a_page_or_an_error_that_says_so(
    notion: FakeNotion, source: NotionSource, nth: int, place: int, value: Any
) -> None:
    if not notion.objects:
        top = notion.page("위키", blocks=[block("paragraph", "글"), block("toggle", "접힘", [block("code", "x")])])
        row = notion.row(
            notion.data_source("표", top), "행", 합={"type": "rollup", "rollup": {"type": "number", "number": 1}}
        )
        notion.hidden.add(row)
    with Misanswering(notion, nth, place, value):
        try:
            files = list(source.files())
        except SourceError:
            return
        for file in files:
            with contextlib.suppress(UnreadablePage):
                assert isinstance(file.read(), bytes)
