"""Print answers: as one JSON document, or as their message."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click


def with_json(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON document.")(function)


def print_document(text: str) -> None:
    """Print JSON text in UTF-8, whatever the encoding of the output: files and programs take no other."""
    click.echo(text.encode(errors="backslashreplace"), nl=False)


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one document on one line."""
    print_document(json.dumps(answer, ensure_ascii=False) + "\n")


def print_answer(answer: Mapping[str, Any], as_json: bool) -> None:
    """Print an answer that is its message: that, and the hint where there is one."""
    if as_json:
        print_json(answer)
        return
    click.echo(answer["message"])
    print_hint(answer)


def print_hint(answer: Mapping[str, Any]) -> None:
    """Print the hint of an answer where it has one, apart from what was asked for."""
    if answer.get("hint"):
        click.echo(f"note: {answer['hint']}", err=True)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 task, 2 tasks."""
    return f"{number} {noun}{'s' * (number != 1)}"
