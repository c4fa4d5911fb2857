"""Who may answer is decided on the record: the gate's verdict counts, a person may overrule it, and going back is one word."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import (
    AnswersAlready,
    BrokenLora,
    EvaluationNotPassed,
    LoraKept,
    MarkedLora,
    NotEvaluated,
    NothingToRollBack,
    OutdatedEvaluation,
    ReasonMissing,
    ReleasedMeanwhile,
    ReleaseError,
    ReleasePinned,
    UnknownLora,
)
from bot.live import name_of
from bot.loras.shelf import LoraShelf
from bot.releases.choosing import released
from bot.releases.overview import answering, describe, every
from bot.store import loras, releases
from bot.store.releases import Release
from tests.bot.releases.conftest import Company
from tests.fakes.lora_folders import write_result


def answers(company: Company) -> str:
    return name_of(answering(company.releases()).lora)


def history(company: Company) -> list[Release]:
    return company.store.run_now(releases.history, company.releases().base)


def test_a_tuning_result_taken_in_is_on_record_once(company: Company, results: tuple[Path, list[Path]]) -> None:
    name = company.names[0]
    again = company.releases().take_in(results[1][0], ["e0"], run="another")
    assert again.name == name
    record = company.store.run_now(loras.get, name)
    assert record is not None
    assert (record.run, record.base, record.made_at) == ("r0", company.releases().base, 1000.0)
    assert company.store.run_now(loras.examples_of, name) == ["e0"]


def test_a_lora_that_passed_against_what_answers_now_is_promoted(company: Company) -> None:
    first, second, _ = company.names
    verdict = company.evaluate(first, "none")
    row = company.releases().promote(first, by="terminal:kim", reason="좋아서")
    assert (row.lora, row.action, row.by, row.evaluation, row.overruled, row.reason) == (
        first, "promote", "terminal:kim", verdict, False, "좋아서",
    )  # fmt: skip
    assert answers(company) == first
    company.evaluate(second, "none")  # against what answered before, not now
    with pytest.raises(NotEvaluated) as refused:
        company.releases().promote(second, by="auto")
    assert first in refused.value.explain("ko")
    assert answers(company) == first


def test_the_latest_verdict_counts_and_a_person_may_overrule_it_with_a_reason(company: Company) -> None:
    first = company.names[0]
    company.evaluate(first, "none")
    verdict = company.evaluate(first, "none", passed=False)
    with pytest.raises(EvaluationNotPassed):
        company.releases().promote(first, by="auto")
    with pytest.raises(ReasonMissing):
        company.releases().promote(first, by="kim", overrule=True, reason="  ")
    assert history(company) == []
    row = company.releases().promote(first, by="kim", overrule=True, reason="급함")
    assert (row.overruled, row.evaluation, row.reason) == (True, verdict, "급함")


@pytest.mark.parametrize("other", [{"prompt": "ko-0"}, {"base": "0" * 64}])
def test_a_verdict_by_another_prompt_or_base_than_todays_does_not_count(
    company: Company, other: dict[str, str]
) -> None:
    first = company.names[0]
    verdict = company.evaluate(first, "none", **other)
    with pytest.raises(OutdatedEvaluation) as refused:
        company.releases().promote(first, by="auto")
    assert f"saseo loras evaluate {first}" in refused.value.explain("ko")
    assert isinstance(company.releases().barrier(first), OutdatedEvaluation)
    assert history(company) == []
    row = company.releases().promote(first, by="kim", overrule=True, reason="급함")
    assert (row.overruled, row.evaluation) == (True, verdict)


def test_evaluated_again_by_todays_prompt_it_is_promoted_whatever_the_edition(company: Company) -> None:
    first = company.names[0]
    company.evaluate(first, "none", prompt="ko-0")
    company.evaluate(first, "none", edition="of last week")
    assert company.releases().promote(first, by="auto").lora == first


def test_a_canary_by_an_earlier_prompt_does_not_come_to_answer_all(company: Company) -> None:
    first = company.names[0]
    company.evaluate(first, "none")
    company.releases().promote(first, by="auto", share=0.1)
    company.evaluate(first, "none", prompt="ko-0")
    with pytest.raises(OutdatedEvaluation):
        company.releases().promote(first, by="auto")


def test_what_needed_no_overruling_is_not_recorded_as_such(company: Company) -> None:
    company.evaluate(company.names[0], "none")
    assert not company.releases().promote(company.names[0], by="kim", overrule=True, reason="혹시").overruled


def test_the_plain_base_may_be_promoted_against_the_gate_too(company: Company) -> None:
    company.promote(company.names[0])
    with pytest.raises(NotEvaluated):
        company.releases().promote("none", by="kim")
    company.releases().promote("none", by="kim", overrule=True, reason="비교")
    assert answers(company) == "none"


def test_what_answers_already_is_not_released_again(company: Company) -> None:
    with pytest.raises(AnswersAlready):
        company.releases().promote("none", by="kim", overrule=True, reason="…")
    first = company.names[0]
    company.promote(first)
    for share in (None, 0.1):
        with pytest.raises(AnswersAlready):
            company.releases().promote(first, by="kim", overrule=True, reason="…", share=share)
    assert len(history(company)) == 1


def test_a_canary_answers_beside_and_is_then_promoted_or_withdrawn(company: Company) -> None:
    first, second, third = company.names
    company.promote(first)
    company.evaluate(second, first)
    row = company.releases().promote(second, by="auto", share=0.1)
    assert (row.lora, row.canary, row.share, row.action) == (first, second, 0.1, "canary")
    choice = answering(company.releases())
    assert choice.canary is not None
    assert (name_of(choice.lora), name_of(choice.canary.lora), choice.canary.release) == (first, second, row.id)
    with pytest.raises(AnswersAlready):
        company.releases().promote(second, by="auto", share=0.1)
    company.releases().promote(second, by="auto", share=0.5)
    back = company.releases().rollback(by="kim")
    assert (back.lora, back.canary) == (first, "")
    company.releases().promote(second, by="auto", share=0.2)
    full = company.releases().promote(second, by="auto")
    assert (full.lora, full.canary, full.action) == (second, "", "promote")
    company.evaluate(third, second)
    company.releases().promote(third, by="auto", share=0.2)
    kept = company.releases().promote(second, by="kim")  # what answers stays, the canary ends; no verdict is needed
    assert (kept.lora, kept.canary) == (second, "")


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_a_share_is_a_part(company: Company, share: float) -> None:
    with pytest.raises(ValueError):
        company.releases().promote(company.names[0], by="kim", share=share)


def test_going_back_is_one_word_and_twice_goes_back_two_steps(company: Company) -> None:
    first, second, _ = company.names
    with pytest.raises(NothingToRollBack):
        company.releases().rollback(by="kim")
    company.promote(first)
    company.promote(second, against=first)
    assert company.releases().rollback(by="kim", reason="이상함").lora == first
    assert answers(company) == first
    assert company.releases().rollback(by="kim").lora == "none"
    with pytest.raises(NothingToRollBack):
        company.releases().rollback(by="kim")
    assert [(row.action, row.lora) for row in history(company)] == [
        ("promote", first), ("promote", second), ("rollback", first), ("rollback", "none"),
    ]  # fmt: skip


def test_what_was_released_since_one_looked_is_not_taken_back(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    looked = history(company)[-1].id
    company.promote(second, against=first)
    for seen in (looked, 0):
        with pytest.raises(ReleasedMeanwhile):
            company.releases().rollback(by="kim", seen=seen)
    assert answers(company) == second
    assert company.releases().rollback(by="kim", seen=history(company)[-1].id).lora == first


@pytest.mark.parametrize("setting", ["none", "m-1"])
def test_where_the_setting_decides_nothing_is_released(company: Company, setting: str) -> None:
    pinned = company.releases(setting)
    for decide in (lambda: pinned.promote(company.names[0], by="kim"), lambda: pinned.rollback(by="kim")):
        with pytest.raises(ReleasePinned) as refused:
            decide()
        assert setting in refused.value.explain("en")


def test_only_what_can_be_served_is_promoted(company: Company, tmp_path: Path) -> None:
    with pytest.raises(UnknownLora):
        company.releases().promote("nobody", by="kim")
    first = company.names[0]
    company.evaluate(first, "none")
    (company.shelf.card(first).folder / "lora.gguf").write_bytes(b"other")
    with pytest.raises(BrokenLora):
        company.releases().promote(first, by="kim")
    assert history(company) == []


def test_what_must_not_answer_any_more_gives_way_to_the_newest_that_may(company: Company) -> None:
    first, second, third = company.names
    company.promote(first)
    company.promote(second, against=first)
    company.promote(third, against=second)
    assert company.releases().mark(second, "forgotten", by="privacy") == []  # it does not answer
    (row,) = company.releases().mark(third, "forgotten", by="privacy")
    assert (row.lora, row.action, row.by) == (first, "mark", "privacy")
    assert third in row.reason
    assert answers(company) == first
    for decide in (company.releases().promote,):
        with pytest.raises(MarkedLora):
            decide(third, by="kim", overrule=True, reason="…")
    (row,) = company.releases().mark(first, "forgotten", by="privacy")
    assert row.lora == "none"
    with pytest.raises(NothingToRollBack):
        company.releases().rollback(by="kim")


def test_of_what_must_not_answer_any_more_the_samples_go_which_are_peoples_words(company: Company) -> None:
    first, second, _ = company.names
    for name in (first, second):
        (company.shelf.card(name).folder / "parity.json").write_text("[]", encoding="utf-8")
    company.releases().mark(first, "forgotten", by="privacy")
    assert not (company.shelf.card(first).folder / "parity.json").exists()
    assert (company.shelf.card(second).folder / "parity.json").exists()


def test_a_marked_canary_ends_and_one_beside_a_marked_lora_goes_on(company: Company) -> None:
    first, second, third = company.names
    company.promote(first)
    company.promote(second, against=first)
    company.evaluate(third, second)
    company.releases().promote(third, by="auto", share=0.3)
    (row,) = company.releases().mark(second, "forgotten", by="privacy")
    assert (row.lora, row.canary, row.share) == (first, third, 0.3)
    (row,) = company.releases().mark(third, "forgotten", by="privacy")
    assert (row.lora, row.canary, row.share) == (first, "", 0.0)


def test_what_answers_is_not_deleted_and_what_does_not_leaves_its_record(company: Company) -> None:
    first, second, third = company.names
    company.promote(first)
    company.evaluate(second, first)
    company.releases().promote(second, by="auto", share=0.3)
    for name in (first, second):
        with pytest.raises(LoraKept):
            company.releases().delete(name, by="kim")
    with pytest.raises(LoraKept):
        company.releases(third).delete(third, by="kim")  # the setting names it
    company.releases().delete(third, by="kim")
    with pytest.raises(UnknownLora):
        company.releases().delete(third, by="kim")
    with pytest.raises(UnknownLora):
        company.releases().promote(third, by="kim", overrule=True, reason="…")
    assert third not in [one.record.name for one in every(company.releases())]
    assert describe(company.releases(), third).listed.record.deleted_at == 1000.0


def test_after_a_crash_between_record_and_files_deleting_again_ends_it(company: Company) -> None:
    name = company.names[0]
    company.store.run_now(loras.delete, name, now=1.0)
    with pytest.raises(UnknownLora):
        company.releases().promote(name, by="kim", overrule=True, reason="…")
    company.releases().delete(name, by="kim")
    assert name not in [one.name for one in company.shelf.every()]


def test_what_was_deleted_and_comes_again_gets_a_new_name_and_may_answer(
    company: Company, results: tuple[Path, list[Path]]
) -> None:
    old = company.names[0]
    company.releases().delete(old, by="kim")
    again = company.releases().take_in(results[1][0], ["e0"])
    assert again.name != old
    company.promote(again.name)
    assert answers(company) == again.name


def test_what_was_shelved_before_a_crash_is_linked_to_its_examples_by_the_next_try(
    company: Company, results: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    shelf = LoraShelf(tmp_path / "crashed", tmp_path / "shipped")
    releases = replace(company.releases(), shelf=shelf)
    name = shelf.take_in(write_result(tmp_path / "run", company.base, 9)).name
    releases.recorded(name)  # somebody had it evaluated meanwhile
    assert releases.take_in(tmp_path / "run", ["e7"], run="r7").name == name
    record = company.store.run_now(loras.get, name)
    assert record is not None
    assert record.run == "r7"
    assert company.store.run_now(loras.examples_of, name) == ["e7"]


def test_what_was_deleted_or_marked_is_passed_over_when_going_back(company: Company) -> None:
    first, second, third = company.names
    company.promote(first)
    company.promote(second, against=first)
    company.promote(third, against=second)
    company.releases().delete(second, by="kim")
    company.releases().mark(first, "forgotten", by="privacy")
    assert company.releases().rollback(by="kim").lora == "none"


def test_going_back_does_not_pass_over_what_only_another_machine_has(company: Company, tmp_path: Path) -> None:
    first, second, _ = company.names
    company.promote(first)
    company.promote(second, against=first)
    company.shelf.card(first).folder.rename(tmp_path / "on-another-machine")
    assert company.releases().rollback(by="kim").lora == first


def test_what_came_with_saseo_answers_until_something_is_released_and_again_after_going_back(
    company: Company, tmp_path: Path
) -> None:
    write_result(tmp_path / "shipped" / "starter", company.base, 9)
    assert answers(company) == "starter"
    card = tmp_path / "shipped" / "starter" / "lora.json"
    card.write_text(
        json.dumps(json.loads(card.read_text()) | {"examples": {"learnt": {"count": 477}, "held_out": {"count": 25}}})
    )
    (starter,) = (one for one in every(company.releases()) if one.shipped)
    assert (starter.record.name, starter.examples) == ("starter", 502)  # nobody here approved them: its card tells
    with pytest.raises(LoraKept):
        company.releases().delete("starter", by="kim")
    company.promote(company.names[0], against="starter")
    assert company.releases().rollback(by="kim").lora == "starter"
    company.releases().mark("starter", "licence", by="kim")
    assert answers(company) == "none"


def test_the_list_and_the_page_of_one_tell_all_there_is(company: Company) -> None:
    first, second, third = company.names
    company.promote(first)
    verdict = company.evaluate(second, first, passed=False)
    company.releases().promote(second, by="kim", share=0.2, overrule=True, reason="보자")
    company.releases().mark(third, "forgotten", by="privacy")
    listed = {one.record.name: one for one in every(company.releases())}
    assert {name: one.role for name, one in listed.items()} == {first: "answers", second: "canary", third: ""}
    assert all(one.fits and not one.shipped and one.examples == 1 for one in listed.values())
    assert listed[third].record.marked == "forgotten"
    page = describe(company.releases(), second)
    assert [one.id for one in page.evaluations] == [verdict]
    assert [(row.canary, row.by, row.reason) for row in page.releases] == [(second, "kim", "보자")]
    with pytest.raises(UnknownLora):
        describe(company.releases(), "nobody")


def test_the_page_of_one_tells_why_it_was_taken_back(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    company.promote(second, against=first)
    company.releases().rollback(by="kim", reason="표의 다른 줄을 읽습니다")
    newest = describe(company.releases(), second).releases[0]
    assert (newest.lora, newest.reason) == (first, "표의 다른 줄을 읽습니다")
    assert [row.lora for row in describe(company.releases(), first).releases] == [first, second, first]


def test_the_plain_base_is_never_evaluated_and_the_refusal_does_not_ask_for_it(company: Company) -> None:
    company.promote(company.names[0])
    with pytest.raises(NotEvaluated) as refused:
        company.releases().promote("none", by="kim")
    assert "loras evaluate" not in refused.value.explain("ko") + refused.value.explain("en")
    assert "--overrule" in refused.value.explain("ko")


def test_a_lora_copied_onto_the_shelf_by_hand_gets_its_record_when_it_is_used(company: Company, tmp_path: Path) -> None:
    write_result(tmp_path / "loras" / "by-hand", company.base, 9)
    assert "by-hand" in [one.record.name for one in every(company.releases())]
    company.releases().promote("by-hand", by="kim", overrule=True, reason="외부에서 받음")
    assert company.store.run_now(loras.get, "by-hand") is not None
    assert answers(company) == "by-hand"


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bot import prompts
from bot.loras.shelf import LoraShelf
from bot.releases.choosing import Choosing
from bot.releases.releases import Releases
from bot.store import releases
from bot.store.database import open_store
add = releases.add
def and_die(*given, **more):
    add(*given, **more)
    os.kill(os.getpid(), signal.SIGKILL)
releases.add = and_die
data, base, name = Path(sys.argv[2]), sys.argv[3], sys.argv[4]
shelf = LoraShelf(data / "loras", data / "shipped")
choosing = Choosing("auto", shelf, lambda: base, prompts.version())
Releases(open_store("", data), shelf, choosing, lambda: 2.0).promote(name, by="auto")
"""


