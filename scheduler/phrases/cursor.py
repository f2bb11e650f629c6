"""Walk over the tokens of a phrase, and refuse the ones that do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import Cutter, Token

_LINKS = ("at", "on", "in", "of")
_TELLING = ("every", "time", "minute", "number", "weekday", "month", "ordinal", "date", "zone")
"""Behind a link that does not go with one of these, it is the link that is wrong: without the other, more is lost."""


@dataclass(slots=True)
class Part:
    """One clause of a phrase: what it means and which tokens say so.

    `sure`: the words say clearly that this repeats ("every monday", "mondays"), or for `monthdays` and
    `dates` that "every" stands before them.
    """

    value: Any
    first: int
    last: int
    sure: bool = False


class Cursor:
    """Walk over the tokens of one phrase; `now` is the present in the zone of the request, `today` its day."""

    def __init__(self, cutter: Cutter, tokens: list[Token], now: datetime) -> None:
        end = len(cutter.text)
        self.cutter = cutter
        self.tokens = tokens
        self.now = now
        self.today: date = now.date()
        self.at = 0
        self._end = Token("end", None, "", end, end)

    def peek(self, ahead: int = 0) -> Token:
        """Return the token `ahead` places on, without moving."""
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else self._end

    def take(self) -> Token:
        """Return the token here and step over it."""
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *kinds: str) -> bool:
        """Step over the token here if it is of one of these kinds; say whether it was."""
        if self.peek().kind in kinds:
            self.at += 1
            return True
        return False

    def slice(self, first: int, last: int) -> tuple[int, int]:
        """Return where the text of the tokens first..last-1 lies."""
        return self.tokens[first].start, self.tokens[max(first, last - 1)].end

    def quote(self, first: int, last: int) -> str:
        """Return the text of the tokens first..last-1, as it was written."""
        start, end = self.slice(first, last)
        return self.cutter.text[start:end]

    def refuse(self, first: int, last: int, why: str, accepted: tuple[str, ...] = (), *fixes: str) -> Refusal:
        """Return a refusal of the tokens first..last-1; `fixes` are what to write instead of them."""
        start, end = self.slice(first, last)
        return self.cutter.refuse(start, end, why, accepted, *fixes)

    def refuse_word(self, accepted: tuple[str, ...] = (), known: list[str] | None = None) -> Refusal:
        """Return the refusal of the token here, which is not understood at this place."""
        if self.peek().kind == "end":
            last = self.tokens[self.at - 1]
            without = self.cutter.text[: last.start].strip()
            return Refusal(f"nothing follows '{self.quote(self.at - 1, self.at)}'", accepted, (without,))
        refusal = self.cutter.refuse_word(self.peek(), accepted, known)
        if self.peek().kind not in _TELLING or self.at == 0 or self.tokens[self.at - 1].kind not in _LINKS:
            return refusal
        link = self.tokens[self.at - 1]
        unlinked = self.cutter.replaced(link.start, link.end, "")
        return Refusal(refusal.message, refusal.accepted, (unlinked, *refusal.fixes))

    def refuse_missing(self, what: str, accepted: tuple[str, ...], *fixes: str) -> Refusal:
        """Return the refusal of a phrase that ends behind the last token, where `what` is needed."""
        last = self.tokens[self.at - 1]
        whole = tuple(f"{self.cutter.text} {fix}" for fix in fixes)
        return Refusal(f"{what} is missing after '{self.cutter.text[last.start : last.end]}'", accepted, whole)
