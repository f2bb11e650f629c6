"""Know the words of the schedule language: what each means, whatever stands around it."""

from __future__ import annotations

from datetime import time

from scheduler.wording import LAST, MONTHS, WEEKDAYS, WEEKEND, WORKDAYS

UNIT_WORDS = ("second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks")
UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
UNIT_NAMES = ("seconds", "minutes", "hours", "days", "weeks")

NUMBERS = {
    **{
        word: number
        for number, word in enumerate(
            ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], start=1
        )
    },
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty-five": 45,
    "sixty": 60,
    "ninety": 90,
}
_SMALL = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SPOKEN_NUMBERS = {
    **{word: number for number, word in enumerate(_SMALL, start=1)},
    **{word: ten for ten, word in zip(range(20, 100, 10), _TENS, strict=True)},
    **{f"{word}-{_SMALL[one - 1]}": 10 * ten + one for ten, word in enumerate(_TENS, start=2) for one in range(1, 10)},
    "half-dozen": 6,
    "half-a-dozen": 6,
    "dozen": 12,
    "hundred": 100,
    "one-hundred": 100,
}
"""The numbers that people write in words, to be offered in digits; `NUMBERS` are the words of the language."""
ORDINALS = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        start=1,
    )
} | {"last": LAST}

UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hs", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "ds", "day", "days"), "day"),
    **dict.fromkeys(("w", "ws", "week", "weeks"), "week"),
}
SHORT_PERIODS = {
    **dict.fromkeys(("mo", "mos", "mth", "mths", "mon", "mons"), "months"),
    **dict.fromkeys(("y", "yr", "yrs"), "years"),
    "q": "quarters",
}
"""Short names of periods, which are no words of the language."""
PERIODS = {
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("quarter", "quarters"), "quarter"),
    **dict.fromkeys(("year", "years"), "year"),
}
SHORT_WEEKDAYS = {
    **{name[:3]: bit for bit, name in enumerate(WEEKDAYS)},
    "tues": 1,
    "thur": 3,
    "thurs": 3,
}
WEEKDAY_MASKS = {
    **{name: 1 << bit for bit, name in enumerate(WEEKDAYS)},
    **{f"{name}s": 1 << bit for bit, name in enumerate(WEEKDAYS)},
    **{name: 1 << bit for name, bit in SHORT_WEEKDAYS.items()},
    **dict.fromkeys(("weekday", "weekdays"), WORKDAYS),
    **dict.fromkeys(("weekend", "weekends"), WEEKEND),
}
MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(MONTHS, 1)},
    "sept": 9,
}
TIMES_OF_DAY = {"noon": time(12), "midday": time(12), "midnight": time(0)}
DAYTIMES = {"morning": "09:00", "afternoon": "15:00", "evening": "18:00", "night": "22:00"}
"""Parts of the day; they need a time, and this is the one that is offered as an example."""

FREQUENCIES = {
    "daily": ("daily", 1),
    "hourly": ("hour", 3600),
    "weekly": ("weekly", 1),
    "fortnightly": ("nweeks", 2),
    "monthly": ("monthly", 1),
    "quarterly": ("quarterly", 1),
    "yearly": ("yearly", 1),
    "annually": ("yearly", 1),
}
AMBIGUOUS = {
    "biweekly": ("every two weeks or twice a week", "every 2 weeks"),
    "bi-weekly": ("every two weeks or twice a week", "every 2 weeks"),
    "semiweekly": ("twice a week or every half week", "every monday and thursday at 09:00"),
    "bimonthly": ("every two months or twice a month", "every 2 weeks"),
    "bi-monthly": ("every two months or twice a month", "every 2 weeks"),
    "semimonthly": ("twice a month or every half month", "1st and 15th of the month at 00:00"),
    "biannually": ("twice a year or every two years", "1st of january and july at 00:00"),
    "biannual": ("twice a year or every two years", "1st of january and july at 00:00"),
    "semiannually": ("twice a year, on days it does not name", "1st of january and july at 00:00"),
    "biennially": ("every two years or twice a year", "1st of january and july at 00:00"),
    "bidaily": ("every two days or twice a day", "every 2 days"),
    "bihourly": ("every two hours or twice an hour", "every 2 hours"),
}
STRUCTURE = {
    **{
        word: word
        for word in [
            "at",
            "on",
            "in",
            "of",
            "the",
            "per",
            "between",
            "from",
            "until",
            "starting",
            "today",
            "tomorrow",
            "next",
        ]
    },
    **{word: word for word in ["once", "twice", "thrice", "times", "other", "half", "am", "pm", ",", "(", ")"]},
    "end": "ending",
    "interval": "interval",
    "intervals": "interval",
    "alternate": "other",
    "alternating": "other",
    "working": "working",
    "business": "working",
    "each": "every",
    "every": "every",
    "time": "times",
    "thru": "to",
    "through": "to",
    "to": "to",
    "-": "to",
    "till": "until",
    "begin": "starting",
    "beginning": "starting",
    "and": "and",
    "&": "and",
    "a.m": "am",
    "a.m.": "am",
    "p.m": "pm",
    "p.m.": "pm",
    "a": "a",
    "an": "a",
}

