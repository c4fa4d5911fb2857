"""The command line as scripts and people meet it: JSON keys, sentences, exit codes.

What needs no model runs in this process through the launcher's own `main`. What needs the models runs `saseo.py` as a
process of its own, over one wiki that is indexed once.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import texts
from bot.app import main
from bot.commands.batch import read_batch, typed
from bot.errors import InvalidSetting
from bot.models.catalogue import Catalogue
from bot.models.store import ModelStore, default_root
from bot.store import audit, web_accounts
from bot.store.database import open_store
from knowledge.learned_weights import learn, save
from tests.conftest import WIKI, write_wiki
from tests.fakes.web_site import WebSite, running

ROOT = Path(__file__).resolve().parents[3]
SMALL_WRITER = "qwen2.5-coder-0.5b"
NO_WRITER = "/nonexistent/none.gguf"
SEARCH_KEYS = {"rank", "page", "title", "url", "heading", "text", "score", "lexical", "dense"}
ASK_KEYS = {
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
INDEX_KEYS = {"edition", "pages", "passages", "added", "changed", "removed", "failed", "seconds"}


def config(folder: Path, extra: str = "") -> Path:
    """A file that names only what differs: the small wiki beside it."""
    path = folder / "saseo.toml"
    path.write_text(f'data_dir = "data"\n{extra}\n[[sources]]\nname = "wiki"\npath = "wiki"\n', encoding="utf-8")
    return path


class Said:
    """What one command gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> object:
        return json.loads(self.out)

    def lines(self) -> list[object]:
        return [json.loads(line) for line in self.out.splitlines()]


# --- without models -----------------------------------------------------------------------------------------------


