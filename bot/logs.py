"""Structured logs: one JSON object per line on standard error, with time, level and logger."""

from __future__ import annotations

import json
import logging


class JsonLines(logging.Formatter):
    """Our own events are JSON already (their message is an object); everything else becomes `{"message": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        message = record.getMessage()
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        line = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        line |= fields if isinstance(fields, dict) else {"message": message}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str) -> None:
    """Send everything from `level` up to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    handler.setLevel(level)  # some libraries set their own loggers to DEBUG when imported
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("faiss", "httpx", "httpcore", "sentence_transformers", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
