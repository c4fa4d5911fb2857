"""What a LoRA is judged by is nothing that it has learnt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.app import Root
from bot.errors import BadExampleFile
from bot.examples.guards import Rules
from bot.examples.workbench import Workbench
from bot.loras.seen import Seen, fingerprint
from bot.store import examples, privacy
from bot.store.database import open_store
from jobs.learning.leftovers import any_withheld
from jobs.learning.material import LeftOut, of_files, unseen
from jobs.tuning.dataset import Example
from knowledge.errors import NoEdition
from tests.bot.examples.rows import LEAVE, NOW, FakeGrounding, FakePages, example, mask

LEARNT = Example("a", "연차는 며칠입니까?", ("연차\n연차는 15일입니다.",), "15일입니다 [1].")
BESIDE = Example("b", "연차는 몇 일이죠?", ("연차\n연차는  15일입니다.",), "15일입니다 [1].")
OTHER = Example("c", "VPN은 어디에서 씁니까?", ("VPN\n회사에서만 씁니다.",), "회사에서만 씁니다 [1].")


def _seen(*ids: str, passages: tuple[str, ...] = ()) -> Seen:
    return Seen(frozenset(ids), frozenset(map(fingerprint, passages)))


def test_a_passage_that_was_learnt_is_not_asked_also_when_its_example_was_rejected_since() -> None:
    assert unseen([LEARNT, BESIDE, OTHER], _seen("a")) == [OTHER]
    assert unseen([BESIDE, OTHER], _seen("a"), [LEARNT, BESIDE, OTHER]) == [OTHER]


def test_a_passage_that_only_the_card_tells_of_is_not_asked_either() -> None:
    assert unseen([LEARNT, BESIDE, OTHER], _seen(passages=LEARNT.passages)) == [OTHER]
    assert unseen([LEARNT, OTHER], _seen()) == [LEARNT, OTHER]


def _line(answer: str, **more: object) -> str:
    row = {"question": "연차는 며칠이야? 010-1234-5678", "passages": [f"연차\n{LEAVE}"], "answer": answer, **more}
    return json.dumps(row, ensure_ascii=False) + "\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    store = open_store("", tmp_path / "data")
    grounding: object = FakeGrounding()
    pages: object = FakePages()
    yield Workbench(store, pages, grounding, mask, Rules(), lambda: NOW)  # type: ignore[arg-type]
    store.close()


def test_rows_of_a_file_are_masked_and_what_the_passages_do_not_support_is_named_with_its_line(
    bench: Workbench, tmp_path: Path
) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(
        _line(f"{LEAVE} [1]", id="good", kind="number")
        + "\n"
        + _line("연차는 1년에 30일을 줍니다. [1]")
        + _line("010-1234-5678로 하십시오."),
        encoding="utf-8",
    )
    learning = of_files([file], bench)
    (kept,) = learning.examples
    assert (kept.id, kept.kind, kept.question) == ("good", "number", "연차는 며칠이야? [전화번호]")
    assert kept.passages == (f"연차\n{LEAVE}",)
    assert learning.left_out == (
        LeftOut("own.jsonl", 3, ("support",)),
        LeftOut("own.jsonl", 4, ("support", "masked_answer")),
    )
    assert bench.every() == []  # nothing of it is kept


def test_of_a_file_nobody_is_learnt_from_who_was_forgotten_or_objects(bench: Workbench, tmp_path: Path) -> None:
    file = tmp_path / "exported.jsonl"
    objecting = example(people=("p1",))
    file.write_text(
        "".join(_line(f"{LEAVE} [1]", id=name) for name in ("gone", objecting.id, "other")), encoding="utf-8"
    )
    assert [one.id for one in of_files([file], bench).examples] == ["gone", objecting.id, "other"]

    store = bench.store
    store.run_now(examples.add, objecting)
    store.run_now(privacy.suspend, "p1", now=NOW)
    request = store.run_now(privacy.receive, "p2", "forget", now=NOW, days=30)
    store.run_now(privacy.done, request.id, {"examples": ["gone"]}, now=NOW)
    learning = of_files([file], bench)
    assert [one.id for one in learning.examples] == ["other"]
    assert learning.left_out == (LeftOut(file.name, 1, ("withheld",)), LeftOut(file.name, 2, ("withheld",)))
    assert store.run_now(any_withheld, ["other", "gone"])
    assert not store.run_now(any_withheld, ["other"])


def test_a_machine_that_only_trains_needs_no_wiki(tmp_path: Path) -> None:
    (tmp_path / "saseo.toml").write_text('data_dir = "data"\n', encoding="utf-8")
    file = tmp_path / "own.jsonl"
    file.write_text(_line(f"{LEAVE} [1]", id="good") + _line("연차는 1년에 30일을 줍니다. [1]"), encoding="utf-8")
    root = Root(tmp_path / "saseo.toml")
    with pytest.raises(NoEdition), root.workbench():
        pass
    with root.workbench(wiki_needed=False) as bench:
        learning = of_files([file], bench)
        assert [one.id for one in learning.examples] == ["good"]
        assert learning.left_out == (LeftOut("own.jsonl", 2, ("number",)),)
        table = tmp_path / "own.csv"
        table.write_text("question,answer,page\n연차는?,15일입니다.,hr/a.md\n", encoding="utf-8")
        with pytest.raises(BadExampleFile):  # its passages can only come from a wiki
            of_files([table], bench)


def test_one_name_in_two_files_stays_two_examples_and_a_broken_line_is_named(bench: Workbench, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(_line(f"{LEAVE} [1]", id="1"), encoding="utf-8")
    assert [one.id for one in of_files([tmp_path], bench).examples] == ["1", "b/1"]
    (tmp_path / "c.jsonl").write_text(_line(f"{LEAVE} [1]") + "{\n", encoding="utf-8")
    with pytest.raises(BadExampleFile) as caught:
        of_files([tmp_path], bench)
    assert caught.value.details["line"] == 2


def test_a_row_without_an_id_is_known_by_what_it_says(bench: Workbench, tmp_path: Path) -> None:
    learnt, other = tmp_path / "learnt.jsonl", tmp_path / "other.jsonl"
    learnt.write_text(_line(f"{LEAVE} [1]"), encoding="utf-8")
    other.write_text(_line(f"{LEAVE} [1]", question="연차는 며칠 줍니까?", passages=[LEAVE]), encoding="utf-8")
    (one,), (two,) = (of_files([file], bench).examples for file in (learnt, other))
    assert unseen([one, two], _seen(one.id)) == [two]  # both are line 1 of their file
    assert bench.take_in(learnt).new == 1
    assert [kept.id for kept in bench.every()] == [one.id]
    # So what went when somebody was forgotten is left out here, too, and not noticed only when the training has ended.
    request = bench.store.run_now(privacy.receive, "p2", "forget", now=NOW, days=30)
    bench.store.run_now(privacy.done, request.id, {"examples": [one.id]}, now=NOW)
    assert of_files([learnt], bench).left_out == (LeftOut("learnt.jsonl", 1, ("withheld",)),)


def test_every_row_of_one_id_is_learnt(bench: Workbench, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("".join(_line(f"{LEAVE} [1]", id="q", question=f"{n}번?") for n in range(4)), encoding="utf-8")
    learning = of_files([file], bench)
    assert [one.id for one in learning.examples] == ["q", "a/q", "a/q-2", "a/q-3"]
    assert [one.question for one in learning.examples] == ["0번?", "1번?", "2번?", "3번?"]
