"""Failed attempts: what they cost, and whom they do not."""

from __future__ import annotations

import pytest

from scheduler.auth.attempts import FORGOTTEN_SECONDS, FREE_FAILURES, LONGEST_SECONDS, Attempts
from scheduler.errors import LimitReached


class Hand:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def attempts(clock: Hand) -> Attempts:
    return Attempts(clock)


def wait(attempts: Attempts, address: str = "10.0.0.1", name: str | None = "ann") -> float:
    """Return how long the next attempt has to wait."""
    try:
        attempts.check(address, name)
    except LimitReached as error:
        return error.retry_after or float("nan")
    return 0.0


def fail(attempts: Attempts, times: int, address: str = "10.0.0.1", name: str | None = "ann") -> None:
    for _ in range(times):
        attempts.failed(address, name)


def test_the_wait_doubles_up_to_a_minute(attempts: Attempts, clock: Hand) -> None:
    waits = []
    for _ in range(FREE_FAILURES + 9):
        fail(attempts, 1)
        waits.append(wait(attempts))
        clock.now += waits[-1]
        assert wait(attempts) == 0
    assert waits == [0.0] * FREE_FAILURES + [1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]


def test_so_many_that_no_number_holds_them(attempts: Attempts) -> None:
    fail(attempts, 5000)
    assert wait(attempts) == LONGEST_SECONDS


def test_it_counts_for_the_address_whatever_the_name(attempts: Attempts) -> None:
    for number in range(FREE_FAILURES + 1):
        attempts.failed("10.0.0.1", f"name{number}")
    assert wait(attempts, name="somebody") == 1
    assert wait(attempts, "10.0.0.2", "somebody") == 0


def test_it_counts_for_the_name_whatever_the_address(attempts: Attempts) -> None:
    for number in range(FREE_FAILURES + 1):
        attempts.failed(f"10.0.1.{number}", "ann")
    assert wait(attempts, "10.0.0.2", "ann") == 1
    assert wait(attempts, "10.0.0.2", "bob") == 0


def test_who_has_logged_in_is_not_locked_out_by_others(attempts: Attempts) -> None:
    attempts.succeeded("10.0.0.9", "ann")
    fail(attempts, 20, "10.0.0.1", "ann")
    fail(attempts, 20, "10.0.0.9", "bob")
    assert wait(attempts, "10.0.0.9", "ann") == 0
    assert wait(attempts, "10.0.0.8", "ann") > 0
    fail(attempts, FREE_FAILURES + 1, "10.0.0.9", "ann")
    assert wait(attempts, "10.0.0.9", "ann") == 1
    attempts.succeeded("10.0.0.9", "ann")
    assert wait(attempts, "10.0.0.9", "ann") == 0


def test_a_login_of_ones_own_does_not_wash_off_guesses(attempts: Attempts) -> None:
    fail(attempts, FREE_FAILURES)
    attempts.succeeded("10.0.0.1", "mallory")
    fail(attempts, 1, name="bob")
    assert wait(attempts, name="bob") == 1


def test_tokens_are_counted_apart(attempts: Attempts) -> None:
    fail(attempts, FREE_FAILURES + 1, name=None)
    assert wait(attempts, name=None) == 1
    assert wait(attempts) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("", "10.0.0.1", False),
    ],
)
def test_what_one_client_can_choose_among_is_one_address(attempts: Attempts, one: str, other: str, same: bool) -> None:
    fail(attempts, FREE_FAILURES + 1, one, "ann")
    assert (wait(attempts, other, "bob") > 0) == same


def test_old_failures_are_forgotten(attempts: Attempts, clock: Hand) -> None:
    fail(attempts, 20)
    clock.now += FORGOTTEN_SECONDS + 1
    fail(attempts, 1)
    assert wait(attempts) == 0


def test_memory_is_bounded(attempts: Attempts) -> None:
    for number in range(12_000):
        attempts.failed(f"address {number}", f"name {number}")
    assert len(attempts._records) == 10_000
