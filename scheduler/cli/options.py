"""The options that commands share: which server, and how the answer is printed."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from scheduler.cli.client import Client

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the server's answer, one JSON document.")


def _default_url() -> str:
    return f"http://127.0.0.1:{os.environ.get('SCHEDULER_PORT') or 10800}"


def remote(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the server's address and token and `--json`; it is called with a Client."""

    @click.option("--url", envvar="SCHEDULER_URL", default=_default_url, show_default="http://127.0.0.1:10800",
                  help="The server's address. [SCHEDULER_URL; or SCHEDULER_PORT on this machine]")  # fmt: skip
    @click.option("--token", envvar="SCHEDULER_TOKEN", help="The server's token. [SCHEDULER_TOKEN]")
    @_JSON
    @functools.wraps(function)
    def called(url: str, token: str | None, **options: Any) -> Any:
        return function(Client(url, token), **options)

    return called


def with_json(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that needs no server `--json`."""
    return _JSON(function)


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one document on one line."""
    click.echo(json.dumps(answer, ensure_ascii=False))


def print_answer(answer: Mapping[str, Any], as_json: bool) -> None:
    """Print an answer that is its message: that, and the hint where there is one."""
    if as_json:
        print_json(answer)
        return
    click.echo(answer["message"])
    if answer.get("hint"):
        click.echo(f"note: {answer['hint']}", err=True)
