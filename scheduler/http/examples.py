"""Give whole requests that work, near to the one that did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scheduler.errors import Problem

EXAMPLES: dict[str, dict[str, Any]] = {
    "start": {"action": "start"},
    "stop": {"action": "stop"},
    "create": {
        "action": "create",
        "task_id": "nightly",
        "type": "command",
        "interval": "daily at 02:00",
        "command": "make test",
    },
    "list": {"action": "list"},
    "remove": {"action": "remove", "task_id": "nightly"},
    "get": {"action": "get", "task_id": "nightly"},
    "update": {"action": "update", "task_id": "nightly", "interval": "daily at 03:00"},
    "pause": {"action": "pause", "task_id": "nightly"},
    "resume": {"action": "resume", "task_id": "nightly"},
    "run_now": {"action": "run_now", "task_id": "nightly", "wait": True},
    "cancel": {"action": "cancel", "task_id": "nightly"},
    "runs": {"action": "runs", "task_id": "nightly", "limit": 10},
    "output": {"action": "output", "run_id": "01j9zq3k6e8r4m2v7x5t0c1b9d", "stream": "stdout", "tail": 50},
    "preview": {"action": "preview", "interval": "daily at 02:00", "count": 3},
    "validate": {
        "action": "validate",
        "task_id": "nightly",
        "type": "command",
        "interval": "daily at 02:00",
        "command": "make test",
    },
    "status": {"action": "status"},
    "help": {"action": "help"},
}

OF_TYPE: dict[str, dict[str, Any]] = {
    "command": {"command": "make test"},
    "test": {"file_path": "tests"},
    "script": {"file_path": "report.py"},
    "custom": {"custom_script": "print('hello')"},
}

_SCHEDULES = ("interval", "schedule", "trigger", "schedule_type", "schedule_config")


def mended_example(
    action: str,
    sent: Mapping[str, Any],
    problems: Sequence[Problem],
    works: Callable[[Mapping[str, Any]], bool],
) -> dict[str, Any]:
    """Return the request that was sent with its faults mended where that can be done, else a plain one that works."""
    plain = EXAMPLES[action]
    mended = _mend(plain, sent, problems)
    return mended if works(mended) else plain


def _mend(plain: Mapping[str, Any], sent: Mapping[str, Any], problems: Sequence[Problem]) -> dict[str, Any]:
    bad = {problem.field.split(".")[0] for problem in problems}
    kept = {name: value for name, value in sent.items() if name not in bad}
    kind = kept.get("type", plain.get("type"))
    defaults = dict(plain)
    if "type" in plain:
        defaults = {name: value for name, value in plain.items() if name != "command"} | OF_TYPE.get(str(kind), {})
    if any(name in kept for name in _SCHEDULES):
        defaults.pop("interval", None)
    mended = defaults | kept
    for problem in problems:
        if problem.suggestion is None:
            continue
        if problem.code == "unknown_field":
            mended.setdefault(problem.suggestion, sent.get(problem.field))
        elif "." not in problem.field:
            mended[problem.field] = problem.suggestion
    return mended
