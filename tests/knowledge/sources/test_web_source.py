"""A crawl over real sockets: what is found, what is left alone, what an unchanged page costs, and what a bad server can do."""

from __future__ import annotations

import datetime as dt
import gzip
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from knowledge.errors import AddressesLeft, ClosedPage, SourceDenied, SourceUnreachable, TokenMissing, UnreadablePage
from knowledge.formats import parse
from knowledge.page import Audience
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.base import SourceFile
from knowledge.sources.narrowed import FolderAudience, NarrowedSource
from knowledge.sources.web import WebOptions
from knowledge.sources.web.source import WebSource
from tests.fakes.web_site import Reply, WebSite, running


@pytest.fixture
def site() -> Iterator[WebSite]:
    with running(WebSite()) as site:
        yield site
    assert site.complaints == []


class Reader:
    """Reads the site again and again, as runs of indexing do. `slept`: the pauses it made, which take no time here."""

    def __init__(self, home: Path, site: WebSite) -> None:
        self.home = home
        self.site = site
        self.slept: list[float] = []
        self.now = 0.0

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def files(
        self,
        start: str = "/",
        include: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        allow_private: bool = True,
        **options: object,
    ) -> list[SourceFile]:
        """What one run lists."""
        self.site.asked.clear()
        self.site.answered.clear()
        keys = WebOptions(self.site.url + start, allow_private=allow_private, **options)  # type: ignore[arg-type]
        config = SourceConfig("사이트", Audience.of(["직원"]), self.home, include, exclude)
        source = WebSource(config, keys, sleep=self._sleep, clock=lambda: self.now)
        assert (source.name, source.audience) == ("사이트", Audience.of(["직원"]))
        return list(source.files())

    def paths(self, start: str = "/", **options: object) -> list[str]:
        """Their paths."""
        return [file.path for file in self.files(start, **options)]  # type: ignore[arg-type]


@pytest.fixture
def reader(tmp_path: Path, site: WebSite) -> Reader:
    return Reader(tmp_path / "home", site)


LAUGHS = (
    '<!DOCTYPE u [<!ENTITY l0 "ha">'
    + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    + "]><urlset><url><loc>&l9;</loc></url></urlset>"
).encode()


def links(*targets: str, title: str = "", head: str = "") -> str:
    anchors = "".join(f'<a href="{target}">{target}</a>' for target in targets)
    return f"<html><head><title>{title}</title>{head}</head><body>{title}{targets}{anchors}</body></html>"


def test_a_crawl_finds_what_is_linked_below_the_prefix(site: WebSite, reader: Reader) -> None:
    site.page(
        "/docs/", links("휴가.html", "/docs/b/", "/other", "https://elsewhere.example/", "//127.0.0.1:1/", "#top")
    )
    site.page("/docs/%ED%9C%B4%EA%B0%80.html", links("b/../b/?utm_source=x"))
    site.page("/docs/b/", links("c", "../../secret"))
    site.page("/docs/b/c", "<p>끝")
    site.page("/other", "x")
    site.page("/secret", "x")
    found = reader.files("/docs/")
    assert [file.path for file in found] == ["b/c", "b/index", "index", "휴가.html"]
    assert site.asked == ["/docs/", "/docs/%ED%9C%B4%EA%B0%80.html", "/docs/b/", "/docs/b/c"]
    assert found[3].url == f"{site.url}/docs/%ED%9C%B4%EA%B0%80.html"
    assert {file.suffix for file in found} == {".html"}
    assert parse(found[0].read(), "page.html").sections[0].blocks[0].text == "끝"


