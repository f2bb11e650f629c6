"""Cut a phrase into tokens: words of the vocabulary, numbers, times, dates, zones.

A token that cannot be meant in any phrase ("25:00", "5 minuets" written as one, "Europe/Berln") is refused
here, where its text is at hand.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from scheduler.phrases.misspelt import meant_word, nearest_word
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.words import (
    HINTS,
    PROPER_WORDS,
    SHORT_PERIODS,
    SPOKEN_NUMBERS,
    UNIT_NAMES,
    UNIT_WORDS,
    UNITS,
    VOCABULARY,
    is_filler,
)
from scheduler.phrases.zones import ABBREVIATIONS, explain_zone, find_offset, find_zone, is_city, nearest_zone

TIME_FORMS = ("10:30", "9am", "9:15pm", "noon", "midnight")
ISO_FORMS = ("2026-12-24", "2026-12-24 18:00", "2026-12-24T18:00:00+01:00")


class Token(NamedTuple):
    """One token: its kind, what it means, how it was written (lower case) and where."""

    kind: str
    value: Any
    text: str
    start: int
    end: int


class Cutter:
    """Cut one phrase; `text` as it was sent, without the blanks around it and the final dot."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = text.lower()

    def cut(self, begin: int = 0) -> list[Token]:
        """Return the tokens of the phrase from the character `begin` on; raise Refusal."""
        found: list[Token] = []
        for match in _CHUNK.finditer(self.lower, begin):
            chunk, start = match.group(), match.start()
            known = VOCABULARY.get(chunk)
            if known is not None:
                found.append(Token(known[0], known[1], chunk, start, match.end()))
            else:
                found.extend(self._read(chunk, start))
        return found

    def _read(self, chunk: str, start: int) -> Iterator[Token]:
        shape = _shape_of(chunk)
        if shape is not None:
            read, match = shape
            yield from read(self, match, start)
        else:
            yield from self._read_rest(chunk, start)

    def _read_rest(self, chunk: str, start: int) -> Iterator[Token]:
        """Read "mon-fri" and "9:00-17:00", a zone without a slash, or an unknown word."""
        parts = chunk.split("-")
        if len(parts) == 2 and all(parts):
            left, right = ([*Cutter(part).cut()] for part in parts)
            if _are_ends(left, right):
                middle = start + len(parts[0])
                yield from (_moved(token, start) for token in left)
                yield Token("to", "to", "-", middle, middle + 1)
                yield from (_moved(token, middle + 1) for token in right)
                return
        zone = None if chunk in ABBREVIATIONS else find_zone(chunk)
        kind = "zone" if zone is not None else "unknown"
        yield Token(kind, zone, chunk, start, start + len(chunk))

    def refuse(self, start: int, end: int, why: str, accepted: tuple[str, ...], *fixes: str) -> Refusal:
        """Return a refusal of text[start:end]; each of `fixes` is what to write instead of it."""
        whole = tuple(self.replaced(start, end, fix) for fix in fixes)
        return Refusal(f"'{self.text[start:end]}' {why}", accepted, whole)

    def replaced(self, start: int, end: int, text: str) -> str:
        """Return the phrase with text[start:end] replaced."""
        return " ".join(f"{self.text[:start]}{text}{self.text[end:]}".split())

    def _number(self, match: re.Match[str], start: int) -> Iterator[Token]:
        yield Token("number", int(match.group()), match.group(), start, start + len(match.group()))

    def _time(self, match: re.Match[str], start: int) -> Iterator[Token]:
        """Read HH:MM[:SS], "9am", "9:15pm", and an offset that stands right behind."""
        hour, minute, second, half, offset = match.groups()
        end = start + len(match.group()) - len(offset or "")
        value = self.time_of(start, end, hour, minute or "00", second or "00", half)
        yield Token("time", value, self.lower[start:end], start, end)
        if offset:
            yield Token("offset", self._offset_of(offset, end), offset, end, end + len(offset))

    def time_of(self, start: int, end: int, hour: str, minute: str, second: str, half: str | None) -> time:
        """Return the time of day that stands at text[start:end]; raise Refusal if there is no such time."""
        hours, minutes, seconds = int(hour), int(minute), int(second)
        if half:
            if not 1 <= hours <= 12 or minutes > 59 or seconds > 59:
                fix = _clock(hours % 24, minutes, seconds)
                raise self.refuse(start, end, "is not a time of day: am and pm go with the hours 1-12", TIME_FORMS, fix)
            hours = hours % 12 + (12 if half == "pm" else 0)
        if hours == 24 and minutes == seconds == 0:
            raise self._refuse_24(start, end)
        if hours > 23 or minutes > 59 or seconds > 59 or len(minute) != 2 or len(second) != 2 or len(hour) > 2:
            why = "is not a time of day: hours are 0-23 and minutes 0-59"
            if len(minute) != 2 or len(second) != 2:
                why = "is not a time of day: minutes and seconds have two digits"
            raise self.refuse(start, end, why, TIME_FORMS, _clock(hours, minutes, seconds))
        return time(hours, minutes, seconds)

    def _refuse_24(self, start: int, end: int) -> Refusal:
        """Return the refusal of 24:00, which behind a date is the midnight of the day after."""
        why, dated = "is not a time of day: midnight is '00:00'", _DATED.search(self.lower[:start])
        if dated is not None:
            with contextlib.suppress(ValueError, OverflowError):
                following = date.fromisoformat(dated[1]) + timedelta(1)
                fix = self.replaced(dated.start(), end, f"{following.isoformat()} 00:00")
                return Refusal(f"'{self.text[start:end]}' {why}", TIME_FORMS, (fix,))
        return self.refuse(start, end, why, TIME_FORMS, "00:00")

    def _french(self, match: re.Match[str], start: int) -> Iterator[Token]:
        """Read the amount "1h30" behind "in" and "every"; elsewhere it is meant for a time of day."""
        hour, minute = match.groups()
        end = start + len(match.group())
        if match.group() == self.lower:
            why = "is not clear: repeat or delay?"
            refusal = self.refuse(start, end, why, (f"every {self.lower}",), f"every {self.text}", f"in {self.text}")
            raise Refusal(refusal.message, refusal.accepted, refusal.fixes, both=True)
        if not _AMOUNT_BEFORE.search(self.lower[:start]):
            raise self.refuse(start, end, "is not a time of day", TIME_FORMS, f"{hour}:{minute}")
        if int(minute) > 59:
            raise self.refuse(start, end, "is not an amount: minutes are 0-59", ("1h30m", "90 minutes"))
        middle = start + len(hour)
        for unit, number, begin, after in (("hour", hour, start, middle), ("minute", minute, middle + 1, end)):
            if int(number) or (unit == "minute" and not int(hour)):
                yield Token("number", int(number), number, begin, after)
                yield Token("unit", unit, unit, after, min(after + 1, end))

    def _hyphened(self, match: re.Match[str], start: int) -> Iterator[Token]:
        """Read "30-minute" as a number and its unit."""
        number, word = match.groups()
        middle = start + len(number)
        yield Token("number", int(number), number, start, middle)
        yield Token("unit", UNITS[word], word, middle + 1, middle + 1 + len(word))

    def _minute(self, match: re.Match[str], start: int) -> Iterator[Token]:
        text = match.group()
        minute = int(match.group(1))
        if minute > 59 or len(text) != 3:
            fix = f":{min(minute, 59):02}"
            raise self.refuse(start, start + len(text), "is not a minute of the hour", (":00 to :59",), fix)
        yield Token("minute", minute, text, start, start + len(text))

    def _ordinal(self, match: re.Match[str], start: int) -> Iterator[Token]:
        yield Token("ordinal", int(match.group(1)), match.group(), start, start + len(match.group()))

    def _glued(self, match: re.Match[str], start: int) -> Iterator[Token]:
        """Read "1h30m" as numbers and units."""
        for part in _GLUED_PART.finditer(match.group()):
            number, word = part.groups()
            at = start + part.start()
            middle = at + len(number)
            if word not in UNITS:
                raise self._refuse_unit(word, middle, at, int(number), len(match.group()) == len(part.group()))
            yield Token("number", int(number), number, at, middle)
            yield Token("unit", UNITS[word], word, middle, middle + len(word))

    def _refuse_unit(self, word: str, middle: int, at: int, number: int, alone: bool) -> Refusal:
        """Return the refusal of "5minuets"; `alone`: nothing else is written together with it."""
        end = middle + len(word)
        near = SHORT_PERIODS.get(word) or nearest_word(word, UNIT_WORDS)
        start, fix = (at, f"{number} {near}") if alone else (middle, f"{near}")
        why = f"unknown unit '{self.text[middle:end]}' in '{self.text[at:end]}'"
        hint = f"; did you mean '{near}'?" if near else ": seconds, minutes, hours, days or weeks"
        return Refusal(why + hint, UNIT_NAMES, (self.replaced(start, end, fix),) if near else ())

    def _date(self, match: re.Match[str], start: int) -> Iterator[Token]:
        """Read YYYY-MM-DD, with a "T", a time and an offset behind it as one moment."""
        day, clock, offset = match.groups()
        end = start + len(day)
        yield Token("date", self._day_of(day, start), day, start, end)
        if clock:
            at = end + 1
            yield Token("time", self._iso_time(clock, at), clock, at, at + len(clock))
            if offset:
                at += len(clock)
                yield Token("offset", self._offset_of(offset, at), offset, at, at + len(offset))

    def _iso_time(self, clock: str, start: int) -> time:
        whole, _, fraction = clock.partition(".")
        hour, minute, second = [*whole.split(":"), "00", "00"][:3]
        moment = self.time_of(start, start + len(clock), hour, minute, second, None)
        return moment.replace(microsecond=int(f"{fraction:0<6}"[:6])) if fraction else moment

    def _day_of(self, text: str, start: int) -> date:
        year, month, day = (int(part) for part in text.split("-"))
        try:
            found = date(year, month, day)
        except ValueError:
            month = min(max(month, 1), 12)
            fixed = f"{year:04}-{month:02}-{min(max(day, 1), 31):02}", f"{year:04}-{month:02}-28"
            raise self.refuse(start, start + len(text), "is not a date", ISO_FORMS, *fixed) from None
        if year < 1900:
            fix = found.replace(year=2000).isoformat()
            raise self.refuse(start, start + len(text), "is in the past, so it never runs", ISO_FORMS, fix)
        if len(text) != 10:
            raise self.refuse(start, start + len(text), "is not a date: write YYYY-MM-DD", ISO_FORMS, found.isoformat())
        return found

    def _offset_of(self, text: str, start: int) -> timezone:
        if text == "z":
            return timezone(timedelta(0))
        digits = text[1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:] or "0")
        if hours > 23 or minutes > 59:
            raise self.refuse(
                start, start + len(text), "is not an offset from UTC", ("Z", "+01:00", "-05:30"), "+00:00"
            )
        size = timedelta(hours=hours, minutes=minutes)
        return timezone(-size if text[0] == "-" else size)

    def _rough_moment(self, match: re.Match[str], start: int) -> NoReturn:
        """Refuse "2026-12-24T18" and "20261224T180000Z"."""
        day, digits = match.group(1).replace("-", ""), match.group(2)
        fix = f"{day[:4]}-{day[4:6]:0>2}-{day[6:]:0>2}T{digits[:2] or '09':0>2}:{digits[2:4] or '00':0>2}"
        why = "is not a moment: write YYYY-MM-DDTHH:MM:SS"
        raise self.refuse(start, start + len(match.group()), why, ISO_FORMS, fix)

    def _offset(self, match: re.Match[str], start: int) -> Iterator[Token]:
        text = match.group()
        yield Token("offset", self._offset_of(text, start), text, start, start + len(text))

    def _other_date(self, match: re.Match[str], start: int) -> NoReturn:
        """Refuse 10/11/2026 and its like: which is the day?"""
        first, second, third = match.groups()
        if len(first) == 4:
            readings = [(first, second, third)]
        else:
            year = third if len(third) == 4 else f"20{third}"
            readings = [(year, second, first), (year, first, second)]
        fixes = [f"{year:0>4}-{month:0>2}-{day:0>2}" for year, month, day in readings if int(month) <= 12]
        why = "is not a date here: write YYYY-MM-DD"
        if len(fixes) > 1 and fixes[0] != fixes[1]:
            why = "is not clear: day or month first? Write YYYY-MM-DD"
        raise self.refuse(start, start + len(match.group()), why, ISO_FORMS, *fixes)

    def _decimal(self, match: re.Match[str], start: int) -> NoReturn:
        end = start + len(match.group())
        left, right, glued = match.groups()
        end -= len(glued)
        after = re.match(r"\s*([a-z]+)", self.lower[end:])
        unit = UNITS.get(after.group(1)) if after else None
        if match.group()[len(left)] == "," and len(right) == 3:
            raise self.refuse(start, end, "is not a number here: write it without a comma", (), left + right)
        fixes: list[str] = []
        if after and unit:
            fixes += [self.replaced(start, end + after.end(), text) for text in _in_smaller_units(left, right, unit)]
        elif len(right) == 2:
            fixes.append(self.replaced(start, end, f"{left}:{right}"))
        raise Refusal(f"'{self.text[start:end]}': whole numbers only", ("whole numbers from 1",), tuple(fixes))

    def _negative(self, match: re.Match[str], start: int) -> NoReturn:
        end = start + len(match.group())
        number = match.group()[1:]
        raise self.refuse(start, end, "is not accepted: must be 1 or more", ("whole numbers from 1",), number)

    def _zone(self, match: re.Match[str], start: int) -> Iterator[Token]:
        chunk = match.group()
        end = start + len(chunk)
        zone = find_zone(chunk) if len(chunk) <= 64 else None
        if zone is None:
            parts = chunk.split("/")
            if all(part in VOCABULARY for part in parts):
                raise self.refuse(
                    start, end, "is not understood: join with ',' or 'and'", ("monday and friday",), ",".join(parts)
                )
            raise self.refuse_zone(start, end)
        yield Token("zone", zone, chunk, start, end)

    def refuse_zone(self, start: int, end: int) -> Refusal:
        """Return the refusal of an unknown or ambiguous zone at text[start:end]."""
        message, near = explain_zone(self.text[start:end])
        whole = (self.replaced(start, end, near),) if near else ()
        return Refusal(message, ("an IANA name such as 'Europe/Berlin'", "UTC"), whole)

    def refuse_word(self, token: Token, accepted: tuple[str, ...] = (), known: list[str] | None = None) -> Refusal:
        """Return the refusal of a word that is not understood at its place."""
        start, end = token.start, token.end
        if token.text in HINTS and token.kind == "unknown":
            why, fix = HINTS[token.text]
            return self.refuse(start, end, why, accepted, *(() if fix is None else (fix,)))
        if is_filler(token.text):
            return self.refuse(start, end, "is not needed", accepted, "")
        is_unknown = token.kind == "unknown" and token.text not in SPOKEN_NUMBERS
        near = meant_word(token.text, known or PROPER_WORDS) if is_unknown else None
        is_zone = token.text in ABBREVIATIONS or find_offset(token.text) is not None
        is_name = is_unknown and near is None and len(token.text) > 3 and self.text[start].isupper()
        if is_zone or is_city(token.text) or (start and is_name and nearest_zone(token.text)):
            return self.refuse_zone(start, end)
        # A phrase without a word that says something would mean something else.
        fixes = (near,) if near else ("",) if self._says_nothing(token) else ()
        hint = f": did you mean '{near}'?" if near else ""
        return self.refuse(start, end, f"is not understood here{hint}", accepted, *fixes)

    def _says_nothing(self, token: Token) -> bool:
        """Say whether a phrase means the same without this token, which stands where it does not belong."""
        if token.kind == "to":
            return token.end == len(self.text)
        return token.kind in _LINKS or not _LETTER.search(token.text)


