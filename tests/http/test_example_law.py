"""What holds of every example: it means what was sent, or it changes nothing.

A program may send it unread, so it does nothing that the caller's own word does not say, and no value stands in a
field that does not mean it.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scheduler.http.actions import ACTIONS
from tests.http.conftest import COMMAND, Api

HARMLESS = {
    *("list", "get", "runs", "output", "preview", "validate", "export", "explain", "deliveries", "status", "help"),
}
SAYS = {
    "create": {"create", "add", "new", "schedule", "register", "define", "insert"},
    "remove": {"remove", "delete", "del", "rm", "destroy", "drop", "erase"},
    "update": {"update", "modify", "change", "edit", "set", "patch", "alter", "configure", "reschedule"},
    "pause": {"pause", "disable", "suspend", "deactivate", "hold"},
    "resume": {"resume", "enable", "unpause", "unsuspend", "continue", "activate", "reactivate"},
    "run_now": {"run_now", "run", "trigger", "execute", "exec", "invoke", "launch", "fire", "rerun"},
    "cancel": {"cancel", "abort", "kill", "terminate"},
    "import": {"import", "apply", "load", "restore"},
    "start": {"start"},
    "stop": {"stop"},
    "test_notification": {"test_notification"},
}
"""The words that say each action which changes something."""
OTHERS = [
    *("move", "rename", "reset", "restart", "results", "purge", "step", "setup", "clear", "copy", "clone", "report"),
    *("remote", "retry", "cause", "star", "state", "stage", "toggle", "sync", "assume", "upgrade", "support", "swap"),
    *("removed", "paused", "updates", "stopped", "starter", "creator", "cancelled", "crash", "chance", "uptime"),
    *("release", "return", "revive", "replace", "repeat", "pass", "use", "export", "test", "count", "next", "shutdown"),
]
WORDS = sorted({*OTHERS, *(word for words in SAYS.values() for word in words)})
FORMS = ("{}", "{}_task", "{}_tasks", "{}Job", "task.{}", "{}-schedule")
MEANINGLESS = [
    *("once", "unit", "seconds_left", "delay", "max", "backup", "min_retries", "min_runs", "end_time", "start_time"),
    *("limit", "queue", "parallel", "user", "host", "owner", "notify_email", "log_level", "weight", "ttl", "group"),
    *("category", "expires", "cooldown", "times", "rate", "title", "version", "shards", "region", "unless", "untill_x"),
    *("enabled_by", "retry", "catch", "lap", "gitter", "prior", "depends_on", "condition", "output", "email", "steps"),
]
"""Names of fields that mean none of ours."""
VALUES = [True, False, 7, 3600, "7919", "daily", "x" * 40, [1], {"a": 1}]
LAW = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)


def fields_of(*names: str, least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for some fields of these names with values of any kind."""
    return st.dictionaries(st.sampled_from(names), st.sampled_from(VALUES), min_size=least, max_size=3)


slips = st.sampled_from(["", "drop", "double", "swap", "change"])


@pytest.fixture(scope="module")
def kept(shared: Api) -> Api:
    """Return an Api with one task, which no test changes."""
    shared.create("mine", **COMMAND)
    return shared


def misspelt(word: str, how: str, place: int) -> str:
    """Return a word with one slip of the pen."""
    at = place % len(word)
    match how:
        case "drop":
            return word[:at] + word[at + 1 :]
        case "double":
            return word[: at + 1] + word[at:]
        case "swap":
            return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
        case "change":
            return word[:at] + "x" + word[at + 1 :]
    return word


@LAW
@given(
    word=st.sampled_from(WORDS),
    form=st.sampled_from(FORMS),
    how=slips,
    place=st.integers(0, 20),
    fields=fields_of(*MEANINGLESS, "interval", "type", "name"),
)
def test_an_example_does_only_what_the_word_says(
    kept: Api, word: str, form: str, how: str, place: int, fields: dict[str, Any]
) -> None:
    name = form.format(misspelt(word, how, place))
    if name in ACTIONS:
        return
    example = kept.post(name, task_id="mine", **fields).json["example"]
    if example["action"] not in HARMLESS:
        assert word in SAYS[example["action"]]
        assert example.get("task_id", "mine") == "mine"


@LAW
@given(
    action=st.sampled_from(["create", "validate", "update"]),
    fields=fields_of(*MEANINGLESS, least=1),
)
def test_no_value_goes_where_its_name_does_not_say(kept: Api, action: str, fields: dict[str, Any]) -> None:
    definition = {"task_id": "mine"} if action == "update" else {"task_id": "new", **COMMAND}
    body = kept.refused(400, "unknown_field", action, **definition, **fields)
    assert all(problem["suggestion"] is None for problem in body["problems"])
    expected = {"action": "get" if action == "update" else action, **definition}
    assert body["example"] == expected


@LAW
@given(
    action=st.sampled_from(sorted(set(ACTIONS) - HARMLESS - {"create", "import", "test_notification"})),
    fields=fields_of(*MEANINGLESS, "id", "job", least=1),
)
def test_an_example_of_an_action_is_of_that_action_and_that_task(
    kept: Api, action: str, fields: dict[str, Any]
) -> None:
    body = kept.post(action, task_id="mine", **fields).json
    example = body["example"]
    assert example in (
        {"action": "get", "task_id": "mine"},
        {"action": "list"},
        {"action": action, "task_id": "mine"},
    )
    if action in ("start", "stop"):
        assert example["action"] != action
