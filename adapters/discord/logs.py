"""Structured log records. Ids, codes and counts only: never what people or pages say, never a token."""

from __future__ import annotations

import json
import logging
import traceback


def record(logger: logging.Logger, event: str, level: int = logging.INFO, **fields: object) -> None:
    """One JSON object as the message, with `event` first."""
    if logger.isEnabledFor(level):
        logger.log(level, "%s", json.dumps({"event": event, **fields}, ensure_ascii=False, default=str))


def where(error: BaseException) -> list[str]:
    """The frames of a traceback as `file:line function`: an exception's own text may quote a message, so it is left out."""
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-8:]]
