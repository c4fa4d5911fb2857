"""config.toml → one typed, frozen object, once. Unknown keys are refused with the nearest known name.

Order of precedence: environment (`SASEO_WRITER__MODEL=…`) over the file over the defaults here. A file names only what
differs. Secrets are not settings: they come from the environment alone. Relative paths count from the file's folder.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import InvalidSetting, SettingsFileMissing, UnknownSetting
from bot.gap_settings import GapsSettings
from bot.job_settings import BackupSettings, GateTable, JobsSettings, ReleasesSettings, TuningSettings
from bot.privacy_settings import PrivacySettings
from bot.readable_texts import Texts
from bot.source_settings import SourceSettings, kind_keys
from bot.table import Table
from bot.telemetry.settings import MetricsSettings, TelemetrySettings

PREFIX = "SASEO_"
CONFIG_VARIABLE = "SASEO_CONFIG"
"""Names the file itself, so it is no key of it."""
_NO_SETTINGS = frozenset({CONFIG_VARIABLE, "SASEO_PRIVACY_KEY", "SASEO_METRICS_TOKEN", "SASEO_CONSOLE_PASSWORD"})
"""Three are secrets: bot/privacy/pseudonyms.py, bot/telemetry/telemetry.py, bot/commands/accounts.py."""
_PROMPT_TOKENS = 1300
"""Of the prompt beside the evidence: about 400 of rules and examples, up to 900 of question and earlier questions."""
Port = Annotated[int, Field(ge=0, le=65535)]


def _safe_url(url: str) -> str:
    """Tokens travel to this address: only over TLS, or to this machine itself."""
    parts = urlsplit(url)
    if url and parts.scheme not in ("https", "wss") and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("must be https (or wss), or a loopback address: the bot's token is sent there")
    return url


class WriterSettings(Table):
    """`[writer]`: the model that writes."""

    model: str = "qwen2.5-coder-1.5b"
    lora: str = Field("auto", min_length=1)
    context_tokens: int = Field(4096, ge=2048)
    threads: int = Field(2, ge=1)
    gpu_layers: int = Field(0, ge=-1)
    max_answer_tokens: int = Field(160, ge=16)
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    timeout_seconds: float = Field(90.0, gt=0)
    queue_size: int = Field(32, ge=1)
    per_person: int = Field(3, ge=1)


class EmbedderSettings(Table):
    """`[embedder]`: the model that turns text into vectors."""

    model: str = "multilingual-e5-small"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    batch_size: int = Field(16, ge=1)


class IndexSettings(Table):
    """`[index]`: pages to passages, passages to editions."""

    passage_size: int = Field(600, ge=100)
    passage_overlap: int = Field(100, ge=0)
    max_file_mb: int = Field(50, ge=1)
    parse_seconds: float = Field(60.0, ge=1, allow_inf_nan=False)
    parse_memory_mb: int = Field(1024, ge=64)
    keep_editions: int = Field(3, ge=1)
    shrink_share: float = Field(0.5, ge=0, le=1)
    regression_set: str = ""
    regression_floor: float = Field(0.0, ge=0, le=1)
    regression_fall: float = Field(0.05, ge=0, le=1)


class WeightSettings(Table):
    """`[search.weights]`: what each leg counts in the fusion."""

    morpheme: float = Field(0.4, ge=0, allow_inf_nan=False)
    bigram: float = Field(0.3, ge=0, allow_inf_nan=False)
    dense: float = Field(0.3, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _some_leg_counts(self) -> WeightSettings:
        if not self.morpheme + self.bigram + self.dense:
            raise ValueError("at least one weight must be above 0")
        return self


class SearchSettings(Table):
    """`[search]`."""

    candidates: int = Field(100, ge=1)
    fusion: Literal["minmax", "rrf"] = "minmax"
    tolerant: bool = True
    glossary: str = ""
    recency: float = Field(0.0, ge=0, le=0.03)
    half_life_days: float = Field(365.0, gt=0, allow_inf_nan=False)
    authority: float = Field(0.0, ge=0, le=0.03)
    learn: bool = False
    rerank: str = ""
    rerank_passages: int = Field(20, ge=2, le=100)
    rerank_seconds: float = Field(2.0, gt=0, allow_inf_nan=False)
    weights: WeightSettings = WeightSettings()


class AnswerSettings(Table):
    """`[answer]`: what the writer is shown and when Saseo declines."""

    passages: int = Field(4, ge=1, le=10)
    evidence_characters: int = Field(550, ge=200)
    abstain_threshold: Annotated[float, Field(allow_inf_nan=False)] | Literal["auto"] = "auto"
    nearest_pages: int = Field(3, ge=0, le=10)
    refusal_confidence: float = Field(0.75, ge=0, le=1)


class ServiceSettings(Table):
    """`[service]`: how many questions at once, and for how long."""

    queue_size: int = Field(64, ge=1)
    per_person: int = Field(3, ge=1)
    at_once: int = Field(2, ge=1, le=16)
    lease_seconds: float = Field(30.0, ge=1)
    drain_seconds: float = Field(25.0, ge=0)


class StoreSettings(Table):
    """`[store]`: where questions, answers and votes are kept."""

    url: str = ""


class PlaceTable(Table):
    """One `[[places]]` table. `id = "*"` is every place of the platform that has no table of its own."""

    platform: Literal["slack", "discord"]
    id: str = Field(min_length=1)
    sources: tuple[str, ...] = ()
    listen: Literal["mention", "threads", "all"] = "mention"
    language: Literal["ko", "en"] | None = None
    private: bool = False
    contacts: tuple[str, ...] = ()


class SlackSettings(Table):
    """`[slack]`."""

    enabled: bool = False
    mode: Literal["socket", "http"] = "socket"
    host: str = "127.0.0.1"
    port: Port = 3000
    api_base_url: str = "https://slack.com/api/"
    connections: int = Field(2, ge=1, le=10)
    streaming: bool = True
    streams_per_minute: int = Field(18, ge=0)
    admins: tuple[str, ...] = ()
    suggested_prompts: tuple[str, ...] = Field(
        ("연차는 며칠이고 어떻게 신청하나요?", "법인카드 한도는 얼마인가요?", "VPN은 어떻게 연결하나요?"), max_length=4
    )

    @field_validator("api_base_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        return _safe_url(url)


class DiscordSettings(Table):
    """`[discord]`."""

    enabled: bool = False
    guild_ids: tuple[int, ...] = ()
    api_base_url: str = "https://discord.com/api/v10"
    gateway_url: str = ""
    components: Literal["v2", "classic"] = "v2"
    direct_messages: bool = True
    message_content: bool = False
    admins: tuple[str, ...] = ()
    admin_roles: tuple[str, ...] = ()

    @field_validator("api_base_url", "gateway_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        return _safe_url(url)


class WebSettings(Table):
    """`[web]`."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8787
    public_url: str = ""
    proxies: tuple[str, ...] = ()
    texts: Texts = "shared"
    traces: bool = True

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must begin with https:// or http://")
        return url.rstrip("/")


