"""Structured log lines of this adapter, and a leash on the SDK's own.

slack_sdk prints whole payloads at DEBUG and a WebSocket URL with its ticket when a handshake fails; slack_bolt prints a
request's body when a signature is wrong. So the SDK gets a logger that starts at WARNING and passes a filter.
"""

from __future__ import annotations

import json
import logging
import re

_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?:ticket|app_id)=[^\s&'\"]+|wss?://\S+|https?://hooks\.slack\.com/\S+|"
    r"https?://\S*/(?:commands|actions)/\S+"
)
_LONGEST = 300


def event(logger: logging.Logger, level: int, name: str, **fields: object) -> None:
    """One JSON object. Callers pass ids and error codes, never a text that a person or a page wrote."""
    logger.log(level, json.dumps({"event": name} | fields, ensure_ascii=False, default=str))


def sdk_logger(parent: logging.Logger) -> logging.Logger:
    """A logger of its own for slack_sdk and slack_bolt, not registered anywhere: its level and filter touch nobody else."""
    logger = logging.Logger(f"{parent.name}.sdk", level=logging.WARNING)
    logger.parent = parent
    logger.addFilter(redact)
    return logger


def redact(record: logging.LogRecord) -> bool:
    """Make the SDK's line one of ours: no secrets, no stack trace (its frames hold URLs), bounded length."""
    text = _SECRETS.sub("(redacted)", record.getMessage())
    record.msg = json.dumps({"event": "slack_sdk", "text": text[:_LONGEST]}, ensure_ascii=False)
    record.args = ()
    record.exc_info = None
    record.exc_text = None
    return True
