"""What every request to the console passes before a page sees it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.store import audit, web_accounts
from bot.store.database import Store
from bot.web.app import WebOptions, make_app
from bot.web.page import Page, allow, form, viewer
from bot.web.render import STATIC
from bot.web.security import BIGGEST_BODY, HEADERS, safe_next
from bot.web.server import WebServer
from bot.web.throttle import Throttle
from tests.bot.web.conftest import PASSWORD, Opening, add_account


async def who(request: Request) -> Response:
    one = viewer(request)
    return PlainTextResponse(f"{one.name} {one.role} {sorted(one.groups)} {one.language}")


async def change(request: Request) -> Response:
    allow(request, "reviewer")
    return PlainTextResponse(f"changed {(await form(request)).get('word')}")


async def breaks(request: Request) -> Response:
    raise RuntimeError("secret of the insides")


URL = "https://saseo.example"
PAGE = Page(
    "today",
    "/",
    (Route("/", who), Route("/change", change, methods=["POST"]), Route("/breaks", breaks)),
)


@pytest.fixture(autouse=True)
def _texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of these tests has no strings of its own."""
    from bot.web import texts

    real = texts.import_module
    monkeypatch.setattr(
        texts, "import_module", lambda name: real("bot.web.texts.common") if "today" in name else real(name)
    )


async def test_on_this_machine_without_accounts_nobody_logs_in(browse: Opening) -> None:
    assert (await browse([PAGE]).get("/")).text == "local admin [] ko"


async def test_once_there_is_an_account_even_this_machine_logs_in(browse: Opening, store: Store) -> None:
    browser = browse([PAGE])
    add_account(store, "kim", "reviewer", ["hr"])
    asked = await browser.get("/?a=1&b=2")
    assert asked.url.path == "/login"
    assert (
        await browser.post("/login", {"name": "kim", "password": PASSWORD, "next": "/"})
    ).text == "kim reviewer ['hr'] ko"


