"""Keep what a run prints, with a cap, and read it back.

One file a stream, plain bytes as they came: LOG_DIR/XX/RUN_ID.stdout and .stderr, where XX is made
from the run's id (see output_path). A file exists only where something was printed. It can be read
while the run goes on, and after a crash of the server it holds what had been written.

Of a long stream the first HEAD bytes and the last TAIL bytes are kept. While such a run goes on, its
newest bytes stand in a ring in RUN_ID.stdout.tail: eight bytes with the number of bytes that went
into the ring so far, then the ring. At the end both become one file: head, a line that tells how
many bytes were cut, tail.

Offsets count the bytes of the stream as the program wrote it, cut ones included, so that they stay
true while a run goes on and after its end.
"""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

Stream = Literal["stdout", "stderr"]

HEAD = 512 * 1024
TAIL = 512 * 1024
ENDS = 16 * 1024
CHUNK = 64 * 1024
"""The most that one write adds: what may be half overwritten in a ring that is read meanwhile."""

_COUNT = 8
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_CUT_LINE = re.compile(rb"\n\[(\d+) bytes cut\]\n")
_CUT_LINE_ROOM = 64


class OutputText(NamedTuple):
    """Part of a stream: the text, the offset to go on from, and whether bytes of the middle were cut."""

    text: str
    next_offset: int
    truncated: bool


def output_path(log_dir: Path, run_id: str, stream: Stream) -> Path:
    """Return where a stream is kept: 256 subfolders by the run id's checksum, so that none grows long."""
    if not _RUN_ID.match(run_id):
        raise ValueError(f"{run_id!r} is no run id: letters, digits, '-' and '_' only.")
    return log_dir / f"{zlib.crc32(run_id.encode()) & 0xFF:02x}" / f"{run_id}.{stream}"


class OutputBytes(NamedTuple):
    """Bytes of a stream as they came, and where they stand in it: later than was asked for where bytes are gone."""

    data: bytes
    offset: int


