"""The table of tasks: what it shows, how its address narrows and orders it, and what its buttons do without scripts."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from scheduler.http.pages.tasks_view import Asked, read_query, strip_of
from scheduler.models import JobStatus
from scheduler.run import RunStatus
from scheduler.store.task_table import OUTCOMES, Outcome
from tests.pages.conftest import Site

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


def ids(page: str) -> list[str]:
    return re.findall(r'<tr data-row data-id="([^"]*)"', page)


def test_an_address_says_what_is_shown() -> None:
    asked = read_query(
        {"q": " back ", "state": "paused", "last": "failed", "type": "test", "tag": "x", "sort": "-next"}
    )
    query = asked.query
    assert (query.search, query.state, query.last) == ("back", JobStatus.PAUSED, RunStatus.FAILED)
    assert (query.type, query.tag, query.sort, query.descending) == ("test", "x", "next", True)
    assert asked.path() == "/tasks?q=back&state=paused&last=failed&type=test&tag=x&sort=-next"


@pytest.mark.parametrize(
    "args", [{"state": "x"}, {"last": "running"}, {"type": "x"}, {"sort": "x"}, {"page": "-1"}, {"page": "9" * 40}]
)
def test_what_cannot_be_meant_is_left_out(args: dict[str, str]) -> None:
    assert read_query(args) == Asked()


def test_links_change_one_thing_and_begin_at_the_first_page() -> None:
    asked = Asked(q="a b", sort="name", page=3)
    assert asked.sorted_by("next") == "/tasks?q=a+b&sort=next"
    assert asked.sorted_by("name") == "/tasks?q=a+b&sort=-name"
    assert asked.path(page=4) == "/tasks?q=a+b&page=4"
    assert (asked.direction("name"), asked.direction("next")) == ("ascending", None)
    assert Asked().path() == "/tasks"


def outcome(status: RunStatus) -> Outcome:
    return Outcome("t", "r", status.value)


def test_a_strip_tells_by_shape_and_in_words() -> None:
    strip = strip_of([outcome(RunStatus.COMPLETED), outcome(RunStatus.COMPLETED), outcome(RunStatus.FAILED)])
    assert strip.text == "Last 3 runs: 2 completed, 1 failed; the newest is failed"
    assert [name for name, _ in strip.paths] == ["completed", "failed"]
    assert strip.paths[1][1] == f"M{(OUTCOMES - 1) * 5} 0h3v16h-3z"
    assert strip_of([]).text == "No runs yet"
    shapes = {strip_of([outcome(status)]).paths[0][1] for status in RunStatus}
    assert len(shapes) == len(RunStatus), "two outcomes look the same to who sees no colours"


def test_it_shows_each_task(site: Site) -> None:
    site.api.create("nightly", interval="daily at 10:30", name="By night", tags=["x"], timezone="Asia/Tokyo")
    site.api.run("nightly")
    page = site.open("/tasks")
    for text in ("By night", "every day at 10:30", "Asia/Tokyo", "1 task", "the newest is completed"):
        assert text in page


def links(page: str) -> list[tuple[str, str]]:
    """Return where the marks of a strip lead, and what each says."""
    found = re.findall(r'<a href="([^"]*)" tabindex="-1">(.*?)</a>', page)
    return [(href, re.sub(r"<[^>]+>", "", inside)) for href, inside in found]


def test_a_strip_leads_to_the_list_and_its_marks_to_their_runs(site: Site) -> None:
    site.api.create("a/b %", timezone="Asia/Tokyo", command="exit $(cat code)")
    assert "/runs?task=" not in site.open("/tasks")
    runs = []
    for code in "010":
        (site.api.workspace / "code").write_text(code)
        runs.append(site.api.run("a/b %"))
    [strip] = re.findall(r'<a class="to-runs" href="([^"]*)">', site.open("/tasks"))
    listed = site.open(strip)
    assert all(f"/runs/{run['run_id']}" in listed for run in runs)
    marks = links(site.get("/tasks/a%2Fb%20%25/strip").text)
    assert [href for href, _ in marks] == [f"/runs/{run['run_id']}" for run in runs]
    tokyo = ZoneInfo("Asia/Tokyo")
    due = [datetime.fromisoformat(run["scheduled_for"]).astimezone(tokyo) for run in runs]
    statuses = ("completed", "failed", "completed")
    assert [text for _, text in marks] == [f"{s}, {at:%Y-%m-%d %H:%M:%S}" for s, at in zip(statuses, due, strict=True)]
    assert "exit code" in site.open(marks[1][0])


def test_a_strip_has_the_newest_runs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.http.pages.tasks.OUTCOMES", 2)
    site.api.create("t")
    runs = [site.api.run("t")["run_id"] for _ in range(3)]
    assert [href for href, _ in links(site.get("/tasks/t/strip").text)] == [f"/runs/{run_id}" for run_id in runs[1:]]
    assert site.get("/tasks/none/strip").status_code == 404


def test_a_strip_is_no_longer_for_that_its_marks_lead_somewhere(site: Site) -> None:
    site.api.create("t")
    for _ in range(3):
        site.api.run("t")
    [cell] = re.findall(r'<td class="outcomes">.*?</td>', site.open("/tasks"))
    assert cell.count("<a") == 1
    assert len(cell) < 500, "a hundred of them stand on a page"


def test_empty_pages_say_what_to_do(site: Site) -> None:
    assert "No tasks yet" in site.open("/tasks")
    assert "curl" in site.open("/tasks")
    assert "No task matches" in site.open("/tasks?q=nothing")


def test_addresses_narrow_and_order_it(site: Site) -> None:
    for name in ("a", "b", "c"):
        site.api.create(name, interval=f"every {ord(name)} hours")
    site.api.ok("pause", task_id="b")
    assert ids(site.open("/tasks")) == ["a", "b", "c"]
    assert ids(site.open("/tasks?sort=-name")) == ["c", "b", "a"]
    assert ids(site.open("/tasks?state=paused")) == ["b"]
    assert ids(site.open("/tasks?sort=-next")) == ["c", "a", "b"]
    assert 'aria-sort="descending"' in site.open("/tasks?sort=-next")


@pytest.mark.parametrize(
    ("query", "chosen"),
    [("tag=gone", "gone"), ("tag=x", "x"), ("origin=/gone.yaml", "/gone.yaml"), ("state=paused", "paused")],
)
def test_what_narrows_the_table_is_chosen_in_its_list(site: Site, query: str, chosen: str) -> None:
    site.api.create("a", tags=["x"])
    page = site.open(f"/tasks?{query}")
    assert page.count(f"<option selected>{chosen}</option>") == 1
    assert page.count(f">{chosen}</option>") == 1


def test_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.http.pages.tasks.ROWS", 2)
    for number in range(5):
        site.api.create(f"t{number}")
    assert ids(site.open("/tasks")) == ["t0", "t1"]
    page = site.open("/tasks?page=2")
    assert ids(page) == ["t2", "t3"]
    assert "Page 2 of 3" in page
    assert ids(site.open("/tasks?page=99")) == ["t4"]


def test_what_people_name_runs_nowhere(site: Site) -> None:
    site.api.create(HOSTILE, name=HOSTILE, tags=[HOSTILE[:64]], command=HOSTILE, description=HOSTILE)
    for path in ("/tasks", f"/tasks?q={HOSTILE}", "/tasks?tag=%22%3E%3Cscript%3E"):
        page = site.open(path)
        assert "<script>alert" not in page
        assert "<img" not in page


def test_buttons_work_without_scripts(site: Site) -> None:
    site.api.create("a b")
    site.api.create("c")
    assert site.send("/tasks", one="pause a b", back="/tasks?q=a").headers["Location"] == "/tasks?q=a"
    assert "&#39;a b&#39; paused." in site.open("/tasks")
    assert site.api.details("a b")["state"] == "paused"
    site.send("/tasks", many="pause", **{"pick.c": "on", "pick.a b": "on"})
    assert "2 tasks paused." in site.open("/tasks")
    site.send("/tasks", one="resume c")
    assert site.api.details("c")["state"] == "pending"
    site.send("/tasks", one="run c")
    assert site.api.ok("runs", task_id="c")["runs"]


def test_nothing_chosen_is_told(site: Site) -> None:
    for fields in ({"many": "run"}, {"many": "x", "pick.a": "on"}, {}):
        site.send("/tasks", **fields)
        assert "Choose tasks first" in site.open("/tasks")


def test_a_removal_is_confirmed_without_scripts(site: Site) -> None:
    site.api.create("c")
    response = site.send("/tasks", one="remove c", back="/tasks?sort=next")
    assert response.status_code == 200
    assert "Remove 1 task?" in response.text
    assert site.api.ok("list")["count"] == 1
    site.send("/tasks", many="remove", sure="1", back="/tasks", **{"pick.c": "on"})
    assert site.api.ok("list")["count"] == 0


def test_what_does_not_work_is_told(site: Site) -> None:
    site.api.create("a")
    site.send("/tasks", many="pause", **{"pick.a": "on", "pick.gone": "on"})
    page = site.open("/tasks")
    assert "1 task paused. No task &#39;gone&#39; exists." in page
    assert "notice bad" in page


def test_who_acts_is_remembered(locked: Site) -> None:
    locked.sign_in("ann")
    service = locked.api.scheduler
    job = {"task_id": "mine", "type": "command", "command": "true", "interval": "hourly"}
    service.add_job(service.read_definition(job))
    locked.send("/tasks", one="pause mine")
    locked.send("/tasks", one="resume mine")
    locked.send("/tasks", one="remove mine", sure="1")
    service.add_job(service.read_definition(job))
    changes = locked.get("/api/tasks/mine/history").json["changes"]
    assert [(change["kind"], change["by"]) for change in changes] == [
        ("removed", "ann"),
        ("resumed", "ann"),
        ("paused", "ann"),
    ]
    service.remove_job("mine")


def test_readers_have_no_buttons(locked: Site) -> None:
    locked.sign_in("rob")
    page = locked.open("/tasks")
    assert "New task" not in page
    assert 'name="one"' not in page
    assert "pick-all" not in page
    assert locked.send("/tasks", one="run x").status_code == 403
    assert locked.get("/new-task").status_code == 403
