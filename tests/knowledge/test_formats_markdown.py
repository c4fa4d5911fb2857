"""Markdown: headings, blocks, inline markup, front matter."""

from __future__ import annotations

import pytest

from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.formats.markdown import parse
from knowledge.page import Block, Document

PAGE = """# 휴가 규정

[그룹웨어](https://gw.example.com)에서 **미리** 신청합니다. ![결재 화면](a.png)

## 연차
### 일수

| 근속 | 일수 |
|------|-----:|
| 1년 | 15일 |
| `3년` | **16일** |

### 신청
1. 신청서를 쓴다
   - 사유는 선택
     이어지는 줄
2. 팀장이 승인한다

   승인은 하루 안에 합니다.

```python
print("휴가")
```

> 인용한 공지입니다.

<div>바깥 <b>HTML</b><script>alert(1)</script></div>

# 부칙
시행일은 2026. 1. 5.입니다.
"""


def read(text: str) -> Document:
    return parse(text.encode())


def test_sections_have_heading_paths_without_the_title() -> None:
    document = read(PAGE)
    assert document.title == "휴가 규정"
    assert [section.heading for section in document.sections] == [(), ("연차", "일수"), ("연차", "신청"), ("부칙",)]


def test_inline_markup_becomes_its_text() -> None:
    assert read(PAGE).sections[0].blocks == (Block("그룹웨어에서 미리 신청합니다. 결재 화면"),)


def test_tables_have_one_row_per_line_header_first() -> None:
    assert read(PAGE).sections[1].blocks == (Block("근속 | 일수\n1년 | 15일\n3년 | 16일", "table"),)


def test_lists_keep_numbers_and_nesting_one_item_per_line() -> None:
    block = read(PAGE).sections[2].blocks[0]
    assert block == Block(
        "1. 신청서를 쓴다\n  - 사유는 선택 이어지는 줄\n2. 팀장이 승인한다 승인은 하루 안에 합니다.", "list"
    )


def test_code_quotes_and_raw_html_are_kept_as_text() -> None:
    assert read(PAGE).sections[2].blocks[1:] == (
        Block('print("휴가")', "code"),
        Block("인용한 공지입니다."),
        Block("바깥 HTML"),
    )


def test_code_inside_a_list_item_stands_between_the_items() -> None:
    kinds = [block.kind for block in read("- 설치\n  ```\n  make demo\n  ```\n- 실행").sections[0].blocks]
    assert kinds == ["list", "code", "list"]


def test_a_page_may_begin_below_level_one() -> None:
    document = read("## 개요\n내용\n# 제목\n본문")
    assert document.title == "제목"
    assert [section.heading for section in document.sections] == [("개요",), ()]


def test_a_heading_with_nothing_under_it_is_not_lost() -> None:
    document = read("# 조직도\n## 개발팀\n## 인사팀\n본문")
    assert [(section.heading, len(section.blocks)) for section in document.sections] == [
        (("개발팀",), 0),
        (("인사팀",), 1),
    ]


def test_a_title_alone_is_no_page() -> None:
    with pytest.raises(PageWithoutText):
        read("# 제목뿐인 문서\n")


def test_front_matter_is_read() -> None:
    document = read(
        "---\ntitle: '연차'\nAudience:\n  - 인사팀\nupdated: 2026-02-30\nreplaced-by: 새.md\ntags: [a]\n---\n본문"
    )
    assert document.meta == {
        "title": "연차",
        "audience": ["인사팀"],
        "updated": "2026-02-30",
        "replaced_by": "새.md",
    }
    assert document.sections[0].blocks == (Block("본문"),)


@pytest.mark.parametrize("opening", ["\ufeff---", "\n\n---", "--- "])
def test_front_matter_is_found_behind_what_editors_leave(opening: str) -> None:
    assert read(f"{opening}\naudience: 인사팀\n---\n본문").meta == {"audience": "인사팀"}


@pytest.mark.parametrize(
    ("front", "line"),
    [
        ("title: 가\naudience: [인사팀\n---", 3),
        ("title: 가\naudience: 인사팀: 임원\n---", 3),
        ("audience:\n---", 2),
        ("audience: {a: b}\n---", 2),
        ("audience: 123\n---", 2),
        ("audience: [[a]]\n---", 2),
        ("audience: a\naudience: everyone\n---", 3),
        ("saseo:\n  audience: a\n---", 2),
        ("audience: 인사팀", 1),  # never closed
        ("\naudience: 인사팀", 1),
        ("audience\uff1a인사팀\n---", 2),  # a full-width colon
    ],
)
def test_broken_front_matter_makes_the_page_unreadable_and_names_the_line(front: str, line: int) -> None:
    with pytest.raises(UnreadablePage) as caught:
        read(f"---\n{front}\n본문")
    assert f"line {line}" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["---\n\n오늘의 공지: '내일 휴무\n\n---\n본문", "---\n본문", "---\n\n---\n\n본문", "본문\n\n---\naudience: x"],
)
def test_a_rule_at_the_top_is_not_front_matter(text: str) -> None:
    document = read(text)
    assert document.meta == {}
    assert any("본문" in block.text for section in document.sections for block in section.blocks)


def test_an_alias_bomb_is_harmless() -> None:
    bomb = "a: &a [x,x]\n" + "".join(
        f"{c}: &{c} [*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert read(f"---\n{bomb}title: *i\n---\n본문").meta == {"title": None}


def test_deep_nesting_does_not_crash() -> None:
    for mark in ("> ", "- ", "[", "*a **b "):
        try:
            read(mark * 3000 + "끝")
        except (PageWithoutText, UnreadablePage):
            continue
