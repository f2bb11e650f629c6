"""Define the tasks of a round: short ones, long ones, failing ones, and some whose children try to survive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from scheduler.selftest.record import Line

FOLDER = "evidence"
MARK = "SELFTEST_MARK"
"""The environment variable that tells the runs of one round from all other processes of the machine."""

# The soft limit is raised first: a run started while the store is made full has inherited its limit.
_SHELL_LIBRARY = """\
ulimit -S -f "$(ulimit -H -f)"
line() {
  printf '%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$1" "$SCHEDULER_TASK_ID" "$SCHEDULER_RUN_ID" \\
    "$SCHEDULER_SCHEDULED_FOR" "$SCHEDULER_ATTEMPT" "$$" "$(date +%s.%N)" >> "evidence/$SCHEDULER_TASK_ID"
}
line start
"""
_PYTHON = """\
import os, resource, signal, time
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
told = [os.environ["SCHEDULER_" + name] for name in ("TASK_ID", "RUN_ID", "SCHEDULED_FOR", "ATTEMPT")]
file = os.open("evidence/" + told[0], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
def line(kind):
    os.write(file, ("\\t".join([kind, *told, str(os.getpid()), repr(time.time())]) + "\\n").encode())
line("start")
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
time.sleep(0.2)
line("end")
"""


def _shell(body: str = "", end: str = "line end") -> dict[str, Any]:
    return {"type": "command", "command": f". ./{FOLDER}.sh; {body + '; ' if body else ''}{end}"}


_LEAVE_SESSION = "setsid sleep 60 & sleep 0.2"
_FORK_TWICE = "( ( exec sleep 60 ) & ) & sleep 0.2"
_IGNORE_TERM = "( trap '' TERM HUP INT; sleep 60; sleep 60 ) & sleep 0.2"
_ALL_AT_ONCE = "setsid sh -c 'trap \"\" TERM HUP; ( setsid sleep 60 & ); sleep 60' & sleep 0.3"

# Each kind: what it does and under which terms. The interval is drawn by the plan.
KINDS: Mapping[str, Mapping[str, Any]] = {
    "quick": _shell(),
    "grace": {**_shell(), "misfire_grace_time": 0.5},
    "caught": {**_shell(), "misfire_grace_time": 0.5, "catch_up": True},
    "caught-each": {**_shell(), "misfire_grace_time": 0.5, "catch_up": True, "coalesce": False},
    "each": {**_shell(), "coalesce": False},
    "jitter": {**_shell(), "jitter_seconds": 0.7},
    "slow": _shell("sleep 1.6"),
    "queue": {**_shell("sleep 1.2"), "overlap": "queue"},
    "twins": {**_shell("sleep 1.5"), "max_instances": 2},
    "twins-queue": {**_shell("sleep 1.5"), "max_instances": 2, "overlap": "queue", "coalesce": False},
    "flaky": {
        **_shell(end='line end; test "$SCHEDULER_ATTEMPT" -ge 3'),
        "max_retries": 3,
        "retry_delay_seconds": 0.2,
        "retry_backoff": 1.5,
    },
    "hopeless": {**_shell(end="line end; exit 3"), "max_retries": 1, "retry_delay_seconds": 0.3},
    "surely": {**_shell("sleep 0.8"), "at_least_once": True, "retry_delay_seconds": 0.2},
    "surely-twins": {
        **_shell("sleep 1.2"),
        "at_least_once": True,
        "retry_delay_seconds": 0,
        "max_instances": 2,
        "overlap": "queue",
    },
    "stubborn": {**_shell("trap '' TERM; while :; do sleep 1; done"), "timeout_seconds": 2},
    "late-retry": {**_shell("sleep 30"), "timeout_seconds": 2, "max_retries": 1, "retry_delay_seconds": 0.1},
    "leave-session": _shell(_LEAVE_SESSION),
    "fork-twice": _shell(_FORK_TWICE),
    "ignore-term": _shell(_IGNORE_TERM),
    "all-at-once": {**_shell(_ALL_AT_ONCE), "at_least_once": True, "retry_delay_seconds": 0.1},
    "python": {"type": "custom", "custom_script": _PYTHON},
}
ONE_SHOTS: Mapping[str, Mapping[str, Any]] = {
    "once": _shell("sleep 0.3"),
    "once-surely": {**_shell("sleep 0.8"), "at_least_once": True, "retry_delay_seconds": 0.1},
    "once-removed": {**_shell(), "remove_when_done": True},
    "once-caught": {**_shell(), "misfire_grace_time": 0.2, "catch_up": True},
}


def prepare(workspace: Path) -> None:
    """Put what tasks need into their working directory."""
    (workspace / FOLDER).mkdir(parents=True)
    (workspace / f"{FOLDER}.sh").write_text(_SHELL_LIBRARY)


def draw_fields(kind: str, interval: str, random: Random) -> dict[str, Any]:
    """Return the definition of a task of this kind."""
    priority = random.choice(["urgent", "high", "medium", "low"])
    return {**(KINDS | ONE_SHOTS)[kind], "interval": interval, "priority": priority}  # type: ignore[operator]


def read_lines(workspace: Path) -> list[Line]:
    """Return all evidence, in the order of time; ValueError where a line is torn."""
    texts = [line for path in (workspace / FOLDER).iterdir() for line in path.read_text().splitlines()]
    return sorted(map(_read_line, texts), key=lambda line: line.at)


def _read_line(text: str) -> Line:
    kind, task_id, run_id, scheduled_for, attempt, pid, at = text.split("\t")
    assert kind in ("start", "end")
    moment = datetime.fromtimestamp(float(at), UTC)
    return Line(kind, task_id, run_id, scheduled_for, int(attempt), int(pid), moment)  # type: ignore[arg-type]
