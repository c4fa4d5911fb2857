"""People at the door of the store: how rows name them, what they have been told, and what they wish."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.conversation import Asked, Person, Place
from bot.messages import Language
from bot.privacy import directs
from bot.privacy.notices import Wish
from bot.privacy.pseudonyms import Pseudonyms
from bot.store import privacy

if TYPE_CHECKING:
    from bot.store.database import Store


def _nothing(language: Language) -> str:
    return ""


class People:
    """One per process. Methods that wait raise StoreError."""

    def __init__(
        self,
        store: Store,
        pseudonyms: Pseudonyms,
        *,
        ai_notice: bool = True,
        first_use: Callable[[Language], str] = _nothing,
        request_days: int = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`ai_notice`: answers say that AI wrote them. `first_use`: what each person is told once; empty: nothing."""
        self.ai_notice = ai_notice
        self._store = store
        self._pseudonyms = pseudonyms
        self._first_use = first_use
        self._days = request_days
        self._clock = clock
        self._telling: set[str] = set()

    def named(self, person: Person) -> str:
        """As rows name them."""
        return self._pseudonyms.of(person.key)

    def place(self, place: Place) -> Place:
        """As rows name it (bot/privacy/directs.py)."""
        return directs.place_in_rows(place, self._pseudonyms.of)

    def keys(self, asked: Asked) -> tuple[str, ...]:
        """Those of its claim, as rows hold them."""
        return directs.keys_in_rows(asked, self._pseudonyms.of)

    def message(self, place: Place, message: str) -> str:
        """The platform's reference of a message that stands in `place`, as rows hold it."""
        return self.direct_message(place.platform, message) if place.kind == "direct" else message

    def direct_message(self, platform: str, message: str) -> str:
        """The same, if it stands in a direct message."""
        return directs.message_in_rows(platform, message, self._pseudonyms.of)

    async def first_words(self, person: Person, language: Language) -> str:
        """What they must be told with this answer; empty when they know. Say `told` once it stands there, else `not_told`."""
        words = self._first_use(language)
        name = self.named(person)
        if not words or name in self._telling:
            return ""
        self._telling.add(name)  # two answers at once tell it once
        try:
            known = await self._store.run(privacy.was_told, name)
        except BaseException:
            self._telling.discard(name)
            raise
        if known:
            self._telling.discard(name)
        return "" if known else words

    async def told(self, person: Person) -> None:
        """They have read it."""
        name = self.named(person)
        try:
            await self._store.run(privacy.told, name, now=self._clock())
        finally:
            self._telling.discard(name)

    def not_told(self, person: Person) -> None:
        """It did not get through: next time."""
        self._telling.discard(self.named(person))

    async def wish(self, person: Person, wished: Wish) -> bool:
        """Do what they wish, on record; False: it was so before."""
        name = self.named(person)
        return await self._store.run(
            privacy.wish, name, wished, by=name, now=self._clock(), days=self._days, origin=person.platform
        )
