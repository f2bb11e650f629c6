"""What a task asks for can only narrow what the server allows; and no run starts with less than told."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks import TaskRefused
from tasks.sandbox import AllowedDirs, ConfinementError, SandboxRequest, make_confinement
from tasks.sandbox.confinement import check_apart
from tasks.sandbox.policy import MEMORY_BYTES, Policy, Rules
from tasks.sandbox.run_user import choose_user

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def filled(ground: Any) -> Any:
    """A workspace with two folders and a file in each."""
    for name in ("a", "b"):
        (ground.workspace / name).mkdir()
        (ground.workspace / name / "file").write_text(name)
    return ground


def can(ground: Any, request: SandboxRequest | None) -> set[str]:
    """Return what a run can do with the folders."""
    attempts = {
        "read a": "cat a/file",
        "read b": "cat b/file",
        "write a": "echo x > a/new",
        "write b": "echo x > b/new",
        "write top": "echo x > new",
        "write private": "echo x > $TMPDIR/new",
    }
    command = "; ".join(f"({attempt}) >/dev/null 2>&1 && echo {name}" for name, attempt in attempts.items())
    result = ground.sh(f"{command}; true", request=request)
    assert result.status == "completed", result
    return set(ground.out.splitlines())


@pytest.mark.parametrize(
    ("request_", "able"),
    [
        (None, {"read a", "read b", "write a", "write b", "write top"}),
        (SandboxRequest(), {"read a", "read b", "write a", "write b", "write top"}),
        (SandboxRequest(write=["a"]), {"read a", "read b", "write a"}),
        (SandboxRequest(write=[]), {"read a", "read b"}),
        (SandboxRequest(read=["a"]), {"read a"}),
        (SandboxRequest(read=["a/file"], write=["b"]), {"read a", "read b", "write b"}),
        (SandboxRequest(read=[], write=["a"]), {"read a", "write a"}),
        (SandboxRequest(read=[], write=[]), set()),
    ],
)
def test_paths_narrow(filled: Any, request_: SandboxRequest | None, able: set[str]) -> None:
    assert can(filled, request_) == able | {"write private"}


def test_read_dirs_of_the_server(filled: Any, outside: Any) -> None:
    folder = outside()
    folder.chmod(0o755)
    filled.confine(read_dirs=[folder])
    assert filled.sh(f"cat {folder}/secret").status == "completed", filled.err
    assert filled.sh(f"echo x > {folder}/new").status == "failed"
    assert filled.sh(f"cat {folder}/secret", request=SandboxRequest(read=["a"])).status == "failed"
    assert filled.sh(f"cat {folder}/secret", request=SandboxRequest(read=[str(folder)])).status == "completed"


@pytest.mark.parametrize(
    ("server", "task", "told", "streams", "datagrams"),
    [
        ("all", None, "all", True, True),
        ("all", "tcp", "tcp", True, False),
        ("all", "none", "none", False, False),
        ("tcp", "all", "tcp", True, False),
        ("none", "all", "none", False, False),
    ],
)
def test_network_narrows(ground: Any, server: str, task: Any, told: str, streams: bool, datagrams: bool) -> None:
    ground.confine(network=server)
    code = (
        "import socket\n"
        "for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "    try: socket.socket(type=kind); print(True)\n"
        "    except OSError: print(False)\n"
    )
    result = ground.python(code, request=SandboxRequest(network=task))
    assert ground.out.split() == [str(streams), str(datagrams)]
    assert result.sandbox is not None
    assert result.sandbox["net"] == told


def test_limits_take_the_smaller(tmp_path: Path) -> None:
    allowed = AllowedDirs([tmp_path])
    policy = Policy((), allowed.dirs, "all", processes=10, cpu_seconds=5)
    narrowed = policy.narrowed(SandboxRequest(memory_mb=100_000, processes=50, cpu_seconds=9), allowed)
    assert (narrowed.memory, narrowed.processes, narrowed.cpu_seconds) == (MEMORY_BYTES, 10, 5)
    narrowed = policy.narrowed(SandboxRequest(memory_mb=64, processes=5, cpu_seconds=2), allowed)
    assert (narrowed.memory, narrowed.processes, narrowed.cpu_seconds) == (64 << 20, 5, 2)


def test_paths_outside_are_refused_all_at_once(filled: Any) -> None:
    request = SandboxRequest(read=["a", "/etc"], write=["../x", "b", "/"])
    with pytest.raises(TaskRefused) as caught:
        request.check(filled.allowed)
    assert [problem.field for problem in caught.value.problems] == ["sandbox.read.1"]
    with pytest.raises(TaskRefused) as caught:
        SandboxRequest(write=["../x", "b", "/"]).check(filled.allowed)
    assert [problem.field for problem in caught.value.problems] == ["sandbox.write.0", "sandbox.write.2"]
    SandboxRequest(read=["/usr/share"]).check(filled.allowed, [Path("/usr")])


@pytest.mark.parametrize(
    "fields",
    [
        {"memory_mb": 0},
        {"memory_mb": "5"},
        {"cpu_seconds": 0},
        {"cpu_seconds": -1.0},
        {"cpu_seconds": float("inf")},
        {"processes": 0},
        {"processes": True},
        {"network": "udp"},
        {"read": "a"},
        {"unknown": 1},
    ],
)
def test_requests_are_strict(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SandboxRequest(**fields)


def test_path_that_moved_since_creation_is_refused(filled: Any, outside: Any) -> None:
    request = SandboxRequest(write=["a"])
    request.check(filled.allowed)
    (filled.workspace / "a").rename(filled.workspace / "old")
    (filled.workspace / "a").symlink_to(outside())
    result = filled.sh("echo x > a/new", request=request)
    assert result.status == "failed"
    assert "outside the allowed directories" in (result.reason or "")


def test_path_that_moves_at_the_last_moment_opens_nothing(
    filled: Any, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = outside()
    (filled.workspace / "link").symlink_to(folder)
    stale = replace(filled.confinement.policy, write=(filled.workspace / "link",))
    monkeypatch.setattr(Policy, "narrowed", lambda *args: stale)
    result = filled.sh(f"echo x > {folder}/new")
    assert (result.status, result.reason) == ("failed", f"sandbox: {filled.workspace}/link has been moved")
    assert not (folder / "new").exists()


BROKEN: dict[str, Any] = {
    "landlock_create_ruleset": {"landlock": {"attribute": b"x" * 24, "files": 0, "file_rights": 0, "rules": []}},
    "landlock_add_rule": {
        "landlock": {
            "attribute": b"\xff" + bytes(23),
            "files": -1,
            "file_rights": -1,
            "rules": [(b"/", 1 << 40, False)],
        }
    },
    "seccomp": {"seccomp": b"\xff" * 64},
    "seccomp of all": {"base": {"seccomp": b"\xff" * 64}},
    "Operation not permitted": {"user": (1, 1)},
    "capset": {"base": {"keep": (2,)}},
    "AMBIENT_RAISE": {"base": {"keep": (2,)}},
    "rlimit": {"rlimits": [(99, 0)]},
    "rlimit of all": {"base": {"rlimits": [(99, 0)]}},
    "KeyError": None,
}


@pytest.mark.parametrize("step", BROKEN)
def test_a_step_that_fails_ends_the_run_before_it_begins(
    step: str, ground: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if IS_ROOT and step in ("Operation not permitted", "capset", "AMBIENT_RAISE"):
        pytest.skip("root may do this")
    if not IS_ROOT and step == "AMBIENT_RAISE":
        pytest.skip("capset fails before")
    whole = Rules.confinement

    def broken(self: Rules, policy: Policy, tmpdir: str) -> dict[str, Any]:
        values = whole(self, policy, tmpdir)
        if BROKEN[step] is None:
            del values["rlimits"]
            return values
        base = {**values["base"], **BROKEN[step].get("base", {})}
        return {**values, **BROKEN[step], "base": base}

    monkeypatch.setattr(Rules, "confinement", broken)
    result = ground.sh("touch started")
    assert (result.status, result.exit_code) == ("failed", None)
    assert (result.reason or "").startswith("sandbox: ")
    assert not (ground.workspace / "started").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("cat /etc/shadow", ["/etc/shadow", "SCHEDULER_READ_DIRS"]),
        ("echo x > /var/new", ["/var/new", "SCHEDULER_ALLOWED_DIRS"]),
        ("python3 -c \"open('/usr/new', 'w')\"", ["/usr/new", "but not change it"]),
        ("ls /tmp", ["/tmp"]),
        ("unshare -U true", ["Operation not permitted"]),
        ("python3 -c 'import socket; socket.socket()'", ["SCHEDULER_NETWORK", "'none'"]),
    ],
)
def test_a_denied_run_says_what_would_allow_it(ground: Any, command: str, words: list[str]) -> None:
    ground.confine(network="none")
    result = ground.sh(command)
    assert result.status == "failed"
    for word in words:
        assert word in (result.hint or ""), (result, ground.err)


@pytest.mark.parametrize("command", ["exit 3", "echo x > a; chmod 0 a; ls /usr >/dev/null; exit 1"])
def test_no_hint_where_nothing_was_denied(ground: Any, command: str) -> None:
    assert ground.sh(command).hint is None


def test_data_directory_must_lie_apart(tmp_path: Path) -> None:
    allowed = AllowedDirs([tmp_path / "w"])
    for data_dir in (tmp_path / "w" / "data", tmp_path, tmp_path / "w"):
        with pytest.raises(ConfinementError, match="SCHEDULER_DATA_DIR"):
            make_confinement("auto", allowed, [], "all", "auto", data_dir)
    with pytest.raises(ConfinementError):
        make_confinement("auto", allowed, [tmp_path], "all", "auto", tmp_path / "data")
    check_apart(tmp_path / "data", [tmp_path / "w"])


@pytest.mark.skipif(not IS_ROOT, reason="only root has a choice")
def test_user_of_runs(tmp_path: Path) -> None:
    allowed = AllowedDirs([tmp_path])
    assert choose_user("auto", allowed) == (60123, 60123)
    assert choose_user("none", allowed) is None
    assert choose_user("1234:55", allowed) == (1234, 55)
    assert choose_user("61235", allowed) == (61235, 61235)
    os.chown(tmp_path, 4321, 77)
    assert choose_user("auto", allowed) == (4321, 77)
    for text in ("0", "root", "", "-1", "1:x"):
        with pytest.raises(ConfinementError):
            choose_user(text, allowed)


@pytest.mark.skipif(not IS_ROOT, reason="only root has a choice")
@pytest.mark.parametrize(("setting", "told"), [("none", 0), ("4567:89", 4567), ("auto", 60123)])
def test_runs_have_that_user(ground: Any, setting: str, told: int) -> None:
    assert ground.confine(task_user=setting).describe()["uid"] == told
    ground.workspace.chmod(0o777)
    result = ground.sh("id -u; touch file; exec grep CapEff /proc/self/status; ")
    assert result.status == "completed", ground.err
    number, capabilities = ground.out.split("\n")[:2]
    assert int(number) == told
    assert int(capabilities.split()[1], 16) == (0 if setting == "none" else 2)
    assert (ground.workspace / "file").stat().st_uid == told
    assert ground.confinement.self_test() == []


@pytest.mark.skipif(IS_ROOT, reason="root may")
def test_only_root_gives_runs_another_user(tmp_path: Path) -> None:
    with pytest.raises(ConfinementError, match="only a server that is root"):
        choose_user("1", AllowedDirs([tmp_path]))


@pytest.fixture
def unreachable(ground: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A ground whose private directories, in a data directory that only root may pass, must be made elsewhere."""
    if not IS_ROOT:
        pytest.skip("runs have the server's own user")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    return ground


