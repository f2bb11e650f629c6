"""The form of a task: what it shows, what it means, and that nothing is lost by it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from scheduler.http.pages import task_form_view as view
from tasks.sandbox import SandboxRequest
from tests.pages.conftest import Site

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


def form_of(page: str) -> dict[str, str]:
    """Return what a browser would send of a form as it stands."""
    fields = {}
    for tag in re.findall(r"<input [^>]*>", page):
        given = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        kind = given.get("type", "text")
        if "name" in given and (kind not in ("checkbox", "radio") or " checked" in tag):
            fields[given["name"]] = given.get("value", "on")
    for name, text in re.findall(r'<textarea [^>]*name="([\w.]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL):
        fields[name] = html.unescape(text)
    for name, options in re.findall(r'<select [^>]*name="([\w.]+)"[^>]*>(.*?)</select>', page):
        [(given, text)] = re.findall(r"<option([^>]*) selected>([^<]+)", options)
        value = re.search(r'value="(\w*)"', given)
        fields[name] = value[1] if value else text
    return {name: value for name, value in fields.items() if name not in ("csrf", "theme", "back")}


def export(site: Site, task_id: str) -> dict[str, Any]:
    """Return the definition of a task, without the moment that it counts from."""
    [task] = site.api.ok("export", tasks=[task_id])["document"]["tasks"]
    return {name: value for name, value in task.items() if name != "anchor"}


def test_a_form_as_it_stands_makes_the_task(site: Site) -> None:
    form = form_of(site.open("/new-task"))
    form |= {
        "task_id": "a/b",
        "command": "echo \\n\nx",
        "interval": "daily at 10:30",
        "tags": "x, y z",
        "max_retries": "2",
    }
    response = site.send("/new-task", **form | {"args": "-v\n--all", "env": "A=1"})
    assert (response.status_code, response.headers["Location"]) == (303, "/tasks/a%2Fb")
    assert export(site, "a/b") == {
        "task_id": "a/b",
        "type": "command",
        "interval": "daily at 10:30",
        "command": "echo \\n\nx",
        "args": ["-v", "--all"],
        "tags": ["x", "y z"],
        "timezone": "Europe/Berlin",
        "max_retries": 2,
        "env": {"A": "1"},
    }


def test_an_id_is_made_up_and_the_same_twice_is_no_error(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"type": "custom", "custom_script": "print()", "interval": "hourly"}
    assert re.fullmatch(r"/tasks/custom-\w{8}", site.send("/new-task", **form).headers["Location"])
    for said in ("is to run hourly", "exists with the same definition"):
        assert site.send("/new-task", **form | {"task_id": "same"}).status_code == 303
        assert said in site.open("/tasks")


def test_a_form_that_is_sent_twice_makes_one_task(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"command": "true", "interval": "dayly at 10:30"}
    form = form_of(site.send("/new-task", **form).text) | {"interval": "hourly"}
    first, second = (site.send("/new-task", **form).headers["Location"] for _ in range(2))
    assert first == second
    # Who goes back to the form, and writes another task, gets another one.
    third = site.send("/new-task", **form | {"command": "false"}).headers["Location"]
    assert (third != first, site.api.ok("list")["count"]) == (True, 2)
    assert site.send("/new-task", **form | {"made_up": "../x", "command": "id"}).headers["Location"] != third
    assert len({form_of(site.open("/new-task"))["made_up"] for _ in range(3)}) == 3


def test_everything_wrong_is_told_beside_its_field_and_nothing_is_lost(site: Site) -> None:
    form = form_of(site.open("/new-task"))
    form |= {
        "task_id": " x",
        "command": "echo 1",
        "interval": "dayly at 10:30",
        "max_retries": "many",
        "env": "LD_PRELOAD=x",
    }
    response = site.send("/new-task", **form | {"description": "kept"})
    assert response.status_code == 400
    page = response.text
    for name in ("interval", "max_retries", "env"):
        assert re.search(f'id="f-{name}"[^>]*aria-describedby="h-{name} e-{name}"[^>]*aria-invalid="true"', page), name
    assert 'name="take.interval" value="daily at 10:30"' in page
    assert "LD_PRELOAD" in page
    assert {"description": "kept", "command": "echo 1"}.items() <= form_of(page).items()
    assert site.api.ok("list")["count"] == 0


def test_a_correction_is_taken_by_a_button(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"task_id": "x", "command": "true", "interval": "dayly at 10:30"}
    page = site.send("/new-task", **form, **{"take.interval": "daily at 10:30"}).text
    assert "every day at 10:30" in page
    assert page.count('<time datetime="') == 5
    again = form_of(page)
    assert again["interval"] == "daily at 10:30"
    assert site.send("/new-task", **again).status_code == 303


def test_a_task_is_shown_with_the_runs_that_it_will_have(site: Site) -> None:
    site.api.create("x", interval="every 7 hours", start_at="2031-05-05T05:05:05+00:00")
    page = site.open("/tasks/x/edit")
    assert re.findall(r'<time datetime="([^"]*)"', page)[0].startswith("2031-05-05T07:05:05")
    changed = site.send("/tasks/x/edit", **form_of(page) | {"interval": "every 7 minutes"}, check="1").text
    assert "2031-05" not in re.findall(r'<time datetime="([^"]*)"', changed)[0]
    site.api.ok("pause", task_id="x")
    assert "No run is planned: it is paused." in site.open("/tasks/x/edit")


def test_a_check_keeps_nothing(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"interval": "hourly"}
    assert "<strong>every 1 hour</strong>" in site.send("/new-task", **form, check="1").text
    assert site.api.ok("list")["count"] == 0


def test_a_trial_runs_once_and_keeps_nothing(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"command": "echo tried", "interval": "no phrase", "max_runs": "x"}
    response = site.send("/new-task", **form | {"try": "1"})
    assert (response.status_code, site.api.ok("list")["count"]) == (303, 0)
    run_id = response.headers["Location"].removeprefix("/runs/")
    assert "no task is kept" in site.open(f"/runs/{run_id}")
    [run] = site.api.ok("runs")["runs"]
    assert (run["run_id"], run["trigger"]) == (run_id, "manual")


def test_a_trial_of_a_task_has_what_the_form_does_not_show(site: Site) -> None:
    site.api.create("kept", command="echo $KEPT", env={"KEPT": "yes"}, sandbox={"network": "none"})
    form = form_of(site.open("/tasks/kept/edit")) | {"command": "echo $KEPT twice"}
    run_id = site.send("/tasks/kept/edit", **form | {"try": "1"}).headers["Location"].removeprefix("/runs/")
    tried = site.api.scheduler.attempts(site.api.scheduler.get_run(run_id))[0].job
    assert (tried.command, tried.env, tried.sandbox) == (
        "echo $KEPT twice",
        {"KEPT": "yes"},
        SandboxRequest(network="none"),
    )
    assert export(site, "kept")["command"] == "echo $KEPT"


def test_what_cannot_be_tried_is_told_in_the_form(site: Site) -> None:
    before = [run["run_id"] for run in site.api.ok("runs")["runs"]]
    page = site.send("/new-task", **form_of(site.open("/new-task")) | {"try": "1", "interval": "daily"})
    assert page.status_code == 400
    assert 'id="e-command"' in page.text
    assert [run["run_id"] for run in site.api.ok("runs")["runs"]] == before


def test_a_taken_id_offers_a_free_one(site: Site) -> None:
    site.api.create("x")
    form = form_of(site.open("/new-task")) | {"task_id": "x", "command": "echo", "interval": "hourly"}
    response = site.send("/new-task", **form)
    assert response.status_code == 409
    assert 'name="take.task_id" value="x-copy"' in response.text


RICH = {
    "name": "A name",
    "sandbox": {"network": "none", "memory_mb": 100, "write": []},
    "notify": {"to": [], "on": ["late", "failure"], "subject": "a\nb"},
    "args": ["a\nb"],
    "env": {"A": "1"},
    "until": "2030-01-01",
    "timeout_seconds": 12.5,
    "max_retries": 3,
    "coalesce": False,
    "priority": "low",
}


def test_saving_a_form_as_it_stands_changes_nothing(site: Site) -> None:
    site.api.create("x", **RICH)
    before, revision = export(site, "x"), site.api.scheduler.get_job("x").stored.revision
    page = site.open("/tasks/x/edit")
    assert "<code>args</code>, <code>notify.subject</code>, which this form does not show" in page
    assert site.send("/tasks/x/edit", **form_of(page)).status_code == 303
    assert export(site, "x") == before
    assert site.api.scheduler.get_job("x").stored.revision == revision


def test_an_edit_changes_what_was_changed_and_nothing_else(site: Site) -> None:
    site.api.create("x", trigger={"type": "cron", "hour": 2, "minute": 0}, **RICH)
    before = export(site, "x")
    form = form_of(site.open("/tasks/x/edit")) | {
        "name": "Another",
        "until": "",
        "priority": "medium",
        "max_retries": "",
    }
    assert site.send("/tasks/x/edit", **form).status_code == 303
    expected = {name: value for name, value in before.items() if name not in ("until", "priority", "max_retries")}
    assert export(site, "x") == expected | {"name": "Another"}
    assert site.api.details("x")["kind"] == "cron"


def test_who_changes_a_task_is_remembered(locked: Site) -> None:
    locked.sign_in("ann")
    locked.api.scheduler.add_job(
        locked.api.scheduler.read_definition(
            {"task_id": "mine", "type": "command", "command": "true", "interval": "hourly"}
        )
    )
    assert (
        locked.send("/tasks/mine/edit", **form_of(locked.open("/tasks/mine/edit")) | {"name": "Ann's"}).status_code
        == 303
    )
    assert [change["by"] for change in locked.get("/api/tasks/mine/history").json["changes"]] == ["ann"]


def test_another_phrase_takes_the_place_of_an_object(site: Site) -> None:
    site.api.create("x", trigger={"type": "cron", "hour": 2})
    form = form_of(site.open("/tasks/x/edit")) | {"interval": "every 5 minutes"}
    site.send("/tasks/x/edit", **form)
    assert export(site, "x")["interval"] == "every 5 minutes"
    assert "trigger" not in export(site, "x")


def test_another_type_takes_the_place_of_the_old_fields(site: Site) -> None:
    site.api.create("x", command="echo", args=["a"])
    form = form_of(site.open("/tasks/x/edit")) | {"type": "custom", "custom_script": "print()"}
    assert site.send("/tasks/x/edit", **form).status_code == 303
    shown = export(site, "x")
    assert (shown["type"], shown["custom_script"]) == ("custom", "print()")
    assert not {"command", "args"} & set(shown)


def test_two_editors_do_not_overwrite_each_other(site: Site) -> None:
    site.api.create("x", name="a", command="one")
    form = form_of(site.open("/tasks/x/edit")) | {"command": "mine", "name": "mine"}
    site.api.ok("update", task_id="x", name="theirs", interval="every 7 hours")
    response = site.send("/tasks/x/edit", **form)
    assert response.status_code == 412
    assert "Somebody changed this task" in response.text
    assert "theirs says <code>theirs</code>" in response.text
    assert export(site, "x")["command"] == "one"
    again = form_of(response.text)
    assert (again["command"], again["name"], again["interval"]) == ("mine", "mine", "every 7 hours")
    assert site.send("/tasks/x/edit", **again).status_code == 303
    shown = export(site, "x")
    assert (shown["command"], shown["name"], shown["interval"]) == ("mine", "mine", "every 7 hours")


def test_a_look_at_the_form_takes_nothing_back_that_somebody_else_did_meanwhile(site: Site) -> None:
    site.api.create("x", name="a", command="one")
    form = form_of(site.open("/tasks/x/edit")) | {"command": "mine"}
    site.api.ok("update", task_id="x", name="theirs")
    looked = site.send("/tasks/x/edit", **form, check="1")
    assert "Somebody changed this task" in looked.text
    assert site.send("/tasks/x/edit", **form_of(looked.text)).status_code == 303
    shown = export(site, "x")
    assert (shown["command"], shown["name"]) == ("mine", "theirs")


@pytest.mark.parametrize("script", ["# x\n" * 85_000, "s = 'äöü'\n" * 40_000, "\n" * 500_000 + "1"], ids=len)
def test_a_task_as_long_as_a_call_may_be_is_changed_by_the_form(site: Site, script: str) -> None:
    site.api.create("x", type="custom", custom_script=script)
    form = form_of(site.open("/tasks/x/edit")) | {"timeout_seconds": "77"}
    assert site.send("/tasks/x/edit", **form).headers["Location"] == "/tasks/x"
    shown = export(site, "x")
    assert (shown["custom_script"] == script, shown["timeout_seconds"]) == (True, 77)


def test_what_was_written_where_the_form_has_no_place_any_more_is_told(site: Site) -> None:
    site.api.create("x", args=["a"])
    form = form_of(site.open("/tasks/x/edit")) | {"args": "mine", "name": "mine"}
    site.api.ok("update", task_id="x", args=["two\nlines"])
    response = site.send("/tasks/x/edit", **form)
    assert response.status_code == 412
    assert "a value that this form cannot show" in response.text
    assert "<code>mine</code>" in response.text
    assert site.send("/tasks/x/edit", **form_of(response.text)).status_code == 303
    assert (export(site, "x")["args"], export(site, "x")["name"]) == (["two\nlines"], "mine")


def test_a_change_that_the_form_does_not_show_is_no_conflict(site: Site) -> None:
    site.api.create("x")
    form = form_of(site.open("/tasks/x/edit")) | {"name": "mine"}
    site.api.ok("pause", task_id="x")
    assert site.send("/tasks/x/edit", **form).status_code == 303
    assert site.api.details("x")["state"] == "paused"


def test_a_race_is_noticed_within_the_transaction(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.api.create("x")
    form = form_of(site.open("/tasks/x/edit")) | {"name": "mine"}
    changes_of = view.changes_of

    def slowly(*given: Any) -> Any:
        site.api.scheduler.update_job("x", {"name": "theirs"})
        monkeypatch.setattr(view, "changes_of", changes_of)
        return changes_of(*given)

    monkeypatch.setattr(view, "changes_of", slowly)
    response = site.send("/tasks/x/edit", **form)
    assert response.status_code == 412
    assert export(site, "x")["name"] == "theirs"


def test_a_duplicate_has_all_that_the_form_does_not_show(site: Site) -> None:
    site.api.create("x", **RICH)
    form = form_of(site.open("/new-task?from=x"))
    assert form["task_id"] == "x-copy"
    assert site.send("/new-task", **form | {"name": "Copy"}).status_code == 303
    assert export(site, "x-copy") | {"task_id": "x", "name": "A name"} == export(site, "x")


@pytest.mark.parametrize("task_id", ["new", "edit", "new-task", "new/edit"])
def test_a_task_has_its_page_whatever_it_is_called(site: Site, task_id: str) -> None:
    made = site.send(
        "/new-task",
        **form_of(site.open("/new-task")) | {"task_id": task_id, "command": "echo mine", "interval": "hourly"},
    )
    path = made.headers["Location"]
    assert f'href="{path}" data-open' in site.open("/tasks")
    assert "echo mine" in site.open(path)
    page = site.open(f"{path}/edit")
    assert f'action="{path}/edit"' in page
    assert site.send(f"{path}/edit", **form_of(page) | {"command": "echo changed"}).headers["Location"] == path
    assert export(site, task_id)["command"] == "echo changed"


def test_a_task_of_a_file_is_changed_only_where_that_is_meant(site: Site, filed: str) -> None:
    page = site.open(f"/tasks/{filed}/edit")
    assert "better changed there" in page
    form = form_of(page) | {"name": "n"}
    response = site.send(f"/tasks/{filed}/edit", **form)
    assert response.status_code == 409
    assert "is defined in /jobs.yaml" in response.text
    assert site.send(f"/tasks/{filed}/edit", **form, override="on").status_code == 303
    assert export(site, filed)["name"] == "n"


def test_the_table_tells_tasks_of_files(site: Site, filed: str) -> None:
    site.api.create("mine")
    page = site.open("/tasks?origin=/jobs.yaml")
    assert "from a file" in page
    assert 'data-id="mine"' not in page
    assert 'data-id="filed"' not in site.open("/tasks?origin=api")
    site.send("/tasks", one=f"pause {filed}")
    assert "is defined in /jobs.yaml" in site.open("/tasks")


def test_unknown_tasks_are_told(site: Site) -> None:
    for path in ("/tasks/nope/edit", "/new-task?from=nope"):
        assert "No task &#39;nope&#39; exists" in site.open(path, 404)


def test_what_people_name_runs_nowhere(site: Site) -> None:
    site.api.create(HOSTILE, name=HOSTILE, tags=[HOSTILE[:64]], command=f"{HOSTILE}</textarea>", description=HOSTILE)
    path = f"/tasks/{HOSTILE.replace('/', '%2F').replace('{', '%7B')}/edit"
    pages = [site.open(path), site.open(f"/new-task?from={HOSTILE}")]
    form = form_of(pages[0]) | {
        "interval": HOSTILE,
        "timezone": HOSTILE,
        "working_directory": HOSTILE,
        "file_path": HOSTILE,
    }
    pages.append(site.send("/new-task", **form | {"type": "script"}).text)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert page.count("</textarea>") == page.count("<textarea")


def test_the_page_says_what_a_call_would(site: Site) -> None:
    site.api.create("x", **RICH)
    page = site.open("/tasks/x/edit")
    whole = json.loads(html.unescape(re.findall(r'data-whole="([^"]*)"', page)[0]))
    assert {**whole, "task_id": "x"} == export(site, "x")
