"""What the documents say about the code is true, and both READMEs say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from bot.app import cli

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.ko.md")
NO_ROOMS = {"docs", "var", "dist", "build"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """Fenced blocks, without the remarks, which are translated."""
    found = re.findall(r"^```[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return ["\n".join(line for line in block.splitlines() if not line.startswith("#")) for block in found]


def levels(text: str) -> list[str]:
    """The headings' levels in order, code left out."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^(#+) ", prose, re.MULTILINE)


def verbs(group: click.Group, before: str = "saseo") -> list[str]:
    """Every command line, subcommands included."""
    names = []
    for name, command in group.commands.items():
        names += verbs(command, f"{before} {name}") if isinstance(command, click.Group) else [f"{before} {name}"]
    return names


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("verb", verbs(cli))
def test_every_verb_is_named_in_both_readmes(readme: str, verb: str) -> None:
    told = re.sub(r" --config \S+", "", text_of(readme))
    assert re.search(rf"{verb}\b", told)


@pytest.mark.parametrize("readme", READMES)
def test_every_saseo_line_of_a_readme_is_a_command_with_known_options(readme: str) -> None:
    told = re.sub(r" --config \S+", "", text_of(readme))
    for line in re.findall(r"^(saseo .+)$", told, re.MULTILINE):
        command: click.Command = cli
        words = line.split()[1:]
        while isinstance(command, click.Group) and words:
            name = words.pop(0)
            assert name in command.commands, line
            command = command.commands[name]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if re.match("--?[a-z]", word)} <= options, line


def test_both_readmes_have_the_same_sections_in_the_same_order() -> None:
    english, korean = (levels(text_of(name)) for name in READMES)
    assert english == korean
    assert english.count("##") > 5


def test_both_readmes_have_the_same_code() -> None:
    english, korean = (blocks(text_of(name)) for name in READMES)
    assert english == korean


def links(readme: str) -> list[str]:
    """Where it leads, without the other README."""
    return [link for link in re.findall(r"\]\(([^)]+)\)", text_of(readme)) if link not in READMES]


def anchors(page: str) -> set[str]:
    """What can follow its name after `#`, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_both_readmes_link_to_the_same_places() -> None:
    english, korean = (
        [link.split("#")[0].replace(".ko.md", ".md") + "#" * ("#" in link) for link in links(name)] for name in READMES
    )
    assert english == korean


@pytest.mark.parametrize("readme", READMES)
def test_every_link_of_a_readme_leads_somewhere(readme: str) -> None:
    for link in links(readme):
        if "://" not in link:
            page, _, anchor = link.partition("#")
            assert (ROOT / page).exists(), link
            assert not anchor or anchor in anchors(page), link


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_leads_to_the_page_of_its_own_language_first(readme: str) -> None:
    korean = readme.endswith(".ko.md")
    seen: set[str] = set()
    for link in links(readme):
        page = link.split("#")[0]
        other = page.replace(".ko.md", ".md") if page.endswith(".ko.md") else page.replace(".md", ".ko.md")
        if (ROOT / other).exists() and page != other and page.endswith(".ko.md") != korean:
            assert other in seen, link
        seen.add(page)


@pytest.mark.parametrize("readme", READMES)
def test_no_place_is_left_to_be_filled(readme: str) -> None:
    assert re.findall(r"<!--.*?-->|TODO|TBD", text_of(readme)) == []


@pytest.mark.parametrize("readme", READMES)
def test_every_make_target_a_readme_names_exists(readme: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(readme), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_phony_target_of_the_makefile_is_defined() -> None:
    makefile = text_of("Makefile")
    phony = re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    defined = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(" ".join(phony).split()) == defined


@pytest.mark.parametrize(("heading", "group"), [("## To run", "run"), ("## To develop and test", "dev")])
def test_each_dependency_has_one_line_and_nothing_else_has(heading: str, group: str) -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = project["dependencies"] if group == "run" else project["optional-dependencies"]["dev"]
    section = text_of("docs/dependencies.md").split(heading + "\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| *([\w.-]+) *\|(.*)$", section, re.MULTILINE)
    named = [name for name, _ in rows if name != "package" and not re.fullmatch("-+", name)]
    assert sorted(named) == sorted(re.split(r"[<>=!~\[; ]", one)[0] for one in wanted)
    assert all(len(rest.strip(" |")) > 10 for name, rest in rows if name in named)


def test_the_architecture_names_every_room() -> None:
    rooms = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith((".", "__"))
        and path.name not in NO_ROOMS
        and not path.name.endswith(".egg-info")
        and any(one.is_file() for one in path.rglob("*"))
    }
    told = text_of("docs/architecture.md")
    assert {room for room in rooms if f"`{room}/`" not in told} == set()


@pytest.mark.parametrize("room", ["bot", "knowledge"])
def test_the_architecture_names_what_stands_directly_in_a_room(room: str) -> None:
    told = text_of("docs/architecture.md")
    section = told.split(f"### {room}/\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    stand = [
        f"`{path.name}/`" if path.is_dir() else f"`{path.name}`"
        for path in (ROOT / room).iterdir()
        if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py") and path.name != "data"
    ]
    assert [name for name in stand if name not in section] == []


def test_every_file_the_architecture_names_exists() -> None:
    told = text_of("docs/architecture.md")
    named = re.findall(r"`([\w/]+\.(?:py|toml))`", told)
    known = {path.name for room in (".", "bot", "knowledge", "jobs", "adapters") for path in walk(ROOT / room, room)}
    assert named
    assert {name for name in named if Path(name).name not in known} == set()


def walk(folder: Path, room: str) -> list[Path]:
    """Files of a room at any depth; of the top level only its own."""
    return [path for path in (folder.iterdir() if room == "." else folder.rglob("*")) if path.is_file()]
