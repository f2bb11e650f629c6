"""`task-scheduler`: serve from a shell. Every setting is an option, too."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from scheduler.config import SchedulerConfig
from scheduler.errors import SchedulerError
from scheduler.http.serving import serve
from scheduler.version import VERSION


def _options(command: click.Command) -> click.Command:
    for name, field in SchedulerConfig.model_fields.items():
        option = click.Option(
            [f"--{name.replace('_', '-')}", name],
            help=f"{field.description} [SCHEDULER_{name.upper()}]",
            metavar="TEXT",
        )
        command.params.append(option)
    return command


@click.command(name="task-scheduler", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION)
def _serve(**options: Any) -> None:
    """Serve POST /schedule until told to stop."""
    try:
        config = SchedulerConfig.from_environment(os.environ, **options)
    except SchedulerError as error:
        print(f"task-scheduler: {error.message}", file=sys.stderr)
        sys.exit(2)
    serve(config, dict(os.environ))


def main() -> None:
    """Run the command."""
    _options(_serve)()
