"""Which LoRA answers, and why: the setting, the newest release, and what really lies on the shelf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection

from bot.errors import BrokenLora, LoraError, MarkedLora, ModelError, UnknownLora, WrongBase
from bot.live import NO_LORA, Canary
from bot.loras.shelf import LoraShelf
from bot.store import loras, releases
from bot.store.releases import Release
from bot.writers.engine import LoraFile

AUTO = "auto"
Why = Literal["set", "released", "shipped", "nothing", "unusable"]
"""`set`: by the configuration. `shipped`: nothing was released, and one came with Saseo for this base and prompt. `nothing`: neither.
`unusable`: what should answer cannot, so the plain base does."""
Problem = LoraError | ModelError


@dataclass(frozen=True, slots=True)
class Released:
    """What the store says. Equal values mean that nothing has changed."""

    release: Release | None = None
    """The newest of the served base."""
    unusable: tuple[tuple[str, str], ...] = ()
    """(name, why) of every LoRA that is marked or deleted; `why` is empty for a deleted one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers now. `lora` None: the plain base."""

    lora: LoraFile | None
    why: Why
    canary: Canary | None = None
    problem: Problem | None = field(default=None, compare=False)
    """Why what should answer cannot."""
    canary_problem: Problem | None = field(default=None, compare=False)

    @property
    def lacking(self) -> bool:
        """Something that should answer cannot now, and may later: files come back, a mark stays."""
        problems = (self.problem, self.canary_problem)
        return any(one is not None and not isinstance(one, MarkedLora) for one in problems)


@dataclass(frozen=True, slots=True)
class Choosing:
    """What a choice depends on beside the store."""

    setting: str
    """`[writer] lora`: `auto`, `none`, or a name."""
    shelf: LoraShelf
    base: Callable[[], str]
    """SHA-256 of the served GGUF: a second for a file that the catalogue does not know, so only when it is needed."""
    prompt: str
    """Version of the prompt in use."""

    @property
    def off(self) -> bool:
        """The plain base answers, whatever was released."""
        return self.setting == NO_LORA

    @property
    def pinned(self) -> bool:
        """The setting names the LoRA."""
        return self.setting not in (AUTO, NO_LORA)

    def default(self, unusable: dict[str, str]) -> str:
        """What answers before the first release: a name, or `none`."""
        shipped = self.shelf.shipped_for(self.base(), self.prompt)
        return NO_LORA if shipped is None or shipped in unusable else shipped

    def choose(self, released: Released) -> Choice:
        """Reads the files that it chooses. Raises nothing: what cannot be used is named in the choice."""
        unusable = dict(released.unusable)
        if self.off:
            return Choice(None, "set")
        if self.pinned:
            return self._chosen(self.setting, "set", unusable)
        release = released.release
        if release is None:
            name = self.default(unusable)
            return Choice(None, "nothing") if name == NO_LORA else self._chosen(name, "shipped", unusable)
        chosen = self._chosen(release.lora, "released", unusable)
        if not release.canary:
            return chosen
        tried = self._chosen(release.canary, "released", unusable)
        if tried.problem is not None:
            return Choice(chosen.lora, chosen.why, None, chosen.problem, tried.problem)
        return Choice(chosen.lora, chosen.why, Canary(tried.lora, release.share, release.id), chosen.problem)

    def _chosen(self, name: str, why: Why, unusable: dict[str, str]) -> Choice:
        if name == NO_LORA:
            return Choice(None, why)
        try:
            if unusable.get(name):
                raise MarkedLora(name=name, reason=unusable[name])
            if name in unusable:
                raise UnknownLora(name=name, hint="")
            return Choice(self.shelf.get(name, self.base()).file, why)
        except (UnknownLora, BrokenLora, WrongBase, MarkedLora) as problem:
            return Choice(None, "unusable", None, problem)


def released(connection: Connection, base: str) -> Released:
    """What the store says of a base (SHA-256) now."""
    return Released(releases.newest(connection, base), tuple(sorted(loras.unusable(connection).items())))
