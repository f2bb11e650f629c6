"""Follow what one run writes, to its end."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.feed import GAP, Follower
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import cut_line
from tasks.sandbox.output import Stream

MOST_BYTES = 64 * 1024
LOOK_AGAIN_SECONDS = 0.1


class RunLog:
    """The bytes of a run's streams as they come; those that were cut from the middle are told as in the kept file."""

    pause = LOOK_AGAIN_SECONDS

    def __init__(self, scheduler: TaskScheduler, follower: Follower, run_id: str, stream: str) -> None:
        self._scheduler, self._follower, self._run_id = scheduler, follower, run_id
        names: tuple[Stream, ...] = ("stdout", "stderr")
        self._offsets = {name: 0 for name in names if stream in (name, "both")}
        self._ended: bool | None = None
        self.is_over, self.is_whole = False, False

    @property
    def may_wait(self) -> bool:
        """Whether something is there to be read."""
        return self._ended is None or self._follower.is_behind or bool(self._grown())

    def on_news(self, tell: Callable[[], None]) -> None:
        """Call `tell` when the run has ended, or something else happened."""
        self._follower.on_news(tell)

    def more(self) -> bytes:
        """Return what is new, a bounded part at a time."""
        # Asked before the files are read: all that a run has printed is there before its end is known.
        ended = self._has_ended()
        data = b"".join([self._read(name) for name in self._grown()])
        self.is_whole = ended and not data
        self.is_over = self.is_whole or self._follower.is_over
        return data

    def idle(self) -> bytes:
        """Return nothing: a text has no room for anything else."""
        return b""

    def close(self) -> None:
        """Follow no more."""
        self._follower.close()

    def _has_ended(self) -> bool:
        if self._ended is None:
            self._ended = self._scheduler.get_run(self._run_id).status.is_final
        if not self._ended:
            found = self._follower.catch_up() if self._follower.is_behind else self._follower.take()
            if any(told.kind == GAP for told in found):
                self._ended = None  # the end may have been among what is missing: the next look asks anew
            elif found:
                self._ended = True
        return bool(self._ended)

    def _grown(self) -> list[Stream]:
        sizes = {name: self._scheduler.output_size(self._run_id, name) for name in self._offsets}
        return [name for name, offset in self._offsets.items() if sizes[name] > offset]

    def _read(self, name: Stream) -> bytes:
        wanted = self._offsets[name]
        data, offset = self._scheduler.read_output_from(self._run_id, name, wanted, MOST_BYTES)
        self._offsets[name] = offset + len(data)
        return (cut_line(offset - wanted) if offset > wanted else b"") + data
