"""A command is a line of /bin/sh."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tasks import TASK_TYPES, CommandTask, Task


def test_arguments_are_never_parsed_by_the_shell(place: Any) -> None:
    hostile = "$(touch pwned); `id` \"'\n *"
    result = place.sh('printf "%s|" "$0" "$1" "$2" "$#"', hostile, "")
    assert (result.status, result.exit_code, result.reason) == ("completed", 0, None)
    assert place.out == f"sh|{hostile}||2|"
    assert not (place.workspace / "pwned").exists()


def test_exit_code_is_told(place: Any) -> None:
    result = place.sh("exit 3")
    assert (result.status, result.exit_code, result.signal) == ("failed", 3, None)
    assert result.reason == "exit code 3"


def test_signal_is_told_by_name(place: Any) -> None:
    result = place.sh("kill -SEGV $$")
    assert (result.status, result.exit_code, result.signal) == ("failed", None, "SIGSEGV")
    assert result.reason == "killed by SIGSEGV"


@pytest.mark.parametrize(
    ("command", "code", "hint"), [("no-such-command", 127, "not found"), ("./plain", 126, "chmod")]
)
def test_hint_where_the_shell_finds_nothing_to_run(place: Any, command: str, code: int, hint: str) -> None:
    place.write("plain", "echo")
    result = place.sh(command)
    assert result.exit_code == code
    assert hint in (result.hint or "")


@pytest.mark.parametrize(
    "fields",
    [
        {"command": ""},
        {"command": " \n"},
        {"command": "a\0b"},
        {"command": "x" * 131072},
        {"command": 5},
        {"command": "true", "args": ["a\0"]},
        {"command": "true", "args": "ab"},
        {"command": "true", "file_path": "x"},
        {},
    ],
)
def test_refused_definitions(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CommandTask(**fields)


def test_type_decides_the_class() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Task)
    fields = {
        "command": {"command": "true"},
        "test": {},
        "script": {"file_path": "a.py"},
        "custom": {"custom_script": "1"},
        "function": {"func": "a.b"},
    }
    assert set(fields) == set(TASK_TYPES)
    for name, cls in TASK_TYPES.items():
        assert type(adapter.validate_python({"type": name, **fields[name]})) is cls


def test_longest_command_that_linux_takes(place: Any) -> None:
    command = "true #" + "x" * (131071 - 6)
    assert place.sh(command).status == "completed"
