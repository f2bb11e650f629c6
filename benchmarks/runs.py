"""How many runs of /bin/true are recorded a second, with their output kept.

Either many one-shot jobs come due at one moment: each gets its row, waits for one of 8 workers, is marked as
running, run, and marked as ended. Or `run_now` rows wait when the scheduler opens, which then does nothing
but carry them out. Both are timed to the last commit of an end. Runs are not confined, except where that is said.
"""

from __future__ import annotations

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import ours
from benchmarks.measure import MILLI, folder, in_child, median
from benchmarks.table import Row
from scheduler.events import Event, RunFinished
from scheduler.task_scheduler import TaskScheduler

WORKERS = 8
DIRECT = ("/bin/true",)
PRINTS = ("/bin/sh", "-c", "echo hello")


def rows(quick: bool) -> list[Row]:
    """Measure."""
    count, rounds = (150, 1) if quick else (600, 2)
    due, asked, kept, confined, direct, prints = [], [], [], [], [], []
    for _ in range(rounds):
        due.append(in_child(_due_at_once, count))
        direct.append(in_child(_bare, DIRECT, count))
        asked.append(in_child(asked_for, count, DIRECT[0]))
        kept.append(in_child(asked_for, count, PRINTS[2]))
        prints.append(in_child(_bare, PRINTS, count))
        confined.append(in_child(asked_for, count // 2, DIRECT[0], "auto"))
    begun, over, direct_alone = in_child(_alone, 20 if quick else 100)
    name = f"subprocess.run(capture_output) from {WORKERS} threads"
    beside = [(f"{name}, the same", median(direct))]
    return [
        Row(f"runs recorded: {count} jobs due at once", median(due), "/s", beside, "0.7"),
        Row(f"runs recorded: {count} `run_now` waiting", median(asked), "/s", beside, "0.7"),
        Row("... of a shell that prints a line, kept", median(kept), "/s", [(f"{name}, the same", median(prints))]),
        Row("... confined as well as the kernel can", median(confined), "/s", beside, "400"),
        Row("a `run_now` alone: asked to started, p50", begun, "ms"),
        Row("... to ended, p50", over, "ms", [("subprocess.run(capture_output), the same", direct_alone)]),
    ]


def _alone(count: int) -> tuple[float, float, float]:
    """Return the medians of what a run takes to its start and to its end, and its command by itself, in ms."""
    begun, over, direct = [], [], []
    with folder() as place, ours.opened(place) as scheduler:
        scheduler.add_job(ours.command("job", ours.FAR, DIRECT[0]))
        for _ in range(count):
            time.sleep(0.05)
            ended, asked_at = _Count(scheduler, 1), time.time()
            run = scheduler.run_now("job")
            over.append((ended.wait() - asked_at) * MILLI)
            started_at = scheduler.get_run(run.run_id).started_at
            assert started_at is not None
            begun.append((started_at.timestamp() - asked_at) * MILLI)
            asked_at = time.time()
            subprocess.run(DIRECT, capture_output=True, check=True)
            direct.append((time.time() - asked_at) * MILLI)
    return median(begun), median(over), median(direct)


class _Count:
    """Wait until so many runs have ended."""

    def __init__(self, scheduler: TaskScheduler, count: int) -> None:
        self._left = count
        self._over = threading.Event()
        self.last = 0.0
        scheduler.events.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.last = time.time()
            self._left -= 1
            if self._left <= 0:
                self._over.set()

    def wait(self) -> float:
        """Return when the last one ended."""
        if not self._over.wait(60):
            raise TimeoutError(f"{self._left} runs have not ended")
        return self.last


def _due_at_once(count: int) -> float:
    with folder() as place, ours.opened(place) as scheduler:
        ended = _Count(scheduler, count)
        moment = ours.soon(1.0 + count / 300)
        for number in range(count):
            scheduler.add_job(ours.command(f"job-{number}", moment.isoformat()))
        return count / (ended.wait() - moment.timestamp())


def asked_for(count: int, line: str, sandbox: str = "off") -> float:
    """Return how many runs of a shell line a second are carried out that wait when the scheduler opens."""
    with folder() as place:
        ours.serve_alike(place)
        scheduler = TaskScheduler(ours.config(place, autostart=False, sandbox=sandbox))
        scheduler.add_job(ours.command("job", ours.FAR, line))
        for _ in range(count):
            scheduler.run_now("job", force=True)
        ended = _Count(scheduler, count)
        scheduler.open()
        last = ended.wait()
        first = min(run.started_at.timestamp() for run in ours.finished(scheduler) if run.started_at)
        scheduler.close()
        return count / (last - first)


def _bare(argv: tuple[str, ...], count: int) -> float:
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda _: subprocess.run(argv, capture_output=True), range(WORKERS)))
        begun = time.perf_counter()
        list(pool.map(lambda _: subprocess.run(argv, capture_output=True), range(count)))
        return count / (time.perf_counter() - begun)
