"""`doctor`: what it finds on this machine, well or broken."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.conftest import Shell
from tests.server import Server, free_port


def states(shell: Shell) -> dict[str, str]:
    """Return the state of each check."""
    return {check["check"]: check["state"] for check in shell.json("doctor")["checks"]}


@pytest.fixture
def healthy(tmp_path: Path) -> dict[str, str]:
    """Return settings that nothing is wrong with."""
    (tmp_path / "work").mkdir()
    (tmp_path / "data").mkdir(mode=0o700)
    return {
        "SCHEDULER_ALLOWED_DIRS": str(tmp_path / "work"),
        "SCHEDULER_DATA_DIR": str(tmp_path / "data"),
        "SCHEDULER_TOKEN": "0123456789abcdef0123456789abcdef",
        "SCHEDULER_PORT": str(free_port()),
        "SCHEDULER_TIMEZONE": "UTC",
    }


def test_all_is_well_without_a_server(healthy: dict[str, str], tmp_path: Path) -> None:
    shell = Shell(**healthy)
    found = states(shell)
    assert found.pop("sandbox") in ("ok", "warning"), "that depends on the kernel"
    assert set(found.values()) == {"ok"}, found
    text = shell.ok("doctor")
    assert text.splitlines()[0].split()[:3] == ["STATE", "CHECK", "FOUND"]
    assert "0 failed" in text.splitlines()[-1]
    assert list((tmp_path / "data").glob("*.db")) == [], "it makes nothing"


def test_it_recognises_a_server(served: Server) -> None:
    settings = {name: text for name, text in served.settings.items() if name != "SCHEDULER_RATE_LIMIT"}
    checks = {check["check"]: check for check in Shell(**settings).json("doctor")["checks"]}
    assert checks["port"]["state"] == "ok"
    assert checks["port"]["found"].startswith(f"a server answers at 127.0.0.1:{served.port}: Scheduler is ")
    assert checks["store"]["found"].startswith("opens, schema 0")


def test_what_is_broken_fails_with_what_to_do(healthy: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "data/scheduler.db").write_bytes(b"no database at all, " * 100)
    broken = healthy | {"SCHEDULER_ALLOWED_DIRS": str(tmp_path / "missing")}
    said = Shell(**broken).say("doctor")
    assert said.code == 1
    checks = {check["check"]: check for check in Shell(**broken).json("doctor")["checks"]}
    assert {name for name, check in checks.items() if check["state"] == "failed"} == {"directory", "store"}
    assert checks["directory"]["todo"].startswith("mkdir -p ")
    assert all(check["todo"] for check in checks.values() if check["state"] != "ok")


def test_another_program_on_the_port(healthy: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        Thread(target=lambda: other.accept()[0].close(), daemon=True).start()
        checks = Shell(**healthy | {"SCHEDULER_PORT": port}).json("doctor")["checks"]
    (found,) = (check for check in checks if check["check"] == "port")
    assert (found["state"], "SCHEDULER_PORT" in found["todo"]) == ("failed", True)


def test_settings_that_are_wrong(healthy: dict[str, str]) -> None:
    said = Shell(**healthy | {"SCHEDULER_PORT": "many", "SCHEDULER_PROT": "1"}).say("doctor")
    assert said.code == 1
    assert "did you mean SCHEDULER_PORT?" in said.out
    assert "'SCHEDULER_PORT'" in said.out or "'port'" in said.out
    assert (
        Shell(**healthy | {"SCHEDULER_PORT": "many"}).say("doctor").out.splitlines()[-1].startswith("1 check: 1 failed")
    )
    found = Shell(**healthy | {"SCHEDULER_FOO": "1"}).json("doctor")["checks"][0]["found"]
    assert found == "SCHEDULER_FOO is no setting"


def test_it_goes_by_the_configuration_file(healthy: dict[str, str], here: Path) -> None:
    (here / "config").mkdir()
    (here / "config/scheduler.yaml").write_text("timezone: Europe/Paris\n")
    (here / "other.yaml").write_text("timezone: Asia/Tokyo\nport: 0x\n")
    del healthy["SCHEDULER_TIMEZONE"]
    assert "Europe/Paris" in Shell(**healthy).say("doctor").out
    assert "Asia/Tokyo" in Shell(**healthy).say("doctor --config other.yaml").out, "the environment has a port"
    del healthy["SCHEDULER_PORT"]
    said = Shell(**healthy).say("doctor --config other.yaml")
    assert (said.code, "other.yaml, line 2: " in said.out) == (1, True)


@pytest.mark.parametrize(("token", "state"), [("short", "warning"), ("", "warning")])
def test_tokens(healthy: dict[str, str], token: str, state: str) -> None:
    assert states(Shell(**healthy | {"SCHEDULER_TOKEN": token}))["token"] == state


def test_users_take_the_place_of_a_token(healthy: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "data/users").write_text("")
    assert states(Shell(**healthy | {"SCHEDULER_TOKEN": ""}))["token"] == "ok"


@pytest.mark.parametrize("namespace", ["default", "billing"])
def test_named_tokens_take_the_place_of_a_token(healthy: dict[str, str], namespace: str) -> None:
    shell = Shell(**healthy | {"SCHEDULER_TOKEN": "", "SCHEDULER_NAMESPACE": namespace})

    def told() -> tuple[str, str]:
        (found,) = (check for check in shell.json("doctor")["checks"] if check["check"] == "token")
        return found["state"], found["found"]

    assert told() == ("warning", "none: every program on this machine may call")
    shell.ok("token add ci --scope run")
    assert told() == ("ok", "none set: programs show named tokens (1 good)")
    shell.ok("token revoke ci")
    assert told() == ("warning", "nobody may call: every named token was revoked or has expired")
    shell.ok("token forget ci")
    assert told()[1] == "none: every program on this machine may call"


def test_a_token_that_others_can_read(healthy: dict[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "data/token"
    kept.write_text("x" * 40)
    kept.chmod(0o644)
    shell = Shell(**healthy | {"SCHEDULER_TOKEN": "", "SCHEDULER_HOST": "0.0.0.0"})
    assert states(shell)["token"] == "failed"
    kept.chmod(0o600)
    assert states(shell)["token"] == "ok"
