"""`saseo index` and `saseo editions` as people and scripts meet them, over a folder, with the real Kiwi and a hash embedder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.commands.output import at_terminal
from bot.store import audit
from bot.store.database import open_store
from bot.wiki_app import WikiParts
from knowledge.errors import EditionMismatch, PagesReopened, SourceShrank, UnknownEdition, UnknownSource
from knowledge.korean import Analyser
from tests.conftest import WIKI, write_wiki
from tests.fakes.hash_embedder import HashEmbedder


class Saseo:
    """The command line over two folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "saseo.toml"
        tables = "".join(f'[[sources]]\nname = "{name}"\npath = "{name}"\n' for name in ("wiki", "board"))
        self.config.write_text(f'data_dir = "data"\n{tables}', encoding="utf-8")
        write_wiki(folder / "wiki", WIKI)
        write_wiki(folder / "board", {f"{n:02}.md": f"# 공지 {n}\n\n{n}번째 공지입니다." for n in range(12)})

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["--config", str(self.config), *words])

    def audited(self) -> list[audit.Entry]:
        """Newest first."""
        store = open_store("", self.folder / "data")
        try:
            return [one for one in store.run_now(audit.entries) if one.action == "edition.rollback"]
        finally:
            store.close()

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.exit_code == 0, done.exception
        return json.loads(done.stdout)


