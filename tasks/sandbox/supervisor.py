"""Carry confined runs from start to end, one after the other, as the process right above each.

The supervisor keeps a run's clock, watches its limits, ends its whole tree whatever happens, and
ends it too when the server has gone. It runs as the server's user and may read what that user may; of
the run it only ever reads the process table. Only the standard library is at hand.

Over the control socket come the policy (four bytes of length with the two outputs attached, then
marshal) and later perhaps one byte that asks to cancel; its end means that the server has gone. Back
go one byte and the supervisor's number when the policy has been understood, before anything is
started, and at the end a report (four bytes of length, then marshal). Where the report says `again`
the next policy may follow: that is so after a run that ended by itself, too soon to be looked at.

Of the policy this file reads timeout and grace (seconds), memory (bytes), processes, cpu_seconds
(None for no limit); the rest is for confine.py.
"""

from __future__ import annotations

import array
import marshal
import os
import select
import signal
import socket
import time

from tasks.sandbox.confine import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    StepFailed,
    become,
    make_ruleset,
    prctl,
    take_on,
)
from tasks.sandbox.tree import Children, Watch, hurry, kill_all, living, read_member, signal_all

TYPE_CHECKING = False  # `typing` and `collections` would cost a new supervisor milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import FileIO
    from typing import Any

STARTED = b"s"
LENGTH_BYTES = 4
CANCEL = b"c"
OUTPUTS = 2

IDLE_SECONDS = 10.0
"""How long a supervisor waits for its next run before it goes."""
MOST_RUNS = 200
"""How many runs a supervisor carries out: nothing that its interpreter gathers stays for long."""

FIRST_LOOK = 0.02
LOOK_EVERY = 0.1
ENDING_SECONDS = 10.0
ABANDONED_GRACE = 1.0
"""How long a run may take to tidy up when the server has gone: a new one may be waiting."""


def supervise(control: int) -> None:
    """Read policies from the control socket, carry out the run of each, and report."""
    with socket.socket(fileno=control) as channel:
        _settle()
        for number in range(1, MOST_RUNS + 1):
            request = _receive(channel)
            if request is None:
                return
            policy, outputs = request
            channel.sendall(STARTED + os.getpid().to_bytes(LENGTH_BYTES, "big"), socket.MSG_NOSIGNAL)
            try:
                if number == 1:  # the base is the same for all runs of a server
                    take_on(policy["base"])
                report = _carry_out(policy, channel, outputs)
            except StepFailed as error:
                report = _not_started(f"sandbox: {error}")
            except Exception as error:  # told to the server, which has nothing else to go by
                kill_all(Children(), time.monotonic() + ENDING_SECONDS)
                report = _not_started(f"sandbox: the supervisor failed: {error!r}")
            again = report.get("again", False) and number < MOST_RUNS
            data = marshal.dumps({**report, "again": again})
            channel.sendall(len(data).to_bytes(LENGTH_BYTES, "big") + data, socket.MSG_NOSIGNAL)
            if not again:
                return


def _not_started(fault: str) -> dict[str, Any]:
    return {"status": None, "cause": "itself", "fault": fault}


def _settle() -> None:
    prctl("SUBREAPER", PR_SET_CHILD_SUBREAPER, 1)
    prctl("DUMPABLE", PR_SET_DUMPABLE, 0)
    for number in signal.valid_signals():  # ignored by the fork server, by Python, or by whoever started the server
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _no_matter)  # the end of the control socket ends this process


def _no_matter(*_: object) -> None:
    """Handle a signal by going on; what is ignored instead stays so in the programs that are started."""


