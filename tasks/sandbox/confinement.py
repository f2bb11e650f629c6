"""Decide once, when the server starts, how runs are confined, and be able to say it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.confined import ConfinedSandbox
from tasks.sandbox.kernel import Kernel
from tasks.sandbox.landlock import abilities, missing
from tasks.sandbox.launcher import Launcher, Program
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.plain import PlainSandbox
from tasks.sandbox.policy import Policy, Rules
from tasks.sandbox.private_dir import clear_private_dirs, drop_spare
from tasks.sandbox.run_user import (
    ConfinementError,
    choose_user,
    is_passable,
    kept_capabilities,
    link_to_shared_root,
    shared_root,
    user_of_nothing_else,
)
from tasks.sandbox.seccomp import Network
from tasks.sandbox.self_test import run_self_test
from tasks.sandbox.shared_memory import SharedMemory
from tasks.sandbox.spec import RunSpec
from tasks.sandbox.system_paths import interpreter_paths, system_rules

Mode = Literal["auto", "require", "off"]


@dataclass(eq=False)
class Confinement:
    """How runs of this server are confined. Made by make_confinement, shared by all threads.

    `refusal` is None, or says why no task may run at present and what to do about it.
    """

    mode: Mode
    kernel: Kernel
    policy: Policy
    rules: Rules | None
    told: dict[str, Any]
    allowed: AllowedDirs
    data_dir: Path
    refusal: str | None = None
    launcher: Launcher | None = field(default=None, repr=False)
    _roots: dict[Path, Path] = field(default_factory=dict, repr=False)
    _shared_memory: SharedMemory = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._shared_memory = SharedMemory(user_of_nothing_else(self.rules.user if self.rules else None))

    def describe(self) -> dict[str, Any]:
        """Return what `status` says: level, net, uid, missing, and how runs are started."""
        described = dict(self.told)
        if self.launcher is not None:
            described["start"] = self.launcher.kind
        if self.refusal is not None:
            described["refused"] = self.refusal
        return described

    def open(self, spec: RunSpec, cancellation: Cancellation) -> PlainSandbox:
        """Return the place of one run, confined as strongly as `describe` says."""
        if self.rules is None or self.launcher is None:
            return PlainSandbox(spec, cancellation, told=self.told, refusal=self.refusal)
        refusal = self.refusal
        try:
            spec = replace(spec, tmp_root=self.reachable_root(spec.tmp_root))
        except OSError as error:
            refusal = refusal or f"no private directory can be made where the runs' user could reach it: {error}"
        return ConfinedSandbox(
            spec,
            cancellation,
            policy=self.policy,
            rules=self.rules,
            launcher=self.launcher,
            shared_memory=self._shared_memory,
            told=self.told,
            own_user=os.geteuid(),
            refusal=refusal,
        )

    def reachable_root(self, tmp_root: Path) -> Path:
        """Return where private directories are made: `tmp_root`, or a place that the runs' user can reach.

        Overriding modes is not enough: programs that ask access() beforehand are told what the modes say.
        """
        if self.rules is None or self.rules.user is None:
            return tmp_root
        if tmp_root not in self._roots:
            os.makedirs(tmp_root, mode=0o700, exist_ok=True)
            reachable = is_passable(tmp_root, *self.rules.user)
            self._roots[tmp_root] = tmp_root if reachable else shared_root(tmp_root)
        elif self._roots[tmp_root] != tmp_root:  # whoever tidies up temporary files may have taken it
            self._roots[tmp_root] = shared_root(tmp_root)
        return self._roots[tmp_root]

    def clear_private_dirs(self, tmp_root: Path) -> None:
        """Remove what a server that died left; for the start of the process that carries out runs."""
        clear_private_dirs(tmp_root)
        with suppress(OSError):  # where none can be made, none was left
            clear_private_dirs(self.reachable_root(tmp_root))

    def self_test(self) -> list[str]:
        """Try from inside a run what must fail; return what succeeded, and refuse tasks if anything did."""
        if self.rules is None or self.refusal is not None:
            return []

        @contextmanager
        def opener(spec: RunSpec) -> Iterator[PlainSandbox]:
            sandbox = self.open(spec, Cancellation())
            try:
                yield sandbox
            finally:
                sandbox.close()

        faults = run_self_test(opener, self.allowed, self.data_dir, self.told)
        if faults:
            self.refusal = (
                f"the sandbox does not hold what it claims: {'; '.join(faults)}. No task runs until that is mended, "
                "or SCHEDULER_SANDBOX=off is chosen knowingly."
            )
        return faults

    def close(self) -> None:
        """End the fork server, and remove what waited for further runs."""
        if self.launcher is not None:
            self.launcher.close()
            self.launcher = None
        for asked, root in self._roots.items():
            drop_spare(root)
            if root != asked:
                with suppress(OSError):  # not empty: another process of the server has runs there
                    root.rmdir()
                    link_to_shared_root(asked).unlink()


def make_confinement(
    mode: Mode,
    allowed: AllowedDirs,
    read_dirs: Sequence[Path],
    network: Network,
    task_user: str,
    data_dir: Path,
    *,
    allow_unix: bool = False,
    kernel: Kernel | None = None,
) -> Confinement:
    """Return the strongest confinement that the kernel offers and the mode asks for.

    `task_user` is "auto", "none" or "uid[:gid]" and matters only where the server is root.
    `allow_unix` opens sockets to paths, for programs that need them; they are not confined before
    Landlock 9. ConfinementError where a setting contradicts another.
    """
    kernel = kernel or Kernel.probe()
    readable = [Path(os.path.realpath(path)) for path in read_dirs]
    policy = Policy(tuple(readable), allowed.dirs, network)
    data_dir = Path(os.path.realpath(data_dir))
    user = choose_user(task_user, allowed)
    if mode == "off" or not kernel.seccomp:
        return _unconfined(mode, kernel, policy, allowed, data_dir)
    read = [*readable, *map(Path, interpreter_paths())]
    check_apart(data_dir, [*allowed.dirs, *read])
    landlock = abilities(kernel.landlock) if kernel.landlock else None
    keep = kept_capabilities(user, landlock, allow_unix, allowed.dirs, read)
    rules = Rules(kernel.machine, landlock, user, keep, tuple(system_rules()), network, allow_unix)
    told = {
        "level": f"landlock-{landlock.abi}+seccomp" if landlock else "seccomp-only",
        "net": network,
        "uid": os.geteuid() if user is None else user[0],
        "missing": _missing(kernel.landlock, network, allow_unix),
    }
    refusal = None if landlock or mode == "auto" else _refusal("Landlock")
    return Confinement(mode, kernel, policy, rules, told, allowed, data_dir, refusal, Launcher(Program()))


def check_apart(data_dir: Path, readable: Sequence[Path]) -> None:
    """Raise ConfinementError if runs could read what the server keeps, or keep it from being read."""
    for path in readable:
        if data_dir.is_relative_to(path) or path.is_relative_to(data_dir):
            raise ConfinementError(
                f"The data directory {data_dir} and {path}, which runs may use, lie inside one another. No hole "
                "can be cut into what runs may read: move the data directory (SCHEDULER_DATA_DIR) elsewhere."
            )


def _unconfined(mode: Mode, kernel: Kernel, policy: Policy, allowed: AllowedDirs, data_dir: Path) -> Confinement:
    if mode == "off":
        told: dict[str, Any] = {"level": "none"}
    else:
        lacks = [*missing(kernel.landlock), "seccomp"]
        told = {"level": "paths-only", "net": "all", "uid": os.geteuid(), "missing": lacks}
    refusal = _refusal("seccomp") if mode == "require" else None
    return Confinement(mode, kernel, policy, None, told, allowed, data_dir, refusal)


def _refusal(what: str) -> str:
    return (
        f"SCHEDULER_SANDBOX is 'require', and this kernel or container does not offer {what}. Use a kernel with "
        "Landlock among its security modules and a container engine that lets it through, or set "
        "SCHEDULER_SANDBOX=auto to run with what there is."
    )


def _missing(abi: int, network: Network, allow_unix: bool) -> list[str]:
    words = [word for word in missing(abi) if not (allow_unix and word.startswith("unix-paths"))]
    return [*words, "unix-paths"] if allow_unix and abi < 9 else words
