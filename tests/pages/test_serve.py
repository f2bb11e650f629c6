"""What all pages share: the policy, static files, errors, light and dark."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from scheduler.http.pages import assets
from scheduler.http.pages.routes import PAGES
from tests.contract.test_layers import imports
from tests.pages.conftest import Site, check_page

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
PACKAGE = Path(assets.__file__).parent
JSON = {"Host": "localhost:10800", "Accept": "application/json"}


def test_static_files_are_kept_for_good(site: Site) -> None:
    page = site.open("/")
    paths = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert len(paths) > 4
    for path in paths:
        response = site.get(path, Accept_Encoding="gzip")
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        name = path.rpartition("/")[2]
        assert gzip.decompress(response.data) == (PACKAGE / "static" / name).read_bytes()
        assert site.get(path).data == gzip.decompress(response.data)
        assert response.mimetype in ("text/css", "text/javascript", "image/svg+xml")


def test_another_version_of_a_file_is_not_found(site: Site) -> None:
    for path in (
        "/static/0123456789abcdef/base.css",
        f"/static/{assets.version()}/nothing.js",
        "/static/x/../base.css",
    ):
        assert site.get(path).status_code == 404


def test_modules_are_named_before_they_are_asked_for(site: Site) -> None:
    page = site.open("/")
    named = set(re.findall(r'(?:href|src)="/static/\w+/([\w.-]+\.js)"', page))
    needed, left = set(), ["main.js"]
    while left:
        name = left.pop()
        needed.add(name)
        source = (PACKAGE / "static" / name).read_text()
        left += [found for found in re.findall(r'from "\./([\w.-]+)"', source) if found not in needed]
    assert needed <= named


def test_no_page_stands_where_an_id_could() -> None:
    for page in PAGES:
        others = [other for other in PAGES if other.path != page.path and other.method == page.method]
        hidden = [other.path for other in others if re.fullmatch(re.sub(r"<id:\w+>", "[^/]+", other.path), page.path)]
        assert not hidden, f"{page.path} hides {hidden} of the id that is called so"


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "GET" and "<" not in page.path],
                         ids=lambda page: page.path)  # fmt: skip
def test_the_first_view_is_small(site: Site, page: object) -> None:
    path = getattr(page, "path")  # noqa: B009
    response = site.get(path, Accept_Encoding="gzip")
    total = len(response.data)
    text = site.get(path).text
    for part in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)):
        total += len(site.get(part, Accept_Encoding="gzip").data)
    assert total < 150 * 1024


@pytest.mark.parametrize("path", ["/taskz", "/scheduler/start", "/tasks/a/b/c", "/%00", "/" + "x" * 3000])
def test_browsers_get_pages_and_programs_get_json(site: Site, path: str) -> None:
    page, program = site.get(path), site.client.get(path, headers=JSON)
    assert page.status_code == program.status_code in (404, 405)
    check_page(page)
    assert program.json["status"] == "error"


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("POST", "/tasks", {"json": {"task_id": "x"}}, 400, "invalid_field"),
        ("POST", "/tasks", {"data": {"csrf": "wrong"}}, 403, "forbidden_origin"),
        ("GET", "/tasks/nope", {}, 404, "task_not_found"),
        ("GET", "/runs/nope", {}, 404, "run_not_found"),
        ("GET", "/runs?day=x", {}, 400, "invalid_field"),
    ],
)
def test_pages_tell_programs_of_errors_in_json(
    site: Site, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    response = site.client.open(path, method=method, headers=JSON, **sent)
    assert (response.status_code, response.json["code"]) == (status, code)
    assert "example" not in response.json or response.json["example"]
    if "json" in sent:
        assert site.client.post(path, headers={"Host": "localhost"}, **sent).json["code"] == code


def test_a_fault_behind_a_page_is_told_to_programs_in_json(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.api.scheduler, "get_job", lambda _: 1 / 0)
    response = site.client.get("/tasks/nightly", headers=JSON)
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert response.json["error_id"] in response.json["message"]


@pytest.mark.parametrize("path", ["/api/nothing", "/schedule/x", "/api/tasks/nope", "/healthz/x", "/docs/x"])
def test_what_is_for_programs_answers_browsers_in_json_too(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 404
    assert response.json["status"] == "error"


def test_a_fault_is_told_in_a_page_without_a_trace(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("scheduler.timelines.Timeline.coming", fail)
    text = site.open("/", 500)
    assert "Its log tells more under" in text
    assert "secret" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("path", ["/tasks/nothing", "/nothing", "/runs?status=x", "/scheduler/start"])
def test_who_has_signed_in_is_known_to_pages_of_errors(locked: Site, path: str) -> None:
    response = locked.get(path)
    assert "Sign out" not in response.text
    locked.sign_in()
    response = locked.get(path)
    check_page(response)
    assert response.status_code in (400, 404, 405)
    assert '<span class="who" title="user">ann</span>' in response.text
    assert "ann</span>" in locked.send_stale("/theme").text


def test_a_wrong_host_sees_nothing(site: Site) -> None:
    assert site.get("/", Host="evil.example").status_code == 403
    response = site.get("/nothing", Host="evil.example")
    assert (response.status_code, response.json["code"]) == (403, "forbidden_host")
    assert "Set-Cookie" not in response.headers


def test_the_choice_of_colours_is_kept(site: Site) -> None:
    assert "data-theme" not in site.open("/")
    response = site.send("/theme", theme="dark", back="/?x=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/?x=1")
    assert '<html lang="en" data-theme="dark">' in site.open("/")
    site.send("/theme", theme='"><script>')
    assert 'data-theme="dark"' in site.open("/")


def test_what_a_form_did_is_said_once(site: Site) -> None:
    assert site.send("/scheduler/start").headers["Location"] == "/"
    assert "Scheduler started" in site.open("/")
    assert "Scheduler started" not in site.open("/")
    for wrong in ("!!!", "_w", "dWdseSB4"):
        site.client.set_cookie("task-scheduler-10800-said", wrong, domain="localhost")
        assert 'class="notice' not in site.open("/")


def test_what_is_said_is_cut_to_what_a_cookie_may_have(site: Site) -> None:
    names = [f"{number}{'任务' * 60}" for number in range(1, 9)]
    response = site.send("/tasks", many="run", **{f"pick.{name}": "on" for name in names})
    assert max(map(len, response.headers.getlist("Set-Cookie"))) < 4096
    page = site.open("/tasks")
    assert names[0] in page.partition('class="notice')[2].partition("</div>")[0]


def test_what_people_name_runs_nowhere(site: Site) -> None:
    site.open(f"/{HOSTILE.replace('/', '%2F')}?x={HOSTILE}", 404)
    assert HOSTILE not in site.get(f"/sign-in?next={HOSTILE}").text


def test_open_pages_do_not_ask_who_it_is_and_the_api_stays_as_it_was(site: Site) -> None:
    response = site.client.get("/api/tasks", headers=JSON)
    assert "Set-Cookie" not in response.headers
    assert "Content-Security-Policy" not in response.headers


def test_view_models_know_nothing_of_flask() -> None:
    views = [*PACKAGE.glob("*_view.py"), PACKAGE / "words.py", PACKAGE / "local.py"]
    for path in views:
        assert not {name.split(".")[0] for name in imports(path)} & {"flask", "werkzeug", "jinja2"}, path
