"""Signing in and out: cookies that other sites cannot use, and that end with what they were given for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from scheduler.auth.attempts import FREE_FAILURES
from scheduler.auth.scopes import Scope
from scheduler.http.app import create_app
from scheduler.models import utc_now
from tests.http.conftest import COMMAND
from tests.pages.conftest import BROWSER, Site, check_page
from tests.users import PASSWORD, line, write_users

HOST = {"Host": "localhost:10800"}
MakeSite = Callable[..., Site]


def cookie(site: Site) -> str:
    """Return the browser's secret."""
    found = site.client.get_cookie("task-scheduler-10800", "localhost")
    assert found is not None
    return found.value


def test_where_nothing_is_set_pages_are_open(site: Site) -> None:
    assert "Sign out" not in site.open("/")
    assert site.get("/sign-in?next=/tasks").headers["Location"] == "/tasks"


def test_who_has_not_signed_in_is_led_to_the_form_and_back(locked: Site) -> None:
    response = locked.get("/?tag=a%20b")
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in?next=/%3Ftag%3Da%2520b")
    form = locked.open(response.headers["Location"])
    assert 'name="next" value="/?tag=a%20b"' in form
    response = locked.sign_in(following="/?tag=a%20b")
    assert (response.status_code, response.headers["Location"]) == (303, "/?tag=a%20b")
    assert "Sign out" in locked.open("/")


@pytest.mark.parametrize(
    "path", ["/tasks/a%20b%2Fc%25", "/tasks/%C3%BC%20%F0%9F%9A%80", "/tasks?q=a+b%26c", "/tasks/..%20"]
)
def test_who_signs_in_comes_to_what_was_asked_for(locked: Site, path: str) -> None:
    form = locked.open(locked.get(path).headers["Location"])
    assert f'name="next" value="{path}"' in form
    assert locked.sign_in(following=path).headers["Location"] == path
    assert f'name="back" value="{path}"' in locked.get(path).text


