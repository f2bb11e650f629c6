"""Find and end what belongs to a run, however it tried to leave.

A run's processes are known by their session, by their parents, and by the run's id in the
environment that they were started with. Orphans come to the server once it has called
adopt_orphans(), so that even one that cleared its environment stays known as nobody else's.

A run that leaves nothing behind must cost next to nothing. So only processes younger than the run's
main process are looked at (numbers are given out in ascending order), and none at all where no
number was given out since.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import select
import signal
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tasks.sandbox import processes
from tasks.sandbox.processes import TICKS, Process

PR_SET_CHILD_SUBREAPER = 36
RUN_ID_NAME = b"SCHEDULER_RUN_ID"

ENDING_SECONDS = 10.0
"""How long killed processes are waited for: one in uninterruptible sleep must not hold a worker."""

NUMBERS_IN_ORDER_SECONDS = 5.0
"""How long a run may last for its processes to be known by their higher numbers, before these start over."""

EXEC_PATIENCE = 20
"""How often an empty environment is looked at again."""

FEW = 200
"""How many newer numbers are asked for one by one before reading the whole table is cheaper."""

exempt: set[int] = set()
"""Children of the server, in sessions of their own, that belong to no run."""

_started_count = itertools.count(1)
_runs: dict[int, RunProcesses] = {}
_runs_lock = threading.Lock()
_adopts_orphans = False
_last_full_look = 0.0


def adopt_orphans() -> None:
    """Let orphans of runs come to this process rather than to the machine's first one.

    For a server, which calls it once. From then on a child of this process that is in a session
    other than its own is taken for a run's: a program that starts such children for itself must
    not call this. OSError if the kernel refuses.
    """
    global _adopts_orphans
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    _adopts_orphans = True


def kill_leftovers(run_ids: Collection[str]) -> int:
    """End all processes of this machine that carry one of these run ids, and all below them.

    Return how many there were. For use after a crash of the server.
    """
    wanted = {run_id.encode() for run_id in run_ids}
    ended: set[tuple[int, int]] = set()
    deadline = time.monotonic() + ENDING_SECONDS
    while wanted and time.monotonic() < deadline:
        found = _carrying(wanted)
        if not found:
            break
        ended.update((process.pid, process.started) for process in found)
        _kill(found, deadline)
    return len(ended)


def _carrying(wanted: set[bytes]) -> list[Process]:
    table = {pid: process for pid, process in processes.all_processes().items() if not process.dead}
    table.pop(os.getpid(), None)
    roots = {pid for pid in table if processes.read_variable(pid, RUN_ID_NAME) in wanted}
    return [table[pid] for pid in roots | processes.descendants(roots, table) if pid in table]


@dataclass(eq=False, slots=True)
class RunProcesses:
    """The processes of one run: its main process and whatever it started.

    Entered before the main process is started, `main_pid` 0 until it is known; left after the
    main process has been reaped. The main process must not be reaped before `end` has returned:
    until then nothing else can get its number.
    """

    run_id: str
    main_pid: int = 0
    began: float = field(default_factory=lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    key: int = field(default_factory=lambda: next(_started_count))

    def __enter__(self) -> RunProcesses:
        with _runs_lock:
            _runs[self.key] = self
        return self

    def __exit__(self, *exc_info: object) -> None:
        with _runs_lock:
            del _runs[self.key]

    def terminate(self) -> list[Process]:
        """Ask all processes of the run to end, and wake stopped ones to hear it; return them."""
        members = self._living(processes.pids(), with_main=True)
        for number in (signal.SIGTERM, signal.SIGCONT):
            _signal_group(self.main_pid, number)
            for process in members:
                if process.group != self.main_pid:
                    processes.send(process, number)
        return members

    def end(self) -> list[Process]:
        """Kill all processes of the run but the main one; return those that withstood.

        A process that forks and exits again and again is always a number ahead of one look at the
        table. So the numbers given out during a look are looked at too, until there were none.
        """
        _signal_group(self.main_pid, signal.SIGKILL)
        deadline = time.monotonic() + ENDING_SECONDS
        seen, everything = self.main_pid, _full_look_is_due(self.began)
        while True:
            newest = processes.last_pid()
            newer = range(seen + 1, newest + 1)
            everything = everything or newest < seen or len(newer) > FEW  # the numbers may have started over
            look = everything or any(map(self._is_suspect, newer))
            members = self._living(processes.pids()) if look else []
            if not members and processes.last_pid() == newest:
                return []
            if time.monotonic() > deadline:
                return members
            _kill(members, deadline)
            seen, everything = newest, bool(members)

    def _is_suspect(self, pid: int) -> bool:
        try:
            session = os.getsid(pid)
        except ProcessLookupError:
            return False
        if session == self.main_pid:
            return True
        if session < self.main_pid or session == os.getsid(0):  # begun before the run, or this process's own
            return False
        others = self._others()
        if session in {run.main_pid for run in others}:
            return False
        run_id = _run_id_of(pid)
        if run_id == self.run_id:
            return True
        if run_id in {run.run_id for run in others} or any(run.main_pid == 0 for run in others):
            return False  # a stranger without an id, taken for one just starting, is found by the next look at all
        return session not in {run.main_pid for run in self._others()} and self._is_alive(pid)

    def _is_alive(self, pid: int) -> bool:
        process = processes.read_process(pid)
        return process is not None and not process.dead

    def _living(self, numbers: Iterable[int], with_main: bool = False) -> list[Process]:
        known = {run.main_pid for run in self._others()} | {os.getpid()}
        found = (processes.read_process(pid) for pid in numbers if pid not in known)
        table = {process.pid: process for process in found if process is not None}
        main = table.pop(self.main_pid, None)
        roots = {pid for pid, process in table.items() if self._owns(process)}
        members = roots | processes.descendants([*roots, self.main_pid], table)
        living = [table[pid] for pid in members if not table[pid].dead]
        return [*living, main] if with_main and main is not None else living

    def _others(self) -> list[RunProcesses]:
        with _runs_lock:
            return [run for run in _runs.values() if run is not self]

    def _owns(self, process: Process) -> bool:
        if process.dead:
            _reap_orphan(process)
            return False
        if process.session == self.main_pid:
            return True
        if not self.may_own(process):
            return False
        if _run_id_of(process.pid) == self.run_id:
            return True
        return _is_orphan(process) and not any(run.may_own(process) for run in self._others())

    def may_own(self, process: Process) -> bool:
        """Return whether a process is young enough to have been started by this run."""
        return process.started >= int(self.began * TICKS)


def _run_id_of(pid: int) -> str | None:
    """Return the id in the environment that a process was started with, or None where there is none.

    A process that is just becoming another program has no environment for some microseconds.
    """
    for _ in range(EXEC_PATIENCE):
        run_id = processes.read_variable(pid, RUN_ID_NAME)
        if run_id is not None:
            return run_id.decode("ascii", "replace") or None
        process = processes.read_process(pid)
        if process is None or process.dead:
            return None
        os.sched_yield()
    return None


def _full_look_is_due(began: float) -> bool:
    """Return whether numbers may have started over since, or nobody has looked at everything for long."""
    global _last_full_look
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    due = max(now - began, now - _last_full_look) > NUMBERS_IN_ORDER_SECONDS
    if due:
        _last_full_look = now
    return due


def _is_orphan(process: Process) -> bool:
    detached = process.parent == os.getpid() and process.session != os.getsid(0)
    return _adopts_orphans and detached and process.pid not in exempt


def _reap_orphan(process: Process) -> None:
    """Collect an ended orphan, unless it may be the main process of a run, whose status is awaited."""
    with _runs_lock:  # no run can start meanwhile
        awaited = any(run.main_pid in (0, process.pid) for run in _runs.values())
        if _is_orphan(process) and not awaited:
            processes.reap(process.pid)


def _signal_group(group: int, number: signal.Signals) -> None:
    # The main process, alive or not yet reaped, leads this group: the number cannot be another's.
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
    except PermissionError:  # every member became another user's; they are told by name where they withstand
        return


def _kill(members: list[Process], deadline: float) -> None:
    """Kill these processes and wait until they are dead."""
    poll = select.poll()
    opened = []
    for process in members:
        fd = processes.open_process(process)
        if fd is not None:
            opened.append(fd)
            poll.register(fd, select.POLLIN)
            processes.send(process, signal.SIGKILL)
    try:
        waiting = len(opened)
        while waiting and (left := deadline - time.monotonic()) > 0:
            for fd, _ in poll.poll(left * 1000):
                poll.unregister(fd)
                waiting -= 1
    finally:
        for fd in opened:
            os.close(fd)
    for process in members:
        if process.parent == os.getpid():
            processes.reap(process.pid)
