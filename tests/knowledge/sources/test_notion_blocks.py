"""Notion's blocks become a page that the HTML parser reads as people see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.formats import html
from knowledge.page import Document
from knowledge.sources.notion_blocks import MAX_DEPTH, NotionBlock, Rendered, plain_text, render
from knowledge.sources.notion_properties import properties_of, shown, title_of
from tests.fakes.notion import block, rich


def tree(raw: dict[str, Any]) -> NotionBlock:
    return NotionBlock.of(raw, [tree(child) for child in raw["children"]])


def rendered(*blocks: dict[str, Any], title: str = "제목", **more: Any) -> Rendered:
    return render(title, more.pop("properties", ()), [tree(raw) for raw in blocks], **more)


def read(*blocks: dict[str, Any], **more: Any) -> Document:
    return html.parse(rendered(*blocks, **more).html)


def texts(document: Document) -> list[str]:
    return [part.text for section in document.sections for part in section.blocks]


def test_headings_keep_their_levels_below_the_title() -> None:
    document = read(
        block("heading_1", "휴가"),
        block("heading_2", "연차"),
        block("paragraph", "15일입니다."),
        block("heading_4", "반차"),
        block("paragraph", "4시간입니다."),
    )
    assert document.title == "제목"
    assert [section.heading for section in document.sections] == [("휴가", "연차"), ("휴가", "연차", "반차")]


def test_a_toggle_heading_and_a_toggle_show_what_they_hide() -> None:
    hidden = [block("paragraph", "펼친 내용")]
    document = read(block("heading_2", "접힘", hidden, is_toggleable=True), block("toggle", "더 보기", hidden))
    assert document.sections[0].heading == ("접힘",)
    assert texts(document) == ["펼친 내용", "더 보기", "펼친 내용"]


def test_lists_nest_and_number() -> None:
    document = read(
        block("bulleted_list_item", "가", [block("bulleted_list_item", "나"), block("numbered_list_item", "다")]),
        block("to_do", "끝냄", checked=True),
        block("to_do", "할 일", checked=False),
        block("numbered_list_item", "하나"),
        block("numbered_list_item", "둘"),
    )
    assert texts(document) == ["- 가\n  - 나\n  1. 다\n- ☑ 끝냄\n- ☐ 할 일", "1. 하나\n2. 둘"]


def test_code_and_tables_inside_a_list_keep_their_form_and_the_numbers_go_on() -> None:
    table = block("table", "", [block("table_row", cells=[rich("이름"), rich("값")])] * 2, has_column_header=True)
    document = read(
        block(
            "numbered_list_item",
            "설치",
            [block("paragraph", "명령:"), block("code", "a = 1\nb = 2"), block("quote", "끝")],
        ),
        block("numbered_list_item", "설정", [table]),
        block("numbered_list_item", "실행"),
    )
    kinds = [(part.kind, part.text) for section in document.sections for part in section.blocks]
    assert kinds == [
        ("list", "1. 설치 명령:"),
        ("code", "a = 1\nb = 2"),
        ("paragraph", "끝"),
        ("list", "2. 설정"),
        ("table", "이름 | 값\n이름 | 값"),
        ("list", "3. 실행"),
    ]


def test_columns_tabs_call_outs_quotes_and_originals_of_synced_blocks_are_read_in_order() -> None:
    document = read(
        block("column_list", "", [block("column", "", [block("paragraph", t)]) for t in ("왼쪽", "오른쪽")]),
        block("tab", "", [block("paragraph", "탭", [block("paragraph", "탭 내용")])]),
        block("callout", "주의", [block("paragraph", "안쪽")], icon={"type": "emoji", "emoji": "💡"}),
        block("quote", "인용\n두 줄"),
        block("synced_block", "", [block("paragraph", "원본")], synced_from=None),
        block("equation", expression="E=mc^2"),
    )
    assert texts(document) == ["왼쪽", "오른쪽", "탭", "탭 내용", "주의", "안쪽", "인용\n두 줄", "원본", "E=mc^2"]


def test_a_copy_of_a_synced_block_is_left_to_its_original_and_counted() -> None:
    copy = block("synced_block", "", [block("paragraph", "옛 사본")], synced_from={"type": "block_id", "block_id": "x"})
    page = rendered(copy, block("paragraph", "본문"))
    assert "옛 사본" not in page.html.decode()
    assert page.left_out == {"synced copy": 1}


def test_links_show_titles_or_captions_and_never_a_signed_address() -> None:
    signed = {"type": "file", "file": {"url": "https://files.example/secret?signature=abc"}}
    page = rendered(
        block("child_page", title="하위 문서"),
        block("link_to_page", type="page_id", page_id="p1"),
        block("link_to_page", type="page_id", page_id="모름"),
        block("bookmark", url="https://example.com", caption=[]),
        block("image", caption=rich("조직도"), **signed),
        block("pdf", name="규정.pdf", caption=[], **signed),
        block("image", caption=[], **signed),
        titles={"p1": "다른 문서"},
    )
    assert texts(html.parse(page.html)) == ["- 하위 문서\n- 다른 문서", "https://example.com", "조직도", "규정.pdf"]
    assert b"signature" not in page.html
    assert page.left_out == {"link_to_page": 1, "image": 1}


def test_what_the_api_cannot_give_is_counted_by_type_and_ornaments_are_not() -> None:
    page = rendered(
        block("unsupported", block_type="form"), block("unsupported"), block("divider"), block("table_of_contents")
    )
    assert page.left_out == {"unsupported": 2}


def test_a_type_of_the_future_keeps_its_text() -> None:
    assert texts(read(block("hologram", "내일의 글", [block("paragraph", "안")]))) == ["내일의 글", "안"]


def test_a_page_that_only_holds_pages_is_found_by_its_name() -> None:
    assert texts(read(title="인사 규정")) == ["인사 규정"]
    assert texts(read(block("bulleted_list_item"), title="인사 규정")) == ["인사 규정"]


def test_properties_stand_above_the_text() -> None:
    document = read(block("paragraph", "본문"), properties=[("상태", "진행"), ("담당", "김\n이")])
    assert texts(document) == ["- 상태: 진행\n- 담당: 김 이", "본문"]


def test_hostile_text_stays_text() -> None:
    nasty = '<script>alert(1)</script></p><h1 hidden>&amp;"\x00'
    page = rendered(
        block("paragraph", nasty),
        block("code", nasty),
        block("heading_1", nasty),
        title=nasty,
        properties=[(nasty, nasty)],
    )
    assert b"<script>alert" not in page.html
    document = html.parse(page.html)
    shown_text = '<script>alert(1)</script></p><h1 hidden>&amp;"'
    assert document.title == shown_text
    assert texts(document)[0].count(shown_text) == 2
    assert [part.text for part in document.sections[-1].blocks] == []
    assert shown_text in texts(document)


def test_a_lone_surrogate_does_not_stop_a_page() -> None:
    assert texts(read(block("paragraph", "앞\ud800뒤"))) == ["앞?뒤"]


@pytest.mark.parametrize("raw", [None, "x", [None], [{"type": "text"}], [{"type": 3}], [{"plain_text": 5}], {"a": 1}])
def test_rich_text_that_is_none_is_empty(raw: object) -> None:
    assert plain_text(raw) == ""


PROPERTIES: dict[str, Any] = {
    "이름": {"type": "title", "title": rich("제목 값")},
    "글": {"type": "rich_text", "rich_text": rich("글 값")},
    "수": {"type": "number", "number": 1234567.5},
    "영": {"type": "number", "number": 0},
    "선택": {"type": "select", "select": {"name": "높음"}},
    "여럿": {"type": "multi_select", "multi_select": [{"name": "가"}, {"name": "나"}]},
    "상태": {"type": "status", "status": {"name": "완료"}},
    "날": {"type": "date", "date": {"start": "2026-01-05", "end": "2026-01-07"}},
    "사람": {"type": "people", "people": [{"name": "김지수"}, {"object": "user"}]},
    "파일": {"type": "files", "files": [{"name": "a.pdf", "file": {"url": "https://secret"}}]},
    "확인": {"type": "checkbox", "checkbox": True},
    "주소": {"type": "url", "url": "https://example.com"},
    "식": {"type": "formula", "formula": {"type": "string", "string": "계산"}},
    "참": {"type": "formula", "formula": {"type": "boolean", "boolean": False}},
    "관계": {"type": "relation", "relation": [{"id": "p1"}, {"id": "안 보임"}]},
    "모음": {"type": "rollup", "rollup": {"type": "array", "array": [{"type": "number", "number": 3}]}},
    "합": {"type": "rollup", "rollup": {"type": "number", "number": 7}},
    "번호": {"type": "unique_id", "unique_id": {"prefix": "HR", "number": 12}},
    "고침": {"type": "last_edited_time", "last_edited_time": "2026-01-01"},
    "빈 글": {"type": "rich_text", "rich_text": []},
    "빈 날": {"type": "date", "date": None},
    "새것": {"type": "hologram", "hologram": {"x": 1}},
}


def test_columns_show_what_a_person_sees() -> None:
    assert title_of(PROPERTIES) == "제목 값"
    assert dict(shown(properties_of(PROPERTIES), {"p1": "관련 문서"})) == {
        "글": "글 값",
        "수": "1234567.5",
        "영": "0",
        "선택": "높음",
        "여럿": "가, 나",
        "상태": "완료",
        "날": "2026-01-05 ~ 2026-01-07",
        "사람": "김지수",
        "파일": "a.pdf",
        "확인": "☑",
        "주소": "https://example.com",
        "식": "계산",
        "참": "☐",
        "관계": "관련 문서",
        "모음": "3",
        "합": "7",
        "번호": "HR-12",
    }


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([float("nan"), "", "글", "type", "\ud800"])
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "id", "name"]), inner, max_size=2)
    ),
    max_leaves=4,
)
KINDS = [
    *(
        "paragraph heading_1 heading_2 heading_3 heading_4 bulleted_list_item numbered_list_item to_do toggle quote"
    ).split(),
    *(
        "callout code table table_row column_list column synced_block tab equation bookmark image pdf child_page"
    ).split(),
    *("child_database link_to_page divider unsupported meeting_notes template hologram").split(),
]


@given(
    st.sampled_from(
        ["relation", "rollup", "people", "formula", "date", "unique_id", "files", "place", "select", "title"]
    ),
    JSON,
    st.sampled_from(["array", "relation", "rollup", "formula"]),
)
@settings(max_examples=150, deadline=None)
def test_any_properties_are_read_without_an_error(kind: str, value: Any, inner: str) -> None:
    properties = {
        "가": {"type": kind, kind: value},
        "나": {"type": kind, kind: {"type": inner, inner: value}},
        "다": value,
    }
    shown(properties_of(properties), {})
    title_of(properties)
    title_of(value)


def planted(flat: Sequence[tuple[dict[str, Any], int]]) -> list[dict[str, Any]]:
    """Blocks from a list of blocks and depths: each stands in the nearest one before it that is less deep."""
    top: list[dict[str, Any]] = []
    line: list[tuple[int, dict[str, Any]]] = []
    for raw, depth in flat:
        line = [(level, above) for level, above in line if level < depth]
        (line[-1][1]["children"] if line else top).append(raw)
        line.append((depth, raw))
    return top


CONTENT = st.dictionaries(
    st.sampled_from(["rich_text", "cells", "caption", "title", "url", "checked", "type", "synced_from"]),
    JSON,
    max_size=3,
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), CONTENT, st.integers(0, 5)), max_size=15))
@settings(max_examples=100, deadline=None)
def test_any_tree_of_blocks_is_rendered_without_an_error(flat: Sequence[tuple[str, dict[str, Any], int]]) -> None:
    blocks = planted([({"type": kind, kind: content, "children": []}, depth) for kind, content, depth in flat])
    html.parse(rendered(*blocks).html)


FRAMES = [
    "column_list",
    "column",
    "toggle",
    "quote",
    "callout",
    "bulleted_list_item",
    "numbered_list_item",
    "to_do",
    "tab",
]
MARKS = ["<b>", "&lt;", "한글", "]]>", "<!--"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["paragraph", "code", "heading_2", *FRAMES]), st.sampled_from(MARKS), st.integers(0, 5)
        ),
        min_size=1,
        max_size=14,
    )
)
@settings(max_examples=100, deadline=None)
def test_every_text_is_there_exactly_once_and_in_order(flat: Sequence[tuple[str, str, int]]) -> None:
    silent = ("column_list", "column", "tab")
    names = [f"문장{at}끝" for at in range(len(flat))]
    blocks = planted(
        [
            (block(kind, "" if kind in silent else f"{name} {mark}"), depth)
            for name, (kind, mark, depth) in zip(names, flat, strict=True)
        ]
    )
    page = rendered(*blocks)
    # A heading under which nothing stands has no section of its own: it is looked for in the HTML.
    markup = page.html.decode()
    told = [(name, mark, kind) for name, (kind, mark, _) in zip(names, flat, strict=True) if kind not in silent]
    read_lines = []
    for section in html.parse(page.html).sections:
        read_lines += [*section.heading, *(part.text for part in section.blocks)]
    everything = "\n".join(dict.fromkeys(read_lines))
    for name, mark, kind in told:
        assert markup.count(name) == 1
        if kind != "heading_2":
            assert everything.count(f"{name} {mark}") == 1
    places = [markup.index(name) for name, _, _ in told]
    assert places == sorted(places)


def test_what_is_nested_absurdly_deep_is_counted_not_followed() -> None:
    nested = block("paragraph", "바닥")
    for _ in range(MAX_DEPTH + 40):
        nested = block("quote", "층", [nested])
    page = rendered(nested)
    assert "바닥" not in page.html.decode()
    assert page.left_out == {"nested too deep": 1}
