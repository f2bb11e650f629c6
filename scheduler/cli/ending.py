"""How a command ends: the exit codes, and what is said where something was refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

import scheduler.cli
from scheduler.cli.printing import print_json
from scheduler.errors import InvalidRequest, Problem, SchedulerError

FAILED = 1
USAGE = 2
UNREACHABLE = 3
NOT_ALLOWED = 4
NOT_FOUND = 5
CONFLICT = 6
LATER = 7

_BY_HTTP = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, 409: CONFLICT, 429: LATER, 503: LATER}


def exit_code_of(http_status: int) -> int:
    """Return the exit code for an HTTP number that tells of an error."""
    return _BY_HTTP.get(http_status, FAILED)


class Refused(click.ClickException):
    """End the command because something was refused; `body` is the error as the server words it.

    `advice` says what the server advises as one would do it here.
    """

    def __init__(self, body: Mapping[str, Any], exit_code: int = FAILED, advice: str | None = None) -> None:
        super().__init__(str(body.get("message", "")))
        self.body = body
        self.advice = advice
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance
        context = click.get_current_context(silent=True)
        self.as_json = bool(context and context.params.get("as_json"))

    def show(self, file: Any = None) -> None:
        """Print what was wrong and what would work: as JSON where JSON was asked for."""
        if self.as_json:
            print_json(self.body)
            return
        click.echo(f"task-scheduler: {self.message}", err=True)
        problems = self.body.get("problems") or []
        for line in told(problems) if len(problems) > 1 else []:
            click.echo(f"  {line}", err=True)
        if self.body.get("example") is not None:
            click.echo(f"This would work: {as_command(self.body['example'])}", err=True)
        if self.advice is not None:
            click.echo(f"On the command line: {self.advice}", err=True)


_ADVISED_OPTIONS = {
    "task_exists": ("replace",),
    "already_running": ("force",),
    "managed_by_file": ("override", "replace"),
}
"""What errors advise to send as fields, which are options of some commands; without the first the others are no use."""
_ADVISED_COMMANDS = {"task_not_found": "list", "run_not_found": "runs"}
"""The commands that list what exists, which such errors name as actions where they know nothing near."""


def advice_of(body: Mapping[str, Any]) -> str | None:
    """Return the options of the command that goes on, or the other command, that a server's error advises."""
    code = str(body.get("code"))
    if code in _ADVISED_COMMANDS and body.get("suggestion") is None:
        return f"task-scheduler {_ADVISED_COMMANDS[code]}"
    context = click.get_current_context(silent=True)
    advised = _ADVISED_OPTIONS.get(code, ())
    left = [name for name in advised if context is not None and context.params.get(name) is False]
    return " ".join(f"--{name}" for name in left) if left and left[0] == advised[0] else None


def refusal(error: SchedulerError) -> Refused:
    """Return an error that was met in this process as the server would word it."""
    body: dict[str, Any] = {"status": "error", "code": error.code, "message": error.message}
    if isinstance(error, InvalidRequest):
        body["problems"] = [plain(problem) for problem in error.problems]
    return Refused(body)


def plain(problem: Problem) -> dict[str, Any]:
    """Return a problem as plain values, as answers have it."""
    return {name: value for name, value in asdict(problem).items() if name != "code"}


def told(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each problem: its path, what is wrong, and the nearest right value."""
    return [f"{problem['field']}: {problem['message']}{suggested(problem)}" for problem in problems]


def suggested(problem: Mapping[str, Any]) -> str:
    """Return what would be right, unless the message says it."""
    suggestion = problem.get("suggestion")
    if suggestion is None or str(suggestion) in str(problem["message"]):
        return ""
    return f" (try {suggestion if isinstance(suggestion, str) else json.dumps(suggestion)})"


_WORDS = {
    "create": "add",
    "get": "show",
    "list": "list",
    "run_now": "run",
    **{name: name for name in ("remove", "pause", "resume", "runs", "explain", "start", "stop", "status", "cancel")},
}
"""The commands that send an action with the fields as options."""


_IDS = ("task_id", "run_id")
"""Fields that a command takes as its argument."""
_OWN = ("limit", "cursor", "wait_seconds")
"""Fields that commands without such an option send on their own account."""


def as_command(request: Mapping[str, Any]) -> str:
    """Return a request as the command that sends it, or as its JSON text where no command does."""
    word = _WORDS.get(str(request["action"]))
    said = {name: value for name, value in request.items() if name not in ("action", *_IDS)}
    known = {} if word is None else _options_of(word)
    said = {name: value for name, value in said.items() if name in known or name not in _OWN}
    if word is None or not said.keys() <= known.keys():
        return json.dumps(request, ensure_ascii=False)
    ids = [str(request[name]) for name in _IDS if name in request]
    named = [_quoted(text) for text in ids]
    options = [text for name, value in said.items() for text in _option(known[name], name, value)]
    is_like_option = any(text.startswith("-") for text in ids)
    return " ".join(["task-scheduler", word, *([*options, "--", *named] if is_like_option else [*named, *options])])


def _options_of(word: str) -> dict[str, click.Option]:
    """Return the options of a command by the fields that they stand for."""
    found = scheduler.cli.command.get_command(click.Context(scheduler.cli.command), word)
    assert found is not None
    return {str(option.name): option for option in found.params if isinstance(option, click.Option)}


def _option(option: click.Option, name: str, value: Any) -> list[str]:
    flag = option.opts[-1]
    if isinstance(value, bool):
        return [flag] if value else option.secondary_opts[:1]
    if name == "env" and isinstance(value, dict):
        return [f"{flag} {_quoted(f'{key}={text}')}" for key, text in value.items()]
    if isinstance(value, list):
        return [f"{flag} {_quoted(item)}" for item in value]
    return [f"{flag} {_quoted(json.dumps(value) if isinstance(value, dict) else value)}"]


def _quoted(value: Any) -> str:
    text = str(value)
    if text and all(char.isalnum() or char in "._-/:=" for char in text):
        return text
    return '"' + text + '"' if not set(text) & set('"$`\\!') else "'" + text.replace("'", "'\\''") + "'"
