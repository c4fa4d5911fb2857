"""A Confluence as a source, both kinds of it, over real sockets against a loopback one that is strict about its API."""

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
from knowledge.page import Audience, reader_of
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.base import SourceFile
from knowledge.sources.confluence import ConfluenceOptions, ConfluenceSource
from knowledge.sources.paced import PacedApi, Patience
from tests.fakes.confluence import TOKEN, USER, FakeConfluence
from tests.fakes.misanswering import ODDITIES, Misanswering

USERS = "confluence:confluence-users"


@pytest.fixture(params=["cloud", "server"])
def confluence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConfluence]:
    yield from serve(request.param, monkeypatch)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConfluence]:
    yield from serve("cloud", monkeypatch)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConfluence]:
    yield from serve("server", monkeypatch)


def serve(flavour: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConfluence]:
    monkeypatch.setenv("CONFLUENCE_TOKEN", TOKEN)
    monkeypatch.setenv("CONFLUENCE_USER", USER)
    with FakeConfluence(flavour) as fake:
        fake.space("HR")
        yield fake
        assert fake.broken == []


def make(fake: FakeConfluence, **keys: Any) -> ConfluenceSource:
    common = {key: keys.pop(key) for key in ("include", "exclude") if key in keys}
    config = SourceConfig("위키", Audience(), Path("unused"), **common)
    keys.setdefault("requests_per_second", 100)
    options = ConfluenceOptions(url=fake.url, flavour=fake.flavour, **keys)
    return ConfluenceSource(
        config, options, functools.partial(PacedApi, patience=Patience(attempts=3), sleep=lambda _: None)
    )


def listed(fake: FakeConfluence, **keys: Any) -> dict[str, SourceFile]:
    return {file.path: file for file in make(fake, **keys).files()}


def text_of(file: SourceFile) -> str:
    document = parse(file.read(), f"page{file.suffix}")
    return "\n".join(part.text for section in document.sections for part in section.blocks)


def admits(file: SourceFile, *groups: str) -> bool:
    assert file.audience is not None
    return file.audience.admits(reader_of(groups))


def test_pages_are_named_by_space_and_parents_and_carry_what_confluence_tells(confluence: FakeConfluence) -> None:
    home = confluence.page("HR", "인사 홈")
    leaf = confluence.page("HR", "휴가/휴직", home, version=7, body="<h1>연차</h1><p>15일 &nbsp;입니다.</p>")
    files = listed(confluence)
    assert list(files) == ["HR/인사 홈", "HR/인사 홈/휴가-휴직"]
    file = files["HR/인사 홈/휴가-휴직"]
    assert file.identity == leaf
    assert file.title == "휴가/휴직"
    assert file.version is not None
    assert file.version.endswith(" 7")
    assert file.modified == dt.datetime.fromisoformat("2026-01-05T09:00:00Z").astimezone().date()
    assert file.url is not None
    assert file.url.startswith(f"https://wiki.example.com{confluence.context}/")
    assert leaf in file.url
    assert text_of(file) == "15일 입니다."


def test_listing_reads_no_body_and_lists_by_the_hundred(confluence: FakeConfluence) -> None:
    for number in range(260):
        confluence.page("HR", f"문서 {number:03}")
    assert len(listed(confluence)) == 260
    # Cloud: space, permissions, group, 2 of pages, 3 of restrictions; Data Center: spaces, permissions, 3 of pages
    assert len(confluence.requests) == (8 if confluence.flavour == "cloud" else 5)


def test_an_edited_page_has_another_version(confluence: FakeConfluence) -> None:
    page = confluence.page("HR", "규정")
    before = listed(confluence)["HR/규정"].version
    assert listed(confluence)["HR/규정"].version == before
    confluence.pages[page].version += 1
    assert listed(confluence)["HR/규정"].version != before


