"""Say what the sandbox denied, and what would allow it.

The kernel tells only privileged readers what it denied. So the run's own output is read for the
words that programs use, and what they name is compared with what the run was allowed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.sandbox.landlock import ALL, CHANGE
from tasks.sandbox.policy import MEMORY_BYTES, Policy
from tasks.sandbox.request import MEGABYTE
from tasks.sandbox.seccomp import Network
from tasks.sandbox.system_paths import Rule

FILE_WORDS = ("Permission denied", "Operation not permitted", "EACCES", "EPERM", "Read-only file system")
NETWORK_WORDS = (
    *("Address family not supported", "EAFNOSUPPORT", "Protocol not supported", "EPROTONOSUPPORT"),
    *("Temporary failure in name resolution", "Could not resolve host", "Name or service not known"),
)
MEMORY_WORDS = (
    *("MemoryError", "can't start new thread", "Cannot allocate memory", "ENOMEM"),
    *("bad_alloc", "OutOfMemoryError", "unable to create native thread"),
)

_QUOTED = re.compile(r"['\"‘’]([^'\"‘’]+)['\"‘’]")
_WORD = re.compile(r"[^\s:,;()'\"‘’]+")


def denied_hint(
    printed: str, policy: Policy, most: Network, system: Sequence[Rule], directory: Path, private: Path
) -> str | None:
    """Return what a failed run was denied, as far as its output tells; None where nothing points to it.

    `most` is the network that the server allows, of which the run's `policy` may leave less.
    """
    lines = printed.splitlines()
    for line in reversed([line for line in lines if any(word in line for word in FILE_WORDS)]):
        hint = _file_hint(line, policy, system, directory, private)
        if hint is not None:
            return hint
    if policy.network != "all" and any(word in line for line in lines for word in NETWORK_WORDS):
        return _network_hint(policy.network, most)
    if any(word in line for line in lines for word in MEMORY_WORDS):
        return _memory_hint(policy)
    if any("Operation not permitted" in line or "EPERM" in line for line in lines):
        return (
            "A call may have been refused by the sandbox (Operation not permitted). Runs cannot change "
            "owners, mount, trace or signal other processes, or use kernel interfaces of that kind."
        )
    return None


def _file_hint(line: str, policy: Policy, system: Sequence[Rule], directory: Path, private: Path) -> str | None:
    for path in _paths(line, directory):
        rights = _rights(path, policy, system, private)
        if rights & ALL == ALL:
            continue  # open to the run: then the file's own mode denied it
        if rights == 0:
            return (
                f"The sandbox does not let this run reach {path}. It may change {_names(policy.write)} and read "
                f"{_names(policy.read) or 'nothing'} beside the system's programs. SCHEDULER_ALLOWED_DIRS or "
                "SCHEDULER_READ_DIRS of the server would allow more, the task's `sandbox` field less."
            )
        if rights & CHANGE == 0:
            return (
                f"The sandbox lets this run read {path} but not change it. It may change {_names(policy.write)}; "
                "SCHEDULER_ALLOWED_DIRS of the server, or `sandbox.write` of the task where that is set, decides."
            )
    return None


def _paths(line: str, directory: Path) -> Iterator[Path]:
    """Return what in a line may be a path, the most likely first."""
    found = [*_QUOTED.findall(line), *(word for word in _WORD.findall(line) if "/" in word)]
    for text in dict.fromkeys(found):
        path = Path(os.path.realpath(directory / text))
        if text.startswith("/") or os.path.lexists(directory / text) or os.path.lexists((directory / text).parent):
            yield path


def _rights(path: Path, policy: Policy, system: Sequence[Rule], private: Path) -> int:
    if any(path.is_relative_to(own) for own in (*policy.write, private)):
        return ALL
    rights = [access for known, access in system if path.is_relative_to(os.path.realpath(known))]
    rights += [1 for own in policy.read if path.is_relative_to(own)]
    return max(rights, default=0)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths)) or "only its private directory"


def _network_hint(network: Network, most: Network) -> str:
    came = f"This run has network {network!r}, so the sandbox closes other sockets. "
    if network != most:
        return f"{came}The task's own `sandbox.network` asks for that; the server allows {most!r}."
    return (
        f"{came}SCHEDULER_NETWORK of the server allows more (`tcp` or `all`); `sandbox.network` of the task can only "
        "narrow it."
    )


def _memory_hint(policy: Policy) -> str:
    came = (
        f"All processes of this run may use {policy.memory // MEGABYTE} MB of memory together, and each may reserve "
        f"{policy.reserved // MEGABYTE} MB, of which the stack of a thread mostly takes 8. "
    )
    if policy.memory < MEMORY_BYTES:
        return f"{came}The task's own `sandbox.memory_mb` asks for that; up to {MEMORY_BYTES // MEGABYTE} may be given."
    return f"{came}No task may have more."
