"""Checking passwords: few at a time, once a minute, and as long for a name that nobody has."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.auth.logins import AT_ONCE, IN_ALL, REMEMBERED_SECONDS, PasswordCheck
from scheduler.auth.users import Users, read_users
from scheduler.errors import LimitReached
from tests.http.conftest import watch_for
from tests.scheduler.auth.test_attempts import Hand
from tests.users import PASSWORD, cheap_hash, line


class Verifier:
    """Stands for argon2, and remembers what it was asked."""

    def __init__(self, users: Users) -> None:
        self.users, self.asked = users, list[tuple[str, str]]()

    def __call__(self, kept: str, password: str) -> bool:
        self.asked.append((kept, password))
        return password == "right" and kept in {user.password_hash for user in self.users.by_name.values()}


@pytest.fixture
def users() -> Users:
    return read_users([line("ann"), line("bob", password="other")], "users")


def test_a_right_password_is_remembered_for_a_minute(users: Users) -> None:
    clock, verifier = Hand(), Verifier(users)
    check, ann, bob = PasswordCheck(verifier, clock), users.by_name["ann"], users.by_name["bob"]
    assert all(check.passes(users, ann, "right") for _ in range(5))
    assert len(verifier.asked) == 1
    assert check.passes(users, bob, "right")
    assert len(verifier.asked) == 2
    clock.now += REMEMBERED_SECONDS
    assert check.passes(users, ann, "right")
    assert len(verifier.asked) == 3


def test_a_wrong_one_is_not(users: Users) -> None:
    verifier = Verifier(users)
    check, ann = PasswordCheck(verifier, Hand()), users.by_name["ann"]
    assert check.passes(users, ann, "right")
    assert not any(check.passes(users, ann, "wrong") for _ in range(3))
    assert len(verifier.asked) == 4


def test_another_hash_is_another_password(users: Users) -> None:
    check = PasswordCheck(Verifier(users), Hand())
    assert check.passes(users, users.by_name["ann"], "right")
    changed = read_users([line("ann", password="new one")], "users")
    assert not check.passes(changed, changed.by_name["ann"], "right")


def test_a_name_that_nobody_has_costs_a_check_of_the_decoy(users: Users) -> None:
    verifier = Verifier(users)
    check = PasswordCheck(verifier, Hand())
    assert not check.passes(users, None, "right")
    assert verifier.asked == [(users.decoy, "right")]


def test_nobody_gets_in_by_the_decoys_own_password(users: Users) -> None:
    check = PasswordCheck(lambda kept, password: True, Hand())
    assert not check.passes(users, None, "whatever")
    assert not check.passes(users, None, "whatever")


def test_no_more_than_a_few_threads_are_ever_busy_with_it(users: Users) -> None:
    inside, go = threading.Semaphore(0), threading.Event()
    busy: list[int] = []
    most: list[int] = []

    def slow(kept: str, password: str) -> bool:
        busy.append(1)
        most.append(len(busy))
        inside.release()
        assert go.wait(20)
        busy.pop()
        return False

    check = PasswordCheck(slow, Hand())
    with ThreadPoolExecutor(IN_ALL) as pool:
        waiting = [pool.submit(check.passes, users, None, f"guess {number}") for number in range(IN_ALL)]
        for _ in range(AT_ONCE):
            assert inside.acquire(timeout=20)
        watch_for(lambda: check._places._value == 0)  # the others have come as far as the queue
        with pytest.raises(LimitReached) as refused:
            check.passes(users, None, "one too many")
        assert refused.value.retry_after == 1
        go.set()
        assert not any(one.result(20) for one in waiting)
    assert max(most) == AT_ONCE
    assert not check.passes(users, None, "room again")


def test_those_who_wait_for_the_same_password_share_one_check(users: Users) -> None:
    inside, go, asked = threading.Semaphore(0), threading.Event(), list[str]()

    def slow(kept: str, password: str) -> bool:
        asked.append(password)
        inside.release()
        assert go.wait(20)
        return True

    check, ann = PasswordCheck(slow, Hand()), users.by_name["ann"]
    with ThreadPoolExecutor(IN_ALL) as pool:
        waiting = [pool.submit(check.passes, users, ann, "right") for _ in range(IN_ALL)]
        for _ in range(AT_ONCE):
            assert inside.acquire(timeout=20)
        go.set()
        assert all(one.result(20) for one in waiting)
    assert len(asked) == AT_ONCE


def test_memory_is_bounded(users: Users) -> None:
    many = read_users([line(f"user{number}") for number in range(20)], "users")
    check = PasswordCheck(lambda kept, password: True, Hand())
    for number in range(1200):
        assert check.passes(many, many.by_name["user1"], f"password {number}")
    assert len(check._good) == 1000


def test_what_is_kept_tells_nothing(users: Users) -> None:
    one, other = (PasswordCheck(Verifier(users), Hand()) for _ in range(2))
    for check in (one, other):
        assert check.passes(users, users.by_name["ann"], "right")
    assert not one._good.keys() & other._good.keys()
    assert cheap_hash(PASSWORD).encode() not in b"".join(one._good)
