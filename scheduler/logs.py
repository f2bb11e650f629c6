"""Write logs: human text, or one line of JSON each, with the ids of runs and tasks."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import orjson

from scheduler.errors import InvalidRequest, Problem

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
        body |= _ids(record)
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(body, default=str).decode()


class TextFormatter(logging.Formatter):
    """A line for people, ids at its end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback where there is one."""
        ids = "".join(f" {name}={value}" for name, value in _ids(record).items())
        line = f"{_second(int(record.created))} {record.levelname:<7} {record.getMessage()}{ids}"
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


_FORMATTERS: Mapping[str, type[logging.Formatter]] = {"json": JsonFormatter, "text": TextFormatter}


def _ids(record: logging.LogRecord) -> dict[str, Any]:
    return {name: record.__dict__[name] for name in IDS if name in record.__dict__}


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


def keep_records_small() -> None:
    """Leave out of log records what no line of ours says: who logged, in which thread and process.

    For a process that is the service's alone. Finding that out takes as long as writing the line; these are the
    switches that the logging HOWTO of Python's documentation names for it.
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class LogFile(WatchedFileHandler):
    """A file that is opened anew when it was moved or removed, and that nothing but its owner may read.

    Several processes append to it, each line in one write. A failure is told on standard error, and raises nothing.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def _open(self) -> TextIOWrapper:
        # A link in the place of file or folder was put there later: the settings have followed all that there were.
        if os.path.realpath(self.baseFilename) != self.baseFilename:
            raise OSError(f"the log file {self.baseFilename} was replaced by a link")
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return TextIOWrapper(open(self.baseFilename, "ab", opener=_private), encoding="utf-8")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def check_log_file(path: Path) -> None:
    """Raise `InvalidRequest` where a log file cannot be written."""
    try:
        LogFile(path).close()
    except OSError as error:
        text = f"the log file {path} cannot be written: {error.strerror or error}"
        raise InvalidRequest([Problem("SCHEDULER_LOG_FILE", text, str(path))]) from error


@contextmanager
def logging_set_up(level: str, style: str, file: Path | None) -> Iterator[None]:
    """Log as the settings say until the block ends, in a program that is the scheduler's own.

    Where the program has set logging up itself that stays as it is: the file is added, and the level holds for our
    lines alone.
    """
    root = logging.getLogger()
    levelled = logging.getLogger("scheduler") if root.handlers else root
    handlers: list[logging.Handler] = [] if root.handlers else [logging.StreamHandler()]
    if file is not None:
        check_log_file(file)
        handlers.append(LogFile(file, delay=True))
    before = levelled.level
    levelled.setLevel(level)
    for handler in handlers:
        handler.setFormatter(_FORMATTERS[style]())
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        levelled.setLevel(before)


def logging_settings(level: str, style: str, file: Path | None = None) -> dict[str, Any]:
    """Return the settings for `logging.config.dictConfig`; gunicorn's own lines go the same way."""
    handlers: dict[str, dict[str, Any]] = {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}}
    if file is not None:
        handlers["file"] = {"()": LogFile, "filename": str(file), "delay": True, "formatter": "line"}
    quiet = {"level": "WARNING", "handlers": list(handlers), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _FORMATTERS[style]}},
        "handlers": handlers,
        "root": {"level": level, "handlers": list(handlers)},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": list(handlers), "propagate": False},
            "gunicorn.access": quiet,
            "alembic": quiet,
        },
    }


class Outage:
    """Tell what fails again and again for the same reason once, and once that it is over. For one thread."""

    def __init__(self, log: logging.Logger, over: str) -> None:
        self._log, self._over = log, over
        self._told: str | None = None

    def tell(self, failure: str) -> None:
        """Log a failure, unless the last one was the same."""
        if failure != self._told:
            self._told = failure
            self._log.error("%s", failure)

    def end(self) -> None:
        """Log that it is over, where there was a failure."""
        if self._told is not None:
            self._told = None
            self._log.warning("%s", self._over)
