"""A plan carried out: jobs are as the files say, keep phase and history, and a second time nothing changes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.config import SchedulerConfig
from scheduler.errors import Conflict, NotFound
from scheduler.jobsfiles import apply
from scheduler.jobsfiles.keeping import STEPS_A_COMMIT
from scheduler.models import Job
from scheduler.store import jobs
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.stored_job import StoredJob
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Answering, Time

Make = Callable[..., TaskScheduler]
Write = Callable[..., Path]


def entry(task_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"id": task_id, "command": "ls", "schedule": "every 10 minutes", **fields}


def say(write: Write, *entries: dict[str, Any]) -> None:
    write("jobs.yaml", json.dumps(entries))


def load(scheduler: TaskScheduler) -> dict[str, int]:
    """Do what the files say; a second time must change nothing."""
    found = scheduler.plan_files()
    assert apply(scheduler, found) == []
    before = rows(scheduler)
    assert scheduler.plan_files().is_empty
    assert apply(scheduler, found) == []
    assert rows(scheduler) == before
    return {name: number for name, number in found.counts().items() if number}


def rows(scheduler: TaskScheduler) -> list[StoredJob]:
    return [info.stored for info in scheduler.list_jobs(JobFilter(), 0, 1000)[0]]


@pytest.fixture
def scheduler(make_scheduler: Make, write: Write) -> TaskScheduler:
    write("jobs/README", "")
    return make_scheduler()


def test_job_of_a_file(scheduler: TaskScheduler, write: Write, tmp_path: Path) -> None:
    say(write, entry(description="x"))
    assert load(scheduler) == {"added": 1}
    stored = scheduler.get_job("a").stored
    assert (stored.origin, stored.created_by) == (str(tmp_path / "jobs.yaml"), "file")
    assert load(scheduler) == {"unchanged": 1}


def test_zone_is_kept_by_its_own_name(scheduler: TaskScheduler, write: Write) -> None:
    say(write, entry(timezone="europe/berlin"), entry("b"))
    load(scheduler)
    assert [stored.job.timezone for stored in rows(scheduler)] == ["Europe/Berlin", "UTC"]


def test_what_was_due_gets_its_row_before_a_change_or_removal(make_scheduler: Make, write: Write, time: Time) -> None:
    scheduler = make_scheduler(kind=Answering)  # one that fires would look at the time once a second
    say(write, entry(), entry("b"))
    load(scheduler)
    scheduler.start()
    time.move(minutes=10, seconds=1)
    say(write, entry(schedule="every 11 minutes"))
    load(scheduler)
    told = {run.task_id: run.details["reason"] for run in scheduler.list_runs(RunFilter(), None, 10)}
    assert told == {"a": "its task was changed", "b": "its task was paused"}


def test_change_keeps_history_and_phase(scheduler: TaskScheduler, write: Write, time: Time) -> None:
    say(write, entry())
    load(scheduler)
    before = scheduler.get_job("a").stored
    time.move(minutes=3)
    say(write, entry(description="another"))
    assert load(scheduler) == {"changed": 1}
    after = scheduler.get_job("a").stored
    assert (after.key, after.anchor, after.next_fire_time) == (before.key, before.anchor, before.next_fire_time)
    say(write, entry(schedule="every 11 minutes"))
    load(scheduler)
    after = scheduler.get_job("a").stored
    assert (after.key, after.anchor) == (before.key, time.now)


def test_unchanged_job_is_not_touched(scheduler: TaskScheduler, write: Write, time: Time) -> None:
    say(write, entry(), entry("b"))
    load(scheduler)
    before = scheduler.get_job("a").stored
    time.move(minutes=3)
    say(write, entry(), entry("b", command="pwd"))
    assert load(scheduler) == {"changed": 1, "unchanged": 1}
    assert scheduler.get_job("a").stored == before


def test_entry_that_goes_pauses_its_job_and_one_that_returns_resumes_it(scheduler: TaskScheduler, write: Write) -> None:
    say(write, entry())
    load(scheduler)
    key = scheduler.get_job("a").stored.key
    say(write)
    assert load(scheduler) == {"removed": 1}
    info = scheduler.get_job("a")
    assert (info.stored.paused, info.next_fire_time, info.stored.file) == (True, None, None)
    say(write, entry())
    assert load(scheduler) == {"changed": 1}
    info = scheduler.get_job("a")
    assert (info.stored.key, info.stored.paused, info.next_fire_time is None) == (key, False, False)


def test_what_somebody_paused_stays_paused(scheduler: TaskScheduler, write: Write) -> None:
    say(write, entry())
    load(scheduler)
    scheduler.pause_job("a", override=True)
    assert load(scheduler) == {"unchanged": 1}
    for entries in ([entry(command="pwd")], [], [entry()]):
        say(write, *entries)
        load(scheduler)
        assert scheduler.get_job("a").stored.paused


@pytest.mark.parametrize("paused_at_first", [False, True])
@pytest.mark.parametrize(
    ("meanwhile", "paused"),
    [
        ([], None),
        (["resume"], False),
        (["pause"], True),
        (["resume", "pause"], True),
        (["pause", "resume"], False),
        (["replace"], False),
        (["replace", "pause"], True),
        (["import a pause"], True),
        (["update"], None),
    ],
)
def test_what_somebody_says_while_an_entry_is_gone_holds_when_it_is_back(
    scheduler: TaskScheduler, write: Write, paused_at_first: bool, meanwhile: list[str], paused: bool | None
) -> None:
    say(write, entry())
    load(scheduler)
    if paused_at_first:
        scheduler.pause_job("a", override=True)
    say(write)
    load(scheduler)
    for name in meanwhile:
        SWITCHES[name](scheduler)
    say(write, entry())
    assert load(scheduler) == {"changed": 1}
    info = scheduler.get_job("a")
    assert info.stored.paused is (paused_at_first if paused is None else paused)
    assert (info.next_fire_time is None) is info.stored.paused


SWITCHES: dict[str, Callable[[TaskScheduler], object]] = {
    "resume": lambda scheduler: scheduler.resume_job("a"),
    "pause": lambda scheduler: scheduler.pause_job("a"),
    "update": lambda scheduler: scheduler.update_job("a", {"command": "id"}),
    "replace": lambda scheduler: scheduler.add_job(MINE, replace=True),
    "import a pause": lambda scheduler: scheduler.import_jobs(
        [{**MINE.definition(), "task_id": "a", "paused": True}], True
    ),
}


def test_entry_that_goes_removes_its_job_where_that_is_set(make_scheduler: Make, write: Write) -> None:
    write("jobs/README", "")
    scheduler = make_scheduler(jobs_removed="remove")
    say(write, entry())
    load(scheduler)
    key = scheduler.get_job("a").stored.key
    run = scheduler.run_now("a")
    say(write)
    assert load(scheduler) == {"removed": 1}
    with pytest.raises(NotFound):
        scheduler.get_job("a")
    assert scheduler.get_run(run.run_id).status == "cancelled"
    say(write, entry())
    assert load(scheduler) == {"added": 1}
    assert scheduler.get_job("a").stored.key != key


@pytest.mark.parametrize("name", ["update", "remove", "pause", "replace"])
def test_job_of_a_file_is_changed_with_override_only(scheduler: TaskScheduler, write: Write, name: str) -> None:
    say(write, entry())
    load(scheduler)
    another = Job(task_id="a", type="command", interval="hourly", command="pwd")
    change: Callable[..., Any] = {
        "update": lambda **how: scheduler.update_job("a", {"command": "pwd"}, **how),
        "remove": lambda **how: scheduler.remove_job("a", **how),
        "pause": lambda **how: scheduler.pause_job("a", **how),
        "replace": lambda **how: scheduler.add_job(another, replace=True, **how),
    }[name]
    before = rows(scheduler)
    with pytest.raises(Conflict) as caught:
        change()
    assert caught.value.code == "managed_by_file"
    if name == "update":
        with pytest.raises(Conflict, match="is defined in"):
            scheduler.check_update("a", {"command": "pwd"})
    assert rows(scheduler) == before
    change(override=True)
    changed = rows(scheduler)
    assert changed != before
    assert load(scheduler) == {"unchanged": 1}
    assert rows(scheduler) == changed
    say(write, entry(command="id"))
    load(scheduler)
    assert scheduler.get_job("a").stored.job.command == "id"


def test_one_shot_that_has_passed_stays_right(scheduler: TaskScheduler, write: Write, time: Time) -> None:
    once = {"type": "date", "run_date": "2026-06-01T12:05:00+00:00"}
    say(write, {"id": "a", "command": "ls", "trigger": once}, {"id": "b", "command": "ls", "schedule": "in 5 minutes"})
    load(scheduler)
    time.move(hours=1)
    assert load(scheduler) == {"unchanged": 2}
    say(write, {"id": "new", "command": "ls", "trigger": once})
    assert [problem.task_id for problem in scheduler.plan_files().faulty] == ["new"]


def test_bad_entry_leaves_the_last_good_version(scheduler: TaskScheduler, write: Write) -> None:
    say(write, entry(), entry("b"))
    load(scheduler)
    before = scheduler.get_job("a").stored
    say(write, entry(priority="hgih"), entry("b", command="pwd"))
    assert load(scheduler) == {"changed": 1, "faulty": 1}
    assert scheduler.get_job("a").stored == before
    assert scheduler.get_job("b").stored.job.command == "pwd"


@pytest.mark.parametrize("wrong", [{"id": "a "}, {"id": 5}, {"id": "x", "task_id": "a"}, {"id": ""}, {"id": None}])
def test_entry_that_may_be_any_jobs_lets_none_go(scheduler: TaskScheduler, write: Write, wrong: dict[str, Any]) -> None:
    say(write, entry(), entry("b"), entry("c"))
    load(scheduler)
    say(write, {**entry(), **wrong}, entry("b", command="pwd"))
    assert load(scheduler) == {"changed": 1, "faulty": 1}
    assert [(stored.task_id, stored.paused) for stored in rows(scheduler)] == [(name, False) for name in "abc"]
    say(write, entry(), entry("b", command="pwd"))
    assert load(scheduler) == {"removed": 1, "unchanged": 2}
    assert scheduler.get_job("c").stored.paused


def test_file_that_cannot_be_read_removes_nothing_and_one_that_is_gone_all(
    scheduler: TaskScheduler, write: Write, tmp_path: Path
) -> None:
    say(write, entry())
    write("jobs/b.yaml", json.dumps(entry("b")))
    assert load(scheduler) == {"added": 2}
    (tmp_path / "jobs.yaml").write_text("- [")
    assert load(scheduler) == {"unchanged": 1, "faulty": 1}
    (tmp_path / "jobs.yaml").unlink()
    assert load(scheduler) == {"removed": 1, "unchanged": 1}
    (tmp_path / "jobs").rename(tmp_path / "elsewhere")
    assert load(scheduler) == {"faulty": 1}
    assert not scheduler.get_job("b").stored.paused


@pytest.mark.parametrize(
    ("path", "away", "gone"),
    [
        ("conf/jobs.yaml", "conf", None),
        ("conf/jobs.yaml", "conf/jobs.yaml", {"removed": 1}),
        ("deep/conf/jobs.yaml", "deep", None),
        ("link.yaml", "conf", None),
        ("link.yaml", "conf/jobs.yaml", {"removed": 1}),
        ("link.yaml", "link.yaml", {"removed": 1}),
        ("folder/jobs.yaml", "folder", None),
        ("folder/jobs.yaml", "conf", None),
    ],
)
def test_file_whose_directory_is_gone_removes_nothing(
    make_scheduler: Make, write: Write, tmp_path: Path, path: str, away: str, gone: dict[str, int] | None
) -> None:
    """It may lie on a disk that is not mounted."""
    write("jobs/README", "")
    for name in ("conf", "deep/conf"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "jobs.yaml").write_text(json.dumps([entry()]))
    (tmp_path / "link.yaml").symlink_to("conf/jobs.yaml")
    (tmp_path / "folder").symlink_to("conf")
    scheduler = make_scheduler(jobs_file=tmp_path / path)
    assert load(scheduler) == {"added": 1}
    (tmp_path / away).rename(tmp_path / "away")
    assert load(scheduler) == (gone or {"faulty": 1})
    assert scheduler.get_job("a").stored.paused is bool(gone)
    if gone is None:
        [problem] = scheduler.plan_files().faulty
        assert "does not exist: the jobs of the file stay as they are" in problem.problem.message
    (tmp_path / "away").rename(tmp_path / away)
    assert load(scheduler) == ({"changed": 1} if gone else {"unchanged": 1})


def test_job_made_by_other_means(scheduler: TaskScheduler, write: Write) -> None:
    mine = Job(task_id="a", type="command", interval="every 10 minutes", command="mine")
    scheduler.add_job(mine)
    say(write, entry())
    assert load(scheduler) == {"faulty": 1}
    assert scheduler.get_job("a").stored.job.command == "mine"
    say(write, entry(replace_existing=True))
    assert load(scheduler) == {"changed": 1}
    assert scheduler.get_job("a").stored.job.command == "ls"


@pytest.mark.parametrize("end", ["echo one", "echo two"])
def test_taken_over_job_follows_its_entry_back_to_what_was_removed(
    scheduler: TaskScheduler, write: Write, end: str
) -> None:
    say(write, entry(command="echo one"))
    load(scheduler)
    scheduler.remove_job("a", override=True)
    scheduler.add_job(Job(task_id="a", type="command", interval="hourly", command="echo api"))
    assert load(scheduler) == {"unchanged": 1}
    say(write, entry(command="echo two", replace_existing=True))
    assert load(scheduler) == {"changed": 1}
    say(write, entry(command=end))
    load(scheduler)
    assert [stored.job.command for stored in rows(scheduler)] == [end]
    assert len(scheduler._store.read(jobs.of_files)) == 1


MINE = Job(task_id="a", type="command", interval="hourly", command="mine")


def remade(scheduler: TaskScheduler) -> None:
    scheduler.remove_job("a", override=True)
    scheduler.add_job(MINE)


def applied_and_removed(scheduler: TaskScheduler) -> None:
    scheduler.load_jobs()
    scheduler.remove_job("a", override=True)


NEW = {"before": None, "after": entry()}
MEANWHILE: list[tuple[str, dict[str, Any], Callable[[TaskScheduler], object], str | None, list[str]]] = [
    ("made", NEW, lambda scheduler: scheduler.add_job(MINE), "mine", ["task_exists"]),
    ("made, may be taken over", {**NEW, "after": entry(replace_existing=True)},
     lambda scheduler: scheduler.add_job(MINE), "ls", []),
    ("made the same", NEW,
     lambda scheduler: scheduler.add_job(Job(task_id="a", type="command", command="ls", schedule="every 10 minutes")),
     "ls", []),
    ("applied and removed", NEW, applied_and_removed, None, []),
    ("changed", {"before": entry(), "after": entry(command="pwd")},
     lambda scheduler: scheduler.update_job("a", {"command": "mine"}, override=True), "pwd", []),
    ("removed", {"before": entry(), "after": entry(command="pwd")},
     lambda scheduler: scheduler.remove_job("a", override=True), "pwd", []),
    ("removed and made", {"before": entry(), "after": entry(command="pwd")}, remade, "mine", ["task_exists"]),
    ("gone, removed and made", {"before": entry(), "after": None}, remade, "mine", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "meanwhile", "command", "codes"), [r[1:] for r in MEANWHILE], ids=[r[0] for r in MEANWHILE]
)
def test_what_happens_between_a_plan_and_its_writing_counts(
    scheduler: TaskScheduler,
    write: Write,
    said: dict[str, Any],
    meanwhile: Callable[[TaskScheduler], object],
    command: str | None,
    codes: list[str],
) -> None:
    say(write, *filter(None, [said["before"]]))
    load(scheduler)
    say(write, *filter(None, [said["after"]]))
    planned = scheduler.plan_files()
    meanwhile(scheduler)
    problems = scheduler.apply_files(planned)
    assert [(problem.task_id, problem.problem.code) for problem in problems] == [("a", code) for code in codes]
    assert [(stored.job.command, stored.paused) for stored in rows(scheduler)] == (
        [(command, False)] if command else []
    )
    assert len(scheduler.plan_files().faulty) == len(codes)


def test_job_that_another_file_has_by_now_is_not_let_go(scheduler: TaskScheduler, write: Write) -> None:
    say(write, entry())
    load(scheduler)
    say(write)
    planned = scheduler.plan_files()
    write("jobs/moved.yaml", json.dumps(entry()))
    load(scheduler)
    scheduler.apply_files(planned)
    assert [stored.paused for stored in rows(scheduler)] == [False]


def test_limit_of_tasks_is_told(make_scheduler: Make, write: Write) -> None:
    write("jobs/README", "")
    scheduler = make_scheduler(max_tasks=1)
    say(write, entry(), entry("b"))
    [problem] = scheduler.apply_files(scheduler.plan_files())
    assert (problem.task_id, problem.problem.code) == ("b", "too_many_tasks")
    assert [stored.task_id for stored in rows(scheduler)] == ["a"]


def test_named_files_only(scheduler: TaskScheduler, write: Write) -> None:
    say(write, entry())
    load(scheduler)
    other = write("other.yaml", json.dumps(entry("b")))
    found = scheduler.plan_files([other])
    assert found.counts() == {"added": 1, "changed": 0, "removed": 0, "unchanged": 0, "faulty": 0}


ENTRIES = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.fixed_dictionaries(
        {"command": st.sampled_from(["ls", "pwd"]), "schedule": st.sampled_from(["hourly", "daily", "nonsense"])},
        optional={"is_enabled": st.booleans(), "replace_existing": st.booleans()},
    ),
)


@pytest.mark.soak
@settings(max_examples=30, deadline=None)
@given(
    versions=st.lists(st.tuples(ENTRIES, ENTRIES), min_size=1, max_size=4),
    removed=st.sampled_from(["pause", "remove"]),
    by_hand=st.lists(st.sampled_from(["pause", "remove", "update"]), max_size=4),
)
def test_a_plan_applied_twice_changes_nothing_the_second_time(
    versions: list[tuple[dict[str, Any], dict[str, Any]]], removed: str, by_hand: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "workspace").mkdir()
        (folder / "jobs").mkdir()
        config = SchedulerConfig(
            allowed_dirs=(folder / "workspace",),
            data_dir=folder / "data",
            timezone="UTC",
            jobs_file=folder / "jobs.yaml",
            jobs_dir=folder / "jobs",
            jobs_removed=removed,
        )
        scheduler = TaskScheduler(config, Time())
        try:
            for number, (whole, single) in enumerate(versions):
                listed = [{"id": task_id, **fields} for task_id, fields in whole.items()]
                (folder / "jobs.yaml").write_text(json.dumps(listed))
                for task_id in "abc":
                    (folder / f"jobs/{task_id}.yaml").unlink(missing_ok=True)
                for task_id, fields in single.items():
                    (folder / f"jobs/{task_id}.yaml").write_text(json.dumps({"id": task_id, **fields}))
                load(scheduler)
                if number < len(by_hand):
                    change_by_hand(scheduler, by_hand[number])
                    load(scheduler)
        finally:
            scheduler.close()


def change_by_hand(scheduler: TaskScheduler, how: str) -> None:
    """Change the first job that there is, file or no file."""
    for stored in rows(scheduler)[:1]:
        if how == "update":
            scheduler.update_job(stored.task_id, {"command": "id"}, override=True)
        else:
            getattr(scheduler, f"{how}_job")(stored.task_id, override=True)


def test_removed_rows_of_files_are_few(scheduler: TaskScheduler, write: Write) -> None:
    """However often a job is removed by hand and comes back, its file remembers one of them."""
    for number in range(3):
        say(write, entry(description=str(number)))
        load(scheduler)
        scheduler.remove_job("a", override=True)
    assert len(scheduler._store.read(jobs.of_files)) == 1
    say(write)
    load(scheduler)
    assert scheduler._store.read(jobs.of_files) == []


def test_removed_rows_are_looked_for_once_a_transaction(
    scheduler: TaskScheduler, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No index finds them: asked for each entry, a file of some thousands takes minutes."""
    asked = {"removed_of_files": 0, "forget_removed": 0}

    def counted(name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **how: Any) -> Any:
            asked[name] += 1
            return ask(*args, **how)

        return count

    for name in asked:
        monkeypatch.setattr(jobs, name, counted(name, getattr(jobs, name)))
    say(write, *(entry(str(number)) for number in range(3 * STEPS_A_COMMIT)))
    assert scheduler.apply_files(scheduler.plan_files()) == []
    assert asked == {"removed_of_files": 3, "forget_removed": 0}
