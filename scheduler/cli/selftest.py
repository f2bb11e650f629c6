"""Test this machine from a shell."""

from __future__ import annotations

import secrets
import sys
from typing import Any

import click

from scheduler.selftest import STORES, Options, run_selftest

_ROUNDS = 3
_LARGEST_SEED = 10**9


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


@click.command(name="selftest")
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
def selftest_command(seed: int | None, rounds: int | None, minutes: float | None, **options: Any) -> None:
    """Test on this machine that nothing is lost, runs twice or lives on.

    Starts servers of its own in a temporary directory, kills and hinders them, and matches everything
    against their ledger. Exits with 0 if all was well, with 1 if not.
    """
    seed = secrets.randbelow(_LARGEST_SEED) if seed is None else seed
    rounds = _ROUNDS if rounds is None and minutes is None else rounds
    totals = run_selftest(Options(seed=seed, rounds=rounds, minutes=minutes, **options), click.echo)
    if not totals.clean or not totals.rounds:
        sys.exit(1)
