"""Find out which action was meant by a request that names none of ours, or names it in another place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from scheduler.errors import Problem, nearest, not_one_of, shorten

SYNONYMS = {
    "add": "create",
    "apply": "import",
    "backup": "export",
    "schedule": "create",
    "delete": "remove",
    "edit": "update",
    "history": "runs",
    "info": "get",
    "kill": "cancel",
    "logs": "output",
    "restore": "import",
    "run": "run_now",
    "trigger": "run_now",
    "unpause": "resume",
}
"""What other schedulers call some of our actions, so that a refusal names ours."""
_OTHER_FIELDS = ("action", "cmd", "command", "method", "op", "operation", "verb")
"""Where other interfaces say what to do."""


def problems_of_action(given: Mapping[str, Any], known: Collection[str]) -> list[Problem]:
    """Return what is wrong with a request that names none of the `known` actions; the first problem suggests one."""
    name, listed = given.get("action"), list(known)
    if name is None:
        return _problems_of_missing(given, listed)
    if not isinstance(name, str):
        return [not_one_of("action", shorten(name), listed)]
    guess = meant_action(name, known) or nearest(name[:60], known)
    hint = f" Did you mean '{guess}'?" if guess else ""
    text = f"unknown action '{shorten(name, 60)}'.{hint} Actions: {', '.join(listed)}"
    return [Problem("action", text, shorten(name), listed, guess, "unknown_action")]


def meant_action(word: str, known: Collection[str]) -> str | None:
    """Return the action that a word is another way to write, or another name of; None where it is neither."""
    meant = SYNONYMS.get(word.lower(), word.lower())
    return meant if meant in known else None


def _problems_of_missing(given: Mapping[str, Any], known: list[str]) -> list[Problem]:
    text = f"'action' is required: one of {', '.join(known)}"
    for field, value in given.items():
        meant = meant_action(value, known) if isinstance(value, str) and _says_what_to_do(field, given) else None
        if meant is not None:
            hint = f"unknown field '{field}'; did you mean 'action'?"
            return [
                Problem("action", text, None, known, meant, "missing_field"),
                Problem(field, hint, shorten(value), ["action"], "action", "unknown_field"),
            ]
    return [Problem("action", text, None, known, code="missing_field")]


def _says_what_to_do(field: str, given: Mapping[str, Any]) -> bool:
    """Whether a field is where others name the action; the command of a task is none."""
    return field.lower() in _OTHER_FIELDS and not (field == "command" and given.get("type") == "command")
