"""The page of rehearsals: which spans one can choose, what it says of them, and the map of starts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.http.pages.rehearsal import _edges
from scheduler.http.pages.rehearsal_view import Choice, around, fate_text, heat
from scheduler.rehearsal import Part, play
from scheduler.spellings import read_schedule
from tests.pages.conftest import Site
from tests.pages.test_serve import HOSTILE

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 3, 27, 9, 30, tzinfo=UTC)
TODAY = date(2027, 3, 27)


def tomorrow(site: Site) -> str:
    scheduler = site.api.scheduler
    return str(scheduler.now().astimezone(scheduler.config.zone).date() + timedelta(days=1))


def test_an_empty_service_teaches_the_first_call(site: Site) -> None:
    page = site.open("/rehearsal")
    assert "No tasks yet" in page
    assert "&#34;action&#34;: &#34;create&#34;" in page or '"action": "create"' in page


def test_a_day_says_what_collides_what_is_silent_and_what_is_free(site: Site) -> None:
    for name in ("backup", "report"):
        site.api.create(name, interval="daily at 02:30")
    site.api.create("held", interval="hourly")
    site.api.ok("pause", task_id="held")
    site.api.create("ping", interval="every 5 minutes")
    page = site.open(f"/rehearsal?date={tomorrow(site)}")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
    assert re.search(r"backup , report (, ping )?[23] at once", text)
    assert "held paused it is planned again once it is resumed" in text
    assert "every 15 minutes or more often: ping ." in text
    assert re.search(r"02:30:00 to [\d-]+ 00:00:00 21 h", text), "ping is passed over"
    assert "which is stopped" in text
    assert page.count('<tr><th scope="row">') == 24


@pytest.mark.parametrize(("span", "rows"), [("week", 7), ("year", 13)])
def test_longer_spans_have_fewer_rows(site: Site, span: str, rows: int) -> None:
    site.api.create("nightly", interval="daily at 02:30", timezone="Europe/Berlin")
    page = site.open(f"/rehearsal?span={span}&date=2099-01-02")
    assert page.count('<tr><th scope="row">') == rows
    assert f'href="/rehearsal?span={span}&amp;date=20' in page


def test_the_year_says_what_changes_of_the_clocks_do(site: Site) -> None:
    site.api.create("nightly", interval="daily at 02:30", timezone="Europe/Berlin")
    page = site.open("/rehearsal?span=year")
    assert "02:30 does not exist: 03:00 takes its place" in page
    assert "02:30 comes twice: the first counts" in page


@pytest.mark.parametrize("query", ["span=month", "date=soon", "date=9999-12-31", "span=year&date=99999"])
def test_what_is_no_span_is_refused(site: Site, query: str) -> None:
    page = site.open(f"/rehearsal?{query}", 400)
    assert "must be" in page


def test_a_day_that_is_over_is_today(site: Site) -> None:
    site.api.create("nightly", interval="daily at 02:30")
    assert 'aria-label="Earlier"' not in site.open("/rehearsal?date=2020-01-01")


def test_what_people_name_runs_nowhere(site: Site) -> None:
    site.api.create(HOSTILE[:100], interval="daily at 02:30")
    site.api.create("a/b 100%", interval="daily at 02:30")
    page = site.open(f"/rehearsal?date={tomorrow(site)}")
    assert "<script>alert" not in page
    assert 'href="/tasks/a%2Fb%20100%25"' in page


def test_who_may_not_read_is_led_to_sign_in(locked: Site) -> None:
    assert locked.get("/rehearsal").status_code == 303
    locked.sign_in("rob")
    locked.open("/rehearsal")


# --- what is worked out ------------------------------------------------------------------------------


def part(name: str, phrase: str) -> Part:
    return Part(name, read_schedule({"interval": phrase}, zone=BERLIN, now=NOW).trigger, NOW)


def test_the_map_of_a_day_tells_what_is_over_and_where_it_is_crowded() -> None:
    parts = [part(name, phrase) for name, phrase in (("a", "hourly"), ("b", "daily at 12:00"), ("c", "daily at 12:00"))]
    found = heat(play(parts, _edges("day", TODAY, BERLIN), 1, NOW), "day", BERLIN, NOW)
    assert [(row.label, row.starts) for row in found.rows[10:14]] == [
        ("10:00", 0), ("11:00", 1), ("12:00", 3), ("13:00", 1),
    ]  # fmt: skip
    assert [(row.begin, row.end) for row in found.rows[9:12]] == [(60, 60), (30, 60), (0, 60)]
    assert [(spot.column, spot.level, spot.crowded, spot.text) for spot in found.rows[12].spots] == [
        (0, 4, True, "12:00: 2 starts"), (30, 2, False, "12:30: 1 start"),
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-06-01", 24)])
def test_a_day_has_as_many_hours_as_its_clocks_show(day: str, hours: int) -> None:
    first = date.fromisoformat(day)
    found = play([part("a", "every 1 hour")], _edges("day", first, BERLIN), 2, NOW)
    rows = heat(found, "day", BERLIN, NOW).rows
    assert (len(rows), sum(row.starts for row in rows)) == (hours, hours)
    week = heat(play([part("a", "every 1 hour")], _edges("week", first, BERLIN), 2, NOW), "week", BERLIN, NOW).rows
    assert [len(row.spots) for row in week] == [hours, *[24] * 6]


def test_where_one_can_go() -> None:
    found = around(Choice("week", TODAY + timedelta(days=3)), TODAY)
    assert found.before is not None
    assert (found.before.first, found.after.first) == (TODAY, TODAY + timedelta(days=10))
    assert found.last == TODAY + timedelta(days=9)
    assert [choice.path for choice in found.others][2] == "/rehearsal?span=year&date=2027-03-30"
    assert around(Choice("day", TODAY), TODAY).before is None


@pytest.mark.parametrize(("phrase", "texts"), [
    ("daily at 02:10 and 02:30", ["02:10 and 02:30 do not exist: 03:00 takes their place",
                                  "02:10 and 02:30 come twice: the first counts"]),
    ("10 2/5 * * *", ["02:10 does not exist: 03:00 takes its place", "02:10 comes twice: the first counts"]),
    ("*/30 2 * * *", ["02:00 and 02:30 do not exist: there is no start",
                      "02:00 and 02:30 come twice: it starts both times"]),
])  # fmt: skip
def test_what_is_said_of_times_that_come_never_or_twice(phrase: str, texts: list[str]) -> None:
    found = play([part("a", phrase)], _edges("year", TODAY, BERLIN), 2, NOW)
    assert [fate_text(one) for one in found.touched] == texts
