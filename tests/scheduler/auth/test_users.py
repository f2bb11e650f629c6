"""The lines of users: what is read, and what is told of the rest."""

from __future__ import annotations

import pytest

from scheduler.auth import passwords
from scheduler.auth.users import read_users
from tests.users import PASSWORD, cheap_hash, line

HASH = cheap_hash(PASSWORD)


def test_lines_comments_and_blanks() -> None:
    users = read_users(["# who", "", line("ann", "read,run"), "  ", "  " + line("bob") + " "], "users")
    assert not users.faults
    assert {name: sorted(user.scopes) for name, user in users.by_name.items()} == {
        "ann": ["read", "run"],
        "bob": ["admin"],
    }
    assert passwords.is_right(users.by_name["ann"].password_hash, PASSWORD)
    assert users.by_name["ann"].line == line("ann", "read,run")


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        ("ann", "NAME:SCOPE"),
        ("ann:admin", "NAME:SCOPE"),
        (f"ann::{HASH}", "required"),
        (f"ann:admn:{HASH}", "Did you mean 'admin'?"),
        (f":admin:{HASH}", "is no name"),
        (f"a b:admin:{HASH}", "is no name"),
        (f"ann {HASH}", "NAME:SCOPE"),
        ("ann:admin:", "no argon2id hash"),
        ("ann:admin:secret12", "no argon2id hash"),
        (f"ann:admin:{HASH[:-25]}", "no argon2id hash"),
        (f"ann:admin:{HASH}:x", "no argon2id hash"),
        (f"ann:admin:{HASH.replace('argon2id', 'argon2i')}", "no argon2id hash"),
        ("ann:admin:$2b$12$" + "a" * 53, "no argon2id hash"),
        (f"ann:admin:{HASH.replace('m=8,', 'm=99999999,')}", "of memory"),
    ],
)
def test_a_faulty_line_is_told_and_lets_nobody_in(bad: str, hint: str) -> None:
    users = read_users(["# first", bad, line("bob")], "users")
    assert list(users.by_name) == ["bob"]
    [fault] = users.faults
    assert fault.startswith("users, line 2: ")
    assert hint in fault
    assert "secret12" not in fault


def test_of_two_lines_for_a_name_none_is_used() -> None:
    users = read_users([line("ann", "admin"), line("bob"), line("ann", "read")], "users")
    assert list(users.by_name) == ["bob"]
    assert "'ann' stands on 2 lines" in users.faults[0]


def test_the_decoy_costs_as_much_as_a_hash() -> None:
    users = read_users([line("ann")], "users")
    assert users.decoy.rsplit("$", 2)[0] == HASH.rsplit("$", 2)[0]
    assert users.decoy != HASH
    assert passwords.fault_of(users.decoy) is None


def test_nothing_secret_shows_in_a_log() -> None:
    users = read_users([line("ann")], "users")
    assert HASH not in repr(users.by_name["ann"])
    assert users.decoy not in repr(users)


@pytest.mark.parametrize(
    "password", ["correct horse", "pa:ss:word", "\u00fcn\u00efc\u00f6de", "\U0001f511" * 3, "x" * 5000, " blank "]
)
def test_a_password_and_its_hash(password: str) -> None:
    kept = passwords.hash_password(password)
    assert passwords.fault_of(kept) is None
    assert passwords.is_right(kept, password)
    assert not passwords.is_right(kept, password + "x")


def test_both_spellings_of_an_accent_are_one_password() -> None:
    assert passwords.is_right(cheap_hash("schlu\u0308ssel".replace("u\u0308", "\u00fc")), "schlu\u0308ssel")