def _receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next policy and the outputs of its run; None when none comes, or the server has gone."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    if not poll.poll(IDLE_SECONDS * 1000):
        return None
    fds = array.array("i")
    room = socket.CMSG_LEN(OUTPUTS * fds.itemsize)
    size, ancillary, _, _ = channel.recvmsg(LENGTH_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data)
    if len(size) < LENGTH_BYTES or len(fds) < OUTPUTS:  # the end, or a cancellation that came too late before it
        return None
    return marshal.loads(_exactly(channel, int.from_bytes(size, "big"))), list(fds)


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise EOFError("the server has gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _carry_out(policy: Mapping[str, Any], channel: socket.socket, outputs: list[int]) -> dict[str, Any]:
    """Start the program and attend to it until its end."""
    fault_read, fault_write = os.pipe()
    given = [fault_write, *outputs]  # held open here, they would never end for their readers
    try:
        ruleset = make_ruleset(policy["landlock"])
        if ruleset is not None:
            given.append(ruleset)
        parent = os.getpid()
        main = os.fork()
        if main == 0:
            _run_child(policy, ruleset, outputs, fault_write, parent)
    finally:
        for fd in given:
            os.close(fd)
    with open(fault_read, "rb", buffering=0) as fault:
        return _Run(policy, channel, main, fault).attend()


def _run_child(policy: Mapping[str, Any], ruleset: int | None, outputs: list[int], fault: int, parent: int) -> None:
    try:
        become(policy, ruleset, outputs, fault, parent)
    except OSError as error:
        program = policy["programs"][-1][0]
        name = os.fsdecode(program)
        started = error.filename in (program, name)
        text = f"{name!r} cannot be started: {error.strerror}" if started else f"sandbox: {error}"
        os.write(fault, text.encode("utf-8", "replace"))
    except BaseException as error:
        os.write(fault, f"sandbox: {error}".encode("utf-8", "replace"))
    finally:
        os._exit(125)


class _Run:
    """One run under way."""

    def __init__(self, policy: Mapping[str, Any], control: socket.socket, main: int, fault: FileIO) -> None:
        self.policy = policy
        self.control = control
        self.main = main
        self.fault = fault
        self.watch = Watch()
        self.children = Children()
        self.cpu_seconds = 0.0

    def attend(self) -> dict[str, Any]:
        """Wait for the end, see to it that all has ended, and return the report."""
        cause = self._wait()
        if cause in ("timeout", "cancelled", "abandoned"):
            self._ask_to_end(ABANDONED_GRACE if cause == "abandoned" else self.policy["grace"])
        if self.main not in self.children.statuses:  # unreaped, its number still stands for its group
            _kill_group(self.main)
        tidy = kill_all(self.children, time.monotonic() + ENDING_SECONDS)
        fault = self._read_fault().decode("utf-8", "replace")
        return {
            "status": self.children.statuses.get(self.main),
            "cause": cause,
            "fault": fault,
            "tidy": tidy,
            "cpu_seconds": max(self.cpu_seconds, self.children.cpu_seconds + self.watch.lost_seconds()),
            "memory": max(self.watch.most_memory, self.children.most_memory),
            "processes": self.watch.most_processes,
            "again": tidy and cause == "itself" and not fault and self.watch.looks == 0,
        }

    def _wait(self) -> str:
        """Return what ended the run: itself, timeout, cancelled, abandoned, memory, processes, cpu."""
        main = os.pidfd_open(self.main)
        try:
            return self._watch(main)
        finally:
            os.close(main)

    def _watch(self, main: int) -> str:
        poll = select.poll()
        poll.register(main, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        now = time.monotonic()
        deadline, look_at = now + self.policy["timeout"], now + FIRST_LOOK
        while True:
            ready = dict(poll.poll(max(min(deadline, look_at) - now, 0) * 1000 + 1))
            now = time.monotonic()
            if main in ready:
                return "itself"
            if ready:
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
            return "cancelled" if self.control.recv(1) == CANCEL else "abandoned"
        except ConnectionResetError:  # gone without having read all that it was sent
            return "abandoned"

    def _look(self) -> str | None:
        """Return which limit the tree exceeds, if any."""
        if self.watch.looks == 0:
            hurry()
        self.watch.look()
        self.cpu_seconds = self.children.cpu_seconds + self.watch.cpu_seconds()
        self._reap_orphans()
        limits = self.policy
        if self.watch.count > limits["processes"]:
            return "processes"
        if self.watch.memory > limits["memory"] and self.watch.fair_memory() > limits["memory"]:
            return "memory"
        most_seconds = limits["cpu_seconds"]
        return "cpu" if most_seconds is not None and self.cpu_seconds > most_seconds else None

    def _reap_orphans(self) -> None:
        me = os.getpid()
        for member in list(self.watch.members.values()):
            if member.dead and member.parent == me and member.pid != self.main and self.children.collect(member.pid):
                self.watch.leave(member)

    def _ask_to_end(self, grace: float) -> None:
        """Ask all to end, wake stopped ones to hear it, and wait while any are left."""
        deadline = time.monotonic() + grace
        signal_all(living(), signal.SIGTERM, signal.SIGCONT)
        while self.children.reap() and (left := deadline - time.monotonic()) > 0:
            signal.sigtimedwait([signal.SIGCHLD], min(left, LOOK_EVERY))

    def _read_fault(self) -> bytes:
        """Return why the program was not started; nothing where it was."""
        os.set_blocking(self.fault.fileno(), False)
        fault = self.fault.read(4096)
        return b"sandbox: the process hangs before its start" if fault is None else fault


def _kill_group(main: int) -> None:
    try:
        os.killpg(main, signal.SIGKILL)
    except ProcessLookupError:  # it has not come to make its own group yet
        member = read_member(main)
        signal_all([member] if member is not None else [], signal.SIGKILL)
