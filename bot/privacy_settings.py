"""`[privacy]`: what is kept of people for how long, and what they are told. Read by bot/settings.py."""

from __future__ import annotations

from pydantic import Field, field_validator

from bot.store.append_only import LEAST_DAYS
from bot.table import Table


class PrivacySettings(Table):
    """`[privacy]`. Ages in days; 0: kept until somebody deletes it."""

    questions_days: int = Field(90, ge=0)
    traces_days: int = Field(30, ge=0)
    feedback_days: int = Field(180, ge=0)
    examples_days: int = Field(0, ge=0)
    exports_days: int = Field(30, ge=0)
    job_days: int = Field(90, ge=0)
    audit_days: int = Field(365, ge=0)
    request_days: int = Field(10, ge=1)
    ai_notice: bool = True
    first_use_notice: bool = True
    notice: str = Field("", max_length=400)
    contact: str = Field("", max_length=100)

    @field_validator("audit_days")
    @classmethod
    def _a_year_at_least(cls, days: int) -> int:
        if 0 < days < LEAST_DAYS:
            raise ValueError(f"0, or at least {LEAST_DAYS}: access records are kept for a year")
        return days
