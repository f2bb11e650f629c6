"""The newest events at hand: numbers that lead on, and what is gone is said to be gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scheduler.feed.told import Told
from scheduler.feed.window import Window

SIZE = 8


def told(event_id: int | None) -> Told:
    return Told(event_id, "run.started", "a", "r", b"{}")


@given(
    st.integers(0, 50),
    st.lists(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=6), max_size=8),
    st.integers(-2, 140),
)
def test_whoever_goes_on_from_an_event_gets_all_that_is_later(
    start: int, batches: list[list[tuple[int, bool]]], asked: int
) -> None:
    window, all_of_them, last = Window(start, SIZE), [], start
    for batch in batches:
        new = []
        for step, is_output in batch:
            last += 0 if is_output else step  # ids may have holes
            new.append(told(None if is_output else last))
        window.add(new)
        all_of_them += new
    assert (window.last, window.end) == (last, len(all_of_them))
    number = window.number_after(asked)
    later = [item.id for item in all_of_them if item.id is not None and item.id > asked]
    gone = all_of_them[:-SIZE]
    if any(item.id is not None and item.id > asked for item in gone) or asked < start:
        assert number is None
    else:
        assert number is not None
        found = window.since(number)
        assert found is not None
        assert [item.id for item in found if item.id is not None] == later
        assert found == (all_of_them[-len(found) :] if found else [])


def test_a_number_whose_events_are_gone() -> None:
    window = Window(0, SIZE)
    window.add(told(number) for number in range(1, SIZE + 2))
    assert window.since(0) is None
    assert len(window.since(1) or []) == SIZE
    assert window.since(window.end) == []