class Here:
    """Runs commands in this process, with a models folder that is empty."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str | Path, code: int) -> Said:
        self._monkeypatch.setattr(sys, "argv", ["saseo", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capsys.readouterr()
        assert left.value.code == code, out + err
        assert "Traceback" not in out + err
        return Said(code, out, err)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Here]:
    for name in list(os.environ):
        if name.startswith("SASEO_"):
            monkeypatch.delenv(name)
    for name in ("HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM", "GGML_NO_BACKTRACE", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))  # what the command sets goes away with the test
    monkeypatch.setenv("SASEO_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    write_wiki(tmp_path / "wiki", WIKI)
    yield Here(tmp_path, monkeypatch, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_help_lists_every_verb_and_exits_0(here: Here) -> None:
    shown = here("--help", code=0).out
    for verb in ("ask", "chat", "doctor", "evaluate", "index", "models", "search"):
        assert f"\n  {verb} " in shown


@pytest.mark.parametrize("verb", ["ask", "chat", "doctor", "evaluate", "index", "models", "search"])
def test_every_verb_explains_itself_in_korean(here: Here, verb: str) -> None:
    assert re.search("[가-힣]", here(verb, "--help", code=0).out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("search",),
        ("ask", "질문", "--batch", "saseo.toml"),
        ("search", "질문", "--nope"),
        ("search", "질문", "-k", "0"),
        ("search", "--batch", "none.jsonl"),
        ("evaluate",),
        ("nope",),
    ],
)
def test_wrong_usage_exits_2(here: Here, arguments: tuple[str, ...]) -> None:
    config(here.folder)
    assert here("--config", "saseo.toml", *arguments, code=2).err.strip()


def test_indexing_without_the_embedder_names_it_and_the_command_that_gets_it(here: Here) -> None:
    said = here("--config", config(here.folder), "index", code=1)
    assert "multilingual-e5-small" in said.err
    assert "saseo models pull" in said.err
    assert re.search("[가-힣]", said.err)


def test_a_failure_is_json_too_where_json_is_wanted(here: Here) -> None:
    said = here("--config", config(here.folder), "index", "--json", code=1)
    failed = said.json()
    assert isinstance(failed, dict)
    assert failed["error"] == "ModelMissing"
    assert failed["message"] in said.err


@pytest.mark.parametrize("arguments", [("search", "연차"), ("ask", "연차는 며칠이야?"), ("chat",)])
def test_without_an_index_the_person_is_told_to_make_one(here: Here, arguments: tuple[str, ...]) -> None:
    said = here("--config", config(here.folder), *arguments, code=1)
    assert "아직 색인이 없습니다" in said.err
    assert "saseo index" in said.err


@pytest.mark.parametrize("arguments", [("jobs", "run", "examples"), ("tune", "run")])
def test_a_job_that_failed_exits_1(here: Here, arguments: tuple[str, ...]) -> None:
    failed = here("--config", config(here.folder), *arguments, "--json", code=1).json()
    assert isinstance(failed, dict)
    assert failed["state"] == "failed"


def test_an_unknown_setting_exits_1_and_names_the_nearest(here: Here) -> None:
    said = here("--config", config(here.folder, 'langauge = "ko"'), "search", "연차", code=1)
    assert "langauge" in said.err
    assert "language?" in said.err


def test_a_missing_configuration_file_exits_1(here: Here) -> None:
    assert "none.toml" in here("--config", "none.toml", "search", "연차", code=1).err


def test_an_unknown_model_exits_1_and_names_the_nearest(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASEO_EMBEDDER__MODEL", "multilingual-e5-smal")
    said = here("--config", config(here.folder), "index", code=1)
    assert "multilingual-e5-small" in said.err


def test_pulling_asks_the_hub_unless_the_person_forbids_it(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing Saseo sets for itself may close the way that only this command takes."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens
    arguments = ("--config", config(here.folder), "models", "pull", "exaone-3.5-2.4b")
    said = here(*arguments, code=1)
    assert "127.0.0.1" in said.err
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in here(*arguments, code=1).err


def test_a_source_that_is_not_there_exits_1_and_is_named(here: Here) -> None:
    path = here.folder / "saseo.toml"
    path.write_text('[[sources]]\nname = "손글"\npath = "none"\n', encoding="utf-8")
    checks = here("--config", path, "doctor", "--json", code=1).json()
    assert isinstance(checks, list)
    assert any(not check["ok"] and "손글" in check["found"] + check["remedy"] for check in checks)


def test_a_source_that_is_broken_does_not_hide_the_others_and_a_web_site_is_not_crawled(here: Here) -> None:
    (here.folder / "notes").mkdir()
    (here.folder / "notes" / "연차.md").write_text("# 연차\n연차는 15일입니다.\n", encoding="utf-8")
    path = here.folder / "saseo.toml"
    with running(WebSite()) as site:
        site.page("/", '<a href="/a">하나</a> <a href="/b">둘</a>')
        site.page("/a", "하나")
        site.page("/b", "둘")
        path.write_text(
            '[[sources]]\nname = "손글"\npath = "none"\n[[sources]]\nname = "글"\npath = "notes"\n'
            f'[[sources]]\nname = "사이트"\nkind = "web"\nurl = "{site.url}/"\nallow_private = true\n',
            encoding="utf-8",
        )
        checks = here("--config", path, "doctor", "--json", code=1).json()
        asked = list(site.asked)
    assert isinstance(checks, list)
    (sources,) = (check for check in checks if check["name"] == "출처")
    assert sources["found"] == "글: 문서 1개, 사이트: 읽을 수 있음, 손글: SourceNotFound"
    assert "손글" in sources["remedy"]
    assert not {"/a", "/b"} & set(asked)
    assert "/" in asked


def test_a_console_without_an_account_and_an_old_store_without_a_backup_are_told(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SASEO_PRIVACY_KEY", "k" * 40)  # no file says when the installation began
    path = here.folder / "saseo.toml"
    path.write_text('data_dir = "data"\n[web]\npublic_url = "https://wiki.example.com"\n', encoding="utf-8")

    def remedies() -> dict[str, str]:
        checks = here("--config", path, "doctor", "--json", code=1).json()
        assert isinstance(checks, list)
        return {str(check["name"]): str(check["remedy"]) for check in checks}

    first = remedies()
    assert "saseo accounts add" in first["웹 콘솔"]
    assert first["백업"] == ""
    store = open_store("", here.folder / "data")
    store.run_now(audit.record, by="cli", action="test.done", now=1.0)
    store.run_now(web_accounts.put, "kim", password="x", role="admin", groups=(), now=1.0)
    store.close()
    then = remedies()
    assert then["웹 콘솔"] == ""
    assert "saseo backup" in then["백업"]


def test_a_folder_rule_that_fits_no_page_is_told(here: Here) -> None:
    (here.folder / "wiki" / "인사").mkdir(parents=True)
    (here.folder / "wiki" / "인사" / "연봉.md").write_text("# 연봉\n연봉표입니다.\n", encoding="utf-8")
    path = here.folder / "saseo.toml"
    table = '[[sources]]\nname = "wiki"\npath = "wiki"\nfolders = [{{ pages = ["{}"], audience = ["hr"] }}]\n'

    def about_sources(pages: str) -> str:
        path.write_text(table.format(pages), encoding="utf-8")
        checks = here("--config", path, "doctor", "--json", code=1).json()
        assert isinstance(checks, list)
        return next(str(check["remedy"]) for check in checks if check["name"] == "출처")

    assert about_sources("인사/**") == ""
    assert "wiki: 인시/**" in about_sources("인시/**")


def test_learnt_weights_are_shown_with_their_reasons_and_taken_back(here: Here) -> None:
    made = config(here.folder)
    assert "아직 배운 가중치가 없습니다" in here("--config", made, "search-weights", "show", code=0).out
    learned = learn([], {"morpheme": 0.4, "bigram": 0.3, "dense": 0.3})
    save(here.folder / "data" / "search-weights.json", learned)
    said = here("--config", made, "search-weights", "show", code=0).out
    assert "0.400 → 0.400" in said
    assert "쓰지 않습니다: 0 votes of at least 200" in said
    assert json.loads(here("--config", made, "search-weights", "show", "--json", code=0).out)["used"] is False
    here("--config", made, "search-weights", "reset", code=0)
    assert here("--config", made, "search-weights", "show", "--json", code=0).out.strip() == "null"


def test_a_glossary_with_a_mistake_is_named_with_its_line(here: Here) -> None:
    (here.folder / "words.toml").write_text('[[entry]]\nterm = "연차"\nalias = []\n', encoding="utf-8")
    said = here("--config", config(here.folder, '[search]\nglossary = "words.toml"'), "index", code=1)
    assert "words.toml" in said.err
    assert "1번째 줄" in said.err


@pytest.mark.parametrize("verb", ["ask", "search"])
@pytest.mark.parametrize(
    ("line", "number"),
    [
        ('{"question": "하나"}\n\n{"question": \n', 3),
        ('{"question": "하나"}\n{"q": "둘"}\n', 2),
        ('["하나"]\n', 1),
        ('{"question": 3}\n', 1),
        ('{"question": "하나", "turns": "둘"}\n', 1),
    ],
)
def test_a_bad_line_of_a_batch_is_named_before_anything_runs(here: Here, verb: str, line: str, number: int) -> None:
    batch = here.folder / "batch.jsonl"
    batch.write_text(line, encoding="utf-8")
    said = here("--config", config(here.folder), verb, "--batch", batch, code=1)
    assert f"batch.jsonl {number}행" in said.err
    assert said.out == ""


@pytest.mark.parametrize("verb", ["ask", "search"])
def test_a_batch_in_another_encoding_is_refused_with_a_sentence(here: Here, verb: str) -> None:
    batch = here.folder / "batch.jsonl"
    batch.write_bytes('{"question": "연차"}\n'.encode("cp949"))
    said = here("--config", config(here.folder), verb, "--batch", batch, code=1)
    assert "batch.jsonl" in said.err


def test_a_question_may_hold_a_line_separator(here: Here) -> None:
    """JSON Lines end at a newline only; U+2028 inside a string is text."""
    batch = here.folder / "batch.jsonl"
    batch.write_text('{"question": "연차\u2028규정"}\n', encoding="utf-8")
    said = here("--config", config(here.folder), "search", "--batch", batch, code=1)
    assert "아직 색인이 없습니다" in said.err  # the batch was fine; the index comes next


@pytest.mark.parametrize(("table", "model"), [("embedder", "qwen2.5-coder-0.5b"), ("writer", "multilingual-e5-small")])
def test_a_model_of_the_wrong_role_is_refused(table: str, model: str, tmp_path: Path) -> None:
    store = ModelStore(tmp_path, Catalogue.load(None))
    with pytest.raises(InvalidSetting, match=table):
        store.path(model, role=table)  # type: ignore[arg-type]


def test_a_batch_takes_the_groups_and_turns_of_the_command_where_a_line_has_none(tmp_path: Path) -> None:
    path = tmp_path / "batch.jsonl"
    path.write_text('{"question": " 하나 "}\n{"question": "", "as": "it", "turns": ["앞"]}\n', encoding="utf-8")
    first, second = read_batch(path, frozenset({"hr"}), ("그 앞",))
    assert (first.question, first.groups, first.turns) == (" 하나 ", {"hr"}, ("그 앞",))
    assert (second.question, second.groups, second.turns) == ("", {"it"}, ("앞",))


def test_an_argument_typed_in_a_cp949_terminal_is_read() -> None:
    assert typed(os.fsdecode("연차".encode("cp949"))) == "연차"
    assert typed("연차") == "연차"


def test_tracing_of_langchain_is_off_whatever_the_shell_says(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING"):
        monkeypatch.setenv(name, "true")
    here("--help", code=0)
    from langchain_core.callbacks import CallbackManager
    from langchain_core.tracers.langchain import LangChainTracer

    handlers = CallbackManager.configure().handlers
    assert not any(isinstance(handler, LangChainTracer) for handler in handlers)


def test_the_models_list_is_json_on_one_line(here: Here) -> None:
    said = here("--config", config(here.folder), "models", "list", "--json", code=0)
    listed = said.json()
    assert isinstance(listed, list)
    assert said.out.count("\n") == 1
    assert {"name", "role", "present", "selected", "bytes", "sha256", "licence", "places"} <= listed[0].keys()
    assert not any(model["present"] for model in listed)
    assert {model["name"] for model in listed if model["selected"]} == {"multilingual-e5-small", "qwen2.5-coder-1.5b"}


def test_errors_are_english_when_the_file_says_so(here: Here) -> None:
    said = here("--config", config(here.folder, 'language = "en"'), "search", "연차", code=1)
    assert "There is no index yet" in said.err


def test_errors_are_english_when_the_environment_says_so(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASEO_LANGUAGE", "en")
    said = here("--config", config(here.folder), "search", "연차", code=1)
    assert "There is no index yet" in said.err


def test_the_version_is_told_without_an_installation(here: Here) -> None:
    assert "0.1.0" in here("--version", code=0).out


# --- with the small models ----------------------------------------------------------------------------------------


class Company:
    """A wiki and its data directory; commands run as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_wiki(folder / "wiki", WIKI)
        self.config = config(folder)

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, str(ROOT / "saseo.py"), "--config", str(self.config), *map(str, arguments)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SASEO_", "PYTHON"))}
        return kept | {"SASEO_MODELS_DIR": str(default_root()), "SASEO_WRITER__MODEL": SMALL_WRITER} | more

    def run(self, *arguments: str | Path, code: int = 0, **environment: str) -> Said:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=900,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return Said(done.returncode, done.stdout, done.stderr)


