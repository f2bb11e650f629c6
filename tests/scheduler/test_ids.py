"""Run ids sort by the time they were made."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from scheduler.ids import RunIds, first_run_id
from tests.owned_time import NOON


def test_they_sort_in_the_order_they_were_made_even_when_the_clock_goes_back() -> None:
    make = RunIds().make
    moments = [NOON, NOON, NOON + timedelta(seconds=1), NOON - timedelta(days=1), NOON + timedelta(days=1)]
    ids = [make(moment) for moment in moments]
    assert ids == sorted(ids)
    assert {len(text) for text in ids} == {26}


def test_threads_never_get_the_same() -> None:
    make, found = RunIds().make, []
    threads = [threading.Thread(target=lambda: found.extend(make(NOON) for _ in range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4000


def test_all_runs_were_made_after_a_moment_before_ids_begin() -> None:
    assert first_run_id(datetime(1926, 1, 1, tzinfo=UTC)) == "0" * 26
