"""The fields that the form of a task shows in parts: what runs may use, what is expected, and who is told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from scheduler.http.pages import task_fields as table
from tests.pages.conftest import Site
from tests.pages.test_task_form import export, form_of


@pytest.fixture
def told(make_site: Callable[..., Site]) -> Site:
    """Return the Site of a server that tells people by default, one of them by a URL that nobody may see."""
    return make_site(
        notify_targets={
            "ops": "mailto:ops@example.com",
            "hook": {"webhook": "https://hooks.example.com/s3cret", "secret": "x" * 16},
        },
        notify_default={"to": ["ops", {"webhook": "https://hooks.example.com/s3cret"}], "on": ["failure", "late"]},
        notify_hosts=("hooks.example.com", "hc-ping.com"),
        notify_every_minutes=7,
        webhook_secret="y" * 16,
        smtp_url="smtp://localhost:1/?from=a@example.com",
    )


def test_parts_of_fields_are_made_changed_and_taken_away(told: Site) -> None:
    form = form_of(told.open("/new-task")) | {"task_id": "x", "command": "true", "interval": "hourly"}
    del form["notify.on.failure"]
    given = {
        "sandbox.network": "none",
        "sandbox.memory_mb": "64",
        "sandbox.cpu_seconds": "2.5",
        "sandbox.write": "[]",
        "expect.every": "1 day",
        "notify.to": 'ops\nmailto:me@example.com\n{"ping": "https://hc-ping.com/1"}',
        "notify.body": "{details}\n{output}",
    }
    assert told.send("/new-task", **form | given).status_code == 303
    made = export(told, "x")
    assert made["sandbox"] == {"network": "none", "memory_mb": 64, "cpu_seconds": 2.5, "write": []}
    assert made["expect"] == {"every": "1 day"}
    assert made["notify"] == {
        "to": ["ops", "mailto:me@example.com", {"ping": "https://hc-ping.com/1"}],
        "on": ["late"],
        "body": "{details}\n{output}",
    }
    form = form_of(told.open("/tasks/x/edit"))
    assert (form["sandbox.write"], form["sandbox.processes"], form["notify.on.late"]) == ("[]", "", "late")
    form |= {"sandbox.processes": "8", "sandbox.write": "", "notify.on.failure": "failure", "notify.to": "[]"}
    form |= {"expect.every": "", "notify.body": ""}
    assert told.send("/tasks/x/edit", **form).status_code == 303
    changed = export(told, "x")
    assert changed["sandbox"] == {"network": "none", "memory_mb": 64, "cpu_seconds": 2.5, "processes": 8}
    assert changed["notify"] == {"to": []}
    assert "expect" not in changed
    form = form_of(told.open("/tasks/x/edit"))
    form |= {name: "" for name in form if name.startswith("sandbox.") or name == "notify.to"}
    assert told.send("/tasks/x/edit", **form).status_code == 303
    assert not {"sandbox", "notify"} & set(export(told, "x"))


def test_defaults_of_parts_are_those_of_the_server(told: Site) -> None:
    page = told.open("/new-task")
    # Where this kernel enforces nothing, no limit is claimed.
    memory, processes = ("2048 MB", "256") if told.api.scheduler.confinement.rules else ("–", "–")
    for shown in (
        f"network as the server allows · memory {memory} · CPU time – · processes {processes}",
        "who is told ops, webhook at hooks.example.com · what is told failure, late · pause between messages 7 min",
        "late after 60 s · subject [task-scheduler] {headline} · message the usual",
        'placeholder="ops\nwebhook at hooks.example.com"',
    ):
        assert shown in page
    ticked = re.findall(r'name="notify.on.(\w+)" value="\w+" checked', page)
    assert ticked == ["failure", "late"]
    assert "s3cret" not in page


def test_limits_that_nothing_enforces_are_not_shown(make_site: Callable[..., Site]) -> None:
    page = make_site(sandbox="off").open("/new-task")
    assert "network as the server allows · memory – · CPU time – · processes –" in page


def test_what_is_wrong_with_a_part_is_told_beside_it(told: Site) -> None:
    form = form_of(told.open("/new-task")) | {"task_id": "x", "command": "true", "interval": "hourly"}
    given = {
        "sandbox.memory_mb": "5",
        "sandbox.cpu_seconds": "-1",
        "expect.every": "1 dya",
        "notify.to": "ops\nme@example.com",
        "notify.subject": "{nme}",
    }
    response = told.send("/new-task", **form | given)
    assert response.status_code == 400
    page = response.text
    for name in given:
        described = rf'id="f-{name}"[^>]*aria-describedby="h-{name} e-{name}"[^>]*aria-invalid="true"'
        assert re.search(described, page), name
        assert f'<a href="#f-{name}">{table.FIELDS[name].label}</a>' in page
    assert "<p>&#39;sandbox.cpu_seconds&#39; must be greater than 0, not the number -1</p></div>" in page
    assert form_of(page) == form_of(page) | given
    corrected = told.send("/new-task", **form_of(page), **{"take.notify.to": "ops\nmailto:me@example.com"}).text
    assert 'name="take.notify.to" value="ops\nmailto:me@example.com"' in page
    assert "Use ‘mailto:me@example.com’" in page
    assert form_of(corrected)["notify.to"] == "ops\nmailto:me@example.com"


def test_paths_of_a_sandbox_are_judged_beside_it(site: Site) -> None:
    form = form_of(site.open("/new-task")) | {"task_id": "x", "command": "true", "interval": "hourly"}
    response = site.send("/new-task", **form | {"sandbox.write": "out\n/etc", "expect.every": "1 day"})
    assert response.status_code == 400
    for name in ("sandbox.write", "expect.every"):
        assert f'<div class="errors" id="e-{name}">' in response.text
    assert site.send("/new-task", **form | {"sandbox.write": "out"}).status_code == 303


def test_a_problem_of_a_part_that_is_not_shown_is_told_above(site: Site) -> None:
    site.api.create("x", sandbox={"write": ["[]"]})
    page = site.open("/tasks/x/edit")
    assert "<code>sandbox.write</code>, which this form does not show: it goes along as it is" in page
    (site.api.workspace / "[]").symlink_to("/etc")
    response = site.send("/tasks/x/edit", **form_of(page) | {"name": "y"})
    assert response.status_code == 400
    assert "<li><code>sandbox.write.0</code>: " in response.text


def test_two_editors_of_one_field_change_its_parts(site: Site) -> None:
    site.api.create("x", sandbox={"memory_mb": 64, "network": "none"})
    form = form_of(site.open("/tasks/x/edit")) | {"sandbox.memory_mb": "128", "sandbox.network": "tcp"}
    site.api.ok("update", task_id="x", sandbox={"memory_mb": 64, "processes": 4})
    response = site.send("/tasks/x/edit", **form)
    assert response.status_code == 412
    assert "Their changes are taken over: Processes." in response.text
    assert (
        "Both of you changed “Network”. Yours is kept below; theirs says <code>as the server allows</code>."
        in response.text
    )
    assert site.send("/tasks/x/edit", **form_of(response.text)).status_code == 303
    assert export(site, "x")["sandbox"] == {"memory_mb": 128, "network": "tcp", "processes": 4}
