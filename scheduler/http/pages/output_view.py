"""Show what a run wrote, as lines that can be linked to: bounded, and without what only terminals understand. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

HEAD_LINES, TAIL_LINES = 100, 400
HEAD_CHARS, TAIL_CHARS = 16 * 1024, 64 * 1024
LONGEST_LINE = 2000
"""What a page has of a stream before its module fetches the rest: the first lines, and the last ones."""

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, and where to write
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # titles and links
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_CUT = re.compile(r"\[\d+ bytes cut\]\Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in what is kept of the stream, and what it says. `cut`: it tells that bytes are gone."""

    number: int
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream: its first and last lines, and how many stand between them and are not shown here."""

    name: str
    head: Sequence[Line]
    between: int
    tail: Sequence[Line]
    total: int
    size: int
    coloured: bool
    """Whether it has what only a module shows, such as colours."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left for a module to fetch."""
        return not self.between and not self.coloured


def plain(text: str) -> str:
    """Return a line as a terminal would leave it, without colours: of what was written over, only the last."""
    return _CONTROL.sub("", text.rstrip("\r").rpartition("\r")[2])


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; an end of line at its end begins no further one."""
    return text.removesuffix("\n").split("\n") if text else []


def view_stream(name: str, data: bytes) -> StreamView:
    """Return what a page shows of a stream."""
    text = data.decode("utf-8", "replace")
    found = lines_of(text)
    first = _fitting(found, HEAD_LINES, HEAD_CHARS)
    rest = found[first:]
    last = _fitting(rest[::-1], TAIL_LINES, TAIL_CHARS)
    between = len(rest) - last
    head = [_line(number, line) for number, line in enumerate(found[:first], 1)]
    start = first + between
    tail = [_line(number, line) for number, line in enumerate(found[start:], start + 1)]
    return StreamView(name, head, between, tail, len(found), len(data), bool(_CONTROL.search(text)) or _is_long(found))


def _fitting(found: Sequence[str], most: int, chars: int) -> int:
    """Return how many of the lines fit."""
    count = used = 0
    for line in found[:most]:
        used += min(len(line), LONGEST_LINE)
        if used > chars:
            break
        count += 1
    return count


def _line(number: int, text: str) -> Line:
    shown = plain(text[:LONGEST_LINE])
    more = len(text) - LONGEST_LINE
    return Line(number, f"{shown} … {more} more characters" if more > 0 else shown, bool(_CUT.match(text)))


def _is_long(found: Sequence[str]) -> bool:
    return any(len(line) > LONGEST_LINE for line in found)
