"""Serve from a shell: every setting is an option."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from scheduler.cli.settings import config_option
from scheduler.config import PREFIX, SchedulerConfig
from scheduler.errors import SchedulerError
from scheduler.http.serving import serve


def _settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make an option of every setting."""
    for name, field in reversed(SchedulerConfig.model_fields.items()):
        text = f"{field.description} [{PREFIX}{name.upper()}]"
        function = click.option(f"--{name.replace('_', '-')}", name, help=text, metavar="TEXT")(function)
    return config_option(function)


@click.command(name="serve")
@_settings
def serve_command(**options: Any) -> None:
    """Serve POST /schedule until told to stop."""
    try:
        serve(SchedulerConfig.from_environment(os.environ, **options))
    except SchedulerError as error:
        print(f"task-scheduler: {error.message}", file=sys.stderr)
        sys.exit(2)
