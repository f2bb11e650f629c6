"""Read cron expressions: five fields, their names, lists, ranges and steps, and the @macros.

    minute 0-59, hour 0-23, day 1-31 (L, LW), month 1-12 or jan-dec, weekday 0-7 (0 = 7 = sunday) or
    sun-sat (5L: the last friday of the month, 2#3: the third tuesday)

If the day or the weekday field starts with `*`, both must match; otherwise either is enough, as in
Debian's cron. A rule whose minute and hour both do not start with `*` names times of day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from scheduler.cron_fields import ALL_MONTH_DAYS, CronDates, CronFields
from scheduler.dates import month_length
from scheduler.errors import nearest
from scheduler.wording import ALL_DAYS, LAST, MONTHS, WEEKDAYS, say_count, say_months

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELD_NAMES = ("minute", "hour", "day", "month", "day_of_week")
MONTH_NAMES = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
SUNDAY_FIRST = {name[:3]: (number + 1) % 7 for number, name in enumerate(WEEKDAYS)}
_ITEM = re.compile(r"(?:(\*)|([0-9]+|[a-z]{3})(?:-([0-9]+|[a-z]{3}))?)(?:/([0-9]+))?")
_LAST = re.compile("lw?")
_QUARTZ_DAY = re.compile("[0-9]+w|l-[0-9]+w?")
"""The working day nearest to a day, and a day counted from the last: only Quartz knows them."""
_HASHED = re.compile(r"h(?:\(([0-9]+)-([0-9]+)\))?(?:/([0-9]+))?")
"""Jenkins' `H`: a value that it chooses, between two where they are given."""
_HALF_OF_DAY = re.compile("([0-9]{1,2})(am|pm)")
_SECOND_STEP = re.compile("(/[0-9]+)(?:/[0-9]+)+$")
_YEAR = re.compile("[12][0-9]{3}")
_FIELD_LIKE = re.compile("[0-9*?,/#-]+")
_NTH = re.compile(r"([0-7]|[a-z]{3})(?:#([0-9]+)|(l))")


