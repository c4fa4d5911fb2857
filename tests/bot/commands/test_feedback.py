"""`saseo feedback` and `saseo tune import` over a real index and store, and the review screen key by key."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from bot import prompts
from bot.app import Root, cli
from bot.commands import example_texts as texts
from bot.commands.review_screen import ReviewScreen, Tally
from bot.errors import BadExampleFile, ExamplesNotWritable, NotApprovable, UnknownExample, UnknownLora
from bot.examples.example import Example
from bot.examples.formats import write
from bot.examples.guards import Rules
from bot.examples.review import Review
from bot.examples.workbench import Workbench
from bot.messages import Citation, Language, Shown
from bot.privacy.pseudonyms import open_pseudonyms
from bot.store import examples, loras, personal, privacy
from bot.store.database import Store, open_store
from bot.store.loras import LoraRecord
from bot.wiki_app import WikiParts
from knowledge.korean import Analyser
from tests.bot.examples.rows import KIM, LEAVE, LEE, FakeGrounding, FakePages, answer, answered, example, mask, vote
from tests.conftest import Indexer

SAID = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다."


@pytest.fixture
def folder(indexer: Indexer, tmp_path: Path, analyser: Analyser, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with an edition, and a store in which two people voted."""
    monkeypatch.setattr(WikiParts, "make_analyser", staticmethod(lambda workers=1: analyser))  # Kiwi loads for seconds
    indexer.build()
    (tmp_path / "saseo.toml").write_text(
        'data_dir = "data"\n[tuning]\nlearn_from_feedback = true\nvoter_days = 0\n', encoding="utf-8"
    )
    store = open_store("", tmp_path / "data")
    passage = next(one for one in indexer.open().edition.passages if SAID in one.text)
    made = answer(
        f"{SAID[:-1]} [1].",
        condensed="연차는 어떻게 신청합니까?",
        shown=(Shown("wiki", passage.page, passage.number, passage.text),),
        citations=(Citation(1, passage.page, passage.title, None, SAID),),
    )
    name = answered(store, "1", made, text="연차는 어떻게 신청합니까?")
    vote(store, name, KIM)
    vote(store, name, LEE, "down", correction="연차는 9일 전까지 신청합니다 [1].")
    store.close()
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(folder / "saseo.toml"), *words], catch_exceptions=True)


def rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.exception
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def test_votes_become_examples_that_are_listed_reviewed_exported_and_imported(folder: Path) -> None:
    listed = {str(one["kind"]): one for one in rows(run(folder, "feedback", "list", "--json"))}
    assert set(listed) == {"liked", "disliked", "corrected"}
    liked = listed["liked"]
    assert (liked["state"], liked["answer"], liked["people"], liked["problems"]) == (
        "pending",
        f"{SAID[:-1]} [1].",
        1,
        [],
    )
    assert listed["corrected"]["problems"] == ["number"]
    assert KIM.key not in json.dumps(list(listed.values()))

    approved = rows(run(folder, "feedback", "review", "--approve", str(liked["id"]), "--json"))
    assert [(one["id"], one["state"]) for one in approved] == [(liked["id"], "approved")]
    assert str(approved[0]["by"]).startswith("terminal:")
    waiting = rows(run(folder, "feedback", "review", "--json"))
    assert sorted(str(one["kind"]) for one in waiting) == ["corrected", "disliked"]

    forms = {"saseo": "a.jsonl", "chat": "b.jsonl", "alpaca": "c.jsonl", "csv": "d.csv"}
    for form, name in forms.items():
        told = run(folder, "feedback", "export", str(folder / name), "--format", form, "--json")
        assert json.loads(told.stdout)["examples"] == 1
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    for name in forms.values():
        done = json.loads(run(folder, "tune", "import", str(folder / name), "--approve", "--json").stdout)
        assert (done["approved"], done["with_problems"]) == (done["new"], 0)
        assert done["new"] + done["known"] == 1
    states = [one["state"] for one in rows(run(folder, "feedback", "list", "--json")) if one["kind"] == "imported"]
    assert states
    assert set(states) == {"approved"}


