"""docs/adding-a-source.md: its example is a source, as it stands there."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings_file import load_settings
from bot.source_settings import kind_keys
from knowledge.errors import SourceNotFound, UnreadablePage
from knowledge.page import Audience
from knowledge.sources import KINDS, SourceConfig, open_source
from knowledge.sources.base import Source

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "adding-a-source.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's block in that language, of which it has one."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With the page's kind registered and its table written down."""
    module = types.ModuleType("notes_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(block("python"), "adding-a-source.md", "exec"), module.__dict__)  # noqa: S102 - our own page
    monkeypatch.setitem(KINDS, "notes", module.KIND)  # type: ignore[arg-type]
    kind_keys.cache_clear()
    path = tmp_path / "config.toml"
    path.write_text(block("toml"), encoding="utf-8")
    yield path
    kind_keys.cache_clear()


def opened(settings_file: Path) -> Source:
    (settings,) = load_settings(settings_file).sources
    assert tomllib.loads(settings_file.read_text())["sources"][0]["kind"] == settings.kind
    config = SourceConfig(
        settings.name, Audience.of(settings.audience), settings_file.parent / "home", ("*.md",), ("초안*",)
    )
    return open_source(settings.kind, config, settings.options)


def test_the_example_lists_reads_and_reports(settings_file: Path) -> None:
    notes = [
        {"id": "휴가", "title": "휴가 규정", "text": "연차는 15일입니다.", "updated": "2026-01-05", "readers": ["hr"]},
        {"id": "초안-1", "text": "아직"},
        {"title": "이름 없음"},
    ]
    lines = "\n".join(json.dumps(note, ensure_ascii=False) for note in notes)
    (settings_file.parent / "memos.jsonl").write_text(lines, encoding="utf-8")
    leave, broken = opened(settings_file).files()
    assert (leave.path, leave.identity, leave.title) == ("휴가.md", "휴가", "휴가 규정")
    assert (leave.read().decode(), leave.modified) == ("연차는 15일입니다.", dt.date(2026, 1, 5))
    assert leave.audience == Audience.of(["hr"])
    assert broken.path == "line 3"
    with pytest.raises(UnreadablePage, match="no note"):
        broken.read()


def test_the_example_tells_when_the_source_is_away(settings_file: Path) -> None:
    with pytest.raises(SourceNotFound):
        opened(settings_file).files()


def test_the_files_that_the_page_names_exist() -> None:
    root = Path(__file__).resolve().parents[3]
    named = [name for name in re.findall(r"`((?:knowledge|tests)/[\w/.]*)`", PAGE) if "KIND" not in name]
    assert named
    assert [name for name in named if not (root / name).exists()] == []
