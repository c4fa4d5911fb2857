"""Discord's rules for message components and modals (docs: components/reference), and looking things up in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.discord.records import JSON, Form, Step

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = (3, 5, 6, 7, 8)
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL, FILE_UPLOAD = (
    9,
    10,
    11,
    12,
    13,
    14,
    17,
    18,
    19,
)
RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 21, 22, 23
LINK_BUTTON, PREMIUM_BUTTON = 5, 6

MOST_COMPONENTS = 40
MOST_TEXT = 4000
"""Characters over all text displays of one message (discord-api-docs, pull request 8562)."""
CLASSIC_TOP = {ROW}
V2_TOP = {ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR, CONTAINER}
IN_CONTAINER = {ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR}
IN_LABEL = {*SELECTS, TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}

_SELECT = {"custom_id", "placeholder", "min_values", "max_values", "disabled", "required", "default_values"}
_CHOICES = {"custom_id", "options", "min_values", "max_values", "required"}
FIELDS: dict[int, set[str]] = {
    ROW: {"components"},
    BUTTON: {"style", "label", "emoji", "custom_id", "sku_id", "url", "disabled"},
    STRING_SELECT: _SELECT | {"options"},
    TEXT_INPUT: {"custom_id", "style", "label", "min_length", "max_length", "required", "value", "placeholder"},
    5: _SELECT,
    6: _SELECT,
    7: _SELECT,
    8: _SELECT | {"channel_types"},
    SECTION: {"components", "accessory"},
    TEXT_DISPLAY: {"content"},
    THUMBNAIL: {"media", "description", "spoiler"},
    GALLERY: {"items"},
    FILE: {"file", "spoiler"},
    SEPARATOR: {"divider", "spacing"},
    CONTAINER: {"components", "accent_color", "spoiler"},
    LABEL: {"label", "description", "component"},
    FILE_UPLOAD: {"custom_id", "min_values", "max_values", "required"},
    RADIO_GROUP: _CHOICES,
    CHECKBOX_GROUP: _CHOICES,
    CHECKBOX: {"custom_id", "default"},
}


def walk(components: list[JSON]) -> Iterator[JSON]:
    """Every component, parents first."""
    for component in components:
        yield component
        yield from walk(component.get("components", []))
        yield from walk([component[key] for key in ("accessory", "component") if isinstance(component.get(key), dict)])


def number(components: list[JSON]) -> list[JSON]:
    """A copy in which each component has the `id` that Discord gives it when the bot gave none."""

    def copied(component: JSON) -> JSON:
        return {
            key: [copied(child) for child in value]
            if key == "components"
            else copied(value)
            if key in ("accessory", "component") and isinstance(value, dict)
            else value
            for key, value in component.items()
        }

    copies = [copied(component) for component in components]
    taken = {component["id"] for component in walk(copies) if component.get("id")}
    following = 1
    for component in walk(copies):
        if not component.get("id"):
            while following in taken:
                following += 1
            component["id"] = following
            taken.add(following)
    return copies


def find(components: list[JSON], wanted: str) -> JSON | None:
    """What a person can press or fill in: by custom id, or by the label or emoji that they see."""
    seen = list(walk(components))
    for component in seen:
        if component.get("custom_id") == wanted:
            return component
    for component in seen:
        names = (component.get("label"), (component.get("emoji") or {}).get("name"))
        if component["type"] == BUTTON and wanted in names:
            return component
        if component["type"] == ROW and any(child.get("label") == wanted for child in component["components"]):
            return dict(next(child for child in component["components"] if child.get("label") == wanted))
        if component["type"] == LABEL and component["label"] == wanted:
            return dict(component["component"])
    return None


class Inspector:
    """Checks one list of components; everything wrong goes into the form."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._custom_ids: set[str] = set()
        self._ids: set[int] = set()
        self._count = 0
        self._text = 0

    def message(self, components: Any, *, v2: bool) -> None:
        """The `components` of a message."""
        path: tuple[Step, ...] = ("components",)
        if not isinstance(components, list):
            self._form.bad(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return
        if not v2 and len(components) > 5:
            self._form.bad(path, "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 5 in length.")
        self._children(components, path, V2_TOP if v2 else CLASSIC_TOP)
        if v2 and self._count > MOST_COMPONENTS:
            self._form.bad(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "At most 40 components in a message.")
        if self._text > MOST_TEXT:
            self._form.bad(
                path,
                "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
                "Components displayable text size exceeds maximum size of 4000",
            )

    def modal(self, data: JSON) -> None:
        """The `data` of a modal."""
        self._form.known(data, ("custom_id", "title", "components"), ("data",))
        self._form.length(data.get("title"), ("data", "title"), least=1, most=45)
        self._form.length(data.get("custom_id"), ("data", "custom_id"), least=1, most=100)
        path: tuple[Step, ...] = ("data", "components")
        components = data.get("components")
        if not isinstance(components, list) or not 1 <= len(components) <= 5:
            self._form.bad(path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
            return
        for index, component in enumerate(components):
            here = (*path, index)
            if not self._one(component, here, {ROW, LABEL, TEXT_DISPLAY}) or component["type"] != ROW:
                continue
            inside = component.get("components")
            if not isinstance(inside, list) or len(inside) != 1:
                self._form.bad((*here, "components"), "BASE_TYPE_BAD_LENGTH", "Must be 1 in length.")
            elif self._one(inside[0], (*here, "components", 0), {TEXT_INPUT}):
                self._form.length(inside[0].get("label"), (*here, "components", 0, "label"), least=1, most=45)

    def _children(self, components: Any, path: tuple[Step, ...], allowed: set[int]) -> None:
        for index, component in enumerate(components):
            self._one(component, (*path, index), allowed)

    def _one(self, component: Any, path: tuple[Step, ...], allowed: set[int]) -> bool:
        kind = component.get("type") if isinstance(component, dict) else None
        if kind not in allowed:
            choices = ", ".join(map(str, sorted(allowed)))
            self._form.bad((*path, "type"), "BASE_TYPE_CHOICES", f'Value of field "type" must be one of ({choices}).')
            return False
        self._count += 1
        self._form.known(component, FIELDS[kind] | {"type", "id"}, path)
        self._own_id(component, path)
        if "custom_id" in FIELDS[kind] and kind != BUTTON:
            self._custom_id(component, path)
        checks = {
            ROW: self._row,
            BUTTON: self._button,
            STRING_SELECT: self._options,
            RADIO_GROUP: self._options,
            CHECKBOX_GROUP: self._options,
            TEXT_INPUT: self._text_input,
            SECTION: self._section,
            TEXT_DISPLAY: self._text_display,
            CONTAINER: self._container,
            GALLERY: self._gallery,
            LABEL: self._label,
        }
        if kind in checks:
            checks[kind](component, path)
        if component.get("placeholder") is not None:
            self._form.length(component["placeholder"], (*path, "placeholder"), most=100 if kind == TEXT_INPUT else 150)
        return True

    def _own_id(self, component: JSON, path: tuple[Step, ...]) -> None:
        own = component.get("id")
        if own is None or own == 0:
            return
        if not isinstance(own, int) or not 0 < own < 2**31:
            self._form.bad((*path, "id"), "NUMBER_TYPE_COERCE", "Must be a positive 32-bit integer.")
        elif own in self._ids:
            self._form.bad((*path, "id"), "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        else:
            self._ids.add(own)

    def _custom_id(self, component: JSON, path: tuple[Step, ...]) -> None:
        custom_id = component.get("custom_id")
        self._form.length(custom_id, (*path, "custom_id"), least=1, most=100)
        if isinstance(custom_id, str):
            if custom_id in self._custom_ids:
                self._form.bad(
                    (*path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
                )
            self._custom_ids.add(custom_id)

    def _row(self, component: JSON, path: tuple[Step, ...]) -> None:
        if path[0] == "data":
            return  # a modal's row is checked with its single text input
        inside = component.get("components")
        kinds = [child.get("type") for child in inside] if isinstance(inside, list) else []
        most = 1 if any(kind in SELECTS for kind in kinds) else 5
        if not 1 <= len(kinds) <= most:
            self._form.bad((*path, "components"), "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
        if isinstance(inside, list):
            self._children(inside, (*path, "components"), {BUTTON, *SELECTS})

    def _button(self, component: JSON, path: tuple[Step, ...]) -> None:
        style = component.get("style")
        if style not in (1, 2, 3, 4, LINK_BUTTON, PREMIUM_BUTTON):
            self._form.bad((*path, "style"), "BASE_TYPE_CHOICES", 'Value of field "style" must be one of (1-6).')
            return
        if style == LINK_BUTTON:
            url = component.get("url")
            self._form.length(url, (*path, "url"), least=1, most=512)
            if isinstance(url, str) and not url.startswith(("http://", "https://", "discord://")):
                self._form.bad(
                    (*path, "url"), "URL_TYPE_INVALID_SCHEME", "Scheme must be one of (http, https, discord)."
                )
            if "custom_id" in component:
                self._form.bad(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A link has no custom id.")
        elif style != PREMIUM_BUTTON:
            self._custom_id(component, path)
            if "url" in component:
                self._form.bad(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "Only a link has a url.")
        label = component.get("label")
        if label is not None:
            self._form.length(label, (*path, "label"), most=80)
        if style != PREMIUM_BUTTON and not label and not component.get("emoji"):
            self._form.bad(path, "BUTTON_COMPONENT_INVALID_TYPE", "A label or an emoji is required.")

    def _options(self, component: JSON, path: tuple[Step, ...]) -> None:
        options = component.get("options")
        most = 25 if component["type"] == STRING_SELECT else 10
        if not isinstance(options, list) or not 1 <= len(options) <= most:
            self._form.bad((*path, "options"), "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
            return
        values: set[str] = set()
        for index, option in enumerate(options):
            here = (*path, "options", index)
            self._form.known(option, ("label", "value", "description", "emoji", "default"), here)
            self._form.length(option.get("label"), (*here, "label"), least=1, most=100)
            self._form.length(option.get("value"), (*here, "value"), least=1, most=100)
            if option.get("description") is not None:
                self._form.length(option["description"], (*here, "description"), most=100)
            if option.get("value") in values:
                self._form.bad((*here, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The value is used twice.")
            values.add(option.get("value"))

    def _text_input(self, component: JSON, path: tuple[Step, ...]) -> None:
        if component.get("style") not in (1, 2):
            self._form.bad((*path, "style"), "BASE_TYPE_CHOICES", 'Value of field "style" must be one of (1, 2).')
        for key, least in (("min_length", 0), ("max_length", 1)):
            bound = component.get(key)
            if bound is not None and not (isinstance(bound, int) and least <= bound <= 4000):
                self._form.bad((*path, key), "NUMBER_TYPE_MAX", f"Must be between {least} and 4000.")
        if component.get("value") is not None:
            self._form.length(component["value"], (*path, "value"), most=component.get("max_length") or 4000)
        if path[-1] == "component" and component.get("label") is not None:
            self._form.bad(
                (*path, "label"), "COMPONENT_LABEL_NOT_ALLOWED", "A text input inside a label has none itself."
            )

    def _section(self, component: JSON, path: tuple[Step, ...]) -> None:
        inside = component.get("components")
        if not isinstance(inside, list) or not 1 <= len(inside) <= 3:
            self._form.bad((*path, "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 3 in length.")
        else:
            self._children(inside, (*path, "components"), {TEXT_DISPLAY})
        self._one(component.get("accessory"), (*path, "accessory"), {BUTTON, THUMBNAIL})

    def _text_display(self, component: JSON, path: tuple[Step, ...]) -> None:
        content = component.get("content")
        self._form.length(content, (*path, "content"), least=1, most=MOST_TEXT)
        self._text += len(content) if isinstance(content, str) else 0

    def _container(self, component: JSON, path: tuple[Step, ...]) -> None:
        inside = component.get("components")
        if not isinstance(inside, list) or not inside:
            self._form.bad((*path, "components"), "BASE_TYPE_REQUIRED", "This field is required")
            return
        self._children(inside, (*path, "components"), IN_CONTAINER)

    def _gallery(self, component: JSON, path: tuple[Step, ...]) -> None:
        items = component.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= 10:
            self._form.bad((*path, "items"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")

    def _label(self, component: JSON, path: tuple[Step, ...]) -> None:
        self._form.length(component.get("label"), (*path, "label"), least=1, most=45)
        if component.get("description") is not None:
            self._form.length(component["description"], (*path, "description"), most=100)
        self._one(component.get("component"), (*path, "component"), IN_LABEL)
