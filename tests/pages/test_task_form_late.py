"""The form of a task that is sent late: nothing that somebody has written is lost, whatever became of it meanwhile."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from sqlalchemy import delete

from scheduler.http.pages.local import task_path
from scheduler.store.tables import changes
from scheduler.task_scheduler import TaskScheduler
from tests.http.conftest import COMMAND
from tests.pages.conftest import Site, check_page
from tests.pages.test_task_form import HOSTILE, RICH, export, form_of


def described(locked: Site, path: str, task_id: str) -> dict[str, str]:
    """Return a form that somebody has filled in, for a new task or for one that exists."""
    fields = form_of(locked.open(path)) | {"description": f"long\ntext {HOSTILE}", "tags": "x, y"}
    return fields | {"task_id": task_id, "command": "true", "interval": "hourly"}


@pytest.fixture
def kept(locked: Site) -> Site:
    """Return a site with users and the task `kept`, with ann signed in."""
    locked.sign_in()
    scheduler = locked.api.scheduler
    if "kept" in scheduler.jobs:
        scheduler.remove_job("kept")
    scheduler.add_job(scheduler.read_definition({"task_id": "kept", **COMMAND}))
    return locked


FORMS = pytest.mark.parametrize(("path", "task_id"), [("/new-task", "made"), ("/tasks/kept/edit", "kept")])


@FORMS
def test_who_has_signed_in_anew_goes_on_with_a_form_that_was_open(kept: Site, path: str, task_id: str) -> None:
    fields, token = described(kept, path, task_id), kept.token()
    kept.send("/sign-out")
    kept.sign_in()
    shown = kept.send_stale(path, token, **fields)
    check_page(shown)
    assert shown.status_code == 403
    assert "Nothing is saved yet" in shown.text
    assert [job for job in kept.api.scheduler.jobs.values() if job.description] == []
    again = form_of(shown.text)
    assert (again["description"], again["tags"]) == (fields["description"], "x, y")
    assert kept.send(path, **again).headers["Location"] == f"/tasks/{task_id}"
    assert kept.api.scheduler.jobs[task_id].description == fields["description"]
    kept.api.scheduler.remove_job(task_id)


@FORMS
def test_what_was_written_outlives_the_session(kept: Site, path: str, task_id: str) -> None:
    fields, token = described(kept, path, task_id), kept.token()
    kept.send("/sign-out")
    held = kept.send_stale(path, token, **fields)
    check_page(held)
    assert held.status_code == 403
    kept.sign_in()
    again = form_of(kept.send_stale(path, **form_of(held.text)).text)
    assert again["description"] == fields["description"]
    assert kept.send(path, **again).headers["Location"] == f"/tasks/{task_id}"
    kept.api.scheduler.remove_job(task_id)


def test_a_form_that_comes_too_late_takes_over_what_somebody_else_did_meanwhile(kept: Site) -> None:
    fields, token = described(kept, "/tasks/kept/edit", "kept"), kept.token()
    kept.api.scheduler.update_job("kept", {"name": "theirs"})
    kept.send("/sign-out")
    kept.sign_in()
    shown = kept.send_stale("/tasks/kept/edit", token, **fields)
    assert "Somebody changed this task" in shown.text
    assert kept.send("/tasks/kept/edit", **form_of(shown.text)).status_code == 303
    job = kept.api.scheduler.jobs["kept"]
    assert (job.name, job.description) == ("theirs", fields["description"])


def test_who_may_not_change_tasks_is_shown_none_by_a_form_without_a_token(kept: Site) -> None:
    kept.sign_in("rob")
    refused = kept.send_stale("/tasks/kept/edit", description="x")
    assert (refused.status_code, "every 1 hour" in refused.text) == (403, False)


@pytest.mark.parametrize("task_id", ["a/b", "what?", "a#b", "50%25", "..", "e/f %"])
def test_what_was_written_outlives_the_session_whatever_the_id(kept: Site, task_id: str) -> None:
    scheduler = kept.api.scheduler
    scheduler.add_job(scheduler.read_definition({"task_id": task_id, **COMMAND}))
    path = f"{task_path(task_id)}/edit"
    fields, token = described(kept, path, task_id), kept.token()
    kept.send("/sign-out")
    held = kept.send_stale(path, token, **fields)
    kept.sign_in()
    [action] = re.findall(r'<form method="post" action="([^"]*)">\n<input type="hidden" name="began_with"', held.text)
    again = form_of(kept.send_stale(html.unescape(action), **form_of(held.text)).text)
    assert again["description"] == fields["description"]
    scheduler.remove_job(task_id)


def test_an_edit_of_a_task_that_was_removed_goes_on_as_a_new_one(site: Site) -> None:
    site.api.create("x", **RICH)
    before = export(site, "x")
    form = form_of(site.open("/tasks/x/edit")) | {"description": "precious", "max_retries": ""}
    site.api.ok("remove", task_id="x")
    shown = site.send("/tasks/x/edit", **form)
    check_page(shown)
    assert shown.status_code == 404
    assert "Nothing is saved yet: task &#39;x&#39; was removed meanwhile." in shown.text
    assert 'action="/new-task"' in shown.text
    assert "What this form did not show" not in shown.text
    again = form_of(shown.text)
    assert (again["task_id"], again["description"], again["max_retries"]) == ("x", "precious", "")
    assert site.send("/new-task", **again).headers["Location"] == "/tasks/x"
    expected = {name: value for name, value in before.items() if name != "max_retries"}
    assert export(site, "x") == expected | {"description": "precious"}


@pytest.mark.parametrize("pressed", [{}, {"check": "1"}, {"try": "1"}, {"take.name": "n"}], ids=str)
def test_no_button_of_a_form_loses_what_was_written_of_a_task_that_was_removed(
    site: Site, pressed: dict[str, str]
) -> None:
    site.api.create("x")
    form = form_of(site.open("/tasks/x/edit")) | {"description": "precious"}
    site.api.ok("remove", task_id="x")
    assert form_of(site.send("/tasks/x/edit", **form, **pressed).text)["description"] == "precious"


def test_a_copy_of_a_task_that_was_removed_meanwhile_has_all_of_it(site: Site) -> None:
    site.api.create("x", **RICH)
    before = export(site, "x")
    form = form_of(site.open("/new-task?from=x"))
    site.api.ok("remove", task_id="x")
    assert site.send("/new-task", **form).headers["Location"] == "/tasks/x-copy"
    assert export(site, "x-copy") == before | {"task_id": "x-copy"}


@pytest.mark.parametrize(("path", "field"), [("/tasks/x/edit", "x"), ("/new-task", "x-copy")])
def test_what_was_written_outlives_all_that_is_known_of_a_task(site: Site, path: str, field: str) -> None:
    site.api.create("x", args=["a\nb"], coalesce=False)
    form = form_of(site.open(path if "edit" in path else "/new-task?from=x")) | {"description": "precious"}
    site.api.ok("remove", task_id="x")
    site.api.scheduler._store.write(lambda connection: connection.execute(delete(changes)))
    shown = site.send(path, **form)
    check_page(shown)
    assert (shown.status_code, site.api.ok("list")["count"]) == (404, 0)
    assert "What this form did not show of it is gone." in shown.text
    again = form_of(shown.text)
    assert site.send("/new-task", **again).headers["Location"] == f"/tasks/{field}"
    made = export(site, field)
    assert (made["description"], made["coalesce"], "args" in made) == ("precious", False, False)


def test_a_task_that_is_removed_while_its_form_is_saved_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.api.create("x")
    form = form_of(site.open("/tasks/x/edit")) | {"description": "precious"}
    update, scheduler = TaskScheduler.update_job, site.api.scheduler

    def late(self: TaskScheduler, *args: Any) -> Any:
        if "x" in scheduler.jobs:
            scheduler.remove_job("x")
        return update(self, *args)

    monkeypatch.setattr(TaskScheduler, "update_job", late)
    shown = site.send("/tasks/x/edit", **form)
    assert (shown.status_code, form_of(shown.text)["description"]) == (404, "precious")


def test_a_form_without_a_token_outlives_its_task(kept: Site) -> None:
    fields, token = described(kept, "/tasks/kept/edit", "kept"), kept.token()
    kept.api.scheduler.remove_job("kept")
    kept.send("/sign-out")
    kept.sign_in()
    again = form_of(kept.send_stale("/tasks/kept/edit", token, **fields).text)
    assert again["description"] == fields["description"]
    assert kept.send("/new-task", **again).headers["Location"] == "/tasks/kept"


def test_a_trial_is_no_task_that_was_removed(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"command": "echo secret", "try": "1"}
    site.send("/new-task", **form)
    assert site.api.scheduler.find_removed("trial") is None
