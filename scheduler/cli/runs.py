"""Commands about runs: run a task, list runs, show what they write, end them."""

from __future__ import annotations

import sys
from typing import Any

import click

from scheduler.cli.client import Client
from scheduler.cli.ending import FAILED
from scheduler.cli.following import follow, is_run_id, newest_run, parts
from scheduler.cli.options import remote
from scheduler.cli.printing import print_answer, print_json
from scheduler.cli.show import print_table

_STATUSES = ("queued", "running", "completed", "failed", "timeout", "cancelled", "interrupted", "skipped", "missed")
_LONGEST_WAIT = 300


@click.command(name="run")
@click.argument("task_id")
@click.option("--wait", is_flag=True, help="Print the output while it runs, and exit with 1 unless it completes.")
@click.option("--force", is_flag=True, help="Run it even beyond --max-instances.")
@remote
def run_command(client: Client, task_id: str, wait: bool, force: bool, as_json: bool) -> None:
    """Run a task now.

    With --wait and --json nothing is printed before the end; after 5 minutes the answer says how it stands.
    """
    if wait and not as_json:
        _end(follow(client, client.ask("run_now", task_id=task_id, force=force)["run_id"]))
        return
    seconds = _LONGEST_WAIT if wait else None
    answer = client.ask("run_now", task_id=task_id, force=force, wait=wait or None, wait_seconds=seconds)
    print_answer(answer, as_json)
    if wait and answer["run"]["status"] != "completed":
        sys.exit(FAILED)


def _end(run: dict[str, Any]) -> None:
    """Say how a run ended, apart from what it wrote, and exit by that."""
    told = run["status"] + (f": {run['reason']}" if run.get("reason") else "")
    click.echo(f"{run['run_id']} {told}", err=True)
    if run["status"] != "completed":
        sys.exit(FAILED)


@click.command(name="runs")
@click.argument("task_id", required=False)
@click.option("--status", "run_status", type=click.Choice(_STATUSES), help="Only runs with that status.")
@click.option("--since", help="Only runs scheduled for that ISO 8601 time or later.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Runs at most.")
@remote
def runs_command(client: Client, as_json: bool, **which: Any) -> None:
    """List runs, newest first."""
    answer = client.ask("runs", **which)
    if as_json:
        print_json(answer)
        return
    rows = [(run["run_id"], run["task_id"], run["scheduled_for"], run["status"], run["attempt"],
             _seconds(run["duration_ms"]), run.get("reason")) for run in answer["runs"]]  # fmt: skip
    print_table(("RUN", "TASK", "SCHEDULED FOR", "STATUS", "ATTEMPT", "SECONDS", "REASON"), rows)


def _seconds(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds / 1000:.1f}"


@click.command(name="logs")
@click.argument("which", metavar="RUN_ID|TASK_ID")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the run ends.")
@click.option("--stream", type=click.Choice(["stdout", "stderr", "both"]), default="both", show_default=True)
@click.option("--tail", type=click.IntRange(1, 1_000_000), help="Only so many lines from the end.")
@remote
def logs_command(client: Client, which: str, following: bool, stream: str, tail: int | None, as_json: bool) -> None:
    """Show what a run wrote.

    It is named by its id, or by its task, whose newest run is meant.
    """
    run_id = newest_run(client, which)
    if following:
        if as_json or tail is not None or stream != "both":
            raise click.UsageError("--follow goes with no other option: it prints both streams as they come")
        _end(follow(client, run_id))
        return
    answer = client.ask("output", run_id=run_id, stream=stream, tail=tail)
    if as_json:
        print_json(answer)
        return
    for text, to_errors in parts(answer):
        click.echo(text, nl=False, err=to_errors)


@click.command(name="cancel")
@click.argument("which", metavar="RUN_ID|TASK_ID")
@remote
def cancel_command(client: Client, which: str, as_json: bool) -> None:
    """End a run, or all runs of a task."""
    print_answer(client.ask("cancel", **{"run_id" if is_run_id(which) else "task_id": which}), as_json)
