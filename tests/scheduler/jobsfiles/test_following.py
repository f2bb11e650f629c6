"""Files are followed while they change: by a real scheduler, real files, and what the kernel tells of them."""

from __future__ import annotations

import logging
import os
import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import NotFound, Unavailable
from scheduler.jobsfiles.following import Follower
from scheduler.jobsfiles.watching import Watcher
from scheduler.models import utc_now
from scheduler.run import RunStatus
from scheduler.task_scheduler import TaskScheduler
from tests.scheduler.jobsfiles.test_reading import FUNCTION, SCRIPT
from tests.server import ROOT, wait_until

Make = Callable[..., TaskScheduler]
Write = Callable[..., Path]
PROMISED_SECONDS = 2.0
JOB = "id: {}\ncommand: {}\nschedule: hourly\n"


@pytest.fixture
def opened(make_scheduler: Make, tmp_path: Path) -> Callable[..., TaskScheduler]:
    """Open schedulers that follow files by what they are told alone: the next look of its own is far away."""

    def make(**settings: Any) -> TaskScheduler:
        (tmp_path / "jobs").mkdir(exist_ok=True)
        scheduler = make_scheduler(utc_now, poll_interval_seconds=3600, **settings)
        scheduler.open()
        wait_until(lambda: report(scheduler)["read_at"], what="the first look")
        return scheduler

    return make


def report(scheduler: TaskScheduler) -> dict[str, Any]:
    return dict(scheduler.status()["jobs_files"])


def command(scheduler: TaskScheduler, task_id: str) -> str | None:
    """Return what a job does; None where there is none that is planned."""
    try:
        info = scheduler.get_job(task_id)
    except NotFound:
        return None
    return None if info.stored.paused else info.stored.job.command


def seconds_until(scheduler: TaskScheduler, **wanted: str | None) -> float:
    """Wait until jobs do what is wanted, and return how long that took."""
    begun = clock.monotonic()
    wait_until(lambda: all(command(scheduler, task_id) == text for task_id, text in wanted.items()), what=str(wanted))
    return clock.monotonic() - begun


