"""A scheduler inside a program: the examples of its documentation, run_once, run, execute_job, functions."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time as wall
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from scheduler import Job, JobResult, JobStatus, Priority, Run, RunStatus, SchedulerConfig, TaskScheduler, retention
from scheduler.errors import Conflict, InvalidRequest, NotFound, Unavailable
from scheduler.models import CallableJob
from scheduler.store import events, sqlite_url
from scheduler.store.deliveries import DeliveryFilter
from scheduler.store.runs import RunFilter
from tests.owned_time import NOON, Time
from tests.server import wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 20.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory that the program is started in."""
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    return tmp_path


def ended(scheduler: TaskScheduler, task_id: str) -> Run:
    """Run a job to the end of its first attempt."""
    run = scheduler.run_now(task_id)
    wait_until(lambda: scheduler.get_run(run.run_id).status.is_final)
    return scheduler.get_run(run.run_id)


def ledger(scheduler: TaskScheduler, **which: Any) -> list[Run]:
    """Return all rows, oldest first."""
    return list(reversed(scheduler.list_runs(RunFilter(**which), None, 1000)))


def told_of(scheduler: TaskScheduler, task_id: str) -> list[str]:
    """Return the kinds of events about runs of a job, oldest first."""
    found = scheduler._store.read(lambda connection: events.after(connection, 0, 1000))
    return [event.kind.value for event in found if event.task_id == task_id and event.run_id is not None]


# --- the examples of the component that this takes the place of ----------------------------------


def test_a_job_made_by_the_program(folder: Path) -> None:
    job = Job(
        id="custom-job",
        name="Custom Task",
        command="echo 'Hello from scheduler'",
        schedule="*/5 * * * *",  # Every 5 minutes
        priority=Priority.HIGH,
        max_retries=3,
    )

    scheduler = TaskScheduler()
    scheduler.jobs[job.id] = job
    scheduler.run_once()

    assert list(scheduler.jobs) == ["custom-job"]
    assert scheduler.jobs["custom-job"] is job
    kept = scheduler.config.state_dir
    assert kept.stat().st_mode & 0o777 == 0o700
    scheduler.close()
    assert not kept.exists()


def test_settings_by_their_older_names() -> None:
    config = SchedulerConfig(jobs_dir=Path("custom/jobs"), poll_interval_seconds=30, max_concurrent_jobs=2)
    assert (config.max_workers, config.poll_interval_seconds) == (2, 30)
    assert SchedulerConfig(jobs_dir="jobs").jobs_dir == Path.cwd() / "jobs"


def test_kinds_of_jobs_and_of_execution() -> None:
    told: list[Any] = []

    class NotificationJob(Job):
        def __init__(self, *args: Any, notification_email: str, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.notification_email = notification_email

    class TeamJob(Job):
        team: str = "ops"

    class CustomScheduler(TaskScheduler):
        def execute_job(self, job: Job) -> JobResult:
            # Add pre-execution logic
            self.send_notification(f"Starting {job.name}")

            # Execute job
            result = super().execute_job(job)

            # Add post-execution logic
            if not result.success:
                self.alert_admin(job, result)

            return result

        def send_notification(self, text: str) -> None:
            told.append(text)

        def alert_admin(self, job: Job, result: JobResult) -> None:
            told.append((job, result))

    with CustomScheduler(SchedulerConfig(sandbox="off")) as scheduler:
        fails = NotificationJob(
            id="a", name="A", command="echo out; echo err >&2; exit 3", schedule="0 2 * * *", notification_email="x@y"
        )
        works = TeamJob(id="b", name="B", command="true", schedule="0 2 * * *", team="dev")
        scheduler.jobs["a"], scheduler.jobs["b"] = fails, works
        run = ended(scheduler, "a")
        assert ended(scheduler, "b").status is RunStatus.COMPLETED
        assert scheduler.jobs["b"] is works
    assert (run.status, run.details["exit_code"]) == (RunStatus.FAILED, 3)
    start, (job, result), last = told
    assert (start, last) == ("Starting A", "Starting B")
    assert job is fails
    assert job.notification_email == "x@y"
    assert (result.exit_code, result.stdout, result.stderr, result.attempt) == (3, "out\n", "err\n", 1)
    assert result.duration_seconds is not None


# --- Job -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"command": "true"}, "command"),
        ({"custom_script": "pass"}, "custom"),
        ({"func": "worker.ping"}, "function"),
        ({"file_path": "x.py", "type": "script"}, "script"),
        ({"type": "test"}, "test"),
    ],
)
def test_the_type_is_what_the_fields_say(fields: dict[str, Any], kind: str) -> None:
    assert Job(id="a", interval="hourly", **fields).type == kind


