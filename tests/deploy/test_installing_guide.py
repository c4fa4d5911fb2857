"""The guide to installing is true: its commands, targets and files exist, and both languages say the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from bot.app import cli

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("docs/installing.md", "docs/installing.ko.md")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    return re.findall(r"^```[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def code(text: str) -> list[str]:
    """Lines of blocks, and what stands in backticks."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line for block in blocks(text) for line in block.splitlines()] + inline


def saseo_lines() -> list[str]:
    """What follows `saseo`, wherever it is called from."""
    found = {
        match[1]
        for line in code(text_of(GUIDES[0]))
        if (match := re.search(r"(?:^|bin/|run --rm (?:-T )?|exec saseo |as_)saseo (?:--config \S+ )?([a-z].*)$", line))
    }
    return sorted(line for line in found if not line.startswith("saseo"))


@pytest.mark.parametrize("line", saseo_lines())
def test_every_command_exists_with_its_options(line: str) -> None:
    command: click.Command = cli
    words = shlex.split(line.split(" > ")[0])
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("guide", GUIDES)
def test_every_make_target_and_every_file_is_there(guide: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(guide), re.MULTILINE)) <= targets
    made_by_the_guide = {"deploy/.env", "deploy/config", "deploy/config/config.toml"}
    made_by_the_guide |= {"deploy/secrets/postgres_password", "deploy/secrets/grafana_password"}
    named = set(re.findall(r"\bdeploy/[\w./]+\w", text_of(guide)))
    assert named
    assert [name for name in named - made_by_the_guide if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_option_of_the_scripts_exists(guide: str) -> None:
    bundle, install = text_of("deploy/bundle.py"), text_of("deploy/install.sh")
    told = text_of(guide)
    for option in ("--tar", "--models", "--native"):
        assert option in told
        assert f'"{option}"' in bundle
    for option in set(re.findall(r"install\.sh ((?:--\w+ ?)+)", told)):
        for word in option.split():
            assert f"{word})" in install


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(guide))
    assert [link for link in links if "://" not in link and not (ROOT / "docs" / link).resolve().exists()] == []
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text_of(guide), re.MULTILINE)
    }
    inside = re.findall(r"\]\(#([^)]+)\)", text_of(guide))
    assert inside
    assert set(inside) <= headings


def test_both_languages_have_the_same_sections_tables_and_code() -> None:
    english, korean = map(text_of, GUIDES)

    def shape(text: str) -> list[str]:
        return re.findall(r"^(#+ |\| |- |\d+\. |```)", text, re.MULTILINE)

    assert shape(english) == shape(korean)
    assert blocks(english) == blocks(korean)
