"""The list of runs: newest first, narrowed by its address, a page at a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest

from scheduler.http.pages.runs import ROWS
from scheduler.ids import first_run_id
from scheduler.models import Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import pruning, runs
from tests.pages.conftest import Site
from tests.pages.test_serve import HOSTILE

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def add(site: Site, task_id: str, status: str = "completed", ago: float = 0, attempt: int = 1, **more: object) -> str:
    """Put a run into the ledger, `ago` minutes before noon."""
    moment = NOON - timedelta(minutes=ago)
    stored = site.api.scheduler.get_job(task_id).stored
    never = status in ("missed", "skipped")
    run = Run(
        run_id=f"{first_run_id(moment)[:16]}{stored.key:08}{attempt:02}",
        job_key=stored.key,
        task_id=task_id,
        scheduled_for=moment,
        attempt=attempt,
        status=RunStatus(status),
        priority=Priority.MEDIUM,
        created_at=moment,
        due_at=moment,
        started_at=None if never else moment,
        finished_at=moment + timedelta(seconds=3),
        **{"trigger": Origin.SCHEDULE, **more},  # type: ignore[arg-type]
    )
    site.api.scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))
    return run.run_id


def ids(page: str) -> list[str]:
    """Return the runs of a page, from above."""
    return re.findall(r'href="/runs/(\w{26})" data-open', page)


def path_of(page: str, label: str) -> str:
    """Return where a link leads."""
    found = re.search(rf'<a class="button"[^>]* href="([^"]+)">{label}</a>', page)
    assert found
    return unescape(found[1])


@pytest.fixture
def name(site: Site) -> str:
    """Return a task whose name no other test has: rows of the ledger outlive their tests."""
    number = len(site.api.scheduler._store.read(lambda connection: pruning.jobs_with_more_than(connection, 0)))
    task_id = f"task {number}/100%"
    site.api.create(task_id)
    return task_id


def test_nothing_has_run_yet(make_site: object) -> None:
    page = make_site().open("/runs")  # type: ignore[operator]
    assert "Nothing has run yet" in page
    assert "curl http://localhost:10800/schedule" in page


def test_the_newest_is_first_and_older_ones_are_a_link_away(site: Site, name: str) -> None:
    made = [add(site, name, ago=number) for number in range(ROWS + 3)]
    first = site.open(f"/runs?task={quote(name, safe='')}")
    assert ids(first) == made[:ROWS]
    assert "Newest" not in first
    second = site.open(path_of(first, "Older"))
    assert ids(second) == made[ROWS:]
    assert ids(site.open(path_of(second, "Newest"))) == made[:ROWS]


def test_narrowing(site: Site, name: str) -> None:
    good = add(site, name, ago=1)
    bad = add(site, name, "failed", ago=2)
    late = add(site, name, "missed", ago=24 * 60)
    again = add(site, name, attempt=2, ago=2, trigger=Origin.RETRY)
    site.api.create("other")
    other = add(site, "other", "timeout")
    base = f"/runs?task={quote(name, safe='')}"
    assert set(ids(site.open(base))) == {good, bad, late, again}
    assert ids(site.open(f"/runs?task_id={quote(name, safe='')}&status=failed")) == [bad]
    assert ids(site.open(f"{base}&status=trouble")) == [bad, late]
    assert ids(site.open(f"{base}&trigger=retry")) == [again]
    assert ids(site.open(f"{base}&day=2026-05-31")) == [late]
    assert other in ids(site.open("/runs?status=trouble&day=2026-06-01"))
    assert "<option selected>failed" in site.open(f"{base}&status=failed")
    nothing = site.open(f"{base}&status=cancelled")
    assert "No runs are like that" in nothing
    assert 'href="/runs">Show all runs' in nothing


def test_a_day_is_one_of_the_task_s_zone(site: Site) -> None:
    site.api.create("tokyo", timezone="Asia/Tokyo")
    run = add(site, "tokyo", ago=-4 * 60)  # 01:00 of June 2 in Tokyo
    assert ids(site.open("/runs?task=tokyo&day=2026-06-02")) == [run]
    assert ids(site.open("/runs?task=tokyo&day=2026-06-01")) == []


def test_what_narrows_must_be_right(site: Site) -> None:
    for query, field in (("status=done", "status"), ("trigger=x", "trigger"), ("cursor=x", "cursor"),
                         ("day=soon", "day"), ("day=9999-12-31", "day")):  # fmt: skip
        page = site.open(f"/runs?{query}", 400)
        assert f"<code>{field}</code>" in page
    assert "Try <code>trouble</code>" in site.open("/runs?status=troubles", 400)
    page = site.open("/runs?task=nothing+like+it")
    assert "No task &#39;nothing like it&#39; exists" in page


def test_why_a_run_was_not_good_is_told_in_its_row(site: Site, name: str) -> None:
    add(site, name, "failed", ago=1, details={"exit_code": 3})
    add(site, name, "missed", ago=2, details={"reason": "noticed 312 s late"}, count=7)
    page = site.open(f"/runs?task={quote(name, safe='')}")
    assert "exit code 3" in page
    assert "noticed 312 s late" in page
    assert "7 fire times" in page


def test_what_people_write_runs_nowhere(site: Site) -> None:
    task_id = HOSTILE[:120]
    site.api.create(task_id)
    add(site, task_id, "failed", details={"reason": HOSTILE})
    for path in (
        "/runs",
        f"/runs?task={quote(task_id, safe='')}",
        f"/runs?day=2026-06-01&task={quote(task_id, safe='')}",
    ):
        assert "<script>alert" not in site.open(path)
        assert "<img" not in site.open(path)
