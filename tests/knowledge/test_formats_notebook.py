"""Jupyter notebooks of format 4 and 3."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import PageError, PageWithoutText, UnreadablePage
from knowledge.formats import notebook
from knowledge.page import Block, Document


def read(*cells: dict[str, Any], **more: object) -> Document:
    return notebook.parse(
        json.dumps({"nbformat": 4, "metadata": {}, "cells": cells, **more}, ensure_ascii=False).encode()
    )


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text.splitlines(keepends=True)}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def test_markdown_cells_give_headings_and_code_cells_stand_below_them() -> None:
    document = read(
        markdown("# 매출 분석\n월별 매출을 봅니다."),
        markdown("## 준비\n- 자료를 받습니다."),
        code("import pandas as pd"),
    )
    assert document.title == "매출 분석"
    assert [(s.heading, s.blocks) for s in document.sections] == [
        ((), (Block("월별 매출을 봅니다."),)),
        (("준비",), (Block("- 자료를 받습니다.", "list"), Block("import pandas as pd", "code"))),
    ]


def test_a_fence_left_open_in_one_cell_does_not_swallow_the_next() -> None:
    document = read(markdown("```python\nprint(1)"), markdown("## 다음\n본문입니다."))
    assert document.sections[-1].heading == ("다음",)


def test_outputs_are_text_tables_as_rows_errors_in_one_line_pictures_not_at_all() -> None:
    frame = {
        "text/html": "<table><tr><th>월</th><th>매출</th></tr><tr><td>3월</td><td>120</td></tr></table>",
        "text/plain": "월",
    }
    document = read(
        code(
            "df",
            {"output_type": "stream", "text": ["합계는 ", "120입니다."]},
            {"output_type": "execute_result", "data": frame},
            {"output_type": "display_data", "data": {"image/png": "aGVsbG8="}},
            {"output_type": "error", "ename": "KeyError", "evalue": "'매출'", "traceback": ["긴 추적"]},
        )
    )
    assert document.sections[0].blocks == (
        Block("df", "code"),
        Block("합계는 120입니다.", "code"),
        Block("월 | 매출\n3월 | 120", "table"),
        Block("KeyError: '매출'"),
    )


def test_a_long_output_is_cut_and_says_so() -> None:
    blocks = read(code("log", {"output_type": "stream", "text": "기록 " * 100_000})).sections[0].blocks
    assert len(blocks[1].text) < 3_000
    assert blocks[1].text.endswith("(출력이 길어 여기까지만 읽었습니다.)")


def test_cells_beyond_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "_MOST_CELLS", 2)
    blocks = read(*[code(f"단계_{number}") for number in range(5)]).sections[0].blocks
    assert [block.text for block in blocks[:2]] == ["단계_0", "단계_1"]
    assert "뒤의 3개는 읽지 않았습니다" in blocks[2].text


def test_notebooks_of_format_3_are_read() -> None:
    old = {
        "nbformat": 3,
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 1, "source": ["옛 분석"]},
                    {"cell_type": "code", "input": ["print 1"], "outputs": [{"output_type": "stream", "text": ["1"]}]},
                ]
            }
        ],
    }
    document = notebook.parse(json.dumps(old).encode())
    assert document.title == "옛 분석"
    assert document.sections[0].blocks == (Block("print 1", "code"), Block("1", "code"))


@pytest.mark.parametrize("data", [b"{}", b"[]", b"null", b"{broken", b"[" * 100_000, b'{"cells": 7}'])
def test_what_is_no_notebook_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePage):
        notebook.parse(data)


def test_an_empty_notebook_has_no_text() -> None:
    with pytest.raises(PageWithoutText):
        read(code(""), markdown(""))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cell_type", "source", "outputs", "output_type", "data", "text", "text/html", "level", "cells"]
            ),
            inner
            | st.sampled_from(["markdown", "code", "heading", "raw", "error", "<table><tr><td>가</td></tr></table>"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(cells=st.lists(_JSON, max_size=4), metadata=_JSON)
@settings(max_examples=120, deadline=None)
def test_any_json_gives_a_document_or_a_page_error(cells: list[Any], metadata: Any) -> None:
    with contextlib.suppress(PageError):
        notebook.parse(json.dumps({"cells": cells, "metadata": metadata}).encode())
