"""Find out which action was meant by a request that names none of ours, or names it in another place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from scheduler.errors import Problem, not_one_of, shorten
from scheduler.slips import is_typing_slip, slip_of, words_of

SYNONYMS = {
    **dict.fromkeys(("add", "define", "insert", "new", "register", "schedule"), "create"),
    **dict.fromkeys(("find", "index", "jobs", "list_all", "ls", "search", "tasks"), "list"),
    **dict.fromkeys(("delete", "del", "destroy", "drop", "erase", "rm"), "remove"),
    **dict.fromkeys(("describe", "details", "fetch", "info", "inspect", "read", "retrieve", "show", "view"), "get"),
    **dict.fromkeys(("alter", "change", "configure", "edit", "modify", "patch", "reschedule", "set"), "update"),
    **dict.fromkeys(("deactivate", "disable", "hold", "suspend"), "pause"),
    **dict.fromkeys(("activate", "continue", "enable", "reactivate", "unpause", "unsuspend"), "resume"),
    **dict.fromkeys(("execute", "exec", "fire", "invoke", "launch", "rerun", "run", "run_once", "trigger"), "run_now"),
    **dict.fromkeys(("abort", "cancel_run", "kill", "kill_run", "stop_run", "terminate"), "cancel"),
    **dict.fromkeys(("executions", "history", "result", "results", "run_history"), "runs"),
    **dict.fromkeys(("log", "logs", "stderr", "stdout", "tail"), "output"),
    **dict.fromkeys(("simulate",), "preview"),
    **dict.fromkeys(("check", "dry_run", "lint", "verify"), "validate"),
    **dict.fromkeys(("backup", "dump"), "export"),
    **dict.fromkeys(("apply", "load", "restore"), "import"),
    **dict.fromkeys(("diagnose", "why"), "explain"),
    **dict.fromkeys(("notifications",), "deliveries"),
    **dict.fromkeys(("health", "ping", "stat", "state", "scheduler_status", "stats", "version"), "status"),
    **dict.fromkeys(("actions", "commands", "docs", "schema", "topics", "usage"), "help"),
    **dict.fromkeys(("start_scheduler",), "start"),
    **dict.fromkeys(("stop_scheduler",), "stop"),
}
"""What other schedulers call some of our actions, so that a refusal names ours."""
WHOLE = ("start", "stop")
"""Actions that are for the whole scheduler, whatever else a request names."""
_OTHER_FIELDS = ("action", "cmd", "command", "method", "op", "operation", "verb")
"""Where other interfaces say what to do."""
_OF_A_TASK = frozenset(("id", "ids", "job", "jobid", "jobs", "name", "task", "taskid", "tasks"))
_MANY = ("crons", "jobs", "schedules", "tasks")
_NOUNS = frozenset(("a", "cron", "job", "schedule", "scheduled", "scheduler", "task", "the", *_MANY))
"""Words beside a verb that say no more than what the whole interface is about."""
_READING = frozenset(("fetch", "get", "list", "read", "show", "view"))
_READ = {
    **{name: name for name in ("deliveries", "help", "output", "runs", "status")},
    "all": "list",
    "run": "runs",
    "run_output": "output",
}
"""What is read by `get` and the like, and the action that tells it."""


def names_task(field: str) -> bool:
    """Whether a field's name says that its value is a task."""
    return not _OF_A_TASK.isdisjoint(words_of(field))


def problem_of_task_beside(field: str, got: Any, action: str) -> Problem:
    """Describe a field that names a task beside an action that is for all of them."""
    one = "'pause' or 'cancel'" if action == "stop" else "'resume' or 'run_now'"
    text = f"'{field}' does not belong here: '{action}' is for the whole scheduler; for one task send {one}"
    return Problem(field, text, got, code="unknown_field")


def problems_of_action(given: Mapping[str, Any], known: Collection[str], reading: Collection[str]) -> list[Problem]:
    """Return what is wrong with a request that names none of the `known` actions; the first problem suggests one.

    Those in `reading` change nothing: one of them may be meant by what is less plainly a slip of the pen.
    """
    name, listed = given.get("action"), list(known)
    if name is None:
        return _problems_of_missing(given, listed)
    if not isinstance(name, str):
        return [not_one_of("action", shorten(name), listed)]
    guess = meant_action(name, known) or _misspelt(name, known, reading)
    hint = f" Did you mean '{guess}'?" if guess else ""
    text = f"unknown action '{shorten(name, 60)}'.{hint} Actions: {', '.join(listed)}"
    return [Problem("action", text, shorten(name), listed, guess, "unknown_action")]


def meant_action(word: str, known: Collection[str]) -> str | None:
    """Return the action that a word is another way to write, or another name of; None where it is neither.

    `delete_task`, `listJobs` and `get-run-history` are such names. What is for the whole scheduler is not meant by
    one that speaks of a task.
    """
    words = words_of(word[:60])
    if (meant := _named("_".join(words), known)) is not None:
        return meant
    verbs = tuple(part for part in words if part not in _NOUNS) or words[:1]
    if not verbs or len(verbs) == len(words):
        return _read(verbs, known)
    meant = _named("_".join(verbs), known) or _read(verbs, known)
    if meant == "get" and words[-1] in _MANY:
        return "list"
    if meant == "status":
        return "get"
    return None if meant in WHOLE else meant


def _read(verbs: tuple[str, ...], known: Collection[str]) -> str | None:
    """Return the action that tells what a verb such as `get` asks for by name: `get_logs`, `list_runs`."""
    if not verbs or verbs[0] not in _READING:
        return None
    what = "_".join(verbs[1:])
    meant = _READ.get(what) or _named(what, known)
    return meant if meant in _READ.values() else None


def _named(name: str, known: Collection[str]) -> str | None:
    meant = SYNONYMS.get(name, name)
    return meant if meant in known else None


def _misspelt(name: str, known: Collection[str], reading: Collection[str]) -> str | None:
    """Return the action that is misspelt; one that changes something only where it can hardly be another word."""
    word = "_".join(words_of(name[:60]))
    names = {other: meant for other, meant in SYNONYMS.items() if meant in known} | {each: each for each in known}
    typed = {meant for other, meant in names.items() if is_typing_slip(word, other)}
    return slip_of(word, reading) if not typed else typed.pop() if len(typed) == 1 else None


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