def test_a_correction_that_the_page_does_not_say_cannot_be_approved(folder: Path) -> None:
    listed = {str(one["kind"]): str(one["id"]) for one in rows(run(folder, "feedback", "list", "--json"))}
    refused = run(folder, "feedback", "review", "--approve", listed["corrected"])
    assert isinstance(refused.exception, NotApprovable)
    assert run(folder, "feedback", "review", "--reject", listed["corrected"]).stdout == f"{listed['corrected']}  거절\n"
    assert isinstance(run(folder, "feedback", "review", "--reject", "0" * 16).exception, UnknownExample)


def test_of_several_decisions_none_is_taken_where_one_cannot_be(folder: Path) -> None:
    listed = {str(one["kind"]): str(one["id"]) for one in rows(run(folder, "feedback", "list", "--json"))}
    good, bad, other = listed["liked"], listed["corrected"], listed["disliked"]
    for words, error in (
        (("--approve", good, "--approve", bad, "--reject", other), NotApprovable),
        (("--approve", good, "--reject", other, "--reject", "0" * 16), UnknownExample),
    ):
        assert isinstance(run(folder, "feedback", "review", *words).exception, error)
        assert {one["state"] for one in rows(run(folder, "feedback", "list", "--json"))} == {"pending"}
    done = rows(run(folder, "feedback", "review", "--approve", good, "--reject", bad, "--reject", other, "--json"))
    assert [one["state"] for one in done] == ["approved", "rejected", "rejected"]


def test_people_read_korean(folder: Path) -> None:
    told = run(folder, "feedback", "list").stdout
    assert "검토 대기 3건 · 승인 0건(학습에 쓸 수 있는 것 0건) · 거절 0건" in told
    assert "👍 받은 답변  (1명)" in told
    assert "--approve ID" in run(folder, "feedback", "review").stdout
    assert "0건을 썼습니다" in run(folder, "feedback", "export", str(folder / "x.jsonl")).stdout
    pending = run(folder, "feedback", "list", "--state", "approved").stdout
    assert pending.count("\n") == 1


def test_from_an_example_there_is_a_way_to_the_loras_that_learnt_it(folder: Path) -> None:
    liked, *others = sorted(rows(run(folder, "feedback", "list", "--json")), key=lambda one: one["kind"] != "liked")
    assert [one["learnt_by"] for one in (liked, *others)] == [[], [], []]
    assert "이 예시를 배운 LoRA" not in run(folder, "feedback", "list").stdout
    store = open_store("", folder / "data")
    for name in ("m-2", "m-1"):
        store.run_now(loras.add, LoraRecord(name, "b", "base", "p", name, {}, made_at=1.0), [str(liked["id"])])
    store.close()
    listed = {one["id"]: one["learnt_by"] for one in rows(run(folder, "feedback", "list", "--json"))}
    assert listed == {liked["id"]: ["m-1", "m-2"], **{one["id"]: [] for one in others}}
    assert run(folder, "feedback", "list").stdout.count("이 예시를 배운 LoRA: m-1, m-2") == 1


def test_files_that_cannot_be_read_or_written_are_said_so(folder: Path) -> None:
    (folder / "bad.jsonl").write_text("{}\n", encoding="utf-8")
    assert isinstance(run(folder, "tune", "import", str(folder / "bad.jsonl")).exception, BadExampleFile)
    assert isinstance(run(folder, "tune", "import", str(folder / "none.jsonl")).exception, BadExampleFile)
    assert isinstance(run(folder, "feedback", "export", str(folder / "no" / "x.jsonl")).exception, ExamplesNotWritable)


def test_an_imported_file_waits_for_review_unless_told_otherwise(folder: Path) -> None:
    path = folder / "own.csv"
    path.write_text(
        f"question,answer,page\n언제까지 신청해?,{SAID},휴가.md\n몇 층이야?,5층입니다.,휴가.md\n", encoding="utf-8"
    )
    assert run(folder, "tune", "import", str(path)).stdout == (
        "새 예시 2건(이미 있던 것 0건). 승인 0건, 이대로는 승인할 수 없는 것 1건. `saseo feedback review`로 검토해 주십시오.\n"
    )
    assert json.loads(run(folder, "tune", "import", str(path), "--json").stdout)["known"] == 2


