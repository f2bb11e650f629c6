"""Build what a run sees in its environment, from nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from tasks.results import Refusal

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LANG = "C.UTF-8"

MOST_BYTES = 128 * 1024 - 1
"""The longest argument, and the longest variable with its name, that Linux hands to a program."""

OWN_NAMES = frozenset({"HOME", "TMPDIR"})
SHELL_NAMES = frozenset({"BASH_ENV", "BASHOPTS", "ENV", "IFS", "PS4", "SHELLOPTS"})
PYTHON_NAMES = frozenset({"PYTHONHOME", "PYTHONSTARTUP"})
REFUSED_PREFIXES = ("LD_", "GLIBC_", "GCONV_", "MALLOC_", "SCHEDULER_", "BASH_FUNC_")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def check_env(env: Mapping[str, str], field: str = "env") -> list[Refusal]:
    """Return what is wrong with the variables that a task asks for; an empty list if nothing is.

    Names are refused, never dropped silently, where they would load code into every program of the
    run before its own (LD_PRELOAD, BASH_ENV) or are the run's own (HOME, SCHEDULER_RUN_ID).
    """
    return [
        Refusal(f"{field}.{name}", f"{field}.{name} {fault}", got=value, suggestion=_suggestion(name))
        for name, value in env.items()
        if (fault := _name_fault(name) or _value_fault(name, value)) is not None
    ]


def build_env(
    *,
    python: str,
    tmpdir: str,
    timezone: str,
    task_id: str,
    run_id: str,
    scheduled_for: str,
    attempt: int,
    env: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of a run; nothing of the server's is in it.

    PATH begins with the interpreter's folder, so that `python` and `pytest` mean the service's own.
    """
    return {
        "PATH": f"{os.path.dirname(python)}:{STANDARD_PATH}",
        "HOME": tmpdir,
        "LANG": LANG,
        "TZ": timezone,
        "TMPDIR": tmpdir,
        **env,
        "SCHEDULER_TASK_ID": task_id,
        "SCHEDULER_RUN_ID": run_id,
        "SCHEDULER_SCHEDULED_FOR": scheduled_for,
        "SCHEDULER_ATTEMPT": str(attempt),
    }


def _name_fault(name: str) -> str | None:
    if not _NAME.match(name):
        return "is no name of a variable: letters, digits and '_' only, and no digit first"
    if name in OWN_NAMES or name.startswith("SCHEDULER_"):
        return "is set by the service for each run"
    if name in SHELL_NAMES | PYTHON_NAMES or name.startswith(REFUSED_PREFIXES):
        return "would change how the run's programs are loaded or confined"
    return None


def _value_fault(name: str, value: str) -> str | None:
    if "\0" in value:
        return "must not contain NUL characters"
    try:
        size = len(os.fsencode(f"{name}={value}"))
    except UnicodeEncodeError:
        return "must not contain half of a surrogate pair"
    return None if size <= MOST_BYTES else f"must not be longer than {MOST_BYTES} bytes, with its name"


def _suggestion(name: str) -> str | None:
    cleaned = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if cleaned == name or _name_fault(cleaned):
        return None
    return cleaned
