"""Jobs of files inside a program: the examples of the component that this takes the place of, and what goes wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler import Job, Priority, RunStatus, SchedulerConfig, TaskScheduler
from tests.owned_time import NOON, Time
from tests.server import ROOT, wait_until

JOB = "id: {}\ncommand: {}\nschedule: hourly\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory that the program is started in."""
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    return tmp_path / "program"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def cycles(time: Time) -> Iterator[TaskScheduler]:
    """Return a scheduler that fires in cycles, with settings that name no files."""
    scheduler = TaskScheduler(SchedulerConfig(timezone="UTC", sandbox="off"), time)
    yield scheduler
    scheduler.close()


def test_basic_scheduler(folder: Path) -> None:
    write(folder / "jobs/example-daily.yaml", (ROOT / "jobs/example-daily.yaml").read_text())

    scheduler = TaskScheduler()
    scheduler.load_jobs()  # Load from jobs/ directory
    scheduler.run_once()  # Execute one scheduler cycle

    [job] = scheduler.jobs.values()
    assert (job.id, job.name, job.max_retries) == ("example-daily", "Daily Health Check", 2)
    assert (job.priority, job.timeout_seconds, job.enabled) == (Priority.MEDIUM, 300, True)
    scheduler.close()


def test_a_cycle_runs_a_job_of_a_file(folder: Path, cycles: TaskScheduler, time: Time) -> None:
    write(folder / "jobs/example-daily.yaml", (ROOT / "jobs/example-daily.yaml").read_text())
    assert cycles.load_jobs() == []
    assert cycles.run_once() == []
    time.move(hours=15)
    [run] = cycles.run_once()
    assert (run.task_id, run.status) == ("example-daily", RunStatus.COMPLETED)
    assert run.scheduled_for == NOON + timedelta(hours=14)
    assert cycles.read_output(run.run_id, "stdout", None, None).text == "Health check complete\n"


def test_custom_configuration(folder: Path) -> None:
    write(folder / "custom/jobs/a.yaml", JOB.format("a", "echo one"))
    config = SchedulerConfig(
        jobs_dir=Path("custom/jobs"),
        poll_interval_seconds=30,
        max_concurrent_jobs=2,
    )

    scheduler = TaskScheduler(config)

    def edit_and_end() -> None:
        wait_until(lambda: "a" in scheduler.jobs)
        write(folder / "custom/jobs/a.yaml", JOB.format("a", "echo two"))
        write(folder / "custom/jobs/b.yaml", JOB.format("b", "echo three"))
        wait_until(lambda: {job.command for job in scheduler.jobs.values()} == {"echo two", "echo three"})
        told.set()
        scheduler.close()

    told = threading.Event()
    thread = threading.Thread(target=edit_and_end)
    thread.start()
    scheduler.run()  # Run as daemon
    thread.join()
    assert told.is_set()


def test_a_broken_entry_is_told_and_keeps_no_other_back(
    folder: Path, cycles: TaskScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "jobs/good.yaml", JOB.format("good", "echo good"))
    write(folder / "jobs/bad.yaml", "id: bad\ncommand: echo bad\nschedule: dayly at 10:30\n")
    with caplog.at_level(logging.WARNING):
        [problem] = cycles.load_jobs()
    assert list(cycles.jobs) == ["good"]
    assert (problem.file, problem.line, problem.task_id) == (folder / "jobs/bad.yaml", 3, "bad")
    assert problem.problem.suggestion == "daily at 10:30"
    assert str(problem) in caplog.messages


def test_a_directory_that_is_not_there_is_told_and_its_jobs_stay(folder: Path, cycles: TaskScheduler) -> None:
    write(folder / "jobs/a.yaml", JOB.format("a", "echo a"))
    cycles.load_jobs()
    (folder / "jobs").rename(folder / "elsewhere")
    [problem] = cycles.load_jobs()
    assert "does not exist" in str(problem)
    assert not cycles.get_job("a").stored.paused


def test_an_entry_that_is_gone_pauses_its_job_and_leaves_those_of_the_program(
    folder: Path, cycles: TaskScheduler
) -> None:
    write(folder / "jobs/a.yaml", JOB.format("a", "echo a"))
    write(folder / "jobs/b.yaml", JOB.format("b", "echo b"))
    cycles.jobs["mine"] = Job(id="mine", command="true", interval="hourly")
    cycles.load_jobs()
    (folder / "jobs/a.yaml").unlink()
    assert cycles.load_jobs() == []
    assert {name: cycles.get_job(name).stored.paused for name in cycles.jobs} == {"mine": False, "a": True, "b": False}


@pytest.mark.soak
def test_a_job_of_a_file_may_call_a_function_of_a_module(folder: Path, cycles: TaskScheduler, time: Time) -> None:
    write(folder / "worker.py", "def ping(times):\n    return ['pong'] * times\n")
    write(folder / "jobs/ping.yaml", "id: ping\nfunc: worker.ping\nkwargs: {times: 2}\nschedule: hourly\n")
    assert cycles.load_jobs() == []
    cycles.jobs["mine"] = Job(func="worker.ping", id="mine", args=[1], schedule="hourly")
    time.move(hours=1)
    assert {run.task_id: run.result for run in cycles.run_once()} == {"ping": ["pong", "pong"], "mine": ["pong"]}