def _exported(folder: Path) -> Path:
    """A file with the answer that Kim asked for and voted up, approved."""
    liked = next(one for one in rows(run(folder, "feedback", "list", "--json")) if one["kind"] == "liked")
    assert run(folder, "feedback", "review", "--approve", str(liked["id"])).exit_code == 0
    assert run(folder, "feedback", "export", str(folder / "kept.jsonl")).exit_code == 0
    return folder / "kept.jsonl"


def test_what_may_not_be_learnt_is_neither_exported_nor_taken_from_a_file(folder: Path) -> None:
    file = _exported(folder)
    before = file.read_bytes()
    store = open_store("", folder / "data")
    store.run_now(privacy.suspend, KIM.key, now=8.0)
    done = json.loads(run(folder, "feedback", "export", str(folder / "silent.jsonl"), "--json").stdout)
    assert (done["examples"], done["withheld"], (folder / "silent.jsonl").read_bytes()) == (0, 1, b"")
    assert "뺀 것 1건" in run(folder, "feedback", "export", str(folder / "silent.jsonl")).stdout
    store.run_now(privacy.resume, KIM.key)
    store.close()
    assert json.loads(run(folder, "feedback", "export", str(file), "--json").stdout)["withheld"] == 0
    assert file.read_bytes() == before
    config = folder / "saseo.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("= true", "= false"), encoding="utf-8")
    done = json.loads(run(folder, "feedback", "export", str(folder / "off.jsonl"), "--json").stdout)
    assert (done["examples"], done["withheld"]) == (0, 1)
    assert json.loads(run(folder, "tune", "import", str(file), "--json").stdout)["withheld"] == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "ko",
            "새 예시 0건(이미 있던 것 0건). 승인 0건, 이대로는 승인할 수 없는 것 0건. 학습에 쓸 수 없는 사람의 자료",
        ),
        ("en", "Rows left out, from people of whom nothing may be learnt (forgotten, objecting"),
    ],
)
def test_an_import_does_not_bring_a_forgotten_person_back(folder: Path, language: str, said: str) -> None:
    file = _exported(folder)
    assert run(folder, "feedback", "forget", KIM.key, "--yes").exit_code == 0
    config = folder / "saseo.toml"
    config.write_text(f'language = "{language}"\n{config.read_text(encoding="utf-8")}', encoding="utf-8")
    assert said in run(folder, "tune", "import", str(file), "--approve").stdout
    done = json.loads(run(folder, "tune", "import", str(file), "--approve", "--json").stdout)
    assert (done["new"], done["known"], done["withheld"]) == (0, 0, 1)
    assert rows(run(folder, "feedback", "list", "--json")) == []


