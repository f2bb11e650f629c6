"""Say in Landlock's terms what a run may do with files, by the version of the kernel's interface.

Landlock only allows: no hole can be cut into a directory that is allowed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
REMOVE_DIR = 1 << 4
REMOVE_FILE = 1 << 5
MAKE_CHAR = 1 << 6
MAKE_DIR = 1 << 7
MAKE_REG = 1 << 8
MAKE_SOCK = 1 << 9
MAKE_FIFO = 1 << 10
MAKE_BLOCK = 1 << 11
MAKE_SYM = 1 << 12
REFER = 1 << 13
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15
RESOLVE_UNIX = 1 << 16

SCOPE_ABSTRACT_UNIX = 1
SCOPE_SIGNAL = 2
NET_BIND_TCP = 1
NET_CONNECT_TCP = 2

READ = READ_FILE | READ_DIR
RUN = READ | EXECUTE
CHANGE = (
    (WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | REFER)
    | (MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM)
)  # fmt: skip
ALL = RUN | CHANGE | RESOLVE_UNIX
"""Everything that a run may do in a directory of its own: no device files, no device control."""
DEVICE = READ_FILE | WRITE_FILE | TRUNCATE
SHARED_MEMORY = WRITE_FILE | READ_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX
"""The rights that a rule on something other than a directory may name."""

NEWEST_ABI = 9

_SINCE = {2: REFER, 3: TRUNCATE, 5: IOCTL_DEV, 9: RESOLVE_UNIX}
_FIRST = MAKE_SYM * 2 - 1


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one version of the interface can be asked to control."""

    abi: int
    files: int
    net: int
    scopes: int

    def attribute(self, *, net: bool) -> bytes:
        """Return the argument of landlock_create_ruleset, in the length that this version knows.

        With `net`, all TCP binding and connecting is controlled, hence denied: no rule allows any.
        """
        words = [self.files]
        if self.abi >= 4:
            words.append(self.net if net else 0)
        if self.abi >= 6:
            words.append(self.scopes)
        return struct.pack(f"<{len(words)}Q", *words)


def abilities(abi: int) -> Abilities:
    """Return what a kernel of this version controls; newer ones are used as the newest known."""
    known = min(abi, NEWEST_ABI)
    files = _FIRST
    for since, right in _SINCE.items():
        files |= right if known >= since else 0
    net = NET_BIND_TCP | NET_CONNECT_TCP if known >= 4 else 0
    scopes = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL if known >= 6 else 0
    return Abilities(known, files, net, scopes)


def missing(abi: int) -> list[str]:
    """Return, in short words, what this version lacks and what stands in for it."""
    if abi == 0:
        return ["landlock"]
    words = {
        2: "rename-across-dirs",  # refused altogether
        3: "truncate (seccomp)",
        4: "tcp-rules",
        6: "signal-scope",
        9: "unix-paths (denied)",
    }
    return [word for since, word in words.items() if abi < since]
