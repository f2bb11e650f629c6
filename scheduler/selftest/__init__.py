"""Test the scheduler's promises on this machine: real servers, real processes, and harm done to both.

Rounds are drawn from a seed. In each, tasks write evidence of every start and end, servers are killed,
suspended and locked out of their database meanwhile, and at the end everything that was asked for,
planned and seen is matched against the ledger, one to one.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from scheduler.selftest.plan import make_plan
from scheduler.selftest.report import Say, Totals, tell_findings, tell_round, tell_totals
from scheduler.selftest.rounds import Round
from scheduler.selftest.stores import StoreMaker, Unsupported, find_store

__all__ = ["STORES", "Options", "Totals", "run_selftest"]

STORES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Options:
    """How long to test, and in which modes. Rounds take turns with the modes; round n has the seed `seed` + n."""

    seed: int
    rounds: int | None = None
    minutes: float | None = None
    workers: Sequence[int] = (1, 2, 4)
    stores: Sequence[str] = STORES
    keep: bool = False

    def wants_more(self, rounds: int, began: float) -> bool:
        """Whether another round should follow."""
        if self.rounds is not None and rounds >= self.rounds:
            return False
        return self.minutes is None or time.monotonic() - began < self.minutes * 60


def run_selftest(options: Options, say: Say) -> Totals:
    """Run rounds and tell about them; what was found is in what is returned."""
    folder = Path(tempfile.mkdtemp(prefix="task-scheduler-selftest-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where we are root
    say(f"seed {options.seed}, in {folder}")
    totals, began = Totals(), time.monotonic()
    with ExitStack() as stack:
        stores = _find_stores(options, folder, stack, say)
        modes = [Mode(kind, maker, workers) for kind, maker in stores for workers in options.workers]
        with suppress(KeyboardInterrupt), _ended_by_sigterm():
            while modes and options.wants_more(totals.rounds, began):
                _run_round(options, totals, folder, modes[totals.rounds % len(modes)], say)
    tell_totals(say, totals)
    if not options.keep and totals.clean:
        shutil.rmtree(folder)
    return totals


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the test as Ctrl-C does, so that no server of it is left running."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Mode(NamedTuple):
    """Which store, and how many server processes."""

    kind: str
    make_store: StoreMaker
    workers: int


def _find_stores(options: Options, folder: Path, stack: ExitStack, say: Say) -> list[tuple[str, StoreMaker]]:
    found = []
    for kind in options.stores:
        try:
            found.append((kind, find_store(kind, folder, stack)))
        except Unsupported as reason:
            say(f"skipped: {kind}: {reason}")
    return found


def _run_round(options: Options, totals: Totals, folder: Path, mode: Mode, say: Say) -> None:
    seed, place = options.seed + totals.rounds, folder / f"round-{totals.rounds + 1}"
    result = Round(make_plan(seed, mode.workers, mode.kind), place, mode.make_store).run()
    totals.add(result)
    tell_round(say, f"round {totals.rounds}, seed {seed}, {mode.kind}, {mode.workers} workers", result)
    if result.findings:
        replay = f"task-scheduler selftest --rounds 1 --seed {seed} --workers {mode.workers} --store {mode.kind}"
        tell_findings(say, result.findings, replay, str(place))
    elif not options.keep:
        shutil.rmtree(place)