@pytest.mark.parametrize("fields", [{"file_path": "x.py"}, {}, {"command": "true", "custom_script": "pass"}])
def test_a_type_that_is_not_said_is_asked_for(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="type"):
        Job(id="a", interval="hourly", **fields)


def test_only_subclasses_take_what_is_no_field() -> None:
    job = Job(id="a", interval="hourly", command="true")
    with pytest.raises(ValueError, match="no field"):
        job.nme = "A"  # type: ignore[attr-defined]


def test_jobs_is_a_mapping(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    scheduler.jobs["a"] = job("a")
    scheduler.jobs["b"] = job("b")
    scheduler.jobs["a"] = job("a", command="false")
    assert list(scheduler.jobs) == ["a", "b"]
    assert len(scheduler.jobs) == 2
    assert scheduler.jobs["a"].command == "false"
    del scheduler.jobs["a"]
    assert "a" not in scheduler.jobs
    with pytest.raises(KeyError):
        del scheduler.jobs["a"]
    for wrong in (job("d"), "true", None):
        with pytest.raises(InvalidRequest, match=r"write jobs\[job.id\] = job"):
            scheduler.jobs["c"] = wrong  # type: ignore[assignment]
    assert 5 not in scheduler.jobs
    for use in (scheduler.jobs.__getitem__, scheduler.jobs.__delitem__):
        with pytest.raises(KeyError):
            use(5)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "", " a", "x" * 1000], ids=ascii)
def test_what_can_be_no_id_is_the_id_of_no_job(scheduler: TaskScheduler, text: str) -> None:
    assert text not in scheduler.jobs
    assert scheduler.jobs.get(text) is None
    with pytest.raises(KeyError):
        del scheduler.jobs[text]
    for ask in (scheduler.get_job, scheduler.check_known, scheduler.explain):
        with pytest.raises(NotFound):
            ask(text)
    for do in (scheduler.run_now, scheduler.pause_job, scheduler.resume_job, scheduler.remove_job):
        with pytest.raises(NotFound):
            do(text)