def test_the_cookie_is_for_this_service_alone_and_new_at_each_sign_in(locked: Site) -> None:
    locked.open("/sign-in")
    before = cookie(locked)
    [set_cookie] = locked.sign_in().headers.getlist("Set-Cookie")
    assert cookie(locked) != before
    assert set_cookie.startswith("task-scheduler-10800=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(set_cookie.split("; "))
    assert "Secure" not in set_cookie


def test_over_https_the_cookie_is_never_sent_in_plain(locked: Site) -> None:
    response = locked.client.get("/sign-in", headers=BROWSER, base_url="https://localhost:10800")
    assert "Secure" in response.headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize(("name", "password"), [("ann", "battery staple"), ("nobody", PASSWORD), ("", ""), ("ann", "")])
def test_what_is_wrong_is_told_and_opens_nothing(locked: Site, name: str, password: str) -> None:
    response = locked.sign_in(name, password)
    assert response.status_code == 401
    check_page(response)
    assert 'role="alert"' in response.text
    assert password not in response.text or not password
    assert locked.get("/").status_code == 303


def test_guesses_are_slowed_down_as_in_the_api(locked: Site) -> None:
    for _ in range(FREE_FAILURES + 1):
        locked.sign_in(password="guess")
    response = locked.sign_in()
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    check_page(response)


def test_a_token_signs_in(make_site: MakeSite) -> None:
    site = make_site(token="x" * 32)
    assert site.send("/sign-in", token="y" * 32).status_code == 401
    assert site.send("/sign-in", token=" " + "x" * 32 + "\n").status_code == 303
    assert "operator" in site.open("/")


def test_a_named_token_signs_in_until_it_is_revoked(make_site: MakeSite) -> None:
    site = make_site(token="x" * 32)
    book = site.api.scheduler.tokens
    shown, _ = book.add("wall", frozenset({Scope.READ}), None)
    assert site.send("/sign-in", token=shown).status_code == 303
    assert "wall" in site.open("/")
    book.revoke("wall")
    book._looked_at = None  # half a second later
    assert site.get("/").status_code == 303


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(locked: Site) -> None:
    locked.sign_in()
    thief = locked.other()
    thief.client.set_cookie("task-scheduler-10800", cookie(locked), domain="localhost")
    assert thief.get("/").status_code == 200
    assert locked.send("/sign-out").headers["Location"] == "/sign-in"
    assert locked.get("/").status_code == thief.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/", "/dashboard/now", "/tasks/nothing", "/nothing"])
def test_a_browser_keeps_no_page_of_those_who_sign_out(site: Site, locked: Site, path: str) -> None:
    locked.sign_in()
    assert locked.get(path).headers["Cache-Control"] == "no-store"
    assert site.get(path).headers["Cache-Control"] == "private, no-cache"


def test_a_session_ends_with_its_user_or_password(locked: Site) -> None:
    locked.sign_in()
    users = locked.api.data / "users"
    write_users(users, line("ann", "read"), line("rob", "read"))
    assert "read only" in locked.open("/")
    write_users(users, line("ann", password="another"), line("rob", "read"))
    assert locked.get("/").status_code == 303
    write_users(users, line("ann"), line("rob", "read"))
    assert locked.get("/").status_code == 200
    write_users(users, line("rob", "read"))
    assert locked.get("/").status_code == 303


def test_a_session_ends_with_the_one_token(make_site: MakeSite) -> None:
    site = make_site(token="x" * 32)
    site.send("/sign-in", token="x" * 32)
    site.api.service.guard.access._one_token = [b"z" * 32]
    assert site.get("/").status_code == 303


def test_a_session_ends_after_a_week(locked: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    locked.sign_in()
    book, began_at = locked.api.scheduler.sessions, utc_now()
    monkeypatch.setattr(book, "_now", lambda: began_at + timedelta(days=6, hours=23))
    assert locked.get("/").status_code == 200
    monkeypatch.setattr(book, "_now", lambda: began_at + timedelta(days=7))
    assert locked.get("/").status_code == 303


def test_another_process_on_the_database_knows_the_session(locked: Site) -> None:
    locked.sign_in()
    app = create_app(lambda: type(locked.api.scheduler.config)(**locked.api.settings))
    try:
        client = app.test_client()
        client.set_cookie("task-scheduler-10800", cookie(locked), domain="localhost")
        assert client.get("/", headers=BROWSER).status_code == 200
        locked.send("/sign-out")
        assert client.get("/", headers=BROWSER).status_code == 303
    finally:
        app.extensions["task-scheduler"].close()


def test_the_database_holds_nothing_that_opens(locked: Site) -> None:
    locked.sign_in()
    kept = b"".join(path.read_bytes() for path in locked.api.data.rglob("*.db*"))
    assert b"ann" in kept
    assert cookie(locked).encode() not in kept


# --- the API -------------------------------------------------------------------------------------


def test_the_api_takes_the_cookie_and_for_changes_the_token_of_the_page(locked: Site) -> None:
    locked.sign_in()
    assert locked.client.get("/api/tasks", headers=HOST).status_code == 200
    body = {"task_id": "t", **COMMAND}
    refused = locked.client.post("/api/tasks", json=body, headers=HOST)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden_origin")
    assert "X-CSRF-Token" in refused.json["message"]
    wrong = locked.client.post("/api/tasks", json=body, headers={**HOST, "X-CSRF-Token": "0" * 64})
    assert wrong.status_code == 403
    token = {**HOST, "X-CSRF-Token": locked.token()}
    made = locked.client.post("/api/tasks", json=body, headers=token)
    assert (made.status_code, made.json["created_by"]) == (201, "ann")
    assert locked.client.post("/schedule", json={"action": "list"}, headers=token).status_code == 200
    assert locked.client.post("/schedule", json={"action": "list"}, headers=HOST).status_code == 403


def test_without_a_session_the_api_says_so_without_a_window_of_the_browser(locked: Site) -> None:
    locked.open("/sign-in")
    response = locked.client.get("/api/tasks", headers=HOST)
    assert (response.status_code, response.json["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Session realm="task-scheduler"'


def test_a_header_wins_over_the_cookie(locked: Site) -> None:
    locked.sign_in()
    assert locked.client.get("/api/tasks", headers={**HOST, "Authorization": "Bearer wrong"}).status_code == 401


# --- forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/theme", "/scheduler/start", "/scheduler/stop"])
def test_a_form_of_another_site_does_nothing(site: Site, path: str) -> None:
    for fields in ({"x": ""}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": site.other().token()}):
        response = site.client.post(path, data=fields, headers=BROWSER)
        assert response.status_code == 403
        check_page(response)
    assert site.api.ok("status")["state"] == "stopped"
    response = site.client.post(path, data={"csrf": site.token()}, headers={**BROWSER, "Origin": "http://evil.example"})
    assert response.status_code == 403


def test_a_form_is_a_form(site: Site) -> None:
    token = site.token()
    assert site.client.post("/theme", json={"csrf": token}, headers=BROWSER).status_code == 400
    assert site.client.post("/theme", data=b"csrf=%ff", content_type="application/x-www-form-urlencoded",
                            headers=BROWSER).status_code == 400  # fmt: skip


@pytest.mark.parametrize(
    ("given", "led"),
    [
        ("/tasks?x=1#y", "/tasks?x=1#y"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_one_is_never_led_elsewhere(locked: Site, given: str, led: str) -> None:
    assert locked.sign_in(following=given).headers["Location"] == led


def test_who_may_read_sees_no_buttons_and_may_press_none(locked: Site) -> None:
    locked.sign_in("rob")
    page = locked.open("/")
    assert "/scheduler/start" not in page
    response = locked.send("/scheduler/start")
    assert response.status_code == 403
    assert "admin" in response.text
    check_page(response)
