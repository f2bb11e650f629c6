"""Find in pytest's output what each failing test has to say. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 200
MOST_LINES = 40
_BANNER = re.compile(r"={3,} (?P<title>.+?) ={3,}\Z")
_HEADING = re.compile(r"_{3,} (?P<title>.+?) _{3,}\Z")
_SUMMARY = re.compile(r"(?:FAILED|ERROR) (?P<said>\S.*)")
_UNKNOWN = re.compile(r"(?P<node>.*?(?:\[.*?\])?)(?: - (?P<message>.*))?")
"""A test that was not recorded, and its message; what stands in brackets belongs to the test."""
_AT = re.compile(r"ERROR (?:at (?:setup|teardown) of|collecting) ")
_ERROR = re.compile(r"E\s+(?P<text>\S.*)")


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed: what it says in a line, on which line of the output it begins, and what stands there."""

    node_id: str
    message: str = ""
    line: int | None = None
    excerpt: Sequence[str] = ()


@dataclass(slots=True)
class _Section:
    line: int
    lines: list[str]

    @property
    def message(self) -> str:
        return next((found["text"] for line in self.lines if (found := _ERROR.match(line))), "")


def find_failures(failing: Sequence[str], lines: Sequence[str]) -> list[Failure]:
    """Return the failing tests, those that were recorded first, with what plain lines of output say of each."""
    sections, said = _read(failing, lines)
    ids = list(dict.fromkeys([*failing, *said]))[:MOST_SHOWN]
    found = []
    for node_id in ids:
        mine = sections.get(_title(node_id), [])
        section = mine.pop(0) if mine else None
        message = said.get(node_id) or (section.message if section else "")
        if section is None:
            found.append(Failure(node_id, message))
        else:
            found.append(Failure(node_id, message, section.line, _excerpt(section.lines)))
    return found


def _read(failing: Sequence[str], lines: Sequence[str]) -> tuple[dict[str, list[_Section]], dict[str, str]]:
    """Return the sections of failures by their titles, and the messages of the summary by node id."""
    sections: defaultdict[str, list[_Section]] = defaultdict(list)
    said: dict[str, str] = {}
    part, open_section = "", None
    for number, line in enumerate(lines, 1):
        if banner := _BANNER.match(line):
            part, open_section = banner["title"], None
        elif part in ("FAILURES", "ERRORS"):
            if heading := _HEADING.match(line):
                open_section = _Section(number, [])
                sections[_AT.sub("", heading["title"])].append(open_section)
            elif open_section is not None:
                open_section.lines.append(line)
        elif part == "short test summary info" and (summary := _SUMMARY.match(line)):
            said.setdefault(*_node_and_message(failing, summary["said"]))
    return dict(sections), said


def _node_and_message(failing: Sequence[str], text: str) -> tuple[str, str]:
    """Return the test of a line of the summary and what it says: parameters may look like the start of a message."""
    known = max((node for node in failing if text == node or text.startswith(f"{node} - ")), key=len, default=None)
    if known is not None:
        return known, text[len(known) :].removeprefix(" - ")
    found = _UNKNOWN.fullmatch(text)
    assert found is not None
    return found["node"], found["message"] or ""


def _title(node_id: str) -> str:
    """Return what pytest writes above the failure of a test: classes and name, or the file that could not be read."""
    path, separator, inner = node_id.partition("::")
    if not separator:
        return path
    name, bracket, parameters = inner.partition("[")
    return name.replace("::", ".") + bracket + parameters


def _excerpt(lines: Sequence[str]) -> Sequence[str]:
    """Return the last lines: the assertion stands at the end."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    while kept and not kept[0].strip():
        kept.pop(0)
    return kept[-MOST_LINES:]