class Settings(BaseSettings):
    """Every setting. `folder` is where relative paths count from."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True
    )

    data_dir: Path = Path("var")
    models_dir: Path | None = None
    catalogue: Path | None = None
    language: Literal["ko", "en"] = "ko"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    sources: tuple[SourceSettings, ...] = (SourceSettings.of("wiki", "folder", path=Path("examples/wiki")),)
    writer: WriterSettings = WriterSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    index: IndexSettings = IndexSettings()
    search: SearchSettings = SearchSettings()
    answer: AnswerSettings = AnswerSettings()
    service: ServiceSettings = ServiceSettings()
    store: StoreSettings = StoreSettings()
    groups_file: Path | None = None
    places: tuple[PlaceTable, ...] = ()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    web: WebSettings = WebSettings()
    metrics: MetricsSettings = MetricsSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    jobs: JobsSettings = JobsSettings()
    backup: BackupSettings = BackupSettings()
    tuning: TuningSettings = TuningSettings()
    releases: ReleasesSettings = ReleasesSettings()
    gate: GateTable = GateTable()
    gaps: GapsSettings = GapsSettings()
    privacy: PrivacySettings = PrivacySettings()

    @property
    def backups(self) -> Path:
        """The folder of backups."""
        return Path(self.backup.folder) if self.backup.folder else self.data_dir / "backups"

    @property
    def search_weights_file(self) -> Path:
        """Where `saseo search-weights learn` keeps what it learnt."""
        return self.data_dir / "search-weights.json"

    @model_validator(mode="after")
    def _source_names_are_unique(self) -> Settings:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("[[sources]] name must be unique")
        return self

    @model_validator(mode="after")
    def _the_prompt_fits(self) -> Settings:
        # A character of Korean is at most about one token; rules, examples and a long question take the rest.
        most = self.writer.context_tokens - self.writer.max_answer_tokens - _PROMPT_TOKENS
        if self.answer.evidence_characters > most:
            raise ValueError(f"[answer] evidence_characters is at most {most} with this [writer] context_tokens")
        return self

    @model_validator(mode="after")
    def _what_is_learnt_can_be_served(self) -> Settings:
        # The gate reads it with what serves, to compare: hours after this, if it were not said here.
        most = self.writer.context_tokens
        if self.tuning.training.most_tokens > most:
            raise ValueError(f"[tuning.training] most_tokens is at most {most}, which is [writer] context_tokens")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (pydantic-settings' own order is the reverse)."""
        return (EnvSettingsSource(settings_cls), init_settings)


