"""Block Kit as Slack checks it: known blocks and elements, their properties, limits.

Sources: docs.slack.dev reference/block-kit; slack_sdk 3.47 `models/blocks`, whose validators state the same limits.
Every problem is one sentence; an empty list means that Slack would take the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.slack.records import JSON

Surface = str  # "message", "modal" or "home"

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_MARKDOWN = 12_000
_BLOCK_ID = 255
_ACTION_ID = 255

# Properties beside `type` and `block_id`. None: known, but its inside is not checked here.
_BLOCKS: dict[str, frozenset[str] | None] = {
    "section": frozenset({"text", "fields", "accessory", "expand"}),
    "divider": frozenset(),
    "header": frozenset({"text", "level"}),
    "context": frozenset({"elements"}),
    "actions": frozenset({"elements"}),
    "context_actions": frozenset({"elements"}),
    "image": frozenset({"image_url", "slack_file", "alt_text", "title"}),
    "markdown": frozenset({"text"}),
    "input": frozenset({"label", "element", "hint", "optional", "dispatch_action"}),
    "table": frozenset({"rows", "column_settings"}),
    "rich_text": None,
    "video": None,
    "task_card": None,
    "plan": None,
    "alert": None,
    "card": None,
    "container": None,
    "carousel": None,
}
_SURFACES = {
    "markdown": {"message"},
    "context_actions": {"message"},
    "table": {"message"},
    "task_card": {"message"},
    "plan": {"message"},
}
_CONFIRM = frozenset({"title", "text", "confirm", "deny", "style"})
# Properties beside `type`; True: it needs an action_id or gets a generated one.
_ELEMENTS: dict[str, frozenset[str]] = {
    "button": frozenset({"text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}),
    "overflow": frozenset({"action_id", "options", "confirm"}),
    "static_select": frozenset(
        {"action_id", "options", "option_groups", "initial_option", "confirm", "placeholder", "focus_on_load"}
    ),
    "multi_static_select": frozenset(
        {"action_id", "options", "option_groups", "initial_options", "confirm", "placeholder", "max_selected_items"}
    ),
    "users_select": frozenset({"action_id", "initial_user", "confirm", "placeholder", "focus_on_load"}),
    "multi_users_select": frozenset(
        {"action_id", "initial_users", "confirm", "placeholder", "max_selected_items", "focus_on_load"}
    ),
    "conversations_select": frozenset(
        {"action_id", "initial_conversation", "default_to_current_conversation", "confirm", "placeholder"}
        | {"response_url_enabled", "filter", "focus_on_load"}
    ),
    "checkboxes": frozenset({"action_id", "options", "initial_options", "confirm", "focus_on_load"}),
    "radio_buttons": frozenset({"action_id", "options", "initial_option", "confirm", "focus_on_load"}),
    "plain_text_input": frozenset(
        {"action_id", "initial_value", "multiline", "min_length", "max_length", "placeholder", "focus_on_load"}
        | {"dispatch_action_config"}
    ),
    "image": frozenset({"image_url", "slack_file", "alt_text"}),
    "feedback_buttons": frozenset({"action_id", "positive_button", "negative_button"}),
    "icon_button": frozenset(
        {"action_id", "icon", "text", "value", "confirm", "accessibility_label", "visible_to_user_ids"}
    ),
}
_IN_ACTIONS = frozenset(_ELEMENTS) - {"plain_text_input", "image", "feedback_buttons", "icon_button"}
_IN_INPUT = frozenset(_ELEMENTS) - {"button", "overflow", "image", "feedback_buttons", "icon_button"}
_ACCESSORY = frozenset(_ELEMENTS) - {"plain_text_input", "feedback_buttons", "icon_button"}


def check_blocks(blocks: Any, surface: Surface) -> list[str]:
    """What is wrong with `blocks` on a `message`, `modal` or `home`."""
    if not isinstance(blocks, list):
        return ["blocks must be an array"]
    return list(_check_all(blocks, surface))


def _check_all(blocks: list[Any], surface: Surface) -> Iterator[str]:
    if len(blocks) > MOST_BLOCKS[surface]:
        yield f"no more than {MOST_BLOCKS[surface]} blocks, got {len(blocks)}"
    ids: set[str] = set()
    markdown = tables = 0
    for number, block in enumerate(blocks):
        where = f"blocks[{number}]"
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or kind not in _BLOCKS:
            yield f"{where}: unsupported type: {kind}"
            continue
        if surface not in _SURFACES.get(kind, {surface}):
            yield f"{where}: a {kind} block cannot be used on a {surface}"
        block_id = block.get("block_id")
        if block_id is not None:
            if not isinstance(block_id, str) or not 1 <= len(block_id) <= _BLOCK_ID:
                yield f"{where}: block_id must have 1 to {_BLOCK_ID} characters"
            elif block_id in ids:
                yield f"{where}: block_id {block_id} is used twice"
            else:
                ids.add(block_id)
        allowed = _BLOCKS[kind]
        if allowed is not None:
            yield from _only(block, allowed | {"type", "block_id"}, where)
        if kind == "markdown":
            markdown += len(block.get("text") or "")
        tables += kind == "table"
        yield from _check_block(kind, block, where)
    if markdown > MOST_MARKDOWN:
        yield f"markdown blocks hold {markdown} characters together, no more than {MOST_MARKDOWN}"
    if tables > 1:
        yield "no more than one table per message"


def _check_block(kind: str, block: JSON, where: str) -> Iterator[str]:
    match kind:
        case "section":
            yield from _section(block, where)
        case "header":
            yield from _text(block.get("text"), f"{where}.text", 150, plain=True)
        case "markdown":
            if not isinstance(block.get("text"), str) or not block["text"]:
                yield f"{where}.text must be a non-empty string"
        case "image":
            yield from _image(block, where)
            if "title" in block:
                yield from _text(block["title"], f"{where}.title", 2000, plain=True)
        case "context":
            yield from _elements(block, where, 10, frozenset({"image", "plain_text", "mrkdwn"}))
        case "actions":
            yield from _elements(block, where, 25, _IN_ACTIONS)
        case "context_actions":
            yield from _elements(block, where, 5, frozenset({"feedback_buttons", "icon_button"}))
        case "input":
            yield from _text(block.get("label"), f"{where}.label", 2000, plain=True)
            if "hint" in block:
                yield from _text(block["hint"], f"{where}.hint", 2000, plain=True)
            yield from _element(block.get("element"), f"{where}.element", _IN_INPUT)
        case "table":
            yield from _table(block, where)


def _section(block: JSON, where: str) -> Iterator[str]:
    fields = block.get("fields")
    if "text" not in block and not fields:
        yield f"{where}: a section needs text or fields"
    if "text" in block:
        yield from _text(block["text"], f"{where}.text", 3000)
    if fields is not None:
        if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
            yield f"{where}.fields must hold 1 to 10 texts"
        else:
            for number, text in enumerate(fields):
                yield from _text(text, f"{where}.fields[{number}]", 2000)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{where}.accessory", _ACCESSORY)


def _image(image: JSON, where: str) -> Iterator[str]:
    url = image.get("image_url")
    if (url is None) == (image.get("slack_file") is None):
        yield f"{where}: exactly one of image_url and slack_file"
    if url is not None and (not isinstance(url, str) or not 1 <= len(url) <= 3000):
        yield f"{where}.image_url must have 1 to 3000 characters"
    if not isinstance(image.get("alt_text"), str) or len(image["alt_text"]) > 2000:
        yield f"{where}.alt_text must be a string of at most 2000 characters"


def _table(block: JSON, where: str) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
        yield f"{where}.rows must hold 1 to 100 rows"
        return
    for number, row in enumerate(rows):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            yield f"{where}.rows[{number}] must hold 1 to 20 cells"
            continue
        for cell in row:
            if not isinstance(cell, dict) or cell.get("type") not in ("raw_text", "rich_text", "raw_number"):
                yield f"{where}.rows[{number}]: a cell is raw_text, raw_number or rich_text"


def _elements(block: JSON, where: str, most: int, allowed: frozenset[str]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        yield f"{where}.elements must hold 1 to {most} elements"
        return
    ids = [element.get("action_id") for element in elements if isinstance(element, dict) and "action_id" in element]
    if len(set(ids)) < len(ids):
        yield f"{where}: an action_id is used twice in one block"
    for number, element in enumerate(elements):
        yield from _element(element, f"{where}.elements[{number}]", allowed)


def _element(element: Any, where: str, allowed: frozenset[str]) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in allowed:
        yield f"{where}: unsupported type here: {kind}"
        return
    if kind in ("plain_text", "mrkdwn"):
        yield from _text(element, where, 3000)
        return
    yield from _only(element, _ELEMENTS[kind] | {"type"}, where)
    yield from _string(element, "action_id", where, _ACTION_ID)
    match kind:
        case "button" | "icon_button":
            yield from _text(element.get("text"), f"{where}.text", 75, plain=True)
            yield from _string(element, "value", where, 2000)
            yield from _string(element, "url", where, 3000)
            yield from _string(element, "accessibility_label", where, 75)
            if element.get("style", "primary") not in ("primary", "danger"):
                yield f"{where}.style must be primary or danger"
            if kind == "icon_button" and element.get("icon") != "trash":
                yield f"{where}.icon must be trash"
        case "feedback_buttons":
            for side in ("positive_button", "negative_button"):
                yield from _feedback(element.get(side), f"{where}.{side}")
        case "image":
            yield from _image(element, where)
        case "plain_text_input":
            yield from _plain_text_input(element, where)
        case "static_select" | "multi_static_select" | "checkboxes" | "radio_buttons" | "overflow":
            yield from _options(element, where, 100 if "select" in kind else 5 if kind == "overflow" else 10)
    if "placeholder" in element:
        yield from _text(element["placeholder"], f"{where}.placeholder", 150, plain=True)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{where}.confirm")


def _feedback(button: Any, where: str) -> Iterator[str]:
    if not isinstance(button, dict):
        yield f"{where} is missing"
        return
    yield from _only(button, frozenset({"text", "value", "accessibility_label"}), where)
    yield from _text(button.get("text"), f"{where}.text", 75, plain=True)
    if "value" not in button:
        yield f"{where}.value is missing"
    yield from _string(button, "value", where, 2000)
    yield from _string(button, "accessibility_label", where, 75)


def _plain_text_input(element: JSON, where: str) -> Iterator[str]:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if not 0 <= least <= 3000 or not 1 <= most <= 3000 or least > most:
        yield f"{where}: min_length and max_length must be within 3000"
    if len(element.get("initial_value", "")) > most:
        yield f"{where}.initial_value is longer than max_length"


def _options(element: JSON, where: str, most: int) -> Iterator[str]:
    options = element.get("options")
    if options is None and "option_groups" in element:
        return
    if not isinstance(options, list) or not 1 <= len(options) <= most:
        yield f"{where}.options must hold 1 to {most} options"
        return
    for number, option in enumerate(options):
        at = f"{where}.options[{number}]"
        yield from _only(option, frozenset({"text", "value", "description", "url"}), at)
        yield from _text(option.get("text"), f"{at}.text", 75)
        if "value" not in option:
            yield f"{at}.value is missing"
        yield from _string(option, "value", at, 150)
        if "description" in option:
            yield from _text(option["description"], f"{at}.description", 75)
    initial = element.get("initial_options", [element["initial_option"]] if "initial_option" in element else [])
    if any(option not in options for option in initial):
        yield f"{where}: an initial option is not among the options"


def _confirm(confirm: JSON, where: str) -> Iterator[str]:
    yield from _only(confirm, _CONFIRM, where)
    for key, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _text(confirm.get(key), f"{where}.{key}", most)


def check_text(text: Any, where: str, most: int) -> list[str]:
    """A `plain_text` object of at most `most` characters, such as a modal's title."""
    return list(_text(text, where, most, plain=True))


def _text(text: Any, where: str, most: int, *, plain: bool = False) -> Iterator[str]:
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        yield f"{where} must be a text object"
        return
    kind = text.get("type")
    if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        yield f"{where}: wrong type of text: {kind}"
        return
    yield from _only(text, frozenset({"type", "text", "emoji" if kind == "plain_text" else "verbatim"}), where)
    if not 1 <= len(text["text"]) <= most:
        yield f"{where} must have 1 to {most} characters, has {len(text['text'])}"


def _string(node: JSON, key: str, where: str, most: int) -> Iterator[str]:
    value = node.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        yield f"{where}.{key} must be a string of at most {most} characters"


def _only(node: JSON, allowed: frozenset[str], where: str) -> Iterator[str]:
    for key in node:
        if key not in allowed:
            yield f"{where}: invalid additional property: {key}"
