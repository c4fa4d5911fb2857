"""`[gaps]`: what people ask about and the wiki does not answer, and the weekly report. Read by bot/settings.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bot.table import Table


class GapsSettings(Table):
    """`[gaps]`."""

    days: float = Field(60.0, gt=0, le=3650, allow_inf_nan=False)
    likeness: float = Field(0.32, gt=0, lt=1, allow_inf_nan=False)
    people: int = Field(2, ge=1)
    reask: Literal["search", "answer", "off"] = "search"
    reask_questions: int = Field(5, ge=1, le=20)
    digest_platform: Literal["", "slack", "discord"] = ""
    digest_place: str = ""
    digest_language: Literal["", "ko", "en"] = ""
    digest_gaps: int = Field(5, ge=0, le=20)

    @model_validator(mode="after")
    def _platform_and_place(self) -> GapsSettings:
        if bool(self.digest_platform) != bool(self.digest_place):
            raise ValueError("digest_platform and digest_place belong together")
        if self.digest_platform == "discord" and not self.digest_place.isdigit():
            raise ValueError("digest_place: the id of a Discord channel is a number")
        return self