@pytest.fixture
def saseo(tmp_path: Path, analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> Saseo:
    monkeypatch.setattr(WikiParts, "embedder_id", lambda self: HashEmbedder.id)
    monkeypatch.setattr(WikiParts, "make_embedder", lambda self, threads: HashEmbedder())
    monkeypatch.setattr(WikiParts, "make_analyser", lambda self, workers=1: analyser)
    monkeypatch.setattr("knowledge.build.calibrate", lambda index: {"threshold": 1.0})
    return Saseo(tmp_path)


def test_a_dry_run_names_what_would_change_and_publishes_nothing(saseo: Saseo) -> None:
    first = saseo.json("index", "--dry-run")
    assert (first["dry_run"], first["edition"], first["added"]) == (True, "", 18)
    assert "wiki/휴가.md" in first["names"]["added"]
    assert saseo.json("editions", "list") == []
    assert "아직 색인이 없습니다" in saseo("editions", "list").stdout
    published = saseo.json("index")
    assert "names" not in published
    (saseo.folder / "wiki" / "새 문서.md").write_text("# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    (saseo.folder / "wiki" / "휴가.md").rename(saseo.folder / "wiki" / "연차.md")
    (saseo.folder / "wiki" / "출장.md").unlink()
    (saseo.folder / "board" / "깨진.pdf").write_bytes(b"%PDF-1.7 broken")
    shown = saseo("index", "--dry-run")
    assert shown.exit_code == 0
    for line in ("+ wiki/새 문서.md", "- wiki/출장.md", "> wiki: 휴가.md → 연차.md", "비교만 했습니다", "이동 1"):
        assert line in shown.stdout
    assert "board/깨진.pdf" in shown.stderr
    only = saseo.json("index", "--dry-run", "--source", "board")
    assert only["names"] == {"added": [], "changed": [], "removed": []}
    assert [one["page"] for one in only["failed"]] == ["깨진.pdf"]
    assert [one["name"] for one in saseo.json("editions", "list")] == [published["edition"]]


def test_a_source_that_shrank_is_said_loudly_and_taken_when_it_is_accepted(saseo: Saseo) -> None:
    saseo.json("index")
    for page in sorted((saseo.folder / "board").iterdir())[1:]:
        page.unlink()
    (saseo.folder / "wiki" / "새.md").write_text("# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    shown = saseo("index")
    assert shown.exit_code == 0
    assert "!! 출처 'board' 보류" in shown.stderr
    assert "saseo index --accept board" in shown.stderr
    report = saseo.json("index")
    assert [(one["source"], one["before"], one["now"]) for one in report["held_back"]] == [("board", 12, 1)]
    assert "board" in saseo("editions", "list").stdout
    accepted = saseo.json("index", "--accept", "board")
    assert (accepted["removed"], accepted["held_back"]) == (11, [])


def test_when_nothing_but_what_shrank_was_read_the_run_has_failed(saseo: Saseo) -> None:
    saseo.json("index")
    for page in (saseo.folder / "board").iterdir():
        page.unlink()
    assert isinstance(saseo("index", "--source", "board").exception, SourceShrank)
    assert isinstance(saseo("index", "--source", "없는 출처").exception, UnknownSource)


def test_going_back_to_an_older_edition_and_staying_there(saseo: Saseo, monkeypatch: pytest.MonkeyPatch) -> None:
    first = saseo.json("index")["edition"]
    (saseo.folder / "wiki" / "새.md").write_text("# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    second = saseo.json("index")["edition"]
    shown = saseo("editions", "rollback")
    assert shown.exit_code == 0
    assert first in shown.stdout
    listed = saseo.json("editions", "list")
    assert [(one["name"], one["serving"]) for one in listed] == [(first, True), (second, False)]
    assert set(listed[0]) == {
        "name", "made", "pages", "passages", "sources", "size", "serving", "held_back", "recall@5",
    }  # fmt: skip
    assert f"* {first}" in saseo("editions", "list").stdout
    again = saseo.json("index")
    assert (again["edition"], again["reused"], again["rolled_back"]) == (first, True, True)
    assert "되돌린 뒤로" in saseo("index").stdout
    assert saseo.json("editions", "rollback", second) == {"edition": second}
    found = saseo.audited()
    assert [(one.by, one.action, one.subject) for one in found] == [
        (at_terminal(), "edition.rollback", second),
        (at_terminal(), "edition.rollback", first),
    ]
    assert found[0].detail == {"from": first}
    assert isinstance(saseo("editions", "rollback", "20200101-000000-00000000").exception, UnknownEdition)
    monkeypatch.setattr(WikiParts, "embedder_id", lambda self: "other@1")
    assert isinstance(saseo("editions", "rollback", first).exception, EditionMismatch)


def test_going_back_refuses_to_open_pages_again_without_a_word_and_says_what_it_opened(saseo: Saseo) -> None:
    page, gone = (saseo.folder / "wiki" / name for name in ("새.md", "옛.md"))
    page.write_text("# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    gone.write_text("# 옛 문서\n\n택배는 2층에서 찾습니다.", encoding="utf-8")
    first = saseo.json("index")["edition"]
    page.write_text("---\naudience: hr\n---\n# 새 문서\n\n택배는 1층에서 찾습니다.", encoding="utf-8")
    gone.unlink()
    second = saseo.json("index")["edition"]
    assert isinstance(saseo("editions", "rollback").exception, PagesReopened)
    assert [one["name"] for one in saseo.json("editions", "list") if one["serving"]] == [second]
    assert saseo.audited() == []
    shown = saseo("editions", "rollback", "--reopen")
    assert first in shown.stdout
    assert "문서 1개가 예전처럼 열렸고, 없어진 문서 1개로" in shown.stderr
    assert saseo.audited()[0].detail == {"from": second, "wider": 1, "returned": 1}
    assert saseo.json("editions", "rollback", second) == {"edition": second}
    assert saseo.json("editions", "rollback", "--reopen") == {"edition": first, "wider": 1, "returned": 1}


def test_a_page_that_takes_too_long_is_reported_by_name_and_the_rest_is_published(saseo: Saseo) -> None:
    with saseo.config.open("a", encoding="utf-8") as file:
        file.write("[index]\nparse_seconds = 3\n")
    (saseo.folder / "wiki" / "괄호.md").write_text("[" * 200_000, encoding="utf-8")
    report = saseo.json("index")
    (failed,) = report["failed"]
    assert failed["page"] == "괄호.md"
    assert "3초" in failed["reason"]
    assert "parse_seconds" in failed["reason"]
    assert report["pages"] == 18
