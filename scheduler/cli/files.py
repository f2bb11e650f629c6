"""Commands about files of definitions: check, diff, apply, export, import."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from scheduler.cli.client import Client, encoded
from scheduler.cli.documents import Definitions, as_plain, given_twice, in_a_line, read_definitions
from scheduler.cli.ending import FAILED, Refused
from scheduler.cli.inputs import FILE
from scheduler.cli.options import override_option, remote
from scheduler.cli.printing import counted, print_answer, print_document, print_hint, print_json, with_json
from scheduler.cli.settings import config_option, read_settings
from scheduler.definitions import Definitions as Judge
from scheduler.errors import InvalidRequest, Problem
from scheduler.jobsfiles.reading import FileProblem, read_sources
from scheduler.models import utc_now
from scheduler.portable import read_document

_MOST_BYTES = 1 << 20
"""What the server takes in one request."""

_FILE = click.argument("file", type=FILE, metavar="FILE|-")


@click.command(name="check")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE|DIR...")
@config_option
@with_json
def check_command(files: tuple[str, ...], config: str | None, as_json: bool) -> None:
    """Check files of definitions; needs no server.

    A file holds what `export` gives, or jobs in any of their spellings; of a directory, all *.yaml and *.yml are
    read. They are judged by the settings that `serve` would have here, such as SCHEDULER_ALLOWED_DIRS and
    config/scheduler.yaml. Exits with 1 if anything is wrong.
    """
    settings = read_settings(config)
    judge = Judge(settings, utc_now)
    read = [read_definitions(name, lambda: settings.allowed_dirs[0]) for name in _named(files)]
    found = [told for definitions in read for told in _problems(judge, definitions)] + list(given_twice(read))
    count = sum(len(definitions.entries) for definitions in read)
    message = f"{counted(count, 'task')}, {counted(len(found), 'problem')}"
    if as_json:
        problems = [as_plain(told) for told in found]
        print_json({"status": "error" if found else "success", "message": message, "problems": problems})
    else:
        click.echo("\n".join([*map(in_a_line, found), message]))
    if found:
        sys.exit(FAILED)


def _named(files: Sequence[str]) -> Iterator[str]:
    for name in files:
        yield from [str(source.path) for source in read_sources([Path(name)])] if os.path.isdir(name) else [name]


def _problems(judge: Judge, definitions: Definitions) -> list[FileProblem]:
    try:
        found = [problem for entry in read_document(judge, definitions.sent) for problem in entry.overdue]
    except InvalidRequest as error:
        found = error.problems
    return sorted((*definitions.faults, *map(definitions.told, found)), key=lambda told: told.line)


def _read(name: str) -> Definitions:
    """Read a file that a server will judge."""
    return read_definitions(name, lambda: read_settings(None).allowed_dirs[0])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a file would do to a server."""

    answer: dict[str, Any]
    """What the server says that an import would do."""
    named: frozenset[str | None]
    tasks: dict[str, dict[str, Any]]
    """All tasks that the server has, by their ids."""
    prune: bool

    @property
    def changed(self) -> dict[str, list[str]]:
        """The ids of tasks that the server would create, and of those that it would replace."""
        return dict(self.answer["task_ids"])

    @property
    def beside(self) -> list[str]:
        """Tasks that the file does not name."""
        return [task_id for task_id in self.tasks if task_id not in self.named]

    @property
    def removed(self) -> list[str]:
        """Tasks that go since the file does not name them, and nobody else gives them."""
        return [task_id for task_id in self.beside if self.prune and self.giver(task_id) is None]

    def giver(self, task_id: str) -> str | None:
        """Say who else gives a task, and would give it again; None for one that was made by a request."""
        details = self.tasks.get(task_id, {})
        if "origin" in details:
            return f"defined in {details['origin']}"
        return "given by a program" if details.get("type") == "callable" else None


_prune_option = click.option(
    "--prune", is_flag=True, help="Remove tasks that FILE does not name, but those of followed files and of programs."
)


@click.command(name="diff")
@_FILE
@_prune_option
@remote
def diff_command(client: Client, file: str, prune: bool, as_json: bool) -> None:
    """Compare a file of definitions with the server's.

    Shows what `apply` would do. Exits with 1 if there is a difference, 0 if not. Tasks that the file does not name
    are listed, and are no difference unless --prune is given: `apply` leaves them alone. Tasks that a file defines
    which the server follows are marked: `apply` changes them with --override only.
    """
    plan = _plan(client, _kept_pauses(client, _read(file)), prune)
    if as_json:
        print_json(plan.answer | ({"removed": plan.removed} if prune else {}))
    else:
        click.echo("\n".join(_differences(plan)))
    if any(plan.changed.values()) or plan.removed:
        sys.exit(FAILED)


@click.command(name="apply")
@_FILE
@override_option
@_prune_option
@click.option("--yes", is_flag=True, help="Remove what --prune removes without asking.")
@remote
def apply_command(client: Client, file: str, override: bool, prune: bool, yes: bool, as_json: bool) -> None:
    """Make the server's definitions those of a file.

    All or nothing; what has not changed keeps its phase. Tasks that the file does not name are left alone, unless
    --prune is given: then it is shown what would be done, and asked whether to go on. A task that is paused stays
    so, unless the file is a document of `export`, which says who is.
    """
    definitions = _kept_pauses(client, _read(file))
    removed = _agreed(_plan(client, definitions, prune), yes, as_json) if prune else []
    answer = _send(client, definitions, replace=True, override=override or None)
    for task_id in removed:
        client.ask("remove", task_id=task_id)
    if removed:
        answer |= {"removed": removed, "message": f"{answer['message']}; {counted(len(removed), 'task')} removed"}
    print_answer(answer, as_json)


