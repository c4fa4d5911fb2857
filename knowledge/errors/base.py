"""The base of every error a person may read, and that of the wiki's."""

from __future__ import annotations

import re
from typing import ClassVar

_LINE = re.compile(r" line \{line\}| \{line\}행")


class ExplainedError(Exception):
    """Base of every error a person may read. Subclasses set `ko` and `en`, templates over the keyword arguments."""

    ko: ClassVar[str] = "알 수 없는 오류가 발생했습니다."
    en: ClassVar[str] = "Something unexpected went wrong."

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self._filled(self.en))

    def explain(self, language: str = "ko") -> str:
        """The sentence for a person: `language` is `ko` or `en`."""
        return self._filled(self.ko if language == "ko" else self.en)

    def _filled(self, template: str) -> str:
        if self.details.get("line") == 0:  # of a file as a whole: there is no line to look at
            template = _LINE.sub("", template)
        return template.format(**self.details)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (parsing workers); keyword-only construction needs its own recipe.
        return (_rebuild, (type(self), self.details))


def _rebuild(kind: type[ExplainedError], details: dict[str, object]) -> ExplainedError:
    return kind(**details)


class WikiError(ExplainedError):
    """Anything wrong with the wiki or its index."""
