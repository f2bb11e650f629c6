"""The configuration file: its names, its paths, its errors, and who beats whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest
from tests.server import ROOT

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a file below the directory that the server is started in."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "config/scheduler.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def settings(environ: dict[str, str] | None = None, **options: Any) -> SchedulerConfig:
    """Read the settings with nothing of the test's own environment."""
    return SchedulerConfig.from_environment({"HOME": "/nowhere", **(environ or {})}, **options)


def refusal(**options: Any) -> InvalidRequest:
    """Return why the settings are refused."""
    with pytest.raises(InvalidRequest) as caught:
        settings(**options)
    return caught.value


def test_environment_beats_file_and_options_beat_both(write: Write) -> None:
    write("keep_runs: 1\nmax_workers: 1\nmax_queued: 1\n")
    environ = {"SCHEDULER_MAX_WORKERS": "2", "SCHEDULER_MAX_QUEUED": "2"}
    found = settings(environ, max_queued="3")
    assert (found.keep_runs, found.max_workers, found.max_queued) == (1, 2, 3)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("max_concurrent_jobs: 3", "max_workers", 3),
        ("scheduler: {timezone: Europe/Berlin}", "timezone", "Europe/Berlin"),
        ("scheduler: {max_workers: 10}", "max_workers", 10),
        ("scheduler: {jobstore_url: 'postgresql://u@h/d'}", "database_url", "postgresql://u@h/d"),
        ("max_workers: '7'", "max_workers", 7),
        ("allowed_hosts: [a, 'b:1']", "allowed_hosts", ("a", "b:1")),
        ("allowed_hosts: a,b:1", "allowed_hosts", ("a", "b:1")),
        ("sandbox: off", "sandbox", "off"),
        ("log_level: DEBUG", "log_level", "DEBUG"),
        ("default_timeout_seconds: 60", "default_timeout_seconds", 60),
        ("job_defaults: {max_retries: 2}", "job_defaults", {"max_retries": 2}),
        ("log_file:", "log_file", None),
    ],
)
def test_names_and_spellings(write: Write, text: str, name: str, value: Any) -> None:
    write(text)
    assert getattr(settings(), name) == value


@pytest.mark.parametrize("file", ["config/scheduler.yaml", "elsewhere.yaml", "etc/config/other.yaml"])
def test_relative_paths_begin_beside_config_or_beside_the_file(write: Write, tmp_path: Path, file: str) -> None:
    path = write(
        "data_dir: state\nallowed_dirs: [work, /srv/x]\nread_dirs: one::two\nlog_file: logs/a.log\n"
        "database_url: sqlite:///kept.db\n",
        file,
    )
    base = tmp_path if file == "config/scheduler.yaml" else path.parent
    found = settings(config=file)
    assert found.data_dir == base / "state"
    assert found.allowed_dirs == (base / "work", Path("/srv/x"))
    assert found.read_dirs == (base / "one", base / "two")
    assert found.log_file == base / "logs/a.log"
    assert found.database_url == f"sqlite:///{base}/kept.db"


