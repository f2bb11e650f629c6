"""Measure what confinement costs a run, beside the same executor without it and, where installed, bwrap.

    python -m benchmarks.sandbox

Prints the time of one run of /bin/true (median, one after the other), runs a second from 8 threads, and what
a large output costs this process in memory. The promises: at most 8 ms more than without confinement, at
least 400 confined runs a second on 2 cores, under 8 MiB for 1 GiB of output.
"""

from __future__ import annotations

import itertools
import logging
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.sandbox import AllowedDirs, Cancellation, Confinement, RunSpec, make_confinement, open_sandbox

ALONE = 200
TOGETHER = 800
THREADS = 8
ROUNDS = 3
FLOOD_BYTES = 1 << 30
TRUE = ["/bin/true"]
BWRAP = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]

_numbers = itertools.count()


class Place:
    """A workspace whose runs can be confined or not."""

    def __init__(self, root: Path) -> None:
        root.chmod(0o755)
        self.data = root / "data"
        self.data.mkdir(mode=0o700)
        (root / "workspace").mkdir()
        self.allowed = AllowedDirs([root / "workspace"])

    def run(self, argv: list[str], confinement: Confinement | None) -> None:
        """Run a program to its end, which must be a good one."""
        spec = RunSpec(
            run_id=f"bench-{next(_numbers)}",
            task_id="bench",
            scheduled_for="",
            attempt=1,
            timezone="UTC",
            allowed=self.allowed,
            working_directory=None,
            env={},
            timeout_seconds=300,
            log_dir=self.data / "log",
            tmp_root=self.data / "tmp",
        )
        with open_sandbox(spec, Cancellation(), confinement) as sandbox:
            result = sandbox.run(argv)
        if result.status != "completed":
            raise RuntimeError(f"{argv[0]}: {result.reason}")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as root:
        place = Place(Path(root))
        confinement = make_confinement("auto", place.allowed, [], "all", "auto", place.data)
        try:
            print(f"Confinement: {confinement.describe()}")
            _show(_ways(place, confinement))
            _show_flood(place, confinement)
        finally:
            confinement.close()


def _ways(place: Place, confinement: Confinement) -> dict[str, Callable[[], None]]:
    """Return each way to run /bin/true: confined, in its slower form, without, and the peers."""
    single = make_confinement("auto", place.allowed, [], "all", "auto", place.data)
    if single.launcher is not None:
        single.launcher.fork = lambda control: False  # type: ignore[method-assign]
        single.launcher.give_back = lambda supervisor: supervisor.close()  # type: ignore[method-assign]
    ways: dict[str, Callable[[], None]] = {
        "confined, fork server": lambda: place.run(TRUE, confinement),
        "confined, each interpreter new": lambda: place.run(TRUE, single),
        "not confined": lambda: place.run(TRUE, None),
        "subprocess.run": lambda: _bare(TRUE),
    }
    if shutil.which("bwrap"):
        ways["subprocess.run with bwrap"] = lambda: _bare([*BWRAP, *TRUE])
    return ways


def _bare(argv: list[str]) -> None:
    subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=True)


def _show(ways: dict[str, Callable[[], None]]) -> None:
    logging.disable(logging.WARNING)  # each run without the fork server is told otherwise
    alone: dict[str, list[float]] = {name: [] for name in ways}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _, (name, way) in itertools.product(range(ROUNDS), ways.items()):  # in turns: other load hits all alike
        alone[name] += [_seconds(way) for _ in range(ALONE // ROUNDS)]
        rates[name].append(_rate(way))
    base = statistics.median(alone["not confined"]) * 1000
    print(f"{'run of /bin/true':32}{'median':>10}{'more than not confined':>26}{'8 threads':>14}")
    for name in ways:
        median = statistics.median(alone[name]) * 1000
        print(f"{name:32}{median:>7.2f} ms{median - base:>23.2f} ms{statistics.median(rates[name]):>12.0f}/s")


def _seconds(way: Callable[[], None]) -> float:
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def _rate(way: Callable[[], None]) -> float:
    count = TOGETHER // ROUNDS
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(way) for _ in range(count)]:
            done.result()
    return count / (time.perf_counter() - begun)


def _show_flood(place: Place, confinement: Confinement) -> None:
    before = _peak_memory()
    begun = time.perf_counter()
    place.run(["/bin/sh", "-c", f"yes | head -c {FLOOD_BYTES}"], confinement)
    seconds = time.perf_counter() - begun
    more = (_peak_memory() - before) / 1024
    print(f"{FLOOD_BYTES >> 20} MiB of output: {seconds:.1f} s, {more:.1f} MiB more at this process's peak")


def _peak_memory() -> int:
    """Return this process's largest memory so far, in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not tell the peak of memory")


if __name__ == "__main__":
    main()
