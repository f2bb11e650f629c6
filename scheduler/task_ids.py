"""Say which texts may be the ids of tasks."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from scheduler.errors import Problem, ProblemFound

_ID_ACCEPTED = ("1 to 128 printable characters, no blank at either end",)


def read_task_id(text: str) -> str:
    """Return a task id in NFC; raise ValueError where it is empty, long, or has characters that do not print."""
    normal = unicodedata.normalize("NFC", text)
    if not 1 <= len(normal) <= 128:
        raise ProblemFound(
            Problem("task_id", f"'task_id' must have 1 to 128 characters, not {len(normal)}", text[:140], _ID_ACCEPTED)
        )
    if normal != normal.strip():
        raise ProblemFound(
            Problem(
                "task_id",
                "'task_id' must not begin or end with a blank",
                text,
                _ID_ACCEPTED,
                suggestion=normal.strip() or None,
            )
        )
    if not all(map(_is_printable, normal)):
        clean = "".join(char for char in normal if _is_printable(char)).strip()
        raise ProblemFound(
            Problem("task_id", "'task_id' must have printable characters only", text, _ID_ACCEPTED, clean or None)
        )
    return normal


def _is_printable(char: str) -> bool:
    """Whether a character may be part of an id; the two joiners belong to emoji and to the words of some languages."""
    return char.isprintable() or char in "\u200c\u200d"


def may_be_task_id(text: str) -> bool:
    """Whether a task may have that id; one that holds half a character, say, is nothing to ask a store for."""
    try:
        read_task_id(text)
    except ProblemFound:
        return False
    return True


TaskId = Annotated[str, AfterValidator(read_task_id)]
