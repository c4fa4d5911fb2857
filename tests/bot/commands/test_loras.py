"""`saseo loras` as people and scripts meet it, `saseo evaluate --lora`, and what doctor says: a tiny model, a real store and shelf."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot import prompts
from bot.app import Root, cli
from bot.checks import Parts, checks
from bot.errors import BrokenLora, LoraKept, NotEvaluated, NothingToRollBack, ReasonMissing, ReleasePinned, UnknownLora
from bot.host_checks import Host
from bot.live import name_of
from bot.messages import Outcome, Question
from bot.releases.releases import Releases
from bot.store import loras
from bot.store.database import open_store
from bot.store.loras import Evaluation
from bot.wiki_app import WikiParts
from bot.writers.engine import StopFlag, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from knowledge.korean import Analyser
from tests.conftest import Indexer
from tests.fakes.hash_embedder import HashEmbedder
from tests.fakes.lora_folders import sha256, write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2
from tests.jobs.gate.sides import answers_of, judged, make_cases


class Company:
    """A configuration with two LoRAs on its shelf."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = write_tiny_qwen2(folder / "tiny.gguf")
        self.configure()
        with self.root().releases() as releases:
            self.first, self.second = (
                releases.take_in(write_result(folder / f"run-{seed}", self.base, seed), ["e1", "e2"]).name
                for seed in (1, 2)
            )
            self.passed(releases, self.first, "none")
            self.passed(releases, self.second, self.first)

    def configure(self, lora: str = "auto", language: str = "ko") -> None:
        (self.folder / "saseo.toml").write_text(
            f'data_dir = "data"\nlanguage = "{language}"\n[writer]\nmodel = "{self.base}"\nlora = "{lora}"\n'
            "max_answer_tokens = 16\n"
        )

    def root(self) -> Root:
        return Root(self.folder / "saseo.toml")

    @staticmethod
    def passed(releases: Releases, name: str, against: str) -> None:
        made = {"stamp": {"base": releases.base, "prompt": prompts.version()}}
        verdict = Evaluation(f"v-{against[-4:]}", name, against, True, {"gain": 0.1, "candidate": made}, 1.0)
        releases.store.run_now(loras.keep_evaluation, verdict)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["--config", str(self.folder / "saseo.toml"), "loras", *words])

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.exception
        return json.loads(result.stdout)

    def said(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.exception
        return result.stdout

    def refused(self, *words: str) -> BaseException | None:
        result = self.run(*words)
        assert result.exit_code != 0
        return result.exception


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_a_lora_is_promoted_tried_rolled_back_and_deleted(company: Company) -> None:
    first, second = company.first, company.second
    assert {one["name"]: one["role"] for one in company.json("list") if not one["shipped"]} == {first: "", second: ""}
    done = company.json("promote", first, "--reason", "첫 배포")
    assert (done["lora"], done["action"], done["evaluation"], done["reason"]) == (first, "promote", "v-none", "첫 배포")
    assert done["by"].startswith("terminal:")
    canary = company.json("promote", second, "--share", "0.25")
    assert (canary["lora"], canary["canary"], canary["share"]) == (first, second, 0.25)
    assert {one["name"]: one["role"] for one in company.json("list") if not one["shipped"]} == {
        first: "answers",
        second: "canary",
    }
    assert isinstance(company.refused("delete", first), LoraKept)
    assert company.json("rollback")["canary"] == ""
    assert company.json("delete", second) == {"deleted": second}
    assert [one["name"] for one in company.json("list") if not one["shipped"]] == [first]
    assert company.json("rollback")["lora"] == "none"
    assert isinstance(company.refused("rollback"), NothingToRollBack)


def test_the_page_of_one_shows_card_lineage_evaluations_and_releases(company: Company) -> None:
    company.json("promote", company.first)
    page = company.json("show", company.first)
    assert page["card"]["rank"] == 4
    assert page["base"] == {"name": "tiny", "sha256": sha256(company.base)}
    assert (page["examples"], page["people"], page["fits"], page["shipped"]) == (2, 0, True, False)
    assert [(one["against"], one["passed"], one["verdict"]["gain"]) for one in page["evaluations"]] == [
        ("none", True, 0.1)
    ]
    assert [(one["action"], one["lora"]) for one in page["releases"]] == [("promote", company.first)]
    told = company.said("show", company.first)
    # In the time zone of [jobs], whatever this machine's is.
    for word in (
        company.first,
        "예시 2건, 0명에게서 나옴",
        "1970-01-01 09:00  기반 모델(LoRA 없음) 대비 판정 통과",
        "배포",
        "rank: 4",
    ):
        assert word in told
    assert isinstance(company.refused("show", "nobody"), UnknownLora)


def test_the_page_of_one_tells_learnt_and_held_out_examples_apart(company: Company) -> None:
    run = write_result(company.folder / "run-3", company.base, 3)
    card = run / "lora.json"
    sets = {"learnt": {"count": 2}, "held_out": {"count": 1}}
    card.write_text(json.dumps(json.loads(card.read_text()) | {"examples": sets}))
    with company.root().releases() as releases:
        name = releases.take_in(run, ["e1", "e2", "e3"]).name
    assert "예시 3건(학습 2건, 검증 1건), 0명에게서 나옴" in company.said("show", name)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ko", ("보다 낫지 않습니다", "기준 항목", "정답 포함", "출처 정확도")),
        ("en", ("is no better than", "Main measure", "Wanted words in the answer", "Right among cited sources")),
    ],
)
def test_the_page_of_one_tells_why_the_last_evaluation_was_not_passed(
    company: Company, language: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")  # else words are broken
    company.configure(language=language)
    cases = make_cases(20)
    same = answers_of(cases, [True] * 20)
    verdict = judged(cases, same, same).as_json()
    with company.root().releases() as releases:
        releases.store.run_now(
            loras.keep_evaluation, Evaluation("v-new", company.first, "none", False, verdict, releases.clock())
        )
    told = company.said("show", company.first)
    for word in words:
        assert word in told, word
    assert told.count(words[1]) == 1  # not of the older ones, too
    assert "v-new" in str(company.refused("promote", company.first))


def test_the_examples_of_one_are_named_one_a_line_and_for_scripts(company: Company) -> None:
    assert company.said("show", company.first, "--examples") == "e1\ne2\n"
    assert company.json("show", company.first, "--examples")["example_ids"] == ["e1", "e2"]
    assert "example_ids" not in company.json("show", company.first)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_people_read_what_happened_in_their_language(company: Company, language: str) -> None:
    company.configure(language=language)
    words = [company.said("list"), company.said("promote", company.first), company.said("list")]
    words += [company.said("promote", company.second, "--share", "0.1"), company.said("list")]
    words += [company.said("show", company.second), company.said("rollback"), company.said("delete", company.second)]
    for told in words:
        assert any("가" <= letter <= "힣" for letter in told) == (language == "ko"), told
        assert company.first in told or company.second in told
    assert "10%" in words[3]
    assert company.first in words[2].splitlines()[-1]


def test_against_the_gate_only_with_a_reason_and_on_record(company: Company) -> None:
    assert isinstance(company.refused("promote", company.second), NotEvaluated)
    assert isinstance(company.refused("promote", company.second, "--overrule"), ReasonMissing)
    done = company.json("promote", company.second, "--overrule", "--reason", "급함")
    assert (done["overruled"], done["reason"]) == (True, "급함")
    assert "급함" in company.said("show", company.second)


@pytest.mark.parametrize("share", ["0", "1", "1.5", "-0.1", "x"])
def test_a_share_that_is_none_is_wrong_usage(company: Company, share: str) -> None:
    assert company.run("promote", company.first, "--share", share).exit_code == 2


def test_a_pinning_setting_is_named(company: Company) -> None:
    company.configure(lora=company.second)
    assert isinstance(company.refused("promote", company.first), ReleasePinned)
    assert isinstance(company.refused("rollback"), ReleasePinned)
    assert {one["name"]: one["role"] for one in company.json("list")}[company.second] == "answers"


def test_of_an_empty_shelf_only_what_comes_with_saseo_is_listed(tmp_path: Path) -> None:
    base = write_tiny_qwen2(tmp_path / "tiny.gguf")
    (tmp_path / "saseo.toml").write_text(f'data_dir = "data"\n[writer]\nmodel = "{base}"\n')
    result = CliRunner().invoke(cli, ["--config", str(tmp_path / "saseo.toml"), "loras", "list"])
    first, last = result.stdout.strip().splitlines()
    assert first.startswith("starter-1 ")
    assert "다른 모델용" in first
    assert last == "기반 모델(LoRA 없음): 배포한 LoRA가 없습니다"


def test_a_lora_that_the_setting_or_the_option_names_must_be_there(company: Company) -> None:
    parts = company.root().loras
    choosing = parts.choosing("nobody")
    with pytest.raises(UnknownLora):
        parts.choice(choosing, parts.released(choosing))


def test_a_release_that_is_broken_is_a_warning_and_the_plain_base_answers(company: Company) -> None:
    company.json("promote", company.first)
    (company.folder / "data" / "loras" / company.first / "lora.gguf").write_bytes(b"GGUF")
    warned: list[str] = []
    root = company.root()
    root.warn = warned.append  # type: ignore[method-assign]
    choosing = root.loras.choosing()
    choice = root.loras.choice(choosing, root.loras.released(choosing))
    assert (choice.lora, choice.why) == (None, "unusable")
    assert company.first in "".join(warned)


def test_asking_makes_no_store_where_there_is_none(tmp_path: Path) -> None:
    base = write_tiny_qwen2(tmp_path / "tiny.gguf")
    (tmp_path / "saseo.toml").write_text(f'data_dir = "data"\n[writer]\nmodel = "{base}"\n')
    parts = Root(tmp_path / "saseo.toml").loras
    assert parts.choice(parts.choosing(), parts.released(parts.choosing())).why == "nothing"
    assert not (tmp_path / "data").exists()


def looked_at(company: Company) -> tuple[str, bool, str, str]:
    """Doctor's line about the LoRA, and whether a word could be written with it."""
    root = company.root()

    def unused() -> Any:
        raise AssertionError

    parts = Parts(
        settings=root.settings, store=root.store, shelf=root.wiki.shelf, sources=list, make_analyser=unused,
        make_embedder=unused, embedder_id=unused, make_engine=lambda: root.answers.make_engine(company.base),
        choose_lora=root.loras.now, host=Host(root.settings, root.store.root, lambda: 0),
    )  # fmt: skip
    found = {check.name: check for check in checks(parts)}
    return found["LoRA"].found, found["LoRA"].ok, found["LoRA"].remedy, found["답변 쓰기"].found


def test_doctor_says_which_lora_answers_and_why_and_writes_a_word_with_it(company: Company) -> None:
    found, ok, _, wrote = looked_at(company)
    assert ok
    assert "기반 모델" in found
    company.json("promote", company.first)
    company.json("promote", company.second, "--share", "0.25")
    found, ok, _, wrote = looked_at(company)
    assert ok
    assert found.startswith(f"{company.first}: 마지막 배포")
    assert f"25%는 {company.second}" in found
    assert "tiny" in wrote
    (company.folder / "data" / "loras" / company.first / "lora.gguf").unlink()
    found, ok, remedy, _ = looked_at(company)
    assert not ok
    assert company.first in remedy


# --- what answers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def answering(
    company: Company, indexer: Indexer, analyser: Analyser, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Root]:
    """The same with an edition to answer from; Kiwi and the embedder are those of the tests."""
    monkeypatch.setattr(WikiParts, "make_analyser", staticmethod(lambda workers=1: analyser))
    monkeypatch.setattr(WikiParts, "make_embedder", lambda root, threads: HashEmbedder())
    indexer.build()
    return company.root


