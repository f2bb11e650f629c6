"""Commands about tasks: make, list, show, remove, pause, resume, explain."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, get_args

import click

from scheduler.cli.client import Client
from scheduler.cli.fields import field_options, given_fields
from scheduler.cli.options import override_option, remote
from scheduler.cli.printing import print_answer, print_json
from scheduler.cli.show import print_fields, print_table
from scheduler.models import JobType

_SHOWN_FIRST = ("state", "type", "interval", "next_run")


@click.command(name="add")
@click.argument("task_id")
@field_options
@click.option("--replace", is_flag=True, help="Replace a task of that id that has another definition.")
@override_option
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@remote
def add_command(
    client: Client, task_id: str, replace: bool, override: bool, dry_run: bool, as_json: bool, **options: Any
) -> None:
    """Create a task.

    The type follows from --command, --file-path (a script), --custom-script or --func where --type does not say it.
    """
    fields = given_fields(options)
    fields.setdefault("type", _type_of(fields))
    action = "validate" if dry_run else "create"
    flags = {"replace": replace or None, "override": override or None}
    print_answer(client.ask(action, task_id=task_id, **fields, **flags), as_json)


def _type_of(fields: Mapping[str, Any]) -> str | None:
    kinds = {"command": "command", "file_path": "script", "custom_script": "custom", "func": "function"}
    return next((kind for name, kind in kinds.items() if name in fields), None)


@click.command(name="list")
@click.option("--type", type=click.Choice(get_args(JobType)), help="Only tasks of that type.")
@click.option("--tag", help="Only tasks with that tag.")
@click.option("--enabled/--disabled", default=None, help="Only tasks that are enabled, or only those that are not.")
@click.option("--search", help="Only tasks that have this text in id, name or words.")
@remote
def list_command(client: Client, as_json: bool, **which: Any) -> None:
    """List tasks."""
    if as_json:
        found = list(client.pages("list", "tasks", **which))
        print_json({"status": "success", "tasks": found, "count": len(found)})
        return
    rows = [(task["id"], *_about(task["details"])) for task in client.pages("list", "tasks", **which)]
    print_table(("TASK", "STATE", "TYPE", "WHEN", "NEXT RUN"), rows)


def _about(details: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(details[name] for name in _SHOWN_FIRST)


@click.command(name="show")
@click.argument("task_id")
@remote
def show_command(client: Client, task_id: str, as_json: bool) -> None:
    """Show a task with its last run and its next times."""
    answer = client.ask("get", task_id=task_id)
    if as_json:
        print_json(answer)
        return
    task = answer["task"]
    details = dict(task["details"])
    first = [(name, details.pop(name)) for name in _SHOWN_FIRST]
    last = task.get("last_run") or {}
    told = " ".join(str(last[name]) for name in ("status", "scheduled_for", "run_id") if last.get(name))
    hidden = ("next_run_at", "created_at_iso", "updated_at_iso")
    rest = [(name, value) for name, value in details.items() if name not in hidden and value is not False]
    print_fields([("task", task["id"]), *first, *rest, ("last run", told), ("next runs", task.get("next_runs"))])


def _for_each(name: str, action: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command that sends one action for each of the tasks it names; it stops at the first refusal."""

    def make(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def called(client: Client, task_ids: tuple[str, ...], override: bool, as_json: bool) -> None:
            if as_json and len(task_ids) > 1:
                raise click.UsageError("--json prints one document: name one task")
            for task_id in task_ids:
                print_answer(client.ask(action, task_id=task_id, override=override or None), as_json)

        with_options = click.argument("task_ids", nargs=-1, required=True, metavar="TASK_ID...")(
            override_option(remote(called))
        )
        return click.command(name=name)(with_options)

    return make


@_for_each("remove", "remove")
def remove_command() -> None:
    """Remove tasks and end their runs."""


@_for_each("pause", "pause")
def pause_command() -> None:
    """Plan no run of tasks until they are resumed."""


@_for_each("resume", "resume")
def resume_command() -> None:
    """Plan tasks again, from now on."""


@click.command(name="explain")
@click.argument("task_id")
@click.option("--at", help="ISO 8601 time of the run that is asked about.")
@remote
def explain_command(client: Client, task_id: str, at: str | None, as_json: bool) -> None:
    """Say why a task did or did not run."""
    print_answer(client.ask("explain", task_id=task_id, at=at), as_json)
