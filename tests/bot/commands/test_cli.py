"""The command line as a script or a person meets it: real processes, real exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.models.catalogue import Catalogue
from bot.models.store import ModelStore, default_root
from knowledge.errors import ExplainedError
from tests.conftest import WIKI, write_wiki

ROOT = Path(__file__).parents[3]


def saseo(config: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


def configured(folder: Path, extra: str = "") -> Path:
    write_wiki(folder / "wiki", WIKI)
    config = folder / "saseo.toml"
    config.write_text(f'data_dir = "var"\n[[sources]]\nname = "wiki"\npath = "wiki"\n{extra}', encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose wiki is indexed with the real embedder; the small writer."""
    store = ModelStore(default_root(), Catalogue.load())
    for name in ("multilingual-e5-small", "qwen2.5-coder-0.5b"):
        try:
            store.path(name)
        except ExplainedError:
            pytest.skip(f"saseo models pull {name}")
    config = configured(tmp_path_factory.mktemp("cli"), '[writer]\nmodel = "qwen2.5-coder-0.5b"\n')
    done = saseo(config, "index", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) >= {"edition", "pages", "passages", "added", "changed", "removed", "failed", "seconds"}
    assert (report["pages"], report["added"], report["failed"]) == (6, 6, [])
    return config


@pytest.mark.model
def test_search_keeps_its_contract_and_its_audiences(indexed: Path) -> None:
    results = json.loads(saseo(indexed, "search", "연차 신청", "-k", "3", "--json").stdout)
    assert set(results[0]) >= {"rank", "page", "title", "url", "heading", "text", "score", "lexical", "dense"}
    assert (results[0]["page"], len(results)) == ("휴가.md", 3)
    lines = [{"question": "연봉 밴드 상한"}, {"question": "연봉 밴드 상한", "as": "hr"}]
    batch = indexed.parent / "batch.jsonl"
    batch.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    outsider, insider = [
        json.loads(line) for line in saseo(indexed, "search", "--batch", str(batch)).stdout.splitlines()
    ]
    assert "연봉.md" not in [found["page"] for found in outsider["results"]]
    assert insider["results"][0]["page"] == "연봉.md"


@pytest.mark.model
def test_ask_keeps_its_contract(indexed: Path) -> None:
    done = saseo(indexed, "ask", "연차는 며칠 전까지 신청해야 하나요?", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) >= {
        "outcome",
        "text",
        "citations",
        "model",
        "lora",
        "edition",
        "prompt",
        "tokens",
        "cost_krw",
        "seconds",
    }
    assert set(answer["seconds"]) == {"search", "first_token", "total"}
    assert answer["outcome"] in ("answered", "abstained")
    assert all(set(cited) >= {"n", "page", "title", "url", "quote"} for cited in answer["citations"])


@pytest.mark.model
def test_without_a_writer_the_wiki_is_quoted(indexed: Path) -> None:
    done = saseo(indexed, "ask", "연차는 며칠 전까지 신청해야 하나요?", SASEO_WRITER__MODEL="/nonexistent/model.gguf")
    assert done.returncode == 0
    assert "“" in done.stdout
    assert "출처" in done.stdout
    assert "model.gguf" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.model
def test_retrieval_is_evaluated(indexed: Path) -> None:
    questions = indexed.parent / "set.jsonl"
    questions.write_text('{"question": "회의실은 어디서 예약하나요?", "page": "회의실.md"}\n', encoding="utf-8")
    done = saseo(indexed, "evaluate", "--set", str(questions), "--retrieval", "--json")
    assert json.loads(done.stdout)["recall@1"]["mean"] == 1.0, done.stderr


@pytest.mark.model
def test_interrupting_an_index_run_says_so_and_keeps_the_edition(indexed: Path) -> None:
    edition = (indexed.parent / "var" / "editions" / "current").read_text(encoding="utf-8")
    command = [sys.executable, str(ROOT / "saseo.py"), "--config", str(indexed), "index", "--full"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lock = indexed.parent / "var" / "editions" / ".lock"
    until = time.monotonic() + 60
    while not lock.exists() and time.monotonic() < until and running.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "중단했습니다" in errors
    assert "Traceback" not in errors
    assert (indexed.parent / "var" / "editions" / "current").read_text(encoding="utf-8") == edition
    assert saseo(indexed, "index").returncode == 0


def test_a_missing_model_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    done = saseo(configured(tmp_path), "index", "--json", SASEO_MODELS_DIR=str(tmp_path / "models"))
    assert done.returncode == 1
    assert "saseo models pull multilingual-e5-small" in done.stderr
    assert json.loads(done.stdout)["error"] == "ModelMissing"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ask", "연차는?"], 1, "saseo index"),
        (["search"], 2, "질문"),
        (["evaluate", "--set", "/nonexistent"], 2, "/nonexistent"),
        (["models", "pull", "qwen2.5-coder-1.5"], 1, "qwen2.5-coder-1.5b"),
        (["nosuchverb"], 2, "nosuchverb"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    done = saseo(configured(tmp_path), *words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_setting_stops_every_command(tmp_path: Path) -> None:
    done = saseo(configured(tmp_path, "[writter]\nmodel = 'x'\n"), "models", "list")
    assert done.returncode == 1
    assert "writer" in done.stderr


def test_a_bad_line_of_a_batch_is_named(tmp_path: Path) -> None:
    (tmp_path / "batch.jsonl").write_text('{"question": "하나"}\nnot json\n', encoding="utf-8")
    done = saseo(configured(tmp_path), "ask", "--batch", str(tmp_path / "batch.jsonl"))
    assert done.returncode == 1
    assert "2행" in done.stderr


def test_models_are_listed_for_scripts(tmp_path: Path) -> None:
    listed = json.loads(saseo(configured(tmp_path), "models", "list", "--json").stdout)
    assert {"name", "present", "sha256", "licence", "template"} <= set(listed[0])
    assert sum(model["selected"] for model in listed) == 2