async def test_a_wrong_password_a_wrong_name_and_no_password_say_the_same(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    said = set()
    for name, password in (("kim", "wrong password"), ("lee", PASSWORD), ("kim", "")):
        answer = await browser.log_in(name, password)
        assert answer.status_code == 401
        said.add(re.findall(r'class="problem"[^>]*>([^<]+)<', answer.text)[0])
    assert len(said) == 1


async def test_who_guesses_has_to_wait_and_the_wait_is_told(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    for _ in range(6):
        answer = await browser.log_in("kim", "guess guess")
    assert answer.status_code == 429
    assert (await browser.log_in("kim")).status_code == 429  # the right one, too: it is not told apart


async def test_logins_and_failed_ones_are_on_the_record_without_what_was_typed(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    await browser.log_in("my password typed as a name", "x")
    await browser.log_in("kim", "wrong password")
    await browser.log_in("kim")
    kept = store.run_now(audit.entries)
    told = [(one.action, one.by, one.subject) for one in kept]
    assert ("login.failed", "web", "") in told
    assert ("login.failed", "web", "kim") in told
    assert ("login", "web:kim", "") in told
    assert "typed as a name" not in repr(kept)


async def test_logging_out_ends_the_session_for_every_copy_of_its_cookie(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    await browser.log_in("kim")
    cookie = browser.http.cookies["saseo_session"]
    await browser.get("/login")
    await browser.post("/logout")
    browser.http.cookies.set("saseo_session", cookie, domain="127.0.0.1")
    assert (await browser.get("/")).url.path == "/login"


async def test_a_new_password_logs_out_who_had_the_old_one(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    await browser.log_in("kim")
    assert (await browser.get("/")).url.path == "/"
    add_account(store, "kim")
    assert (await browser.get("/")).url.path == "/login"


def test_sessions_end_when_idle_and_when_old(store: Store) -> None:
    add_account(store, "kim")
    token = store.run_now(web_accounts.begin_session, "kim", now=0.0)
    hour = 3600.0
    for at in range(1, 15):  # seen every eleven hours: never idle for twelve
        assert store.run_now(web_accounts.session, token, now=at * 11 * hour) is not None
    assert store.run_now(web_accounts.session, token, now=7 * 24 * hour + 1) is None
    other = store.run_now(web_accounts.begin_session, "kim", now=0.0)
    assert store.run_now(web_accounts.session, other, now=12 * hour + 1) is None


def test_the_store_does_not_hold_what_opens_a_session(store: Store) -> None:
    from sqlalchemy import select

    from bot.store.schema import web_sessions

    add_account(store, "kim")
    token = store.run_now(web_accounts.begin_session, "kim", now=0.0)
    rows = store.run_now(lambda connection: connection.execute(select(web_sessions)).all())
    assert token not in repr(rows)
    assert hashlib.sha256(token.encode()).hexdigest() == rows[0].token


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
    ],
)
async def test_a_form_from_elsewhere_changes_nothing(browse: Opening, headers: dict[str, str]) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    assert (await browser.post("/change", {"word": "a"}, headers=headers)).status_code == 403
    assert (await browser.post("/change", {"word": "a"})).text == "changed a"


@pytest.mark.parametrize("token", ["", "x" * 64, "가나다"])
async def test_a_form_needs_the_token_of_its_session(browse: Opening, token: str) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    answer = await browser.post("/change", {"csrf": token})
    assert answer.status_code == 403
    assert "새로 고친 뒤" in answer.text


async def test_the_token_of_one_session_is_none_of_another(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    add_account(store, "lee")
    kim, lee = browse([PAGE]), browse([PAGE])
    await kim.log_in("kim")
    await lee.log_in("lee")
    await kim.get("/login")
    await lee.get("/login")
    assert kim.token != lee.token
    assert (await lee.post("/change", {"csrf": kim.token})).status_code == 403


async def test_htmx_sends_the_token_as_a_header(browse: Opening) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    answer = await browser.http.post("/change", json={}, headers={"X-CSRF": browser.token})
    assert answer.text == "changed None"


async def test_another_sites_name_for_this_machine_is_refused(browse: Opening) -> None:
    """DNS rebinding: evil.example resolves to 127.0.0.1, so its pages reach us with their own name."""
    refused = await browse([PAGE], address="http://evil.example:8787").get("/")
    assert refused.status_code == 421
    assert "[web] public_url" in refused.text
    assert (await browse([PAGE], address="http://localhost:8787").get("/")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "203.0.113.7"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "saseo.example"},
        {"x-forwarded-anything": ""},
        {"X-Real-IP": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Via": "1.1 proxy"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_strangers_that_a_proxy_passes_on_are_no_admins(
    browse: Opening, store: Store, headers: dict[str, str]
) -> None:
    browser = browse([PAGE])
    refused = await browser.get("/", headers=headers)
    assert refused.status_code == 403
    assert "saseo accounts add" in refused.text
    add_account(store, "kim")
    assert (await browser.get("/", headers=headers)).url.path == "/login"


@pytest.mark.parametrize(("version", "status"), [("1.0", b"403"), ("1.1", b"200")])
async def test_a_proxy_that_says_nothing_but_speaks_an_old_http_makes_nobody_an_admin(
    store: Store, version: str, status: bytes
) -> None:
    """nginx with a bare `proxy_pass`: HTTP/1.0, the upstream's own address as Host, no header of its own."""
    app = make_app([PAGE], store, WebOptions("127.0.0.1", "", "ko", "shared", ZoneInfo("Asia/Seoul")))
    server = WebServer(app, "127.0.0.1", 0)
    server.open()
    serving = asyncio.create_task(server.run())
    try:
        address = server.address.removeprefix("http://")
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(f"GET / HTTP/{version}\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1] == status
        assert (b"local admin" in answer) == (status == b"200")
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(f"GET /login HTTP/{version}\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        assert b"403" not in (await reader.readline())  # what is open to strangers, health above all, is theirs too
        writer.close()
    finally:
        await server.close(0)
        await serving


async def test_beyond_loopback_a_login_is_needed(browse: Opening) -> None:
    browser = browse([PAGE], host="0.0.0.0", public_url=URL, address=URL)  # noqa: S104
    assert (await browser.get("/")).url.path == "/login"


async def test_behind_tls_cookies_travel_over_nothing_else(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE], public_url="https://saseo.example", address="https://saseo.example")
    await browser.get("/login")
    answer = await browser.http.post(
        "/login", data={"csrf": browser.token, "name": "kim", "password": PASSWORD}, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Strict-Transport-Security" in answer.headers


async def test_every_answer_carries_the_headers(browse: Opening) -> None:
    browser = browse([PAGE])
    for path in ("/", "/login", "/nothing-here", "/breaks", "/static/saseo.css"):
        answer = await browser.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
async def test_what_an_account_may_not_do_is_said_and_not_done(browse: Opening, store: Store, role: Any) -> None:
    add_account(store, "kim", role)
    browser = browse([PAGE])
    await browser.log_in("kim")
    await browser.get("/login")
    answer = await browser.post("/change", {"word": "a"})
    assert answer.status_code == (403 if role == "viewer" else 200)
    assert ("검토 권한" in answer.text) == (role == "viewer")


async def test_an_unforeseen_error_shows_a_reference_and_no_insides(browse: Opening) -> None:
    answer = await browse([PAGE]).get("/breaks")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert re.search(r"[0-9a-f]{12}", answer.text)


@pytest.mark.parametrize("told", [True, False])
async def test_a_body_that_is_too_large_is_refused_told_or_not(browse: Opening, told: bool) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    body = b"csrf=x&word=" + b"a" * BIGGEST_BODY

    async def parts() -> Any:
        yield body

    answer = await browser.http.post(
        "/change",
        content=body if told else parts(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    assert "너무 큽니다" in answer.text
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "evil", "/a\nb", ""]
)
def test_after_the_login_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert safe_next(wanted) == "/"
    assert safe_next("/conversations?q=연차") == "/conversations?q=연차"


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.css", "vendor/README.md", "/etc/passwd"]
)
async def test_only_static_files_are_served(browse: Opening, name: str) -> None:
    assert (await browse([PAGE]).get(f"/static/{name}")).status_code == 404


async def test_a_visitor_chooses_language_and_colours(browse: Opening) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    await browser.post("/preferences", {"language": "en", "theme": "dark"})
    page = await browser.get("/login")
    assert '<html lang="en" data-theme="dark">' in page.text
    assert "Log in" in page.text


def test_what_was_taken_in_is_as_it_was_published() -> None:
    told = dict(re.findall(r"\| `(\S+\.(?:js|css))` .* `([0-9a-f]{64})` \|", (STATIC / "vendor/README.md").read_text()))
    files = {one.name for one in (STATIC / "vendor").iterdir() if one.suffix in (".js", ".css")}
    assert set(told) == files
    for name, sum_ in told.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == sum_


@pytest.mark.parametrize(
    "settings", [{"public_url": "https://wiki.example"}, {"proxies": ("127.0.0.1",)}, {"host": "192.0.2.1"}]
)
async def test_where_strangers_may_come_nobody_is_let_in_without_an_account(
    browse: Opening, settings: dict[str, Any]
) -> None:
    """Also through a proxy that does not say it is one."""
    browser = browse([PAGE], **settings)
    for host in ("127.0.0.1:8787", "localhost", *(["wiki.example"] if "public_url" in settings else [])):
        asked = await browser.http.get("/", headers={"host": host}, follow_redirects=False)
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2F")


@pytest.mark.parametrize(
    "host",
    ["[", "[::1", "evil.example#@127.0.0.1", "127.0.0.1/static/?", "a b", "", "localhost/static/?x=", "127.0.0.1:x"],
)
async def test_a_host_that_is_none_is_refused_with_the_headers(browse: Opening, host: str) -> None:
    answer = await browse([PAGE]).http.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["http://[", "null", "http://127.0.0.1:8787.evil.example", "127.0.0.1:8787"])
async def test_an_origin_that_is_none_is_not_ours(browse: Opening, origin: str) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    assert (await browser.post("/change", headers={"origin": origin})).status_code == 403


async def test_a_form_that_cannot_be_read_is_refused_with_the_headers(browse: Opening) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    answer = await browser.http.post("/change", files={"file": ("a.txt", b"x")}, data={"csrf": browser.token})
    assert answer.status_code == 400
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/static/%00.css", "/login?next=//[", "/login?next=%00"])
async def test_an_address_that_is_none_breaks_nothing(browse: Opening, path: str) -> None:
    assert (await browse([PAGE]).get(path)).status_code in (200, 404)


async def test_a_referer_that_is_none_leads_to_the_first_page(browse: Opening) -> None:
    browser = browse([PAGE])
    await browser.get("/login")
    answer = await browser.post("/preferences", {"language": "ko"}, headers={"referer": "//["})
    assert answer.url.path == "/"


async def test_guesses_sent_all_at_once_wait_like_those_sent_one_by_one(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    await browser.get("/login")
    fields = {"csrf": browser.token, "name": "kim", "password": "guess guess"}
    answers = await asyncio.gather(*(browser.http.post("/login", data=fields) for _ in range(30)))
    assert sum(one.status_code == 401 for one in answers) <= 6
    assert sum(one.status_code == 429 for one in answers) >= 24


def test_strangers_lock_an_owner_out_for_half_a_minute_and_themselves_for_a_quarter_of_an_hour() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(40):
        throttle.failed("account:kim", "address:192.0.2.7")
    assert throttle.wait("account:kim") <= 30
    assert throttle.wait("address:192.0.2.7") == 900
    now[0] = 30.0
    assert throttle.wait("account:kim", "address:192.0.2.8") == 0


async def test_a_wrong_password_does_not_cost_the_way(browse: Opening, store: Store) -> None:
    add_account(store, "kim")
    browser = browse([PAGE])
    await browser.get("/login")
    answer = await browser.post("/login", {"name": "kim", "password": "wrong", "next": "/gaps"})
    assert 'name="next" value="/gaps"' in answer.text
