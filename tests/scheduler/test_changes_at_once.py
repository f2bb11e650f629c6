"""Change one task from two sides at once: what comes of it is what the one after the other would have made."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import Conflict, InvalidRequest, NotFound, SchedulerError
from scheduler.models import Job
from scheduler.standing import Planned
from scheduler.store import Connection
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Answering, Time

SECONDS = 20.0
Change = Callable[[TaskScheduler, str], Any]
Two = tuple[TaskScheduler, TaskScheduler]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str, tmp_path: Path) -> SchedulerConfig:
    return config.model_copy(
        update={"database_url": database_url, "sandbox": "off", "jobs_file": tmp_path / "jobs.yaml"}
    )


@pytest.fixture
def two(config: SchedulerConfig, time: Time) -> Iterator[Two]:
    """Return two schedulers on one database, as two processes have them."""
    both = Answering(config, time), Answering(config, time)
    yield both
    for scheduler in both:
        scheduler.close()


def fields(task_id: str, **more: Any) -> dict[str, Any]:
    return {"task_id": task_id, "type": "command", "command": "true", "interval": "every 7 minutes", **more}


def before_writing(scheduler: TaskScheduler, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `act` happen once, between all that a change reads beforehand and its transaction."""
    writer = scheduler._store._writer
    submit = writer.submit

    def submit_after(unit: Callable[[Connection], Any], done: Callable[[Any], None] | None = None) -> Any:
        monkeypatch.setattr(writer, "submit", submit)
        act()
        return submit(unit, done)

    monkeypatch.setattr(writer, "submit", submit_after)


def made_anew(scheduler: TaskScheduler, task_id: str) -> Planned:
    scheduler.remove_job(task_id)
    return scheduler.add_job(Job(**fields(task_id, command="echo anew", interval="hourly", max_retries=3)))


CHANGES: Mapping[str, Change] = {
    "a field": lambda scheduler, task_id: scheduler.update_job(task_id, {"description": "changed"}),
    "when": lambda scheduler, task_id: scheduler.update_job(task_id, {"interval": "daily at 04:00"}),
    "another type": lambda scheduler, task_id: scheduler.update_job(task_id, {"type": "custom", "custom_script": "1"}),
    "pause": lambda scheduler, task_id: scheduler.pause_job(task_id),
    "resume": lambda scheduler, task_id: scheduler.resume_job(task_id),
    "disable": lambda scheduler, task_id: scheduler.update_job(task_id, {"enabled": False}),
    "replace": lambda scheduler, task_id: scheduler.add_job(Job(**fields(task_id, command="ls")), replace=True),
    "import": lambda scheduler, task_id: scheduler.import_jobs([fields(task_id, command="id", paused=True)], True),
    "remove": lambda scheduler, task_id: scheduler.remove_job(task_id),
    "make anew": made_anew,
}


def outcome(change: Change, scheduler: TaskScheduler, task_id: str) -> object:
    """Return in short what comes of a change, be it an error."""
    try:
        done = change(scheduler, task_id)
    except SchedulerError as error:
        return type(error)
    return done.change if isinstance(done, Planned) else done if isinstance(done, bool) else None


def standing(scheduler: TaskScheduler, task_id: str) -> Any:
    """Return what is kept of a task, but for what tells it from another of the same fate."""
    try:
        stored = scheduler.get_job(task_id).stored
    except NotFound:
        return None
    return stored._replace(key=0, task_id="", revision=0)


