"""Whatever is sent, what comes back is an answer: JSON of one shape, and never a fault of ours."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scheduler.http.actions import ACTIONS
from scheduler.http.examples import EXAMPLES, OF_TYPE
from scheduler.models import job_fields
from tests.http.conftest import Api, check_answer

FIELDS = sorted(
    {name for action in ACTIONS.values() for name in action.model.model_json_schema()["properties"]}
    | {"year", "hour", "minute", "day_of_week", "run_date", "minutes", "weeks", "cron_expression", "expression", "foo"}
)
WORDS = [
    *(*ACTIONS, *job_fields(), "command", "test", "script", "custom", "cron", "interval", "date", "daily", "weekly"),
    *("every 5 minutes", "daily at 02:00", "0 2 * * *", "*/5 * * * *", "monday at 09:00", "in 5 minutes", "hourly"),
    *("2026-12-24T18:00", "9999-12-31T23:59:59", "0001-01-01", "UTC", "Europe/Berlin", "nightly", "", " ", "\0", "🚀"),
    *("../../etc/passwd", "/", "~", "a" * 200, "NaN", "-1", "1e999", '{"hour": 1}', "[[[[", "'", '"', "%s", "{0}"),
]
NUMBERS = [0, 1, -1, 2, 5, 300, 1001, 2**31, 2**63, 2**64 - 1, -(2**63), 0.5, -0.0, 1e308, 1e-308, 5.0]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
)
keys = st.one_of(st.sampled_from(FIELDS), st.text(max_size=10))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
actions = st.one_of(st.sampled_from(sorted(set(ACTIONS) - {"run_now"})), values)
anything = st.builds(
    lambda action, rest: {**rest, "action": action}, actions, st.dictionaries(keys, values, max_size=6)
)
VALID = [
    *(example for name, example in EXAMPLES.items() if name != "run_now"),
    *({**EXAMPLES["create"], "command": None, "type": kind, **fields} for kind, fields in OF_TYPE.items()),
    {**EXAMPLES["create"], "interval": None, "trigger": {"type": "cron", "hour": 2, "day_of_week": "mon-fri"}},
    {**EXAMPLES["create"], "interval": None, "trigger": {"type": "interval", "minutes": 5}},
    {
        **EXAMPLES["create"],
        "interval": None,
        "schedule_type": "weekly",
        "schedule_config": {"day_of_week": "mon", "hour": 1},
    },
    {**EXAMPLES["create"], "env": {"A": "1"}, "tags": ["x"], "args": ["y"], "timeout_seconds": 5, "priority": "high"},
]
mutations = st.builds(
    lambda valid, changes: {**valid, **changes}, st.sampled_from(VALID), st.dictionaries(keys, values, max_size=3)
)
QUIET = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Return an Api that may be filled with rubbish."""
    api = Api(Path(tmp_path_factory.mktemp("fuzz")), max_tasks=200)
    api.create("nightly")
    yield api
    api.close()


def check(api: Api, body: bytes) -> None:
    """Send a body and check the answer, and the example where one is given."""
    response = api.raw(body)
    check_answer(response)
    assert response.status_code in (200, 400, 404, 409, 429), (body, response.text)
    if response.status_code == 400:
        example = response.json["example"]
        if example["action"] in ("create", "preview", "help", "list", "status"):
            action = "validate" if example["action"] == "create" else example["action"]
            again = api.raw(json.dumps({**example, "action": action}))
            assert again.status_code == 200, (body, response.text, again.text)


@pytest.mark.soak
@settings(max_examples=30, **QUIET)
@given(body=anything)
def test_random_objects(target: Api, body: Any) -> None:
    check(target, json.dumps(body).encode())


@settings(max_examples=50, **QUIET)
@given(body=mutations)
def test_valid_requests_with_something_changed(target: Api, body: Any) -> None:
    check(target, json.dumps(body).encode())


@settings(max_examples=20, **QUIET)
@given(body=st.one_of(values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=200)))
def test_other_json_and_other_bytes(target: Api, body: bytes) -> None:
    check(target, body)


def rubbish(chance: random.Random, depth: int = 0) -> Any:
    """Return any JSON value, many times faster than hypothesis makes one."""
    match chance.randrange(8 if depth < 3 else 5):
        case 0:
            return chance.choice([None, True, False])
        case 1 | 2:
            return chance.choice(WORDS)
        case 3:
            return chance.choice(NUMBERS)
        case 4:
            return "".join(chr(chance.randrange(1, 0x2FF)) for _ in range(chance.randrange(12)))
        case 5:
            return [rubbish(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            return {chance.choice(FIELDS): rubbish(chance, depth + 1) for _ in range(chance.randrange(5))}


def changed(chance: random.Random) -> bytes:
    """Return a valid request with some of its fields changed."""
    body = dict(chance.choice(VALID))
    for _ in range(chance.randint(1, 3)):
        body[chance.choice([*body, *FIELDS])] = rubbish(chance)
    if body.get("action") == "run_now":
        body["wait"] = False
    return json.dumps(body).encode()


def scrambled(chance: random.Random) -> bytes:
    """Return a valid request with some of its bytes changed, doubled or cut."""
    body = bytearray(json.dumps(chance.choice(VALID)).encode())
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(body) + 1)
        match chance.randrange(3):
            case 0:
                body[place:place] = bytes([chance.randrange(256)])
            case 1:
                del body[place : place + chance.randint(1, 5)]
            case _:
                body[place:place] = body[place : place + chance.randint(1, 20)]
    return bytes(body)


def send_many(api: Api, number: int, seed: int) -> None:
    """Send many requests, as many changed as scrambled; the seed makes them again."""
    chance = random.Random(seed)
    for sent in range(number):
        body = chance.choice((changed, scrambled))(chance)
        try:
            check(api, body)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, request {sent}: {body!r}") from error


def test_changed_and_scrambled_requests(target: Api) -> None:
    send_many(target, 150, seed=10800)


@pytest.mark.soak
@settings(max_examples=200, **QUIET)
@given(body=st.one_of(values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=200)))
def test_more_of_other_json_and_other_bytes(target: Api, body: bytes) -> None:
    check(target, body)


@pytest.mark.soak
@settings(max_examples=250, **QUIET)
@given(body=st.one_of(anything, mutations))
def test_many_more(target: Api, body: Any) -> None:
    check(target, json.dumps(body).encode())


@pytest.mark.soak
def test_many_more_changed_and_scrambled(target: Api) -> None:
    send_many(target, 2_000, seed=random.randrange(2**32))
