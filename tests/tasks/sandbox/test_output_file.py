"""Output is kept head and tail, and reads the same while it comes, afterwards, and after a crash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.sandbox.output import (
    CHUNK,
    HEAD,
    TAIL,
    OutputFile,
    output_path,
    read_ends,
    read_output,
    remove_output,
)


def written(log_dir: Path, data: bytes, chunk: int = CHUNK) -> OutputFile:
    output = OutputFile(log_dir, "r", "stdout")
    for start in range(0, len(data), chunk):
        output.write(data[start : start + chunk])
    return output


def numbered(size: int) -> bytes:
    return b"".join(b"%07d\n" % number for number in range(size // 8))


def test_no_file_where_nothing_was_printed(tmp_path: Path) -> None:
    OutputFile(tmp_path, "r", "stdout").close()
    assert list(tmp_path.iterdir()) == []
    assert read_output(tmp_path, "r", "stdout") == ("", 0, False)
    assert read_ends(tmp_path, "r", "stderr") == ""


@pytest.mark.parametrize("size", [1, HEAD - 1, HEAD, HEAD + 1, HEAD + TAIL])
@pytest.mark.parametrize("closed", [False, True])
def test_short_output_is_whole(tmp_path: Path, size: int, closed: bool) -> None:
    data = (numbered(size + 8))[:size]
    output = written(tmp_path, data, chunk=65536)
    if closed:
        output.close()
    assert not output.truncated
    assert read_output(tmp_path, "r", "stdout") == (data.decode(), size, False)
    if closed:
        assert output_path(tmp_path, "r", "stdout").read_bytes() == data


def test_long_output_keeps_head_and_tail(tmp_path: Path) -> None:
    data = numbered(5 * 1024 * 1024)
    output = written(tmp_path, data, chunk=50_000)
    output.close()
    cut = len(data) - HEAD - TAIL
    kept = data[:HEAD] + b"\n[%d bytes cut]\n" % cut + data[-TAIL:]
    path = output_path(tmp_path, "r", "stdout")
    assert output.truncated
    assert path.read_bytes() == kept
    assert [file.name for file in path.parent.iterdir()] == ["r.stdout"]
    assert read_output(tmp_path, "r", "stdout") == (kept.decode(), len(data), True)


def test_a_run_that_goes_on_shows_its_newest_bytes(tmp_path: Path) -> None:
    data = numbered(3 * 1024 * 1024)
    output = written(tmp_path, data)
    text, next_offset, truncated = read_output(tmp_path, "r", "stdout", tail_lines=2)
    assert text == data[-16:].decode()
    assert (next_offset, truncated) == (len(data), True)
    more = b"newest\n"
    output.write(more)
    assert read_output(tmp_path, "r", "stdout", offset=next_offset) == ("newest\n", len(data) + 7, True)
    output.close()
    assert read_output(tmp_path, "r", "stdout", offset=next_offset) == ("newest\n", len(data) + 7, True)


def test_after_a_crash_what_was_written_reads(tmp_path: Path) -> None:
    data = numbered(3 * 1024 * 1024)
    written(tmp_path, data)  # never closed
    text = read_output(tmp_path, "r", "stdout").text
    assert text.startswith("0000000\n0000001\n")
    assert text.endswith(data[-400_000:].decode())
    assert "bytes cut]" in text


def test_offsets_walk_through_everything_once(tmp_path: Path) -> None:
    data = "aé€😀\n".encode() * 200
    written(tmp_path, data).close()
    for limit in (4, 5, 7, 64):
        parts, offset = [], 0
        while offset < len(data):
            part = read_output(tmp_path, "r", "stdout", offset=offset, limit=limit)
            assert offset < part.next_offset <= offset + limit
            parts.append(part.text)
            offset = part.next_offset
        assert "".join(parts) == data.decode()


def test_offset_among_cut_bytes_goes_on_at_the_tail(tmp_path: Path) -> None:
    data = numbered(2 * 1024 * 1024)
    written(tmp_path, data).close()
    text, next_offset, truncated = read_output(tmp_path, "r", "stdout", offset=HEAD + 1000, limit=80)
    start = len(data) - TAIL
    assert text == f"\n[{start - HEAD - 1000} bytes cut]\n" + data[start : start + 80].decode()
    assert (next_offset, truncated) == (start + 80, True)
    assert read_output(tmp_path, "r", "stdout", offset=len(data) + 5) == ("", len(data) + 5, True)


def test_half_a_character_waits_for_its_other_half(tmp_path: Path) -> None:
    output = OutputFile(tmp_path, "r", "stdout")
    output.write(b"ab\xe2\x82")
    assert read_output(tmp_path, "r", "stdout", offset=0) == ("ab", 2, False)
    output.write(b"\xac")
    assert read_output(tmp_path, "r", "stdout", offset=2) == ("€", 5, False)
    output.close()


@pytest.mark.parametrize("start", [b"", b"ab", b"x" * (HEAD - 1), b"x" * (HEAD - 2), b"x" * (HEAD + TAIL + 9)])
@pytest.mark.parametrize("half", ["é".encode()[:1], "€".encode()[:2], "😀".encode()[:3]])
def test_half_a_character_is_told_when_no_more_can_come(tmp_path: Path, start: bytes, half: bytes) -> None:
    output = written(tmp_path, start + half)
    text = read_output(tmp_path, "r", "stdout", goes_on=True)
    assert text.next_offset == len(start)
    assert "\ufffd" not in text.text
    assert read_output(tmp_path, "r", "stdout", offset=len(start), goes_on=True)[:2] == ("", len(start))
    output.close()
    end = len(start) + len(half)
    assert read_output(tmp_path, "r", "stdout", offset=len(start))[:2] == ("\ufffd", end)


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    written(tmp_path, b"\xff\xfe ok \x80").close()
    assert read_output(tmp_path, "r", "stdout").text == "\ufffd\ufffd ok \ufffd"


@pytest.mark.parametrize(("count", "text"), [(0, ""), (1, "c"), (2, "b\nc"), (3, "a\nb\nc"), (9, "a\nb\nc"), (-1, "")])
@pytest.mark.parametrize("end", ["", "\n"])
def test_tail_counts_lines(tmp_path: Path, count: int, text: str, end: str) -> None:
    written(tmp_path, b"a\nb\nc" + end.encode()).close()
    assert read_output(tmp_path, "r", "stdout", tail_lines=count).text == (text + end if text else "")


def test_ends_of_a_long_text(tmp_path: Path) -> None:
    data = numbered(100_000)
    written(tmp_path, data).close()
    text = read_ends(tmp_path, "r", "stdout", limit=1000)
    assert text == data[:500].decode() + f"\n[{len(data) - 1000} bytes cut]\n" + data[-500:].decode()


def test_cut_does_not_break_characters(tmp_path: Path) -> None:
    data = b"x" + "€".encode() * 1_000_000
    written(tmp_path, data).close()
    assert "\ufffd" not in read_output(tmp_path, "r", "stdout").text
    assert "\ufffd" not in read_ends(tmp_path, "r", "stdout")


def test_remove_takes_finished_and_unfinished(tmp_path: Path) -> None:
    written(tmp_path, numbered(HEAD + 4096))
    remove_output(tmp_path, "r")
    assert list(output_path(tmp_path, "r", "stdout").parent.iterdir()) == []
    remove_output(tmp_path, "never")


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", "a\0", "a\n", "x" * 200, "ü"])
def test_run_ids_that_could_be_paths_are_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ValueError):
        output_path(tmp_path, run_id, "stdout")


def test_files_are_private(tmp_path: Path) -> None:
    written(tmp_path / "log", b"x").close()
    path = output_path(tmp_path / "log", "r", "stdout")
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(path.parent).st_mode & 0o777 == 0o700
