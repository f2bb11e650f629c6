"""Draw a round from a seed: which tasks there are, what is asked for when, and what is done to the server.

The same seed, workers and kind of store always give the same plan. What then happens also depends on
the machine, so a seed that failed may have to be replayed a few times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from scheduler.selftest.chores import KINDS, ONE_SHOTS, draw_fields

LENGTH = 6.0
"""Seconds in which things are done to the server; settling comes on top."""
THREADS = 4
_OWN_ANCHOR = "@now"
"""Stands for the moment at which a request is sent, in `start_at`."""

PROCESS_FAULTS = {
    "kill -9 the worker that fires": 5,
    "kill -15 the worker that fires": 2,
    "stop and continue the worker that fires": 3,
    "stop the worker that fires, then kill -9 it": 1,
    "kill -9 the whole server": 4,
    "stop the whole server gracefully": 2,
    "stop and continue the whole server": 2,
}
STORE_FAULTS = {
    "sqlite": {"lock the store": 4, "fill the store": 4},
    "postgresql": {"lock the store": 4, "cut the connections to the store": 4},
}
STATE_CHANGES = {"stop and start by action": 2}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to be done `at` so many seconds after the beginning; for some it lasts `seconds`."""

    at: float
    what: str
    seconds: float = 0.0
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task and what its owner asks for, in order; the first step creates it."""

    task_id: str
    fields: Mapping[str, Any]
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in a round. `lanes` are lists of faults, one fault at a time in each."""

    seed: int
    workers: int
    settings: Mapping[str, str]
    tasks: Sequence[TaskPlan]
    lanes: Sequence[Sequence[Step]]
    start_at: float
    length: float = LENGTH


def make_plan(seed: int, workers: int, store: str) -> Plan:
    """Draw the plan of a round."""
    random = Random(f"{seed} {workers} {store}")
    settings = {
        "SCHEDULER_MAX_WORKERS": random.choice(["3", "12", "12"]),
        "SCHEDULER_STOP_GRACE_SECONDS": random.choice(["0.3", "1", "2"]),
    }
    tasks = [*_draw_intervals(random), *_draw_one_shots(random)]
    lanes = [
        _draw_lane(random, PROCESS_FAULTS, random.choice([0, 1, 2, 2, 3])),
        _draw_lane(random, STORE_FAULTS[store] | STATE_CHANGES, random.choice([0, 1, 1, 2, 2])),
    ]
    return Plan(seed, workers, settings, tasks, lanes, start_at=random.choice([0.0, 0.0, 0.6]))


def _draw_lane(random: Random, faults: Mapping[str, int], count: int) -> list[Step]:
    names, weights = list(faults), list(faults.values())
    moments = sorted(round(random.uniform(0.5, LENGTH - 0.5), 3) for _ in range(count))
    return [
        Step(at, random.choices(names, weights)[0], round(random.choice([0.1, 0.7, 1.5, 3.0]) * random.random(), 3))
        for at in moments
    ]


def _draw_intervals(random: Random) -> list[TaskPlan]:
    kinds = [*random.sample(list(KINDS), 9), "quick"]
    return [_draw_interval(random, kind, number) for number, kind in enumerate(kinds)]


def _draw_interval(random: Random, kind: str, number: int) -> TaskPlan:
    every = random.choice([1, 1, 2, 3])
    fields = draw_fields(kind, _phrase(every), random)
    if random.random() < 0.3:
        fields["start_at"] = _OWN_ANCHOR
    create_at = round(random.choice([0.0, 0.3, 2.0]) * random.random(), 3)
    create = Step(create_at, "create", fields=fields)
    return TaskPlan(f"{kind}-{number}", fields, [create, *_draw_changes(random, create_at)])


def _draw_changes(random: Random, after: float) -> list[Step]:
    """Draw what becomes of a task: for most nothing."""
    at = round(random.uniform(after + 0.5, LENGTH), 3)
    later = round(min(at + random.uniform(0.2, 2.5), LENGTH), 3)
    moved = {"interval": _phrase(random.choice([1, 2])), "start_at": _OWN_ANCHOR}
    fates: list[tuple[int, list[Step]]] = [
        (8, []),
        (2, [Step(at, "pause"), Step(later, "resume")]),
        (2, [Step(at, "update", fields=moved)]),
        (2, [Step(at, "update", fields={"description": f"changed at {at}"})]),
        (2, [Step(at, "remove")]),
        (2, [Step(at, "run_now"), Step(later, "cancel")]),
        (2, [Step(at, "run_now"), Step(later, "run_now")]),
        (1, [Step(at, "pause"), Step(later, "remove")]),
        (1, [Step(at, "cancel")]),
        (1, [Step(at, "create", fields={"replace": True, "description": "replaced", **moved})]),
    ]
    return random.choices([steps for _, steps in fates], [weight for weight, _ in fates])[0]


def _draw_one_shots(random: Random) -> list[TaskPlan]:
    tasks = []
    for number, kind in enumerate(random.choices(list(ONE_SHOTS), k=3)):
        fields = draw_fields(kind, f"in {random.randint(1, 5)} seconds", random)
        create = Step(round(random.random(), 3), "create", fields=fields)
        tasks.append(TaskPlan(f"{kind}-{number}", fields, [create]))
    return tasks


def _phrase(seconds: int) -> str:
    return "every 1 second" if seconds == 1 else f"every {seconds} seconds"


def with_anchor(fields: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return fields as they are sent at the moment `now`."""
    return {name: now if value == _OWN_ANCHOR else value for name, value in fields.items()}
