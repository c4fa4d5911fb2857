"""What a platform would do with a text: judged by parsers that are none of ours, so that the tests do not believe the code."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.text import safe_url

LINKS = {
    1: "https://wiki.example/휴가(1)",
    2: "javascript:alert(1)",
    3: "http://wiki:8090/a?b=1&lt;=2",
    12: "https://w/@everyone/*x*",
}

HOSTILE = [
    "@everyone", "@here", "@channel", "＠everyone", "@\u200beveryone", "@\u2060here", "\u202e@here", "<!channel>",
    "<!here|x>", "<!everyone>", "<!subteam^S1>", "<!subteam^S1|팀>", "<!date^1^{date}^http://evil.com|x>", "<@U123>",
    "<@!1>", "<@&2>", "<#C1>", "<#C1|방>", "</cmd:1>", "<t:1>", "<t:1:R>", "<:emo:1>", "<a:emo:1>", "<id:guide>",
    "![x](http://evil.com/?q=secret)", "![x][r]", "![[1]](http://evil.com)", "[click](http://evil.com)",
    "[click](<http://evil.com>)", '[click](http://evil.com "제목")', "[a [b] c](http://evil.com)", "[click][r]",
    "[r]", "[1](http://evil.com)", "[[1]](http://evil.com)", "\n[r]: http://evil.com\n", "\n[1]: http://evil.com\n",
    "<http://evil.com>", "<a@evil.com>", "http://evil.com", "https://evil.com/a?b=c#d", "HTTPS://EVIL.COM",
    "www.evil.com", "www.1evil.x", "evil.com", "evil。com", "evil．com", "kim@evil.com", "mailto:a@evil.com",
    "javascript:alert(1)", "slack://x", "discord://x", "steam://run", "//evil.com",
    '<img src="http://evil.com/x.png">', "<a href='http://evil.com'>x</a>", "<script>", "<!-- x -->",
    "&lt;!channel&gt;", "&#60;@U1&#62;", "&#x40;everyone", "&#x202e;", "@&#8203;here", "&NewLine;", "&commat;here",
    "&amp;lt;!here&amp;gt;", "||spoiler||", "\n> ```\n> x\n> ```\n",
    "~~취소~~", "9~18시", "**굵게**", "**연차(15일)**는", "*기울임*", "__x__", "_y_", "***", "**", "*", "_", "~",
    "~~", "`", "``", "```", "\n```\n", "\n```bash\n", "\n~~~\n", "\n````\n", "\nx ``` y\n", "`code`", "`@everyone`", "`http://evil.com`",
    "`<!channel>`", "\\", "\\\\", "\\<", "\\@", "\\[", "\\`", "[", "]", "(", ")", "](", "![", "!", "<", ">", "&",
    ";", ":", "/", "//", "://", "@", "!channel>", "everyone", "channel", "@U1>", "http", "https:", "evil.", ".com",
    "[1]", "[2]", "[3]", "[12]", "[99]", "[1][3]", "\n", "\n\n", "\n- ", "\n* ", "\n1. ", "\n2024. 3. 5. ", "\n# ",
    "\n#### ", "\n> ", "\n>>> ", "\n-# ", "\n---\n", "\n===\n", "\n    ", "\t", "  ", " ",
    "\n| a | b |\n| --- | --- |\n| @here | [1] |\n", "|", "\u200d", "\ufe0f", "\u202e", "\u2066", "\u00ad",
    "\U000e0041", "\ufeff", "\u3164", "👨\u200d👩\u200d👧", "❤\ufe0f", "1\ufe0f\u20e3", "🇰🇷", "\r\n", "\r", "\u2028",
    "연차는 15일입니다.", "그룹웨어에서 신청하십시오.", "휴가", "3.5일",
]  # fmt: skip
"""Pieces whose compositions are dangerous, or nearly."""

texts = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(max_size=6),
        st.text(alphabet=st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), max_size=5),
        st.text(alphabet="@<>!#&;:/.[]()*_~`|\\- \n1aеe한", max_size=12),
    ),
    max_size=14,
).map("".join)

_PING = re.compile(r"[@＠﹫](?:everyone|here|channel)|<[@＠#!]|</[^\s<>]*:\d|<a?:|<t:|<id:", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DOMAIN = re.compile(
    r"(?<![\w.])(?:www\.\w|[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*[.。．｡][A-Za-z]{2,})|[A-Za-z0-9]@[A-Za-z0-9]",
    re.IGNORECASE,
)
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff]"
)
_DISCORD_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^\s<>)]*)")


def targets(links: Mapping[int, str]) -> set[str]:
    """What may be linked."""
    return {url for one in links.values() if (url := safe_url(one)) is not None}


def harms(out: str, platform: str, links: Mapping[int, str] = LINKS) -> list[str]:
    """Everything in `out` that would ping, show an image or lead somewhere else; empty is good."""
    allowed = targets(links)
    found = [f"bidi or invisible {one!r}" for one in set(_IGNORABLE.findall(_without_emoji(out)))]
    bare = without_links(out, allowed)
    # As it is, as a server might normalise it, and with entities decoded, once and twice.
    for reading in (
        bare,
        _IGNORABLE.sub("", bare),
        unicodedata.normalize("NFKC", bare),
        html.unescape(bare),
        html.unescape(html.unescape(bare)),
    ):
        if platform == "discord" and reading is not bare and "&" in bare:
            continue  # Discord decodes no entities
        found += [f"ping {one!r}" for one in _PING.findall(_spaced(reading))]
    prose, code = _leaves(out, found, allowed)
    for one in prose:
        found += [f"address {hit!r}" for hit in _SCHEME.findall(one) + _DOMAIN.findall(_IGNORABLE.sub("", one))]
    if platform == "slack":
        found += [f"address in code {hit!r}" for one in code for hit in re.findall(r"[A-Za-z]://", one)]
    else:
        found += [f"link to {one!r}" for one in _DISCORD_LINK.findall(_live(out)) if one not in allowed]
    return found


def _without_emoji(out: str) -> str:
    return re.sub("(?<=[\u00a9-\U0001faff0-9#*])[\u200d\ufe0e\ufe0f]", "", out)


def _spaced(reading: str) -> str:
    """Hair spaces are spaces, whatever NFKC made of them."""
    return reading.replace("\u200a", " ")


def _live(out: str) -> str:
    """What Discord parses: without escaped characters and without code."""
    return re.sub(r"\\[^0-9A-Za-z\s]|```.*?```|(`{1,2})(?!`).*?[^`]\1(?!`)", "", out, flags=re.DOTALL)


def without_links(out: str, allowed: set[str]) -> str:
    """`out` with the text of our own links in their place."""
    for url in allowed:
        out = re.sub(r"\[\\?\[(\d+)\\?\]\]\(" + re.escape(url) + r"\)", r"[\1]", out)
    return out


def _leaves(out: str, found: list[str], allowed: set[str]) -> tuple[list[str], list[str]]:
    """Texts and codes of `out` as CommonMark with tables reads it; harmful tokens are added to `found`."""
    prose: list[str] = []
    code: list[str] = []
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def walk(tokens: list[Token]) -> None:
        inside = 0
        for token in tokens:
            if token.type in ("image", "html_inline", "html_block"):
                found.append(f"{token.type} {token.content!r}")
            elif token.type == "link_open":
                inside += 1
                if token.attrs["href"] not in allowed:
                    found.append(f"link to {token.attrs['href']!r}")
            elif token.type == "link_close":
                inside -= 1
            elif token.type in ("fence", "code_block", "code_inline"):
                code.append(token.content)
            elif token.type == "text" and not inside:
                prose.append(token.content)
            walk(token.children or [])

    walk(parser.parse(out))
    return prose, code


def letters(text: str) -> str:
    """What must not change: letters and digits, in order."""
    return "".join(one for one in text if one.isalnum())