def _agreed(plan: _Plan, yes: bool, as_json: bool) -> list[str]:
    """Return the tasks to be removed, once whoever asked has seen the plan and wants it."""
    if plan.removed and not plan.named:
        raise click.UsageError("the file names no task, so --prune would remove all: use 'remove' for that")
    if not as_json:
        click.echo("\n".join(_differences(plan)), err=True)
    if plan.removed and not yes:
        if not sys.stdin.isatty():
            removed = ", ".join(plan.removed)
            raise click.UsageError(f"--prune would remove {removed}: nothing was changed; --yes lets it go on")
        click.confirm(f"Remove {counted(len(plan.removed), 'task')} and end their runs?", abort=True, err=True)
    return plan.removed


@click.command(name="import")
@_FILE
@click.option("--replace", is_flag=True, help="Replace tasks of the same ids that have other definitions.")
@override_option
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@remote
def import_command(client: Client, file: str, replace: bool, override: bool, dry_run: bool, as_json: bool) -> None:
    """Keep all definitions of a document, or none."""
    flags = {"replace": replace or None, "override": override or None, "dry_run": dry_run or None}
    print_answer(_send(client, _read(file), **flags), as_json)


@click.command(name="export")
@click.argument("task_ids", nargs=-1, metavar="[TASK_ID...]")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file, at once or not at all.")
@remote
def export_command(client: Client, task_ids: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Write definitions down as one document."""
    answer = client.ask("export", tasks=list(task_ids) or None)
    text = json.dumps(answer["document"], ensure_ascii=False, indent=2) + "\n"
    if output is not None:
        _write(Path(output), text)
        print_answer(answer | {"message": f"{answer['message']}, written to {output}"}, as_json)
    elif as_json:
        print_json(answer)
    else:
        print_document(text)
        print_hint(answer)


def _write(path: Path, text: str) -> None:
    """Write a file at once or not at all; what is no plain file, such as a pipe, is written into."""
    target = Path(os.path.realpath(path))  # of a link, what it leads to is replaced
    draft = target.with_name(f".export.{os.getpid()}")
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        message = f"{path}: the file cannot be written: {error.strerror}"
        raise Refused({"status": "error", "code": "unwritable_file", "message": message}) from error


def _send(client: Client, definitions: Definitions, **options: Any) -> dict[str, Any]:
    """Send a file's definitions; problems are told with the lines of the file."""
    if faults := definitions.faults or list(definitions.unsendable()):
        raise _nothing_changed(faults)
    size = len(encoded(definitions.sent))
    if size > _MOST_BYTES - 1000:
        text = (
            f"{definitions.name} has {size:,} bytes as one request, and the server takes {_MOST_BYTES:,}: "
            "split it into several files. Each is imported all or nothing, the whole is not."
        )
        raise Refused({"status": "error", "code": "body_too_large", "message": text})
    try:
        return client.ask("import", tasks=definitions.sent, **options)
    except Refused as error:
        problems = error.body.get("problems")
        if not problems or error.as_json:
            raise
        raise _nothing_changed([definitions.told(Problem(**problem)) for problem in problems]) from error


def _nothing_changed(found: Sequence[FileProblem]) -> Refused:
    message = "\n".join(["nothing was changed:", *map(in_a_line, found)])
    refused = Refused({"status": "error", "code": "invalid_request", "message": message})
    if refused.as_json:
        refused.body = {**refused.body, "problems": [as_plain(told) for told in found]}
    return refused


def _kept_pauses(client: Client, definitions: Definitions) -> Definitions:
    """Let tasks that are paused stay so where a file says nothing of pauses."""
    if definitions.is_export:
        return definitions
    paused = {entry["task_id"] for entry in client.ask("export")["document"]["tasks"] if entry.get("paused")}
    entries = [
        {**entry, "paused": True} if _id_of(entry) in paused and "paused" not in entry else entry
        for entry in definitions.entries
    ]
    return replace(definitions, entries=entries)


def _plan(client: Client, definitions: Definitions, prune: bool) -> _Plan:
    answer = _send(client, definitions, replace=True, override=True, dry_run=True)
    tasks = {task["id"]: task["details"] for task in client.pages("list", "tasks")}
    return _Plan(answer, frozenset(map(_id_of, definitions.entries)), tasks, prune)


def _id_of(entry: Any) -> str | None:
    """Return the id of an entry as a server keeps it; None where it has none."""
    task_id = entry.get("task_id") if isinstance(entry, dict) else None
    return unicodedata.normalize("NFC", task_id) if isinstance(task_id, str) else None


def _differences(plan: _Plan) -> Iterator[str]:
    for task_id in plan.changed["created"]:
        yield f"+ {task_id}"
    for task_id in plan.changed["replaced"]:
        giver = plan.giver(task_id)
        yield f"~ {task_id}" + (f" ({giver})" if giver else "")
        for name, change in plan.answer["changes"][task_id].items():
            yield f"    {name}: {_shown(change['before'])} -> {_shown(change['after'])}"
    for task_id in plan.removed:
        yield f"- {task_id}"
    for task_id in sorted(set(plan.beside) - set(plan.removed)):
        giver = plan.giver(task_id)
        yield f"  {task_id} is not in the file" + (f" ({giver})" if giver else "")
    yield plan.answer["message"]


def _shown(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
