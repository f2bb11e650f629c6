"""Clocks that are set, machines that sleep and processes that stand still are told apart and told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.jumps import Jump, JumpWatch

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "monotonic", "jump"),
    [
        (1, 1, None),
        (1.2, 1, None),  # slewed by NTP
        (4, 4, None),  # a busy moment
        (3600, 1, ("step", 3599)),  # set forward
        (-86399, 1, ("step", -86400)),  # set back by a day
        (0, 1, ("step", -1)),
        (7200, 0.5, ("step", 7199.5)),  # the machine slept: CLOCK_MONOTONIC does not count that
        (30, 30, ("pause", 30)),  # SIGSTOP and SIGCONT
    ],
)
def test_jumps(wall: float, monotonic: float, jump: tuple[str, float] | None, caplog: pytest.LogCaptureFixture) -> None:
    passed = (0.0, 0.0)
    watch = JumpWatch(lambda: NOON + timedelta(seconds=passed[0]), lambda: passed[1])
    watch.look()
    passed = (wall, monotonic)
    watch.look()
    expected = jump and Jump(*jump, NOON + timedelta(seconds=wall))
    assert watch.last == expected
    assert len(caplog.records) == (jump is not None)
    watch.look()
    assert watch.last == expected