class CronError(ValueError):
    """Refuse a cron expression; `fixes` may have been meant, nearest first; `both`: they are two readings of it."""

    def __init__(
        self, message: str, accepted: tuple[str, ...] = (), fixes: tuple[str, ...] = (), both: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.accepted = accepted
        self.fixes = fixes
        self.both = both


@dataclass(frozen=True, slots=True)
class Field:
    """What one field of a cron expression takes."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> str:
        """The values that the field takes, for messages."""
        named = {"month": " or jan-dec", "weekday": " (0 and 7 are sunday) or sun-sat"}
        return f"{self.low}-{self.high}{named.get(self.name, '')}"


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31)
MONTH = Field("month", 1, 12, MONTH_NAMES)
WEEKDAY = Field("weekday", 0, 7, SUNDAY_FIRST)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def read_cron(text: str) -> CronFields:
    """Read five fields or a @macro, in any case; raise CronError."""
    texts = split_fields(text)
    minute, hour, day, month, weekday = texts
    try:
        numbers, last_day, last_workday = _read_days(day)
        weekdays, nths = _read_weekdays(weekday)
        dates = CronDates(
            months=tuple(_numbers(month, MONTH)),
            days=numbers,
            last_day=last_day,
            last_workday=last_workday,
            weekdays=weekdays,
            nths=nths,
            either=not (day.startswith("*") or weekday.startswith("*")),
        )
        rule = CronFields(
            dates,
            hours=mask_of(_numbers(hour, HOUR)),
            minutes=mask_of(_numbers(minute, MINUTE)),
            real=minute.startswith("*") or hour.startswith("*"),
        )
    except _Mistake as mistake:
        raise mistake.in_expression(texts) from None
    _refuse_never(dates, texts)
    return rule


def split_fields(text: str) -> list[str]:
    """Split an expression into its five fields in lower case, a @macro replaced by them; raise CronError."""
    words = text.lower().split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in MACROS:
            near = nearest(words[0], MACROS)
            raise CronError(
                f"'{text.strip()}' is not known here; the macros are {', '.join(MACROS)}",
                tuple(MACROS),
                (near,) if near else (),
            )
        words = MACROS[words[0]].split()
    if len(words) != len(FIELDS):
        raise _refuse_number_of_fields(words)
    return words


def _refuse_number_of_fields(words: list[str]) -> CronError:
    """Return the refusal of too many or too few fields, with the readings that are right without one of them."""
    message = f"a cron expression has 5 fields (minute, hour, day, month, weekday), not {len(words)}"
    accepted = ("5 fields: minute hour day month weekday",)
    if len(words) < 5:
        return CronError(message, accepted, (" ".join([*words, *["*"] * (5 - len(words))]),))
    seconds = words[0].removeprefix("*/")
    if words[1:6] == ["*"] * 5 and (words[0] == "*" or (words[0] != seconds and seconds.isdigit())):
        return CronError(message, accepted, (f"every {say_count(1 if words[0] == '*' else int(seconds), 'second')}",))
    # Seconds stand first, but few mean a time to the second: where they are not 0, a year is more likely the sixth.
    # Without a word that is no field, or a year, the rest would run at more times than was written.
    has_seconds = _FIELD_LIKE.fullmatch(words[0]) and not _YEAR.match(words[5]) and _are_any(words[6:])
    readings = [" ".join(words[1:6])] if has_seconds else []
    readings += [" ".join(words[:5])] if _are_any(words[5:]) else []
    if words[0].strip("0").isdigit() and words[2] == "*":
        readings.reverse()
    right = tuple(text for text in readings if validate_cron_expression(text)[0])
    return CronError(message, accepted, right or tuple(readings), both=len(right) > 1)


def _are_any(words: list[str]) -> bool:
    """Say whether each of these fields takes any value."""
    return all(word in ("*", "?") for word in words)


class _Mistake(Exception):
    """What is wrong with one field; `fix` is the field put right, None where nothing else means the same."""

    def __init__(self, text: str, taken: Field, why: str, fix: str | None) -> None:
        super().__init__(why)
        self.text, self.taken, self.why, self.fix = text, taken, why, fix

    def in_expression(self, texts: list[str]) -> CronError:
        position = FIELDS.index(self.taken)
        fixed = () if self.fix is None else (" ".join([*texts[:position], self.fix, *texts[position + 1 :]]),)
        accepted = f"{self.taken.name}: {self.taken.accepted}, *, lists, ranges, /step"
        return CronError(f"{self.why}; the {self.taken.name} field takes {self.taken.accepted}", (accepted,), fixed)


def read_values(text: str, taken: Field) -> list[int]:
    """Read the list `text` of one field into its numbers; raise ValueError with a message for people."""
    try:
        return _numbers(text, taken)
    except _Mistake as mistake:
        raise ValueError(f"{mistake.why}; it takes {taken.accepted}") from None


def _numbers(text: str, taken: Field) -> list[int]:
    found: set[int] = set()
    for item in text.split(","):
        found.update(_read_item(item, text, taken))
    return sorted(found)


def _read_item(item: str, text: str, taken: Field) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise _not_understood(item, text, taken)
    star, first, last, step = match.groups()
    stride = _read_step(step, item, text, taken)
    if star:
        return range(taken.low, taken.high + 1, stride)
    low = _number(first, text, taken)
    if last is None:
        return range(low, (taken.high if step else low) + 1, stride)
    high = 7 if taken is WEEKDAY and last == "sun" and first != "sun" else _number(last, text, taken)
    if high < low:
        wrapped = f"{low}-{taken.high},{taken.low}-{high}"
        if taken is WEEKDAY:
            wrapped = f"{low}-7" + ("" if high == 0 else f",1-{high}" if high > 1 else ",1")
        raise _Mistake(text, taken, f"'{item}' in the {taken.name} field runs backwards", _swap(text, item, wrapped))
    return range(low, high + 1, stride)


def _number(word: str, text: str, taken: Field) -> int:
    if word.isdigit():
        number = int(word)
        if not taken.low <= number <= taken.high:
            clamped = str(min(max(number, taken.low), taken.high))
            raise _Mistake(
                text, taken, f"'{word}' in the {taken.name} field is out of range", _swap(text, word, clamped)
            )
        return number
    if word not in taken.names:
        raise _not_understood(word, text, taken)
    return taken.names[word]


def _read_step(step: str | None, item: str, text: str, taken: Field) -> int:
    if step is None:
        return 1
    size = taken.high - taken.low + 1
    if not 1 <= int(step) <= size:
        near = "1" if int(step) < 1 else str(size // 2)
        why = f"the step '{step}' in the {taken.name} field '{item}' is out of range: 1-{size}"
        raise _Mistake(text, taken, why, _swap(text, f"/{step}", f"/{near}"))
    return int(step)


def _not_understood(word: str, text: str, taken: Field) -> _Mistake:
    if word == "?":
        return _Mistake(text, taken, f"'?' in the {taken.name} field is not known here: write '*'", "*")
    if taken is DAY and _QUARTZ_DAY.fullmatch(word):
        return _Mistake(text, taken, f"'{word}' in the {taken.name} field is not known here", None)
    items = [_mend_item(item, taken) for item in text.split(",") if item]
    fix = ",".join(item for item in items if item) if items and None not in items else None
    what = f"'{word}' in the {taken.name} field" if word else f"an empty item in the {taken.name} field '{text}'"
    return _Mistake(text, taken, f"{what} is not understood", fix)


def _mend_item(item: str, taken: Field) -> str | None:
    """Return what was most likely meant by one item of a list; None where that cannot be told.

    No letter and no digit is lost: a field without one of its items would run at other times.
    """
    hashed = _HASHED.fullmatch(item)
    if hashed is not None:
        low, high, step = hashed.groups()
        values = f"{low}-{high}" if low else "*"
        return f"{values}/{step}" if step else low or str(taken.low)
    if item == "l" and taken is WEEKDAY:
        return f"{SUNDAY_FIRST['sat']}"
    half = _HALF_OF_DAY.fullmatch(item) if taken is HOUR else None
    if half is not None:
        return str(int(half[1]) % 12 + (12 if half[2] == "pm" else 0)) if 1 <= int(half[1]) <= 12 else None
    named = re.sub("[a-z]{3,}", lambda word: _nearest_name(word[0], taken) or word[0], item)
    plain = _SECOND_STEP.sub(r"\1", re.sub("-+", "-", named).strip("-"))
    fix = next((plain[:end] for end in range(len(plain), 0, -1) if _has_shape(plain[:end], taken)), "")
    return fix if fix and not re.search("[a-z0-9*]", plain[len(fix) :]) else None


def _nearest_name(word: str, taken: Field) -> str | None:
    return nearest(word, taken.names) or next((name for name in taken.names if word.startswith(name)), None)


def _has_shape(item: str, taken: Field) -> bool:
    """Say whether an item is written as the field takes it, be its numbers in range or not."""
    special = {DAY.name: _LAST, WEEKDAY.name: _NTH}.get(taken.name)
    if special is not None and special.fullmatch(item):
        return True
    match = _ITEM.fullmatch(item)
    return match is not None and all(
        word is None or word.isdigit() or word in taken.names for word in match.group(2, 3)
    )


def _swap(text: str, old: str, new: str) -> str:
    return text.replace(old, new, 1)


def mask_of(numbers: list[int]) -> int:
    """Return the bit mask of `numbers`."""
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


def weekday_mask(numbers: list[int]) -> int:
    """Return the mask (bit 0 is Monday) of weekdays numbered as cron does, 0 and 7 being Sunday."""
    return mask_of([(number - 1) % 7 for number in numbers])


def _split(text: str, special: re.Pattern[str]) -> tuple[str, list[str]]:
    """Return the list without its special items, and those."""
    items = text.split(",")
    found = [item for item in items if special.fullmatch(item)]
    return ",".join(item for item in items if item not in found), found


def _read_days(text: str) -> tuple[int, bool, bool]:
    """Return the mask of days, and whether the last day and the last working day count."""
    if text == "*":
        return ALL_MONTH_DAYS, False, False
    plain, special = _split(text, _LAST)
    numbers = _numbers(plain, DAY) if plain else []
    return mask_of([number - 1 for number in numbers]), "l" in special, "lw" in special


def _read_weekdays(text: str) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return the mask of weekdays, and the n-th ones of the month."""
    if text == "*":
        return ALL_DAYS, ()
    plain, special = _split(text, _NTH)
    numbers = _numbers(plain, WEEKDAY) if plain else []
    return weekday_mask(numbers), tuple(_read_nth(item, text) for item in special)


def _read_nth(item: str, text: str) -> tuple[int, int]:
    match = _NTH.fullmatch(item)
    assert match is not None
    word, nth, _ = match.groups()
    mask = weekday_mask([_number(word, text, WEEKDAY)])
    if nth is None:
        return mask, LAST
    if not 1 <= int(nth) <= 5:
        why = f"'{item}' in the weekday field: no month has a weekday number {nth}, '#' takes 1-5"
        raise _Mistake(text, WEEKDAY, why, _swap(text, item, f"{word}L"))
    return mask, int(nth)


def _refuse_never(dates: CronDates, texts: list[str]) -> None:
    """Raise CronError if no year has such a day. Leap years, and all their weekdays, lie within the horizon."""
    if dates.on_or_after(date(2000, 1, 1)) is not None:
        return
    longest = max(month_length(2000, month) for month in dates.months)
    fixed = " ".join([*texts[:2], str(longest), *texts[3:]])
    where = f" in {say_months(dates.months)}" if len(dates.months) < 12 else ""
    raise CronError(
        f"'{texts[2]}' in the day field never comes{where}: a rule like this would never run",
        (f"day: 1-{longest}{where}",),
        (fixed, f"{texts[0]} {texts[1]} L {texts[3]} {texts[4]}"),
    )


def validate_cron_expression(text: object) -> tuple[bool, str | None]:
    """Say whether `text` is a cron expression of five fields or a @macro: (True, None) or (False, reason)."""
    if not isinstance(text, str):
        return False, f"a cron expression is a text, not {type(text).__name__}"
    try:
        read_cron(text)
    except CronError as error:
        return False, error.message
    return True, None