def _are_ends(left: list[Token], right: list[Token]) -> bool:
    """Say whether "mon-fri", "9:00-17:00" or "9am-5" was meant: tokens of the same kinds, or a time and a number."""
    kinds = [token.kind for token in left], [token.kind for token in right]
    return (kinds[0] == kinds[1] and kinds[0][0] != "unknown") or kinds in (
        (["time"], ["number"]),
        (["number"], ["time"]),
    )


def _moved(token: Token, by: int) -> Token:
    return token._replace(start=token.start + by, end=token.end + by)


def _clock(hours: int, minutes: int, seconds: int) -> str:
    """Return the time of day that is nearest to these numbers."""
    text = f"{min(hours, 23):02}:{min(minutes, 59):02}"
    return f"{text}:{min(seconds, 59):02}" if seconds else text


def _in_smaller_units(left: str, right: str, unit: str) -> list[str]:
    """Say 1.5 hours as "90 minutes", where that comes out even."""
    smaller = {"week": ("days", 7), "day": ("hours", 24), "hour": ("minutes", 60), "minute": ("seconds", 60)}
    if unit not in smaller or len(left + right) > 12:
        return []
    name, factor = smaller[unit]
    number, rest = divmod(int(left + right) * factor, 10 ** len(right))
    return [f"{number} {name}"] if not rest else []


