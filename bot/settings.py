"""Every setting: its table, type, bounds and default, and what must fit together. Read by bot/settings_file.py.

Secrets are not settings: they come from the environment alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bot.gap_settings import GapsSettings
from bot.job_settings import BackupSettings, GateTable, JobsSettings, ReleasesSettings, TuningSettings
from bot.privacy_settings import PrivacySettings
from bot.readable_texts import Texts
from bot.source_settings import SourceSettings
from bot.table import Table
from bot.telemetry.settings import MetricsSettings, TelemetrySettings

PREFIX = "SASEO_"
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