def test_every_format_is_listed_by_what_the_server_says_it_is(site: WebSite, reader: Reader) -> None:
    names = ("a", "b.md", "c.do?f=1", "d.pdf", "e.bin", "f.png", "g.txt", "h", "i.zip", "j")
    site.page("/", links(*names))
    site.reply("/a", Reply(b"%PDF", "application/pdf"))
    site.reply("/b.md", Reply(b"# b", "text/plain"))
    filed = {"Content-Disposition": "attachment; filename*=UTF-8''%EA%B7%9C%EC%A0%95.docx"}
    site.reply("/c.do?f=1", Reply(b"PK", "application/octet-stream", headers=filed))
    site.reply("/d.pdf", Reply(b"%PDF ", "application/octet-stream"))
    site.reply("/e.bin", Reply(b"\0", "application/octet-stream"))
    site.reply("/g.txt", Reply(b"g", "text/plain; charset=utf-8"))
    site.reply("/h", Reply(b"h", "video/mp4"))
    site.reply("/j", Reply(b"j", ""))
    suffixes = {file.path: file.suffix for file in reader.files()}
    expected = {"a": ".pdf", "b.md": ".md", "c.do?f=1": ".docx", "d.pdf": ".pdf", "g.txt": ".txt", "index": ".html"}
    assert suffixes == expected
    assert not {"/f.png", "/i.zip"} & set(site.asked)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("<p>연차 휴가", "text/html; charset=EUC-KR", "연차 휴가"),
        ("<p>연차 휴가", 'text/html; charset="ks_c_5601-1987"', "연차 휴가"),
        ("<meta charset=euc-kr><p>연차 휴가", "text/html", "연차 휴가"),
        # Apache's old default, on a page that is something else.
        ("<meta charset=euc-kr><p>연차 휴가", "text/html; charset=ISO-8859-1", "연차 휴가"),
        ("<p>연차 휴가", "text/html; charset=utf-8", "연차 휴가"),
        ("<p>연차 휴가", "text/html; charset=nonsense", "연차 휴가"),
        ("<p>연차 휴가", "text/html; charset=hex", "연차 휴가"),
    ],
)
def test_korean_is_read_in_the_charset_of_the_header_unless_that_is_wrong(
    site: WebSite, reader: Reader, body: str, content_type: str, text: str
) -> None:
    site.reply("/", Reply(body.encode("cp949"), content_type))
    (file,) = reader.files()
    assert parse(file.read(), "page.html").sections[0].blocks[0].text == text


def test_a_page_in_utf8_that_still_says_euc_kr_is_read_as_the_header_says(site: WebSite, reader: Reader) -> None:
    site.page("/", "<meta charset=euc-kr><p>쀍쀍 뷁뷁")
    (file,) = reader.files()
    assert parse(file.read(), "page.html").sections[0].blocks[0].text == "쀍쀍 뷁뷁"


