"""Take times, in processes of their own so that one measure leaves nothing behind for the next."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import statistics
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
MICRO, MILLI = 1e6, 1e3


def in_child(function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Run a function of a module in a fresh interpreter and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_told, partial(function, *args, **named)).result()


def _told(call: Callable[[], T]) -> T:
    """Turn whatever is raised into something that can be sent to another process."""
    try:
        return call()
    except Exception as error:
        raise RuntimeError("".join(traceback.format_exception(error))) from None


def together(*calls: Callable[[], T]) -> list[T]:
    """Make several calls at the same time and return what each returns."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@contextmanager
def folder() -> Iterator[Path]:
    """Give an empty directory and remove it afterwards; TMPDIR chooses the disk."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that such a share of all is not above; not a number where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    """Return the middle value; not a number where there are none."""
    return statistics.median(values) if values else float("nan")


def per_second(call: Callable[[int], object], callers: int, span: float) -> float:
    """Return how many calls a second so many threads make; each call is given a number of its own."""
    return len(durations(call, callers, span)) / span


def durations(call: Callable[[int], object], callers: int, span: float) -> list[float]:
    """Let threads call for so many seconds; return how long each finished call took."""
    taken: list[list[float]] = [[] for _ in range(callers)]
    ready = threading.Barrier(callers)

    def work(caller: int) -> None:
        mine, number = taken[caller], caller
        ready.wait()
        now = time.perf_counter()
        end = now + span
        while now < end:
            call(number)
            number += callers
            before, now = now, time.perf_counter()
            if now <= end:
                mine.append(now - before)

    threads = [threading.Thread(target=work, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for mine in taken for each in mine]


def cpu_a_minute(span: float) -> float:
    """Return how many CPU seconds this process would use in a minute, measured over `span` seconds of doing nothing."""
    before = _cpu()
    time.sleep(span)
    return (_cpu() - before) * 60 / span


def resident_bytes() -> int:
    """Return how much memory this process holds, after a collection."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
