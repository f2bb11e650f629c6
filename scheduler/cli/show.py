"""Print tables: in colour on a terminal, plain elsewhere. The only door to rich."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED = 100_000
_COLOURS = {
    **dict.fromkeys(("completed", "ok", "created", "running", "success"), "green"),
    **dict.fromkeys(("failed", "timeout", "interrupted"), "red"),
    **dict.fromkeys(
        ("cancelled", "skipped", "missed", "warning", "paused", "disabled", "replaced", "stopped"), "yellow"
    ),
}


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their heads; nothing is cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    _print(table)


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print names with their values, those without a value left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value not in (None, "", [], {}):
            table.add_row(Text(name), _cell(value))
    _print(table)


def _print(table: Table) -> None:
    """Print through click, which takes broken pipes and odd encodings; rich obeys NO_COLOR."""
    terminal = sys.stdout.isatty()
    paper = io.StringIO()
    width = None if terminal else _UNLIMITED
    Console(file=paper, force_terminal=terminal, width=width, highlight=False, emoji=False).print(table)
    click.echo("\n".join(line.rstrip() for line in paper.getvalue().splitlines()))


def _cell(value: object) -> Text:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    return Text(printable(text), style=_COLOURS.get(text, ""))


def printable(text: str) -> str:
    """Return a text that cannot move the cursor or colour the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
