"""Editing many tasks at once without scripts: what is asked, shown before, done, and how it is undone."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scheduler.errors import InvalidRequest
from scheduler.http.pages.edit_tasks_view import read_chosen, read_seen, read_undo
from tests.http.conftest import watch_for
from tests.pages.conftest import Site, check_page
from tests.users import line

ANCHOR = "2026-01-01T00:00:00+00:00"


class Editing:
    """An edit of some tasks, from page to page, as a browser without scripts goes through it."""

    def __init__(self, site: Site, *ids: str, back: str = "/tasks") -> None:
        self.site, self.sent = site, {"many": "edit", "back": back, **{f"pick.{each}": "on" for each in ids}}
        self.page = self.send()

    def send(self, status: int = 200, **fields: str) -> str:
        response = self.site.send("/tasks", **self.sent, **fields)
        assert response.status_code == status, response.text
        check_page(response)
        self.page = response.text
        return self.page

    def look(self, status: int = 200, **fields: str) -> str:
        """Fill the form in, and have the change shown."""
        return self.send(status, check="1", **fields)

    def go(self, **fields: str) -> str:
        """Carry out what was shown, with all that the page carries along."""
        carried = self.carried()
        return self.post({**carried, **fields}).text

    def undo(self) -> str:
        """Undo it, and return what the page says that one is led to."""
        return self.site.open(self.post(self.carried()).headers["Location"])

    def carried(self) -> dict[str, str]:
        found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', self.page.partition("edit-many")[2])
        return {html.unescape(name): html.unescape(value) for name, value in found}

    def post(self, fields: dict[str, str]) -> TestResponse:
        response = self.site.send("/tasks", **{name: text for name, text in fields.items() if name != "csrf"})
        self.page = response.text
        return response


def rows(page: str) -> list[list[str]]:
    """Return the lines of the table of changes: task (in its first line), field, before, after."""
    text = page.partition("<tbody>")[2].partition("</table>")[0]
    lines = [re.sub(r"<t[hd][^>]*>", "|", line) for line in text.split("<tr>")[1:]]
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in line.split("|")[1:]] for line in lines]


def fields_of(site: Site, task_id: str, *names: str) -> list[Any]:
    details = site.api.details(task_id)
    return [details[name] for name in names]


def test_only_what_was_chosen_changes_and_it_is_shown_before(site: Site) -> None:
    site.api.create("a", tags=["x", "y"], priority="low", command="echo a")
    site.api.create("b", tags=["y"], timeout_seconds=7)
    site.api.create("c", priority="high", tags=["z"])
    before = {name: site.api.details(name) for name in "abc"}
    editing = Editing(site, "a", "b", "c", back="/tasks?q=x")
    assert "Edit 3 tasks" in editing.page
    page = editing.look(priority="high", max_retries="2", add_tags="z, x", remove_tags="y")
    assert {name: site.api.details(name) for name in "abc"} == before, "nothing is changed before that was seen"
    assert "Change 3 tasks?" in page
    assert rows(page) == [
        ["a", "Priority", "low", "high"],
        ["Retries", "0", "2"],
        ["Tags", "x, y", "x, z"],
        ["b", "Priority", "medium", "high"],
        ["Retries", "0", "2"],
        ["Tags", "y", "z, x"],
        ["c", "Retries", "0", "2"],
        ["Tags", "z", "z, x"],
    ]
    assert "3 tasks changed" in editing.go()
    assert rows(editing.page) == rows(page)
    for name, tags in (("a", ["x", "z"]), ("b", ["z", "x"]), ("c", ["z", "x"])):
        after = site.api.details(name)
        assert (after["priority"], after["max_retries"], after["tags"]) == ("high", 2, tags)
        moved = {"priority", "max_retries", "tags", "updated_at", "updated_at_iso"}
        assert {key: after[key] for key in after if key not in moved} == {
            key: value for key, value in before[name].items() if key not in moved
        }
    assert 'href="/tasks?q=x"' in editing.page


def test_an_edit_is_undone_with_all_that_was(site: Site) -> None:
    site.api.create("a", tags=["x"], interval="every 7 hours")
    site.api.create("b", tags=["y"], interval="daily at 09:00", timezone="Asia/Tokyo")
    document = site.api.ok("export")["document"]
    again = {**document, "tasks": [{**task, "anchor": ANCHOR} for task in document["tasks"] if task["task_id"] == "a"]}
    site.api.ok("remove", task_id="a")
    site.api.ok("import", tasks=again)
    before, due = site.api.ok("export")["document"], site.api.details("a")["next_run_at"]
    assert before["tasks"][0]["anchor"].startswith("2026-01-01")
    editing = Editing(site, "a", "b")
    editing.look(timezone="America/New_York", add_tags="new", timeout_seconds="1.5")
    editing.go()
    assert site.api.ok("export")["document"] != before
    assert "2 tasks are as before." in editing.undo()
    assert site.api.ok("export")["document"] == before
    assert site.api.details("a")["next_run_at"] == due


def test_who_does_it_is_remembered(locked: Site) -> None:
    locked.sign_in("ann")
    fields = {"task_id": "mine", "type": "command", "command": "true", "interval": "hourly"}
    locked.api.scheduler.add_job(locked.api.scheduler.read_definition(fields))
    editing = Editing(locked, "mine")
    editing.look(priority="low")
    editing.go()
    editing.undo()
    changes = locked.get("/api/tasks/mine/history").json["changes"]
    assert [change["by"] for change in changes] == ["ann", "ann"]
    assert [change["fields"] for change in reversed(changes)] == [
        [{"field": "priority", "old": "medium", "new": "low"}],
        [{"field": "priority", "old": "low", "new": "medium"}],
    ]
    locked.api.scheduler.remove_job("mine")


def test_what_refuses_is_told_before_and_left_alone(make_site: Callable[..., Site], tmp_path: Path) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text("id: filed\ncommand: 'true'\nschedule: hourly\n")
    site = make_site(jobs_file=file)
    watch_for(lambda: site.api.ok("list")["count"])
    site.api.create("a")
    site.api.create("b", priority="high")
    editing = Editing(site, "a", "b", "filed", "gone")
    page = editing.look(priority="high")
    assert "Change 1 task?" in page
    assert rows(page) == [["a", "Priority", "medium", "high"]]
    refused = re.sub(r"<[^>]+>", "", page.partition('class="refused"')[2].partition("</ul>")[0])
    assert f"filed: It is defined in {file}: change its entry there." in refused
    assert "gone: No task &#39;gone&#39; exists." in refused
    assert "Nothing changes for <code>b</code>." in page
    editing.go()
    assert site.api.details("filed")["priority"] == "medium"
    assert site.api.details("a")["priority"] == "high"


def test_nobodys_change_is_overwritten(site: Site) -> None:
    site.api.create("a", tags=["x"])
    site.api.create("b", tags=["x"])
    editing = Editing(site, "a", "b")
    editing.look(add_tags="y")
    site.api.ok("update", task_id="a", tags=["theirs"])
    page = editing.go()
    assert "1 task changed" in page
    assert "It was changed meanwhile: look at it again." in page
    assert fields_of(site, "a", "tags") == [["theirs"]]
    site.api.ok("update", task_id="b", description="theirs")
    assert "&#39;b&#39;: It was changed meanwhile" in editing.undo()
    assert fields_of(site, "b", "tags", "description") == [["x", "y"], "theirs"]


def test_what_was_shown_is_carried_out_once(site: Site) -> None:
    site.api.create("a")
    site.api.create("later")
    editing = Editing(site, "a")
    editing.look(priority="high")
    carried = editing.carried()
    editing.post({**carried, "pick.later": "on"})
    assert fields_of(site, "later", "priority") == ["medium"], "what was not shown is not changed"
    assert "1 task changed" in editing.page
    again = editing.post(carried)
    assert "0 tasks changed" in again.text
    assert "changed meanwhile" in again.text


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("max_retries", "-1", "max_retries"),
        ("max_retries", "two", "max_retries"),
        ("timeout_seconds", "0", "timeout_seconds"),
        ("timezone", "Europe/Berlim", "Europe/Berlin"),
        ("priority", "most", "priority"),
        ("add_tags", "x" * 65, "tags"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(site: Site, field: str, text: str, said: str) -> None:
    site.api.create("a")
    site.api.create("b")
    page = Editing(site, "a", "b").look(400, **{field: text})
    assert "Nothing would change." in page
    hint = page.partition(f'id="edit-{field}-hint"')[2].partition("</p>")[0]
    assert said in hint
    assert hint.count('class="bad"') == 1, "once for all tasks"
    assert field == "priority" or f'name="{field}" value="{text}"' in page
    assert fields_of(site, "a", "priority", "tags", "max_retries") == ["medium", [], 0]


def test_nothing_to_do_is_told(site: Site) -> None:
    site.api.create("a", tags=["x"])
    editing = Editing(site, "a")
    assert "Say what shall change" in editing.look(400)
    assert "Nothing would change: all of it is so already." in editing.look(400, priority="medium", add_tags="x")
    assert "Nothing would change: all of it is so already." in editing.look(400, timezone="europe/berlin")
    assert "Nothing would change: all of it is so already." in editing.look(400, remove_tags="other")


def test_one_goes_back_with_what_was_filled_in(site: Site) -> None:
    site.api.create("a")
    editing = Editing(site, "a")
    editing.look(priority="low", add_tags="p, q", timeout_seconds="5")
    page = editing.go(again="1")
    for text in ('name="add_tags" value="p, q"', 'name="timeout_seconds" value="5"', "<option selected>low</option>"):
        assert text in page
    assert fields_of(site, "a", "priority") == ["medium"]


def test_without_tasks_there_is_no_edit(site: Site) -> None:
    site.send("/tasks", many="edit")
    assert "Choose tasks first" in site.open("/tasks")


def test_who_may_run_tasks_may_not_edit_them(make_site: Callable[..., Site]) -> None:
    site = make_site((line("ron", "run"),))
    site.sign_in("ron")
    job = {"task_id": "a", "type": "command", "command": "true", "interval": "hourly"}
    site.api.scheduler.add_job(site.api.scheduler.read_definition(job))
    assert 'value="run"' in site.open("/tasks")
    assert 'value="edit"' not in site.open("/tasks")
    for fields in ({"many": "edit", "pick.a": "on"}, {"many": "undo", "undo": "[]"}):
        assert site.send("/tasks", **fields).status_code == 403


def test_what_people_name_runs_nowhere(site: Site) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'"
    site.api.create(hostile, tags=[hostile])
    editing = Editing(site, hostile, "<script>gone")
    for page in (editing.page, editing.look(add_tags=f"{hostile}2"), editing.go()):
        assert "<img" not in page
        assert "<script>gone" not in page
    assert "1 task is as before." in editing.undo()


@pytest.mark.parametrize(
    "undo",
    [
        "", "x", "5", "{}x", '{"a": 1}', "[1]", '[{"id": "a"}]', "[" * 5000,
        json.dumps([{"id": "a", "revision": 1, "values": {"command": "id"}, "anchor": ANCHOR}]),
        json.dumps([{"id": "a", "revision": 1, "values": ["tags"], "anchor": ANCHOR}]),
        json.dumps([{"id": "a", "revision": 1, "values": {"tags": []}, "anchor": "2026-01-01"}]),
    ],
)  # fmt: skip
def test_what_no_page_carries_is_refused(site: Site, undo: str) -> None:
    assert site.send("/tasks", many="undo", undo=undo).status_code == 400
    with pytest.raises(InvalidRequest):
        read_undo(undo)


@pytest.mark.parametrize("seen", ["", "x", "[]", '{"a": "x"}', '{"a": null}'])
def test_what_no_page_has_shown_is_refused(site: Site, seen: str) -> None:
    site.api.create("a")
    sent = {"many": "edit", "pick.a": "on", "priority": "high", "seen": seen}
    assert site.send("/tasks", **sent).status_code == 400
    with pytest.raises(InvalidRequest):
        read_seen(seen)


def test_an_empty_form_asks_for_nothing() -> None:
    assert not read_chosen({})
    assert not read_chosen({"add_tags": " , ", "timezone": "  ", "priority": ""})
    assert read_chosen({"add_tags": "a, b,a"}).added == ["a", "b"]