def needs(*models: str) -> None:
    for name in models:
        if not ((default_root() / name).exists() or (default_root() / f"{name}.gguf").exists()):
            pytest.skip(f"the model {name} is not here; `make test` gets it")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Indexed once, with the real embedder."""
    needs("multilingual-e5-small")
    made = Company(tmp_path_factory.mktemp("company"))
    said = made.run("index", "--json")
    (made.folder / "index.json").write_text(said.out, encoding="utf-8")
    return made


@pytest.mark.model
@pytest.mark.slow
def test_indexing_reports_every_promised_number(company: Company) -> None:
    report = json.loads((company.folder / "index.json").read_text(encoding="utf-8"))
    assert report.keys() >= INDEX_KEYS
    assert (report["pages"], report["added"], report["changed"], report["removed"]) == (len(WIKI), len(WIKI), 0, 0)
    assert report["passages"] >= len(WIKI)
    assert report["failed"] == []
    assert (company.folder / "data" / "editions" / report["edition"]).is_dir()


@pytest.mark.model
@pytest.mark.slow
def test_searching_a_batch_gives_the_promised_keys_in_order_and_respects_audiences(company: Company) -> None:
    batch = company.folder / "search.jsonl"
    asked = [
        {"question": "연차는 며칠이야?"},
        {"question": "책임 연봉 상한"},
        {"question": "책임 연봉 상한", "as": "hr"},
        {"question": "그럼 신청은?", "turns": ["연차는 며칠이야?"]},
    ]
    batch.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in asked), encoding="utf-8-sig")
    given = company.run("search", "--batch", batch, "-k", "3").lines()
    assert [one["question"] for one in given] == [one["question"] for one in asked]  # type: ignore[index]
    results = [one["results"] for one in given]  # type: ignore[index]
    for found in results:
        assert 0 < len(found) <= 3
        assert [one["rank"] for one in found] == list(range(1, len(found) + 1))
        assert all(one.keys() >= SEARCH_KEYS for one in found)
    assert results[0][0]["page"] == "휴가.md"
    assert "연봉.md" not in {one["page"] for one in results[1]}
    assert results[2][0]["page"] == "연봉.md"
    assert results[3][0]["page"] == "휴가.md"


@pytest.mark.model
@pytest.mark.slow
def test_an_answer_has_the_promised_keys(company: Company) -> None:
    needs(SMALL_WRITER)
    said = company.run("ask", "국내 출장 일비가 얼마야?", "--json")
    assert said.out.count("\n") == 1
    answer = said.json()
    assert isinstance(answer, dict)
    assert answer.keys() >= ASK_KEYS
    assert (answer["model"], answer["lora"], answer["cost_krw"]) == (SMALL_WRITER, "none", 0)
    assert answer["tokens"].keys() == {"in", "out"}
    assert answer["tokens"]["in"] > 100
    assert answer["seconds"].keys() == {"search", "first_token", "total"}
    # The smallest writer may think that a table row says nothing; which of the two it is, is not promised.
    if answer["outcome"] == "answered":
        assert answer["citations"][0].keys() >= {"n", "page", "title", "url", "quote"}
        assert "40,000" in answer["text"]
        assert answer["citations"][0]["page"] == "출장.md"
    else:
        assert answer["outcome"] == "abstained"
        assert answer["citations"] == []
        assert answer["nearest"][0]["page"] == "출장.md"


def shelve_a_lora_that_changes_nothing(data: Path, name: str) -> None:
    """For the smallest writer: its words stay, the stamp does not."""
    import numpy as np

    from bot import prompts
    from bot.loras.base_weights import BaseWeights
    from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
    from bot.models.hashing import sha256_of

    store = ModelStore(default_root(), Catalogue.load(None))
    base = BaseWeights.read(store.path(SMALL_WRITER))
    into, out = base.shapes["blk.0.attn_q.weight"]
    folder = data / "loras" / name
    folder.mkdir(parents=True)
    pair = LoraPair(np.ones((2, into)), np.zeros((out, 2)))
    write_lora(folder / "lora.gguf", base, LoraSettings(2, 4), {"model.layers.0.self_attn.q_proj": pair})
    card = {
        "base": {"name": SMALL_WRITER, "sha256": store.sha256(SMALL_WRITER)},
        "prompt": prompts.version(),
        "files": {"lora.gguf": sha256_of(folder / "lora.gguf")},
    }
    (folder / "lora.json").write_text(json.dumps(card), encoding="utf-8")


@pytest.mark.model
@pytest.mark.slow
def test_the_lora_that_was_released_answers_and_is_what_is_measured(company: Company) -> None:
    needs(SMALL_WRITER)
    shelve_a_lora_that_changes_nothing(company.folder / "data", "quiet")
    released = company.run("loras", "promote", "quiet", "--overrule", "--reason", "test", "--json").json()
    assert isinstance(released, dict)
    assert released["lora"] == "quiet"
    questions = company.folder / "set.jsonl"
    questions.write_text(
        '{"question": "연차는 며칠 전까지 신청해?", "page": "휴가.md", "answers": ["3일"], "answerable": true}\n'
    )
    for option, stamp in (((), "quiet"), (("--lora", "none"), "none")):
        report = company.run("evaluate", "--set", questions, *option, "--json").json()
        assert isinstance(report, dict)
        assert report["done"] == 1
        # Quotes are stamped with no LoRA: the smallest writer's own words may not hold.
        assert report["lora"] == (stamp if not report["extractive"] else "none")
    assert "nobody" in company.run("ask", "연차는?", code=1, SASEO_WRITER__LORA="nobody").err
    assert "quiet" in company.run("loras", "rollback").out + company.run("loras", "list").out
    shutil.rmtree(company.folder / "data" / "loras")
    (company.folder / "data" / "saseo.sqlite").unlink()


@pytest.mark.model
@pytest.mark.slow
def test_without_a_writer_answers_are_quotes_and_the_person_is_warned(company: Company) -> None:
    batch = company.folder / "ask.jsonl"
    batch.write_text(
        '{"question": "국내 출장 일비가 얼마야?"}\n{"question": "책임 직급 연봉 상한은?"}\n', encoding="utf-8"
    )
    said = company.run("ask", "--batch", batch, SASEO_WRITER__MODEL=NO_WRITER)
    assert NO_WRITER in said.err
    assert "인용" in said.err
    quoted, secret = said.lines()
    assert isinstance(quoted, dict)
    assert isinstance(secret, dict)
    assert quoted.keys() >= ASK_KEYS | {"question"}
    assert (quoted["outcome"], quoted["model"]) == ("answered", "extractive")
    assert quoted["tokens"] == {"in": 0, "out": 0}
    assert quoted["seconds"]["first_token"] is None
    assert "40,000" in quoted["text"]
    assert "9,100" not in json.dumps(secret, ensure_ascii=False)


@pytest.mark.model
@pytest.mark.slow
def test_the_piped_conversation_answers_each_line_and_exits_0(company: Company) -> None:
    done = subprocess.run(
        company.command("chat"),
        cwd=company.folder,
        env=company.environment(SASEO_WRITER__MODEL=NO_WRITER),
        input="국내 출장 일비가 얼마야?\n".encode() + "연차는 며칠이야?\n".encode("cp949") + "/끝\n".encode(),
        capture_output=True,
        timeout=900,
    )
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert "> 국내 출장 일비가 얼마야?" in shown
    assert "> 연차는 며칠이야?" in shown
    assert "40,000" in shown
    assert "출처:" in shown


@pytest.mark.model
@pytest.mark.slow
def test_ctrl_c_while_indexing_exits_130_with_a_sentence_and_keeps_the_edition(company: Company) -> None:
    current = (company.folder / "data" / "editions" / "current").read_bytes()
    more = {
        f"more/{n}.md": f"# 문서 {n}\n\n"
        + "\n\n".join(f"{n}-{m}번 절차는 담당자가 매월 확인합니다." * 12 for m in range(9))
        for n in range(60)
    }
    write_wiki(company.folder / "wiki", more)
    try:
        with subprocess.Popen(
            company.command("index"),
            cwd=company.folder,
            env=company.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        ) as running:
            assert running.stderr is not None
            said = ""
            while "벡터 계산" not in said:
                line = running.stderr.readline()
                assert line, said
                said += line
            time.sleep(0.5)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
    finally:
        for name in more:
            (company.folder / "wiki" / name).unlink()
    assert running.returncode == 130, said + err
    assert texts.interrupted("ko") in err
    assert "Traceback" not in said + err
    assert "게시" not in out
    assert (company.folder / "data" / "editions" / "current").read_bytes() == current
