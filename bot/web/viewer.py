"""Who looks at a page, and what they may see and do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.messages import Language
from bot.readable_texts import Texts, readable
from bot.store.web_accounts import ROLES, Role

Theme = Literal["auto", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request."""

    name: str
    """Of the account; `local` where no login is needed."""
    role: Role
    groups: frozenset[str]
    """Whose pages they may read; `everyone` is implied."""
    language: Language
    theme: Theme
    csrf: str
    """Every form carries it in the field `csrf`; htmx sends it as a header by itself."""
    texts: Texts
    """`[web] texts`: of which questions and answers the words are shown."""
    logged_in: bool

    @property
    def by(self) -> str:
        """As actions are recorded."""
        return f"web:{self.name}"

    def may(self, role: Role) -> bool:
        """Whether this person has at least that role."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def may_read_text(self, *, private: bool) -> bool:
        """See `bot.readable_texts.readable`."""
        return readable(self.texts, private=private)
