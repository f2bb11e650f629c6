"""Write the filter that decides which system calls a run may make.

The filter is a program for the kernel's small packet-filter machine: it loads words of the call's
number and arguments, compares, and returns a verdict. Comparing integers is all it can do, so what
lies in memory (a path, a structure) is left to other layers.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from functools import cache
from typing import Literal

from tasks.sandbox.landlock import RESOLVE_UNIX, TRUNCATE, Abilities
from tasks.sandbox.seccomp_table import CHECKED, DENIED, UNKNOWN, UNSUPPORTED, Numbers

Network = Literal["none", "tcp", "all"]

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_FIRST = 0x40000000

LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K

NUMBER_OFFSET = 0
ARCHITECTURE_OFFSET = 4
ALLOW = 0x7FFF0000
FAIL = 0x00050000

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
SOCK_STREAM, SOCK_DGRAM, SOCK_TYPE_MASK = 1, 2, 0xF
IPPROTO_TCP, IPPROTO_UDP = 6, 17
NEW_NAMESPACES = 0x7E020000
SET_ID_BITS = 0o6000
O_CREAT = 0o100
MSG_FASTOPEN = 0x20000000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
PRIO_PROCESS, PRIO_PGRP = 0, 1
IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP = 1, 2

Instruction = tuple[int, int, int, int]


@cache
def build_filter(machine: str, abilities: Abilities | None, network: Network, allow_unix: bool) -> bytes:
    """Return the filter's program for one machine type; KeyError for one that is not known.

    `abilities` are Landlock's: what it cannot control is closed here as far as possible. Sockets to
    paths stay closed while they are not controlled, unless `allow_unix`.
    """
    program = _Filter(machine)
    program.start()
    for table, error in ((DENIED, errno.EPERM), (UNSUPPORTED, errno.EOPNOTSUPP), (UNKNOWN, errno.ENOSYS)):
        for numbers in table.values():
            program.add(numbers, [_fail(error)])
    for name, checks in _checks(abilities, network, allow_unix):
        program.add(CHECKED[name], checks)
    return program.bytes()


class _Filter:
    """A program under construction: after each block the accumulator holds the call's number."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.code: list[Instruction] = []

    def start(self) -> None:
        """Refuse calls of another architecture, whose numbers mean other things."""
        self.code += [
            (LOAD, 0, 0, ARCHITECTURE_OFFSET),
            (EQUAL, 1, 0, ARCHITECTURES[self.machine]),
            _fail(errno.ENOSYS),
            (LOAD, 0, 0, NUMBER_OFFSET),
        ]
        if self.machine == "x86_64":
            self.code += [(AT_LEAST, 0, 1, X32_FIRST), _fail(errno.ENOSYS)]

    def add(self, numbers: Numbers, block: list[Instruction]) -> None:
        """Run a block, which must end in a verdict, for one call."""
        number = numbers._asdict()[self.machine]
        if number is not None:
            self.code += [(EQUAL, 0, len(block), number), *block]

    def bytes(self) -> bytes:
        code = [*self.code, (RETURN, 0, 0, ALLOW)]
        return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def _fail(error: int) -> Instruction:
    return (RETURN, 0, 0, FAIL | error)


def _load(argument: int) -> Instruction:
    return (LOAD, 0, 0, 16 + 8 * argument)  # the low half: all that is compared here is an int


_ALLOW: Instruction = (RETURN, 0, 0, ALLOW)
_DENY = _fail(errno.EPERM)


def _deny_if(argument: int, comparison: int, *values: int) -> list[Instruction]:
    """Deny the call where its argument compares with one of the values."""
    tests = [part for value in values for part in ((comparison, 0, 1, value), _DENY)]
    return [_load(argument), *tests, _ALLOW]


def _deny_unless(argument: int, *values: int) -> list[Instruction]:
    """Deny the call unless its argument equals one of the values."""
    tests = [part for value in values for part in ((EQUAL, 0, 1, value), _ALLOW)]
    return [_load(argument), *tests, _DENY]


