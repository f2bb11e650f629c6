"""Notice what runs print while they go on, for the readers of events who asked for it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tasks.sandbox import output_size, read_from
from tasks.sandbox.output import Stream

MOST_BYTES = 16 * 1024
"""What a look gives of a stream at most."""

_STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class Piece(NamedTuple):
    """Something that a run has printed; `data` says of which stream, where in it, and what."""

    task_id: str
    run_id: str
    data: Mapping[str, Any]


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


@dataclass(slots=True)
class _Place:
    """How far a stream was read."""

    offset: int = 0
    told: bool = False
    decoder: codecs.IncrementalDecoder = field(default_factory=_decoder)


@dataclass(slots=True)
class _Watched:
    task_id: str
    run_id: str
    places: dict[Stream, _Place]


class OutputWatch:
    """Reads what is new of each run under way; where that is more than MOST_BYTES, only the newest of it.

    For one thread.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._watched: dict[str, _Watched] = {}

    def join(self, task_id: str, run_id: str) -> None:
        """Watch a run that goes on already, from what it prints next."""
        places = {stream: _Place(output_size(self._log_dir, run_id, stream)) for stream in _STREAMS}
        self._watched[run_id] = _Watched(task_id, run_id, places)

    def begin(self, task_id: str, run_id: str) -> None:
        """Watch a run from its first byte, if nothing of it was told yet."""
        known = self._watched.get(run_id)
        if known is None or not any(place.told for place in known.places.values()):
            self._watched[run_id] = _Watched(task_id, run_id, {stream: _Place() for stream in _STREAMS})

    def end(self, run_id: str) -> list[Piece]:
        """Return the last of what a run printed, and watch it no more."""
        watched = self._watched.pop(run_id, None)
        return [] if watched is None else list(self._new(watched, final=True))

    def look(self) -> list[Piece]:
        """Return what is new of every run."""
        return [piece for watched in self._watched.values() for piece in self._new(watched)]

    def _new(self, watched: _Watched, final: bool = False) -> Iterator[Piece]:
        for stream, place in watched.places.items():
            size = output_size(self._log_dir, watched.run_id, stream)
            if size > place.offset or final:
                data = self._read(watched.run_id, stream, place, size, final)
                if data["text"]:
                    place.told = True
                    yield Piece(watched.task_id, watched.run_id, data)

    def _read(self, run_id: str, stream: Stream, place: _Place, size: int, final: bool) -> Mapping[str, Any]:
        wanted = max(place.offset, size - MOST_BYTES)
        data, offset = read_from(self._log_dir, run_id, stream, wanted, MOST_BYTES)
        if offset > place.offset:
            place.decoder = _decoder()
            whole = _from_character(data)
            offset, data = offset + len(data) - len(whole), whole
        skipped = offset - place.offset
        place.offset = offset + len(data)
        text = place.decoder.decode(data, final)
        told = {"stream": stream, "offset": offset, "next_offset": place.offset, "text": text}
        return told | {"skipped": skipped} if skipped else told


def _from_character(data: bytes) -> bytes:
    """Return the bytes from the first whole UTF-8 character on."""
    start = 0
    while start < min(3, len(data)) and 0x80 <= data[start] < 0xC0:
        start += 1
    return data[start:]
