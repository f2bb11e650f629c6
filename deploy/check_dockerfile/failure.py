"""Say what went wrong, and what went well."""

from __future__ import annotations

import time


class Failure(Exception):
    """Something is not as it should be; the text is for the person who started the program."""


class Report:
    """Lines for a person, with the seconds that each step took."""

    def line(self, text: str, started: float | None = None) -> None:
        """Print one."""
        took = f" ({time.monotonic() - started:.1f} s)" if started is not None else ""
        print(f"{text}{took}", flush=True)
