"""Read the settings that a server would have here, for commands that need none running."""

from __future__ import annotations

import os

import click

from scheduler.config import PREFIX, SchedulerConfig
from scheduler.config_file import DEFAULT_FILE
from scheduler.errors import InvalidRequest

config_option = click.option(
    "--config",
    "config",
    metavar="FILE",
    help=f"Configuration file. Default: {DEFAULT_FILE}, where there is one. [{PREFIX}CONFIG]",
)


def read_settings(file: str | None = None) -> SchedulerConfig:
    """Return the settings of file and environment; end the command where they are wrong."""
    try:
        return SchedulerConfig.read_environment(os.environ, config=file)
    except InvalidRequest as error:
        raise click.UsageError(error.message) from error
