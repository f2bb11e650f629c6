"""Write logs: human text, or one line of JSON each, with the ids of runs and tasks."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import orjson

IDS = ("task_id", "run_id", "error_id", "status", "interrupted")


class JsonFormatter(logging.Formatter):
    """One line of JSON a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        body: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        body |= {name: getattr(record, name) for name in IDS if hasattr(record, name)}
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(body, default=str).decode()


class TextFormatter(logging.Formatter):
    """A line for people, ids at its end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback where there is one."""
        ids = "".join(f" {name}={getattr(record, name)}" for name in IDS if hasattr(record, name))
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        line = f"{when} {record.levelname:<7} {record.getMessage()}{ids}"
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def logging_settings(level: str, style: str) -> dict[str, Any]:
    """Return the settings for `logging.config.dictConfig`; gunicorn's own lines go the same way."""
    formatter = JsonFormatter if style == "json" else TextFormatter
    quiet = {"level": "WARNING", "handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": ["stderr"], "propagate": False},
            "gunicorn.access": quiet,
            "alembic": quiet,
        },
    }
