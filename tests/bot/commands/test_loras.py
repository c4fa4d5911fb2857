"""`saseo loras` as people and scripts meet it, `saseo evaluate --lora`, and what doctor says: a tiny model, a real store and shelf."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.app import Root, cli
from bot.checks import Parts, checks
from bot.errors import LoraKept, NotEvaluated, NothingToRollBack, ReasonMissing, ReleasePinned, UnknownLora
from bot.releases.releases import Releases
from bot.store import loras
from bot.store.loras import Evaluation
from tests.fakes.lora_folders import sha256, write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2


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
        )

    def root(self) -> Root:
        return Root(self.folder / "saseo.toml")

    @staticmethod
    def passed(releases: Releases, name: str, against: str) -> None:
        verdict = Evaluation(f"v-{against[-4:]}", name, against, True, {"gain": 0.1}, 1.0)
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
    assert {one["name"]: one["role"] for one in company.json("list")} == {first: "", second: ""}
    done = company.json("promote", first, "--reason", "첫 배포")
    assert (done["lora"], done["action"], done["evaluation"], done["reason"]) == (first, "promote", "v-none", "첫 배포")
    assert done["by"].startswith("terminal:")
    canary = company.json("promote", second, "--share", "0.25")
    assert (canary["lora"], canary["canary"], canary["share"]) == (first, second, 0.25)
    assert {one["name"]: one["role"] for one in company.json("list")} == {first: "answers", second: "canary"}
    assert isinstance(company.refused("delete", first), LoraKept)
    assert company.json("rollback")["canary"] == ""
    assert company.json("delete", second) == {"deleted": second}
    assert [one["name"] for one in company.json("list")] == [first]
    assert company.json("rollback")["lora"] == "none"
    assert isinstance(company.refused("rollback"), NothingToRollBack)


def test_the_page_of_one_shows_card_lineage_evaluations_and_releases(company: Company) -> None:
    company.json("promote", company.first)
    page = company.json("show", company.first)
    assert page["card"]["rank"] == 4
    assert page["base"] == {"name": "tiny", "sha256": sha256(company.base)}
    assert (page["examples"], page["people"], page["fits"], page["shipped"]) == (2, 0, True, False)
    assert [(one["against"], one["passed"], one["verdict"]) for one in page["evaluations"]] == [
        ("none", True, {"gain": 0.1})
    ]
    assert [(one["action"], one["lora"]) for one in page["releases"]] == [("promote", company.first)]
    told = company.said("show", company.first)
    for word in (company.first, "예시 2건", "평가 통과", "배포", "rank: 4"):
        assert word in told
    assert isinstance(company.refused("show", "nobody"), UnknownLora)


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


def test_an_empty_shelf_says_so(tmp_path: Path) -> None:
    base = write_tiny_qwen2(tmp_path / "tiny.gguf")
    (tmp_path / "saseo.toml").write_text(f'data_dir = "data"\n[writer]\nmodel = "{base}"\n')
    result = CliRunner().invoke(cli, ["--config", str(tmp_path / "saseo.toml"), "loras", "list"])
    assert "아직 LoRA가 없습니다" in result.stdout


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
        settings=root.settings, store=root.store, shelf=root.shelf, sources=list, make_analyser=unused,
        make_embedder=unused, embedder_id=unused, make_engine=lambda: root.make_engine(company.base),
        choose_lora=root.loras.now,
    )  # fmt: skip
    found = {check.name: check for check in checks(parts)}
    return found["LoRA"].found, found["LoRA"].ok, found["LoRA"].remedy, found["답변 쓰기"].found


def test_doctor_says_which_lora_answers_and_why_and_writes_a_word_with_it(company: Company) -> None:
    found, ok, _, wrote = looked_at(company)
    assert ok
    assert "기본 모델" in found
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
