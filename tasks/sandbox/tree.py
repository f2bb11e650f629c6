"""Watch and end everything below the calling process.

Runs in the supervisor of one run, a child subreaper: whatever the run starts, however it is
detached, stays below it. Only the standard library is at hand.
"""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False  # `typing` and `collections` would cost a new supervisor milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable

FEW = 200
"""How many newer process numbers are asked for one by one before reading all is cheaper."""

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")

STORM = 16
"""From how many processes on they are stopped before they are killed, so that none takes a freed place."""

LARGE_GROUP = 4


class Member:
    """What the process table says of one process: parent, group, start, state, CPU ticks, memory pages.

    `waited` of its `cpu` ticks are of children that it waited for. `owed` are those of descendants that have gone,
    as far as seen, less what it has waited for meanwhile: above zero, nobody ever will.
    """

    __slots__ = ("cpu", "dead", "group", "owed", "pages", "parent", "pid", "started", "thread", "waited")

    def __init__(self, pid: int, line: bytes) -> None:
        fields = line[line.rindex(b")") + 2 :].split()
        self.pid = pid
        self.dead = fields[0] in b"ZX"
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.waited = int(fields[13]) + int(fields[14])
        self.cpu = int(fields[11]) + int(fields[12]) + self.waited
        self.owed = 0
        self.started = int(fields[19])
        self.pages = int(fields[21])
        self.thread = int(fields[35]) < 0  # without a signal for its end, which every process has


def read_member(pid: int) -> Member | None:
    """Return what the process table says of a process, or None where it has gone or is a thread of another."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        member = Member(pid, os.read(fd, 4096))
        return None if member.thread else member
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)


def below(candidates: Iterable[int]) -> dict[int, Member]:
    """Return those of the candidates that are descendants of this process."""
    table = {pid: member for pid in candidates if (member := read_member(pid)) is not None}
    children: dict[int, list[int]] = {}
    for member in table.values():
        children.setdefault(member.parent, []).append(member.pid)
    found: dict[int, Member] = {}
    waiting = [os.getpid()]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in found:
                found[pid] = table[pid]
                waiting.append(pid)
    return found


def all_numbers() -> list[int]:
    """Return the numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def last_number() -> int:
    """Return the number that was given out last."""
    fd = os.open("/proc/loadavg", os.O_RDONLY)
    try:
        return int(os.read(fd, 128).split()[-1])
    finally:
        os.close(fd)


class Watch:
    """Keeps sight of the tree: how many processes, how much memory, how much CPU time.

    Looks only at known members and at numbers given out since the last look.
    """

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.most_processes = 1
        self.most_memory = 0
        self.looks = 0
        self._seen = 0
        self._lost = 0

    def look(self) -> None:
        """Bring the picture up to date."""
        self.looks += 1
        newest = last_number()
        newer = range(self._seen + 1, newest + 1)
        known = self._seen > 0 and newest >= self._seen and len(newer) <= FEW
        before, self.members = self.members, below([*self.members, *newer] if known else all_numbers())
        self._carry_over(before)
        self._seen = newest
        self.most_processes = max(self.most_processes, self.count)
        self.most_memory = max(self.most_memory, self.memory)

    @property
    def count(self) -> int:
        """How many processes live."""
        return sum(not member.dead for member in self.members.values())

    @property
    def memory(self) -> int:
        """How many bytes all of them hold in memory; what several share counts for each."""
        return sum(member.pages for member in self.members.values()) * PAGE

    def cpu_seconds(self) -> float:
        """How long the members have computed, with the children that they waited for, and those that nobody did."""
        return sum(member.cpu for member in self.members.values()) / TICK + self.lost_seconds()

    def lost_seconds(self) -> float:
        """How long those have computed, as far as seen, that have gone without having been waited for.

        That is so for the children of a process that ignores SIGCHLD: the kernel adds their time to nobody's.
        """
        return (self._lost + sum(max(member.owed, 0) for member in self.members.values())) / TICK

    def leave(self, member: Member) -> None:
        """Watch a member no longer that this process has waited for."""
        del self.members[member.pid]
        self._lost += max(member.owed, 0)

    def _carry_over(self, before: dict[int, Member]) -> None:
        """Have the nearest living ancestor of each member that has gone owe its time."""
        now = {pid: self.members[pid] for pid, old in before.items() if _goes_on(old, self.members)}
        for pid, member in now.items():
            member.owed += before[pid].owed - (member.waited - before[pid].waited)
        for pid, gone in before.items():
            if pid in now:
                continue
            self._lost += max(gone.owed, 0)
            parent = gone.parent
            while parent in before and parent not in now:
                parent = before[parent].parent
            if parent in now:  # else it is this process, which counts whom it waits for
                now[parent].owed += gone.cpu

    def fair_memory(self) -> int:
        """How many bytes all of them hold, what several share counted once; dearer to find out.

        They are asked one after the other. Who ends or becomes another program meanwhile leaves its part to the
        others, whose shares grow: of each counts only what it still holds once all have been asked.
        """
        shares = [(member, _fair_bytes(member)) for member in self.members.values()]
        return sum(min(share, _bytes_now(member)) for member, share in shares)