def test_only_current_pages_of_shared_spaces_are_listed(confluence: FakeConfluence) -> None:
    confluence.space("~kim", kind="personal")
    confluence.page("~kim", "개인 메모")
    confluence.page("HR", "보관", status="archived")
    confluence.page("HR", "현재")
    assert list(listed(confluence)) == ["HR/현재"]
    assert list(listed(confluence, spaces=("~kim",))) == ["~kim/개인 메모"]


def test_a_space_that_is_named_twice_is_listed_once(confluence: FakeConfluence) -> None:
    confluence.page("HR", "규정")
    assert [file.path for file in make(confluence, spaces=("HR", "HR")).files()] == ["HR/규정"]


def test_a_space_that_is_not_there_is_told(confluence: FakeConfluence) -> None:
    with pytest.raises(SourcePartNotFound) as told:
        make(confluence, spaces=("HR", "IT")).files()
    assert told.value.details == {"name": "위키", "part": "IT", "key": "spaces"}


def test_labelled_pages_are_left_out(confluence: FakeConfluence) -> None:
    confluence.page("HR", "초안", labels=["draft"])
    confluence.page("HR", "폐기", labels=['그 "옛" 것', "old"])
    confluence.page("HR", "규정", labels=["ok"])
    assert list(listed(confluence, labels_exclude=("draft", "old"))) == ["HR/규정"]


def test_patterns_choose_by_path(confluence: FakeConfluence) -> None:
    home = confluence.page("HR", "홈")
    confluence.page("HR", "규정", home)
    confluence.page("HR", "초안", home)
    assert list(listed(confluence, include=("HR/홈/*",), exclude=("초안",))) == ["HR/홈/규정"]


def test_who_may_view_the_space_may_read_its_pages(confluence: FakeConfluence) -> None:
    confluence.space_list["HR"].viewers = [("group", "hr"), ("user", "kim")]
    confluence.page("HR", "규정")
    file = listed(confluence)["HR/규정"]
    assert admits(file, "confluence:hr")
    assert admits(file, "confluence-user:kim")
    assert not admits(file)
    assert not admits(file, USERS)


def test_a_class_of_accounts_has_a_name_that_can_be_mapped(cloud: FakeConfluence) -> None:
    cloud.space_list["HR"].viewers = [("ACCESS_CLASS", "all-licensed-users")]
    cloud.page("HR", "규정")
    assert not admits(listed(cloud)["HR/규정"])
    assert admits(listed(cloud)["HR/규정"], "confluence:access_class:all-licensed-users")
    assert admits(listed(cloud, everyone_groups=("access_class:all-licensed-users",))["HR/규정"])


