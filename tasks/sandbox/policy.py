"""Say what one run may do, and put it into the plain values that its supervisor reads."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tasks.sandbox.kernel import SECCOMP_NUMBERS
from tasks.sandbox.landlock import ALL, FILE_RIGHTS, READ, RUN, Abilities
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.request import MEGABYTE, SandboxRequest
from tasks.sandbox.seccomp import Network, build_filter
from tasks.sandbox.system_paths import Rule

NETWORKS: tuple[Network, ...] = ("none", "tcp", "all")
"""From the narrowest to the widest."""

MEMORY_BYTES = 2048 * MEGABYTE
STACK_BYTES = 1024 * MEGABYTE
"""What the stacks of 128 threads reserve, and mostly never use: a process may reserve so much beyond its memory."""
PROCESSES = 256
FILE_BYTES = 1024 * MEGABYTE
OPEN_FILES = 4096
LOCKED_BYTES = 64 * 1024
USER_PROCESSES = 4096
"""All processes and threads of the run's user together: what bounds a storm until it is seen and ended."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run may do. `read` and `write` are directories or files, `cpu_seconds` None for no limit."""

    read: tuple[Path, ...]
    write: tuple[Path, ...]
    network: Network
    memory: int = MEMORY_BYTES
    processes: int = PROCESSES
    cpu_seconds: float | None = None

    def narrowed(self, request: SandboxRequest, allowed: AllowedDirs) -> Policy:
        """Return what this policy and a task's request both allow; TaskRefused for paths outside."""
        read, write = request.read_paths(allowed, self.read), request.write_paths(allowed)
        changed = self
        if read is not None:
            changed = replace(changed, read=tuple(read), write=())
        elif write is not None:
            changed = replace(changed, read=(*self.read, *self.write))
        if write is not None:
            changed = replace(changed, write=tuple(write))
        return replace(
            changed,
            network=min(self.network, request.network or self.network, key=NETWORKS.index),
            memory=_least(self.memory, request.memory_mb and request.memory_mb * MEGABYTE),
            processes=_least(self.processes, request.processes),
            cpu_seconds=_least_known(self.cpu_seconds, request.cpu_seconds),
        )

    @property
    def reserved(self) -> int:
        """How many bytes a single process may reserve; what all of them use together is watched."""
        return min(self.memory + STACK_BYTES, MEMORY_BYTES)

    def own_limits(self) -> list[tuple[int, int]]:
        """Return the limits of each single process that are narrower than LIMITS; the whole tree is watched."""
        limits = [] if self.reserved == MEMORY_BYTES else [(resource.RLIMIT_DATA, self.reserved)]
        if self.cpu_seconds is not None:
            limits.append((resource.RLIMIT_CPU, int(self.cpu_seconds) + 1))
        return limits


RLIMIT_MSGQUEUE = getattr(resource, "RLIMIT_MSGQUEUE", 12)

LIMITS = [
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_DATA, MEMORY_BYTES),  # not the address space: node and Java reserve far more
    (resource.RLIMIT_FSIZE, FILE_BYTES),
    (resource.RLIMIT_NOFILE, OPEN_FILES),
    (resource.RLIMIT_NPROC, USER_PROCESSES),
    (resource.RLIMIT_MEMLOCK, LOCKED_BYTES),
    (RLIMIT_MSGQUEUE, 0),
]
"""The limits of each single process in every run. Its supervisor has them, too: none is in its way."""


def _least_known(*limits: float | None) -> float | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _least(limit: int, wish: int | None) -> int:
    return limit if wish is None else min(limit, wish)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the kernel is told for every run: which layers, which user, which system paths, which network at most."""

    machine: str
    landlock: Abilities | None
    user: tuple[int, int] | None
    keep: tuple[int, ...]
    system: tuple[Rule, ...]
    network: Network
    allow_unix: bool = False

    def confinement(self, policy: Policy, tmpdir: str) -> dict[str, Any]:
        """Return the part of a supervisor's policy that confines.

        `base` is the same for every run; the rest only makes it narrower.
        """
        return {
            "base": {
                "seccomp": self._filter(self.network),
                "seccomp_number": SECCOMP_NUMBERS[self.machine],
                "keep": self.keep,
                "rlimits": LIMITS,
            },
            "landlock": self._landlock(policy, tmpdir),
            "seccomp": None if policy.network == self.network else self._filter(policy.network),
            "user": self.user,
            "rlimits": policy.own_limits(),
        }

    def _filter(self, network: Network) -> bytes:
        return build_filter(self.machine, self.landlock, network, self.allow_unix)

    def _landlock(self, policy: Policy, tmpdir: str) -> dict[str, Any] | None:
        if self.landlock is None:
            return None
        own = [(path, RUN) for path in policy.read] + [(path, ALL) for path in (*policy.write, Path(tmpdir))]
        rules = [(os.fsencode(path), access, False) for path, access in self.system]
        rules += [(os.fsencode(path), access, True) for path, access in own]
        return {
            "attribute": self.landlock.attribute(net=policy.network == "none"),
            "files": self.landlock.files,
            "file_rights": FILE_RIGHTS,
            "rules": rules,
            "itself": READ,
        }


def supervision(
    policy: Policy,
    programs: Sequence[Sequence[str]],
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    grace: float,
) -> dict[str, Any]:
    """Return the part of a supervisor's policy that says what to run and for how long."""
    return {
        "programs": [[os.fsencode(arg) for arg in argv] for argv in programs],
        "cwd": os.fsencode(cwd),
        "env": {os.fsencode(name): os.fsencode(value) for name, value in env.items()},
        "timeout": timeout,
        "grace": grace,
        "memory": policy.memory,
        "processes": policy.processes,
        "cpu_seconds": policy.cpu_seconds,
    }
