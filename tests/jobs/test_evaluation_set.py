"""What a set may hold, and that every broken line is named."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadEvaluationSet, DetailsNotWritable
from jobs.evaluation_set import Case, details_file, load_set

EXAMPLES = Path(__file__).parents[2] / "examples" / "questions.jsonl"


def _written(folder: Path, content: str | bytes) -> Path:
    path = folder / "set.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_every_key(tmp_path: Path) -> None:
    line = {
        "id": 7, "kind": "follow-up", "question": " 그럼 신청은요? ", "pages": ["a.md", "b.md", "a.md"],
        "answers": ["나루워크"], "answerable": True, "as": "hr, exec", "turns": ["연차는?"], "note": "모르는 키",
    }  # fmt: skip
    [case] = load_set(_written(tmp_path, json.dumps(line)))
    assert case == Case(
        id="7", question="그럼 신청은요?", pages=("a.md", "b.md"), answers=("나루워크",), answerable=True,
        groups=frozenset({"hr", "exec"}), turns=("연차는?",), kind="follow-up",
    )  # fmt: skip
    assert case.as_json()["as"] == ["exec", "hr"]


def test_defaults(tmp_path: Path) -> None:
    lines = [
        {"question": "쪽이 있다", "page": "a.md"},
        {"question": "답이 있다", "answers": ["가"]},
        {"question": "아무것도 없다"},
        {"question": "못 보는 쪽", "page": "a.md", "answerable": False, "as": ["hr"]},
        {"question": "빈 값", "page": None, "as": None, "turns": None},
    ]
    cases = load_set(_written(tmp_path, "\n".join(map(json.dumps, lines))))
    assert [case.answerable for case in cases] == [True, True, False, False, False]
    assert [case.id for case in cases] == ["1", "2", "3", "4", "5"]
    assert cases[3].groups == {"hr"}


def test_mark_blank_lines_crlf_and_a_line_separator_inside_a_text(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf\r\n{"question": "\xea\xb0\x80\xe2\x80\xa8\xeb\x82\x98"}\r\n\r\n  \n{"question": "b"}'
    cases = load_set(_written(tmp_path, content))
    assert [(case.id, case.question) for case in cases] == [("2", "가\u2028나"), ("5", "b")]


def test_page_paths_become_nfc(tmp_path: Path) -> None:
    line = {"question": "가", "page": unicodedata.normalize("NFD", "office/부산-오피스.md")}
    assert load_set(_written(tmp_path, json.dumps(line)))[0].pages == ("office/부산-오피스.md",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "JSON이 아닙니다"),
        ("[]", "JSON 객체"),
        ("null", "JSON 객체"),
        ('"글"', "JSON 객체"),
        ("{}", "question"),
        ('{"question": ""}', "question"),
        ('{"question": 3}', "question"),
        ('{"question": "가", "page": ["a.md"]}', "page"),
        ('{"question": "가", "page": "a.md", "pages": ["b.md"]}', "가운데 하나만"),
        ('{"question": "가", "pages": "a.md"}', "pages"),
        ('{"question": "가", "pages": [""]}', "pages"),
        ('{"question": "가", "answers": "나"}', "answers"),
        ('{"question": "가", "answers": [1]}', "answers"),
        ('{"question": "가", "answerable": "yes"}', "answerable"),
        ('{"question": "가", "as": 3}', "as"),
        ('{"question": "가", "as": [3]}', "as"),
        ('{"question": "가", "turns": "나"}', "turns"),
        ('{"question": "가", "id": true}', "id"),
        ('{"question": "가", "kind": 1}', "kind"),
        ('{"question": "\\ud83d"}', "유니코드"),
        ("[" * 100_000, "너무 깊습니다"),
        ('{"question": "가", "x": ' + "9" * 5000 + "}", "너무 길거나"),
        ("가".encode("cp949"), "UTF-8이 아닙니다"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str | bytes, reason: str) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    path = _written(tmp_path, b'{"question": "ok"}\n\n' + raw + b'\n{"question": "ok"}\n')
    with pytest.raises(BadEvaluationSet) as caught:
        load_set(path)
    assert caught.value.details["line"] == 3
    assert reason in str(caught.value.details["reason"])
    assert str(path) in caught.value.explain("ko")


@pytest.mark.parametrize("content", ["", "\n \n", b"\xef\xbb\xbf"])
def test_an_empty_set_is_an_error(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(BadEvaluationSet, match=r"\.jsonl \("):
        load_set(_written(tmp_path, content))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadEvaluationSet):
        load_set(tmp_path / "none.jsonl")


@given(st.binary(max_size=60))
def test_any_bytes_give_cases_or_the_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = _written(tmp_path_factory.getbasetemp(), content)
    # Any other error fails the test.
    with contextlib.suppress(BadEvaluationSet):
        assert load_set(path)


def test_the_demo_set_is_sound() -> None:
    cases = load_set(EXAMPLES)
    assert len(cases) >= 150
    assert len({case.id for case in cases}) == len(cases)


def test_details_are_written_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "details.jsonl"
    with details_file(path) as write:
        write({"질문": 1})
        assert path.read_text(encoding="utf-8") == '{"질문": 1}\n'


def test_details_that_cannot_be_written_are_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DetailsNotWritable, match="--details"), details_file(tmp_path / "no" / "details.jsonl"):
        pytest.fail("must not be entered")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_stops_the_details_but_not_the_run(caplog: pytest.LogCaptureFixture) -> None:
    with details_file(Path("/dev/full")) as write:
        write({"a": 1})
        write({"a": 2})
    assert [record.message.count("details_not_written") for record in caplog.records] == [1]