def test_what_was_imported_of_a_person_goes_when_they_are_forgotten(folder: Path) -> None:
    file = _exported(folder)
    assert json.loads(run(folder, "tune", "import", str(file), "--approve", "--json").stdout)["approved"] == 1
    (copy,) = [one for one in rows(run(folder, "feedback", "list", "--json")) if one["kind"] == "imported"]
    assert copy["people"] == 1
    gone = json.loads(run(folder, "feedback", "forget", KIM.key, "--yes", "--json").stdout)
    assert copy["id"] in gone["examples"]
    assert rows(run(folder, "feedback", "list", "--json")) == []
    # Nor do the words come back in a form without ids.
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "id": ""}), encoding="utf-8")
    assert json.loads(run(folder, "tune", "import", str(file), "--json").stdout)["withheld"] == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "ko",
            "승인 2건, 이대로는 승인할 수 없는 것 0건. 옳은지 사람이 보아야 하므로 승인하지 않은 '답할 수 없음' 1건.",
        ),
        (
            "en",
            "2 approved, 0 that cannot be approved as they are. Refusals that wait for a person to see whether they are right: 1.",
        ),
    ],
)
def test_a_refusal_that_somebody_wrote_is_not_approved_unseen(folder: Path, language: str, said: str) -> None:
    config = folder / "saseo.toml"
    config.write_text(f'language = "{language}"\n{config.read_text(encoding="utf-8")}', encoding="utf-8")
    asked = {"question": "연차는 며칠 전까지 어디에서 신청합니까?", "passages": [f"휴가\n{SAID}"]}
    plain = {"instruction": "가을을 소재로 한 문장을 지어 주십시오.", "output": "단풍이 산을 천천히 물들입니다."}
    answered = {**asked, "answer": f"{SAID[:-1]} [1]."}
    path = folder / "own.jsonl"
    made = [{**asked, "answer": prompts.REFUSAL}, answered, plain]
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    assert said in run(folder, "tune", "import", str(path), "--approve").stdout
    (waiting,) = [
        one
        for one in rows(run(folder, "feedback", "list", "--json"))
        if one["kind"] == "imported" and one["state"] == "pending"
    ]
    assert waiting["answer"] == prompts.REFUSAL
    assert run(folder, "feedback", "review", "--approve", str(waiting["id"])).exit_code == 0  # somebody has looked


def test_examples_are_made_from_the_wiki_once(folder: Path, indexer: Indexer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WikiParts, "open_index", lambda self, options: indexer.open())
    (folder / "saseo.toml").write_text(
        'data_dir = "data"\n[[sources]]\nname = "wiki"\nkind = "folder"\npath = "wiki"\n', encoding="utf-8"
    )
    first = json.loads(run(folder, "tune", "synthesize", "--count", "12", "--json").stdout)
    assert first["new"] >= 3
    assert (first["known"], first["approved"], first["with_problems"]) == (0, 0, 0)
    assert json.loads(run(folder, "tune", "synthesize", "--count", "12", "--json").stdout) == {
        "new": 0, "known": first["new"], "approved": 0, "with_problems": 0, "unseen": 0, "merged": 0, "withheld": 0,
        "waiting": first["new"],
    }  # fmt: skip
    told = run(folder, "tune", "synthesize", "--count", "12", "--seed", "1", "--source", "wiki", "--approve")
    assert "새 예시" in told.stdout
    kinds = [one["kind"] for one in rows(run(folder, "feedback", "list", "--state", "approved", "--json"))]
    assert set(kinds) == {"synthetic"}
    unknown = run(folder, "tune", "synthesize", "--source", "nowhere")
    assert unknown.exit_code == 2
    assert "nowhere" in unknown.output


def test_a_page_that_changes_closes_what_was_made_of_it(
    folder: Path, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WikiParts, "open_index", lambda self, options: indexer.open())
    json.loads(run(folder, "tune", "synthesize", "--count", "12", "--json").stdout)
    before = [one for one in rows(run(folder, "feedback", "list", "--json")) if one["kind"] == "synthetic"]
    assert {one["state"] for one in before} == {"pending"}
    for page in indexer.wiki.glob("*.md"):
        page.write_text("# 빈 문서\n\n이 문서는 비어 있습니다.\n", encoding="utf-8")
    indexer.build()
    after = [one for one in rows(run(folder, "feedback", "list", "--json")) if one["kind"] == "synthetic"]
    assert {one["state"] for one in after} == {"rejected"}


def test_a_person_is_forgotten_only_after_a_yes(folder: Path) -> None:
    before = rows(run(folder, "feedback", "list", "--json"))
    told = run(folder, "feedback", "forget", LEE.key)
    assert told.exit_code == 1
    assert "평가 1건" in told.stdout
    assert "--yes" in told.stderr
    looked = run(folder, "feedback", "forget", LEE.key, "--json")
    assert looked.exit_code == 1
    assert json.loads(looked.stdout)["forgotten"] is False
    assert rows(run(folder, "feedback", "list", "--json")) == before

    gone = json.loads(run(folder, "feedback", "forget", LEE.key, "--yes", "--json").stdout)
    theirs = {one["id"] for one in before if one["kind"] in ("disliked", "corrected")}
    assert (gone["forgotten"], gone["votes"], gone["loras"]) == (True, 1, [])
    assert theirs <= set(gone["examples"])
    left = rows(run(folder, "feedback", "list", "--json"))
    assert [one["kind"] for one in left] == ["liked"]  # and building again did not bring theirs back
    assert "기록이 없습니다" in run(folder, "feedback", "forget", LEE.key, "--yes").stdout


