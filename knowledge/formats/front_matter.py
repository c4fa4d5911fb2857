"""The YAML block between `---` lines at the top of a Markdown or text page.

It can carry `audience`, so whatever looks like front matter but cannot be understood makes the page unreadable:
a typing error must never open a restricted page to everyone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from knowledge.errors import UnclearFrontMatter
from knowledge.formats.outline import one_line

if TYPE_CHECKING:
    from yaml import Node

USED_KEYS = frozenset({"title", "updated", "date", "audience", "url", "replaced_by"})

_FENCE = re.compile(r"---[ \t]*")
_CLOSING_FENCE = re.compile(r"(?:---|\.\.\.)[ \t]*")
_AUDIENCE_KEY = re.compile(r"""\s*[{"']*audience["']?\s*[:\uff1a]""", re.IGNORECASE)
_KEY_LINE = re.compile(r"""["']?[^\s:#"'][^:\n"']{0,60}["']?\s*:(?:\s|$)""")
_LIMIT = 64_000  # PyYAML is slow; real front matter has a few lines


def take_front_matter(text: str) -> tuple[dict[str, object], str]:
    """The used keys (lower case, `-` as `_`) and the text behind; `({}, text)` if there is no front matter.

    A page may merely start with a `---` rule. Values are plain strings, numbers, booleans, None or flat lists.
    """
    lines = text.lstrip("\n \t").split("\n")
    if not _FENCE.fullmatch(lines[0]):
        return {}, text
    end = next((number for number, line in enumerate(lines[1:], 1) if _CLOSING_FENCE.fullmatch(line)), None)
    skipped = text[: len(text) - len(text.lstrip("\n \t"))].count("\n")
    if end is None:
        head = "\n".join(lines[1:]).lstrip("\n").split("\n\n", 1)[0]
        if any(map(_AUDIENCE_KEY.match, head.split("\n"))):
            raise UnclearFrontMatter(reason=f"front matter opened on line {skipped + 1} is not closed by ---")
        return {}, text
    inside = lines[1:end]
    loaded = _load(inside, first_line=skipped + 2)
    if loaded is None:
        return {}, text
    return loaded, "\n".join(lines[end + 1 :])


def _load(lines: list[str], first_line: int) -> dict[str, object] | None:
    """The mapping in `lines`; None if they are ordinary text between two rules."""
    import yaml

    filled = [line for line in lines if line.strip()]
    looks_meant = bool(lines and filled and lines[0].strip() and _KEY_LINE.match(filled[0])) or any(
        map(_AUDIENCE_KEY.match, filled)
    )
    source = "\n".join(lines)
    try:
        if len(source) > _LIMIT:
            raise UnclearFrontMatter(reason=f"front matter longer than {_LIMIT} characters")
        node = yaml.compose(source, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            if looks_meant:
                raise UnclearFrontMatter(reason=f"broken front matter on line {first_line}: not a mapping")
            return {} if not filled else None
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # a list as a key is none of ours, and as text its aliases could make it explode
            key = str(key_node.value).strip().casefold().replace("-", "_")
            line = first_line + key_node.start_mark.line
            if key in found or key == "<<":
                raise UnclearFrontMatter(reason=f"broken front matter on line {line}: '{key}' is given twice or merged")
            if key in USED_KEYS:
                found[key] = _plain(value_node, key, line)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not looks_meant:
            return None
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        raise UnclearFrontMatter(reason=f"broken front matter on line {line}") from error
    if "audience" not in found and any(map(_AUDIENCE_KEY.match, filled)):
        raise UnclearFrontMatter(reason=f"front matter on line {first_line}: audience is not at the top level")
    return found if found or lines[0].strip() else None


def _plain(node: Node, key: str, line: int) -> object:
    """Scalars and flat lists only: deeper values are of no use here, and aliases could make them explode."""
    import yaml

    items: list[Node] = node.value if isinstance(node, yaml.SequenceNode) else [node]
    flat = all(isinstance(item, yaml.ScalarNode) for item in items)
    if key == "audience" and not (flat and all(item.tag == "tag:yaml.org,2002:str" for item in items)):
        raise UnclearFrontMatter(
            reason=f"broken front matter on line {line}: audience is neither a name nor a list of names"
        )
    if not flat:
        return None
    # Numbers, dates and booleans stay as written: `2026` is a fine title.
    # Cleaned again: an escape in a quoted string (a control character, half a surrogate pair) becomes one only here.
    values = [None if item.tag == "tag:yaml.org,2002:null" else one_line(str(item.value)) for item in items]
    if key == "audience" and any(
        " ".join(str(item.value).split()) != value for item, value in zip(items, values, strict=True)
    ):
        raise UnclearFrontMatter(reason=f"front matter on line {line}: an invisible character in audience")
    return values if isinstance(node, yaml.SequenceNode) else values[0]
