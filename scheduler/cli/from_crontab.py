"""Make tasks of crontabs."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from scheduler.cli.client import Client
from scheduler.cli.ending import FAILED
from scheduler.cli.inputs import FILE, read_text
from scheduler.cli.options import remote
from scheduler.cli.printing import print_answer, print_json
from scheduler.cli.show import print_table
from scheduler.crontab import Crontab, Proof, entries_of, prove, read_crontab
from scheduler.errors import SchedulerError
from scheduler.models import utc_now
from scheduler.phrases import read_zone


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    crontab: Crontab


@click.command(name="import-crontab")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...|-")
@click.option("--system/--no-system", default=None, help="Whether lines name a user. Default: by the place, /etc.")
@click.option("--timezone", help="IANA zone that cron goes by. Default: the server's.")
@click.option("--replace", is_flag=True, help="Replace tasks of the same ids that have other definitions.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option("--no-proof", is_flag=True, help="Do not compare fire times.")
@remote
def import_crontab_command(
    client: Client,
    files: tuple[str, ...],
    system: bool | None,
    timezone: str | None,
    replace: bool,
    dry_run: bool,
    no_proof: bool,
    as_json: bool,
) -> None:
    """Make tasks of crontabs, and prove that they fire at the same times.

    What is not carried over is listed line by line. Nothing is imported where a fire time differs. The same
    crontab once more changes nothing.
    """
    read = [_File(name, _read(name, system)) for name in files]
    lines = [line for file in read for line in file.crontab.lines]
    entries = entries_of(lines)
    if timezone is not None:
        entries = [{"timezone": timezone, **entry} for entry in entries]
    proofs = [] if no_proof else _prove(client, read, timezone)
    wrong = any(proof.different for _, proof in proofs)
    answer = client.ask("import", tasks=entries, replace=replace, dry_run=dry_run or None) if not wrong else None
    if as_json:
        print_json(_document(read, entries, proofs, answer))
    else:
        _tell(read, entries, proofs)
        if answer is not None:
            print_answer(answer, as_json)
    if wrong:
        click.echo(
            "task-scheduler: fire times differ, so nothing was imported; --no-proof imports all the same", err=True
        )
        sys.exit(FAILED)


def _read(name: str, system: bool | None) -> Crontab:
    return read_crontab(read_text(name), _is_system(name) if system is None else system)


def _is_system(name: str) -> bool:
    """Whether a file stands where the crontabs of the system do, whose lines name a user."""
    path = Path(name).absolute()
    return str(path) == "/etc/crontab" or path.parent == Path("/etc/cron.d")


def _prove(client: Client, read: list[_File], timezone: str | None) -> list[tuple[str, Proof]]:
    name = timezone or client.ask("status")["timezone"]
    try:
        zone, now = read_zone(name), utc_now()
        return [(file.name, prove(line, zone, now)) for file in read for line in file.crontab.lines]
    except SchedulerError as error:
        raise click.BadParameter(error.message) from error


def _tell(read: list[_File], entries: list[dict[str, Any]], proofs: list[tuple[str, Proof]]) -> None:
    places = [f"{file.name}:{line.line}" for file in read for line in file.crontab.lines]
    rows = [(place, entry["interval"], entry["task_id"]) for place, entry in zip(places, entries, strict=True)]
    print_table(("LINE", "WHEN", "TASK"), rows)
    for file in read:
        for remark in file.crontab.remarks:
            kind = "left out" if remark.lost else "differs"
            click.echo(f"{file.name}:{remark.line}: {kind}: {remark.reason}\n    {remark.text}")
    for name, proof in proofs:
        if proof.different:
            click.echo(f"{name}:{proof.line}: cron fires at {proof.different[0]}, we at {proof.different[1]}")
    if proofs:
        count = sum(proof.compared for _, proof in proofs)
        agreed = sum(proof.different is None for _, proof in proofs)
        click.echo(f"{count:,} fire times compared under cron's rules and ours: {agreed} of {len(proofs)} lines agree")


def _document(
    read: list[_File], entries: list[dict[str, Any]], proofs: list[tuple[str, Proof]], answer: dict[str, Any] | None
) -> dict[str, Any]:
    remarks = [{"file": file.name, **asdict(remark)} for file in read for remark in file.crontab.remarks]
    proof = {
        "compared": sum(each.compared for _, each in proofs),
        "different": [
            {"file": name, "line": each.line, "cron": each.different[0], "ours": each.different[1]}
            for name, each in proofs
            if each.different
        ],
    }
    failed = {"status": "error", "code": "proof_failed", "message": "fire times differ: nothing was imported"}
    return {**(answer or failed), "tasks": entries, "remarks": remarks, "proof": proof}
