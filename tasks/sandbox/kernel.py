"""Ask the running kernel what it can enforce."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_RET_ERRNO = 0x00050000
PR_SET_DUMPABLE = 4

SECCOMP_NUMBERS = {"x86_64": 317, "aarch64": 277}
"""The number of the seccomp call on each machine type whose filter we can write."""

Syscall = Callable[..., int]


def system_call(number: int, *args: int | bytes | None) -> int:
    """Make a system call; integers are passed in full width, bytes by address. OSError where it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    result = int(libc.syscall(ctypes.c_long(number), *passed))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


@dataclass(frozen=True, slots=True)
class Kernel:
    """What this kernel offers: `landlock` is its ABI number, 0 where there is none."""

    landlock: int
    seccomp: bool
    machine: str

    @classmethod
    def probe(cls, call: Syscall = system_call) -> Kernel:
        """Ask the kernel; whatever it does not know or does not allow counts as absent."""
        machine = platform.machine()
        if not sys.platform.startswith("linux"):
            return cls(0, False, machine)
        return cls(_landlock_abi(call), _has_seccomp(call, machine), machine)


def _landlock_abi(call: Syscall) -> int:
    try:
        return call(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    except OSError as error:
        # Not built in, not switched on, or hidden by a container engine's filter.
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES):
            return 0
        raise


def _has_seccomp(call: Syscall, machine: str) -> bool:
    number = SECCOMP_NUMBERS.get(machine)
    if number is None:
        return False
    try:
        call(number, SECCOMP_GET_ACTION_AVAIL, 0, struct.pack("=I", SECCOMP_RET_ERRNO))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES):
            return False
        raise
    return True


def protect_process() -> None:
    """Keep other processes of the same user from reading this one's memory, environment and descriptors."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
