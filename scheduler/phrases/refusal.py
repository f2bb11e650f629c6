"""Carry what is wrong with a phrase from the place that sees it to the one that answers."""

from __future__ import annotations


class Refusal(Exception):
    """Refuse a phrase.

    `message` quotes the offending part and says what is accepted there, without an example; `fixes` are whole
    phrases that may have been meant, nearest first, not yet tried; `both`: the first two are two readings
    of the same words, and both are offered.
    """

    def __init__(
        self, message: str, accepted: tuple[str, ...] = (), fixes: tuple[str, ...] = (), both: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.accepted = accepted
        self.fixes = fixes
        self.both = both


class LimitRefusal(Refusal):
    """Refuse a limit that was given beside the phrase: `name` is "start_at" or "until", `suggestion` a moment.

    Where the phrase has the same limit, `without` is the phrase without it, and `moment` what the field would be.
    """

    def __init__(
        self,
        name: str,
        message: str,
        accepted: tuple[str, ...],
        suggestion: str | None = None,
        without: str | None = None,
        moment: str | None = None,
    ) -> None:
        super().__init__(message, accepted)
        self.name = name
        self.suggestion = suggestion
        self.without = without
        self.moment = moment
