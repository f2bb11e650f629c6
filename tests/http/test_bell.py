"""One ring wakes all who wait."""

from __future__ import annotations

import asyncio

from scheduler.http.bell import Bell


def test_a_ring_from_another_thread_wakes_all_but_those_who_left() -> None:
    async def scene() -> list[bool]:
        bell = Bell(asyncio.get_running_loop())
        first, second, gone = bell.add(), bell.add(), bell.add()
        bell.remove(gone)
        await asyncio.to_thread(bell.ring)
        await asyncio.wait_for(first.wait(), 30)
        return [first.is_set(), second.is_set(), gone.is_set()]

    assert asyncio.run(scene()) == [True, True, False]
