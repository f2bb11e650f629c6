"""Carry one confined run from start to end, as the process right above it.

The supervisor keeps the run's clock, watches its limits, ends its whole tree whatever happens, and
ends it too when the server has gone. It runs as the server's user and is itself not confined; of the
run it only ever reads the process table. Only the standard library is at hand.

Over the control socket come the policy (four bytes of length, then marshal) and later perhaps one
byte that asks to cancel; its end means that the server has gone. Back go one byte and the
supervisor's number when the policy has been understood, before anything is started, and at the end a
report (marshal).

Of the policy this file reads timeout and grace (seconds), memory (bytes), processes, cpu_seconds
(None for no limit); the rest is for confine.py.
"""

from __future__ import annotations

import marshal
import os
import resource
import select
import signal
import time

from tasks.sandbox.confine import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, become, prctl
from tasks.sandbox.tree import Watch, hurry, kill_all, living, read_member, reap, signal_all

TYPE_CHECKING = False  # `typing` and `collections` would cost a new supervisor milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

STARTED = b"s"
PID_BYTES = 4
CANCEL = b"c"

FIRST_LOOK = 0.02
LOOK_EVERY = 0.1
ENDING_SECONDS = 10.0
ABANDONED_GRACE = 1.0
"""How long a run may take to tidy up when the server has gone: a new one may be waiting."""


def supervise(control: int, out: int, err: int) -> None:
    """Read a policy from the control socket, carry its run out, and report."""
    policy = marshal.loads(_receive(control))
    _send(control, STARTED + os.getpid().to_bytes(PID_BYTES, "big"))
    try:
        report = _carry_out(policy, control, out, err)
    except Exception as error:  # told to the server, which has nothing else to go by
        kill_all({}, time.monotonic() + ENDING_SECONDS)
        report = {"status": None, "cause": "itself", "fault": f"sandbox: the supervisor failed: {error!r}"}
    _send(control, marshal.dumps(report))
    os.close(control)


def _send(control: int, data: bytes) -> None:
    while data:
        data = data[os.write(control, data) :]


def _receive(control: int) -> bytes:
    size = int.from_bytes(_exactly(control, 4), "big")
    return _exactly(control, size)


def _exactly(control: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(control, min(size, 1 << 20))
        if not part:
            raise EOFError("the server has gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _carry_out(policy: Mapping[str, Any], control: int, out: int, err: int) -> dict[str, Any]:
    prctl("SUBREAPER", PR_SET_CHILD_SUBREAPER, 1)
    prctl("DUMPABLE", PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of the control socket ends this process
    fault_read, fault_write = os.pipe()
    parent = os.getpid()
    main = os.fork()
    if main == 0:
        _run_child(policy, out, err, fault_write, parent)
    for fd in (fault_write, out, err):  # held open here, they would never end for their readers
        os.close(fd)
    return _Run(policy, control, main, fault_read).attend()


def _run_child(policy: Mapping[str, Any], out: int, err: int, fault: int, parent: int) -> None:
    try:
        become(policy, out, err, fault, parent)
    except OSError as error:
        started = error.filename in (policy["argv"][0], os.fsdecode(policy["argv"][0]))
        name = os.fsdecode(policy["argv"][0])
        text = f"{name!r} cannot be started: {error.strerror}" if started else f"sandbox: {error}"
        os.write(fault, text.encode("utf-8", "replace"))
    except BaseException as error:
        os.write(fault, f"sandbox: {error}".encode("utf-8", "replace"))
    finally:
        os._exit(125)


class _Run:
    """One run under way."""

    def __init__(self, policy: Mapping[str, Any], control: int, main: int, fault: int) -> None:
        self.policy = policy
        self.control = control
        self.main = main
        self.main_fd = os.pidfd_open(main)
        self.fault_fd = fault
        self.fault = b""
        self.watch = Watch()
        self.statuses: dict[int, int] = {}

    def attend(self) -> dict[str, Any]:
        """Wait for the end, see to it that all has ended, and return the report."""
        cause = self._wait()
        if cause in ("timeout", "cancelled", "abandoned"):
            self._ask_to_end(ABANDONED_GRACE if cause == "abandoned" else self.policy["grace"])
        if self.main not in self.statuses:  # unreaped, its number still stands for its group
            _kill_group(self.main)
        tidy = kill_all(self.statuses, time.monotonic() + ENDING_SECONDS)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "status": self.statuses.get(self.main),
            "cause": cause,
            "fault": self._read_fault().decode("utf-8", "replace"),
            "tidy": tidy,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "memory": max(self.watch.most_memory, used.ru_maxrss * 1024),
            "processes": self.watch.most_processes,
        }

    def _wait(self) -> str:
        """Return what ended the run: itself, timeout, cancelled, abandoned, memory, processes, cpu."""
        poll = select.poll()
        poll.register(self.main_fd, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        now = time.monotonic()
        deadline, look_at = now + self.policy["timeout"], now + FIRST_LOOK
        while True:
            ready = dict(poll.poll(max(min(deadline, look_at) - now, 0) * 1000 + 1))
            now = time.monotonic()
            if self.main_fd in ready:
                return "itself"
            if self.control in ready:
                return self._heard()
            if now >= deadline:
                return "timeout"
            if now >= look_at:
                look_at = now + LOOK_EVERY
                excess = self._look()
                if excess:
                    return excess

    def _heard(self) -> str:
        try:
            return "cancelled" if os.read(self.control, 1) == CANCEL else "abandoned"
        except ConnectionResetError:  # gone without having read all that it was sent
            return "abandoned"

    def _look(self) -> str | None:
        """Return which limit the tree exceeds, if any."""
        if self.watch.looks == 0:
            hurry()
        self.watch.look()
        self._reap_orphans()
        limits = self.policy
        if self.watch.count > limits["processes"]:
            return "processes"
        if self.watch.memory > limits["memory"] and self.watch.fair_memory() > limits["memory"]:
            return "memory"
        if limits["cpu_seconds"] is not None:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            if used.ru_utime + used.ru_stime + self.watch.cpu_seconds() > limits["cpu_seconds"]:
                return "cpu"
        return None

    def _reap_orphans(self) -> None:
        me = os.getpid()
        for member in self.watch.members.values():
            if member.dead and member.parent == me and member.pid != self.main:
                os.waitpid(member.pid, os.WNOHANG)

    def _ask_to_end(self, grace: float) -> None:
        """Ask all to end, wake stopped ones to hear it, and wait while any are left."""
        deadline = time.monotonic() + grace
        signal_all(living(), signal.SIGTERM, signal.SIGCONT)
        while reap(self.statuses) and (left := deadline - time.monotonic()) > 0:
            signal.sigtimedwait([signal.SIGCHLD], min(left, LOOK_EVERY))

    def _read_fault(self) -> bytes:
        """Return why the program was not started; nothing where it was."""
        os.set_blocking(self.fault_fd, False)
        try:
            return os.read(self.fault_fd, 4096)
        except BlockingIOError:  # a child that could not be ended before its program began
            return b"sandbox: the process hangs before its start"


def _kill_group(main: int) -> None:
    try:
        os.killpg(main, signal.SIGKILL)
    except ProcessLookupError:  # it has not come to make its own group yet
        member = read_member(main)
        signal_all([member] if member is not None else [], signal.SIGKILL)