def test_an_absolute_database_stays_where_it_is(write: Write) -> None:
    write("database_url: sqlite:////var/x.db")
    assert settings().database_url == "sqlite:////var/x.db"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("port: 1\nmax_wokers: 2", "line 2: 'max_wokers' is no setting; did you mean 'max_workers'?"),
        ("scheduler:\n  jobstore: x", "line 2: 'jobstore' is no setting; did you mean 'jobstore_url'?"),
        (
            "max_workers: 2\n\nmax_concurrent_jobs: 3",
            "line 3: 'max_concurrent_jobs' gives the setting 'max_workers' again",
        ),
        ("max_workers: 2\nscheduler: {max_workers: 3}", "which 'max_workers' on line 1 gives already"),
        ("port: 1\nport: 2", "line 2: the field 'port' stands here twice, first on line 1"),
        ("\nmax_workers: many", "line 2: 'max_workers' must be a valid integer"),
        ("port: true", "line 1: 'port' must not be the boolean true"),
        ("token: 123", "line 1: 'token' must be a string, not the number 123"),
        ("log_level: INFOS", "line 1: 'log_level' must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR', not 'INFOS'"),
        ("allowed_hosts:\n- a\n- 5", "line 3: 'allowed_hosts.1' must be a string"),
        ("- a", "line 1: settings are wanted here, as NAME: VALUE"),
        ("job_defaults:\n  max_retires: 2", "line 2: unknown field 'max_retires'; did you mean 'max_retries'?"),
        ("job_defaults:\n  priority: hgh", "line 2: 'priority' must be one of"),
        ("job_defaults:\n  max_retries: '2'", "line 2: 'max_retries' must be a whole number"),
        ("job_defaults:\n  misfire_grace_time: -2", "must be 0 or more, or -1 for no limit"),
        ("default_timeout_seconds: 5\njob_defaults: {timeout_seconds: 6}", "say the same: give one of them"),
        ("a: b: c", "line 1: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(write: Write, text: str, hint: str) -> None:
    path = write(text)
    message = refusal().message
    assert hint in message
    assert str(path) in message or "say the same" in hint


def test_all_unknown_names_are_told_at_once(write: Write) -> None:
    write("porrt: 1\nhosst: x\n")
    assert [problem.suggestion for problem in refusal().problems] == ["port", "host"]


def test_a_wrong_value_of_the_environment_is_not_blamed_on_the_file(write: Write) -> None:
    write("max_workers: 3")
    [problem] = refusal(environ={"SCHEDULER_MAX_WORKERS": "x"}).problems
    assert problem.field == "SCHEDULER_MAX_WORKERS"
    assert "line" not in problem.message


def test_a_file_that_was_named_must_exist(write: Write) -> None:
    assert "cannot be read: No such file" in refusal(config="gone.yaml").message
    assert "cannot be read: No such file" in refusal(environ={"SCHEDULER_CONFIG": "gone.yaml"}).message
    assert settings(config="/dev/null").port == 10800


def test_a_program_that_embeds_it_reads_no_file(write: Write) -> None:
    write("port: 1")
    assert SchedulerConfig().port == 10800


def test_the_file_that_is_shipped_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    own = {"SCHEDULER_ALLOWED_DIRS": "/srv/w"}
    assert settings(own).model_dump() == settings(own, config="/dev/null").model_dump()


def test_the_lines_of_the_file_that_is_shipped_may_be_taken_in(write: Write) -> None:
    lines = (ROOT / "config/scheduler.yaml").read_text().splitlines()
    write("\n".join(line[1:] for line in lines if re.match("#(  )?[a-z]", line)))
    found = settings()
    assert (found.port, found.policies["max_retries"], found.keep_runs) == (10800, 0, 1000)


def test_a_file_within_reach_of_tasks_is_told(write: Write, tmp_path: Path) -> None:
    path = write("port: 1")
    [told] = settings().warnings()
    assert f"{path} lies inside the allowed directory {tmp_path}: a task could change it" in told
    assert settings(allowed_dirs="/srv/w").warnings() == []
    path.unlink()
    assert "a task could make it" in settings().warnings()[0]


@pytest.mark.parametrize("text", ["token: geheim", "database_url: postgresql://u:geheim@h/d"])
def test_a_secret_that_others_may_read_is_told(write: Write, tmp_path: Path, text: str) -> None:
    path = write(text)
    assert settings(allowed_dirs="/srv/w").warnings() == []
    path.chmod(0o644)
    [told] = settings(allowed_dirs="/srv/w").warnings()
    assert "every user may read" in told
    path.chmod(0o602)
    [told] = settings(allowed_dirs="/srv/w").warnings()
    assert "every user may write" in told
    path.chmod(0o600)
    [told] = settings(allowed_dirs="/srv/w", read_dirs=str(tmp_path)).warnings()
    assert "tasks may read" in told
    assert "geheim" not in told


def test_a_database_or_log_within_reach_of_tasks_is_told(write: Write, tmp_path: Path) -> None:
    write("allowed_dirs: work\ndatabase_url: sqlite:///work/a.db\nlog_file: work/a.log")
    database, log = settings().warnings()
    assert f"the database {tmp_path}/work/a.db lies inside the allowed directory {tmp_path}/work" in database
    assert f"the log file {tmp_path}/work/a.log" in log


def test_a_database_or_log_that_tasks_may_read_is_told(write: Write, tmp_path: Path) -> None:
    write("allowed_dirs: work\nread_dirs: shared\ndatabase_url: sqlite:///shared/a.db\nlog_file: shared/a.log")
    database, log = settings().warnings()
    readable = f"inside the directory {tmp_path}/shared, which runs may read: a task could read it"
    assert f"the database {tmp_path}/shared/a.db lies {readable}" in database
    assert f"the log file {tmp_path}/shared/a.log lies {readable}" in log
    assert settings(read_dirs=str(tmp_path / "other")).warnings() == []
