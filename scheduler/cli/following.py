"""Follow a run: print what it writes as it comes, through all its attempts, until it has ended."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from scheduler.cli.client import Client
from scheduler.cli.ending import NOT_FOUND, Refused

_RUN_ID = re.compile(r"0[0-9a-hjkmnp-tv-z]{25}")
_ACTIVE = ("queued", "running")
_PAUSE_SECONDS = 0.25
_STREAMS = ("stdout", "stderr")
_PAGE = 20


def follow(client: Client, run_id: str) -> dict[str, Any]:
    """Print the output of a run and of the attempts after it until the last has ended; return that."""
    offsets = dict.fromkeys(_STREAMS, 0)
    first = _with_newer(client, run_id)[-1]
    where = {"task_id": first["task_id"], "since": first["scheduled_for"]}
    while True:
        # Asked before the output is read: what a run that has ended wrote is all there then.
        *newer, run = _with_newer(client, run_id, **where)
        for stream in _STREAMS:
            _print_new(client, run_id, stream, offsets)
        if run["status"] in _ACTIVE:
            time.sleep(_PAUSE_SECONDS)
        elif (following := _next_attempt(run, newer)) is None:
            return run
        else:
            told = run.get("reason") or run["status"]
            click.echo(f"{run_id} {told}; attempt {following['attempt']} follows", err=True)
            run_id, offsets = following["run_id"], dict.fromkeys(_STREAMS, 0)


def _print_new(client: Client, run_id: str, stream: str, offsets: dict[str, int]) -> None:
    while True:
        answer = client.ask("output", run_id=run_id, stream=stream, offset=offsets[stream])
        text = str(answer[stream])
        click.echo(text, nl=False, err=stream == "stderr")
        if answer["next_offset"] == offsets[stream]:
            return
        offsets[stream] = answer["next_offset"]


def _with_newer(client: Client, run_id: str, **which: Any) -> list[dict[str, Any]]:
    """Return the rows of the ledger from the newest down to that of a run, which is the last."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = client.ask("runs", limit=_PAGE, cursor=cursor, **which)
        for row in answer["runs"]:
            rows.append(row)
            if row["run_id"] == run_id:
                return rows
        cursor = answer["next_cursor"]
        if cursor is None:
            raise _no_run(f"No run '{run_id}' exists. `task-scheduler runs` tells which do.")


def _next_attempt(run: Mapping[str, Any], newer: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the attempt that follows one; it is on record as soon as the one before has ended."""
    later = [row for row in newer if row["scheduled_for"] == run["scheduled_for"] and row["attempt"] > run["attempt"]]
    return min(later, key=lambda row: int(row["attempt"]), default=None)


def is_run_id(which: str) -> bool:
    """Whether a word is the id of a run and not that of a task."""
    return _RUN_ID.fullmatch(which) is not None


def newest_run(client: Client, which: str) -> str:
    """Return the id of a run, given as it is or by the task whose newest run is meant."""
    if is_run_id(which):
        return which
    rows = client.ask("runs", task_id=which, limit=1)["runs"]
    if not rows:
        raise _no_run(f"Task '{which}' has not run yet")
    return str(rows[0]["run_id"])


def parts(answer: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield what an answer to `output` holds, with whether it belongs to the errors."""
    for stream in _STREAMS:
        if answer.get(stream):
            yield answer[stream], stream == "stderr"


def _no_run(message: str) -> Refused:
    return Refused({"status": "error", "code": "run_not_found", "message": message}, NOT_FOUND)
