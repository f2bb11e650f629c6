"""The users file: read anew when it changes, and never a way in when it cannot be read."""

from __future__ import annotations

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scheduler.auth.scopes import Scope
from scheduler.auth.users import User
from scheduler.auth.users_file import UsersFile, put_user, remove_user
from scheduler.errors import Conflict, NotFound
from tests.users import PASSWORD, cheap_hash, line, write_users


def names(file: UsersFile) -> list[str]:
    return sorted(file.current().by_name)


def user(name: str, scope: Scope = Scope.READ) -> User:
    return User(name, frozenset({scope}), cheap_hash(PASSWORD))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "users"


def test_it_is_read_anew_when_it_changes(path: Path) -> None:
    write_users(path, line("ann"))
    file = UsersFile(path, needed=True)
    assert names(file) == ["ann"]
    assert file.current() is file.current()
    write_users(path, line("ann"), line("bob"))
    assert names(file) == ["ann", "bob"]
    replacement = write_users(path.with_name("new"), line("cyd"))
    os.replace(replacement, path)
    assert names(file) == ["cyd"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o602, 0o666, 0o610])
def test_a_file_that_others_may_touch_lets_nobody_in(path: Path, mode: int, caplog: pytest.LogCaptureFixture) -> None:
    file = UsersFile(write_users(path, line(), mode=mode), needed=False)
    with caplog.at_level(logging.WARNING):
        assert names(file) == names(file) == []
    assert file.is_there
    assert f"chmod 600 {path}" in file.current().faults[0]
    assert len(caplog.records) == 1
    path.chmod(0o600)
    assert names(file) == ["ann"]
    path.chmod(mode)
    assert names(file) == []


def test_what_is_no_file_lets_nobody_in(path: Path) -> None:
    os.mkfifo(path, 0o600)
    file = UsersFile(path, needed=False)
    assert "no regular file" in file.current().faults[0]
    path.unlink()
    path.mkdir()
    assert "Is a directory" in file.current().faults[0]
    path.rmdir()
    path.write_bytes(b"ann:admin:\xff\n")
    path.chmod(0o600)
    assert "UTF-8" in file.current().faults[0]
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert "over 1048576 bytes" in file.current().faults[0]
    assert file.is_there


def test_a_missing_file_is_a_fault_where_it_was_asked_for(path: Path) -> None:
    asked_for, by_chance = UsersFile(path, needed=True), UsersFile(path, needed=False)
    assert asked_for.is_there
    assert "No such file" in asked_for.current().faults[0]
    assert not by_chance.is_there
    assert by_chance.current().faults == ()
    write_users(path, line())
    assert names(asked_for) == names(by_chance) == ["ann"]
    assert by_chance.is_there
    path.unlink()
    assert names(asked_for) == names(by_chance) == []


def test_a_link_that_leads_nowhere_is_no_open_door(path: Path) -> None:
    path.symlink_to("nowhere")
    file = UsersFile(path, needed=False)
    assert file.is_there
    assert names(file) == []


def test_an_empty_file_still_asks_for_a_password(path: Path) -> None:
    file = UsersFile(write_users(path), needed=False)
    assert file.is_there
    assert names(file) == []


# --- changing it -------------------------------------------------------------------------------


def test_users_are_added_replaced_and_removed(path: Path) -> None:
    file = UsersFile(path, needed=False)
    put_user(path, user("ann"), replace=False)
    put_user(path, user("bob"), replace=False)
    assert names(file) == ["ann", "bob"]
    with pytest.raises(Conflict, match="--replace"):
        put_user(path, user("ann", Scope.ADMIN), replace=False)
    put_user(path, user("ann", Scope.ADMIN), replace=True)
    assert file.current().by_name["ann"].scopes == {Scope.ADMIN}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    remove_user(path, "ann")
    assert names(file) == ["bob"]
    with pytest.raises(NotFound, match="Did you mean 'bob'"):
        remove_user(path, "bobb")
    assert [entry.name for entry in path.parent.iterdir()] == ["users"]


def test_what_people_wrote_stays(path: Path) -> None:
    write_users(path, "# the team", line("ann"), "", "a line that is wrong", line("ann", "read"))
    put_user(path, user("ann", Scope.RUN), replace=True)
    put_user(path, user("bob"), replace=False)
    kept = path.read_text().splitlines()
    assert kept == ["# the team", line("ann", "run"), "", "a line that is wrong", line("bob", "read")]


def test_a_link_stays_a_link(path: Path) -> None:
    real = write_users(path.with_name("real"), line("ann"))
    path.symlink_to(real)
    put_user(path, user("bob"), replace=False)
    assert path.is_symlink()
    assert names(UsersFile(real, needed=True)) == ["ann", "bob"]


def test_a_file_that_cannot_be_read_is_left_as_it_is(path: Path) -> None:
    write_users(path, line("ann"), mode=0o644)
    before = path.read_text()
    with pytest.raises(Exception, match="chmod 600"):
        put_user(path, user("bob"), replace=False)
    assert path.read_text() == before


def test_many_at_once_lose_nobody(path: Path) -> None:
    many = [f"user{number}" for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: put_user(path, user(name), replace=False), many))
    assert names(UsersFile(path, needed=True)) == sorted(many)
