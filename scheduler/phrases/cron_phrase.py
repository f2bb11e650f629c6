"""Recognise cron expressions among phrases, with a zone or limits behind them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from scheduler.cron import MONTH_NAMES, SUNDAY_FIRST, CronError, read_cron
from scheduler.phrases.clauses import ClauseReader
from scheduler.phrases.phrase import Limits, Phrase
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import Cutter
from scheduler.phrases.words import VOCABULARY
from scheduler.triggers import Cron

_CRON_WORD = re.compile(r"[0-9*?,/-]*[0-9*?][0-9*?,/#-]*")
_STAR = re.compile(r"[*?](?![*a-z])")
_WORD = re.compile(r"\S+")
_DATE = re.compile(r"[0-9]{4}-[0-9]|[0-9]+/[0-9]+/")
_NAMES = {*MONTH_NAMES, *SUNDAY_FIRST}


def is_cron(text: str) -> bool:
    """Say whether a phrase is meant as a cron expression, right or wrong."""
    lower = text.lower()
    if lower.startswith("@"):
        return True
    words = lower.split(maxsplit=7)
    if not words:
        return False
    stars = sum(1 for word in words if _STAR.match(word))
    if stars and (stars > 1 or words[0] not in VOCABULARY):
        return True
    numeric = [_CRON_WORD.fullmatch(word) is not None for word in words]
    if not numeric[0] or _DATE.match(words[0]):
        return False
    return (all(numeric) and len(words) > 1) if len(words) < 4 else numeric[1]


def read_cron_phrase(text: str, zone: ZoneInfo, now: datetime, limits: Limits) -> tuple[Cron, Phrase]:
    """Read a cron expression with what stands behind it; raise Refusal."""
    expression, tail = _split(text)
    try:
        fields = read_cron(expression)
    except CronError as error:
        fixes = tuple(f"{fix} {text[tail:]}".strip() for fix in error.fixes)
        raise Refusal(error.message, error.accepted, (*fixes, *error.fixes), error.both) from None
    phrase = _read_tail(text, tail, zone, now)
    phrase.limit(limits)
    return Cron(fields=fields, **phrase.common), phrase


def _split(text: str) -> tuple[str, int]:
    """Return the expression and where the text behind it begins."""
    words = list(_WORD.finditer(text))
    count = 1 if text[0] == "@" else sum(1 for _ in _take_fields([word.group().lower() for word in words]))
    end = words[count - 1].end()
    return text[:end], words[count].start() if count < len(words) else len(text)


def _take_fields(words: list[str]) -> list[str]:
    """Return the words that stand for fields: up to a zone, a limit or, behind five, any other word."""
    for place, word in enumerate(words):
        letters = re.sub("[^a-z]", " ", word).split()
        is_zone = word[0] == "(" or ("/" in word.lstrip("*0123456789,-") and word[0].isalpha())
        is_name = all(part in _NAMES for part in letters)
        if place and (is_zone or word in ("utc", "gmt", "in", "starting", "until")):
            return words[:place]
        if place >= 5 and ((letters and not is_name) or word[0] in "+-"):
            return words[:place]
    return words


def _read_tail(text: str, tail: int, zone: ZoneInfo, now: datetime) -> Phrase:
    """Read what stands behind the fields: a zone and limits, nothing else."""
    cutter = Cutter(text)
    tokens = cutter.cut(tail)
    reader = ClauseReader(cutter, tokens, now.astimezone(zone))
    parts = reader.read_all()
    extra = [name for name in parts if name not in ("zone", "start", "until")]
    if extra:
        quoted = reader.quote(parts[extra[0]].first, parts[extra[0]].last)
        why = f"'{quoted}' is not understood behind a cron expression: a zone, 'starting' or 'until' may follow"
        without = cutter.replaced(*reader.slice(parts[extra[0]].first, parts[extra[0]].last), "")
        raise Refusal(why, ("0 9 * * 1-5 Europe/Berlin",), (without,))
    named = parts.get("zone")
    return Phrase(reader, parts, named.value if named else zone, now.astimezone(UTC))