def _goes_on(old: Member, members: dict[int, Member]) -> bool:
    return old.pid in members and members[old.pid].started == old.started


def _fair_bytes(member: Member) -> int:
    try:
        with open(f"/proc/{member.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:  # not ours to read: then what is shared counts for each
        return member.pages * PAGE
    return 0


def _bytes_now(member: Member) -> int:
    now = read_member(member.pid)
    return now.pages * PAGE if now is not None and now.started == member.started else 0


def signal_all(members: Iterable[Member], *numbers: signal.Signals) -> None:
    """Send signals to processes, never to others that were given their numbers in the meantime."""
    for member in members:
        try:
            fd = os.pidfd_open(member.pid)
        except ProcessLookupError:
            continue
        try:
            now = read_member(member.pid)
            if now is not None and now.started == member.started:
                for number in numbers:
                    signal.pidfd_send_signal(fd, number)
        except (ProcessLookupError, PermissionError):  # it has gone; none can become another user's
            continue
        finally:
            os.close(fd)


class Children:
    """What is known of children that have ended: how, and what they used with all that they waited for."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.cpu_seconds = 0.0
        self.most_memory = 0

    def reap(self) -> bool:
        """Collect children that have ended; return whether any are left."""
        while True:
            try:
                if not self.collect(-1):
                    return True
            except ChildProcessError:
                return False

    def collect(self, pid: int) -> bool:
        """Collect a child (-1 for any) if it has ended; return whether one had. ChildProcessError where none is."""
        pid, status, used = os.wait4(pid, os.WNOHANG)
        if pid == 0:
            return False
        self.statuses[pid] = status
        self.cpu_seconds += used.ru_utime + used.ru_stime
        self.most_memory = max(self.most_memory, used.ru_maxrss * 1024)
        return True


def living() -> list[Member]:
    """Return everything below this process that lives."""
    return [member for member in below(all_numbers()).values() if not member.dead]


def kill_all(children: Children, deadline: float) -> bool:
    """End everything below this process and collect it; return whether nothing is left.

    SIGCHLD must be blocked: it wakes the wait. `deadline` is a moment of time.monotonic().
    """
    while children.reap():
        if time.monotonic() > deadline:
            return False
        members = living()
        if len(members) >= STORM:
            members = _stop(members)
        signal_all(members, signal.SIGKILL)
        signal.sigtimedwait([signal.SIGCHLD], 0.01)
    return True


def hurry() -> None:
    """Go before everything else, where that is allowed; what is forked from here does not.

    Among thousands of processes that want to run, this one would see the storm and end it seconds late.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:  # not root, or in a container without the right to: it takes longer, no more
        return


def _stop(members: list[Member]) -> list[Member]:
    """Stop all, and those that were born meanwhile, until no new ones appear."""
    stopped: dict[tuple[int, int], Member] = {}
    for _ in range(100):
        new = {(member.pid, member.started): member for member in members}
        if new.keys() <= stopped.keys():
            break
        unseen = [member for key, member in new.items() if key not in stopped]
        _stop_groups(unseen)
        signal_all(unseen, signal.SIGSTOP)
        stopped |= new
        members = living()
    return list(stopped.values())


def _stop_groups(members: list[Member]) -> None:
    """Stop large groups in one call each, with those who are being born into them."""
    sizes: dict[int, int] = {}
    for member in members:
        sizes[member.group] = sizes.get(member.group, 0) + 1
    for group, size in sizes.items():
        if size >= LARGE_GROUP and group != os.getpgrp():
            try:
                os.killpg(group, signal.SIGSTOP)
            except ProcessLookupError:
                continue
