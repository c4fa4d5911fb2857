"""Presentations made with python-pptx."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import pptx as powerpoint
import pytest
from lxml import etree
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Cm

from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.formats import parse, pptx
from knowledge.page import Block, Document
from tests.fakes.office_parts import names_of, part_of, with_part

TITLE_SLIDE, CONTENT_SLIDE, TITLE_ONLY, BLANK = 0, 1, 5, 6
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)


class Deck:
    """A presentation being made."""

    def __init__(self) -> None:
        self.made = powerpoint.Presentation()

    def slide(self, layout: int, title: str = "") -> Any:
        slide = self.made.slides.add_slide(self.made.slide_layouts[layout])
        if title:
            slide.shapes.title.text = title
        return slide

    def saved(self) -> bytes:
        stream = io.BytesIO()
        self.made.save(stream)
        return stream.getvalue()

    def read(self) -> Document:
        return pptx.parse(self.saved())


def box(shapes: Any, text: str, left: float, top: float, height: float = 1) -> Any:
    made = shapes.add_textbox(Cm(left), Cm(top), Cm(5), Cm(height))
    made.text_frame.text = text
    return made


def test_a_slide_is_a_section_under_its_title_with_its_number() -> None:
    deck = Deck()
    deck.slide(TITLE_SLIDE, "2026년 복지 제도").placeholders[1].text = "인사팀"
    deck.slide(CONTENT_SLIDE, "휴가").placeholders[1].text = "연차는 1년에 15일입니다."
    document = deck.read()
    assert document.title == "2026년 복지 제도"
    assert [(s.page_number, s.heading, s.blocks) for s in document.sections] == [
        (1, ("2026년 복지 제도",), (Block("인사팀"),)),
        (2, ("휴가",), (Block("연차는 1년에 15일입니다."),)),
    ]


def test_bullets_are_a_list_with_levels() -> None:
    deck = Deck()
    frame = deck.slide(CONTENT_SLIDE, "휴가").placeholders[1].text_frame
    frame.text = "연차"
    for level, text in ((1, "15일"), (1, "3년 이상은 16일"), (0, "① 병가")):
        paragraph = frame.add_paragraph()
        paragraph.text, paragraph.level = text, level
    assert deck.read().sections[0].blocks == (Block("- 연차\n  - 15일\n  - 3년 이상은 16일\n① 병가", "list"),)


def test_shapes_are_read_from_the_top_and_from_the_left_whatever_their_order_in_the_file() -> None:
    deck = Deck()
    shapes = deck.slide(TITLE_ONLY, "조직도").shapes
    box(shapes, "아래", 1, 12)
    box(shapes, "오른쪽", 12, 5, 2)
    box(shapes, "왼쪽", 1, 5.4, 2)
    group = shapes.add_group_shape()
    box(group.shapes, "묶음의 둘째", 1, 9)
    box(group.shapes, "묶음의 첫째", 1, 8)
    assert [block.text for block in deck.read().sections[0].blocks] == [
        *("왼쪽", "오른쪽", "묶음의 첫째", "묶음의 둘째", "아래")
    ]


def test_without_a_title_the_topmost_short_line_is_the_heading() -> None:
    deck = Deck()
    shapes = deck.slide(BLANK).shapes
    box(shapes, "매출은 지난해보다 늘었습니다.", 1, 6)
    box(shapes, "분기 실적", 1, 1)
    deck.slide(BLANK).shapes.add_textbox(0, 0, Cm(1), Cm(1)).text_frame.text = "혼자 있는 글"
    document = deck.read()
    assert [(s.heading, s.blocks) for s in document.sections] == [
        (("분기 실적",), (Block("매출은 지난해보다 늘었습니다."),)),
        (("슬라이드 2",), (Block("혼자 있는 글"),)),
    ]


def test_tables_repeat_merged_cells_so_that_each_row_can_be_read() -> None:
    deck = Deck()
    table = deck.slide(TITLE_ONLY, "사무실").shapes.add_table(4, 3, Cm(1), Cm(4), Cm(10), Cm(4)).table
    rows = [["사무실 목록"], ["지역", "이름", "인원"], ["서울", "본사", "10명"], ["", "지사", "3명"]]
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            table.cell(number, column).text = text
    table.cell(0, 0).merge(table.cell(0, 2))
    table.cell(2, 0).merge(table.cell(3, 0))
    assert deck.read().sections[0].blocks == (
        Block("사무실 목록\n지역 | 이름 | 인원\n서울 | 본사 | 10명\n서울 | 지사 | 3명", "table"),
    )


def test_a_chart_is_a_table_of_its_numbers() -> None:
    deck = Deck()
    data = CategoryChartData(number_format='#,##0"억"')
    data.categories = ["1분기", "2분기"]
    data.add_series("매출", (1200, 1500))
    data.add_series("이익", (100, None))
    shapes = deck.slide(TITLE_ONLY, "실적").shapes
    chart = shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(4), Cm(10), Cm(5), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "분기별 실적"
    assert deck.read().sections[0].blocks == (
        Block("분기별 실적"),
        Block("항목 | 매출 | 이익\n1분기 | 1,200억 | 100억\n2분기 | 1,500억 |", "table"),
    )


def test_a_chart_of_points_shows_both_numbers() -> None:
    deck = Deck()
    data = XyChartData(number_format="0.0")
    data.add_series("온도").add_data_point(9, 36.5)
    shapes = deck.slide(TITLE_ONLY, "측정").shapes
    shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, Cm(1), Cm(8), Cm(10), Cm(5), data)
    assert deck.read().sections[0].blocks == (Block("항목 | 온도\n9.0 | 36.5", "table"),)


def test_days_below_a_chart_are_shown_as_days() -> None:
    deck = Deck()
    data = CategoryChartData()
    data.categories = [dt.date(2026, 3, 1), dt.date(2026, 3, 2)]
    data.add_series("문의", (3, 4))
    deck.slide(TITLE_ONLY, "문의").shapes.add_chart(XL_CHART_TYPE.LINE, Cm(1), Cm(8), Cm(10), Cm(5), data)
    (block,) = deck.read().sections[0].blocks
    assert "2026" in block.text
    assert "46082" not in block.text


def chart_deck() -> Deck:
    deck = Deck()
    data = CategoryChartData()
    data.categories = ["1분기"]
    data.add_series("매출", (1200,))
    shapes = deck.slide(TITLE_ONLY, "실적").shapes
    shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(8), Cm(10), Cm(5), data)
    box(shapes, "매출은 늘었습니다.", 1, 4)
    return deck


def test_charts_that_python_pptx_does_not_know_are_read() -> None:
    data = chart_deck().saved()
    (name,) = [name for name in names_of(data) if re.fullmatch(r"ppt/charts/chart\d+\.xml", name)]
    surface = part_of(data, name).replace(b"c:barChart", b"c:surface3DChart")
    document = pptx.parse(with_part(data, name, surface))
    assert document.sections[0].blocks[1] == Block("항목 | 매출\n1분기 | 1200", "table")


def test_a_chart_that_is_missing_does_not_lose_the_slide() -> None:
    data = chart_deck().saved()
    slide = part_of(data, "ppt/slides/slide1.xml")
    broken = re.sub(rb'(<c:chart [^>]*r:id=")rId\d+', rb"\1rId99", slide)
    assert broken != slide
    first, second = pptx.parse(with_part(data, "ppt/slides/slide1.xml", broken)).sections[0].blocks
    assert first == Block("매출은 늘었습니다.")
    assert "읽지 못했습니다" in second.text


def test_speaker_notes_stand_below_their_slide() -> None:
    deck = Deck()
    slide = deck.slide(CONTENT_SLIDE, "휴가")
    slide.placeholders[1].text = "연차는 15일입니다."
    slide.notes_slide.notes_text_frame.text = "신입이 자주 묻습니다."
    deck.slide(CONTENT_SLIDE, "출장").placeholders[1].text = "미리 신청합니다."
    assert [(s.page_number, s.heading) for s in deck.read().sections] == [
        (1, ("휴가",)),
        (1, ("휴가", "발표자 노트")),
        (2, ("출장",)),
    ]


def test_hidden_slides_and_shapes_footers_and_numbers_are_left_out() -> None:
    deck = Deck()
    deck.slide(TITLE_ONLY, "숨긴 슬라이드").element.set("show", "0")
    slide = deck.slide(CONTENT_SLIDE, "휴가")
    slide.placeholders[1].text = "연차는 15일입니다."
    box(slide.shapes, "숨긴 도형", 1, 1).element.xpath("./p:nvSpPr/p:cNvPr")[0].set("hidden", "1")
    footer = box(slide.shapes, "대외비 - 3쪽", 1, 18)
    etree.SubElement(footer.element.xpath("./p:nvSpPr/p:nvPr")[0], f"{{{footer.element.nsmap['p']}}}ph").set(
        "type", "ftr"
    )
    (section,) = deck.read().sections
    assert (section.page_number, section.blocks) == (2, (Block("연차는 15일입니다."),))


@pytest.mark.parametrize(
    ("written", "blocks"),
    [
        ("출입문 비밀번호를 바꾸는 순서도", (Block("[그림: 출입문 비밀번호를 바꾸는 순서도]"),)),
        (
            "텍스트, 스크린샷이(가) 표시된 사진\n\n자동 생성된 설명",
            (Block("[그림: 텍스트, 스크린샷이(가) 표시된 사진]"),),
        ),
        ("image1.png", ()),
        ("그림 3", ()),
    ],
)
def test_what_the_author_wrote_about_a_picture_is_read(written: str, blocks: tuple[Block, ...]) -> None:
    deck = Deck()
    picture = deck.slide(TITLE_ONLY, "출입").shapes.add_picture(io.BytesIO(PIXEL), Cm(1), Cm(5))
    picture.element.xpath("./p:nvPicPr/p:cNvPr")[0].set("descr", written)
    assert deck.read().sections[0].blocks == blocks


DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"


def test_smart_art_is_a_list_with_levels() -> None:
    deck = Deck()
    slide = deck.slide(TITLE_ONLY, "절차")
    points = [
        ("0", "doc", ""),
        ("1", "node", "신청"),
        ("2", "node", "승인"),
        ("3", "node", "팀장"),
        ("4", "pres", "모양"),
    ]
    links = [("0", "2", 1), ("0", "1", 0), ("2", "3", 0), ("3", "2", 0)]  # the last one closes a circle
    data = (
        f'<d:dataModel xmlns:d="{DIAGRAM}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><d:ptLst>'
        + "".join(
            f'<d:pt modelId="{name}" type="{kind}"><d:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></d:t></d:pt>'
            for name, kind, text in points
        )
        + "</d:ptLst><d:cxnLst>"
        + "".join(f'<d:cxn srcId="{a}" destId="{b}" srcOrd="{order}"/>' for a, b, order in links)
        + "</d:cxnLst></d:dataModel>"
    )
    part = Part(
        PackURI("/ppt/diagrams/data1.xml"),
        "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml",
        slide.part.package,
        data.encode(),
    )
    relation = slide.part.relate_to(
        part, f"{DIAGRAM.replace('drawingml/2006', 'officeDocument/2006/relationships')}Data"
    )
    table = slide.shapes.add_table(1, 1, Cm(1), Cm(5), Cm(5), Cm(5))
    graphic = table.element.xpath("./a:graphic/a:graphicData")[0]
    graphic.set("uri", DIAGRAM)
    graphic.remove(graphic[0])
    ids = etree.SubElement(graphic, f"{{{DIAGRAM}}}relIds")
    ids.set("{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm", relation)
    assert deck.read().sections[0].blocks == (Block("- 신청\n- 승인\n  - 팀장", "list"),)


def test_what_newer_versions_draw_is_read_once() -> None:
    deck = Deck()
    slide = deck.slide(TITLE_ONLY, "수식")
    text = "<p:sp><p:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:txBody></p:sp>"
    namespaces = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    )
    slide.shapes._spTree.append(
        etree.fromstring(
            f"<mc:AlternateContent {namespaces}><mc:Choice Requires='a14'>{text.format('면적은 가로 × 세로')}</mc:Choice>"
            f"<mc:Fallback>{text.format('그림으로 바꾼 수식')}</mc:Fallback></mc:AlternateContent>"
        )
    )
    assert deck.read().sections[0].blocks == (Block("면적은 가로 × 세로"),)


def test_a_slide_show_with_macros_is_read_like_a_presentation() -> None:
    deck = Deck()
    deck.slide(CONTENT_SLIDE, "휴가").placeholders[1].text = "연차는 15일입니다."
    data = deck.saved()
    types = part_of(data, "[Content_Types].xml")
    for kind in (b"slideshow.main+xml", b"presentation.macroEnabled.main+xml"):
        changed = types.replace(b"presentation.main+xml", kind)
        if b"macro" in kind:
            changed = changed.replace(
                b"application/vnd.openxmlformats-officedocument.presentationml.presentation.macro",
                b"application/vnd.ms-powerpoint.presentation.macro",
            )
        assert parse(with_part(data, "[Content_Types].xml", changed), "휴가.ppsx").title == "휴가"


def test_films_and_pictures_are_not_unpacked() -> None:
    deck = Deck()
    deck.slide(TITLE_ONLY, "출입").shapes.add_picture(io.BytesIO(PIXEL), Cm(1), Cm(5))
    data = deck.saved()
    (picture,) = [name for name in names_of(data) if name.startswith("ppt/media/")]
    assert pptx.parse(with_part(data, picture, bytes(40_000_000))).title == "출입"


def test_a_deck_without_text_has_none() -> None:
    deck = Deck()
    deck.slide(BLANK)
    with pytest.raises(PageWithoutText):
        deck.read()


@pytest.mark.parametrize("data", [b"PK\x03\x04broken", Deck().saved()[:2000], b"not a zip"])
def test_a_broken_file_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePage):
        pptx.parse(data)


def test_groups_nested_without_end_are_refused() -> None:
    deck = Deck()
    shapes = deck.slide(TITLE_ONLY, "묶음").shapes
    for _ in range(45):
        shapes = shapes.add_group_shape().shapes
    box(shapes, "맨 안", 1, 1)
    with pytest.raises(UnreadablePage, match="too deep"):
        deck.read()