def test_what_a_lora_learnt_of_them_stops_answering(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [mine] = [one["id"] for one in rows(run(folder, "feedback", "list", "--json")) if one["kind"] == "corrected"]
    store = open_store("", folder / "data")
    record = LoraRecord("touched", "b", "base", "p", "s", {}, made_at=1.0)
    store.run_now(loras.add, record, [str(mine)])
    marked: list[str] = []

    class FakeReleases:
        def mark(self, name: str, reason: str, *, by: str) -> list[object]:
            lee = open_pseudonyms(folder / "data").of(LEE.key)
            assert store.run_now(personal.of_person, lee).count(
                "examples"
            )  # a kill in between must leave it to be done again
            marked.append(name)
            return []

        def delete(self, name: str, *, by: str) -> None:
            raise UnknownLora(name=name, hint="")

    monkeypatch.setattr(Root, "releases", lambda self: nullcontext(FakeReleases()))
    told = run(folder, "feedback", "forget", LEE.key, "--yes").stdout
    assert marked == ["touched"]
    assert "touched" in told
    assert store.run_now(loras.unusable) == {"touched": "forgotten"}
    store.close()


class Keys:
    """Presses of a person; after the last the terminal is closed."""

    def __init__(self, pressed: str) -> None:
        self._left: Iterator[str] = iter(pressed)

    def __call__(self) -> str:
        try:
            return next(self._left)
        except StopIteration:
            raise EOFError from None


def reviewed(
    store: Store, pressed: str, *answers: str | None, width: int = 120, language: Language = "ko"
) -> tuple[Tally, str]:
    out = io.StringIO()
    given = iter(answers)
    desk = Review(store, FakePages(), FakeGrounding(), mask, "terminal:kim", lambda: 7.0)
    console = Console(file=out, width=width)
    return ReviewScreen(desk, console, Keys(pressed), lambda _: next(given), language).run(), out.getvalue()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Store]:
    store = open_store("", tmp_path)
    for number in range(3):
        store.run_now(examples.add, example(str(number), question=f"{number}번 질문", made_at=float(number)))
    yield store
    store.close()


def states(store: Store) -> list[str]:
    return [one.state for one in every(store)]


def every(store: Store) -> list[Example]:
    return store.run_now(examples.every)


