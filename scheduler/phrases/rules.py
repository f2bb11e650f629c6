"""Find the two rules of a text that is meant to be one: "mondays at 9am, wednesdays at 2pm"."""

from __future__ import annotations

import re
from collections.abc import Callable

_JOINT = re.compile(r",? and |, |; ?|,? then | & ", re.IGNORECASE)
_WHEN = re.compile(
    r"[0-9]:[0-9]{2}|[0-9] ?[ap]m\b|\b(?:noon|midday|midnight|hourly|(?:second|minute|hour)s?)\b", re.IGNORECASE
)
"""What says when within the day: a rule without it may take its times from the other one."""
_MOST_JOINTS = 8


def two_rules(text: str, is_rule: Callable[[str], bool]) -> tuple[str, str] | None:
    """Return the two phrases that `text` joins, each a rule that says when; None where it joins none.

    No phrase says both, and either alone would leave out what the other one says.
    """
    for joint in list(_JOINT.finditer(text))[:_MOST_JOINTS]:
        before, behind = text[: joint.start()].strip(), text[joint.end() :].strip()
        if _WHEN.search(before) and _WHEN.search(behind) and is_rule(before) and is_rule(behind):
            return before, behind
    return None