def _checks(abilities: Abilities | None, network: Network, allow_unix: bool) -> Iterator[tuple[str, list[Instruction]]]:
    files = abilities.files if abilities else 0
    yield "clone", _deny_if(0, ANY_BIT, NEW_NAMESPACES)
    yield "personality", _deny_unless(0, 0, 0xFFFFFFFF)
    yield "ioctl", _deny_if(1, EQUAL, TIOCSTI, TIOCLINUX)
    if abilities is None or not abilities.scopes:
        yield "kill", _deny_if(0, EQUAL, 0xFFFFFFFF)
    if not files & TRUNCATE:
        yield "truncate", [_DENY]
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"):
        yield name, _deny_unless(0, 0)
    yield "setpriority", _own_priority(PRIO_PROCESS, PRIO_PGRP)
    yield "ioprio_set", _own_priority(IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP)
    yield from _set_id_checks()
    yield from _socket_checks(network, allow_unix or bool(files & RESOLVE_UNIX))


def _own_priority(process: int, group: int) -> list[Instruction]:
    """Deny the call but for the caller or its group: zero may also stand for its user, the server perhaps included."""
    return [_load(0), (EQUAL, 2, 0, process), (EQUAL, 1, 0, group), _DENY, *_deny_unless(1, 0)]


def _set_id_checks() -> Iterator[tuple[str, list[Instruction]]]:
    """Deny making files that run as their owner; planted, they would wait for a process without this filter."""
    arguments = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "mknod": 1, "mknodat": 2, "creat": 1}
    for name, argument in arguments.items():
        yield name, _deny_if(argument, ANY_BIT, SET_ID_BITS)
    for name, flags in (("open", 1), ("openat", 2)):  # the mode counts only where a file is made
        yield name, [_load(flags), (ANY_BIT, 1, 0, O_CREAT), _ALLOW, *_deny_if(flags + 1, ANY_BIT, SET_ID_BITS)]


def _socket_checks(network: Network, allow_unix: bool) -> Iterator[tuple[str, list[Instruction]]]:
    """Allow families by name, never deny them by name: the next family with a hole is closed already."""
    unsupported = _fail(errno.EAFNOSUPPORT)
    allowed = [_load(0)]
    if allow_unix:
        allowed += [(EQUAL, 0, 1, AF_UNIX), _ALLOW]
    if network == "none":
        yield "socket", [*allowed, unsupported]
    else:
        internet = [(EQUAL, 2, 0, AF_INET), (EQUAL, 1, 0, AF_INET6), unsupported, *_internet_types(network)]
        yield "socket", [*allowed, *internet]
    yield "socketpair", [_load(0), (EQUAL, 1, 0, AF_UNIX), unsupported, _ALLOW]
    if network == "tcp":  # it connects without being asked for a connection
        for name, argument in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)):
            yield name, _deny_if(argument, ANY_BIT, MSG_FASTOPEN)


def _internet_types(network: Network) -> list[Instruction]:
    datagram = [*_protocols(0, IPPROTO_UDP)] if network == "all" else [_fail(errno.EPROTONOSUPPORT)]
    stream = _protocols(0, IPPROTO_TCP)  # others, such as MPTCP, escape what is known about TCP
    return [
        _load(1),
        (AND, 0, 0, SOCK_TYPE_MASK),
        (EQUAL, 0, len(stream), SOCK_STREAM),
        *stream,
        (EQUAL, 0, len(datagram), SOCK_DGRAM),
        *datagram,
        _fail(errno.EPROTONOSUPPORT),
    ]


def _protocols(*values: int) -> list[Instruction]:
    tests = [part for value in values for part in ((EQUAL, 0, 1, value), _ALLOW)]
    return [_load(2), *tests, _fail(errno.EPROTONOSUPPORT)]