def test_the_names_of_who_may_view_a_space_can_be_looked_up_in_the_log(
    confluence: FakeConfluence, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    make(confluence).files()
    told = [json.loads(record.message) for record in caplog.records if record.name.startswith("knowledge")]
    assert told == [{"event": "confluence_viewers", "space": "HR", "names": [USERS]}]


def test_groups_that_everyone_is_in_open_a_space_and_not_a_restricted_page(confluence: FakeConfluence) -> None:
    confluence.page("HR", "공개")
    confluence.page("HR", "인사팀", groups=["hr"])
    files = listed(confluence, everyone_groups=("confluence-users",))
    assert admits(files["HR/공개"])
    assert not admits(files["HR/인사팀"])
    assert admits(files["HR/인사팀"], "confluence:hr")


def test_a_space_that_does_not_tell_its_viewers_is_refused_unless_the_settings_answer_for_it(
    confluence: FakeConfluence,
) -> None:
    confluence.page("HR", "규정")
    for untold in (None, []):
        confluence.space_list["HR"].viewers = untold
        with pytest.raises(SourceDenied, match="space_permissions = false"):
            make(confluence).files()
    assert admits(listed(confluence, space_permissions=False)["HR/규정"])


def test_restrictions_hold_for_everything_below(confluence: FakeConfluence) -> None:
    confluence.space_list["HR"].viewers = [("anonymous", "")]
    home = confluence.page("HR", "홈")
    team = confluence.page("HR", "팀", home, groups=["hr"], users=["lee"])
    confluence.page("HR", "평가", team, users=["kim", "lee"])
    files = listed(confluence, space_permissions=confluence.flavour == "server")
    assert admits(files["HR/홈"])
    assert admits(files["HR/홈/팀"], "confluence:hr")
    review = files["HR/홈/팀/평가"]
    assert not admits(review, "confluence:hr")
    assert not admits(review, "confluence-user:kim")
    assert admits(review, "confluence:hr", "confluence-user:kim")
    assert admits(review, "confluence-user:lee")


def test_a_restriction_that_changes_is_seen_although_the_version_stays(confluence: FakeConfluence) -> None:
    page = confluence.page("HR", "규정")
    before = listed(confluence)["HR/규정"]
    confluence.pages[page].groups = ["board"]
    after = listed(confluence)["HR/규정"]
    assert before.version == after.version
    assert admits(before, USERS)
    assert not admits(after, USERS)


def test_long_lists_of_readers_are_read_to_their_end(confluence: FakeConfluence) -> None:
    confluence.inline = 3
    confluence.page("HR", "많음", users=[f"u{number}" for number in range(450)], groups=["g"])
    file = listed(confluence)["HR/많음"]
    assert admits(file, USERS, "confluence-user:u449")
    assert admits(file, USERS, "confluence:g")
    assert not admits(file, USERS)


def test_a_page_that_search_has_not_seen_yet_is_asked_for_alone(cloud: FakeConfluence) -> None:
    cloud.unsearchable.add(new := cloud.page("HR", "새 문서", groups=["hr"]))
    assert not admits(listed(cloud)["HR/새 문서"], USERS)
    assert len(cloud.asked(f"content/{new}/restriction")) == 1


def test_without_search_every_page_is_asked_for_alone(cloud: FakeConfluence) -> None:
    cloud.page("HR", "하나", groups=["hr"])
    cloud.page("HR", "둘")
    cloud.trouble("content/search", 410)
    files = listed(cloud)
    assert not admits(files["HR/하나"], USERS)
    assert admits(files["HR/둘"], USERS)


def test_what_does_not_tell_who_may_read_it_admits_nobody_and_is_reported(
    confluence: FakeConfluence, caplog: pytest.LogCaptureFixture
) -> None:
    home = confluence.page("HR", "홈")
    secret = confluence.page("HR", "비밀", home)
    confluence.page("HR", "비밀 아래", secret)
    confluence.untold.add(secret)
    files = listed(confluence)
    assert admits(files["HR/홈"], USERS)
    for path in ("HR/홈/비밀", "HR/홈/비밀/비밀 아래"):
        assert files[path].version is None
        assert not admits(files[path], USERS, "confluence:hr", "confluence-user:kim")
        with pytest.raises(UnreadablePage, match="who may read it"):
            files[path].read()
    told = json.loads(caplog.records[-1].message)
    assert told == {"event": "confluence_readers_not_told", "space": "HR", "pages": 2}


def test_below_a_page_that_is_hidden_from_the_account_nobody_reads(confluence: FakeConfluence) -> None:
    hidden = confluence.page("HR", "안 보임", groups=["board"])
    confluence.page("HR", "보임", hidden)
    confluence.hidden.add(hidden)
    (file,) = listed(confluence).values()
    assert not admits(file, USERS, "confluence:board")
    with pytest.raises(UnreadablePage):
        file.read()


def test_below_an_archived_page_its_restrictions_hold(cloud: FakeConfluence) -> None:
    old = cloud.page("HR", "보관", status="archived", groups=["board"])
    cloud.page("HR", "현재", old)
    (file,) = listed(cloud).values()
    assert file.path == "HR/보관/현재"
    assert not admits(file, USERS)
    assert admits(file, USERS, "confluence:board")


def test_folders_are_part_of_the_path_and_their_restrictions_hold(cloud: FakeConfluence) -> None:
    outer = cloud.page("HR", "보고", kind="folder", groups=["board"])
    inner = cloud.page("HR", "2026", outer, kind="folder")
    cloud.page("HR", "1월", inner)
    file = listed(cloud)["HR/보고/2026/1월"]
    assert not admits(file, USERS)
    assert admits(file, USERS, "confluence:board")
    cloud.hidden.add(outer)
    assert not admits(listed(cloud)["HR/2026/1월"], USERS, "confluence:board")


def test_a_group_or_person_whose_name_is_hidden_is_known_by_its_id(confluence: FakeConfluence) -> None:
    confluence.space_list["HR"].viewers = [("group", "hr"), ("user", "kim")]
    confluence.hidden |= {"hr", "key-of-kim"}
    confluence.page("HR", "규정")
    file = listed(confluence)["HR/규정"]
    by_id = "confluence:id-of-hr" if confluence.flavour == "cloud" else "confluence-user:key-of-kim"
    assert admits(file, by_id)


@pytest.mark.parametrize("failure", ["status", "cut", "results"])
@pytest.mark.parametrize("where", ["pages", "restrictions", "permissions", "labels"])
def test_a_list_cut_off_in_the_middle_is_no_short_list(confluence: FakeConfluence, where: str, failure: str) -> None:
    for number in range(12):
        confluence.page("HR", f"문서 {number}", labels=["draft"])
    confluence.most = 5
    cloud = confluence.flavour == "cloud"
    place = {
        "pages": r"spaces/\d+/pages\?.*cursor" if cloud else r"content\?.*start=[1-9]",
        "restrictions": r"content/search\?.*expand=.*cursor" if cloud else r"content\?.*start=[1-9]",
        "permissions": "permissions",
        "labels": r"content/search\?.*label.*(cursor|start)",
    }[where]
    if failure == "status":
        confluence.trouble(place, 503, times=99)
    elif failure == "cut":
        confluence.cut_off(place, times=99)
    else:
        confluence.trouble(place, 200, times=99, body={"size": 5})
    with pytest.raises((SourceUnreachable, SourceDenied)):
        make(confluence, labels_exclude=("draft",)).files()


def test_a_page_deleted_while_the_list_is_read_does_not_hide_another(
    server: FakeConfluence, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [server.page("HR", f"문서 {number:02}") for number in range(12)]
    server.most = 5
    answer = server.answer

    def deleting(request: Any) -> Any:
        reply = answer(request)
        if request.path.endswith("/content") and pages[1] in server.pages:
            del server.pages[pages[1]]
        return reply

    monkeypatch.setattr(server, "answer", deleting)
    assert list(listed(server)) == [f"HR/문서 {number:02}" for number in range(12) if number != 1]


def test_a_list_that_never_holds_still_is_given_up(server: FakeConfluence, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(90):
        server.page("HR", f"문서 {number:02}")
    server.most = 5
    answer = server.answer

    def deleting(request: Any) -> Any:
        if request.path.endswith("/content"):
            server.pages.pop(min(server.pages, key=int))
        return answer(request)

    monkeypatch.setattr(server, "answer", deleting)
    with pytest.raises(SourceUnreachable, match="changed"):
        make(server).files()


@pytest.mark.parametrize("variable", ["CONFLUENCE_TOKEN", "CONFLUENCE_USER"])
def test_a_secret_that_is_missing_is_named_by_its_variable(
    cloud: FakeConfluence, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(TokenMissing) as missing:
        make(cloud).files()
    assert missing.value.details["variable"] == variable


def test_a_token_that_is_refused_is_named_by_its_variable_and_not_shown(
    confluence: FakeConfluence, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ("wrong-token", "한글", "a\nb"):
        monkeypatch.setenv("CONFLUENCE_TOKEN", wrong)
        with pytest.raises(SourceDenied, match="CONFLUENCE_TOKEN") as denied:
            make(confluence).files()
        assert wrong not in denied.value.explain()


def test_an_account_that_sees_no_space_is_told_so(confluence: FakeConfluence) -> None:
    confluence.space_list.clear()
    with pytest.raises(SourceDenied, match="no space"):
        make(confluence).files()


def test_one_page_that_cannot_be_read_is_that_pages_matter(confluence: FakeConfluence) -> None:
    lost = confluence.page("HR", "사라짐")
    confluence.page("HR", "깨짐", body="<p>열린 채")
    confluence.page("HR", "멀쩡")
    files = listed(confluence)
    del confluence.pages[lost]
    with pytest.raises(UnreadablePage, match="removed"):
        files["HR/사라짐"].read()
    with pytest.raises(UnreadablePage, match="well-formed"):
        files["HR/깨짐"].read()
    assert text_of(files["HR/멀쩡"]) == "본문"


def test_macros_without_text_are_logged_by_name(cloud: FakeConfluence, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    page = cloud.page("HR", "비밀", body='<p>글</p><ac:structured-macro ac:name="jira" />')
    listed(cloud)["HR/비밀"].read()
    told = json.loads(caplog.records[-1].message)
    assert told == {"event": "confluence_macros_left_out", "page": page, "macros": {"jira": 1}}


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("xy"))),
        min_size=1,
        max_size=7,
    ),
    st.sets(
        st.sampled_from(["confluence:a", "confluence:b", "confluence:c", "confluence-user:x", "confluence-user:y"])
    ),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_reader_is_admitted_exactly_where_every_restriction_above_admits_them(
    confluence: FakeConfluence, tree: list[tuple[int, set[str], set[str]]], groups: set[str]
) -> None:
    confluence.pages.clear()
    confluence.space_list["HR"].viewers = [("group", "a"), ("group", "b")]
    line: list[str] = []
    expected: dict[str, bool] = {}
    for depth, page_groups, users in tree:
        line = line[:depth]
        page = confluence.page(
            "HR", "문서", line[-1] if line else None, groups=sorted(page_groups), users=sorted(users)
        )
        line = [*line, page]
        above = [confluence.pages[one] for one in line]
        names = [{f"confluence:{g}" for g in one.groups} | {f"confluence-user:{u}" for u in one.users} for one in above]
        space_admits = bool(groups & {"confluence:a", "confluence:b"})
        expected[page] = space_admits and all(not wanted or wanted & groups for wanted in names)
    files = {file.identity: file for file in make(confluence).files()}
    assert {identity: admits(file, *groups) for identity, file in files.items()} == expected


@pytest.mark.parametrize(
    "keys", [{"url": "http://wiki.example.com"}, {"flavour": "cloud9"}, {"requests_per_second": -1}, {"url": ""}]
)
def test_settings_that_would_harm_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ConfluenceOptions(**{"url": "https://wiki.example.com", **keys})


def test_it_is_opened_by_its_kind_and_finds_wiki_by_itself(cloud: FakeConfluence, tmp_path: Path) -> None:
    cloud.page("HR", "문서")
    source = open_source("confluence", SourceConfig("위키", Audience(), tmp_path), ConfluenceOptions(url=cloud.address))
    assert [file.path for file in source.files()] == ["HR/문서"]


@given(st.integers(0, 9), st.integers(0, 400), st.sampled_from(ODDITIES))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_api_answers_is_a_page_or_an_error_that_says_so(
    confluence: FakeConfluence, nth: int, place: int, value: Any
) -> None:
    if not confluence.pages:
        folder = {"kind": "folder"} if confluence.flavour == "cloud" else {}
        above = confluence.page("HR", "위", groups=["hr"], **folder)
        confluence.page("HR", "아래", above, users=["kim"])
        confluence.unsearchable.add(confluence.page("HR", "옆"))
    with Misanswering(confluence, nth, place, value):
        try:
            files = list(make(confluence).files())
        except SourceError:
            return
        for file in files:
            with contextlib.suppress(UnreadablePage):
                assert isinstance(file.read(), bytes)
