"""Read whom runs shall belong to: the numbers of a user and a group, or a word for what the server chooses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

HIGHEST = 2**32 - 2
"""The highest number of a user or a group: the one after it means none."""


def _task_user(text: str) -> str:
    for number in text.split(":"):
        if number.isdecimal() and int(number) > HIGHEST:
            raise ValueError(f"'{number}' is no user or group: their numbers end at {HIGHEST}")
    return text


TaskUser = Annotated[str, AfterValidator(_task_user)]
"""UID[:GID], or a word."""
