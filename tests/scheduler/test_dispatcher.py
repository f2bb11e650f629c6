"""Every fire time ends as exactly one row, whoever looks at it and however late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.attempts import Assignment
from scheduler.config import SchedulerConfig
from scheduler.dispatcher import Dispatcher
from scheduler.fire_times import MOST_FIRE_TIMES
from scheduler.models import Job
from scheduler.notify.teller import Teller
from scheduler.phrases import parse_phrase
from scheduler.policy import due_at
from scheduler.run import Run, RunStatus
from scheduler.store import Database, jobs, planning
from scheduler.store.planning import Plan
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time


class Workers:
    """Workers that take note of what they are given."""

    def __init__(self, free: int = 10) -> None:
        self.free, self.room = free, 100
        self.teller = Teller(SchedulerConfig(), Path())
        self.given: list[Assignment] = []
        self.announced: set[str] = set()

    def refusal(self, job: Job) -> str | None:
        return None

    def claim(self, wanted: int) -> int:
        claimed = min(wanted, self.free)
        self.free -= claimed
        return claimed

    def release(self, claimed: int) -> None:
        self.free += claimed

    def announce(self, assignments: Sequence[Assignment]) -> list[str]:
        run_ids = [assignment.run.run_id for assignment in assignments]
        self.announced.update(run_ids)
        return run_ids

    def withdraw(self, run_ids: Sequence[str]) -> None:
        self.announced.difference_update(run_ids)

    def submit(self, assignments: Sequence[Assignment]) -> None:
        assert self.announced >= {assignment.run.run_id for assignment in assignments}
        self.given.extend(assignments)


class Plans:
    """A clock that takes note of what it is told."""

    def __init__(self) -> None:
        self.told: dict[int, datetime | None] = {}
        self.again: list[Plan] = []

    def plan(self, plans: Sequence[Plan]) -> None:
        self.told.update(plans)

    def plan_again(self, plans: Sequence[Plan]) -> None:
        self.again.extend(plans)


class Desk:
    """A dispatcher between a real store and stand-ins."""

    def __init__(self, scheduler: TaskScheduler, time: Time, free: int = 10) -> None:
        self.scheduler = scheduler
        self.store: Database = scheduler._store
        self.workers, self.plans = Workers(free), Plans()
        self.dispatcher = Dispatcher(self.store, self.workers, time)  # type: ignore[arg-type]
        self.dispatcher.attach(self.plans)  # type: ignore[arg-type]

    def fire(self, due: Sequence[Plan] | None = None) -> list[Run]:
        """Fire what the store says comes next, and return all rows, oldest first."""
        plans = due if due is not None else self.store.read(lambda c: list(planning.planned(c)))
        self.dispatcher.on_due(plans)
        for _ in range(2):
            self.store.write(lambda connection: None)  # what was queued before is done, and what that queued
        return self.rows()

    def rows(self) -> list[Run]:
        return sorted(self.scheduler.list_runs(RunFilter(), None, 10_000), key=lambda run: run.scheduled_for)


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture
def desk(scheduler: TaskScheduler, time: Time) -> Desk:
    scheduler.start()
    return Desk(scheduler, time)


MakeJob = Callable[..., Job]


def test_a_due_job_gets_its_row_its_run_and_its_next_time(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    time.move(seconds=10)
    [run] = desk.fire()
    assert (run.status, run.scheduled_for, run.attempt) == (RunStatus.RUNNING, NOON + timedelta(seconds=10), 1)
    assert [assignment.run.run_id for assignment in desk.workers.given] == [run.run_id]
    assert list(desk.plans.told.values()) == [NOON + timedelta(seconds=20)]


def test_the_same_fire_time_handed_over_twice_starts_once(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    time.move(seconds=10)
    plans = desk.store.read(lambda c: list(planning.planned(c)))
    desk.fire(plans)
    desk.fire(plans)
    assert len(desk.fire(plans)) == 1
    assert len(desk.workers.given) == 1
    assert desk.workers.free == 9  # the claims of the other two were given back


def test_two_dispatchers_on_one_store_start_once(desk: Desk, job: MakeJob, time: Time) -> None:
    other = Desk(desk.scheduler, time)
    desk.scheduler.add_job(job())
    time.move(seconds=10)
    plans = desk.store.read(lambda c: list(planning.planned(c)))
    desk.dispatcher.on_due(plans)
    other.dispatcher.on_due(plans)
    assert len(desk.fire([])) == 1
    assert len(desk.workers.given) + len(other.workers.given) == 1


def test_without_a_free_worker_it_waits(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.start()
    desk = Desk(scheduler, time, free=1)
    for number in range(3):
        scheduler.add_job(job(f"job-{number}"))
    time.move(seconds=10)
    statuses = sorted(run.status for run in desk.fire())
    assert statuses == [RunStatus.QUEUED, RunStatus.QUEUED, RunStatus.RUNNING]


def test_a_full_queue_is_a_skipped_row(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.start()
    desk = Desk(scheduler, time, free=1)
    desk.workers.room = 1
    for number in range(4):
        scheduler.add_job(job(f"job-{number}"))
    time.move(seconds=10)
    rows = desk.fire()
    assert sorted(run.status.value for run in rows) == ["queued", "running", "skipped", "skipped"]
    assert [run.details["reason"] for run in rows if run.status is RunStatus.SKIPPED] == [
        "as many runs were waiting as may (SCHEDULER_MAX_QUEUED)"
    ] * 2


def test_a_full_queue_has_no_run_that_others_could_be_part_of(
    scheduler: TaskScheduler, job: MakeJob, time: Time
) -> None:
    scheduler.start()
    desk = Desk(scheduler, time, free=0)
    desk.workers.room = 0
    scheduler.add_job(job())
    time.move(seconds=30)
    assert [run.details.get("reason") for run in desk.fire()] == [
        "as many runs were waiting as may (SCHEDULER_MAX_QUEUED)"
    ] * 3


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (0, ["running"]),
        (5, ["running"]),
        (10, ["skipped", "running"]),
        (35, ["skipped", "skipped", "skipped", "running"]),
        (95, ["missed"] * 4 + ["skipped"] * 5 + ["running"]),
    ],
)
def test_late_fire_times(desk: Desk, job: MakeJob, time: Time, late: float, expected: list[str]) -> None:
    desk.scheduler.add_job(job())
    time.move(seconds=10 + late)
    rows = desk.fire()
    assert [row.status.value for row in rows] == expected
    assert [row.scheduled_for for row in rows] == [NOON + timedelta(seconds=10 * n) for n in range(1, len(rows) + 1)]
    merged = [row.details["reason"] for row in rows if row.status is RunStatus.SKIPPED]
    assert set(merged) <= {f"coalesced into {rows[-1].run_id}"}


@pytest.mark.parametrize("grace", [0, 0.001])
def test_the_smallest_grace_leaves_room_for_the_scheduler_itself(
    desk: Desk, job: MakeJob, time: Time, grace: float
) -> None:
    desk.scheduler.add_job(job(misfire_grace_time=grace))
    time.move(seconds=10, milliseconds=4)
    assert [row.status for row in desk.fire()] == [RunStatus.RUNNING]


def test_a_long_absence_is_few_rows_that_account_for_all(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="every 1 second"))
    away = 2 * MOST_FIRE_TIMES + 500
    time.move(seconds=away)
    for _ in range(4):
        rows = desk.fire()
    counted = sum(row.count or 1 for row in rows)
    assert counted == away
    assert [row.count for row in rows[:2]] == [MOST_FIRE_TIMES, MOST_FIRE_TIMES]
    assert rows[0].scheduled_until == NOON + timedelta(seconds=MOST_FIRE_TIMES)
    assert rows[-1].status is RunStatus.RUNNING
    assert len({row.scheduled_for for row in rows}) == len(rows)


def test_a_thousand_runs_that_wait_have_a_row_each(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.workers.room = 2 * MOST_FIRE_TIMES
    desk.scheduler.add_job(job(interval="every 1 second", coalesce=False, overlap="queue", misfire_grace_time=-1))
    time.move(seconds=1)
    desk.fire()
    time.move(seconds=MOST_FIRE_TIMES)
    rows = desk.fire()
    assert [row.status for row in rows] == [RunStatus.RUNNING] + [RunStatus.QUEUED] * MOST_FIRE_TIMES
    assert desk.scheduler.get_job("job").stored.fired == len(desk.workers.given) == len(rows)


def test_an_overlap_is_a_skipped_row(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(max_instances=2))
    for _ in range(3):
        time.move(seconds=10)
        rows = desk.fire()
    assert [row.status.value for row in rows] == ["running", "running", "skipped"]
    assert "max_instances" in rows[-1].details["reason"]


def test_stopped_plans_nothing_and_a_start_plans_from_then(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    desk.scheduler.add_job(job("once", "in 15 seconds"))
    desk.scheduler.stop()
    time.move(seconds=32)
    assert desk.fire() == []
    desk.scheduler.start()
    [missed] = desk.fire()
    assert (missed.task_id, missed.status) == ("once", RunStatus.MISSED)
    assert NOON + timedelta(seconds=40) in desk.plans.told.values()


def test_a_changed_job_fires_by_its_new_plan_only(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    stale = desk.store.read(lambda c: list(planning.planned(c)))
    desk.scheduler.update_job("job", {"interval": "every 1 minute"})
    time.move(seconds=10)
    assert desk.fire(stale) == []
    desk.scheduler.pause_job("job")
    time.move(seconds=60)
    assert desk.fire([Plan(stale[0].key, NOON + timedelta(seconds=60))]) == []
    desk.scheduler.remove_job("job")
    assert desk.fire([Plan(stale[0].key, NOON + timedelta(seconds=60))]) == []


def test_a_fire_time_that_comes_again_after_a_change_does_not_stop_the_job(
    desk: Desk, job: MakeJob, time: Time
) -> None:
    """The store took nothing, the job was moved, and then the old plan came up again in place of the new one."""
    desk.scheduler.add_job(job())
    old = desk.store.read(lambda c: list(planning.planned(c)))
    desk.scheduler.update_job("job", {"interval": "every 1 minute"})
    time.move(seconds=11)
    assert desk.fire(old) == []
    assert desk.plans.told == {old[0].key: NOON + timedelta(seconds=60)}


def test_a_change_during_a_fire_time_has_the_last_word(desk: Desk, job: MakeJob, time: Time) -> None:
    """Whoever notices a change drops the rule and plans anew; what followed by the old rule is not planned."""
    desk.scheduler.add_job(job())
    due = desk.store.read(lambda c: list(planning.planned(c)))
    time.move(seconds=10)
    rule = desk.dispatcher.rule
    changing = pytest.MonkeyPatch()

    def rule_then_change(*args: Any) -> Any:
        found = rule(*args)
        desk.dispatcher.forget([due[0].key])
        return found

    changing.setattr(desk.dispatcher, "rule", rule_then_change)
    assert len(desk.fire(due)) == 1
    changing.undo()
    assert desk.plans.told == {}


@pytest.mark.parametrize("definition", ['{"x": 1}', "no JSON"])
def test_a_definition_that_cannot_be_read_stops_no_other(
    desk: Desk, job: MakeJob, time: Time, caplog: pytest.LogCaptureFixture, definition: str
) -> None:
    desk.scheduler.add_job(job("bad"))
    desk.scheduler.add_job(job("good"))
    desk.store.write(
        lambda c: c.exec_driver_sql(f"UPDATE jobs SET definition='{definition}' WHERE task_id='bad'") and None
    )
    time.move(seconds=10)
    assert [row.task_id for row in desk.fire()] == ["good"]
    assert "cannot be planned" in caplog.text


def test_a_store_that_fails_loses_no_fire_time(
    desk: Desk, job: MakeJob, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.scheduler.add_job(job())
    time.move(seconds=10)
    plans = desk.store.read(lambda c: list(planning.planned(c)))

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("scheduler.store.runs.add_runs", fail)
        assert desk.fire(plans) == []
    assert desk.plans.again == plans
    assert desk.workers.free == 10
    assert len(desk.fire(plans)) == 1


def test_a_one_shot_ends_its_job(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="in 10 seconds"))
    time.move(seconds=10)
    assert len(desk.fire()) == 1
    info = desk.scheduler.get_job("job")
    assert info.next_fire_time is None
    assert info.stored.ended


def test_max_runs_ends_the_job_and_more_of_them_open_it_again(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(max_runs=2, max_instances=10))
    for _ in range(4):
        time.move(seconds=10)
        rows = desk.fire()
    assert len(rows) == 2
    assert desk.scheduler.get_job("job").stored.ended
    desk.scheduler.update_job("job", {"max_runs": 3})
    time.move(seconds=10)
    assert len(desk.fire()) == 3
    assert desk.scheduler.get_job("job").stored.ended


def test_a_run_that_waits_counts_for_max_runs_though_it_never_begins(
    scheduler: TaskScheduler, job: MakeJob, time: Time
) -> None:
    """Otherwise more than `max_runs` could wait."""
    scheduler.start()
    desk = Desk(scheduler, time, free=0)
    scheduler.add_job(job(max_runs=2))
    time.move(seconds=10)
    desk.fire()
    scheduler.cancel_job_runs("job")
    time.move(seconds=10)
    desk.fire()
    time.move(seconds=10)
    assert [row.status for row in desk.fire()] == [RunStatus.CANCELLED, RunStatus.QUEUED]
    assert scheduler.get_job("job").stored.fired == 2


@pytest.mark.parametrize("changes", [{}, {"catch_up": True, "misfire_grace_time": 1}, {"misfire_grace_time": -1}])
@pytest.mark.parametrize("most", [1, 2])
def test_max_runs_holds_where_more_fire_times_are_due_together(
    desk: Desk, job: MakeJob, time: Time, changes: dict[str, Any], most: int
) -> None:
    desk.scheduler.add_job(job(max_runs=most, coalesce=False, max_instances=10, **changes))
    time.move(seconds=45)
    rows = desk.fire()
    first = [NOON + timedelta(seconds=10 * number) for number in range(1, most + 1)]
    assert [row.scheduled_for for row in rows] == first
    assert desk.scheduler.get_job("job").stored.ended


def test_jitter_moves_the_start_and_not_the_fire_time(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(jitter_seconds=8))
    [plan] = desk.store.read(lambda c: list(planning.planned(c)))
    delay = plan.due_at - NOON - timedelta(seconds=10)
    assert timedelta(0) < delay < timedelta(seconds=8)
    time.now = plan.due_at
    [run] = desk.fire()
    assert run.scheduled_for == NOON + timedelta(seconds=10)
    assert run.lateness_ms == 0
    assert list(desk.plans.told.values()) == [NOON + timedelta(seconds=20) + delay]


def a_late_share() -> str:
    """Return the id of a task that has more than half of its jitter."""
    ids = (f"job-{number}" for number in range(100))
    hour, trigger = timedelta(hours=1), parse_phrase("every 2 hours", zone=ZoneInfo("UTC"), now=NOON)
    return next(name for name in ids if due_at(name, NOON, hour.total_seconds(), trigger) > NOON + hour / 2)


@pytest.mark.parametrize(
    ("noticed", "jitter", "due"),
    [
        (-60, 0, 0),  # ahead, so that it goes by the new jitter
        (120, 0, 120),  # it would have been due before, so that it is due now
        (120, 60, 120),
        (4000, 0, None),  # it is due already
        (4000, 7200, None),
    ],
)
def test_another_jitter_makes_no_fire_time_late(
    desk: Desk, job: MakeJob, time: Time, noticed: float, jitter: float, due: float | None
) -> None:
    name = a_late_share()
    desk.scheduler.add_job(job(name, interval="every 2 hours", jitter_seconds=3600, misfire_grace_time=3600))
    before = desk.scheduler.get_job(name).stored
    assert before.next_fire_time is not None
    time.now = before.next_fire_time + timedelta(seconds=noticed)
    desk.scheduler.update_job(name, {"jitter_seconds": jitter, "misfire_grace_time": 5 if due is not None else 3600})
    expected = before.due_at if due is None else before.next_fire_time + timedelta(seconds=due)
    assert desk.scheduler.get_job(name).stored.due_at == expected
    time.now = max(time.now, expected or time.now)
    [run] = desk.fire()
    assert (run.status, run.scheduled_for, run.due_at) == (RunStatus.RUNNING, before.next_fire_time, expected)


def test_until_and_start_at_bound_the_job(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(start_at="2026-06-01T12:01:00", until="2026-06-01T12:01:10"))
    fired = []
    for _ in range(12):
        time.move(seconds=10)
        fired = desk.fire()
    assert [run.scheduled_for - NOON for run in fired] == [timedelta(seconds=60), timedelta(seconds=70)]
    assert desk.scheduler.get_job("job").stored.ended


def test_a_clock_set_back_and_a_job_defined_anew_do_not_run_a_fire_time_again(
    desk: Desk, job: MakeJob, time: Time
) -> None:
    daily, other = job("daily", "daily at 12:30"), job("other", "daily at 12:30")
    desk.scheduler.add_job(daily)
    time.move(minutes=30)
    desk.fire()
    time.move(minutes=-10)
    desk.scheduler.update_job("daily", {"interval": "every day at 12:30"})
    desk.scheduler.add_job(other)
    time.move(minutes=10)
    rows = desk.fire()
    assert sorted(run.task_id for run in rows) == ["daily", "other"]
    assert len(desk.workers.given) == 2
    assert desk.workers.free == 8
    tomorrow = NOON + timedelta(days=1, minutes=30)
    assert desk.plans.told == dict.fromkeys(desk.plans.told, tomorrow)
    assert desk.plans.again == []


def test_both_passes_of_a_repeated_hour_have_their_rows(desk: Desk, job: MakeJob, time: Time) -> None:
    time.now = datetime(2026, 10, 25, 0, 20, tzinfo=UTC)  # 02:20 in Berlin, the first time
    desk.scheduler.add_job(job(interval="every 30 minutes", timezone="Europe/Berlin", jitter_seconds=1))
    moments = []
    for _ in range(4):
        time.move(minutes=30, seconds=1)
        moments = [run.scheduled_for for run in desk.fire()]
    assert [later - earlier for earlier, later in pairwise(moments)] == [timedelta(minutes=30)] * 3


def change_interval(scheduler: TaskScheduler) -> None:
    scheduler.update_job("job", {"interval": "every 7 seconds"})


def disable(scheduler: TaskScheduler) -> None:
    scheduler.update_job("job", {"enabled": False})


def pause(scheduler: TaskScheduler) -> None:
    scheduler.pause_job("job")


def remove(scheduler: TaskScheduler) -> None:
    scheduler.remove_job("job")


def replace_it(scheduler: TaskScheduler) -> None:
    scheduler.add_job(Job(task_id="job", type="command", command="false", interval="every 9 seconds"), replace=True)


def import_it(scheduler: TaskScheduler) -> None:
    entry = {"task_id": "job", "type": "command", "command": "false", "interval": "every 9 seconds"}
    scheduler.import_jobs([entry], replace=True)


def stop(scheduler: TaskScheduler) -> None:
    scheduler.stop()


OVERTAKING = [
    (change_interval, "its task was changed"),
    (disable, "its task was changed"),
    (pause, "its task was paused"),
    (remove, "its task was removed"),
    (replace_it, "its task was replaced"),
    (import_it, "its task was replaced"),
    (stop, "scheduler stopped"),
]


@pytest.mark.parametrize(("change", "reason"), OVERTAKING, ids=[change.__name__ for change, _ in OVERTAKING])
def test_what_is_due_has_its_row_before_a_change_ends_its_plan(
    desk: Desk, job: MakeJob, time: Time, change: Callable[[TaskScheduler], None], reason: str
) -> None:
    desk.scheduler.add_job(job())
    known = desk.store.read(lambda c: list(planning.planned(c)))
    time.move(seconds=95)
    change(desk.scheduler)
    rows = desk.fire(known)  # the clock comes too late
    assert [row.scheduled_for for row in rows] == [NOON + timedelta(seconds=10 * n) for n in range(1, 10)]
    assert [row.status for row in rows] == [RunStatus.MISSED] * 3 + [RunStatus.SKIPPED] * 6
    assert {row.details["reason"] for row in rows[3:]} == {reason}
    assert not desk.workers.given


def test_a_change_of_words_leaves_what_is_due_to_be_noticed(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    time.move(seconds=25)
    desk.scheduler.update_job("job", {"description": "new", "jitter_seconds": 2})
    rows = desk.fire()
    assert [row.scheduled_for for row in rows] == [NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)]
    assert rows[-1].status is RunStatus.RUNNING


def test_a_limit_that_is_taken_away_says_when_anew(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="every 2 hours", until="2030-01-01"))
    time.move(minutes=90)
    info = desk.scheduler.update_job("job", {"until": None}).info
    assert "until" not in info.stored.definition
    assert (info.stored.anchor, info.next_fire_time) == (time(), time() + timedelta(hours=2))


def test_a_lowered_max_runs_ends_the_job_and_settles_what_is_due(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    time.move(seconds=10)
    desk.fire()
    time.move(seconds=10)
    desk.scheduler.update_job("job", {"max_runs": 1})
    assert [row.status for row in desk.fire()] == [RunStatus.RUNNING, RunStatus.SKIPPED]
    assert desk.scheduler.get_job("job").status.value in ("completed", "running")


def test_a_stop_settles_a_long_absence_in_few_rows_and_a_start_plans_anew(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="every 1 second"))
    time.move(hours=2)
    desk.scheduler.stop()
    time.move(minutes=10)
    desk.scheduler.start()
    time.move(seconds=2)
    rows = desk.fire()
    assert sum(row.count or 1 for row in rows) == 2 * 3600 + 2
    assert len(rows) < 1300
    assert rows[-1].scheduled_for == NOON + timedelta(hours=2, minutes=10, seconds=2)


def test_a_one_shot_that_a_stop_overtook_has_one_row_and_has_ended(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="in 10 seconds", remove_when_done=True))
    time.move(seconds=11)
    desk.scheduler.stop()
    desk.scheduler.start()
    assert [row.status for row in desk.fire()] == [RunStatus.SKIPPED]
    assert desk.store.read(jobs.count_jobs) == 0


def test_nothing_is_settled_while_the_scheduler_is_stopped(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job())
    desk.scheduler.stop()
    time.move(seconds=25)
    pause(desk.scheduler)
    assert desk.rows() == []
