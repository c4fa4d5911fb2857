"""The base of every error a person may read, and that of the wiki's."""

from __future__ import annotations

from typing import ClassVar


class ExplainedError(Exception):
    """Base of every error a person may read. Subclasses set `ko` and `en`, templates over the keyword arguments."""

    ko: ClassVar[str] = "알 수 없는 오류가 발생했습니다."
    en: ClassVar[str] = "Something unexpected went wrong."

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.en.format(**details))

    def explain(self, language: str = "ko") -> str:
        """The sentence for a person: `language` is `ko` or `en`."""
        return (self.ko if language == "ko" else self.en).format(**self.details)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (parsing workers); keyword-only construction needs its own recipe.
        return (_rebuild, (type(self), self.details))


def _rebuild(kind: type[ExplainedError], details: dict[str, object]) -> ExplainedError:
    return kind(**details)


class WikiError(ExplainedError):
    """Anything wrong with the wiki or its index."""
