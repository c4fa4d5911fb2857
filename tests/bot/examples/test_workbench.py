"""The workbench: what is kept of files, and what happens while it works."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.examples.example import Evidence
from bot.examples.guards import Rules
from bot.examples.workbench import Workbench
from bot.store import privacy
from bot.store.database import Store
from tests.bot.examples.rows import KIM, LEAVE, LEE, NOW, VPN, FakeGrounding, FakePages, answered, mask, vote

RULES = Rules(automatic=True, voter_days=0)


@pytest.fixture
def pages() -> FakePages:
    return FakePages()


@pytest.fixture
def bench(store: Store, pages: FakePages) -> Workbench:
    return Workbench(store, pages, FakeGrounding(), mask, RULES, lambda: NOW)  # type: ignore[arg-type]


def written(path: Path, *texts: str, page: str = "연차.md") -> Path:
    rows = [
        {
            "question": f"{number}번 질문입니다. {text[:9]}은 어떻게 됩니까?",
            "passages": [{"title": "제목", "text": text, "source": "wiki", "page": page, "number": 0}],
            "answer": f"{text} [1]",
        }
        for number, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding="utf-8")
    return path


def states(bench: Workbench) -> list[str]:
    return [one.state for one in bench.every()]


def test_an_import_that_was_stopped_or_not_approved_is_completed_by_the_same_file(
    bench: Workbench, tmp_path: Path
) -> None:
    file = written(tmp_path / "own.jsonl", LEAVE, VPN)
    first = bench.take_in(file)
    assert (first.new, first.approved, first.waiting) == (2, 0, 2)
    one, two = bench.every()
    bench.review("terminal:kim").reject(two.id)
    again = bench.take_in(file, approve_as="terminal:kim")
    assert (again.new, again.known, again.approved, again.waiting) == (0, 2, 1, 0)
    assert {each.id: each.state for each in bench.every()} == {one.id: "approved", two.id: "rejected"}
    bench.review("terminal:kim").undo()
    bench.review("terminal:lee").edit(one.id, f"{LEAVE} 그렇습니다.")
    assert (
        bench.take_in(file, approve_as="terminal:kim").approved == 0
    )  # a person has looked at it: it is theirs to decide


def test_a_row_whose_page_had_gone_waits_again_when_its_words_are_there_under_another_name(
    bench: Workbench, pages: FakePages, tmp_path: Path
) -> None:
    file = written(tmp_path / "own.jsonl", LEAVE)
    assert bench.take_in(file, approve_as="terminal:kim").approved == 1
    pages.closed.add("연차.md")
    bench.build()
    assert states(bench) == ["rejected"]
    assert bench.take_in(file, approve_as="terminal:kim").new == 0  # it is still gone
    assert states(bench) == ["rejected"]
    moved = written(tmp_path / "moved.jsonl", LEAVE, page="휴가.md")
    done = bench.take_in(moved, approve_as="terminal:kim")
    assert (done.new, done.approved) == (1, 1)
    (one,) = bench.every()
    assert (one.state, [each.page for each in one.passages]) == ("approved", ["휴가.md"])


def test_what_a_person_rejected_or_edited_stays_theirs_when_it_is_imported_again(
    bench: Workbench, pages: FakePages, tmp_path: Path
) -> None:
    file = written(tmp_path / "own.jsonl", LEAVE)
    bench.take_in(file)
    (one,) = bench.every()
    bench.review("terminal:kim").edit_and_approve(one.id, LEAVE)
    pages.closed.add("연차.md")
    bench.build()
    bench.take_in(written(tmp_path / "moved.jsonl", LEAVE, page="휴가.md"))
    (back,) = bench.every()
    assert (back.state, back.answer, back.passages[0].page) == ("pending", LEAVE, "휴가.md")
    bench.review("terminal:kim").reject(one.id)
    assert bench.take_in(file, approve_as="terminal:kim").new == 0
    assert states(bench) == ["rejected"]


class Meanwhile(FakeGrounding):
    """While the first answer is checked, somebody objects."""

    def __init__(self, store: Store, person: str) -> None:
        self._store, self._person, self.calls = store, person, 0

    def problems(self, question: str, passages: Sequence[Evidence], answer: str) -> tuple[str, ...]:
        self.calls += 1
        if self.calls == 1:
            self._store.run_now(privacy.suspend, self._person, now=NOW)
        return super().problems(question, passages, answer)


def test_who_objects_while_examples_are_made_is_not_in_them(bench: Workbench, store: Store) -> None:
    vote(store, answered(store, "1"), KIM)
    vote(store, answered(store, "2", text="VPN은 어디서 씁니까?", person=LEE), LEE)
    grounding = Meanwhile(store, KIM.key)
    done = replace(bench, grounding=grounding).build()  # type: ignore[arg-type]
    assert (done.new, [one.people for one in bench.every()]) == (1, [(LEE.key,)])


class LateObjection(Workbench):
    """Somebody objects after it was asked who does, and before anything is written."""

    asked = 0

    def not_to_learn(self, ids: Collection[str]) -> frozenset[str]:
        found = Workbench.not_to_learn(self, ids)
        LateObjection.asked += 1
        self.store.run_now(privacy.suspend, KIM.key, now=NOW)
        return found


def test_who_objects_while_a_file_is_read_is_not_in_what_is_kept_of_it(
    bench: Workbench, store: Store, tmp_path: Path
) -> None:
    vote(store, answered(store, "1"), KIM)
    bench.build()
    (liked,) = bench.every()
    row = {"id": liked.id, "question": liked.question, "answer": liked.answer, "passages": [
        {"title": one.context, "text": one.text, "source": one.source, "page": one.page} for one in liked.passages
    ]}  # fmt: skip
    file = tmp_path / "exported.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    late = LateObjection(store, bench.pages, bench.grounding, mask, RULES, lambda: NOW)
    LateObjection.asked = 0
    done = late.take_in(file)
    assert (done.new, done.withheld, LateObjection.asked) == (0, 1, 2)  # read once more
    assert [one.kind for one in bench.every()] == ["liked"]


def test_nothing_of_people_is_learnt_or_taken_from_a_file_while_learning_is_off(bench: Workbench, store: Store) -> None:
    vote(store, answered(store, "1"), KIM)
    bench.build()
    (liked,) = bench.every()
    own = replace(liked, id="own", kind="imported", people=(), asker="")
    assert bench.learnable([liked, own]) == [liked, own]
    off = replace(bench, learning=False)
    assert off.learnable([liked, own]) == [own]
    assert bench.not_to_learn([liked.id, "own"]) == frozenset()
    assert off.not_to_learn([liked.id, "own"]) == {liked.id}
