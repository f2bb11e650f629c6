"""The options of every command that asks a server: which one, and who asks."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from scheduler.cli.client import Client, Login, unsendable, unshowable
from scheduler.cli.printing import with_json


def _default_url() -> str:
    return f"http://127.0.0.1:{os.environ.get('SCHEDULER_PORT') or 10800}"


override_option = click.option(
    "--override", is_flag=True, help="Change what a file defines, until its entry there changes."
)


def remote(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the server's address, token or user, and `--json`; it is called with a Client."""

    @click.option(
        "--url",
        envvar="SCHEDULER_URL",
        default=_default_url,
        show_default="http://127.0.0.1:10800",
        help="The server's address. [SCHEDULER_URL; or SCHEDULER_PORT on this machine]",
    )
    @click.option("--token", envvar="SCHEDULER_TOKEN", help="The server's token. [SCHEDULER_TOKEN]")
    @click.option(
        "--user",
        envvar="SCHEDULER_USER",
        metavar="NAME[:PASSWORD]",
        help="Log in as this user instead. [SCHEDULER_USER; password: SCHEDULER_PASSWORD, or it is asked for]",
    )
    @with_json
    @functools.wraps(function)
    def called(url: str, token: str | None, user: str | None, **options: Any) -> Any:
        _check_sendable(click.get_current_context())
        return function(Client(url, _login(token, user)), **options)

    return called


def _check_sendable(context: click.Context) -> None:
    """Refuse arguments that no server can be sent; names of files, which may be any bytes, are not sent."""
    for parameter in context.command.params:
        fault = unsendable(context.params[str(parameter.name)])
        if fault and not isinstance(parameter.type, click.Path):
            encoding = sys.getfilesystemencoding()
            hint = "" if encoding == "utf-8" else f"; the encoding of this shell is {encoding}"
            raise click.BadParameter(fault + hint, context, parameter)


def _login(token: str | None, user: str | None) -> Login:
    """Say who asks: an option beats what the environment says, and a user a token."""
    context = click.get_current_context()
    given = {name for name in ("token", "user") if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if len(given) > 1:
        raise click.UsageError("--token and --user both say who asks: give one of them")
    if not user or given == {"token"}:
        return Login(_checked(token, context))
    name, colon, password = user.partition(":")
    return Login(None, name, password if colon else _password(name))


def _checked(token: str | None, context: click.Context) -> str | None:
    """Return a token that can be shown to a server; refuse any other without a word of what it is."""
    if token is not None and (fault := unshowable(token)):
        raise click.BadParameter(fault, context, param_hint="'--token' or SCHEDULER_TOKEN")
    return token


def _password(name: str) -> str:
    if (known := os.environ.get("SCHEDULER_PASSWORD")) is not None:
        return known
    if not sys.stdin.isatty():
        raise click.UsageError(f"the password of '{name}' is missing: set SCHEDULER_PASSWORD")
    return str(click.prompt(f"Password of {name}", hide_input=True, err=True))
