"""`[metrics]` and `[telemetry]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from bot.table import Table


class MetricsSettings(Table):
    """`[metrics]`: `/metrics`, `/healthz`, `/readyz`. `port` 0: in the console."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0


class TelemetrySettings(Table):
    """`[telemetry]`: traces over OTLP/HTTP; an empty address: none."""

    traces_endpoint: str = ""

    @field_validator("traces_endpoint")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://, e.g. http://127.0.0.1:4318/v1/traces")
        return url
