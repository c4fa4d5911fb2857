"""Every error a person may read: two sentences, filled from what its docstring promises, drawn in its module's tree."""

from __future__ import annotations

import importlib
import re
import string
import types
from collections.abc import Iterator

import pytest

import bot.errors
import knowledge.errors
from knowledge.errors import ExplainedError

MODULES = {module.__name__: module for module in (bot.errors, knowledge.errors)}


def below(kind: type[ExplainedError]) -> Iterator[type[ExplainedError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


EVERY = sorted({ExplainedError, *below(ExplainedError)}, key=lambda kind: (kind.__module__, kind.__qualname__))
FINAL = [kind for kind in EVERY if not kind.__subclasses__()]


def room(kind: type[ExplainedError]) -> str:
    """`bot.errors` or `knowledge.errors` of what stands in one of their files."""
    return ".".join(kind.__module__.split(".")[:2])


def details(kind: type[ExplainedError]) -> dict[str, object]:
    """One value for each `name` of the docstring; a number fits text and number fields alike."""
    return dict.fromkeys(re.findall(r"`(\w+)`", kind.__doc__ or ""), 12.5)


def drawn(module: types.ModuleType) -> dict[str, str | None]:
    """The docstring's tree: class name → name of the class it hangs under."""
    above: list[tuple[int, str]] = []
    tree: dict[str, str | None] = {}
    for line in (module.__doc__ or "").splitlines():
        found = re.match(r"(?P<lead>[│├└─ ]*)(?:[\w.]+\.)?(?P<name>[A-Z]\w+)", line)
        if found is None or not isinstance(
            getattr(knowledge.errors, found["name"], None) or getattr(module, found["name"], None), type
        ):
            continue
        depth = len(found["lead"])
        above = [one for one in above if one[0] < depth]
        tree[found["name"]] = above[-1][1] if above else None
        above.append((depth, found["name"]))
    return tree


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_an_error_lives_in_one_of_the_two_rooms_of_errors(kind: type[ExplainedError]) -> None:
    assert room(kind) in MODULES
    assert getattr(MODULES[room(kind)], kind.__name__) is kind


@pytest.mark.parametrize("kind", [one for one in EVERY if one is not ExplainedError], ids=lambda kind: kind.__name__)
def test_an_error_hangs_in_its_modules_tree_where_it_inherits(kind: type[ExplainedError]) -> None:
    tree = drawn(MODULES[room(kind)])
    assert tree.get(kind.__name__, "not drawn") == kind.__mro__[1].__name__


@pytest.mark.parametrize("module", MODULES.values(), ids=lambda module: module.__name__)
def test_the_tree_draws_nothing_that_does_not_exist(module: types.ModuleType) -> None:
    names = re.findall(r"[├└]── (?:[\w.]+\.)?([A-Z]\w+)", module.__doc__ or "")
    known = {kind.__name__ for kind in EVERY}
    assert names
    assert set(names) <= known


@pytest.mark.parametrize("kind", FINAL, ids=lambda kind: kind.__name__)
def test_an_error_has_both_sentences_of_its_own(kind: type[ExplainedError]) -> None:
    assert {"ko", "en"} <= vars(kind).keys()
    assert re.search("[가-힣]", kind.ko)
    assert not re.search("[가-힣]", kind.en)
    assert kind.ko.endswith(".")
    assert kind.en.endswith(".")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_both_sentences_are_filled_from_what_the_docstring_names(kind: type[ExplainedError]) -> None:
    promised = details(kind)
    for template in (kind.ko, kind.en):
        used = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
        assert used <= promised.keys()
    error = kind(**promised)
    assert error.explain("en") == str(error)
    assert "{" not in error.explain("ko") + error.explain("en")
    assert re.search("[가-힣]", error.explain())


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_an_error_is_rebuilt_whole_on_the_other_side_of_a_process_border(kind: type[ExplainedError]) -> None:
    error = kind(**details(kind))
    recipe = error.__reduce__()
    make, arguments = recipe[0], recipe[1]
    assert callable(make)
    assert isinstance(arguments, tuple)
    # As pickle would: the function is found again by its module and name.
    found = getattr(importlib.import_module(make.__module__), make.__name__)
    back = found(*arguments)
    assert type(back) is kind
    assert back.details == error.details
    assert back.explain("ko") == error.explain("ko")
    assert str(back) == str(error)


def test_a_detail_with_braces_is_shown_as_it_is() -> None:
    error = bot.errors.InvalidSetting(key="{key}", reason="{0} {")
    assert "{0} {" in error.explain("ko")
    assert "{key}" in error.explain("en")


OF_LINES = [kind for kind in FINAL if "0: the file as a whole" in (kind.__doc__ or "")]


@pytest.mark.parametrize("kind", OF_LINES, ids=lambda kind: kind.__name__)
def test_a_file_that_is_not_there_has_no_line(kind: type[ExplainedError]) -> None:
    whole, line = (kind(path="a.jsonl", line=number, reason="none") for number in (0, 7))
    assert "a.jsonl 7행 (none)" in line.explain("ko")
    assert "a.jsonl line 7 (none)" in line.explain("en")
    for told in (whole.explain("ko"), whole.explain("en"), str(whole)):
        assert "a.jsonl (none)." in told


def test_the_files_that_people_hand_in_are_among_these() -> None:
    assert {"BadBatch", "BadEvaluationSet", "BadExampleFile", "BadExamples"} <= {kind.__name__ for kind in OF_LINES}
