"""The options of every command that asks a server: which one, by which token."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from scheduler.cli.client import Client
from scheduler.cli.printing import with_json


def _default_url() -> str:
    return f"http://127.0.0.1:{os.environ.get('SCHEDULER_PORT') or 10800}"


def remote(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the server's address and token and `--json`; it is called with a Client."""

    @click.option(
        "--url",
        envvar="SCHEDULER_URL",
        default=_default_url,
        show_default="http://127.0.0.1:10800",
        help="The server's address. [SCHEDULER_URL; or SCHEDULER_PORT on this machine]",
    )
    @click.option("--token", envvar="SCHEDULER_TOKEN", help="The server's token. [SCHEDULER_TOKEN]")
    @with_json
    @functools.wraps(function)
    def called(url: str, token: str | None, **options: Any) -> Any:
        return function(Client(url, token), **options)

    return called
