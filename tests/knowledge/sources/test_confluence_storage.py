"""Confluence's storage format becomes a page that the HTML parser reads as people see it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.formats import html
from knowledge.page import Document
from knowledge.sources.confluence_storage import render_storage, storage_to_html


def read(storage: str, title: str = "제목") -> Document:
    return html.parse(storage_to_html(storage, title).encode())


def texts(storage: str) -> list[str]:
    return [part.text for section in read(storage).sections for part in section.blocks]


def macro(name: str, body: str = "", plain: str | None = None, **parameters: str) -> str:
    inner = "".join(f'<ac:parameter ac:name="{key}">{value}</ac:parameter>' for key, value in parameters.items())
    inner += f"<ac:rich-text-body>{body}</ac:rich-text-body>" if body else ""
    inner += f"<ac:plain-text-body><![CDATA[{plain}]]></ac:plain-text-body>" if plain is not None else ""
    return f'<ac:structured-macro ac:name="{name}" ac:schema-version="1" ac:macro-id="x">{inner}</ac:structured-macro>'


def test_headings_stand_below_the_title_which_is_the_pages_own() -> None:
    document = read("<h1>휴가</h1><p>하나</p><h2>연차</h2><p>둘</p><h6>끝</h6><p>셋</p>")
    assert document.title == "제목"
    assert [section.heading for section in document.sections] == [("휴가",), ("휴가", "연차"), ("휴가", "연차", "끝")]


def test_entities_line_breaks_and_dates() -> None:
    storage = '<p>가&nbsp;나&mdash;다&amp;라 &unknown;<br />둘째 줄 <time datetime="2026-01-05" /></p>'
    assert texts(storage) == ["가 나—다&라 &unknown;\n둘째 줄 2026-01-05"]


def test_code_is_kept_as_written_whatever_it_holds() -> None:
    code = "if a < b && c:\n    print('&nbsp; <b>')  # ]]"
    assert texts(macro("code", plain=code, language="py", title="예제")) == ["예제", code]
    split = "x = a]]]]><![CDATA[>b"
    assert texts(macro("code", plain=split)) == ["x = a]]>b"]


@pytest.mark.parametrize(
    "name", ["info", "note", "warning", "tip", "panel", "expand", "excerpt", "details", "someone-elses"]
)
def test_frames_show_their_title_and_what_they_hold(name: str) -> None:
    storage = macro(name, "<p>안쪽 글</p><ul><li>항목</li></ul>", title="머리말", icon="false")
    assert texts(storage) == ["머리말", "안쪽 글", "- 항목"]


def test_a_status_is_a_word_in_its_sentence() -> None:
    assert texts(f"<p>현재 상태:{macro('status', title='진행 중', colour='Green')}입니다</p>") == [
        "현재 상태: 진행 중 입니다"
    ]


def test_what_confluence_makes_itself_is_no_text_and_what_comes_from_elsewhere_is_counted() -> None:
    storage = (
        macro("toc", maxLevel="3") + macro("children") + macro("jira", key="ABC-1") + macro("drawio") + macro("jira")
    )
    rendered = render_storage(storage + "<p>본문</p>", "제목")
    assert "ABC-1" not in rendered.html
    assert "3" not in texts(storage + "<p>본문</p>")[0]
    assert rendered.left_out == {"jira": 2, "drawio": 1}


def test_an_include_is_the_name_of_the_page_and_a_hidden_excerpt_stays_hidden() -> None:
    link = '<ac:link><ri:page ri:content-title="공통 규정" ri:space-key="HR" /></ac:link>'
    assert texts(macro("include", **{"": link}) + "<p>본문</p>") == ["공통 규정", "본문"]
    rendered = render_storage(macro("excerpt", "<p>숨긴 글</p>", hidden="true") + "<p>본문</p>")
    assert "숨긴 글" not in rendered.html
    assert rendered.left_out == {"hidden excerpt": 1}


def test_links_show_their_words_or_the_title_and_people_a_placeholder() -> None:
    storage = (
        '<p><ac:link><ri:page ri:content-title="휴가 규정" /></ac:link>, '
        '<ac:link><ri:page ri:content-title="X" /><ac:plain-text-link-body><![CDATA[여기 <]]></ac:plain-text-link-body></ac:link>, '
        '<ac:link><ri:page ri:content-title="X" /><ac:link-body>굵게 <strong>여기</strong></ac:link-body></ac:link>, '
        '<ac:link><ri:attachment ri:filename="양식.hwp" /></ac:link>, '
        '<ac:link><ri:user ri:account-id="712020:secret" /></ac:link>, <a href="https://example.com">밖</a></p>'
    )
    assert texts(storage) == ["휴가 규정, 여기 <, 굵게 여기, 양식.hwp, @사용자, 밖"]
    assert "secret" not in storage_to_html(storage)


def test_tasks_are_a_list_with_their_state() -> None:
    task = "<ac:task><ac:task-id>7</ac:task-id><ac:task-status>{}</ac:task-status><ac:task-body>{}</ac:task-body></ac:task>"
    storage = f"<ac:task-list>{task.format('complete', '계약')}{task.format('incomplete', '<span>입금</span>')}</ac:task-list>"
    assert texts(storage) == ["- ☑ 계약\n- ☐ 입금"]


def test_tables_keep_merged_cells_readable() -> None:
    storage = (
        '<table class="wrapped"><colgroup><col /></colgroup><tbody><tr><th>직급</th><th colspan="2">한도</th></tr>'
        '<tr><td rowspan="2"><p>팀장</p></td><td>식비</td><td>5만 원</td></tr><tr><td>교통</td><td>3만 원</td></tr></tbody></table>'
    )
    assert texts(storage) == ["직급 | 한도 | 한도\n팀장 | 식비 | 5만 원\n팀장 | 교통 | 3만 원"]


def test_layouts_are_read_cell_by_cell() -> None:
    cells = "<ac:layout-cell><p>왼쪽</p></ac:layout-cell><ac:layout-cell><p>오른쪽</p></ac:layout-cell>"
    section = f'<ac:layout><ac:layout-section ac:type="two_equal">{cells}</ac:layout-section></ac:layout>'
    assert texts(section) == ["왼쪽", "오른쪽"]


def test_pictures_speak_by_their_alternative_text_and_caption() -> None:
    storage = (
        '<ac:image ac:alt="조직도"><ri:attachment ri:filename="a.png" /><ac:caption><p>그림 1</p></ac:caption></ac:image>'
        '<p>좋습니다 <ac:emoticon ac:name="thumbs-up" ac:emoji-fallback="👍" /><ac:emoticon ac:emoji-fallback=":blue:" /></p>'
    )
    assert texts(storage) == ["조직도", "그림 1", "좋습니다 👍"]


def test_a_panel_of_the_new_editor_is_read_once() -> None:
    node = '<ac:adf-node type="panel"><ac:adf-attribute key="panel-type">note</ac:adf-attribute>'
    node += "<ac:adf-content><p>알림</p></ac:adf-content></ac:adf-node>"
    storage = f"<ac:adf-extension>{node}<ac:adf-fallback><div><p>알림</p></div></ac:adf-fallback></ac:adf-extension>"
    assert texts(storage) == ["알림"]
    assert texts("<ac:adf-extension><ac:adf-fallback><p>옛 글</p></ac:adf-fallback></ac:adf-extension>") == ["옛 글"]


def test_comments_placeholders_and_scripts_are_no_text() -> None:
    marked = '<ac:inline-comment-marker ac:ref="r">표시된 글</ac:inline-comment-marker>'
    storage = f"<p><!-- 숨김 --><ac:placeholder>여기에 쓰세요</ac:placeholder>{marked}</p><script>x</script><?pi 숨김?>"
    assert texts(storage) == ["표시된 글"]


def test_a_page_that_only_holds_others_is_found_by_its_name() -> None:
    assert texts("") == ["제목"]
    assert texts(macro("children")) == ["제목"]
    with pytest.raises(PageWithoutText):
        html.parse(storage_to_html("").encode())


def test_hostile_text_stays_text() -> None:
    storage = '<p>&lt;script&gt;alert(1)&lt;/script&gt; &#x1f;&#0;&#xD800;</p><p title="&quot;&gt;&lt;b&gt;">다</p>'
    assert "<script>" not in storage_to_html(storage)
    assert texts(storage) == ["<script>alert(1)</script>", "다"]
    assert "<script>" not in storage_to_html("", "<script>")


@pytest.mark.parametrize(
    "storage",
    [
        "<p>끊긴",
        "<p></div>",
        "</page><page>",
        '<!DOCTYPE x [<!ENTITY a "b">]><p>&a;</p>',
        "<p>a & b</p>",
        "<ac:link",
        "<![CDATA[열림",
        "<p>" * 3000 + "</p>" * 3000,
    ],
)
def test_a_broken_body_is_no_short_page(storage: str) -> None:
    with pytest.raises(UnreadablePage):
        storage_to_html(storage)


def test_deep_nesting_is_flattened_and_foreign_prefixes_are_declared() -> None:
    assert "바닥" in texts("<div>" * 150 + "바닥" + "</div>" * 150)[0]
    assert texts('<p><custom:thing other:kind="x">글</custom:thing></p>') == ["글"]


WHOLE = (
    "<h1>제목</h1><p>글 &nbsp; <strong>굵게</strong></p>"
    + macro("code", plain="a < b", language="py")
    + macro("info", "<p>안</p>", title="t")
    + '<table><tbody><tr><td colspan="2">가</td></tr></tbody></table>'
    + '<ac:link><ri:page ri:content-title="X" /><ac:plain-text-link-body><![CDATA[y]]></ac:plain-text-link-body></ac:link>'
    + "<ac:task-list><ac:task><ac:task-status>complete</ac:task-status><ac:task-body>b</ac:task-body></ac:task></ac:task-list>"
    + "<ac:adf-extension><ac:adf-node><ac:adf-content><p>n</p></ac:adf-content></ac:adf-node></ac:adf-extension>"
)
SCRAPS = st.sampled_from(
    ["<", ">", "&", "]]>", "<![CDATA[", '"', "\x00", "\ud800", "<ac:link>", "ac:", "&#x0;", "&nbsp", "x", ""]
)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 12), SCRAPS), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_mutation_is_read_or_reported_as_unreadable(changes: list[tuple[int, int, str]]) -> None:
    storage = WHOLE
    for at, length, scrap in changes:
        storage = storage[:at] + scrap + storage[at + length :]
    try:
        document = read(storage)
    except UnreadablePage:
        return
    assert document.sections
