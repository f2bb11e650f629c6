"""Commands about the scheduler as a whole: start, stop, status."""

from __future__ import annotations

from typing import Any

import click

from scheduler.cli.client import Client
from scheduler.cli.options import remote
from scheduler.cli.printing import print_answer, print_json
from scheduler.cli.show import print_fields


@click.command(name="start")
@remote
def start_command(client: Client, as_json: bool) -> None:
    """Let tasks run on schedule."""
    print_answer(client.ask("start"), as_json)


@click.command(name="stop")
@remote
def stop_command(client: Client, as_json: bool) -> None:
    """Let no new run start."""
    print_answer(client.ask("stop"), as_json)


@click.command(name="status")
@remote
def status_command(client: Client, as_json: bool) -> None:
    """Tell how the scheduler is doing."""
    answer = client.ask("status")
    if as_json:
        print_json(answer)
        return
    click.echo(answer["message"])
    late, sandbox, store = answer["lateness"] or {}, answer["sandbox"], answer["store"]
    fields: list[tuple[str, Any]] = [
        ("state", answer["state"]),
        *((f"tasks {name}", number) for name, number in (answer["counts"]["tasks"] or {}).items()),
        ("running", [f"{run['task_id']} ({run['run_id']})" for run in answer["running"]]),
        ("waiting", answer["queue"]["waiting"]),
        ("workers", answer["workers"]),
        ("lateness", f"median {late['p50']} ms, most {late['max']} ms" if late.get("runs") else None),
        ("sandbox", sandbox.get("level")),
        ("store", f"{store['kind']}, {store['state']}" + (f": {store['reason']}" if store["reason"] else "")),
        ("time zone", answer["timezone"]),
        ("version", answer["version"]),
        *(("warning", text) for text in answer["warnings"]),
    ]
    print_fields(fields)
