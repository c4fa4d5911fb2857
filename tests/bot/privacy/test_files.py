"""People's words are found in files however they are written there, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.privacy import files

WORDS = "경조사 휴가는 며칠입니까?"


def put(data: Path, name: str, content: bytes | str) -> Path:
    path = data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("written", [WORDS, json.dumps(WORDS), json.dumps({"a": WORDS}, ensure_ascii=False)])
def test_words_are_found_as_they_are_and_as_json(tmp_path: Path, written: str) -> None:
    path = put(tmp_path, "jobs/r/x.jsonl", written)
    assert list(files.holding(tmp_path, files.needles([WORDS]))) == [path]


def test_quotation_marks_and_line_breaks_are_found_in_json(tmp_path: Path) -> None:
    text = '그는 "연차"라고\n말했습니다.'
    path = put(tmp_path, "jobs/r/x.jsonl", json.dumps([text], ensure_ascii=False))
    assert list(files.holding(tmp_path, files.needles([text]))) == [path]


@pytest.mark.parametrize("shift", [0, 1, 5, 17])
def test_words_across_the_pieces_that_are_read_are_found(tmp_path: Path, shift: int) -> None:
    before = (1 << 20) - shift
    path = put(tmp_path, "exports/x.bin", b"x" * before + WORDS.encode() + b"y" * 100)
    (tmp_path / "exports" / "x.bin").rename(path := tmp_path / "exports" / "x.csv")
    assert list(files.holding(tmp_path, files.needles([WORDS]))) == [path]


def test_short_words_and_other_places_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "jobs/r/x.jsonl", "네 네 네")
    put(tmp_path, "editions/e/passages.jsonl", WORDS)
    put(tmp_path, "loras/hr-1/lora.gguf", WORDS)
    assert files.needles(["네", "", "  "]) == ()
    assert list(files.holding(tmp_path, files.needles(["네"]))) == []
    assert list(files.holding(tmp_path, files.needles([WORDS]))) == []


def test_what_a_running_job_holds_is_left_and_told(tmp_path: Path) -> None:
    running = put(tmp_path, "jobs/r1/x.jsonl", WORDS)
    over = put(tmp_path, "jobs/r2/x.jsonl", WORDS)
    done = files.clear(tmp_path, files.needles([WORDS]), running=["r1"])
    assert (list(done.deleted), done.left) == (["jobs/r2/x.jsonl"], ["jobs/r1/x.jsonl"])
    assert running.exists()
    assert not over.exists()
    assert len(done.deleted["jobs/r2/x.jsonl"]) == 64


def test_a_link_leads_nowhere(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = put(tmp_path_factory.mktemp("home"), "mine.txt", WORDS)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "link.txt").symlink_to(outside)
    assert list(files.holding(tmp_path, files.needles([WORDS]))) == []


def test_what_one_restore_put_aside_goes_together_also_where_the_store_lies_elsewhere(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "store"
    for stamp, name in (("1", "p:1"), ("2", "p:2")):
        put(data, f"before-restore-{stamp}/search-weights.json", "{}")
        put(elsewhere, f"before-restore-{stamp}/saseo.sqlite", name)
    place = (data, elsewhere / "saseo.sqlite")
    held = files.asides_holding(*place, [b"p:1"])
    assert held == {"before-restore-1"}
    done = files.Cleared()
    files.clear_asides(*place, held, done)
    assert len(done.deleted) == 2
    assert sorted(path.parent for path in files.asides(*place)) == [data, elsewhere]
    assert {path.name for path in files.asides(*place)} == {"before-restore-2"}