def default_folder() -> Path:
    """Where `examples/` and the commented `config.toml` are: the checkout, or `_rooms` in a wheel."""
    return Path(__file__).resolve().parent.parent


def load_settings(path: Path | None) -> Settings:
    """Read `path`; without one `./config.toml` if it exists, else the defaults over the example wiki.

    Raises SettingsFileMissing, UnknownSetting, InvalidSetting.
    """
    given: dict[str, Any] = {}
    folder = Path.cwd()
    chosen = path if path is not None else Path("config.toml")
    if chosen.is_file():
        folder = chosen.resolve().parent
        try:
            given = tomllib.loads(chosen.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise InvalidSetting(key=str(chosen), reason=str(error)) from error
    elif path is not None:
        raise SettingsFileMissing(path=path)
    _refuse_unknown_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise _explained(error) from error
    except ValueError as error:  # an environment variable that is not the JSON its field needs
        raise InvalidSetting(key="SASEO_…", reason=str(error)) from error
    # The embedded wiki is found wherever Saseo is installed; a named source counts from its file.
    wiki_root = folder if "sources" in settings.model_fields_set else default_folder()
    return settings.model_copy(
        update={
            "data_dir": _absolute(settings.data_dir, folder),
            "models_dir": settings.models_dir and _absolute(settings.models_dir, folder),
            "index": settings.index.model_copy(update={"regression_set": _file(settings.index.regression_set, folder)}),
            "backup": settings.backup.model_copy(update={"folder": _file(settings.backup.folder, folder)}),
            "groups_file": settings.groups_file and _absolute(settings.groups_file, folder),
            "catalogue": settings.catalogue and _absolute(settings.catalogue, folder),
            "search": settings.search.model_copy(
                update={
                    "glossary": _file(settings.search.glossary, folder),
                    "rerank": _file(settings.search.rerank, folder),
                }
            ),
            "writer": settings.writer.model_copy(update={"model": _model(settings.writer.model, folder)}),
            "embedder": settings.embedder.model_copy(update={"model": _model(settings.embedder.model, folder)}),
            "tuning": settings.tuning.model_copy(
                update={"evaluation_sets": tuple(_absolute(one, folder) for one in settings.tuning.evaluation_sets)}
            ),
            "sources": tuple(source.counted_from(wiki_root) for source in settings.sources),
        }
    )


def _absolute(path: Path, folder: Path) -> Path:
    return folder / path.expanduser()


def _file(path: str, folder: Path) -> str:
    """The path of a file that need not be there; empty stays empty."""
    return str(_absolute(Path(path), folder)) if path else ""


def _model(name: str, folder: Path) -> str:
    """A name of the catalogue as it is; the path of a model file made absolute."""
    from bot.models.store import local_path

    path = local_path(name)
    return name if path is None else str(_absolute(path, folder))


def _refuse_unknown_variables() -> None:
    """pydantic-settings overlooks a variable that names no field at all; a typo must not be silent there either."""
    known = [PREFIX + key.replace(".", "__").upper() for key in known_keys()]
    for name, value in os.environ.items():
        variable = name.upper()
        if value and variable.startswith(PREFIX) and variable not in known and variable not in _NO_SETTINGS:
            close = difflib.get_close_matches(variable, known, n=1, cutoff=0.5)
            raise UnknownSetting(key=name, hint=f" (→ {close[0]}?)" if close else "")


def _explained(error: ValidationError) -> UnknownSetting | InvalidSetting:
    """The first complaint of pydantic as one of ours."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    key = ".".join(where) or "config.toml"
    if first["type"] != "extra_forbidden":
        return InvalidSetting(key=key, reason=first["msg"])
    close = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.5)
    return UnknownSetting(key=key, hint=f" (→ {close[0]}?)" if close else "")


def known_keys(table: type[BaseModel] = Settings, prefix: str = "") -> list[str]:
    """Every key with its dots, e.g. `search.weights.dense`; list tables as `sources.name`."""
    keys = []
    for name, field in table.model_fields.items():
        inner: object = field.annotation
        if table is Settings:
            tables: dict[str, type[BaseModel]] = {"sources": SourceSettings, "places": PlaceTable}
            inner = tables.get(name, inner)
        elif table is SourceSettings and name == "options":  # its keys stand in the table itself
            keys += [prefix + option for option in kind_keys()]
            continue
        keys.append(prefix + name)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += known_keys(inner, f"{prefix}{name}.")
    return keys
