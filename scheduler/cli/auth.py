"""`task-scheduler user` and `task-scheduler token`: say who may call, on file and database, server or none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from scheduler.auth.passwords import FEWEST_LETTERS, hash_password
from scheduler.auth.scopes import MEANING, read_name, read_scopes, scopes_text
from scheduler.auth.tokens import TokenBook, read_lifetime
from scheduler.auth.users import User
from scheduler.auth.users_file import UsersFile, put_user, remove_user
from scheduler.config import SchedulerConfig
from scheduler.errors import SchedulerError
from scheduler.models import utc_now
from scheduler.moments import iso
from scheduler.namespaces import DEFAULT
from scheduler.placing import make_data_dir, with_place
from scheduler.store import Database, sqlite_url

_SCOPES = click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="|".join(MEANING),
    help="What may be done; each includes those before it. May be given several times, or as a list with commas.",
)
_FILE = click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The users file. Default: SCHEDULER_USERS_FILE, or `users` in the data directory.",
)


def _tells_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Say what was refused in a line, not as a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except SchedulerError as error:
            raise click.ClickException(error.message) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'the file'}: {error.strerror}") from error

    return wrapped


@click.group(name="user")
def user_command() -> None:
    """Add, list and remove the users who log in with name and password (HTTP Basic)."""


@user_command.command(name="add")
@click.argument("name")
@_SCOPES
@_FILE
@click.option("--replace", is_flag=True, help="Give a user that exists a new password and these scopes.")
@click.option("--print", "shown", is_flag=True, help="Print the line, for SCHEDULER_USERS, and write nothing.")
@_tells_errors
def _add_user(name: str, scopes: tuple[str, ...], path: Path | None, replace: bool, shown: bool) -> None:
    """Add a user. The password is asked for, or is the first line of standard input."""
    name, granted = read_name(name), read_scopes(scopes)
    made = User(name, granted, hash_password(_password()))
    if shown:
        click.echo(made.line)
        return
    place = path or _config().users_path
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    put_user(place, made, replace)
    click.echo(f"User '{name}' may log in; {place} says so. A running server knows at once.")


@user_command.command(name="list")
@_FILE
@_tells_errors
def _list_users(path: Path | None) -> None:
    """List users and their scopes, and what is wrong with the file."""
    found = UsersFile(path or _config().users_path, needed=path is not None).look()
    _print_table(["NAME", "SCOPES"], [[one.name, scopes_text(one.scopes)] for one in found.by_name.values()])
    if found.faults:
        raise click.ClickException("\n".join(found.faults))


@user_command.command(name="remove")
@click.argument("name")
@_FILE
@_tells_errors
def _remove_user(name: str, path: Path | None) -> None:
    """Remove a user, who is refused from then on."""
    place = path or _config().users_path
    remove_user(place, read_name(name))
    click.echo(f"User '{name}' was removed from {place}.")
    if not UsersFile(place, needed=True).look().by_name:
        click.echo(f"No user is left. A login is still asked for as long as {place} exists.", err=True)


@click.group(name="token")
def token_command() -> None:
    """Add, list and revoke named tokens for programs (Authorization: Bearer)."""


@token_command.command(name="add")
@click.argument("name")
@_SCOPES
@click.option("--expires", metavar="SPAN", help="How long it is good: 30m, 12h, 30d, 8w. Default: until it is revoked.")
@_tells_errors
def _add_token(name: str, scopes: tuple[str, ...], expires: str | None) -> None:
    """Make a token and print it: this once, since what is kept is its hash."""
    name, granted = read_name(name), read_scopes(scopes)
    lifetime = None if expires is None else read_lifetime(expires)
    with _book() as book:
        made, row = book.add(name, granted, lifetime)
    until = f"until {iso(row.expires_at, _config().zone)}" if row.expires_at else "until it is revoked"
    click.echo(f"Token '{name}' is good {until}. It is shown this once:", err=True)
    click.echo(made)


@token_command.command(name="list")
@_tells_errors
def _list_tokens() -> None:
    """List tokens with what they may do and whether they are good. The id is the second part of a token."""
    zone = _config().zone
    with _book() as book:
        rows = book.all()
        _print_table(
            ["NAME", "ID", "SCOPES", "CREATED", "EXPIRES", "STATE"],
            [
                [
                    row.name,
                    row.token_id,
                    row.scopes,
                    iso(row.created_at, zone),
                    iso(row.expires_at, zone) if row.expires_at else "never",
                    book.fault(row) or "good",
                ]
                for row in rows
            ],
        )


@token_command.command(name="revoke")
@click.argument("name")
@_tells_errors
def _revoke_token(name: str) -> None:
    """Let a token be good for nothing: every server refuses it within a second."""
    name = read_name(name)
    with _book() as book:
        changed = book.revoke(name)
    click.echo(f"Token '{name}' {'was revoked' if changed else 'was good for nothing already'}.")


@token_command.command(name="forget")
@click.argument("name")
@_tells_errors
def _forget_token(name: str) -> None:
    """Remove what is known of a token that was revoked or has expired."""
    name = read_name(name)
    with _book() as book:
        book.forget(name)
        left = book.all()
    click.echo(f"Token '{name}' was forgotten.")
    if not left:
        click.echo(
            "No named token is left: where there is no other token and no user, nobody is asked for one.", err=True
        )


def _password() -> str:
    """Ask for a password; it never comes as an argument, which others could read in the list of processes."""
    if sys.stdin.isatty():
        given = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if len(given) < FEWEST_LETTERS:
        raise click.ClickException(f"the password needs {FEWEST_LETTERS} characters or more, not {len(given)}")
    return given


def _config() -> SchedulerConfig:
    return SchedulerConfig.read_environment()


@contextmanager
def _book() -> Iterator[TokenBook]:
    """Open the database that the server uses, beside it."""
    config, _ = with_place(_config())
    make_data_dir(config.state_dir)
    if (owner := config.state_dir.stat().st_uid) != os.geteuid():
        # Files that SQLite makes would be another's, and the server could not open them.
        raise click.ClickException(
            f"{config.state_dir} belongs to user {owner}: do this as that user (sudo -u '#{owner}')"
        )
    store = Database(config.database_url or sqlite_url(config.state_dir), config.state_dir, config.namespace or DEFAULT)
    try:
        yield TokenBook(store, utc_now)
    finally:
        store.close()


def _print_table(head: list[str], rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
