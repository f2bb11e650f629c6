"""`task-scheduler`: serve, and test, from a shell. Every setting is an option of serving, too."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from typing import Any

import click

from scheduler.cli_auth import token, user
from scheduler.config import SchedulerConfig
from scheduler.config_file import DEFAULT_FILE
from scheduler.errors import SchedulerError
from scheduler.http.serving import serve
from scheduler.selftest import STORES, Options, run_selftest
from scheduler.version import VERSION

_ROUNDS = 3
_LARGEST_SEED = 10**9


def _settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make an option of every setting."""
    for name, field in reversed(SchedulerConfig.model_fields.items()):
        text = f"{field.description} [SCHEDULER_{name.upper()}]"
        function = click.option(f"--{name.replace('_', '-')}", name, help=text, metavar="TEXT")(function)
    text = f"Configuration file. Default: {DEFAULT_FILE}, where there is one. [SCHEDULER_CONFIG]"
    return click.option("--config", "config", help=text, metavar="FILE")(function)


@click.group(
    name="task-scheduler", invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(VERSION)
@_settings
@click.pass_context
def _command(context: click.Context, /, **options: Any) -> None:
    """Serve POST /schedule until told to stop; or do what a command says."""
    given = {name: value for name, value in options.items() if value is not None}
    context.obj = given
    if context.invoked_subcommand is None:
        _serve(given)
    elif given and context.invoked_subcommand != "serve":
        raise click.UsageError(f"settings are options of serving, not of '{context.invoked_subcommand}'", context)


@_command.command(name="serve")
@_settings
@click.pass_obj
def _serve_command(given: dict[str, Any], /, **options: Any) -> None:
    """Serve POST /schedule until told to stop."""
    _serve(given | {name: value for name, value in options.items() if value is not None})


def _serve(options: dict[str, Any]) -> None:
    try:
        serve(SchedulerConfig.from_environment(os.environ, **options), dict(os.environ))
    except SchedulerError as error:
        print(f"task-scheduler: {error.message}", file=sys.stderr)
        sys.exit(2)


def _numbers(_context: click.Context, _option: click.Parameter, text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"'{text}' is no list of numbers such as 1,2,4")
    return [int(part) for part in parts]


def _stores(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    kinds = [part.strip() for part in text.split(",")]
    if unknown := set(kinds) - set(STORES):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: one or more of {','.join(STORES)}")
    return kinds


@_command.command(name="selftest")
@click.option(
    "--rounds", type=click.IntRange(1), help=f"Rounds to run. Default: {_ROUNDS}, or as many as --minutes takes."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Begin no round after so many minutes.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="What the first round is drawn from; the others count on. Default: a new one.",
)
@click.option(
    "--workers", default="1,2,4", show_default=True, callback=_numbers, help="Server processes; rounds take turns."
)
@click.option(
    "--store",
    "stores",
    default=",".join(STORES),
    show_default=True,
    callback=_stores,
    help="Kinds of store; rounds take turns.",
)
@click.option(
    "--keep", is_flag=True, help="Keep the directories of all rounds, not of those alone that found something."
)
def _selftest(seed: int | None, rounds: int | None, minutes: float | None, **options: Any) -> None:
    """Test on this machine that nothing is lost, runs twice, goes unaccounted for, or lives on.

    Starts servers of its own in a temporary directory, kills and hinders them, and matches everything
    against their ledger. Exits with 0 if all was well, with 1 if not.
    """
    seed = secrets.randbelow(_LARGEST_SEED) if seed is None else seed
    rounds = _ROUNDS if rounds is None and minutes is None else rounds
    totals = run_selftest(Options(seed=seed, rounds=rounds, minutes=minutes, **options), click.echo)
    if not totals.clean or not totals.rounds:
        sys.exit(1)


for _group in (user, token):
    _command.add_command(_group)


def main() -> None:
    """Run the command."""
    _command()