async def test_the_running_service_takes_over_what_a_command_released(
    company: Company, answering: Callable[[], Root]
) -> None:
    store = open_store("", company.folder / "data")
    try:
        async with answering().answers.ready(store=store) as flow:
            assert name_of(flow.live().lora) == "none"
            await asyncio.to_thread(company.json, "promote", company.first)
            async with asyncio.timeout(60):
                while name_of(flow.live().lora) != company.first:
                    await asyncio.sleep(0.05)
            answer = await flow.answer(Question("연차는 며칠 전까지 신청합니까?", "q1"))
            assert answer.outcome in (Outcome.ANSWERED, Outcome.ABSTAINED)
    finally:
        store.close()
    async with answering().answers.ready() as flow:  # and after a restart it is still so
        assert name_of(flow.live().lora) == company.first
    company.configure(lora="none")
    async with answering().answers.ready() as flow:
        assert flow.live().lora is None


async def test_a_named_lora_must_work_and_a_released_one_that_does_not_is_a_warning(
    company: Company, answering: Callable[[], Root]
) -> None:
    company.json("promote", company.first)
    (company.folder / "data" / "loras" / company.first / "lora.gguf").write_bytes(b"GGUF")
    warned: list[str] = []
    root = answering()
    root.warn = warned.append  # type: ignore[method-assign]
    async with root.answers.ready() as flow:
        assert (flow.live().lora, flow.live().model) == (None, str(company.base))
    assert company.first in "".join(warned)
    for name, error in ((company.first, BrokenLora), ("nobody", UnknownLora)):
        with pytest.raises(error):
            async with answering().answers.ready(name):
                raise AssertionError


@pytest.mark.slow
def test_what_is_measured_is_the_lora_that_is_named_and_never_a_canary(
    company: Company, answering: Callable[[], Root], monkeypatch: pytest.MonkeyPatch
) -> None:
    company.json("promote", company.first)
    company.json("promote", company.second, "--share", "0.5")
    questions = company.folder / "set.jsonl"
    questions.write_text('{"question": "연차는?", "page": "휴가.md", "answerable": true}\n' * 4)
    asked: list[str] = []
    write = LlamaCppEngine.write

    def writing(engine: LlamaCppEngine, request: WritingRequest, stop: StopFlag) -> Any:
        asked.append(name_of(request.lora))
        return write(engine, request, stop)

    monkeypatch.setattr(LlamaCppEngine, "write", writing)
    for chosen, expected in (("auto", company.first), ("none", "none"), (company.second, company.second)):
        asked.clear()
        answering().evaluate(questions, retrieval=False, lora=chosen, details=None, progress=lambda done, total: None)
        assert set(asked) == {expected}
        assert len(asked) > 4  # the warm-up, too
