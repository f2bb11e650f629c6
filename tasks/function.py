"""Call a Python function in a process of its own."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, Field, JsonValue

from tasks.base import BaseTask, Refusal, Sandbox, TaskRefused, TaskResult
from tasks.results import MOST_REASON
from tasks.sandbox.paths import AllowedDirs

CALLER = Path(__file__).with_name("function_caller.py").read_text("utf-8")
"""Read once, so that what a run writes cannot change how the next is called."""

CALL_NAME = "call.json"
OUTCOME_NAME = "outcome.json"
RESULT_BYTES = 16 * 1024
"""The longest JSON text of a result that is kept; it is part of the ledger, and shown in lists."""
OUTCOME_BYTES = 4 * RESULT_BYTES
_MOST_DEEP = 64
_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def _dotted(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(
            f"{text[:200]!r} is no dotted path of a function: write 'module.function' or 'package.module.function'"
        )
    return text


def _plain(value: Any, depth: int = 0) -> Any:
    """Refuse what JSON text would not keep: a number without end, and what is nested without end."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} has no form in JSON: write it as a text")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError("a number of more than 64 bits is not kept: write it as a text")
    if depth > _MOST_DEEP:
        raise ValueError(f"nested more than {_MOST_DEEP} levels deep")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _plain(inner, depth + 1)
    return value


class FunctionTask(BaseTask):
    """Call a function by its dotted path, with `args` and `kwargs` of JSON values.

    It is imported in the run's own process, never in the server's: from the working directory and the allowed
    directories, or from an installed package that the operator has named.
    """

    type: Literal["function"] = "function"
    func: Annotated[str, AfterValidator(_dotted)]
    args: Annotated[list[JsonValue], AfterValidator(_plain)] = Field(default=[])
    kwargs: Annotated[dict[str, JsonValue], AfterValidator(_plain)] = Field(default={})

    def check(self, allowed: AllowedDirs, working_directory: str | None = None) -> None:
        """Raise TaskRefused if the module is nowhere that functions are taken from, as far as its name tells."""
        name, places = self.func.partition(".")[0], _places(allowed, working_directory)
        if name not in allowed.packages and not any(_holds(place, name) for place in places):
            raise TaskRefused([self._refusal(name, allowed, places)])

    def argv(self, sandbox: Sandbox) -> list[str]:
        """Return the interpreter with the caller, and the files that say what to call and take what comes of it."""
        call = {
            "func": self.func,
            "args": self.args,
            "kwargs": self.kwargs,
            "dirs": [str(path) for path in sandbox.allowed.dirs],
            "packages": list(sandbox.allowed.packages),
            "most": RESULT_BYTES,
        }
        path = sandbox.add_file(CALL_NAME, json.dumps(call))
        return [sandbox.python, "-u", "-c", CALLER, str(path), str(sandbox.tmpdir / OUTCOME_NAME)]

    def run(self, sandbox: Sandbox) -> TaskResult:
        """Call the function, wait for its end, and take over what it returned or raised."""
        result = super().run(sandbox)
        if result.exit_code is None and result.signal is None:
            return result
        record = sandbox.read_file(OUTCOME_NAME, OUTCOME_BYTES)
        outcome = None if record is None else _read(record)
        if outcome is None:  # ended before it returned: killed, or left by os._exit
            return result
        return _with_outcome(result, outcome)

    def _refusal(self, name: str, allowed: AllowedDirs, places: list[Path]) -> Refusal:
        near = difflib.get_close_matches(name, {*allowed.packages, *_modules(places)}, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        installed = ", ".join(allowed.packages) or "none"
        return Refusal(
            "func",
            f"no module '{name}' lies in {', '.join(map(str, places))}, and it is none of the installed packages that "
            f"functions may come from (SCHEDULER_FUNCTION_PACKAGES: {installed}){hint}",
            got=self.func,
            accepted=(*map(str, places), *allowed.packages),
            suggestion=near[0] + self.func[len(name) :] if near else None,
            code="path_not_allowed",
        )


def _places(allowed: AllowedDirs, working_directory: str | None) -> list[Path]:
    """Return where modules are looked for, in that order."""
    try:
        first = [] if working_directory is None else [allowed.resolve(working_directory, "working_directory")]
    except TaskRefused:  # which is told by whoever checks that field
        first = []
    return list(dict.fromkeys([*first, *allowed.dirs]))


def _holds(place: Path, name: str) -> bool:
    """Whether a directory has a module or package of that name."""
    found = os.path.isdir(place / name) or os.path.isfile(place / f"{name}.py")  # which take names of any length
    return found or any(place.glob(f"{name}.*.so"))


def _modules(places: list[Path]) -> Iterator[str]:
    """Name the modules and packages of directories; for finding the nearest to a name that is none."""
    for place in places:
        found = [path for path in place.glob("*") if path.suffix == ".py" or path.is_dir()] if place.is_dir() else []
        yield from (path.stem for path in found if path.stem.isidentifier())


def _read(record: bytes) -> Mapping[str, Any] | None:
    """Return what a run says came of its call; None where that cannot be kept, for a run may write anything."""
    try:
        outcome = orjson.loads(record)
        orjson.dumps(outcome)
    except (orjson.JSONDecodeError, TypeError):
        return None
    return outcome if isinstance(outcome, dict) else None


def _with_outcome(result: TaskResult, outcome: Mapping[str, Any]) -> TaskResult:
    raised, refused = outcome.get("exception"), outcome.get("refused")
    reason = refused
    if isinstance(raised, dict):
        reason = f"{raised.get('type')}: {raised.get('message')}"
    told = {
        "result": outcome.get("result"),
        "exception": raised if isinstance(raised, dict) else None,
    }
    failed = result.status == "failed" and isinstance(reason, str)
    return replace(
        result,
        outcome=told,
        reason=str(reason)[:MOST_REASON] if failed else result.reason,
        hint=result.hint or (str(outcome["note"])[:MOST_REASON] if outcome.get("note") else None),
    )
