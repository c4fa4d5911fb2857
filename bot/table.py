"""What every table of config.toml is: frozen, and unknown keys are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """Base of all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