_CHUNK = re.compile(r"[0-9]+,[0-9]+(?![^\s])|[^\s,()]+|[,()]")
_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:t| at | )$")
_LINKS = ("at", "on", "in", "of", "the", "a", "every", "per", "times", "and", ",", "(", ")")
_LETTER = re.compile("[a-z0-9]")
_DIGIT = re.compile("[0-9]")
_AMOUNT_BEFORE = re.compile(r"(?:^|\s)(?:in|every|each)\s+$")
_GLUED_PART = re.compile(r"([0-9]+)([a-z]+)")
_OFFSET = r"z|[+-][0-9]{2}(?::?[0-9]{2})?"
_Reader = Callable[[Cutter, re.Match[str], int], Iterator[Token]]
_SHAPES: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (re.compile(r"[0-9]+"), Cutter._number),
    (re.compile(rf"([0-9]+):([0-9]+)(?::([0-9]+))?(am|pm)?({_OFFSET})?"), Cutter._time),
    (re.compile(r"([0-9]+)()()(am|pm)()"), Cutter._time),
    (re.compile(r"([0-9]+)(?:st|nd|rd|th)"), Cutter._ordinal),
    (re.compile(r"([0-9]{1,2})h([0-9]{2})"), Cutter._french),
    (re.compile(rf"([0-9]+)-({'|'.join(UNITS)})"), Cutter._hyphened),
    (re.compile(r"([0-9]{8})t([0-9]*).*"), Cutter._rough_moment),
    (re.compile(r"(?:[0-9]+[a-z]+)+"), Cutter._glued),
    (
        re.compile(
            rf"([0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}})(?:t([0-9]+:[0-9]+(?::[0-9]+(?:\.[0-9]+)?)?)({_OFFSET})?)?"
        ),
        Cutter._date,
    ),
    (re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})t([0-9]*).*"), Cutter._rough_moment),
    (re.compile(r":([0-9]+)"), Cutter._minute),
    (re.compile(r"([0-9]+)[/.-]([0-9]+)[/.-]([0-9]+)"), Cutter._other_date),
    (re.compile(r"([0-9]+)[.,]([0-9]+)([a-z]*)"), Cutter._decimal),
    (re.compile(r"-([0-9]+)[a-z]*"), Cutter._negative),
    (re.compile(_OFFSET), Cutter._offset),
    (re.compile(r"[a-z][a-z0-9_+-]*(?:/[a-z0-9_+-]+)+"), Cutter._zone),
)


@lru_cache(maxsize=1024)
def _shape_of(chunk: str) -> tuple[_Reader, re.Match[str]] | None:
    """Return how a chunk is read, or None where it has no shape; where a mended phrase is read, most are known."""
    for pattern, read in _SHAPES:
        match = pattern.fullmatch(chunk)
        if match is not None:
            return read, match
    return None
