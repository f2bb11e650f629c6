"""Put the calling process under the rules of a policy, for good, and become the run's program.

What is the same for every run a supervisor takes upon itself, once; what is a run's own, its freshly
forked child. Both from source that was read when the server started: only the standard library is at
hand. Each step either holds or raises; a run never starts with fewer rules than its policy names.

A policy is a dict of plain values, made by policy.py. Of it this file reads: programs (lists of
bytes), cwd (bytes), env (a dict of bytes), landlock (None, or attribute, files, file_rights, rules,
itself), seccomp (None or a filter's program), user (None, or uid and gid), rlimits, and of its base:
seccomp, seccomp_number, keep (numbers of kept capabilities), rlimits.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import sys

TYPE_CHECKING = False  # `typing` and `collections` would cost a new supervisor milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_RULE_PATH_BENEATH = 1
SECCOMP_SET_MODE_FILTER = 1
CAPABILITY_VERSION_3 = 0x20080522
CAP_SETPCAP = 8

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class StepFailed(Exception):
    """A step of the confinement did not hold."""


class FilterProgram(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def check(step: str, result: int) -> int:
    """Return a call's result, or raise StepFailed with the system's reason."""
    if result < 0:
        raise StepFailed(f"{step}: {os.strerror(ctypes.get_errno())}")
    return result


def prctl(step: str, option: int, *args: int) -> int:
    """Call prctl with unused arguments zero, as the kernel wants them."""
    padded = [*args, 0, 0, 0, 0][:4]
    return check(step, libc.prctl(option, *(ctypes.c_ulong(arg) for arg in padded)))


def take_on(base: Mapping[str, Any]) -> None:
    """Put this process, and all that it will start, under the rules that every run has; nothing that it needs itself.

    What it starts can gain no capability by being executed, but for the kept ones.
    """
    if _may_drop_bounds():
        number = 0
        while libc.prctl(PR_CAPBSET_READ, ctypes.c_ulong(number), 0, 0, 0) >= 0:
            if number not in base["keep"]:
                prctl("CAPBSET_DROP", PR_CAPBSET_DROP, number)
            number += 1
    _limit(base["rlimits"])
    prctl("NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1)
    _install_filter(base["seccomp"], base["seccomp_number"])


def become(policy: Mapping[str, Any], ruleset: int | None, outputs: Sequence[int], fault: int, parent: int) -> None:
    """Confine this process and turn it into the run's program; return only by an exception.

    `ruleset` is what make_ruleset made of the policy; `outputs` become its standard output and
    errors; `fault` is kept until the program starts. The supervisor has taken on the policy's base.
    """
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the others that have a handler lose it with the program's start
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _connect(outputs)
    if ruleset is not None:
        _open_to_itself(ruleset, policy["landlock"])
    _stand_first_in_line()
    os.umask(0o022)
    _limit(policy["rlimits"])
    _drop_privileges(policy["user"], policy["base"]["keep"])
    os.chdir(policy["cwd"])
    prctl("PDEATHSIG", PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it
    if os.getppid() != parent:
        raise StepFailed("the supervisor has gone")
    if ruleset is not None:
        check("landlock_restrict_self", libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0))
    _close_others(fault)
    if policy["seccomp"] is not None:
        _install_filter(policy["seccomp"], policy["base"]["seccomp_number"])
    _start(policy["programs"], policy["env"])


def _start(programs: Sequence[list[bytes]], env: Mapping[bytes, bytes]) -> None:
    """Turn into the first program that can be started; only those before the last are looked for in PATH."""
    for argv in programs[:-1]:
        name = argv[0]
        folders = [b""] if b"/" in name else [folder or b"." for folder in env[b"PATH"].split(b":")]
        for folder in folders:
            try:
                os.execve(folder + b"/" + name if folder else name, argv, env)
            except OSError:
                continue
    argv = programs[-1]
    os.execve(argv[0], argv, env)


def _connect(outputs: Sequence[int]) -> None:
    """Make /dev/null the standard input and these the output."""
    null = os.open(os.devnull, os.O_RDONLY)
    for number, fd in enumerate((null, *outputs)):
        os.dup2(fd, number)


def make_ruleset(landlock: Mapping[str, Any] | None) -> int | None:
    """Return a Landlock ruleset, for become(). Paths are opened as the server's user, before rights are dropped."""
    if landlock is None:
        return None
    attribute = landlock["attribute"]
    ruleset = check(
        "landlock_create_ruleset", libc.syscall(LANDLOCK_CREATE_RULESET, attribute, ctypes.c_size_t(len(attribute)), 0)
    )
    try:
        for path, access, exact in landlock["rules"]:
            _add_rule(ruleset, path, access & landlock["files"], landlock["file_rights"], exact)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def _open_to_itself(ruleset: int, landlock: Mapping[str, Any]) -> None:
    """Let this process, and no other, read what the kernel shows of it."""
    _add_rule(ruleset, b"/proc/self", landlock["itself"] & landlock["files"], landlock["file_rights"], False)


