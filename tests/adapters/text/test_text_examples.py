"""Examples a reader can check by eye: what a model wrote, and what Slack and Discord get. `·` stands for the hair space."""

from __future__ import annotations

from typing import Literal

import pytest

from adapters.text import Markdown, SafeStream, inline, mrkdwn, plain
from adapters.text.emitter import BREAK

LINKS = {1: "https://wiki.hanbit.example/leave", 2: "javascript:alert(1)"}
ONE = r"[\[1\]](https://wiki.hanbit.example/leave)"
ONE_DISCORD = "[[1]](https://wiki.hanbit.example/leave)"


def seen(text: str) -> str:
    """With hair spaces made visible."""
    return text.replace(BREAK, "·")


@pytest.mark.parametrize(
    ("source", "slack", "discord"),
    [
        # 인용 번호
        ("연차는 15일입니다. [1]", f"연차는 15일입니다. {ONE}", f"연차는 15일입니다. {ONE_DISCORD}"),
        ("연차는 15일입니다![1]", f"연차는 15일입니다!·{ONE}", f"연차는 15일입니다!·{ONE_DISCORD}"),
        ("주소가 안전하지 않으면 번호만 [2]", "주소가 안전하지 않으면 번호만 [2]", "주소가 안전하지 않으면 번호만 [2]"),
        ("없는 번호 [7][8]", "없는 번호 [7]·[8]", "없는 번호 [7]·[8]"),
        ("[1]: http://evil.com", f"{ONE}: http:·//evil.·com", f"{ONE_DISCORD}: http:·//evil.·com"),
        # 강조: 한국어 조사가 바로 붙어도 굵게
        ("**연차**는 15일", "**연차**는 15일", "**연차**는 15일"),
        ("**연차(15일)**는", "**연차(15일)**·는", "**연차(15일)**는"),
        ("회사는**(주)한빛**입니다", "회사는·**(주)한빛**입니다", "회사는**(주)한빛**입니다"),
        ("**연차**와 *병가*, ***둘 다***", "**연차**와 *병가*, ***둘 다***", "**연차**와 *병가*, ***둘 다***"),
        ("~~취소~~한 글", "~~취소~~한 글", "~~취소~~한 글"),
        ("짝이 없는 **별", r"짝이 없는 \*\*별", r"짝이 없는 \*\*별"),
        # 한국어 글에서 뜻이 없는 기호
        ("9~18시, 1~2일", "9~·18시, 1~·2일", "9~18시, 1~2일"),
        ("3 * 4, 3*4", r"3 * 4, 3\*4", r"3 * 4, 3\*4"),
        ("snake_case와 한글_변수_이름", r"snake_case와 한글\_변수\_이름", r"snake_case와 한글\_변수\_이름"),
        ("2026. 3. 5.부터 시행합니다", "·2026. 3. 5.부터 시행합니다", "·2026. 3. 5.부터 시행합니다"),
        ("3. 1. 기준", "·3. 1. 기준", "·3. 1. 기준"),
        ("- 2024. 3. 5. 시행", "- ·2024. 3. 5. 시행", "- ·2024. 3. 5. 시행"),
        ("1. 2024. 3. 5. 시행", "1. ·2024. 3. 5. 시행", "1. ·2024. 3. 5. 시행"),
        ("<별표 1>과 a < b, A&B", "<별표 1>과 a < b, A&B", "<별표 1>과 a < b, A&B"),
        (r"\# 제목이 아님", r"\# 제목이 아님", r"\# 제목이 아님"),
        ("-# 작은 글씨", r"\-# 작은 글씨", r"\-# 작은 글씨"),
        ("||비밀||", "||비밀||", "|·|비밀|·|"),
        # 제목, 목록, 인용, 코드
        ("#### 넷째 제목", "#### 넷째 제목", "### 넷째 제목"),
        ("- 하나\n  - 둘\n* 셋", "- 하나\n  - 둘\n\n- 셋", "- 하나\n  - 둘\n\n- 셋"),
        ("1. 첫째\n2. 둘째", "1. 첫째\n2. 둘째", "1. 첫째\n2. 둘째"),
        ("> 인용\n> 둘째 줄", "> 인용\n> 둘째 줄", "> 인용\n> 둘째 줄"),
        (">>> 끝까지", "> > > 끝까지", "> > > 끝까지"),
        ("```bash\nsaseo serve\n```", "```bash\nsaseo serve\n```", "```bash\nsaseo serve\n```"),
        ("닫지 않은\n```\n코드", "닫지 않은\n\n```\n코드\n```", "닫지 않은\n\n```\n코드\n```"),
        ("`saseo index`로", "`saseo index`로", "`saseo index`로"),
        ("`git clone https://git.hanbit`", "`git clone https:·//git.hanbit`", "`git clone https://git.hanbit`"),
        ("````\n```\nhttp://evil.com\n````", "```\n``·`\nhttp:·//evil.com\n```", "```\n``·`\nhttp://evil.com\n```"),
        ("`가`&#8203;`나`", "`가`·`나`", "`가`·`나`"),
        ("`` 백틱 ` 하나 ``", "`` 백틱 ` 하나 ``", "`` 백틱 ` 하나 ``"),
        # 표
        (
            "| 항목 | 금액 |\n|---|---|\n| 일비 | 40,000원 [1] |",
            f"| 항목 | 금액 |\n| --- | --- |\n| 일비 | 40,000원 {ONE} |",
            f"**항목**: **금액**\n- 일비: 40,000원 {ONE_DISCORD}",
        ),
        (
            "| 구분 | 일비 | 숙박 |\n|---|---|---|\n| 국내 | 4만 원 | |\n| 해외 | 9만 원 | 20만 원 |",
            "| 구분 | 일비 | 숙박 |\n| --- | --- | --- |\n| 국내 | 4만 원 |  |\n| 해외 | 9만 원 | 20만 원 |",
            "- 구분: 국내 · 일비: 4만 원\n- 구분: 해외 · 일비: 9만 원 · 숙박: 20만 원".replace("·", "\u00b7"),
        ),
        # 호출
        ("@everyone 확인", "@·everyone 확인", "@·everyone 확인"),
        ("@\u200bhere", "@·here", "@·here"),
        ("＠channel", "＠·channel", "＠·channel"),
        ("<!channel> <@U1> <#C1>", "<·!channel> <·@·U1> <·#C1>", "<·!channel> <·@·U1> <·#C1>"),
        ("&lt;!here&gt;", "<·!here>", "<·!here>"),
        ("&amp;lt;!here&amp;gt;", "&lt·;!here&gt·;", "&lt;!here&gt;"),
        ("</ask:1> <t:1> <:emo:1>", "<·/ask:1> <·t:1> <·:emo:1>", "<·/ask:1> <·t:1> <·:emo:1>"),
        ("`@everyone` `<!here>`", "`@·everyone` `<·!here>`", "`@·everyone` `<·!here>`"),
        # 링크와 그림
        ("[연차 규정](http://evil.com)을 보십시오", "연차 규정을 보십시오", "연차 규정을 보십시오"),
        ("![그림](http://evil.com/?q=비밀)", "그림", "그림"),
        ("[a][b]\n\n[b]: http://evil.com", "[a]·[b]\n\n[b]·: http:·//evil.·com", "[a]·[b]\n\n[b]·: http:·//evil.·com"),
        ("<http://evil.com>", "<·http:·//evil.·com>", "<·http:·//evil.·com>"),
        ("https://gw.hanbit.kr/a", "https:·//gw.·hanbit.·kr/a", "https:·//gw.·hanbit.·kr/a"),
        ("문의: kim@hanbit.kr, README.md", "문의: kim@·hanbit.·kr, README.·md", "문의: kim@·hanbit.·kr, README.·md"),
        ('<img src="http://evil.com">', '<·img src="http:·//evil.·com">', '<·img src="http:·//evil.·com">'),
        # 보이지 않는 글자
        ("moc.live\u202eⓧ", "moc.·liveⓧ", "moc.·liveⓧ"),
        ("가족 👨\u200d👩\u200d👧 ❤\ufe0f", "가족 👨\u200d👩\u200d👧 ❤\ufe0f", "가족 👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_an_answer_reads_well_and_does_no_harm(source: str, slack: str, discord: str) -> None:
    assert seen(Markdown("slack").render(source, LINKS)) == slack
    assert seen(Markdown("discord").render(source, LINKS)).replace("\u00b7", "·") == discord.replace("\u00b7", "·")


@pytest.mark.parametrize("marker", ["> ", "- ", "1. ", "* > "])
def test_text_below_ever_so_many_markers_is_not_lost(marker: str) -> None:
    assert "끝" in Markdown("slack").render(marker * 500 + "끝", {})
    assert "끝" in plain("\n".join("  " * depth + "- 하나" for depth in range(30)) + "\n" + "  " * 30 + "- 끝")


def test_what_was_made_harmless_once_stays_as_it_is() -> None:
    once = mrkdwn("@here https://evil.com")
    assert mrkdwn(plain("@here https://evil.com")) == once


def test_one_renderer_renders_many_answers() -> None:
    rendering = Markdown("slack")
    first = rendering.render("**열린 굵은 글", {})
    rendering.render("`코드 @", LINKS)
    assert rendering.render("**열린 굵은 글", {}) == first


Platform = Literal["slack", "discord"]


def fed(platform: Platform, *sentences: str) -> list[str]:
    """What each feed gave, and what closing gave."""
    stream = SafeStream(platform, LINKS)
    return [seen(stream.feed(sentence)) for sentence in sentences] + [seen(stream.close())]


@pytest.mark.parametrize("platform", ["slack", "discord"])
def test_whole_sentences_come_out_at_once(platform: Platform) -> None:
    sentences = [
        "연차는 1년에 15일입니다. ",
        "(입사 첫해 제외)",
        " 신청은 3일 전까지 하십시오!",
        "\n\n- 팀장 승인이 필요합니다.",
        " `그룹웨어`에서 합니다.",
    ]
    assert fed(platform, *sentences) == [*sentences, ""]


def test_a_citation_comes_out_with_its_sentence() -> None:
    assert fed("slack", "연차는 15일입니다. [1]", " 다음") == [f"연차는 15일입니다. {ONE}", " 다음", ""]
    assert fed("discord", "연차는 15일입니다. [1]", "(http://evil.com)") == [
        f"연차는 15일입니다. {ONE_DISCORD}",
        "(http:·//evil.·com)",
        "",
    ]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("<", "!channel>"), "<·!channel>"),
        (("<!chan", "nel>"), "<·!channel>"),
        (("@", "everyone"), "@·everyone"),
        (("@\u200b", "\u200beveryone"), "@·everyone"),
        (("&l", "t;!here>"), "<·!here>"),
        (("http:", "//evil", ".", "com"), "http:·//evil.·com"),
        (("!", "[그림]", "(http://evil.com)"), "!그림"),
        (("[1", "]"), ONE),
        (("[", "1", "]"), ONE),
        (("[눌러", "](http://ev", "il.com) 끝"), "눌러 끝"),
        (("**굵", "게*", "*는"), "**굵게**는"),
        (("**굵게", "\n다음"), "**굵게**\n다음"),
        (("`코", "드` 끝"), "`코드` 끝"),
        (("`닫지 않음",), r"\`닫지 않음"),
        (("``", "`py\nx = 1\n", "``", "`\n끝"), "```py\nx = 1\n```\n끝"),
        (("```\n열린 코드",), "```\n열린 코드\n```"),
        (("-", "# 작게"), r"\-# 작게"),
        (("- 하나\n ", " - 둘"), "- 하나\n  - 둘"),
        (("2", ". ", "둘째"), "2. 둘째"),
        (("20", "26. 3. 5."), "·2026. 3. 5."),
        (("👨", "\u200d👩"), "👨\u200d👩"),
        (("줄\r", "\n끝"), "줄\n끝"),
        (("C:", "\\", "tmp"), r"C:\\tmp"),
        (("\\", "*별\\", "*"), r"\*별\*"),
        (("| a | b |\n", "| --- | --- |\n", "| 1 | x\\|y |"), "| a | b |\n| --- | --- |\n| 1 | x\\|y |"),
    ],
)  # fmt: skip
def test_a_token_cut_in_two_is_still_seen(pieces: tuple[str, ...], expected: str) -> None:
    assert "".join(fed("slack", *pieces)) == expected


