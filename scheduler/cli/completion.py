"""Complete commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

import scheduler.cli


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the script that completes commands in a shell.

    \b
    bash: eval "$(task-scheduler completion bash)" in ~/.bashrc
    zsh:  eval "$(task-scheduler completion zsh)" in ~/.zshrc, behind compinit
    fish: task-scheduler completion fish > ~/.config/fish/completions/task-scheduler.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    variable = f"_{scheduler.cli.NAME.replace('-', '_').upper()}_COMPLETE"
    click.echo(kind(scheduler.cli.command, {}, scheduler.cli.NAME, variable).source())