def test_an_unchanged_page_costs_one_answer_without_a_body(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b"), tagged=True)
    site.page("/a", "하나", tagged=True)
    site.page("/b", "둘", headers={"Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"})
    before = {file.path: file for file in reader.files()}
    assert site.answered == [200, 200, 200]
    after = {file.path: file for file in reader.files()}
    assert site.answered == [304, 304, 200]
    assert {path: file.version for path, file in after.items()} == {path: file.version for path, file in before.items()}
    assert after["a"].read().decode("utf-8-sig") == "하나"
    assert after["b"].modified == dt.date(2026, 1, 5)
    site.page("/a", "셋", tagged=True)
    again = {file.path: file for file in reader.files()}
    assert site.answered == [304, 200, 200]
    assert again["a"].version != before["a"].version
    assert again["a"].read().decode("utf-8-sig") == "셋"


def test_last_modified_alone_is_asked_with_too(site: WebSite, reader: Reader) -> None:
    async def dated(request: web.Request) -> web.Response:
        day = "Mon, 05 Jan 2026 10:00:00 GMT"
        if request.headers.get("If-Modified-Since") == day:
            return web.Response(status=304)
        return web.Response(text="본문", content_type="text/html", headers={"Last-Modified": day})

    site.handlers["/"] = dated
    reader.files()
    (file,) = reader.files()
    assert "본문" in file.read().decode("utf-8-sig")
    assert file.modified == dt.date(2026, 1, 5)


def test_a_day_moves_only_when_the_page_does(site: WebSite, reader: Reader) -> None:
    """Servers that make pages on demand say they changed just now."""
    for day, body in ((5, "x"), (6, "x"), (7, "y")):
        site.page("/", body, headers={"Last-Modified": f"Mon, {day:02} Jan 2026 10:00:00 GMT"})
        (file,) = reader.files()
        assert file.modified == dt.date(2026, 1, {5: 5, 6: 5, 7: 7}[day])


def test_a_page_that_is_gone_or_no_longer_linked_is_not_listed(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b", "c"))
    for name in "abc":
        site.page(f"/{name}", name)
    assert reader.paths() == ["a", "b", "c", "index"]
    site.reply("/a", Reply(status=410))
    site.replies.pop("/b")
    assert reader.paths() == ["c", "index"]
    site.page("/", links("a"))
    assert reader.paths() == ["index"]
    assert len(list((reader.home / "bodies").iterdir())) == 1


def test_a_page_that_fails_for_now_is_reported_and_its_links_lead_on(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a"))
    site.page("/a", links("b", title="하나"))
    site.page("/b", "둘")
    reader.files()
    site.page("/", links("a", "new"))
    site.reply("/a", Reply(status=500))
    site.reply("/new", Reply(status=502))
    found = {file.path: file for file in reader.files()}
    assert list(found) == ["a", "b", "index", "new"]
    assert "둘" in found["b"].read().decode("utf-8-sig")
    with pytest.raises(UnreadablePage, match="500 Internal Server Error"):
        found["a"].read()
    with pytest.raises(UnreadablePage, match="502 Bad Gateway"):
        found["new"].read()
    site.page("/a", links("b", title="셋"))
    assert "셋" in {file.path: file for file in reader.files()}["a"].read().decode("utf-8-sig")


def test_a_page_that_is_closed_to_us_does_not_stay(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a"))
    site.page("/a", "급여")
    reader.files()
    site.reply("/a", Reply(status=403))
    found = {file.path: file for file in reader.files()}
    with pytest.raises(ClosedPage, match="403 Forbidden"):
        found["a"].read()
    assert not any("급여" in file.read_text("utf-8") for file in (reader.home / "bodies").iterdir())


def test_a_busy_server_is_given_the_time_it_asks_for(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b", "c"))
    page = Reply("본문".encode())
    site.reply("/a", Reply(status=429, headers={"Retry-After": "7"}), Reply(status=503), page)
    site.reply("/b", Reply(status=503, headers={"Retry-After": "99999"}), page)
    site.reply("/c", Reply(status=503, headers={"Retry-After": "Mon, 05 Jan 2026 10:00:00 GMT"}), Reply(b"c"))
    assert reader.paths(requests_per_second=1e9) == ["a", "c", "index"]  # a and b say the same
    assert [round(pause) for pause in reader.slept if pause > 0.001] == [7, 4, 120]


def test_requests_keep_their_distance_and_robots_may_widen_it(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a"))
    site.page("/a", "a")
    reader.files(requests_per_second=4)
    assert reader.slept == pytest.approx([0.25, 0.25])
    site.reply("/robots.txt", Reply(b"User-agent: *\nCrawl-delay: 3", "text/plain"))
    reader.slept.clear()
    reader.files(requests_per_second=4)
    assert reader.slept[-1] == pytest.approx(3)


def test_robots_txt_is_kept_to(site: WebSite, reader: Reader) -> None:
    site.page("/", links("open", "private/a", "private/open", "비밀/a", "a?secret=1"))
    for path in ("/open", "/private/a", "/private/open"):
        site.page(path, path)
    rules = b"User-agent: *\nDisallow: /\n\nUser-agent: saseobot\nDisallow: /private\nAllow: /private/open\n"
    rules += "Disallow: /비밀/\nDisallow: /*?secret=\n".encode()
    site.reply("/robots.txt", Reply(rules, "text/plain"))
    assert reader.paths() == ["index", "open", "private/open"]
    assert site.asked == ["/", "/open", "/private/open"]
    site.agent = "OtherBot/1.0 (+https://example.com)"
    with pytest.raises(SourceDenied, match=r"robots\.txt"):
        reader.files(user_agent=site.agent)
    assert site.asked == []


def test_a_site_whose_rules_cannot_be_read_is_left_alone(site: WebSite, reader: Reader) -> None:
    site.page("/", "x")
    site.reply("/robots.txt", Reply(status=503))
    with pytest.raises(SourceUnreachable, match=r"robots\.txt: 503"):
        reader.files()
    assert site.asked == []
    site.reply("/robots.txt", Reply(status=403))
    assert reader.paths() == ["index"]


def test_pages_may_ask_not_to_be_listed_or_followed(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b", "c", "d", "e", "f.pdf"))
    site.page("/a", links("a2", head='<meta name="robots" content="noindex">'))
    site.page("/a2", "a2")
    site.page("/b", links("b2", head='<meta name="SaseoBot" content="NoFollow">'))
    site.page("/b2", "b2")
    site.page("/c", "c", headers={"X-Robots-Tag": "none"})
    site.page("/d", "d", headers={"X-Robots-Tag": "otherbot: noindex, nofollow"})
    site.page("/e", '<a href="e2" rel="external nofollow">x</a>')
    site.page("/e2", "e2")
    site.reply("/f.pdf", Reply(b"%PDF", "application/pdf", headers={"X-Robots-Tag": "saseobot: noindex"}))
    assert reader.paths() == ["a2", "b", "d", "e", "index"]


def test_one_page_under_many_addresses_is_one(site: WebSite, reader: Reader) -> None:
    canonical = '<link rel="canonical" href="/a">'
    site.page("/", links("a?from=menu", "a?b=1&c=2", "a?c=2&b=1", "copy/of/a", title="처음"))
    site.page("/a", links(title="하나", head=canonical))
    site.page("/a?from=menu", links("x", title="하나", head=canonical))
    site.page("/x", "x")
    site.page("/a?b=1&c=2", links(title="하나", head=canonical))
    site.page("/copy/of/a", links(title="하나", head=canonical))
    assert reader.paths() == ["a", "index", "x"]
    assert "/a?c=2&b=1" not in site.asked


def test_the_same_bytes_are_one_page_within_a_folder_only(site: WebSite, reader: Reader) -> None:
    """Elsewhere they may be meant for other readers (`folders`), or be left out by a pattern."""
    site.page("/", links("a/", "a/index.html", "a/?lang=ko", "b/copy"))
    for path in ("/a/", "/a/index.html", "/a/?lang=ko", "/b/copy"):
        site.page(path, "같은 글")
    assert reader.paths() == ["a/index", "b/copy", "index"]
    assert reader.paths(include=("b",)) == ["b/copy"]


def test_a_template_that_calls_every_page_the_home_page_loses_none(site: WebSite, reader: Reader) -> None:
    home = '<link rel="canonical" href="/">'
    site.page("/", links("a", "b", title="처음", head=home))
    site.page("/a", links(title="가", head=home))
    site.page("/b", links(title="나", head='<link rel="canonical" href="/gone">'))
    assert reader.paths() == ["a", "b", "index"]


def test_two_pages_that_name_each_other_are_not_both_lost(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b"))
    site.page("/a", links("1", title="가", head='<link rel="canonical" href="/b">'))
    site.page("/b", links("2", title="가", head='<link rel="canonical" href="/a">'))
    assert reader.paths() == ["a", "b", "index"]


def test_redirects_are_followed_only_where_the_crawl_may_go(site: WebSite, reader: Reader) -> None:
    site.page("/w/", links("old", "out", "loop", "far", "login"))
    site.page("/w/new", "새 글")
    site.page("/secret", "비밀")
    for path, target in {
        "/w/old": "new",
        "/w/out": "/secret",
        "/w/loop": "loop2",
        "/w/loop2": "loop",
        "/w/far": "http://169.254.169.254/latest/meta-data/",
        "/w/login": "file:///etc/passwd",
    }.items():
        site.reply(path, Reply(status=302, headers={"Location": target}))
    found = {file.path: file for file in reader.files("/w/")}
    assert list(found) == ["index", "loop", "new"]
    assert found["new"].url == f"{site.url}/w/new"
    with pytest.raises(UnreadablePage, match="redirects"):
        found["loop"].read()
    assert "/secret" not in site.asked


def test_what_has_no_end_is_cut_and_said_so(site: WebSite, reader: Reader) -> None:
    async def calendar(request: web.Request) -> web.Response:
        day = int(request.query.get("day", "0"))
        return web.Response(text=links(f"cal?day={day + 1}", f"cal?day={day - 1}"), content_type="text/html")

    for day in range(-40, 41):
        site.handlers[f"/cal?day={day}"] = calendar
    site.handlers["/cal"] = calendar
    site.page("/", links("cal", "a", "b"))
    for name in "ab":
        site.page(f"/{name}", name)
    found = reader.files(max_pages=10)
    assert len(site.asked) == 10
    assert {"a", "b", "index", "cal"} <= {file.path for file in found}
    (rest,) = [file for file in found if file.version is None]
    with pytest.raises(AddressesLeft) as left:
        rest.read()
    assert "max_pages = 10" in left.value.explain("ko")
    assert left.value.details["count"] == 2
    assert reader.paths(max_pages=1000, max_depth=3) == sorted(
        ["a", "b", "cal", "index", *(f"cal?day={day}" for day in (-2, -1, 1, 2))]
    )


def test_relative_links_under_every_path_come_to_an_end(site: WebSite, reader: Reader) -> None:
    async def same(request: web.Request) -> web.Response:
        return web.Response(text=links("a/b/", title=request.path), content_type="text/html")

    for depth in range(20):
        site.handlers["/" + "a/b/" * depth] = same
    reader.files(max_depth=100)
    assert len(site.asked) == 4


def test_when_time_is_up_known_pages_stay_and_the_rest_is_reported(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b"))
    site.page("/a", links("c"))
    site.page("/b", "b")
    site.page("/c", "c")
    reader.files(requests_per_second=1)
    site.page("/", links("a", "b", "new"))
    found = {file.path: file for file in reader.files(requests_per_second=0.02, max_minutes=1.0)}
    assert len(site.asked) < 4
    assert list(found) == ["a", "b", "c", "index", "new"]
    assert found["c"].read()
    with pytest.raises(AddressesLeft) as left:
        found["new"].read()
    assert left.value.details["count"] == 5 - len(site.asked)


def test_known_pages_that_a_limit_leaves_out_are_counted_and_stay(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", "b"))
    site.page("/a", "a")
    site.page("/b", "b")
    reader.files()
    for _ in range(2):
        found = {file.path: file for file in reader.files(requests_per_second=0.01, max_minutes=1.0)}
        assert site.asked == ["/"]
        assert {path for path, file in found.items() if file.version} == {"a", "b", "index"}
        (rest,) = [file for file in found.values() if file.version is None]
        with pytest.raises(AddressesLeft, match="max_minutes = 1") as left:
            rest.read()
        assert (left.value.details["count"], rest.path, rest.url) == (2, "a/", f"{site.url}/a")
    # The report must not carry the name of a page that is not wanted any more: the run would keep its passages.
    assert reader.paths(include=("b",), requests_per_second=0.01, max_minutes=1.0) == ["a/", "b"]


def test_a_site_of_many_large_pages_does_not_fill_the_disk(site: WebSite, reader: Reader) -> None:
    site.page("/", links(*(f"p{number}" for number in range(9))))
    for number in range(9):
        site.page(f"/p{number}", str(number) * 600_000)
    found = {file.path: file for file in reader.files(max_total_mb=1)}
    assert list(found) == ["index", "p0", "p1", "p2"]
    with pytest.raises(AddressesLeft, match="max_total_mb = 1"):
        found["p2"].read()
    # What is known costs nothing, so each run gets further.
    for number in range(9):
        site.page(f"/p{number}", str(number) * 600_000, tagged=True)
    for _ in range(5):
        last = reader.paths(max_total_mb=1)
    assert last == ["index", *(f"p{number}" for number in range(9))]


def test_include_and_exclude_choose_pages_but_links_lead_on(site: WebSite, reader: Reader) -> None:
    site.page("/", links("hr/", "dev/"))
    site.page("/hr/", links("a", "draft/b"))
    site.page("/hr/a", "a")
    site.page("/hr/draft/b", "b")
    site.page("/dev/", links("/hr/c"))
    site.page("/hr/c", "c")
    assert reader.paths(include=("hr/**",), exclude=("draft",)) == ["hr/a", "hr/c", "hr/index"]
    assert "/hr/draft/b" not in site.asked


def test_a_doubled_slash_gets_around_no_pattern(site: WebSite, reader: Reader) -> None:
    site.page("/", links("/hr//pay", f"{site.url}//hr/pay", "/hr//draft/b", "/hr/pay"))
    for path in ("/hr//pay", "//hr/pay", "/hr//draft/b", "/hr/pay"):
        site.page(path, path)
    assert reader.paths(exclude=("/hr/draft",)) == ["/hr/pay", "hr//pay", "hr/pay", "index"]
    assert reader.paths(exclude=("/hr/**",)) == ["index"]
    config = SourceConfig("사이트", Audience(), reader.home)
    wiki = WebSource(config, WebOptions(site.url + "/", allow_private=True), sleep=lambda _: None)
    hr = Audience.of(["hr"])
    narrowed = NarrowedSource(wiki, [FolderAudience(("/hr/pay",), hr)])
    told = {file.path: file.audience for file in narrowed.files()}
    assert [told["/hr/pay"], told["hr//pay"], told["hr/pay"], told["index"]] == [hr, hr, hr, None]


def test_deeds_are_not_done(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a?action=delete", "logout", "a?do=edit", "a?action=view"))
    site.page("/a?action=view", "a")
    reader.files()
    assert site.asked == ["/", "/a?action=view"]


def test_frames_refreshes_areas_and_bases_lead_on(site: WebSite, reader: Reader) -> None:
    head = '<base href="/w/"><meta http-equiv="Refresh" content="0; URL=\'d\'">'
    site.page(
        "/", f'<html><head>{head}</head><frameset><frame src="a"></frameset><area href="b"><iframe src="c"></iframe>'
    )
    for name in "abcd":
        site.page(f"/w/{name}", name)
    assert reader.paths() == ["index", "w/a", "w/b", "w/c", "w/d"]


def test_a_token_is_shown_to_its_site_only(site: WebSite, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    site.page("/", "안쪽")
    with pytest.raises(TokenMissing, match="WIKI_TOKEN"):
        reader.files(token_env="WIKI_TOKEN")
    monkeypatch.setenv("WIKI_TOKEN", "사용자:s3cret")
    site.authorisation = "Basic 7IKs7Jqp7J6QOnMzY3JldA=="
    assert reader.paths(token_env="WIKI_TOKEN", auth="basic") == ["index"]
    with running(WebSite()) as other:
        other.reply("/sitemap.xml", Reply(f"<urlset><url><loc>{site.url}/</loc></url></urlset>".encode(), "text/xml"))
        assert reader.paths(token_env="WIKI_TOKEN", auth="basic", sitemap=f"{other.url}/sitemap.xml") == ["index"]
        assert other.complaints == []


def test_a_wrong_token_is_told_without_naming_it(
    site: WebSite, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.authorisation = "Bearer right"
    monkeypatch.setenv("WIKI_TOKEN", "right")
    reader.files(token_env="WIKI_TOKEN") if site.page("/", "x") else None
    site.reply("/", Reply(status=401))
    with pytest.raises(SourceDenied) as denied:
        reader.files(token_env="WIKI_TOKEN")
    assert "401 Unauthorized" in denied.value.explain("ko")
    assert "right" not in denied.value.explain("ko")
    monkeypatch.setenv("WIKI_TOKEN", "line\nbreak")
    with pytest.raises(SourceUnreachable) as broken:
        reader.files(token_env="WIKI_TOKEN")
    assert "break" not in broken.value.explain("en")


def test_a_site_that_is_away_empties_nothing(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a"))
    site.page("/a", "a")
    reader.files()
    for status in (500, 404, 302):
        site.reply("/", Reply(status=status, headers={"Location": "https://sso.example/"} if status == 302 else {}))
        with pytest.raises(SourceUnreachable):
            reader.files()
    site.page("/", links("a"))
    site.reply("/a", Reply(status=500))
    assert len(reader.files()) == 2


def test_a_server_that_breaks_down_on_the_way_is_given_up(site: WebSite, reader: Reader) -> None:
    site.page("/", links(*(f"p{number}" for number in range(50))))
    for number in range(50):
        site.reply(f"/p{number}", Reply(status=500))
    with pytest.raises(SourceUnreachable, match="10 addresses in a row"):
        reader.files()
    assert len(set(site.asked)) == 11


def test_nobody_there(tmp_path: Path) -> None:
    options = WebOptions("http://127.0.0.1:1/", allow_private=True)
    config = SourceConfig("사이트", Audience(), tmp_path)
    with pytest.raises(SourceUnreachable, match="refused"):
        list(WebSource(config, options, sleep=lambda seconds: None).files())


def test_bodies_that_are_or_become_too_large_cost_the_page_alone(site: WebSite, reader: Reader) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"<p>x" * 10_000)
        except ConnectionError:
            return response

    def bomb(wbits: int) -> bytes:
        packer = zlib.compressobj(9, wbits=wbits)
        return b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(50)) + packer.flush()

    site.page("/", links("endless", "long", "bomb", "deflate", "brotli", "torn", "fine"))
    site.handlers["/endless"] = endless
    site.reply("/long", Reply(b"x" * 2_000_001))
    site.reply("/bomb", Reply(bomb(31), headers={"Content-Encoding": "gzip"}))
    site.reply("/deflate", Reply(bomb(15), headers={"Content-Encoding": "deflate"}))
    site.reply("/brotli", Reply(b"x", headers={"Content-Encoding": "br"}))
    site.reply("/torn", Reply(gzip.compress(b"<p>torn" * 99)[:-20], headers={"Content-Encoding": "gzip"}))
    site.reply("/fine", Reply(gzip.compress("<p>좋음".encode()), headers={"Content-Encoding": "gzip"}))
    found = {file.path: file for file in reader.files(max_file_mb=2)}
    assert parse(found["fine"].read(), "a.html").sections[0].blocks[0].text == "좋음"
    for path in ("endless", "long", "bomb", "deflate"):
        with pytest.raises(UnreadablePage, match="larger than 2 MB"):
            found[path].read()
    with pytest.raises(UnreadablePage, match="not asked for"):
        found["brotli"].read()
    with pytest.raises(UnreadablePage, match="too early"):
        found["torn"].read()


def test_hostile_pages_end_a_crawl_neither_by_depth_nor_by_number(site: WebSite, reader: Reader) -> None:
    site.page("/", links("deep", "many", "binary", "empty"))
    site.page("/deep", "<div>" * 100_000 + '<a href="x">')
    site.page("/many", "".join(f'<a href="/0-{number}">' for number in range(8000)))
    for number in range(20):
        site.page(f"/0-{number}", "".join(f'<a href="/{number}-{other}">' for other in range(300)))
    site.reply("/binary", Reply(bytes(range(256)) * 100))
    site.page("/empty", "")
    found = {file.path: file for file in reader.files(max_pages=20)}
    assert {"deep", "many", "binary", "empty"} <= found.keys()
    (rest,) = [file for file in found.values() if file.version is None]
    with pytest.raises(AddressesLeft) as left:
        rest.read()
    assert left.value.details["count"] == 100  # five times as many wait at most


def test_a_sitemap_says_what_there_is(site: WebSite, reader: Reader) -> None:
    index = f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc>{site.url}/s.xml.gz</loc></sitemap>"
    index += f"<sitemap><loc>{site.url}/s.txt</loc></sitemap><sitemap><loc>{site.url}/index.xml</loc></sitemap></sitemapindex>"
    entries = "".join(
        f"<url><loc>{site.url}{path}</loc><lastmod>{day}</lastmod></url>"
        for path, day in (("/w/a", "2026-01-05T10:00:00+09:00"), ("/w/b", "soon"), ("/out", "2026-01-01"))
    )
    packed = gzip.compress(f"<?xml version='1.0'?><urlset>{entries}</urlset>".encode())
    site.reply("/index.xml", Reply(index.encode(), "application/xml"))
    site.reply("/s.xml.gz", Reply(packed, "application/gzip"))
    site.reply("/s.txt", Reply(f"{site.url}/w/c\n{site.url}/w/a\n\nhello\n".encode(), "text/plain"))
    for name in "abcd":
        site.page(f"/w/{name}", links("d", title=name))
    found = reader.files("/w/", sitemap=f"{site.url}/index.xml")
    assert [(file.path, file.modified) for file in found] == [("a", dt.date(2026, 1, 5)), ("b", None), ("c", None)]
    cut = reader.files("/w/", sitemap=f"{site.url}/index.xml", max_pages=2)
    assert [file.path for file in cut] == ["a", "b", "sitemap"]
    with pytest.raises(AddressesLeft):
        cut[2].read()


def _index(*files: str) -> Reply:
    content = "".join(f"<sitemap><loc>{file}</loc></sitemap>" for file in files)
    return Reply(f"<sitemapindex>{content}</sitemapindex>".encode(), "application/xml")


def test_more_files_of_a_sitemap_than_are_read_are_reported(site: WebSite, reader: Reader) -> None:
    for number in range(101):
        site.reply(f"/{number}.txt", Reply(f"{site.url}/w/{number % 3}".encode(), "text/plain"))
    for number in range(3):
        site.page(f"/w/{number}", str(number))
    site.reply("/index.xml", _index(*(f"{site.url}/{number}.txt" for number in range(99))))
    assert reader.paths("/w/", sitemap=f"{site.url}/index.xml") == ["0", "1", "2"]
    site.reply("/index.xml", _index(*(f"{site.url}/{number}.txt" for number in range(101))))
    found = {file.path: file for file in reader.files("/w/", sitemap=f"{site.url}/index.xml")}
    assert list(found) == ["0", "1", "2", "sitemap"]
    with pytest.raises(UnreadablePage, match=r"at least 2 .*/99\.txt .*only 100"):
        found["sitemap"].read()


def test_files_of_a_sitemap_are_read_on_its_site_and_that_of_the_prefix_only(site: WebSite, reader: Reader) -> None:
    with running(WebSite()) as other, running(WebSite()) as third:
        listed = Reply(f"{site.url}/w/a\n{site.url}/w/b".encode(), "text/plain")
        for one in (site, other, third):
            one.reply("/s.txt", listed)
        third.reply("/index.xml", _index(f"{other.url}/s.txt", f"{third.url}/s.txt"))
        site.page("/w/a", "a")
        site.page("/w/b", "b")
        found = {file.path: file for file in reader.files("/w/", sitemap=f"{third.url}/index.xml")}
        assert list(found) == ["a", "b", "sitemap"]
        with pytest.raises(UnreadablePage, match=f"at least 1 .*{other.url}/s.txt"):
            found["sitemap"].read()
        third.reply("/index.xml", _index(f"{site.url}/s.txt"))
        assert reader.paths("/w/", sitemap=f"{third.url}/index.xml") == ["a", "b"]
        assert other.asked == []


def test_a_sitemap_that_leads_to_another_site_is_not_followed(site: WebSite, reader: Reader) -> None:
    with running(WebSite()) as other:
        other.reply("/s.txt", Reply(f"{site.url}/a".encode(), "text/plain"))
        site.reply("/index.xml", _index(f"{site.url}/s.txt"))
        site.reply("/s.txt", Reply(status=302, headers={"Location": f"{other.url}/s.txt"}))
        site.page("/a", "a")
        with pytest.raises(SourceUnreachable, match=rf"s\.txt: leads to another site, {other.url}/s\.txt"):
            reader.files(sitemap=f"{site.url}/index.xml")
        assert other.asked == []
        site.reply("/s.txt", Reply(status=302, headers={"Location": "/moved.txt"}))
        site.reply("/moved.txt", Reply(f"{site.url}/a".encode(), "text/plain"))
        assert reader.paths(sitemap=f"{site.url}/index.xml") == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>not found",
        b"<urlset><url>",
        b"\x1f\x8bbroken",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><url><loc>&x;',
        b"<urlset>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</urlset>",
        gzip.compress(b"<urlset>" + b" " * 60_000_000),
        LAUGHS,
    ],
    ids=["html", "torn", "gzip", "entity", "deep", "bomb", "laughs"],
)
def test_a_sitemap_that_is_none_holds_the_source_back(site: WebSite, reader: Reader, content: bytes) -> None:
    site.reply("/sitemap.xml", Reply(content, "application/xml"))
    with pytest.raises(SourceUnreachable, match="sitemap"):
        reader.files(sitemap=f"{site.url}/sitemap.xml")


def test_entities_of_a_sitemap_are_not_fetched(site: WebSite, reader: Reader) -> None:
    content = f'<!DOCTYPE u SYSTEM "{site.url}/dtd" [<!ENTITY f SYSTEM "{site.url}/entity">]>'
    content += f"<urlset><url><loc>{site.url}/a</loc></url><url><loc>&f;</loc></url></urlset>"
    site.reply("/sitemap.xml", Reply(content.encode(), "application/xml"))
    site.page("/a", "a")
    assert reader.paths(sitemap=f"{site.url}/sitemap.xml") == ["a"]
    assert site.asked == ["/sitemap.xml", "/a"]


def test_what_is_kept_may_be_damaged_or_lost(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a"), tagged=True)
    site.page("/a", "본문", tagged=True)
    found = {file.path: file for file in reader.files()}
    body = reader.home / "bodies" / (found["a"].version or "")
    body.write_text("anything")
    with pytest.raises(UnreadablePage, match="damaged"):
        found["a"].read()
    assert {file.path: file.read() for file in reader.files()}["a"].decode("utf-8-sig") == "본문"
    (reader.home / "seen-1.sqlite").write_bytes(b"no database" * 1000)
    assert reader.paths() == ["a", "index"]
    with sqlite3.connect(reader.home / "seen-1.sqlite") as db:
        db.execute("UPDATE seen SET facts = '[]'")
    db.close()
    assert reader.paths() == ["a", "index"]
    assert 304 not in site.answered


def test_a_run_that_was_killed_has_not_fetched_in_vain(site: WebSite, reader: Reader) -> None:
    site.page("/", links("a", *(f"k{number}" for number in range(12))), tagged=True)
    site.page("/a", "a", tagged=True)
    for number in range(12):
        site.reply(f"/k{number}", Reply(status=500))
    with pytest.raises(SourceUnreachable):
        reader.files()
    with pytest.raises(SourceUnreachable):
        reader.files()
    assert site.answered[:2] == [304, 304]


def test_the_kind_is_opened_without_touching_the_network(tmp_path: Path) -> None:
    source = open_source(
        "web", SourceConfig("사이트", Audience(), tmp_path / "home"), WebOptions("https://wiki.example.com/")
    )
    assert source.name == "사이트"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "wiki.example.com"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user:pw@wiki.example.com/"},
        {"url": "https://wiki.example.com/a", "prefix": "https://other.example.com/"},
        {"url": "https://wiki.example.com/a", "prefix": "https://wiki.example.com/b/"},
        {"url": "https://wiki.example.com/", "sitemap": "sitemap.xml"},
        {"url": "https://wiki.example.com/", "max_pages": 0},
        {"url": "https://wiki.example.com/", "max_depth": -1},
        {"url": "https://wiki.example.com/", "requests_per_second": 0.0},
        {"url": "https://wiki.example.com/", "user_agent": "a\r\nX: y"},
        {"url": "https://wiki.example.com/", "auth": "X-Token: a"},
        {"url": "http://wiki.example.com/", "token_env": "T"},
        {"url": "https://wiki.example.com:99999/"},
    ],
)
def test_options_that_cannot_be_meant_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        WebOptions(**keys)  # type: ignore[arg-type]
