"""Files in four forms: what goes out comes back, and a broken line is named."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import prompts
from bot.errors import BadExampleFile
from bot.examples import layout
from bot.examples.example import Evidence, Example
from bot.examples.formats import Format, Row, fitting, read, write
from jobs.tuning.dataset import load_examples
from tests.bot.examples.rows import LEAVE, VPN, example

ROOT = Path(__file__).resolve().parents[3]
FIRST = st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc", "Cf"))
SIGNS = st.sampled_from(
    ["[1] ", "[2] ", "\\", "이전 질문: ", "질문: ", "문서:", "=1+1", "'", '"', ",", "연차", "15일", " ", "\t"]
)
WORDS = st.lists(SIGNS | st.text(FIRST, max_size=4), min_size=1, max_size=5).map("".join)
LINE = WORDS.map(lambda text: " ".join(text.split())).filter(bool)
TEXT = st.lists(WORDS, min_size=1, max_size=4).map(lambda lines: "\n".join(lines).strip()).filter(bool)
PASSAGE = st.builds(Evidence, st.just("wiki"), st.just("연차.md"), st.integers(0, 5), LINE, TEXT)
EXAMPLES = st.builds(
    lambda question, turns, passages, answer: example(
        question=question, turns=tuple(turns), passages=tuple(passages), answer=answer, rejected=""
    ),
    LINE,
    st.lists(LINE, max_size=3),
    st.lists(PASSAGE, min_size=1, max_size=4),
    TEXT,
)
common = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def back(made: list[Example], form: Format, folder: Path) -> list[Row]:
    path = folder / ("f.csv" if form == "csv" else "f.jsonl")
    path.write_text(write(made, form), encoding="utf-8", newline="")
    return read(path)


@common
@given(st.lists(EXAMPLES, min_size=1, max_size=3))
@pytest.mark.parametrize("form", ["saseo", "chat", "alpaca"])
def test_question_passages_turns_and_answer_come_back(form: Format, tmp_path: Path, made: list[Example]) -> None:
    rows = back(made, form, tmp_path)
    assert [(row.question, row.turns, row.answer) for row in rows] == [(e.question, e.turns, e.answer) for e in made]
    assert [[p.shown for p in row.passages] for row in rows] == [[p.shown for p in e.passages] for e in made]


@common
@given(st.lists(EXAMPLES, min_size=1, max_size=3))
def test_our_own_form_loses_nothing(tmp_path: Path, made: list[Example]) -> None:
    assert [row.passages for row in back(made, "saseo", tmp_path)] == [one.passages for one in made]


@common
@given(st.lists(EXAMPLES, min_size=1, max_size=3))
def test_csv_brings_question_and_answer_back(tmp_path: Path, made: list[Example]) -> None:
    cited = [replace(one, answer=f"{one.answer} [1]") for one in made]
    rows = back(cited, "csv", tmp_path)
    assert [(row.question, row.answer, row.page) for row in rows] == [
        (one.question, one.answer, "연차.md" if one.passages else "") for one in cited
    ]


@common
@given(TEXT, st.lists(LINE, max_size=2), TEXT)
def test_plain_instructions_come_back_from_a_chat(tmp_path: Path, question: str, turns: list[str], answer: str) -> None:
    (row,) = back([example(question=question, turns=tuple(turns), passages=(), answer=answer)], "chat", tmp_path)
    assert (row.question, row.turns, row.answer, row.passages) == (question, tuple(turns), answer, ())


@common
@given(LINE, st.lists(TEXT, min_size=1, max_size=4), st.lists(LINE, max_size=3))
def test_a_message_is_taken_apart_as_it_was_put_together(question: str, passages: list[str], turns: list[str]) -> None:
    found = layout.parts(layout.message(question, passages, turns))
    assert found == layout.Parts(question, tuple(passages), tuple(turns))


def test_the_chat_form_is_the_prompt_itself(tmp_path: Path) -> None:
    one = example(turns=(), passages=(Evidence("wiki", "연차.md", 0, "연차 규정", LEAVE),))
    (line,) = write([one], "chat").splitlines()
    roles = [(message["role"], message["content"]) for message in json.loads(line)["messages"]]
    assert [role for role, _ in roles] == ["system", "user", "assistant"]
    assert roles[1][1] == f"문서:\n[1] 연차 규정\n{LEAVE}\n\n질문: {one.question}"


def test_what_teaches_no_answer_is_in_no_file() -> None:
    assert write([example(kind="disliked", answer="", rejected="틀림")], "saseo") == ""


def test_a_rejected_answer_goes_along(tmp_path: Path) -> None:
    assert back([example(kind="corrected", rejected="틀린 답")], "saseo", tmp_path)[0].rejected == "틀린 답"


def test_the_page_of_a_csv_row_is_the_one_the_answer_cites(tmp_path: Path) -> None:
    passages = (Evidence("wiki", "VPN.md", 0, "VPN", VPN), Evidence("wiki", "연차.md", 0, "연차", LEAVE))
    assert back([example(passages=passages, answer=f"{LEAVE} [2]")], "csv", tmp_path)[0].page == "연차.md"


def test_a_spreadsheet_gets_no_formula(tmp_path: Path) -> None:
    text = write([example(question="=HYPERLINK(1)", answer="-1 [1]")], "csv")
    assert text.startswith("\ufeff")
    assert text.splitlines()[1] == "'=HYPERLINK(1),'-1 [1],연차.md"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_korean_spreadsheets_are_read_in_their_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "f.CSV"
    text = 'Question,page,answer\n\n"연차는\n며칠?",휴가.md,15일입니다.\n둘째,,답\n'
    path.write_bytes(text.encode(encoding))
    assert read(path) == [
        Row("연차는\n며칠?", "15일입니다.", page="휴가.md", line=3),
        Row("둘째", "답", line=5),
    ]


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("a.jsonl", '{"question": "q", "answer": "a"}\n{"question": "q"}', 2, "answer이(가) 없거나 비어 있습니다"),
        ("a.jsonl", '{"answer": "a"}', 1, "question, messages, instruction 가운데 하나가 있어야 합니다"),
        ("a.jsonl", '{"question": "q", "answer": 3}', 1, "문자열이어야"),
        ("a.jsonl", '{"question": "q", "answer": "a", "passages": 3}', 1, "passages는 목록"),
        ("a.jsonl", '{"question": "q", "answer": "a", "passages": [{"title": "t"}]}', 1, "text이(가) 없거나"),
        ("a.jsonl", '{"question": "q", "answer": "a", "passages": [3]}', 1, "passages의 항목"),
        ("a.jsonl", '{"question": "q", "answer": "a", "passages": [" "]}', 1, "빈 구절"),
        ("a.jsonl", '{"question": "q", "answer": "a", "passages": [{"text": "t", "number": -1}]}', 1, "number"),
        ("a.jsonl", "\n\n{", 3, "JSON이 아닙니다"),
        ("a.jsonl", "[1]", 1, "JSON 객체"),
        ("a.jsonl", "", 0, "하나도 없습니다"),
        ("a.jsonl", '{"messages": []}', 1, "비어 있지 않은 목록"),
        ("a.jsonl", '{"messages": [{"role": "user", "content": "q"}]}', 1, "끝나야 합니다"),
        ("a.jsonl", '{"messages": [{"role": "assistant", "content": "a"}]}', 1, "끝나야 합니다"),
        ("a.jsonl", '{"messages": [{"role": "bot", "content": "a"}]}', 1, "1번째에 role"),
        ("a.jsonl", '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant"}]}', 1, "2번째 content"),
        ("a.jsonl", '{"messages": [{"role": "user", "content": [1]}]}', 1, "content은(는) 문자열"),
        ("a.jsonl", '{"instruction": "q", "input": ""}', 1, "output이(가) 없거나"),
        ("a.csv", "질문,답\nq,a\n", 1, "question, answer, page"),
        ("a.csv", "question,answer,page\nq,a,p\nq,a\n", 3, "칸이 2개입니다(3개여야"),
        ("a.csv", "question,answer,page\nq,,p\n", 2, "answer이(가) 없거나"),
        ("a.csv", 'question,answer,page\n"q\nr",a,p\nq,"a"b,p\n', 4, "CSV 형식이 아닙니다"),
        ("a.csv", "question,answer,page\n", 0, "하나도 없습니다"),
    ],
)
def test_a_broken_line_is_named_with_its_reason(
    tmp_path: Path, name: str, content: str, line: int, reason: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadExampleFile) as caught:
        read(path)
    assert caught.value.details["line"] == line
    assert reason in str(caught.value.details["reason"])


def test_broken_lines_are_told_together_ten_at_most(tmp_path: Path) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    lines.write_text('{"question": "q", "answer": "a"}\n' + "{\n[1]\n" * 6, encoding="utf-8")
    table.write_text("question,answer,page\nq,,p\nq,a,p\nq,a\n", encoding="utf-8")
    with pytest.raises(BadExampleFile) as caught:
        read(lines)
    reason = str(caught.value.details["reason"])
    assert caught.value.details["line"] == 2
    assert "; 3행: 한 행은 JSON 객체" in reason
    assert "; 11행: " in reason
    assert "; 12행: " not in reason
    assert reason.endswith("; 그 밖에 2행")
    with pytest.raises(BadExampleFile) as caught:
        read(table)
    assert caught.value.details["line"] == 2
    assert str(caught.value.details["reason"]).endswith("; 4행: 칸이 2개입니다(3개여야 합니다)")


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\xff")
    for name in ("none.csv", "none.jsonl", "b.csv"):
        with pytest.raises(BadExampleFile):
            read(tmp_path / name)


def test_alpaca_input_without_our_layout_belongs_to_the_question(tmp_path: Path) -> None:
    path = tmp_path / "koalpaca.jsonl"
    path.write_text('{"instruction": "번역해 줘", "input": "hello", "output": "안녕"}\n', encoding="utf-8")
    assert read(path) == [Row("번역해 줘\n\nhello", "안녕", line=1)]


def test_our_own_form_is_what_tuning_reads(tmp_path: Path) -> None:
    passages = (Evidence("wiki", "VPN.md", 0, "VPN > 접속", VPN), Evidence("wiki", "연차.md", 2, "", LEAVE))
    one = example(passages=passages, answer=f"{LEAVE} [2]")
    path = tmp_path / "set.jsonl"
    path.write_text(write([one], "saseo"), encoding="utf-8")
    (read_back,) = load_examples(path)
    assert read_back.passages == tuple(each.shown for each in passages)
    assert (read_back.id, read_back.question, read_back.answer) == (one.id, one.question, one.answer)
    assert read_back.turns == one.turns


def test_the_shipped_examples_are_read(tmp_path: Path) -> None:
    for name in ("starter-a.jsonl", "starter-b.jsonl"):
        rows = read(ROOT / "examples" / "tuning" / name)
        assert len(rows) == 220
        assert all(row.passages and row.passages[0].context for row in rows)


def test_a_csv_holds_only_what_its_page_can_give_again() -> None:
    cited = example("cited")
    refusal = example("refusal", answer=prompts.REFUSAL)
    elsewhere = example("elsewhere", passages=(Evidence("", "", 0, "연차", LEAVE),))
    plain = example("plain", passages=(), answer="Hello", turns=())
    everything = [cited, refusal, elsewhere, plain]
    assert fitting(everything, "csv") == [cited, plain]
    assert write(everything, "csv").count("\n") == 3
    assert fitting(everything, "saseo") == everything
    assert fitting([example("down", answer="", rejected="x")], "saseo") == []


def test_earlier_questions_of_a_plain_instruction_stay_in_an_alpaca_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        write([example(passages=(), turns=("안녕",), question="잘 가", answer="Bye")], "alpaca"), encoding="utf-8"
    )
    [row] = read(path)
    assert (row.question, row.answer) == ("안녕\n\n잘 가", "Bye")


@pytest.mark.parametrize(
    "begins", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "  ＠", "'", "'=", "' ="]
)
def test_no_cell_is_a_formula(tmp_path: Path, begins: str) -> None:
    made = [example(question=f"{begins}1+1", answer=f"{begins}2", passages=())]
    _, cells = csv.reader(io.StringIO(write(made, "csv"), newline=""))
    assert cells == [f"'{begins}1+1", f"'{begins}2", ""]
    [row] = back(made, "csv", tmp_path)
    assert (row.question, row.answer) == (f"{begins}1+1".strip(), f"{begins}2".strip())