def test_an_object_gives_way_to_a_newer_definition(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    class Mine(Job):
        team: str = "ops"

    mine = Mine(id="a", interval="every 10 seconds", command="true")
    scheduler.jobs["a"] = mine
    assert scheduler.jobs["a"] is mine
    scheduler.update_job("a", {"priority": "high"})
    assert type(scheduler.jobs["a"]) is Job
    assert scheduler.jobs["a"].priority is Priority.HIGH


def test_the_default_timeout_is_a_setting(config: SchedulerConfig, time: Time, job: Callable[..., Job]) -> None:
    scheduler = TaskScheduler(config.model_copy(update={"default_timeout_seconds": 7.0}), time)
    assert scheduler.add_job(job("a")).info.stored.job.timeout_seconds == 7
    assert scheduler.add_job(job("b", timeout_seconds=300)).info.stored.job.timeout_seconds == 300
    assert scheduler.add_job(job("a")).change == "unchanged"
    scheduler.close()


# --- run_once and run ------------------------------------------------------------------------------


@pytest.fixture
def cycles(config: SchedulerConfig, time: Time) -> Iterator[TaskScheduler]:
    scheduler = TaskScheduler(config.model_copy(update={"sandbox": "off", "max_workers": 1}), time)
    yield scheduler
    scheduler.close()


def test_a_cycle_runs_what_came_due_by_priority(cycles: TaskScheduler, job: Callable[..., Job], time: Time) -> None:
    for priority in ("low", "urgent", "medium", "high"):
        cycles.add_job(job(priority, "every 10 minutes", priority=Priority(priority)))
    assert cycles.run_once() == []
    time.move(minutes=10)
    runs = cycles.run_once()
    assert [run.task_id for run in runs] == ["urgent", "high", "medium", "low"]
    assert {run.status for run in runs} == {RunStatus.COMPLETED}
    assert cycles.run_once() == []


def test_the_first_cycle_counts_from_when_the_scheduler_was_made(
    cycles: TaskScheduler, job: Callable[..., Job], time: Time
) -> None:
    cycles.add_job(job(interval="every 10 minutes"))
    time.move(minutes=35)
    [run] = cycles.run_once()
    assert run.scheduled_for == NOON + timedelta(minutes=30)
    reasons = {row.scheduled_for: row.details.get("reason") for row in ledger(cycles)}
    assert reasons[NOON + timedelta(minutes=10)] == f"coalesced into {run.run_id}"


def test_a_cycle_runs_each_where_the_job_says_so(cycles: TaskScheduler, job: Callable[..., Job], time: Time) -> None:
    cycles.add_job(job(interval="every 10 minutes", coalesce=False))
    time.move(minutes=35)
    assert [run.scheduled_for for run in cycles.run_once()] == [NOON + timedelta(minutes=m) for m in (10, 20, 30)]


def test_a_further_attempt_waits_for_a_later_cycle(cycles: TaskScheduler, job: Callable[..., Job], time: Time) -> None:
    cycles.add_job(job(interval="once at 2026-06-01T12:10:00", command="exit 1", max_retries=1, retry_delay_seconds=60))
    time.move(minutes=10)
    assert [run.attempt for run in cycles.run_once()] == [1]
    assert cycles.run_once() == []
    time.move(seconds=70)
    assert [run.attempt for run in cycles.run_once()] == [2]
    assert cycles.get_job("job").status is JobStatus.FAILED


class Killed(BaseException):
    """What ends a cycle where a signal would end the process."""


def test_what_a_cycle_that_was_killed_had_not_begun_is_run_by_the_next_one_whenever_that_is(
    config: SchedulerConfig, job: Callable[..., Job], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config.model_copy(update={"sandbox": "off"})
    first = TaskScheduler(config, time)
    first.add_job(job(interval="once at 2026-06-01T12:10:00"))

    def kill(_: object) -> None:
        raise Killed

    time.move(minutes=10)
    monkeypatch.setattr(first._executor, "submit", kill)
    with pytest.raises(Killed):
        first.run_once()
    assert [run.status for run in ledger(first)] == [RunStatus.QUEUED]
    first.close()
    second = TaskScheduler(config, time)
    time.move(hours=5)  # far beyond its grace
    [run] = second.run_once()
    assert (run.scheduled_for, run.status) == (NOON + timedelta(minutes=10), RunStatus.COMPLETED)
    assert ledger(second) == [run]
    second.close()


def test_more_fire_times_than_one_look_takes(cycles: TaskScheduler, job: Callable[..., Job], time: Time) -> None:
    cycles.add_job(job(interval="every 1 second"))
    time.move(seconds=2500)
    [run] = cycles.run_once()
    assert run.scheduled_for == NOON + timedelta(seconds=2500)


def test_a_cycle_is_for_a_scheduler_that_does_not_fire_by_itself(config: SchedulerConfig) -> None:
    scheduler = TaskScheduler(config)
    scheduler.start()
    with pytest.raises(Conflict, match="fires by itself"):
        scheduler.run_once()
    scheduler.close()
    scheduler.close()
    for call in (scheduler.run_once, scheduler.start):
        with pytest.raises(Conflict, match="was closed"):
            call()
    for ask in (scheduler.is_running, lambda: list(scheduler.jobs)):
        with pytest.raises(Unavailable, match="was closed"):
            ask()
    assert scheduler.status()["store"]["reason"] == "this scheduler was closed"


@pytest.mark.soak
def test_a_cycle_leaves_it_to_a_process_that_fires(config: SchedulerConfig, job: Callable[..., Job]) -> None:
    one, other = TaskScheduler(config), TaskScheduler(config)
    one.add_job(job(interval="every 1 hour"))
    one.start()
    wait_until(lambda: one._holder.is_ready)
    other.run_now("job")
    assert other.run_once() == []
    one.close()
    other.close()


def test_a_cycle_delivers_its_notifications(
    config: SchedulerConfig, job: Callable[..., Job], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = {"webhook": "http://127.0.0.1:9/", "secret": "s"}
    settings = {**dict(config), "sandbox": "off", "notify_targets": {"ops": target}}
    scheduler = TaskScheduler(SchedulerConfig(**settings), time)
    sent: list[tuple[str, str]] = []
    deliverer = scheduler._holder.deliverer
    monkeypatch.setattr(deliverer, "_send", lambda delivery: sent.append((delivery.task_id, delivery.kind)) or "taken")
    for name in ("a", "b"):
        scheduler.add_job(job(name, "every 10 minutes", command="exit 1", notify={"to": ["ops"]}))
    time.move(minutes=10)
    assert len(scheduler.run_once()) == 2
    assert sorted(sent) == [("a", "failure"), ("b", "failure")]
    assert {row.state for row in scheduler.list_deliveries(DeliveryFilter(), None, 10)} == {"delivered"}
    scheduler.close()


def test_cycles_let_go_of_old_runs_and_are_counted(
    config: SchedulerConfig, job: Callable[..., Job], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.model_copy(update={"sandbox": "off", "keep_runs": 2, "keep_events": 100})
    scheduler = TaskScheduler(settings, time)
    scheduler.add_job(job(interval="every 10 minutes", coalesce=False, command="echo"))
    output = scheduler.config.state_dir / "runs"
    for minutes, kept in ((30, 2), (20, 4)):  # a second sweep within a minute of real time would be work for nothing
        time.move(minutes=minutes)
        began = scheduler.run_once()
        assert len(began) == minutes // 10
        assert len(ledger(scheduler)) == kept
    assert sum(path.is_file() and began[-1].run_id in str(path) for path in output.rglob("*")) > 0
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    assert scheduler.run_once() == []
    assert [run.run_id for run in ledger(scheduler)] == [run.run_id for run in began]
    counted = scheduler.metrics.read().counts.numbers
    assert counted[("runs", "completed", "command")] == [5]
    scheduler.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_fires_until_a_signal(number: int) -> None:
    scheduler = TaskScheduler(SchedulerConfig(sandbox="off"))
    scheduler.jobs["a"] = Job(id="a", command="echo ran > here", schedule_type="manual")
    before = signal.getsignal(number)

    def end() -> None:
        wait_until(scheduler.is_running)
        assert ended(scheduler, "a").status is RunStatus.COMPLETED
        os.kill(os.getpid(), number)

    threading.Thread(target=end).start()
    scheduler.run()
    assert signal.getsignal(number) is before
    assert Path("here").read_text() == "ran\n"
    assert not scheduler.config.state_dir.exists()


@pytest.mark.parametrize("set_up", [False, True], ids=["logging is not set up", "logging is set up"])
def test_run_logs_as_the_settings_say(
    set_up: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, own = logging.getLogger(), logging.StreamHandler(StringIO())
    monkeypatch.setattr(root, "handlers", [own] if set_up else [])
    monkeypatch.setattr(root, "level", logging.ERROR)
    scheduler = TaskScheduler(SchedulerConfig(sandbox="off", log_level="WARNING", log_file="logs/scheduler.log"))

    def end() -> None:
        wait_until(scheduler.is_running)
        for level in (logging.INFO, logging.WARNING):
            logging.getLogger("scheduler.x").log(level, "ours")
            logging.getLogger("program").log(level, "the program's")
        scheduler.close()

    thread = threading.Thread(target=end)
    thread.start()
    scheduler.run()
    thread.join(SECONDS)
    written = [line[len("2026-01-01 00:00:00 ") :] for line in Path("logs/scheduler.log").read_text().splitlines()]
    lines = ["WARNING ours"] if set_up else ["WARNING ours", "WARNING the program's"]
    assert written == lines
    assert [line[len("2026-01-01 00:00:00 ") :] for line in capsys.readouterr().err.splitlines()] == (
        [] if set_up else lines
    )
    assert own.stream.getvalue() == ("ours\n" if set_up else "")
    assert (root.handlers, root.level) == ([own] if set_up else [], logging.ERROR)


def test_a_log_file_that_cannot_be_written_is_told_before_anything_fires() -> None:
    Path("file").touch()
    scheduler = TaskScheduler(SchedulerConfig(log_file="file/scheduler.log"))
    with pytest.raises(InvalidRequest, match="cannot be written"):
        scheduler.run()
    assert not scheduler.is_running()
    scheduler.close()


def test_run_in_another_thread_ends_by_close() -> None:
    scheduler = TaskScheduler(SchedulerConfig(sandbox="off"))
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    wait_until(scheduler.is_running)
    scheduler.close()
    thread.join(SECONDS)
    assert not thread.is_alive()


_FORKS = """
import os, sys
from scheduler import Job, SchedulerConfig, TaskScheduler
from scheduler.errors import Unavailable

scheduler = TaskScheduler(SchedulerConfig(sandbox="off"))
scheduler.jobs["a"] = Job(id="a", command="true", schedule_type="manual")
if sys.argv[1] == "started":
    scheduler.start()
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    run = scheduler.run_now("a")
    print(list(scheduler.jobs), [run.status.value for run in scheduler.run_once()] if sys.argv[1] != "started" else "")
    scheduler.close()
else:
    for use in (scheduler.start, scheduler.is_running, lambda: scheduler.run_now("a"), lambda: list(scheduler.jobs)):
        try:
            use()
        except Unavailable as error:
            print(error, flush=True)
    scheduler.close()
    if sys.argv[1] != "started":  # its threads may have held locks of libraries, which nobody frees here
        with TaskScheduler(SchedulerConfig(sandbox="off")) as own:
            print(list(own.jobs), flush=True)
    os._exit(0)
"""


@pytest.mark.parametrize("how", ["made", "started"])
def test_a_process_that_is_forked_off_is_told_to_make_its_own(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FORKS, how],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()
    told, rest = lines[:4], lines[4:]
    advice = "make a TaskScheduler in each process that uses one, after the fork"
    assert [line.rpartition(": ")[2] for line in told] == [advice] * 4
    assert rest == (["[]", "['a'] ['completed']"] if how == "made" else ["['a'] "])
    assert (done.returncode, done.stderr) == (0, "")


# --- execute_job -----------------------------------------------------------------------------------


def scheduler_that(execute: Callable[[TaskScheduler, Job], Any]) -> TaskScheduler:
    """Return a scheduler that carries out attempts in another way."""

    class Custom(TaskScheduler):
        def execute_job(self, job: Job) -> JobResult:
            result: JobResult = execute(self, job)
            return result

    return Custom(SchedulerConfig(sandbox="off", max_workers=1))


@pytest.fixture(scope="module")
def replaced() -> Iterator[tuple[TaskScheduler, list[Any]]]:
    """Return a scheduler with a job, and the list of the one way in which it carries out attempts."""
    way: list[Any] = []
    with scheduler_that(lambda scheduler, job: way[0](scheduler, job)) as scheduler:
        scheduler.jobs["a"] = Job(id="a", command="true", schedule_type="manual")
        yield scheduler, way


def fail(error: BaseException) -> Any:
    """Return a way to carry out that raises."""

    def execute(_scheduler: TaskScheduler, _job: Job) -> Any:
        raise error

    return execute


class Mute(Exception):
    """Says nothing, and fails over it."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("execute", "status", "details"),
    [
        (lambda s, j: JobResult(success=True), "completed", {}),
        (lambda s, j: JobResult(success=True, result={"a": 1}, exit_code=0), "completed",
         {"outcome": {"result": {"a": 1}, "exception": None}, "exit_code": 0}),
        (lambda s, j: JobResult(success=False, reason="no luck"), "failed", {"reason": "no luck"}),
        (lambda s, j: JobResult(success=False), "failed", {"reason": "execute_job said so, without a reason"}),
        (lambda s, j: JobResult(status=RunStatus.TIMEOUT, reason="slow"), "timeout", {"reason": "slow"}),
        (lambda s, j: JobResult(success=True, result=object()), "completed",
         {"hint": "what it returned, of type object, is no JSON and was not kept"}),
        (lambda s, j: None, "failed", {"reason": "execute_job returned NoneType, not a JobResult"}),
        (lambda s, j: JobResult(success=True, status=RunStatus.FAILED), "failed",
         {"reason": "execute_job raised ValueError: success=True contradicts status 'failed': change both, or set "
                    "one to None"}),
        (fail(KeyError("x")), "failed", {"reason": "execute_job raised KeyError: 'x'"}),
        (fail(SystemExit(1)), "failed", {"reason": "execute_job raised SystemExit: 1"}),
        (fail(ValueError("\ud800")), "failed", {"reason": "execute_job raised ValueError: \\ud800"}),
        (fail(Mute()), "failed", {"reason": "execute_job raised Mute: its text cannot be made: RuntimeError"}),
        (fail(ValueError("x" * 10**6)), "failed", {"reason": f"execute_job raised ValueError: {'x' * 500}"}),
        (lambda s, j: JobResult(success=False, reason="\ud800"), "failed", {"reason": "\\ud800"}),
        (lambda s, j: JobResult(success=False, reason="r" * 10**6), "failed", {"reason": "r" * 500}),
        (lambda s, j: JobResult(success=False, exit_code=10**30), "failed",
         {"reason": "execute_job raised ValueError: a JobResult's 'exit_code' is a number of at most 31 bits, as "
                    "those of processes are"}),
    ],
)  # fmt: skip
def test_execute_job_has_the_last_word(
    replaced: tuple[TaskScheduler, list[Any]], execute: Any, status: str, details: dict[str, Any]
) -> None:
    scheduler, way = replaced
    way[:] = [execute]
    run = ended(scheduler, "a")
    assert (run.status.value, run.details) == (status, details)
    assert ended(scheduler, "a").status.value == status  # the worker lives


@pytest.mark.parametrize(
    ("error", "reason", "message"),
    [
        (ValueError("\ud800"), "ValueError: \\ud800", "\\ud800"),
        (Mute(), "Mute: its text cannot be made: RuntimeError", "its text cannot be made: RuntimeError"),
        (ValueError("x" * 10**6), f"ValueError: {'x' * 500}", "x" * 500),
    ],
)
def test_a_function_may_raise_what_says_nothing_that_can_be_kept(error: Exception, reason: str, message: str) -> None:
    def broken() -> None:
        raise error

    with TaskScheduler(SchedulerConfig(sandbox="off")) as scheduler:
        scheduler.add_callable(broken, schedule_type="manual", task_id="broken")
        run = ended(scheduler, "broken")
    assert (run.status, run.details["reason"]) == (RunStatus.FAILED, reason)
    assert run.details["outcome"]["exception"] == {"type": type(error).__name__, "message": message}


def test_execute_job_is_called_for_each_attempt_and_its_texts_are_kept() -> None:
    def execute(scheduler: TaskScheduler, job: Job) -> JobResult:
        result = TaskScheduler.execute_job(scheduler, job)
        attempts.append(result.attempt)
        return JobResult(success=result.attempt == 2, stdout="mine", stderr="made by hand")

    attempts: list[int] = []
    with scheduler_that(execute) as scheduler:
        scheduler.jobs["a"] = Job(
            id="a", command="echo printed", schedule_type="manual", max_retries=3, retry_delay_seconds=0
        )
        run = scheduler.run_now("a")
        assert scheduler.watch.wait([run.run_id], SECONDS)
        last = scheduler.last_attempt(run.run_id)
        assert (last.status, attempts) == (RunStatus.COMPLETED, [1, 2])
        assert scheduler.output_ends(last, "stdout", 1000) == "printed\n"
        assert scheduler.output_ends(last, "stderr", 1000) == "made by hand"


def test_execute_job_is_the_schedulers_to_call() -> None:
    with TaskScheduler() as scheduler, pytest.raises(RuntimeError, match="call run_now"):
        scheduler.execute_job(Job(id="a", command="true", schedule_type="manual"))


# --- functions -------------------------------------------------------------------------------------


def raise_error() -> None:
    """Fail."""
    raise ValueError("boom")


def test_a_function_is_called_and_what_it_returns_is_kept() -> None:
    with TaskScheduler() as scheduler:
        scheduler.add_callable(lambda: [1, {"two": False}], schedule_type="manual", task_id="list")
        scheduler.add_callable(lambda: False, schedule_type="manual", task_id="no")
        scheduler.add_callable(lambda: {1: 2}, schedule_type="manual", task_id="odd")
        scheduler.add_callable(lambda: "x" * 70_000, schedule_type="manual", task_id="long")
        assert ended(scheduler, "list").result == [1, {"two": False}]
        assert ended(scheduler, "no").result is False
        assert "is no JSON" in ended(scheduler, "odd").details["hint"]
        assert "larger than" in ended(scheduler, "long").details["hint"]
        assert type(scheduler.jobs["list"]) is CallableJob


def test_an_exception_lands_in_the_run() -> None:
    with TaskScheduler() as scheduler:
        planned = scheduler.add_callable(raise_error, schedule_type="manual")
        assert planned.info.stored.task_id == f"{__name__}.raise_error"
        run = ended(scheduler, f"{__name__}.raise_error")
        assert (run.status, run.details["reason"]) == (RunStatus.FAILED, "ValueError: boom")
        assert run.details["outcome"]["exception"] == {"type": "ValueError", "message": "boom"}
        text = scheduler.output_ends(run, "stderr", 10_000)
        assert text.startswith("Traceback")
        assert 'raise ValueError("boom")' in text


def test_a_plain_function_over_its_time_says_so_when_it_has_ended() -> None:
    entered, go = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        go.wait(SECONDS)

    with TaskScheduler() as scheduler:
        scheduler.add_callable(slow, schedule_type="manual", task_id="slow", timeout_seconds=0.05, max_retries=0)
        run = scheduler.run_now("slow")
        assert entered.wait(SECONDS)
        wall.sleep(0.1)  # longer than its limit: nothing else makes it exceed that
        assert scheduler.get_run(run.run_id).status is RunStatus.RUNNING
        go.set()
        assert scheduler.watch.wait([run.run_id], SECONDS)
        shown = scheduler.get_run(run.run_id)
        assert shown.status is RunStatus.TIMEOUT
        assert "cannot be ended" in shown.details["reason"]


@pytest.mark.filterwarnings("error")
def test_what_has_to_be_awaited_needs_a_loop() -> None:
    async def work() -> None: ...

    with TaskScheduler() as scheduler:
        for function in (work, lambda: work()):
            scheduler.add_callable(function, schedule_type="manual", task_id="work")
            assert "scheduler.aio" in ended(scheduler, "work").details["reason"]


def test_terms_of_programs_are_no_terms_of_functions() -> None:
    with TaskScheduler() as scheduler:
        for name, value in {"command": "true", "env": {"A": "b"}, "args": ["x"], "minuts": 5}.items():
            with pytest.raises(InvalidRequest, match=name):
                scheduler.add_callable(raise_error, schedule_type="manual", **{name: value})


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
def test_a_function_is_called_only_where_it_is_registered(config: SchedulerConfig, database_url: str) -> None:
    shared = config.model_copy(update={"database_url": database_url, "namespace": "shared"})
    fires, asks = TaskScheduler(shared), TaskScheduler(shared)
    fires.start()
    wait_until(lambda: fires._holder.is_ready)
    asks.add_callable(raise_error, schedule_type="manual", task_id="there", max_retries=2)
    run = asks.run_now("there")
    wait_until(lambda: asks.get_run(run.run_id).status.is_final)
    shown = asks.get_run(run.run_id)
    assert shown.status is RunStatus.SKIPPED
    assert shown.started_at is None
    assert "has not registered the function" in shown.details["reason"]
    assert len(ledger(asks)) == 1  # nothing is tried again
    assert told_of(asks, "there") == ["run.queued", "run.finished"]
    fires.close()
    asks.close()


def test_a_function_that_is_not_registered_is_never_said_to_have_started(config: SchedulerConfig, time: Time) -> None:
    targets = {"life": {"ping": "http://127.0.0.1:9/life"}}
    scheduler = TaskScheduler(SchedulerConfig(**{**dict(config), "sandbox": "off", "notify_targets": targets}), time)
    scheduler.add_callable(raise_error, interval="every 10 seconds", task_id="due", notify={"to": ["life"]})
    scheduler.callables.forget("due")  # as in a program that was started again and does not give this job any more
    time.move(seconds=25)
    assert scheduler.run_once() == []
    assert [(run.status, run.started_at) for run in ledger(scheduler)] == [(RunStatus.SKIPPED, None)] * 2
    assert all("has not registered the function" in run.details["reason"] for run in ledger(scheduler))
    assert told_of(scheduler, "due") == ["run.finished"] * 2
    assert scheduler.list_deliveries(DeliveryFilter(), None, 10) == []
    scheduler.close()


@pytest.mark.soak
def test_after_a_restart_a_job_is_a_plain_one_until_it_is_put_in_again(folder: Path) -> None:
    class Mine(Job):
        team: str = "ops"

    (folder / "state").mkdir()
    config = SchedulerConfig(database_url=sqlite_url(folder / "state"), namespace="mine")
    first = TaskScheduler(config)
    first.jobs["a"] = Mine(id="a", command="true", interval="every 1 hour", team="dev")
    first.close()
    second = TaskScheduler(config)
    assert type(second.jobs["a"]) is Job
    mine = Mine(id="a", command="true", interval="every 1 hour", team="dev")
    second.jobs["a"] = mine
    assert second.jobs["a"] is mine
    second.close()
