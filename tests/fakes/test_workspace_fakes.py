"""The loopback Notion and Confluence refuse what the real ones refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes import confluence as confluence_fake
from tests.fakes import notion as notion_fake
from tests.fakes.confluence import FakeConfluence
from tests.fakes.notion import FakeNotion

SEARCH: dict[str, Any] = {"filter": {"property": "object", "value": "page"}, "sort": {"timestamp": "last_edited_time"}}


@pytest.fixture
def notion() -> Iterator[tuple[FakeNotion, httpx.Client]]:
    headers = {"Authorization": f"Bearer {notion_fake.TOKEN}", "Notion-Version": notion_fake.VERSION}
    with FakeNotion() as fake, httpx.Client(base_url=fake.base, headers=headers, trust_env=False) as client:
        for number in range(5):
            fake.page(f"문서 {number}")
        yield fake, client


@pytest.fixture(params=["cloud", "server"])
def confluence(request: pytest.FixtureRequest) -> Iterator[tuple[FakeConfluence, httpx.Client]]:
    cloud = request.param == "cloud"
    auth = httpx.BasicAuth(confluence_fake.USER, confluence_fake.TOKEN) if cloud else None
    headers = {} if cloud else {"Authorization": f"Bearer {confluence_fake.TOKEN}"}
    with (
        FakeConfluence(request.param) as fake,
        httpx.Client(base_url=fake.url, headers=headers, auth=auth, trust_env=False) as client,
    ):
        fake.space("HR")
        for number in range(5):
            fake.page("HR", f"문서 {number}")
        yield fake, client


def test_notion_demands_a_token_and_a_version(notion: tuple[FakeNotion, httpx.Client]) -> None:
    _, client = notion
    assert client.post("/search", json=SEARCH).status_code == 200
    assert client.post("/search", json=SEARCH, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.post("/search", json=SEARCH, headers={"Notion-Version": "2022-06-28"}).status_code == 400


@pytest.mark.parametrize(
    "change",
    [{"page_size": 0}, {"page_size": 101}, {"pages": 1}, {"start_cursor": "x"}, {"filter": {"value": "database"}}],
)
def test_notion_refuses_what_it_does_not_know(notion: tuple[FakeNotion, httpx.Client], change: dict[str, Any]) -> None:
    _, client = notion
    assert client.post("/search", json={**SEARCH, **change}).status_code == 400


def test_a_cursor_of_notion_belongs_to_its_query(notion: tuple[FakeNotion, httpx.Client]) -> None:
    _, client = notion
    first = client.post("/search", json={**SEARCH, "page_size": 2}).json()
    assert (len(first["results"]), first["has_more"]) == (2, True)
    again = {**SEARCH, "page_size": 2, "start_cursor": first["next_cursor"]}
    assert len(client.post("/search", json=again).json()["results"]) == 2
    assert client.post("/search", json={**again, "page_size": 3}).status_code == 400


def test_notion_has_no_such_method_and_no_such_object(notion: tuple[FakeNotion, httpx.Client]) -> None:
    fake, client = notion
    page = next(iter(fake.objects))
    assert client.get(f"/pages/{page}").status_code == 200
    assert client.delete(f"/blocks/{page}").status_code == 400
    assert client.get(f"/data_sources/{page}").status_code == 404
    assert client.get("/pages/not-an-id").status_code == 400
    assert client.get(f"/blocks/{page}/children", params={"page_size": "100", "depth": "2"}).status_code == 400


def test_confluence_demands_its_kind_of_token(confluence: tuple[FakeConfluence, httpx.Client]) -> None:
    fake, client = confluence
    path = "/api/v2/spaces" if fake.flavour == "cloud" else "/rest/api/space"
    assert client.get(path).status_code == 200
    assert httpx.get(fake.url + path, trust_env=False).status_code == 401
    other = (
        {"Authorization": f"Bearer {confluence_fake.TOKEN}"}
        if fake.flavour == "cloud"
        else {"Authorization": "Basic eA=="}
    )
    assert httpx.get(fake.url + path, headers=other, trust_env=False).status_code == 401


def test_confluence_refuses_what_it_does_not_know(confluence: tuple[FakeConfluence, httpx.Client]) -> None:
    fake, client = confluence
    space = fake.space_list["HR"].id
    path = f"/api/v2/spaces/{space}/pages" if fake.flavour == "cloud" else "/rest/api/space"
    assert client.get(path, params={"limit": "2"}).json()["results"]
    assert client.get(path, params={"limit": "251"}).status_code == 400
    assert client.get(path, params={"colour": "red"}).status_code == 400
    assert client.post(path).status_code == 404
    assert client.get("/rest/api/content/search", params={"cql": "type = blogpost"}).status_code == 400
    moved = client.get("/rest/api/content", params={"spaceKey": "HR"}).status_code if fake.flavour == "cloud" else 410
    assert moved == 410