def test_a_fence_inside_a_quote_stays_text_in_a_stream() -> None:
    """Else what follows the quote would be taken for code, where Discord needs no address broken."""
    text = "> ```\n> 코드\n> ```\nhttp://evil.com"
    assert "".join(fed("discord", text)) == "> \\`\\`\\`\n> 코드\n> \\`\\`\\`\nhttp:·//evil.·com"
    assert seen(Markdown("discord").render(text, {})) == "> ```\n> 코드\n> ```\n\nhttp:·//evil.·com"


@pytest.mark.parametrize(
    "opening", ["[", "![", "[가", "`", "``", "```", "&", "[a](", "#", "1", "- ", "**", "\n```\n", "👨\u200d"]
)
def test_what_is_held_back_is_bounded(opening: str) -> None:
    stream = SafeStream("slack", {})
    shown = stream.feed(opening) + "".join(stream.feed("가") for _ in range(1_000))
    assert shown.count("가") > 500
    assert (shown + stream.close()).count("가") == opening.count("가") + 1_000


def test_the_last_word_of_a_stream_is_not_lost() -> None:
    assert "".join(fed("slack", "끝 [")) == "끝 ["
    assert "".join(fed("slack", "끝 &am")) == "끝 &am"
    assert "".join(fed("slack", "끝 **")) == r"끝 \*\*"
    assert "".join(fed("slack", "#")) == r"\#"
    assert fed("slack") == [""]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# 연차\n\n**연차(15일)**는 `그룹웨어`에서 [1]", "연차\n\n연차(15일)는 그룹웨어에서 [1]"),
        ("- 하나\n- 둘\n\n> 인용", "- 하나\n- 둘\n\n인용"),
        ("[규정](http://evil.com)과 ![그림](http://evil.com)", "규정과 그림"),
        ("@everyone <!channel> A&B < C", "@·everyone <·!channel> A&B < C"),
        ("| 항목 | 금액 |\n|---|---|\n| 일비 | 4만 원 |", "항목: 금액\n- 일비: 4만 원"),
        ("```sh\nls *.md\n```", "ls *.md"),
        ("~~옛~~ 3*4_5", "옛 3*4_5"),
    ],
)
def test_plain_text_is_what_one_would_read_aloud(source: str, expected: str) -> None:
    assert seen(plain(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("연차 <규정> & 신청", "연차 &lt;규정&gt; &amp; 신청"),
        ("<!channel> <@U1>", "&lt;·!channel&gt; &lt;·@·U1&gt;"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("@here *굵게* _기울임_ ~취소~ `코드`", "@·here *·굵게* _·기울임_ ~·취소~ ‵코드‵"),
        ("https://evil.com", "https:·//evil.·com"),
        ("> 인용\n＞ 인용", "·&gt; 인용\n·＞ 인용"),
        ("3 * 4 ~ 5", "3 * 4 ~ 5"),
    ],
)
def test_mrkdwn_is_escaped_and_unformatted(source: str, expected: str) -> None:
    assert seen(mrkdwn(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("연차 규정 (2026)", "연차 규정 (2026)"),
        ("[공지] 휴가\n안내", r"\[공지\] 휴가 안내"),
        ("**굵은** `제목`_", r"\*\*굵은\*\* \`제목\`\_"),
        ("제목](http://evil.com)[", r"제목\]·(http:·//evil.·com)\["),
        ("# @here", r"\# @·here"),
        ("a|b", r"a\|b"),
        ("   ", ""),
    ],
)
def test_a_title_has_no_markup_left(source: str, expected: str) -> None:
    assert seen(inline(source, "slack")) == expected
