"""The tuning guide is true: every command of it exists, and both languages say the same."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bot.app import cli
from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
GUIDES = ("docs/tuning.md", "docs/tuning.ko.md")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> list[str]:
    """Fenced blocks and what stands in backticks, except what a person says in them."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", prose(text))
    return [line for block in blocks for line in block.splitlines()] + inline


def saseo_lines() -> list[str]:
    return sorted({line for name in GUIDES for line in code(text_of(name)) if re.match(r"saseo [a-z]", line)})


@pytest.mark.parametrize("line", saseo_lines())
def test_every_command_exists_with_its_options(line: str) -> None:
    command: click.Command = cli
    words = re.sub(r'"[^"]*"', "TEXT", line).split()[1:]
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options, line


@pytest.mark.parametrize("guide", GUIDES)
def test_every_script_and_table_of_settings_is_there(guide: str) -> None:
    for script in re.findall(r"benchmarks/\w+\.py", text_of(guide)):
        assert (ROOT / script).exists(), script
    for path in re.findall(r"(?<!`)`\[([a-z.]+)\]", text_of(guide)):
        table: object = Settings.model_fields
        for name in path.split("."):
            assert isinstance(table, dict)
            assert name in table, path
            table = getattr(table[name].annotation, "model_fields", None)


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(guide))
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / "docs" / link).resolve().exists()] == []


def test_both_languages_have_the_same_sections_tables_code_and_numbered_steps() -> None:
    english, korean = map(text_of, GUIDES)

    def shape(text: str) -> list[str]:
        return re.findall(r"^(#+ |\| |- |\d+\. |```)", text, re.MULTILINE)

    def blocks(text: str) -> list[str]:
        return re.findall(r"^```[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    assert shape(english) == shape(korean)
    assert blocks(english) == blocks(korean)
