"""Who may call: forms of the Authorization header, scopes of actions, and what a locked door says."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import request
from werkzeug.test import TestResponse

from scheduler.auth.attempts import FREE_FAILURES
from scheduler.auth.scopes import Scope, read_scopes
from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest
from scheduler.http.actions import ACTIONS
from tests.http.conftest import Api, check_answer
from tests.users import PASSWORD, cheap_hash, line, write_users

STATUS = {"action": "status"}
MakeApi = Callable[..., Api]


def basic(name: str = "ann", password: str = PASSWORD, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()


def ask(api: Api, header: str | None, body: Any = STATUS) -> TestResponse:
    response = api.raw(json.dumps(body), Authorization=header)
    check_answer(response)
    return response


def with_users(make_api: MakeApi, *lines: str, **settings: Any) -> Api:
    api = make_api(**settings)
    write_users(api.data / "users", *(lines or (line(),)))
    return api


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (basic(), 200),
        ("basic " + basic()[6:], 200),
        ("BASIC   " + basic()[6:] + " ", 200),
        (basic("jürgen", "pä:ss:wörd"), 200),
        (basic("jürgen", "pä:ss:wörd", "latin-1"), 200),
        (basic("ju\u0308rgen", "pa\u0308:ss:wo\u0308rd"), 200),
        (None, 401),
        ("", 401),
        ("Basic", 401),
        ("Basic ", 401),
        ("Basic !!!", 401),
        ("Basic YW5u", 401),
        ("Basic " + basic()[6:-3], 401),
        ("Basic ann:" + PASSWORD, 401),
        (basic(password=PASSWORD + "x"), 401),
        (basic(password=""), 401),
        (basic("ANN"), 401),
        (basic(""), 401),
        (basic("nobody"), 401),
        (basic("x" * 3000), 401),
        (basic("ann\0"), 401),
        (basic(password=cheap_hash(PASSWORD)), 401),
        ("Bearer " + PASSWORD, 401),
        ("Digest username=ann", 401),
        ("Bearer " + basic()[6:], 401),
    ],
)
def test_forms_of_the_header(standing: MakeApi, header: str | None, number: int) -> None:
    api = standing(users=(line(), line("jürgen", password="pä:ss:wörd")))
    response = ask(api, header)
    assert response.status_code == number, response.text
    if number == 401:
        assert response.json["code"] == "unauthorized"
        assert "curl -u NAME" in response.json["message"]
        assert PASSWORD not in response.text


def test_what_is_offered_is_what_is_taken(make_api: MakeApi) -> None:
    bearer, password = 'Bearer realm="task-scheduler"', 'Basic realm="task-scheduler", charset="UTF-8"'
    for api, offered in (
        (make_api(token="s3cret"), [bearer]),
        (with_users(make_api), [password]),
        (with_users(make_api, token="s3cret"), [bearer, password]),
    ):
        assert ask(api, None).headers.getlist("WWW-Authenticate") == offered


def test_the_door_is_open_on_loopback_until_there_is_a_user_or_a_token(make_api: MakeApi) -> None:
    users, tokens = make_api(), make_api()
    assert ask(users, None).status_code == ask(tokens, None).status_code == 200
    write_users(users.data / "users", line())
    shown, _ = tokens.scheduler.tokens.add("ci", read_scopes(["read"]), None)
    tokens.service.guard.access._tokens._looked_at = None  # half a second later
    assert ask(users, None).status_code == ask(tokens, None).status_code == 401
    assert ask(users, basic()).status_code == ask(tokens, f"Bearer {shown}").status_code == 200
    assert users.client.get("/healthz", headers={"Host": "localhost"}).status_code == 200
    assert users.client.get("/schedule", headers={"Host": "localhost"}).status_code == 401


def test_the_warning_of_an_open_door_goes_when_it_is_shut(make_api: MakeApi) -> None:
    api = make_api()
    assert "SCHEDULER_TOKEN" in ask(api, None).json["warnings"][0]
    write_users(api.data / "users", line())
    assert ask(api, basic()).json["warnings"] == []


def test_a_users_file_that_cannot_be_read_lets_nobody_in_and_is_told(make_api: MakeApi) -> None:
    api = with_users(make_api, token="x" * 32)
    assert ask(api, basic()).status_code == 200
    (api.data / "users").chmod(0o644)
    assert ask(api, basic()).status_code == 401
    [warning] = ask(api, "Bearer " + "x" * 32).json["warnings"]
    assert "chmod 600" in warning


def test_a_users_file_that_is_missing_where_it_was_named_is_no_open_door(make_api: MakeApi) -> None:
    api = make_api(users_file=None)
    named = make_api(users_file=api.data / "somewhere")
    assert ask(named, None).status_code == 401


def test_a_faulty_line_is_told_in_status(make_api: MakeApi) -> None:
    api = with_users(make_api, line(), "bob:admn:x")
    [warning] = ask(api, basic()).json["warnings"]
    assert "line 2" in warning


def test_users_of_the_setting(make_api: MakeApi) -> None:
    api = make_api(users=(line("bob", "read"), line("ann")))
    assert ask(api, basic("bob")).status_code == 200
    write_users(api.data / "users", line("bob", "admin", "another one"), line("cyd"))
    assert ask(api, basic("bob", "another one")).status_code == 401
    assert ask(api, basic("cyd")).status_code == 200
    assert "SCHEDULER_USERS has one" in ask(api, basic("bob")).json["warnings"][0]


def test_a_wrong_user_in_the_setting_is_refused_at_the_start(make_api: MakeApi) -> None:
    with pytest.raises(InvalidRequest, match="SCHEDULER_USERS, line 1"):
        make_api(users=("ann:admin:plain",)).service.open()


@pytest.mark.parametrize(("granted", "grade"), [("read", 0), ("run", 1), ("write", 2), ("admin", 3)])
def test_each_action_asks_for_its_scope(standing: MakeApi, granted: str, grade: int) -> None:
    api = standing()
    shown, _ = api.scheduler.tokens.add(granted, read_scopes([granted]), None)
    for name, action in ACTIONS.items():
        response = ask(api, f"Bearer {shown}", {"action": name})
        if list(Scope).index(action.scope) <= grade:
            assert response.status_code in (200, 400), (name, response.text)
        else:
            assert (response.status_code, response.json["code"]) == (403, "forbidden")
            assert response.json["missing_scope"] == action.scope
            assert response.json["scopes"] == [granted]


def test_the_scopes_of_actions() -> None:
    table = {scope: [name for name, action in ACTIONS.items() if action.scope is scope] for scope in Scope}
    assert table[Scope.RUN] == ["run_now", "cancel"]
    assert table[Scope.WRITE] == ["create", "remove", "update", "pause", "resume", "import", "test_notification"]
    assert table[Scope.ADMIN] == ["start", "stop"]


def test_other_routes_check_a_scope_in_one_line(make_api: MakeApi) -> None:
    api = make_api()
    api.app.add_url_rule("/pages", view_func=lambda: api.service.guard.check(request, Scope.RUN).name or "")
    weak, _ = api.scheduler.tokens.add("weak", read_scopes(["read"]), None)
    strong, _ = api.scheduler.tokens.add("strong", read_scopes(["admin"]), None)
    refused, let = (
        api.client.get("/pages", headers={"Host": "localhost", "Authorization": f"Bearer {shown}"})
        for shown in (weak, strong)
    )
    assert (refused.status_code, refused.json["missing_scope"]) == (403, "run")
    assert "GET /pages needs the scope 'run'" in refused.json["message"]
    assert let.text == "strong"


def test_a_task_tells_who_created_it(make_api: MakeApi) -> None:
    api = with_users(make_api, token="x" * 32)
    shown, _ = api.scheduler.tokens.add("ci", read_scopes(["write"]), None)
    for header, name in ((basic(), "ann"), (f"Bearer {shown}", "ci"), ("Bearer " + "x" * 32, "127.0.0.1")):
        task = {"action": "create", "type": "command", "interval": "hourly", "command": "true"}
        task_id = ask(api, header, task).json["task_id"]
        told = ask(api, header, {"action": "get", "task_id": task_id}).json["task"]["details"]
        assert told["created_by"] == name


def test_a_revoked_token_is_told_to_whoever_has_it(make_api: MakeApi) -> None:
    api = make_api()
    shown, _ = api.scheduler.tokens.add("ci", read_scopes(["read"]), None)
    api.scheduler.tokens.revoke("ci")
    response = ask(api, f"Bearer {shown}")
    assert response.status_code == 401
    assert "The token 'ci' was revoked." in response.json["message"]


def test_guesses_are_slowed_logged_and_counted(make_api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    api = with_users(make_api)
    with caplog.at_level(logging.WARNING):
        numbers = [ask(api, basic(password=f"guess {number}")).status_code for number in range(FREE_FAILURES + 1)]
    assert numbers == [401] * (FREE_FAILURES + 1)
    response = ask(api, basic())
    assert (response.status_code, response.json["code"]) == (429, "rate_limited")
    assert response.headers["Retry-After"] == "1"
    assert api.service.guard.access.tally.read() == {"password": 5, "token": 0, "delayed": 1, "busy": 0}
    assert caplog.text.count("refused the user 'ann' from 127.0.0.1") == FREE_FAILURES + 1
    assert "guess" not in caplog.text


def test_a_good_token_passes_whatever_was_guessed_beside_it(make_api: MakeApi) -> None:
    api = make_api(token="x" * 32)
    numbers = [ask(api, f"Bearer {number}").status_code for number in range(FREE_FAILURES + 3)]
    assert numbers == [401] * (FREE_FAILURES + 1) + [429, 429]
    assert ask(api, "Bearer " + "x" * 32).status_code == 200


def test_a_short_token_must_wait_and_is_warned_of(make_api: MakeApi) -> None:
    api = make_api(token="s3cret")
    assert "may be guessed" in ask(api, "Bearer s3cret").json["warnings"][0]
    for number in range(FREE_FAILURES + 1):
        ask(api, f"Bearer {number}")
    assert ask(api, "Bearer s3cret").status_code == 429


def test_the_users_file_may_not_lie_where_tasks_read(make_api: MakeApi, tmp_path: Any) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "link").symlink_to(work / "users")
    (work / "way_out").symlink_to(tmp_path / "users")
    for path in (work / "users", tmp_path / "link", work / "way_out"):
        config = SchedulerConfig(allowed_dirs=(work,), data_dir=tmp_path / "data", users_file=path)
        with pytest.raises(InvalidRequest, match="which tasks may read"):
            config.check_directories()
    SchedulerConfig(allowed_dirs=(work,), data_dir=tmp_path / "data", users_file=tmp_path / "users").check_directories()
    with pytest.raises(InvalidRequest, match="which every run may read"):
        make_api(users_file="/usr/local/etc/users").service.open()