def test_killed_while_it_promotes_nothing_has_changed_and_the_next_try_works(company: Company, tmp_path: Path) -> None:
    if not company.store.where.startswith("sqlite"):
        pytest.skip("the killed process opens a file")
    first = company.names[0]
    company.evaluate(first, "none")
    base = company.releases().base
    died = subprocess.run([sys.executable, "-c", KILLED, Path(__file__).parents[3], tmp_path, base, first])
    assert died.returncode == -signal.SIGKILL
    assert history(company) == []
    assert answers(company) == "none"
    assert company.releases().promote(first, by="auto").lora == first


def test_two_who_decide_at_once_do_not_both_win(company: Company) -> None:
    from concurrent.futures import ThreadPoolExecutor

    first = company.names[0]
    company.evaluate(first, "none")

    def promote(_: int) -> bool:
        try:
            company.releases().promote(first, by="auto")
        except ReleaseError:
            return False
        return True

    with ThreadPoolExecutor(4) as many:
        assert sorted(many.map(promote, range(4))) == [False, False, False, True]
    assert len(history(company)) == 1


def test_what_the_store_says_is_equal_as_long_as_nothing_changes(company: Company) -> None:
    def read() -> object:
        return company.store.run_now(released, company.releases().base)

    before = read()
    assert read() == before
    company.promote(company.names[0])
    after = read()
    assert after != before
    company.releases().mark(company.names[1], "forgotten", by="kim")
    assert read() != after
