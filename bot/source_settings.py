"""One `[[sources]]` table. The keys that only one kind knows are declared by that kind (`knowledge/sources/`), not here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import (
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from bot.table import Table
from knowledge.sources import KINDS


class FolderTable(Table):
    """One entry of `folders`: who may read the pages that match `pages`."""

    pages: tuple[str, ...] = Field(min_length=1)
    audience: tuple[str, ...] = Field(min_length=1)


class SourceSettings(Table):
    """`options`: an instance of the kind's own dataclass, filled from the table's other keys."""

    name: str = Field(min_length=1)
    kind: str = "folder"
    audience: tuple[str, ...] = ("everyone",)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    folders: tuple[FolderTable, ...] = ()
    schedule: str = ""
    """When this source alone is read again (as `[jobs.*] schedule`); empty: with all others."""
    watch: bool = False
    """Read again soon after something changed in its folder."""
    options: Any = None

    @classmethod
    def of(cls, name: str, kind: str, **keys: object) -> SourceSettings:
        """As if the table had been read from a file."""
        return cls.model_validate({"name": name, "kind": kind, **keys})

    def counted_from(self, folder: Path) -> SourceSettings:
        """The same with every path of its options absolute, counted from `folder`."""
        paths = {
            field.name: folder / value.expanduser()
            for field in dataclasses.fields(self.options)
            if isinstance(value := getattr(self.options, field.name), Path)
        }
        return self.model_copy(update={"options": dataclasses.replace(self.options, **paths)})

    @property
    def watched(self) -> Path | None:
        """The folder whose changes make it due; None: it is not watched."""
        return KINDS[self.kind].watched(self.options) if self.watch else None

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        """The table as a file would hold it, with the kind's own keys in place."""
        common = {name: getattr(self, name) for name in type(self).model_fields if name != "options"}
        return common | dataclasses.asdict(self.options)

    @model_validator(mode="before")
    @classmethod
    def _own_keys(cls, table: Any) -> Any:
        """Gathers the kind's own keys in `options`; what neither knows stays, and is refused by name."""
        if not isinstance(table, Mapping) or dataclasses.is_dataclass(table.get("options")):
            return table
        kind = KINDS.get(str(table.get("kind", "folder")))
        if kind is None:
            raise ValueError(f"kind must be one of {', '.join(sorted(KINDS))}")
        own = option_keys(kind.options)
        given = {key: value for key, value in table.items() if key in own}
        if "options" in table:
            raise ValueError("options is not a key of its own: write its keys into the table itself")
        try:
            options = TypeAdapter(kind.options).validate_python(given)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")  # pydantic says it again for this error
            raise ValueError(f"{key}: {said}" if key else said) from error
        return {key: value for key, value in table.items() if key not in own} | {"options": options}

    @model_validator(mode="after")
    def _can_be_watched(self) -> SourceSettings:
        if self.watch and self.watched is None:
            raise ValueError(f"watch: a source of kind {self.kind} cannot be watched here; give it a schedule")
        return self

    @field_validator("schedule")
    @classmethod
    def _readable(cls, schedule: str) -> str:
        return schedule.strip()


def option_keys(options: type) -> frozenset[str]:
    """The keys that a kind with these options knows beside the common ones."""
    return frozenset(field.name for field in dataclasses.fields(options))


@cache
def kind_keys() -> tuple[str, ...]:
    """Every key that some kind knows."""
    return tuple(sorted({key for kind in KINDS.values() for key in option_keys(kind.options)}))