def test_an_imported_copy_has_the_people_of_its_example_and_no_votes(three: Store, tmp_path: Path) -> None:
    grounding: object = FakeGrounding()
    pages: object = FakePages()
    rules = Rules(automatic=True, voter_days=0)
    bench = Workbench(three, pages, grounding, mask, rules, lambda: 7.0)  # type: ignore[arg-type]
    file, bare = tmp_path / "kept.jsonl", tmp_path / "bare.jsonl"
    file.write_text(write(every(three), "saseo"), encoding="utf-8")
    bare.write_text(write([replace(one, id="") for one in every(three)], "saseo"), encoding="utf-8")

    def copies() -> list[Example]:
        return [one for one in every(three) if one.kind == "imported"]

    def behind() -> set[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        return {(one.asker, one.people, one.origins) for one in copies()}

    assert bench.take_in(bare).new == 3
    assert behind() == {("", (), ())}
    done = bench.take_in(file)  # the same words: they rest on these people, as it turns out
    assert (done.new, done.known) == (0, 3)
    first = every(three)[0]
    assert behind() == {(first.asker, first.people, first.origins)}
    before = copies()
    bench.build()
    assert copies() == before  # pending: they were imported, not voted for
    assert bench.take_in(bare, approve_as="terminal:kim").approved == 3  # none is new, and nobody has decided them
    assert len(bench.training_set(others=100)) == 3
    assert replace(bench, learning=False).training_set(others=100) == []  # people's words all the same
    three.run_now(privacy.suspend, first.asker, now=8.0)
    assert bench.training_set(others=100) == []
    assert (bench.take_in(file).withheld, bench.take_in(file).known) == (3, 0)


@pytest.mark.parametrize(
    ("pressed", "expected", "tally"),
    [
        ("ars", ["approved", "rejected", "pending"], Tally(1, 1, 1)),
        ("ㅁㄱㄴ", ["approved", "rejected", "pending"], Tally(1, 1, 1)),
        ("xA\x1bR", ["approved", "rejected", "pending"], Tally(1, 1, 1)),
        ("aq", ["approved", "pending", "pending"], Tally(1, 0, 2)),
        ("a", ["approved", "pending", "pending"], Tally(1, 0, 2)),
        ("aaurss", ["approved", "rejected", "pending"], Tally(1, 1, 1)),
        ("auurq", ["rejected", "pending", "pending"], Tally(0, 1, 2)),
        ("ssu", ["pending", "pending", "pending"], Tally(0, 0, 3)),
    ],
)
def test_one_key_decides(three: Store, pressed: str, expected: list[str], tally: Tally) -> None:
    assert reviewed(three, pressed)[0] == tally
    assert states(three) == expected


def test_what_is_not_supported_stays_until_it_is_edited(three: Store) -> None:
    first = every(three)[0]
    tally, shown = reviewed(three, "eaea", "연차는 99일입니다. [1]", f"{LEAVE} [1]")
    assert tally == Tally(1, 0, 2)
    assert shown.count("구절이 뒷받침하지 않음") >= 2
    assert (every(three)[0].id, every(three)[0].answer) == (first.id, f"{LEAVE} [1]")


def test_an_edit_that_is_given_up_changes_nothing(three: Store) -> None:
    before = every(three)
    reviewed(three, "eee", None, " ", before[0].answer)
    assert every(three) == before


def test_what_was_decided_before_can_be_taken_back(three: Store) -> None:
    reviewed(three, "a")
    tally, shown = reviewed(three, "ur")
    assert tally.rejected == 1
    assert "0번 질문" in shown
    assert states(three) == ["rejected", "pending", "pending"]


def test_what_somebody_else_changed_after_that_is_not_taken_back_and_that_is_said(three: Store) -> None:
    reviewed(three, "a")
    first = every(three)[0]
    three.run_now(examples.decide, first, "rejected", "reject", by="web:lee", now=9.0)
    tally, shown = reviewed(three, "ua")
    assert first.id in shown
    assert "되돌리지 않았습니다" in shown
    assert states(three) == ["rejected", "approved", "pending"]
    assert tally.approved == 1


def test_nothing_to_undo_is_said(three: Store) -> None:
    assert "되돌릴 것이 없습니다." in reviewed(three, "u")[1]
    assert "There is nothing to undo." in reviewed(three, "u", language="en")[1]


def test_passages_stand_beside_the_answer_where_there_is_room(three: Store) -> None:
    wide = reviewed(three, "q")[1]
    assert any("근거 구절" in line and "이전 질문" in line for line in wide.splitlines())
    narrow = reviewed(three, "q", width=60)[1]
    assert not any("근거 구절" in line and "이전 질문" in line for line in narrow.splitlines())
    for shown in (wide, narrow):
        assert LEAVE in shown
        assert "3건 중 1번째" in shown
        assert texts.help_line("ko") in shown


def test_what_people_wrote_cannot_drive_the_terminal(tmp_path: Path) -> None:
    store = open_store("", tmp_path)
    store.run_now(examples.add, example(question="[bold]연차\x1b[2J\x9b\u202e\r끝", rejected="\x07"))
    shown = reviewed(store, "q")[1]
    assert "[bold]연차[2J끝" in shown
    assert not set(shown) & {"\x1b", "\x9b", "\u202e", "\r", "\x07"}
    store.close()
