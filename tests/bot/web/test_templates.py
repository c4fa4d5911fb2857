"""All templates and all strings of the console."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import bot.web
from bot.web.render import Renderer
from bot.web.texts import Texts

HERE = Path(bot.web.__file__).parent


def test_every_template_is_compiled_before_anybody_asks_for_it() -> None:
    renderer = Renderer(Texts(("common",)), [], ZoneInfo("Asia/Seoul"))
    renderer.warm()
    assert len(renderer._environment.cache or ()) == len(list((HERE / "templates").rglob("*.html")))


def test_no_template_has_what_the_policy_blocks_or_lets_markup_through() -> None:
    for template in (HERE / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        tags = re.findall(r"<[a-zA-Z][^>]*>", re.sub(r"{#.*?#}", "", text, flags=re.S))
        assert not [tag for tag in tags if re.search(r"""\s(style|on[a-z]+)=""", tag)], template
        assert "autoescape false" not in text, template
        trusted = [line for line in text.splitlines() if re.search(r"\|\s*safe\b", line)]
        assert all(re.search(r"=(ago|when)\(", line) for line in trusted), template  # a <time> of ours in a sentence


def test_both_languages_name_the_same_values() -> None:
    for file in (HERE / "texts").glob("*.py"):
        if file.stem != "__init__":
            for key, (korean, english) in Texts((file.stem,))._strings.items():
                names = [set(re.findall(r"{(\w*)", text)) for text in (korean, english)]
                assert names[0] == names[1], key
