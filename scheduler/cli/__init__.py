"""`task-scheduler`: the same calls from a shell. What a command needs is imported when the command is called."""

from __future__ import annotations

import difflib
import importlib
from typing import Any, NamedTuple

import click

from scheduler.cli.streams import full_disk_told, prepare_streams
from scheduler.version import VERSION

NAME = "task-scheduler"


class _Home(NamedTuple):
    """In which module of this package a command stands, and what it does, so that help imports none."""

    module: str
    summary: str


COMMANDS = {
    "serve": _Home("serving", "Serve POST /schedule until told to stop."),
    "add": _Home("tasks", "Create a task."),
    "list": _Home("tasks", "List tasks."),
    "show": _Home("tasks", "Show a task with its last run and its next times."),
    "remove": _Home("tasks", "Remove tasks and end their runs."),
    "pause": _Home("tasks", "Plan no run of tasks until they are resumed."),
    "resume": _Home("tasks", "Plan tasks again, from now on."),
    "run": _Home("runs", "Run a task now."),
    "runs": _Home("runs", "List runs, newest first."),
    "logs": _Home("runs", "Show what a run wrote."),
    "cancel": _Home("runs", "End a run, or all runs of a task."),
    "explain": _Home("tasks", "Say why a task did or did not run."),
    "start": _Home("service", "Let tasks run on schedule."),
    "stop": _Home("service", "Let no new run start."),
    "status": _Home("service", "Tell how the scheduler is doing."),
    "preview": _Home("when", "Show what a schedule means and when it fires; needs no server."),
    "check": _Home("files", "Check files of definitions; needs no server."),
    "diff": _Home("files", "Compare a file of definitions with the server's."),
    "apply": _Home("files", "Make the server's definitions those of a file."),
    "export": _Home("files", "Write definitions down as one document."),
    "import": _Home("files", "Keep all definitions of a document, or none."),
    "import-crontab": _Home("from_crontab", "Make tasks of crontabs, and prove that they fire at the same times."),
    "user": _Home("auth", "Add, list and remove the users who log in with name and password (HTTP Basic)."),
    "token": _Home("auth", "Add, list and revoke named tokens for programs (Authorization: Bearer)."),
    "selftest": _Home("selftest", "Test on this machine that nothing is lost, runs twice or lives on."),
    "doctor": _Home("doctor", "Check this machine and its settings, and say what to do."),
    "completion": _Home("completion", "Print the script that completes commands in a shell."),
}


class _Commands(click.Group):
    """The commands of the table, each imported when it is called; without one, `serve`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name."""
        home = COMMANDS.get(cmd_name)
        if home is None:
            return None
        module = importlib.import_module(f"scheduler.cli.{home.module}")
        found: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options that stand alone for those of `serve`."""
        if ctx.resilient_parsing:  # a shell asks how the line may go on
            return super().parse_args(ctx, args)
        own = {option for parameter in self.get_params(ctx) for option in parameter.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            if (name := _command_behind(args)) is not None:
                ctx.fail(f"settings are options of serving, not of '{name}': begin with '{name}'")
            args = ["serve", *(args[:-1] if args[-1:] == ["serve"] else args)]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command; name the nearest where there is none."""
        if args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean '{near[0]}'?" if near else f" Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, home.summary) for name, home in COMMANDS.items()])


def _command_behind(args: list[str]) -> str | None:
    """Return the command that stands behind options of `serve`, each of which takes a value; None where none does."""
    if len(args) < 2 or args[-1] not in COMMANDS or args[-1] == "serve":
        return None
    is_value = args[-2].startswith("-") and "=" not in args[-2]
    return None if is_value else args[-1]


@click.group(
    name=NAME,
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit codes: 0 done; 1 refused, failed, or something was found; 2 wrong usage; 3 no server; 4 not allowed; "
    "5 not found; 6 conflict; 7 not now.",
)
@click.version_option(VERSION)
def command() -> None:
    """Schedule tasks.

    Without a command it serves, and takes the options of `serve`. The other commands talk to a server by --url
    and --token (SCHEDULER_URL, SCHEDULER_TOKEN).
    """


def main() -> None:
    """Run the command."""
    prepare_streams()
    with full_disk_told(NAME):
        command(prog_name=NAME)


__all__ = ["COMMANDS", "NAME", "command", "main"]
