"""What a plan says, as a table: what is kept, what files say, and what has to be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scheduler.errors import Problem
from scheduler.jobsfiles import Entry, FileProblem, Plan, plan
from scheduler.models import Job
from scheduler.stored_job import StoredJob
from tests.owned_time import NOON

FILE, OTHER = Path("/jobs/a.yaml"), Path("/jobs/b.yaml")
GONE = {"gone": True, "paused": False}


def a_job(command: str = "ls", **fields: Any) -> Job:
    return Job(task_id="a", type="command", interval="hourly", timezone="UTC", command=command, **fields)


def entry(command: str = "ls", file: Path = FILE, replace: bool = False, **fields: Any) -> Entry:
    return Entry(a_job(command, **fields), file, 1, replace)


def stored(
    command: str = "ls", file: Path | None = FILE, filed: str | None = "ls", removed: bool = False, **more: Any
) -> StoredJob:
    """A job as it is kept: `command` is what it does, `filed` what its file said last."""
    said = {} if filed is None else {"definition": a_job(filed).definition()}
    return StoredJob(
        key=1,
        task_id="a",
        definition=a_job(command).definition(),
        schedule={},
        anchor=NOON,
        created_at=NOON,
        created_by="somebody",
        updated_at=NOON,
        enabled=True,
        paused=False,
        ended=False,
        next_fire_time=None,
        due_at=None,
        fired=0,
        origin=None if file is None else str(file),
        filed=None if file is None else {**said, **more},
        removed_at=NOON if removed else None,
    )


def trouble(file: Path = FILE, task_id: str | None = None) -> FileProblem:
    return FileProblem(file, 1, Problem("x", "wrong"), task_id)


def outcome(found: Plan) -> dict[str, Any]:
    """Return what a plan says of the job, in short."""
    names = ("added", "changed", "removed", "unchanged", "faulty", "forgotten")
    return {name: len(getattr(found, name)) for name in names if getattr(found, name)}


API = {"file": None, "filed": None}
TABLE = [
    ("new", [], [entry()], [], {"added": 1}),
    ("as it was", [stored()], [entry()], [], {"unchanged": 1}),
    ("changed", [stored()], [entry("pwd")], [], {"changed": 1}),
    ("overridden and left", [stored("pwd")], [entry()], [], {"unchanged": 1}),
    ("overridden, then changed", [stored("pwd")], [entry("id")], [], {"changed": 1}),
    ("changed to what was overridden", [stored("pwd")], [entry("pwd")], [], {"changed": 1}),
    ("in another file now", [stored()], [entry(file=OTHER)], [], {"changed": 1}),
    ("gone", [stored()], [], [], {"removed": 1}),
    ("gone for longer", [stored(**GONE)], [], [], {}),
    ("back again", [stored(**GONE)], [entry()], [], {"changed": 1}),
    ("removed by somebody", [stored(removed=True)], [entry()], [], {"unchanged": 1}),
    ("removed by somebody, then changed", [stored(removed=True)], [entry("pwd")], [], {"added": 1}),
    ("removed by somebody, entry gone", [stored(removed=True)], [], [], {"forgotten": 1}),
    ("removed and made by the API", [stored(removed=True), stored("id", **API)], [entry()], [], {"unchanged": 1}),
    ("removed, made and taken over", [stored(removed=True), stored("pwd", filed="pwd")], [entry()], [], {"changed": 1}),
    (
        "removed, then filed otherwise",
        [stored(removed=True), stored(filed="pwd")],
        [entry("pwd")],
        [],
        {"unchanged": 1},
    ),
    ("of the API, the same", [stored(**API)], [entry()], [], {"changed": 1}),
    ("of the API, another", [stored("pwd", **API)], [entry()], [], {"faulty": 1}),
    ("of the API, taken over", [stored("pwd", **API)], [entry(replace=True)], [], {"changed": 1}),
    ("of the API, no entry", [stored(**API)], [], [], {}),
    ("wrong", [stored()], [], [trouble(task_id="a")], {"faulty": 1}),
    ("in a file that is unreadable", [stored()], [], [trouble()], {"faulty": 1}),
    ("in a directory that is gone", [stored()], [], [trouble(FILE.parent)], {"faulty": 1}),
    ("beside a file that is unreadable", [stored()], [], [trouble(OTHER)], {"removed": 1, "faulty": 1}),
    ("beside an entry that is wrong", [stored()], [], [trouble(task_id="b")], {"removed": 1, "faulty": 1}),
    ("filed by another version", [stored(filed=None)], [entry()], [], {"changed": 1}),
]


@pytest.mark.parametrize(
    ("kept", "entries", "problems", "expected"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_plan(
    kept: list[StoredJob], entries: list[Entry], problems: list[FileProblem], expected: dict[str, int]
) -> None:
    found = plan(kept, entries, problems)
    assert outcome(found) == expected
    assert found.is_empty == (not {"added", "changed", "removed", "forgotten"} & set(expected))


@pytest.mark.parametrize(
    ("paths", "removed"), [(None, 1), ([FILE], 1), ([FILE.parent], 1), ([OTHER], 0), ([Path("/")], 0)]
)
def test_only_jobs_of_the_named_files_are_removed(paths: list[Path] | None, removed: int) -> None:
    assert len(plan([stored()], [], [], paths).removed) == removed


def test_fields_that_differ_are_named() -> None:
    [change] = plan([stored("pwd")], [entry("id", priority="high", tags=["x"])]).changed
    assert change.fields == ("command", "priority", "tags")
    [moved] = plan([stored()], [entry(file=OTHER)]).changed
    assert moved.fields == ()


def test_lines_for_people() -> None:
    found = plan([stored()], [Entry(a_job().model_copy(update={"task_id": "new"}), FILE, 7)], [trouble(OTHER)])
    assert list(found.lines()) == [
        "+ new (/jobs/a.yaml:7)",
        "- a (no longer in /jobs/a.yaml)",
        "! /jobs/b.yaml:1: wrong",
    ]
    assert found.counts() == {"added": 1, "changed": 0, "removed": 1, "unchanged": 0, "faulty": 1}
    changed = plan([stored()], [entry("pwd")])
    assert list(changed.lines()) == ["~ a: command (/jobs/a.yaml:1)"]


def test_refusal_to_take_over_says_what_to_do() -> None:
    [problem] = plan([stored("pwd", **API)], [entry()]).faulty
    assert "replace_existing: true" in str(problem)
    assert "somebody" in str(problem)
