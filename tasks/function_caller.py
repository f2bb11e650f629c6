"""Call a function inside the sandbox and write down what came of it.

This file is not imported by the service: its source is handed to the run's interpreter, with the path of a file
that says what to call, and of one for what comes of it: its result, or the exception that it raised.
"""

from __future__ import annotations

import asyncio
import difflib
import importlib
import importlib.util
import inspect
import json
import math
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

MESSAGE_LENGTH = 2000


class Refused(Exception):
    """The function is not there, or lies where none may be taken from."""


class Finder:
    """Import functions from some directories and packages only."""

    def __init__(self, dirs: list[str], packages: list[str]) -> None:
        self.dirs, self.packages = [os.path.realpath(path) for path in dirs], packages

    def find(self, path: str) -> Callable[..., Any]:
        """Return what a dotted path names."""
        first, *rest = path.split(".")
        found: Any = self.load(first, first)
        for number, part in enumerate(rest, 1):
            if isinstance(found, ModuleType):
                found = self.inside(found, part, ".".join(path.split(".")[: number + 1]))
            else:
                found = getattr(found, part) if hasattr(found, part) else self.miss(found, part)
        if not callable(found):
            raise Refused(f"'{path}' is no function but {type(found).__name__}")
        return found  # type: ignore[no-any-return]

    def inside(self, module: ModuleType, part: str, name: str) -> Any:
        """Return an attribute or a submodule of a module."""
        if not hasattr(module, part):
            self.load(name, part, module)
        found = getattr(module, part)
        if isinstance(found, ModuleType):
            self.judge(found.__name__.partition(".")[0], getattr(found, "__spec__", None))
        return found

    def load(self, name: str, part: str, parent: ModuleType | None = None) -> Any:
        """Import a module; what it raises while it is loaded is the run's own failure."""
        if parent is None:
            spec = importlib.util.find_spec(name)
            if spec is None:
                raise Refused(f"no module is called '{name}'; modules are looked for in {', '.join(self.dirs)}")
            self.judge(name, spec)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name or parent is None:
                raise
            return self.miss(parent, part)

    def judge(self, name: str, spec: Any) -> None:
        """Refuse a module that is none of the packages and lies in none of the directories."""
        places = list(spec.submodule_search_locations or ()) or [spec.origin] if spec else []
        if name not in self.packages and not (places and all(self.holds(place) for place in places)):
            where = str(places[0]) if places else "inside Python"
            raise Refused(
                f"the module '{name}' ({where}) lies outside the directories that functions may come from "
                f"({', '.join(self.dirs)}), and is none of the packages of SCHEDULER_FUNCTION_PACKAGES "
                f"({', '.join(self.packages) or 'none'})"
            )

    def holds(self, place: str | None) -> bool:
        """Whether a file lies in one of the directories."""
        if not place or not os.path.isabs(place):  # "frozen" and "built-in" are no files
            return False
        path = os.path.realpath(place)
        return any(path == top or path.startswith(top.rstrip("/") + "/") for top in self.dirs)

    def miss(self, holder: Any, part: str) -> Any:
        """Say that a name is not there, and which is near."""
        near = difflib.get_close_matches(part, dir(holder), n=1)
        name = getattr(holder, "__name__", repr(holder))
        raise Refused(f"'{name}' has no '{part}'" + (f"; did you mean '{near[0]}'?" if near else ""))


def outcome_of(value: Any, most: int) -> dict[str, Any]:
    """Return a result as it is kept, with a note where that is not the value itself."""
    try:
        return kept(value, most)
    except Exception as error:  # too deep, too long a number, or from its own methods
        kind, fault = type(value).__name__, type(error).__name__
        note = f"the function returned a value of type {kind} whose text cannot be made ({fault}): it is not kept"
        return {"result": None, "note": note}


def kept(value: Any, most: int) -> dict[str, Any]:
    """Return a result as JSON has it, or its repr; raise whatever keeps its text from being made."""
    if not is_plain(value, 0):
        kind = type(value).__name__
        note = f"the function returned a value of type {kind} that JSON has no form for: 'result' is its repr"
        text = repr(value).encode("utf-8", "backslashreplace")[:most].decode("utf-8", "ignore")
        return {"result": text, "note": note}
    text = json.dumps(value)
    if len(text) > most:
        note = f"the result has {len(text)} bytes of JSON, of which {most} are kept: write large results to a file"
        return {"result": text[:most], "note": note}
    return {"result": value}


def is_plain(value: Any, depth: int) -> bool:
    """Whether JSON has a form for a value, from which it can be read back the same."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    if isinstance(value, float):
        return math.isfinite(value)
    if depth > 64 or not isinstance(value, list | tuple | dict):
        return False
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(name, depth) for name in value) and all(
            is_plain(inner, depth + 1) for inner in value.values()
        )
    return all(is_plain(inner, depth + 1) for inner in value)


def write(path: str, outcome: dict[str, Any]) -> None:
    """Write what came of the call, all of it or nothing."""
    with open(path + ".new", "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(outcome, file, ensure_ascii=False)
    os.replace(path + ".new", path)


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception as it is kept."""
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error).encode("utf-8", "replace").decode()
    except Exception as fault:
        message = f"its text cannot be made: {type(fault).__name__}"
    return {"exception": {"type": name, "message": message[:MESSAGE_LENGTH]}}


def tell(error: BaseException) -> None:
    """Print a traceback without the frames of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == "<string>":
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def main(call_path: str, outcome_path: str) -> int:
    """Call what the file says; return the exit code."""
    with open(call_path, encoding="utf-8") as file:
        call = json.load(file)
    others = [path for path in call["dirs"] if os.path.realpath(path) != os.getcwd()]
    sys.path[:1] = [os.getcwd(), *others]
    sys.argv = [call["func"]]
    try:
        function = Finder(call["dirs"], call["packages"]).find(call["func"])
        value = function(*call["args"], **call["kwargs"])
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        outcome = outcome_of(value, call["most"])
    except Refused as refused:
        print(refused, file=sys.stderr)
        write(outcome_path, {"refused": str(refused)})
        return 1
    except Exception as error:
        tell(error)
        write(outcome_path, describe(error))
        return 1
    write(outcome_path, outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
