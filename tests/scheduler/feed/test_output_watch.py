"""What runs print is told from where it was left, bounded, and by whole characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scheduler.feed.output_watch import MOST_BYTES, OutputWatch
from tasks.sandbox.output import HEAD, TAIL, OutputFile


def write(file: OutputFile, data: bytes) -> None:
    for start in range(0, len(data), 60_000):
        file.write(data[start : start + 60_000])


def only(pieces: list[Any]) -> Any:
    (piece,) = pieces
    assert (piece.task_id, piece.run_id) == ("a", "r1")
    return piece.data


def test_from_the_first_byte_to_the_last(tmp_path: Path) -> None:
    out, err = (OutputFile(tmp_path, "r1", stream) for stream in ("stdout", "stderr"))
    watch = OutputWatch(tmp_path)
    watch.begin("a", "r1")
    assert watch.look() == []
    write(out, "grün ".encode()[:3])  # half of the ü
    assert only(watch.look()) == {"stream": "stdout", "offset": 0, "next_offset": 3, "text": "gr"}
    write(out, "grün ".encode()[3:])
    write(err, b"oh")
    first, second = watch.look()
    assert first.data == {"stream": "stdout", "offset": 3, "next_offset": 6, "text": "ün "}
    assert second.data == {"stream": "stderr", "offset": 0, "next_offset": 2, "text": "oh"}
    write(out, b"end\xc3")
    assert only(watch.end("r1"))["text"] == "end\ufffd"
    assert watch.look() == watch.end("r1") == []


def test_much_at_once_is_cut_and_that_is_told(tmp_path: Path) -> None:
    out = OutputFile(tmp_path, "r1", "stdout")
    watch = OutputWatch(tmp_path)
    watch.begin("a", "r1")
    write(out, b"x" * 10)
    watch.look()
    write(out, "ü".encode() * MOST_BYTES)
    data = only(watch.look())
    assert data["skipped"] == MOST_BYTES
    assert (data["offset"], data["next_offset"]) == (10 + MOST_BYTES, 10 + 2 * MOST_BYTES)
    assert data["text"] == "ü" * (MOST_BYTES // 2)
    write(out, b"y" + "ü".encode() * (HEAD + TAIL))
    data = only(watch.look())
    assert data["next_offset"] == out.total
    assert data["text"] == "ü" * (len(data["text"].encode()) // 2)
    assert data["offset"] + len(data["text"].encode()) == out.total
    out.close()
    assert watch.end("r1") == []


def test_a_run_that_goes_on_already(tmp_path: Path) -> None:
    out = OutputFile(tmp_path, "r1", "stdout")
    write(out, b"old")
    watch = OutputWatch(tmp_path)
    watch.join("a", "r1")
    assert watch.look() == []
    write(out, b"new")
    assert only(watch.look()) == {"stream": "stdout", "offset": 3, "next_offset": 6, "text": "new"}
    watch.begin("a", "r1")  # its start is heard of late: what was told is not told again
    assert watch.look() == []
