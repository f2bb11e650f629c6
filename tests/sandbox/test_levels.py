"""Each kernel is used for what it offers, and what it lacks is told."""

from __future__ import annotations

import errno
import os
import platform
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.sandbox import AllowedDirs, make_confinement
from tasks.sandbox.kernel import LANDLOCK_CREATE_RULESET, Kernel, system_call
from tasks.sandbox.landlock import abilities, missing
from tasks.sandbox.policy import Rules
from tasks.sandbox.seccomp import ALLOW, ARCHITECTURES, FAIL, build_filter
from tasks.sandbox.seccomp_table import CHECKED, DENIED, UNKNOWN, UNSUPPORTED
from tests.sandbox.ground import open_to_runs

MACHINE = platform.machine()
REAL = Kernel.probe()


def stub(landlock: int, seccomp: int = 0) -> Any:
    """Return a system call that answers as another kernel: an ABI or minus an error, zero or an error."""

    def call(number: int, *args: Any) -> int:
        answer = landlock if number == LANDLOCK_CREATE_RULESET else -seccomp
        if answer < 0:
            raise OSError(-answer, os.strerror(-answer))
        return answer

    return call


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM])
def test_no_landlock(error: int) -> None:
    assert Kernel.probe(stub(-error)) == Kernel(0, MACHINE in ARCHITECTURES, MACHINE)


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EINVAL])
def test_no_seccomp(error: int) -> None:
    assert Kernel.probe(stub(4, error)).seccomp is False


def test_a_strange_answer_is_not_taken_for_absence() -> None:
    with pytest.raises(OSError):
        Kernel.probe(stub(-errno.EIO))


def test_another_machine_or_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert Kernel.probe(stub(7)).seccomp is False
    monkeypatch.setattr("sys.platform", "darwin")
    assert Kernel.probe(stub(7)) == Kernel(0, False, "riscv64")


@pytest.mark.parametrize(
    ("abi", "words", "size"),
    [
        (0, ["landlock"], None),
        (1, ["rename-across-dirs", "truncate (seccomp)", "tcp-rules", "signal-scope", "unix-paths (denied)"], 8),
        (2, ["truncate (seccomp)", "tcp-rules", "signal-scope", "unix-paths (denied)"], 8),
        (3, ["tcp-rules", "signal-scope", "unix-paths (denied)"], 8),
        (4, ["signal-scope", "unix-paths (denied)"], 16),
        (5, ["signal-scope", "unix-paths (denied)"], 16),
        (6, ["unix-paths (denied)"], 24),
        (7, ["unix-paths (denied)"], 24),
        (8, ["unix-paths (denied)"], 24),
        (9, [], 24),
        (12, [], 24),
    ],
)
def test_what_each_version_lacks(abi: int, words: list[str], size: int | None) -> None:
    assert missing(abi) == words
    if size is not None:
        assert len(abilities(abi).attribute(net=True)) == size


HANDLED = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF, 6: 0xFFFF, 7: 0xFFFF, 8: 0xFFFF, 9: 0x1FFFF}


@pytest.mark.parametrize("abi", HANDLED)
def test_rights_of_each_version(abi: int) -> None:
    assert abilities(abi).files == HANDLED[abi]


@pytest.fixture
def levels(tmp_path: Path) -> Any:
    """Make confinements for other kernels."""
    made = []

    def make(landlock: int, seccomp: bool = True, **changes: Any) -> Any:
        (tmp_path / "w").mkdir(exist_ok=True)
        values: dict[str, Any] = {
            "mode": "auto",
            "allowed": AllowedDirs([tmp_path / "w"]),
            "read_dirs": [],
            "network": "all",
            "task_user": "auto",
            "data_dir": tmp_path / "data",
            "kernel": Kernel(landlock, seccomp, "x86_64"),
        }
        made.append(make_confinement(**{**values, **changes}))
        return made[-1]

    yield make
    for confinement in made:
        confinement.close()


def test_levels_are_told(levels: Any) -> None:
    uid = 60123 if os.geteuid() == 0 else os.geteuid()
    assert levels(7).describe() == {
        "level": "landlock-7+seccomp",
        "net": "all",
        "uid": uid,
        "missing": ["unix-paths (denied)"],
        "start": "fork-server",
    }
    assert levels(0).describe()["level"] == "seccomp-only"
    assert levels(0).describe()["missing"] == ["landlock"]
    assert levels(0, seccomp=False).describe()["level"] == "paths-only"
    assert levels(7, seccomp=False).describe()["missing"] == ["unix-paths (denied)", "seccomp"]
    assert levels(7, mode="off").describe() == {"level": "none"}
    assert levels(7, allow_unix=True).describe()["missing"] == ["unix-paths"]
    assert levels(9, network="tcp").describe()["missing"] == []