def save_by_rename(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    os.replace(beside, path)


def save_in_place(path: Path, text: str) -> None:
    with path.open("w") as file:
        for line in text.splitlines(keepends=True):
            file.write(line)
            file.flush()


@pytest.mark.parametrize("save", [save_by_rename, save_in_place])
def test_edit_is_live_within_two_seconds(opened: Make, tmp_path: Path, save: Callable[[Path, str], None]) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text(JOB.format("a", "first"))
    scheduler = opened()
    seconds_until(scheduler, a="first")
    taken = []
    for number in range(3):  # the machine may be busy at one moment, hardly at three
        save(path, JOB.format("a", f"edit {number}"))
        taken.append(seconds_until(scheduler, a=f"edit {number}"))
    assert min(taken) < PROMISED_SECONDS
    path.unlink()
    assert seconds_until(scheduler, a=None) < 2 * PROMISED_SECONDS


def test_another_folder_or_another_end_of_a_link_is_live_as_soon(opened: Make, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"releases/{number}").mkdir(parents=True)
        (tmp_path / f"releases/{number}/jobs.yaml").write_text(JOB.format("a", f"release {number}"))
    (tmp_path / "current").symlink_to("releases/0")
    (tmp_path / "jobs.yaml").symlink_to("current/jobs.yaml")
    scheduler = opened()
    seconds_until(scheduler, a="release 0")
    taken = []
    for number in (1, 2):
        (tmp_path / "next").symlink_to(f"releases/{number}")
        os.replace(tmp_path / "next", tmp_path / "current")
        taken.append(seconds_until(scheduler, a=f"release {number}"))
    (tmp_path / "releases/2").rename(tmp_path / "old")
    (tmp_path / "releases/3").rename(tmp_path / "releases/2")
    taken.append(seconds_until(scheduler, a="release 3"))
    assert min(taken) < PROMISED_SECONDS
    assert report(scheduler)["watching"] == "changes are told at once"


def test_directory_that_appears_later_and_many_files_at_once(opened: Make, tmp_path: Path) -> None:
    scheduler = opened(jobs_dir=tmp_path / "not/yet/jobs", jobs_file=None)
    assert "does not exist" in str(report(scheduler)["problems"][0])
    folder = tmp_path / "not/yet/jobs"
    folder.mkdir(parents=True)
    wait_until(lambda: not report(scheduler)["problems"], what="the directory")
    for number in range(30):
        (folder / f"{number}.yaml").write_text(JOB.format(f"job-{number}", "ls"))
    seconds_until(scheduler, **{f"job-{number}": "ls" for number in range(30)})
    folder.rename(folder.with_name("away"))
    wait_until(lambda: report(scheduler)["problems"], what="the loss of the directory")
    folder.mkdir()
    (folder / "0.yaml").write_text(JOB.format("job-0", "pwd"))
    seconds_until(scheduler, **{"job-0": "pwd", "job-1": None})


def test_broken_edit_breaks_one_job_and_says_which_line(
    opened: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "jobs.yaml"
    rows = ["- {id: a, command: one, schedule: hourly}\n", "- {id: b, command: one, schedule: hourly}\n"]
    path.write_text("".join(rows))
    scheduler = opened()
    seconds_until(scheduler, a="one", b="one")
    with caplog.at_level(logging.WARNING):
        path.write_text("- {id: a, command: two, schedul: hourly}\n" + rows[1].replace("one", "two"))
        seconds_until(scheduler, b="two", a="one")
        wait_until(lambda: report(scheduler)["problems"])
    [unknown, missing] = report(scheduler)["problems"]
    assert (unknown.file, unknown.line, unknown.task_id) == (path, 1, "a")
    assert (unknown.problem.field, unknown.problem.suggestion) == ("schedul", "schedule")
    assert missing.problem.field == "interval"
    assert f"{path}:1: unknown field 'schedul'; did you mean 'schedule'?" in caplog.text
    assert report(scheduler)["files"] == [{"path": str(path), "state": "faulty", "jobs": 1}]
    path.write_text("".join(rows).replace("one", "three"))
    seconds_until(scheduler, a="three", b="three")
    wait_until(lambda: report(scheduler)["problems"] == [])  # told once all is applied


def test_examples_of_other_schedulers_run(opened: Make, tmp_path: Path) -> None:
    module = tmp_path / "workspace/modules/scheduler/tasks/monitoring.py"
    module.parent.mkdir(parents=True)
    module.write_text("def check_api_status(api_endpoint):\n    return {'asked': api_endpoint}\n")
    script = tmp_path / "workspace/backup_script.sh"
    script.write_text("#!/bin/sh\necho saved\n")
    script.chmod(0o755)
    (tmp_path / "jobs.yaml").write_text(FUNCTION + SCRIPT.replace("/path/to/your", str(script.parent)))
    (tmp_path / "jobs").mkdir(exist_ok=True)
    for path in (ROOT / "jobs").glob("*.yaml"):
        (tmp_path / "jobs" / path.name).write_text(path.read_text())
    scheduler = opened()
    ids = ["api_health_check", "daily_backup", "example-daily", "example-weekly"]
    ended = {task_id: finished(scheduler, task_id) for task_id in ids}
    assert {run.status for run in ended.values()} == {RunStatus.COMPLETED}, ended
    assert ended["api_health_check"].details["outcome"]["result"] == {"asked": "http://127.0.0.1:8000/"}
    assert scheduler.read_output(ended["daily_backup"].run_id, "stdout", None, None).text == "saved\n"
    assert scheduler.read_output(ended["example-daily"].run_id, "stdout", None, None).text == "Health check complete\n"
    backup = scheduler.get_job("daily_backup")
    assert backup.trigger.describe() == "every day at 02:30"


def finished(scheduler: TaskScheduler, task_id: str) -> Any:
    """Run a job once, as soon as it is there, and return the run when it has ended."""
    wait_until(lambda: command(scheduler, task_id) is not None or has(scheduler, task_id), what=task_id)
    run = scheduler.run_now(task_id)
    assert scheduler.watch.wait([run.run_id], 60)
    return scheduler.get_run(run.run_id)


def has(scheduler: TaskScheduler, task_id: str) -> bool:
    try:
        scheduler.get_job(task_id)
    except NotFound:
        return False
    return True


def test_only_the_process_that_fires_applies(opened: Make, config: SchedulerConfig, tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text(JOB.format("a", "one"))
    first = TaskScheduler(config, utc_now)
    first.open()
    wait_until(first._may_fire)
    second = opened()
    seconds_until(first, a="one")
    applied = []
    second._follower._apply = lambda plan: applied.append(plan) or []  # type: ignore[func-returns-value]
    path.write_text(JOB.format("a", "two"))
    seconds_until(second, a="two")
    wait_until(lambda: report(second)["jobs"] == 1)
    assert applied == []
    first.close()
    wait_until(lambda: applied, what="the second's turn")


class Files:
    """Files whose taking in the test decides."""

    def __init__(self, real: Any) -> None:
        self.real, self.paths, self.looks = real, real.paths, 0
        self.fail: Exception | None = None

    def take_in(self) -> Any:
        self.looks += 1
        if self.fail is not None:
            raise self.fail
        return self.real.take_in()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.mark.parametrize("error", [Unavailable("the store is away"), RuntimeError("a fault")])
def test_follower_outlives_every_error(
    make_scheduler: Make, tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = make_scheduler()
    files = Files(scheduler.files)
    files.fail = error
    follower = Follower(files, scheduler.apply_files, lambda: True, 3600, utc_now)  # type: ignore[arg-type]
    follower.start()
    wait_until(lambda: files.looks > 1)
    assert caplog.text.count(f"cannot be followed, it is tried again: {error}") == 1
    files.fail = None
    (tmp_path / "jobs.yaml").write_text(JOB.format("a", "ls"))
    seconds_until(scheduler, a="ls")
    follower.close()


def test_files_are_looked_at_from_time_to_time_where_nothing_is_told(
    make_scheduler: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Watcher, observer: Any) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(Watcher, "_watch", fail)
    scheduler = make_scheduler()
    follower = Follower(scheduler.files, scheduler.apply_files, lambda: True, 0.05, utc_now)
    follower.start()
    (tmp_path / "jobs.yaml").write_text(JOB.format("a", "ls"))
    seconds_until(scheduler, a="ls")
    assert "inotify watch limit reached" in follower.report()["watching"]
    follower.close()
    assert caplog.text.count("inotify watch limit reached") == 1


def test_nothing_is_read_anew_where_no_byte_changed(
    make_scheduler: Make, config: SchedulerConfig, write: Write
) -> None:
    write("jobs.yaml", JOB.format("a", "ls"))
    write("jobs/README", "")
    scheduler = make_scheduler()
    applied: list[Any] = []
    follower = Follower(scheduler.files, lambda plan: applied.append(plan) or [], lambda: True, 1, utc_now)  # type: ignore[func-returns-value]
    follower.look()
    follower.look()
    assert len(applied) == 1
    write("jobs.yaml", JOB.format("a", "id"))
    follower.look()
    assert len(applied) == 2
    write("jobs.yaml", "id: a\nfunc: later.f\nschedule: hourly\n")
    follower.look()
    follower.look()  # what is missing may come without that the file changes
    assert len(applied) == 4
