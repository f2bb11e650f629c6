"""Check this machine and its settings from a shell."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict

import click

from scheduler.cli.ending import FAILED
from scheduler.cli.examination import Finding, examine
from scheduler.cli.printing import counted, print_json, with_json
from scheduler.cli.settings import config_option
from scheduler.cli.show import print_table
from scheduler.config import SchedulerConfig, unknown_settings
from scheduler.errors import InvalidRequest


@click.command(name="doctor")
@config_option
@with_json
def doctor_command(config: str | None, as_json: bool) -> None:
    """Check this machine and its settings, and say what to do.

    Goes by the same configuration file and SCHEDULER_ variables as `serve`, with a server running or without.
    Changes nothing. Exits with 1 if anything failed.
    """
    findings = _findings(config)
    failed = sum(finding.state == "failed" for finding in findings)
    warned = sum(finding.state == "warning" for finding in findings)
    message = f"{counted(len(findings), 'check')}: {failed} failed, {warned} with a warning"
    if as_json:
        checks = [asdict(finding) for finding in findings]
        print_json({"status": "error" if failed else "success", "message": message, "checks": checks})
    else:
        rows = [(finding.state, finding.check, finding.found, finding.todo) for finding in findings]
        print_table(("STATE", "CHECK", "FOUND", "WHAT TO DO"), rows)
        click.echo(message)
    if failed:
        sys.exit(FAILED)


def _findings(file: str | None) -> list[Finding]:
    unknown = [Finding("settings", "warning", text, "correct or remove it") for text in unknown_settings(os.environ)]
    try:
        config = SchedulerConfig.from_environment(os.environ, config=file)
    except InvalidRequest as error:
        todo = "correct it: nothing else can be checked before"
        return unknown + [Finding("settings", "failed", problem.message, todo) for problem in error.problems]
    return [*unknown, *examine(config)]