@pytest.mark.parametrize("late", CHANGES)
def test_either_comes_after_the_other(two: Two, monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    scheduler, other = two
    for number, (name, early) in enumerate(CHANGES.items()):
        together, in_turn = f"together-{number}", f"in-turn-{number}"
        for task_id in (together, in_turn):
            scheduler.add_job(Job(**fields(task_id, enabled="resume" not in (name, late))))
        outcomes: list[object] = []
        at_first = partial(outcome, early, other, together)
        before_writing(scheduler, lambda: outcomes.append(at_first()), monkeypatch)  # noqa: B023
        outcomes.append(outcome(CHANGES[late], scheduler, together))
        assert outcomes == [outcome(early, other, in_turn), outcome(CHANGES[late], scheduler, in_turn)], name
        assert standing(scheduler, together) == standing(scheduler, in_turn), name


def test_what_two_change_while_both_have_read_it_stays(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    two[0].add_job(Job(**fields("t")))
    both_have_read = threading.Barrier(2)
    for side in two:
        before_writing(side, lambda: both_have_read.wait(SECONDS), monkeypatch)
    sent = ({"description": "mine"}, {"max_retries": 4})
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda side, changes: side.update_job("t", changes).change, two, sent))
    stored = two[0].get_job("t").stored
    assert done == ["updated"] * 2
    assert (stored.job.description, stored.job.max_retries) == ("mine", 4)


def test_what_was_right_beside_the_old_fields_is_refused_beside_the_new(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler, other = two
    scheduler.add_job(Job(**fields("t")))
    before_writing(scheduler, lambda: CHANGES["another type"](other, "t"), monkeypatch)
    with pytest.raises(InvalidRequest) as caught:
        scheduler.update_job("t", {"command": "echo"})
    assert [problem.field for problem in caught.value.problems] == ["command"]
    assert scheduler.get_job("t").stored.job.type == "custom"


def test_what_surrounds_a_change_may_change_the_task_before(two: Two) -> None:
    """The transaction of a change is no other place than that between two: what stands there now is what is changed."""
    scheduler, _ = two
    scheduler.add_job(Job(**fields("t")))

    def around(connection: Connection, unit: Callable[[Connection], Any]) -> Any:
        scheduler.on(connection).update_job("t", {"max_retries": 4})
        return unit(connection)

    scheduler.within(around).update_job("t", {"description": "mine"})
    job = scheduler.get_job("t").stored.job
    assert (job.description, job.max_retries) == ("mine", 4)


def test_a_change_within_something_is_made_anew_there(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler, other = two
    scheduler.add_job(Job(**fields("t")))
    seen: list[int] = []

    def around(connection: Connection, unit: Callable[[Connection], Any]) -> Any:
        seen.append(scheduler.on(connection).get_job("t").stored.job.max_retries)
        return unit(connection)

    before_writing(scheduler, lambda: other.update_job("t", {"max_retries": 4}), monkeypatch)
    planned = scheduler.within(around).update_job("t", {"description": "mine"})
    job = planned.info.stored.job
    assert (seen, job.description, job.max_retries) == ([4], "mine", 4)


@pytest.mark.parametrize("override", [False, True])
def test_a_file_that_takes_a_task_in_meanwhile(
    two: Two, config: SchedulerConfig, monkeypatch: pytest.MonkeyPatch, override: bool
) -> None:
    scheduler, other = two
    scheduler.add_job(Job(**fields("t", command="echo api")))
    write_jobs(config, fields("t", command="echo file", replace=True))
    before_writing(scheduler, other.load_jobs, monkeypatch)
    if not override:
        with pytest.raises(Conflict, match="is defined in"):
            scheduler.update_job("t", {"description": "mine"})
        return
    scheduler.update_job("t", {"description": "mine"}, override=True)
    job = scheduler.get_job("t").stored.job
    assert (job.command, job.description) == ("echo file", "mine")


def test_a_task_made_while_a_file_is_applied_is_not_overwritten(
    two: Two, config: SchedulerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler, other = two
    write_jobs(config, fields("t", command="echo file"), fields("u", command="echo file"))
    before_writing(scheduler, lambda: other.add_job(Job(**fields("t", command="echo api"))), monkeypatch)
    [problem] = scheduler.load_jobs()
    assert (problem.task_id, problem.problem.code) == ("t", "task_exists")
    assert [scheduler.get_job(name).stored.job.command for name in "tu"] == ["echo api", "echo file"]


def write_jobs(config: SchedulerConfig, *entries: Mapping[str, Any]) -> None:
    assert config.jobs_file is not None
    config.jobs_file.write_text(json.dumps(entries))
