"""`task-scheduler user` and `task-scheduler token`, on files of the test's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.auth import passwords
from scheduler.auth.users_file import UsersFile
from scheduler.cli import COMMANDS
from scheduler.cli.auth import token_command as token
from scheduler.cli.auth import user_command as user

PASSWORD = "correct horse"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCHEDULER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SCHEDULER_TIMEZONE", "UTC")
    monkeypatch.chdir(tmp_path)  # a directory that the data directory lies in: nothing runs here, so it does no harm
    return tmp_path / "data"


def call(group: object, *arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(group, arguments, input=given)  # type: ignore[arg-type]


def test_they_are_commands_of_the_program() -> None:
    assert {"user", "token"} <= set(COMMANDS)


def test_a_user_is_added_listed_and_removed(data: Path) -> None:
    added = call(user, "add", "ann", "--scope", "read", "--scope", "run", given=PASSWORD + "\nmore\n")
    assert added.exit_code == 0, added.output
    [one] = UsersFile(data / "users", needed=True).current().by_name.values()
    assert passwords.is_right(one.password_hash, PASSWORD)
    assert re.search(r"^ann +read,run$", call(user, "list").output, re.MULTILINE)
    assert "--replace" in call(user, "add", "ann", "--scope", "read", given=PASSWORD).output
    assert call(user, "add", "ann", "--scope", "admin", "--replace", given=PASSWORD).exit_code == 0
    removed = call(user, "remove", "ann")
    assert removed.exit_code == 0
    assert "No user is left" in removed.output
    assert call(user, "remove", "ann").exit_code == 1


def test_a_line_for_the_setting(data: Path) -> None:
    shown = call(user, "add", "ann", "--scope", "read", "--print", given=PASSWORD).output
    assert shown.startswith("ann:read:$argon2id$")
    assert not data.exists()


@pytest.mark.parametrize(
    ("arguments", "given", "hint"),
    [
        (["ann", "--scope", "read"], "short", "8 characters or more, not 5"),
        (["ann", "--scope", "read"], "", "8 characters or more, not 0"),
        (["ann", "--scope", "raed"], PASSWORD, "Did you mean 'read'"),
        (["a:b", "--scope", "read"], PASSWORD, "is no name"),
        (["ann"], PASSWORD, "--scope"),
    ],
)
def test_what_is_refused(data: Path, arguments: list[str], given: str, hint: str) -> None:
    result = call(user, "add", *arguments, given=given)
    assert result.exit_code != 0
    assert hint in result.output
    assert not (data / "users").exists()


def test_a_faulty_file_is_told_once(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    call(user, "add", "ann", "--scope", "read", given=PASSWORD)
    (data / "users").chmod(0o644)
    result = call(user, "list")
    assert result.exit_code == 1
    assert result.output.count("chmod 600") == 1
    (data / "users").write_text("no user\n")
    (data / "users").chmod(0o600)
    assert call(user, "list").output.count("users, line 1: ") == 1
    assert caplog.messages == [], "a log would go to the same terminal"


def test_a_token_is_shown_once_listed_revoked_and_forgotten(data: Path) -> None:
    added = call(token, "add", "ci", "--scope", "run", "--expires", "30d")
    assert added.exit_code == 0, added.output
    shown = added.stdout.strip()
    assert re.fullmatch(r"ts_[0-9a-f]{8}_[\w-]{43}", shown)
    listed = call(token, "list").output
    assert re.search(r"^ci +[0-9a-f]{8} +run +\S+ +\S+ +good$", listed, re.MULTILINE)
    assert shown.split("_", 2)[2] not in listed
    assert "Revoke it first" in call(token, "forget", "ci").output
    assert "was revoked" in call(token, "revoke", "ci").output
    assert "already" in call(token, "revoke", "ci").output
    assert call(token, "list").output.rstrip().endswith("was revoked")
    assert "No named token is left" in call(token, "forget", "ci").output
    assert call(token, "revoke", "ci").exit_code == 1
    assert "is no name" in call(token, "revoke", "\udcff").output
    assert "is no name" in call(token, "forget", "\udcff").output
    assert "30d" in call(token, "add", "ci", "--scope", "run", "--expires", "soon").output