def _add_rule(ruleset: int, path: bytes, access: int, file_rights: int, exact: bool) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # nothing there for the run either
    try:
        # Another run may have put a link where this directory was when the policy was made.
        if exact and os.readlink(b"/proc/self/fd/%d" % fd) != path:
            raise StepFailed(f"{os.fsdecode(path)} has been moved")
        if exact and not stat.S_ISDIR(os.fstat(fd).st_mode):  # what is not exact has been masked already
            access &= file_rights
        # struct landlock_path_beneath_attr, which is packed
        rule = access.to_bytes(8, sys.byteorder) + fd.to_bytes(4, sys.byteorder)
        if access and libc.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0) < 0:
            check(f"landlock_add_rule {os.fsdecode(path)}", -1)
    finally:
        os.close(fd)


def _stand_first_in_line() -> None:
    """Have the kernel, when memory runs out, take runs rather than the server or their supervisors."""
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(fd, b"500")
        os.close(fd)
    except OSError:  # not root, or it stands higher already; nothing is claimed of it
        return


def _limit(rlimits: Sequence[tuple[int, int]]) -> None:
    """Set limits, soft and hard, or leave them where they are lower already."""
    for kind, limit in rlimits:
        _, hard = resource.getrlimit(kind)
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (wanted, wanted))


def _drop_privileges(user: tuple[int, int] | None, keep: Sequence[int]) -> None:
    """Change the user, and give up all capabilities but the kept ones, now and for what is executed."""
    if user is not None:
        if keep:
            prctl("KEEPCAPS", PR_SET_KEEPCAPS, 1)
        uid, gid = user
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    prctl("AMBIENT_CLEAR", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    _set_capabilities(keep)
    for number in keep:
        prctl("AMBIENT_RAISE", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)


def _may_drop_bounds() -> bool:
    data = (ctypes.c_uint32 * 6)()
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    check("capget", libc.capget(header, data))
    return bool(data[0] & 1 << CAP_SETPCAP)


def _set_capabilities(keep: Sequence[int]) -> None:
    words = [0, 0]
    for number in keep:
        words[number // 32] |= 1 << number % 32
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # effective, permitted and inheritable, low words first
    data = (ctypes.c_uint32 * 6)(words[0], words[0], words[0], words[1], words[1], words[1])
    check("capset", libc.capset(header, data))


def _close_others(fault: int) -> None:
    """Close all descriptors but the standard ones and the one that reports faults, which closes itself."""
    os.closerange(3, fault)
    os.closerange(fault + 1, os.sysconf("SC_OPEN_MAX"))


def _install_filter(program: bytes, number: int) -> None:
    filter_program = FilterProgram(len(program) // 8, program)
    check("seccomp", libc.syscall(number, SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(filter_program)))
