"""Every string of the console, in Korean and English, one file for each page. `common.py` has what several pages say."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from bot.messages import Language

Strings = Mapping[str, tuple[str, str]]
"""Key, such as `today.title` → Korean, English. Braces are filled by `str.format`."""


class Texts:
    """The strings of the files that were named. A key that is missing is a KeyError: tests render every page in both languages."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self._strings: dict[str, tuple[str, str]] = {}
        for name in files:
            strings: Strings = import_module(f"bot.web.texts.{name}").STRINGS
            self._strings.update(strings)

    def __call__(self, key: str, language: Language, /, **values: object) -> str:
        """One string."""
        text = self._strings[key][0 if language == "ko" else 1]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a string."""
        return key in self._strings