@pytest.mark.parametrize(("landlock", "seccomp", "what"), [(0, True, "Landlock"), (7, False, "seccomp")])
def test_required_and_absent(levels: Any, ground: Any, landlock: int, seccomp: bool, what: str) -> None:
    ground.confinement = levels(landlock, seccomp, mode="require")
    assert what in ground.confinement.describe()["refused"]
    result = ground.sh("touch started")
    assert (result.status, result.exit_code) == ("failed", None)
    assert (result.reason or "").startswith("sandbox: SCHEDULER_SANDBOX is 'require'")
    assert not (ground.workspace / "started").exists()


def test_rights_over_modes_only_where_landlock_bounds_them(levels: Any) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has them to give")
    assert levels(3).rules.keep == (1,)
    assert levels(2).rules.keep == ()
    assert levels(0).rules.keep == ()
    assert levels(7, allow_unix=True).rules.keep == ()
    assert levels(9, allow_unix=True).rules.keep == (1,)


def test_rights_over_modes_only_where_they_are_needed(
    levels: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has them to give")
    monkeypatch.setattr("tasks.sandbox.confinement.interpreter_paths", lambda: ["/usr/bin"])
    workspace, foreign, closed = (open_to_runs(tmp_path) / name for name in ("w", "foreign", "closed"))
    for folder in (workspace, foreign, closed):
        folder.mkdir()
    os.chown(workspace, 4321, 4321)
    closed.chmod(0o700)
    assert levels(7).rules.keep == ()
    assert levels(7, read_dirs=[foreign]).rules.keep == ()
    assert levels(7, read_dirs=[closed]).rules.keep == (1,)
    assert levels(7, allowed=AllowedDirs([workspace, foreign])).rules.keep == (1,)
    assert levels(7, task_user="1234").rules.keep == (1,)
    monkeypatch.setattr("tasks.sandbox.confinement.interpreter_paths", lambda: [str(closed)])
    assert levels(7).rules.keep == (1,)


@pytest.mark.skipif(REAL.landlock < 7 or not REAL.seccomp, reason="needs a kernel with Landlock 7 and seccomp")
@pytest.mark.parametrize("abi", [0, 1, 2, 3, 4, 5, 6, 7])
def test_older_interfaces_hold_what_they_claim(ground: Any, outside: Any, abi: int) -> None:
    folder = outside()
    ground.workspace.chmod(0o777)
    ground.confine(kernel=Kernel(abi, True, REAL.machine), task_user="auto")
    if os.geteuid() == 0 and not ground.confinement.rules.keep and not _within_reach():
        pytest.skip("the interpreter lies in a home that only root can pass")
    assert ground.confinement.self_test() == []
    assert ground.sh("mkdir a b; echo x > a/x; cat a/x").status == "completed", ground.err
    moved = ground.python("import os; os.rename('a/x', 'b/x')")
    assert moved.status == ("failed" if abi == 1 else "completed"), ground.err
    shortened = ground.python("import os; open('t', 'w').write('x'); os.truncate('t', 0)")
    assert shortened.status == ("failed" if abi < 3 else "completed")
    if abi:
        assert ground.sh(f"cat {folder}/secret").status == "failed"


def _within_reach() -> bool:
    path = Path(os.path.realpath(sys.executable))
    return all(parent.stat().st_mode & 1 for parent in path.parents)


def test_self_test_that_fails_refuses_tasks(ground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Rules.confinement
    monkeypatch.setattr(Rules, "confinement", lambda *args: {**whole(*args), "landlock": None})
    faults = ground.confinement.self_test()
    assert any("data directory" in fault or "signal" in fault for fault in faults), faults
    monkeypatch.undo()
    result = ground.sh("touch started")
    assert "does not hold what it claims" in (result.reason or "")
    assert not (ground.workspace / "started").exists()


def test_self_test_that_cannot_run_refuses_tasks(ground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sandbox.self_test.PROBE", "raise SystemExit(1)")
    assert ground.confinement.self_test() == ["the probe did not run: exit code 1"]
    assert ground.confinement.refusal is not None


def test_self_test_leaves_nothing(ground: Any) -> None:
    assert ground.confinement.self_test() == []
    assert [path for path in ground.data_dir.rglob("*") if path.is_file()] == []


def verdict(program: bytes, machine: str, number: int, *args: int, architecture: int | None = None) -> int:
    """Run a filter as the kernel does; return 0 where the call is allowed, else the error."""
    arch = ARCHITECTURES[machine] if architecture is None else architecture
    padded = [*args, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<iIQ6Q", number, arch, 0, *(arg & (1 << 64) - 1 for arg in padded))
    at, value = 0, 0
    while True:
        code, true, false, constant = struct.unpack_from("<HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, constant)
        elif code == 0x54:
            value &= constant
        elif code in (0x15, 0x35, 0x45):
            holds = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}[code]
            at += true if holds else false
        else:
            assert code == 0x06
            return 0 if constant == ALLOW else constant - FAIL


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
class TestFilter:
    """The filter's verdicts, by a small model of the kernel's machine."""

    def number(self, name: str, machine: str) -> int:
        number = CHECKED[name]._asdict()[machine]
        assert number is not None
        return int(number)

    def test_denied_by_name(self, machine: str) -> None:
        program = build_filter(machine, abilities(7), "all", False)
        for table, error in ((DENIED, errno.EPERM), (UNSUPPORTED, errno.EOPNOTSUPP), (UNKNOWN, errno.ENOSYS)):
            for name, numbers in table.items():
                number = numbers._asdict()[machine]
                if number is not None:
                    assert verdict(program, machine, number) == error, name

    def test_other_architectures(self, machine: str) -> None:
        program = build_filter(machine, abilities(7), "all", False)
        assert verdict(program, machine, 1, architecture=0x40000003) == errno.ENOSYS
        if machine == "x86_64":
            assert verdict(program, machine, 0x40000000 + 1) == errno.ENOSYS

    def test_everyday_calls(self, machine: str) -> None:
        program = build_filter(machine, abilities(7), "none", False)
        everyday = {"x86_64": [0, 1, 3, 9, 59, 60, 202, 231, 262, 444], "aarch64": [63, 64, 57, 222, 221, 93, 98]}
        for number in everyday[machine]:
            assert verdict(program, machine, number) == 0, number

    @pytest.mark.parametrize(
        ("name", "args", "error"),
        [
            ("clone", (0x01200011,), 0),
            ("clone", (0x10000000,), errno.EPERM),
            ("clone", (0x00020011,), errno.EPERM),
            ("personality", (0,), 0),
            ("personality", (0xFFFFFFFF,), 0),
            ("personality", (0x40000,), errno.EPERM),
            ("ioctl", (0, 0x5401), 0),
            ("ioctl", (0, 0x5412), errno.EPERM),
            ("ioctl", (0, 0xF00005412), errno.EPERM),
            ("prlimit64", (0,), 0),
            ("prlimit64", (77,), errno.EPERM),
            ("setpriority", (0, 0), 0),
            ("setpriority", (0, 77), errno.EPERM),
            ("setpriority", (1, 0), 0),
            ("setpriority", (1, 77), errno.EPERM),
            ("setpriority", (2, 0), errno.EPERM),
            ("setpriority", (1 << 32 | 2, 0), errno.EPERM),
            ("ioprio_set", (1, 0), 0),
            ("ioprio_set", (1, 77), errno.EPERM),
            ("ioprio_set", (2, 0), 0),
            ("ioprio_set", (3, 0), errno.EPERM),
            ("fchmodat", (0, 0, 0o755), 0),
            ("fchmodat", (0, 0, 0o4755), errno.EPERM),
            ("fchmod", (0, 0o2755), errno.EPERM),
            ("openat", (0, 0, 0, 0o4755), 0),
            ("openat", (0, 0, 0o100, 0o644), 0),
            ("openat", (0, 0, 0o101, 0o4755), errno.EPERM),
            ("kill", (-1,), 0),
            ("truncate", (), 0),
            ("socketpair", (1,), 0),
            ("socketpair", (2,), errno.EAFNOSUPPORT),
        ],
    )
    def test_by_argument(self, machine: str, name: str, args: tuple[int, ...], error: int) -> None:
        program = build_filter(machine, abilities(7), "all", False)
        assert verdict(program, machine, self.number(name, machine), *args) == error

    def test_stand_ins_for_what_old_versions_lack(self, machine: str) -> None:
        for old in (abilities(1), None):
            program = build_filter(machine, old, "all", False)
            assert verdict(program, machine, self.number("kill", machine), -1) == errno.EPERM
            assert verdict(program, machine, self.number("kill", machine), 77) == 0
            assert verdict(program, machine, self.number("truncate", machine)) == errno.EPERM

    @pytest.mark.parametrize(
        ("family", "kind", "protocol", "open_to"),
        [
            (2, 1, 0, "tcp all"),
            (2, 1 | 0o2004000, 6, "tcp all"),
            (10, 1, 0, "tcp all"),
            (2, 1, 262, ""),
            (2, 1, 132, ""),
            (2, 2, 0, "all"),
            (10, 2, 17, "all"),
            (2, 2, 1, ""),
            (2, 3, 1, ""),
            (2, 5, 132, ""),
            (1, 1, 0, "unix"),
            (1, 2, 0, "unix"),
            *((family, kind, 0, "") for family in (0, 3, 4, 16, 17, 29, 31, 38, 40, 44) for kind in (1, 2, 3)),
        ],
    )
    def test_sockets(self, machine: str, family: int, kind: int, protocol: int, open_to: str) -> None:
        number = self.number("socket", machine)
        for network in ("none", "tcp", "all"):
            program = build_filter(machine, abilities(7), network, False)
            assert (verdict(program, machine, number, family, kind, protocol) == 0) == (network in open_to.split())
            for program in (
                build_filter(machine, abilities(7), network, True),
                build_filter(machine, abilities(9), network, False),
            ):
                allowed = verdict(program, machine, number, family, kind, protocol) == 0
                assert allowed == (network in open_to.split() or open_to == "unix")


def test_system_call_reports_errors() -> None:
    with pytest.raises(OSError) as caught:
        system_call(LANDLOCK_CREATE_RULESET, None, 0, 77)
    assert caught.value.errno in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)