VOCABULARY: dict[str, tuple[str, object]] = {
    **{word: (kind, word) for word, kind in STRUCTURE.items()},
    **{word: ("number", number) for word, number in NUMBERS.items()},
    **{word: ("ordinal", number) for word, number in ORDINALS.items()},
    **{word: ("unit", unit) for word, unit in UNITS.items()},
    **{word: ("period", period) for word, period in PERIODS.items()},
    **{word: ("weekday", mask) for word, mask in WEEKDAY_MASKS.items()},
    **{word: ("month", number) for word, number in MONTH_NUMBERS.items()},
    **{word: ("time", moment) for word, moment in TIMES_OF_DAY.items()},
    **{word: ("daytime", word) for word in DAYTIMES},
    **{f"{word}s": ("daytime", word) for word in DAYTIMES},
    "tonight": ("tonight", "tonight"),
    **{word: ("frequency", found) for word, found in FREQUENCIES.items()},
    **{word: ("ambiguous", found) for word, found in AMBIGUOUS.items()},
}
"""Each word with its kind and its meaning; "second" is a unit, which the reader may take for an ordinal."""

PROPER_WORDS = sorted(word for word, (kind, _) in VOCABULARY.items() if len(word) > 3 and kind != "ambiguous")
"""The words that a misspelt one may be taken for."""

NEGATIONS = (
    *("except", "excepting", "excluding", "exclude", "excludes", "but", "not", "never", "unless", "without", "minus"),
    *("skip", "skips", "skipping", "no", "nor", "save", "other than", "apart from", "aside from", "outside", "don't"),
)
"""What leaves something out, or turns what follows into its opposite."""

_FILLERS = (
    *("please", "pls", "kindly", "thanks", "thx", "run", "runs", "execute", "do", "it", "job", "task", "just"),
    *("exactly", "precisely", "punctually", "sharp", "o'clock", "oclock"),
)
"""Words without which a phrase means the same."""

HINTS: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(
        ("now", "immediately", "asap"), ("is no rule: to run at once, ask for a run; or wait a little", "in 1 minute")
    ),
    **dict.fromkeys(
        ("never", "manual", "manually"), ("is no phrase: 'schedule_type': 'manual' runs only when triggered", None)
    ),
    "yesterday": ("is in the past, so it never runs", "tomorrow"),
    "after": ("is not understood: say 'in' for a delay", "in"),
    "for": ("is not understood: say until when", "until"),
    "everyday": ("is not understood here: write it apart", "every day"),
    **dict.fromkeys(("few", "several"), ("is no number: say how many", "5")),
    "some": ("is no number: say how many", None),
    "this": ("is not understood: say 'next' for once, 'every' to repeat", "next"),
    "only": ("is not needed", ""),
    **dict.fromkeys(
        (word for word in NEGATIONS if word not in ("never", "other than")),
        ("is not understood: name the days that count", ""),
    ),
}
"""Words that people send, with why they are refused and what to write instead."""


def is_filler(word: str) -> bool:
    """Say whether a phrase means the same without `word` (lower case)."""
    return word.strip(".,;:!?") in _FILLERS


PERIOD_PARTS = {"month": "monthly", "quarter": "quarterly", "year": "yearly"}
"""What clauses are called that say that something is every month, quarter or year."""