def places_elsewhere(ground: Any) -> list[Path]:
    return list((ground.root / "elsewhere").iterdir())


def test_private_directories_are_made_where_runs_can_reach_them(unreachable: Any) -> None:
    assert unreachable.sh("cd && pwd").status == "completed", unreachable.err
    (place,) = places_elsewhere(unreachable)
    assert unreachable.out.startswith(f"{place}/run-")
    assert os.readlink(unreachable.data_dir / "tmp-elsewhere") == str(place)
    assert place.stat().st_mode & 0o777 == 0o711
    unreachable.confine()  # another process of the server, or the next one after a crash
    unreachable.sh("cd && pwd")
    assert unreachable.out.startswith(f"{place}/run-")
    unreachable.close()
    assert places_elsewhere(unreachable) == []
    assert not os.path.lexists(unreachable.data_dir / "tmp-elsewhere")


@pytest.mark.parametrize("taken", ["by another user", "by a link", "away"])
def test_a_place_that_is_not_ours_any_more_is_left_alone(unreachable: Any, tmp_path: Path, taken: str) -> None:
    unreachable.sh("true")
    (place,) = places_elsewhere(unreachable)
    place.rename(tmp_path / "gone")
    if taken == "by another user":
        place.mkdir()
        os.chown(place, 4321, 4321)
    elif taken == "by a link":
        place.symlink_to(tmp_path / "gone")
    assert unreachable.sh("cd && pwd").status == "completed", unreachable.err
    assert not unreachable.out.startswith(f"{place}/")


def test_runs_that_can_have_no_private_directory_are_refused(unreachable: Any) -> None:
    tempfile.tempdir = str(unreachable.root / "missing")
    assert "no private directory can be made" in (unreachable.sh("touch started").reason or "")
    assert not (unreachable.workspace / "started").exists()
    unreachable.confinement.clear_private_dirs(unreachable.data_dir / "tmp")
    (fault,) = unreachable.confinement.self_test()
    assert "no private directory can be made" in fault
    assert fault in unreachable.confinement.describe()["refused"]
