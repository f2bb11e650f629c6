"""The log file: made with its directory, for its owner alone, and opened anew when it was moved."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from scheduler.errors import InvalidRequest
from scheduler.logs import LogFile, TextFormatter, check_log_file, keep_records_small


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[LogFile]:
    """Return a log file in a folder that is not there yet."""
    handler = LogFile(tmp_path / "logs/a.log", delay=True)
    yield handler
    handler.close()


def write(handler: LogFile, text: str) -> None:
    """Log a line."""
    handler.emit(logging.LogRecord("x", logging.INFO, __file__, 1, text, (), None))


def test_it_is_made_for_its_owner_alone(log_file: LogFile) -> None:
    write(log_file, "one")
    path = Path(log_file.baseFilename)
    assert path.read_text() == "one\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_opened_anew_when_it_was_moved(log_file: LogFile) -> None:
    path = Path(log_file.baseFilename)
    write(log_file, "one")
    path.rename(path.with_suffix(".1"))
    write(log_file, "two")
    assert (path.with_suffix(".1").read_text(), path.read_text()) == ("one\n", "two\n")


def test_two_handlers_append_to_one_file(log_file: LogFile) -> None:
    other = LogFile(log_file.baseFilename)
    for number, handler in enumerate((log_file, other, log_file)):
        write(handler, str(number))
    other.close()
    assert Path(log_file.baseFilename).read_text() == "0\n1\n2\n"


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_put_in_its_place_is_not_followed(
    log_file: LogFile, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(log_file.baseFilename)
    write(log_file, "one")
    (tmp_path / "victim").mkdir()
    path.unlink()
    if what == "file":
        path.symlink_to(tmp_path / "victim/a.log")
    else:
        path.parent.rmdir()
        path.parent.symlink_to(tmp_path / "victim")
    write(log_file, "two")
    assert not list((tmp_path / "victim").iterdir())
    assert "was replaced by a link" in capsys.readouterr().err


def test_one_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidRequest, match=r"cannot be written: (Not a directory|File exists)"):
        check_log_file(tmp_path / "file/a.log")


def test_small_records_give_the_same_lines() -> None:
    formatter = TextFormatter()
    lines = []
    logger, handler = logging.getLogger("small"), Kept()
    logger.addHandler(handler)
    before = logging._srcfile, logging.logThreads, logging.logProcesses, logging.logMultiprocessing
    try:
        for _ in range(2):
            try:
                raise ValueError("x")
            except ValueError:
                logger.exception("it %s", "failed", extra={"run_id": "r", "task_id": "t"})
            lines.append(formatter.format(handler.records[-1])[len("2026-01-01 00:00:00") :])
            keep_records_small()
    finally:
        logger.removeHandler(handler)
        logging._srcfile, logging.logThreads, logging.logProcesses, logging.logMultiprocessing = before
    assert lines[0] == lines[1]
    assert lines[0].startswith(" ERROR   it failed task_id=t run_id=r\nTraceback")
    assert handler.records[0].thread is not None
    assert handler.records[1].thread is None


class Kept(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.records.append(record)


def test_lines_tell_the_second_in_which_they_were_logged() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "one", (), None)
    for moment in (1_790_000_000.9, 1_790_000_001.1):
        record.created = moment
        when = datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        assert TextFormatter().format(record) == f"{when} INFO    one"
