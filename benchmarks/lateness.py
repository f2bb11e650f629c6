"""How late a job starts: one at a time, and 200 due at the same moment.

Ours is what the ledger says, `started_at - scheduled_for`; the row is on disk before the process starts. Of
the others it is the moment their function begins, right before it starts the process. Beside that stands
what the program itself read off its clock, which has the start of the process in it.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks import aps, ours
from benchmarks.limit import BareTimer
from benchmarks.measure import MILLI, folder, in_child, median, percentile, together
from benchmarks.table import Row

SPACING = 0.25
HEAD = 5.0
"""Seconds before the first moment, in which the contenders start and jobs are added."""
LEAD = 2.0
"""The same, where each contender is alone and counts from when it is open."""
TRUE, DATE = "/bin/true", "date +%s%N"

Late = list[tuple[float, float | None]]
"""Of each job: seconds from its moment to its start, and to what the program said, if it said something."""
Contender = Callable[[list[float], float | None, str], Late]
"""Takes moments, the start that they count from (None: soon), and a shell line."""
_begun: list[tuple[float, float, float | None]] = []
_done = threading.Semaphore(0)


def rows(quick: bool) -> list[Row]:
    """Measure."""
    return [*_lone(8 if quick else 60), *_at_once(200, 1 if quick else 2)]


def _lone(count: int) -> list[Row]:
    """Let all of them fire in turns, each alone at its moment."""
    start = time.time() + HEAD
    contenders: list[Contender] = [_ours, _aps_memory, _aps_sqlite, _bare]
    calls: list[Callable[[], Late]] = []
    for place, contender in enumerate(contenders):
        moments = [SPACING * (number + place / len(contenders)) for number in range(count)]
        calls.append(partial(in_child, contender, moments, start, DATE))
    found = together(*calls)
    first = [[begun * MILLI for begun, _ in late] for late in found]
    said = [[told * MILLI for _, told in late if told is not None] for late in found]
    what = f"lone job, {count} at {1 / SPACING:g} a second: due to start"
    return [
        _row(f"{what}, p50", [median(late) for late in first], "0.5"),
        _row(f"{what}, p99", [percentile(late, 0.99) for late in first], "1.5"),
        _row("... due to what the program reads off the clock, p50", [median(late) for late in said], ""),
    ]


def _at_once(count: int, rounds: int) -> list[Row]:
    contenders: list[Contender] = [_ours, _aps_memory, _aps_sqlite, _bare]
    last: list[list[float]] = [[] for _ in contenders]
    middle: list[list[float]] = [[] for _ in contenders]
    confined: list[float] = []
    for _ in range(rounds):
        confined.append(max(begun * MILLI for begun, _ in in_child(_now, _ours_confined, count)))
        for place, contender in enumerate(contenders):
            late = [begun * MILLI for begun, _ in in_child(_now, contender, count)]
            last[place].append(max(late))
            middle[place].append(median(late))
    return [
        _row(f"{count} x {TRUE} due at once: the last started", [median(each) for each in last], "75"),
        _row("... the middle one", [median(each) for each in middle], ""),
        Row(
            "... the last, confined as well as the kernel can",
            median(confined),
            "ms",
            [("unconfined", median(last[0]))],
        ),
    ]


def _now(contender: Contender, count: int) -> Late:
    return contender([0.0] * count, None, TRUE)


def _row(what: str, figures: list[float], aim: str) -> Row:
    beside = zip(("APScheduler 3, memory", "APScheduler 3, SQLite", "limit: nothing kept"), figures[1:], strict=True)
    return Row(what, figures[0], "ms", list(beside), f"{aim} ms" if aim else "")


def _ours_confined(moments: list[float], start: float | None, line: str) -> Late:
    return _ours(moments, start, line, "auto")


def _ours(moments: list[float], start: float | None, line: str, sandbox: str = "off") -> Late:
    with folder() as place, ours.opened(place, sandbox=sandbox) as scheduler:
        moments = _counted(moments, start)
        for number, moment in enumerate(moments):
            due = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
            scheduler.add_job(ours.command(f"job-{number}", due, line))
        time.sleep(max(0.0, moments[-1] - time.time()) + 0.3)
        deadline = time.monotonic() + 20
        while len(found := ours.finished(scheduler)) < len(moments) and time.monotonic() < deadline:
            time.sleep(0.1)
        late: Late = []
        for run in found:
            text = scheduler.read_output(run.run_id, "stdout", None, None).text.strip()
            told = int(text) / 1e9 - run.scheduled_for.timestamp() if text else None
            late.append(((run.lateness_ms or 0.0) / MILLI, told))
        return late


def _aps_memory(moments: list[float], start: float | None, line: str) -> Late:
    return _aps(None, moments, start, line)


def _aps_sqlite(moments: list[float], start: float | None, line: str) -> Late:
    with folder() as place:
        return _aps(place / "jobs.db", moments, start, line)


def _aps(database: Path | None, moments: list[float], start: float | None, line: str) -> Late:
    scheduler = aps.started(database)
    for moment in _counted(moments, start):
        scheduler.add_job(_work, "date", run_date=datetime.fromtimestamp(moment, UTC), args=(moment, line))
    late = _collect(len(moments))
    scheduler.shutdown()
    return late


def _bare(moments: list[float], start: float | None, line: str) -> Late:
    timer = BareTimer()
    for moment in _counted(moments, start):
        timer.at(moment, partial(_work, moment, line))
    return _collect(len(moments))


def _counted(moments: list[float], start: float | None) -> list[float]:
    begin = time.time() + LEAD if start is None else start
    return [begin + moment for moment in moments]


def _work(moment: float, line: str) -> None:
    begun = time.time()
    if line == TRUE:
        subprocess.run([line])
        text = ""
    else:
        text = subprocess.run(["/bin/sh", "-c", line], stdout=subprocess.PIPE, text=True).stdout.strip()
    _begun.append((moment, begun, int(text) / 1e9 if text else None))
    _done.release()


def _collect(count: int) -> Late:
    for _ in range(count):
        _done.acquire(timeout=60)
    return [(begun - moment, None if told is None else told - moment) for moment, begun, told in _begun]
