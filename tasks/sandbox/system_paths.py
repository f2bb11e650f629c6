"""List what every run may read of the system around it."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from tasks.sandbox.landlock import DEVICE, FILE_RIGHTS, READ, READ_FILE, RUN, SHARED_MEMORY, WRITE_FILE

Rule = tuple[str, int]

PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

SETTINGS = """
ld.so.cache ld.so.conf ld.so.conf.d ld.so.preload passwd group nsswitch.conf hosts host.conf gai.conf
resolv.conf localtime timezone ssl/certs ssl/openssl.cnf ca-certificates pki/tls/certs pki/ca-trust
alternatives mime.types gitconfig terminfo inputrc profile profile.d bash.bashrc os-release
debian_version services protocols locale.alias magic
"""
"""What may be read below /etc; never all of it: keys, password hashes and other services' settings lie there."""

KERNEL = """
/proc/cpuinfo /proc/meminfo /proc/stat /proc/uptime /proc/loadavg /proc/version /proc/filesystems
/proc/sys/vm/overcommit_memory /proc/sys/kernel/random /proc/sys/kernel/osrelease
/proc/sys/kernel/pid_max /sys/devices/system/cpu /sys/kernel/mm/transparent_hugepage
"""
"""What may be read of the kernel; never all of /proc: it shows the command lines of everything that runs.

The process that becomes the run's program may read what /proc/self shows of it, that one alone.
"""

DEVICES = {
    "/dev/null": DEVICE,
    "/dev/zero": READ_FILE | WRITE_FILE,
    "/dev/full": READ_FILE | WRITE_FILE,
    "/dev/random": READ_FILE,
    "/dev/urandom": READ_FILE,
    "/dev/shm": SHARED_MEMORY,  # locks of multiprocessing; shared with all of the machine
}


def system_rules() -> list[Rule]:
    """Return paths and rights for what exists of the system, the interpreter included, each once."""
    rules: list[Rule] = [(path, RUN) for path in (*PROGRAMS, *interpreter_paths())]
    rules += [(f"/etc/{name}", READ) for name in SETTINGS.split()]
    rules += [(path, READ) for path in KERNEL.split()]
    rules += DEVICES.items()
    present = [(path, _mask(path, access)) for path, access in rules if os.path.exists(path)]
    folders = [(os.path.join(rule[0], ""), rule) for rule in present if not os.path.islink(rule[0])]
    return [rule for rule in present if not _is_covered(rule, folders)]


def _mask(path: str, access: int) -> int:
    return access if os.path.isdir(path) else access & FILE_RIGHTS


def _is_covered(rule: Rule, folders: list[tuple[str, Rule]]) -> bool:
    """Return whether another rule says the same already: each one costs every run a little."""
    real, access = os.path.join(os.path.realpath(rule[0]), ""), rule[1]
    return any(real.startswith(begin) and not access & ~other[1] and other != rule for begin, other in folders)


def interpreter_paths() -> list[str]:
    """Return where the interpreter that runs the service and its packages lie.

    Never the root directory, or a home that an interpreter's link merely lies in.
    """
    schemes = sysconfig.get_paths()
    found = {sys.executable, os.path.realpath(sys.executable)}
    found |= {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    found |= {schemes[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return sorted(path for path in found if Path(path) != Path("/") and not _is_below(path, PROGRAMS))


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)