class OutputFile:
    """Takes one stream of one run; the file is made with the first byte."""

    def __init__(self, log_dir: Path, run_id: str, stream: Stream) -> None:
        self._place = (log_dir, run_id, stream)
        self._head_fd = -1
        self._ring_fd = -1
        self.total = 0

    @property
    def truncated(self) -> bool:
        """Whether bytes of the middle are gone."""
        return self.total > HEAD + TAIL

    def write(self, data: bytes) -> None:
        """Add at most CHUNK bytes; the file holds them when this returns."""
        if self._head_fd < 0:
            self._path = output_path(*self._place)
            self._head_fd = _create(self._path)
        room = max(HEAD - self.total, 0)
        if room:
            _write_all(self._head_fd, data[:room])
        if len(data) > room:
            self._write_ring(data[room:])
        self.total += len(data)

    def close(self) -> None:
        """Join head and tail and close the files."""
        try:
            if self._ring_fd >= 0:
                self._join()
        finally:
            for fd in (self._head_fd, self._ring_fd):
                if fd >= 0:
                    os.close(fd)
            self._head_fd = self._ring_fd = -1

    def _write_ring(self, data: bytes) -> None:
        if self._ring_fd < 0:
            self._ring_fd = _create(_ring_path(self._path))
        written = max(self.total - HEAD, 0)
        start = written % TAIL
        first = data[: TAIL - start]
        os.pwrite(self._ring_fd, first, _COUNT + start)
        if len(first) < len(data):
            os.pwrite(self._ring_fd, data[len(first) :], _COUNT)
        os.pwrite(self._ring_fd, (written + len(data)).to_bytes(_COUNT, "big"), 0)

    def _join(self) -> None:
        written = self.total - HEAD
        tail = _read_ring(self._ring_fd, written)
        if written > len(tail):
            tail = b"\n[%d bytes cut]\n" % (written - len(tail)) + tail
        _write_all(self._head_fd, tail)
        os.unlink(_ring_path(self._path))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is there of one stream: head, then `cut` missing bytes, then tail."""

    head: bytes
    cut: int = 0
    tail: bytes = b""

    @property
    def total(self) -> int:
        return len(self.head) + self.cut + len(self.tail)

    def raw(self) -> bytes:
        """Return the bytes that are kept, with the line that tells the cut."""
        return self.head + _cut_line(self.cut).encode() + self.tail if self.cut else self.head + self.tail

    def whole(self) -> str:
        """Return the text, with the line that tells the cut."""
        if not self.cut:
            return _decode(self.head + self.tail)
        head, tail = _without_half_end(self.head), _without_half_start(self.tail)
        return _decode(head) + _cut_line(self.cut) + _decode(tail)

    def to_whole_character(self) -> _Kept:
        """Return the same without the first bytes of a character whose last ones have not come yet."""
        if not self.cut:  # a character may stand over the border of head and tail
            return _Kept(_without_half_end(self.head + self.tail))
        return _Kept(self.head, self.cut, _without_half_end(self.tail))


def read_output(
    log_dir: Path,
    run_id: str,
    stream: Stream,
    *,
    tail_lines: int | None = None,
    offset: int | None = None,
    goes_on: bool = False,
    limit: int = HEAD + TAIL + _CUT_LINE_ROOM,
) -> OutputText:
    """Return the last `tail_lines` lines, or up to `limit` bytes from `offset` on, or all that is kept.

    Where all or the lines are longer than `limit` bytes, their last ones are returned. An offset among
    the cut bytes answers the cut's line and what follows it. A character is not divided between two
    answers: where the run `goes_on`, its first bytes wait for its last ones. A run that printed nothing,
    or none of that id, has an empty output.
    """
    kept = _load(output_path(log_dir, run_id, stream))
    if goes_on:
        kept = kept.to_whole_character()
    if offset is not None and tail_lines is None:
        return _from_offset(kept, max(offset, 0), limit)
    text = kept.whole() if tail_lines is None else _last_lines(kept.whole(), tail_lines)
    return OutputText(_last_bytes(text, limit), kept.total, kept.cut > 0)


def output_size(log_dir: Path, run_id: str, stream: Stream) -> int:
    """Return how many bytes a stream has had so far; cheap, for whoever asks again and again."""
    path = output_path(log_dir, run_id, stream)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    return size if size < HEAD else _load(path).total


def read_from(log_dir: Path, run_id: str, stream: Stream, offset: int, limit: int) -> OutputBytes:
    """Return up to `limit` bytes from `offset` on, or from the first that is still there."""
    kept = _load(output_path(log_dir, run_id, stream))
    if offset < len(kept.head):
        return OutputBytes(kept.head[offset : offset + limit], offset)
    start = len(kept.head) + kept.cut
    first = max(offset, start)
    return OutputBytes(kept.tail[first - start : first - start + limit], first)


def cut_line(count: int) -> bytes:
    """Return the line that stands for bytes that are gone."""
    return _cut_line(count).encode()


def read_ends(log_dir: Path, run_id: str, stream: Stream, limit: int = ENDS) -> str:
    """Return the whole text where it is at most `limit` bytes long, else its start and its end."""
    kept = _load(output_path(log_dir, run_id, stream))
    if kept.total <= limit:
        return kept.whole()
    half = limit // 2
    joined = kept.head + kept.tail  # the cut lies between the halves: head and tail are longer
    ends = _Kept(joined[:half], kept.total - 2 * half, joined[len(joined) - half :])
    return ends.whole()


def read_bytes(log_dir: Path, run_id: str, stream: Stream) -> tuple[bytes, bool]:
    """Return all that is kept of a stream, as it came, and whether bytes of its middle were cut."""
    kept = _load(output_path(log_dir, run_id, stream))
    return kept.raw(), kept.cut > 0


def last_lines(data: bytes, count: int) -> bytes:
    """Return the last `count` lines."""
    end = len(data) - data.endswith(b"\n")
    for _ in range(count):
        end = data.rfind(b"\n", 0, max(end, 0))
        if end < 0:
            return data
    return data[end + 1 :]


def write_output(log_dir: Path, run_id: str, stream: Stream, text: str) -> None:
    """Keep a whole text as what a run printed, cut as any other output is."""
    file = OutputFile(log_dir, run_id, stream)
    data = text.encode(errors="replace")
    try:
        for start in range(0, len(data), CHUNK):
            file.write(data[start : start + CHUNK])
    finally:
        file.close()


def remove_output(log_dir: Path, run_id: str) -> None:
    """Remove what a run printed, if anything."""
    streams: tuple[Stream, Stream] = ("stdout", "stderr")
    for stream in streams:
        path = output_path(log_dir, run_id, stream)
        for file in (path, _ring_path(path)):
            file.unlink(missing_ok=True)


def _ring_path(path: Path) -> Path:
    return path.with_name(path.name + ".tail")


def _create(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _read_ring(fd: int, written: int) -> bytes:
    kept = os.pread(fd, min(written, TAIL), _COUNT)
    if written <= TAIL:
        return kept
    start = written % TAIL
    return kept[start:] + kept[:start]


def _load(path: Path) -> _Kept:
    ring = _load_ring(_ring_path(path))
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return _Kept(b"")
    if ring is not None:  # the run goes on, or the server died under it
        return _Kept(data[:HEAD], *ring)
    cut = _CUT_LINE.match(data, HEAD) if len(data) > HEAD + TAIL else None
    if cut is None:
        return _Kept(data)
    return _Kept(data[:HEAD], int(cut[1]), data[cut.end() :])


def _load_ring(path: Path) -> tuple[int, bytes] | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb", buffering=0):
        written = int.from_bytes(os.pread(fd, _COUNT, 0), "big")
        tail = _read_ring(fd, written)
    if written > len(tail):
        tail = tail[CHUNK:]  # the oldest bytes: a writer may be replacing them at this moment
    return written - len(tail), tail


def _from_offset(kept: _Kept, offset: int, limit: int) -> OutputText:
    before, start, part = "", 0, kept.head if kept.cut else kept.head + kept.tail
    if kept.cut and offset >= len(kept.head):
        start, part = len(kept.head) + kept.cut, kept.tail
        if offset < start:
            before, offset = _cut_line(start - offset), start
    data = part[offset - start : offset - start + limit]
    data = _without_half_end(data) or data
    return OutputText(before + _decode(data), offset + len(data), kept.cut > 0)


def _cut_line(count: int) -> str:
    return f"\n[{count} bytes cut]\n"


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _without_half_end(data: bytes) -> bytes:
    """Return `data` without the first bytes of a UTF-8 character whose last ones are missing."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:  # a character begins here; it is 2, 3 or 4 bytes long
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if length > back else data
        if byte < 0x80:
            break
    return data


def _without_half_start(data: bytes) -> bytes:
    start = 0
    while start < min(3, len(data)) and 0x80 <= data[start] < 0xC0:
        start += 1
    return data[start:]


def _last_lines(text: str, count: int) -> str:
    end = len(text) - 1 if text.endswith("\n") else len(text)
    for _ in range(max(count, 0)):
        end = text.rfind("\n", 0, max(end, 0))
        if end < 0:
            return text
    return text[end + 1 :] if count > 0 else ""


def _last_bytes(text: str, limit: int) -> str:
    data = text.encode()
    return text if len(data) <= limit else _decode(_without_half_start(data[-limit:]))
