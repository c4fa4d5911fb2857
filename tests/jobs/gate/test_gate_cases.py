"""What is asked, which questions hang together, and when an answer may be used again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot import prompts
from bot.errors import BadEvaluationSet
from jobs.evaluation_set import Case
from jobs.gate.cases import clusters, is_refusal, joined, of_examples, of_set
from jobs.tuning.dataset import Example, load_examples

LEAVE = "연차 규정 > 부여\n연차는 15일입니다."
APPLY = "연차 규정 > 신청\n3일 전까지 신청합니다."
VPN = "VPN 안내\nVPN은 노트북에서 씁니다."


def test_an_example_becomes_a_question_with_its_passages_and_its_marks_as_sources() -> None:
    example = Example("7", "며칠?", (VPN, LEAVE), "연차는 15일입니다 [2].", ("연차",), "follow_up")
    [case] = of_examples("held-out", [example])
    assert (case.id, case.answerable, case.answers, case.sources) == (
        "held-out/7",
        True,
        ("연차는 15일입니다.",),
        ("2",),
    )
    assert case.pages == ("title 연차 규정",)
    assert set(case.kinds) == {"follow-up", "answerable", "numbers", "passages given"}


def test_an_example_that_refuses_has_no_answer_and_belongs_to_the_page_most_of_its_passages_are_from() -> None:
    [case] = of_examples("x", [Example("1", "벌칙은?", (VPN, LEAVE, APPLY), prompts.REFUSAL)])
    assert (case.answerable, case.answers, case.sources) == (False, (), ())
    assert case.pages == ("title 연차 규정",)


def test_a_plain_instruction_is_no_question_of_the_gate() -> None:
    assert of_examples("x", [Example("1", "시를 써 줘", (), "봄이 옵니다.")]) == []


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        (prompts.REFUSAL, True),
        ("제공된 문서에서 확인할 수 없습니다", True),
        ("제공된  문서에서 확인할 수 없습니다. 담당자에게 문의하십시오.", True),
        ("연차는 15일입니다. 제공된 문서에서 확인할 수 없습니다.", False),
        ("", False),
    ],
)
def test_a_refusal_begins_with_the_words_of_the_prompt(text: str, refuses: bool) -> None:
    assert is_refusal(text) == refuses


def test_a_question_of_a_set_keeps_its_pages_and_reader() -> None:
    wiki = Case("q1", "며칠?", ("a.md", "b.md"), ("15일",), True, frozenset({"hr"}), ("연차",), "two-page")
    none = Case("q2", "벌칙은?", ("a.md",), ("없음",), False)
    first, second = of_set("demo", [wiki, none])
    assert (first.id, first.sources, first.groups) == ("demo/q1", ("a.md", "b.md"), {"hr"})
    assert "several sources" in first.kinds
    assert "through the wiki" in first.kinds
    assert (second.answers, second.sources, second.pages) == ((), (), ("page a.md",))


def test_questions_that_share_a_page_also_through_others_hang_together() -> None:
    pages = [("a.md",), ("b.md",), ("a.md", "c.md"), (), ("c.md",), ()]
    cases = of_set("x", [Case(str(n), f"{n}?", some, answerable=True) for n, some in enumerate(pages)])
    numbers = clusters(cases)
    assert numbers[0] == numbers[2] == numbers[4]
    assert len(set(numbers)) == 4
    assert sorted(set(numbers)) == [0, 1, 2, 3]


def test_the_fingerprint_is_of_what_is_asked_and_not_of_what_is_wanted() -> None:
    [case] = of_examples("x", [Example("1", "며칠?", (LEAVE,), "15일입니다 [1].")])
    assert replace(case, answers=("16일",), id="y/2", kind="table").fingerprint == case.fingerprint
    for change in (
        {"question": "몇 일?"},
        {"passages": (LEAVE + " ",)},
        {"turns": ("연차",)},
        {"groups": frozenset({"hr"})},
    ):
        assert replace(case, **change).fingerprint != case.fingerprint  # type: ignore[arg-type]


def test_sets_and_held_out_examples_are_joined_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("demo.jsonl", "a/demo.jsonl"):
        lines = [
            {"question": "며칠?", "page": "a.md", "answers": ["15일"]},
            {"question": f"{name}?", "answerable": False},
        ]
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    examples = [Example("1", "며칠?", (LEAVE,), "15일입니다 [1]."), Example("2", "며칠?", (LEAVE,), "다른 답 [1].")]
    cases = joined([tmp_path / "demo.jsonl", tmp_path / "a" / "demo.jsonl"], examples)
    assert [case.id for case in cases] == ["demo/1", "demo/2", "demo-2/2", "held-out/1"]
    assert [case.id for case in joined([], examples)] == ["held-out/1"]
    (tmp_path / "bad.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(BadEvaluationSet):
        joined([tmp_path / "bad.jsonl"], [])


def test_the_starter_examples_fall_into_many_independent_groups() -> None:
    root = Path(__file__).parents[3] / "examples" / "tuning"
    cases = of_examples("starter", load_examples(root / "starter-a.jsonl"))
    assert len(set(clusters(cases))) >= 40
    assert sum(not case.answerable for case in cases) >= 20
