"""Turn a phrase into its trigger, or into one problem with a phrase that would work."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.errors import InvalidRequest, Problem, shorten
from scheduler.phrases.characters import EXAMPLES, LONGEST_PHRASE, in_plain_characters, read_text, refuse_character
from scheduler.phrases.clauses import ClauseReader
from scheduler.phrases.cron_phrase import is_cron, read_cron_phrase
from scheduler.phrases.foreign import UNSAYABLE, in_our_words
from scheduler.phrases.forms import BY_PARTS, part_mask
from scheduler.phrases.incomplete import refuse_pair, refuse_parts
from scheduler.phrases.kept import is_known, keeps, names_zone, says_offset
from scheduler.phrases.left_out import leaves_out
from scheduler.phrases.marks import without_marks
from scheduler.phrases.phrase import NO_LIMITS, Limits, Phrase
from scheduler.phrases.refusal import LimitRefusal, Refusal
from scheduler.phrases.rules import two_rules
from scheduler.phrases.spoken import as_spoken, in_digits, is_beyond
from scheduler.phrases.tokens import Cutter
from scheduler.triggers import Interval, Once, Trigger

LONGEST_WAIT = timedelta(days=40 * 365.25)
"""A rule must have a run within 40 years."""

YEARS = (1900, 9899)
"""The years in which `now` may lie."""

FALLBACK = "daily at 09:00"
"""The example where nothing is suggested."""
_TRIES = 16


def parse_phrase(
    phrase: object,
    *,
    zone: ZoneInfo,
    now: datetime,
    field: str = "interval",
    limits: Limits = NO_LIMITS,
) -> Trigger:
    """Return the trigger that `phrase` means in `zone`, `now` being the present and the anchor.

    The same phrase, zone and moment always give the same trigger. `limits` were given beside the phrase.
    InvalidRequest holds exactly one problem, reported for `field`, which quotes the offending part and
    suggests a whole phrase that would be accepted, if one is known that keeps what was meant.
    """
    written = read_text(phrase, field)
    _check_moment(now)
    text = in_plain_characters(written)
    if text != written:
        raise refuse_character(written, field, _nearest(text, zone, now) if text else [])
    try:
        _refuse_marks(text)
        return _read(text, zone, now, limits)
    except LimitRefusal as refusal:
        raise InvalidRequest([_problem_of_limit(refusal, field)]) from None
    except Refusal as refusal:
        rules = two_rules(text, lambda part: _is_accepted(part, zone, now))
        if rules is not None:
            raise _refuse_two(rules, phrase, field) from None
        raise _invalid(refusal, _suggested(refusal, text, zone, now), phrase, field) from None


def _is_accepted(text: str, zone: ZoneInfo, now: datetime) -> bool:
    try:
        _read(text, zone, now)
    except Refusal:
        return False
    return True


def _refuse_two(rules: tuple[str, str], phrase: object, field: str) -> InvalidRequest:
    """Return the refusal of two rules in one phrase: neither alone means the same, so none is suggested."""
    first, second = rules
    message = f"'{second}' is a second rule: one phrase is one rule. Make one task for '{first}' and one for '{second}'"
    return InvalidRequest([Problem(field, message, shorten(phrase), ["one rule"], code="invalid_interval")])


def _refuse_marks(text: str) -> None:
    """Refuse quotes, brackets and the like around a phrase."""
    bare = without_marks(text)
    if bare != text:
        before, _, behind = text.partition(bare)
        raise Refusal(f"'{(before or behind).strip()}' is no part of a phrase: leave it away", EXAMPLES, (bare,))


def _problem_of_limit(refusal: LimitRefusal, field: str) -> Problem:
    moved = {} if refusal.without is None else {field: refusal.without, refusal.name: refusal.moment}
    return Problem(
        refusal.name,
        refusal.message,
        accepted=list(refusal.accepted),
        suggestion=refusal.suggestion,
        instead=moved,
    )


def _check_moment(now: datetime) -> None:
    """Refuse a present so early or late that its neighbours are in no calendar; ValueError: it is naive."""
    if now.tzinfo is None:
        raise ValueError("parse_phrase() needs a moment with a time zone")
    if not YEARS[0] <= now.year <= YEARS[1]:
        message = f"'{now.isoformat()}' cannot stand for now: the years {YEARS[0]} to {YEARS[1]} can"
        raise InvalidRequest([Problem("after", message, now.isoformat(), [f"{YEARS[0]} to {YEARS[1]}"])])


def _read(text: str, zone: ZoneInfo, now: datetime, limits: Limits = NO_LIMITS) -> Trigger:
    """Read a checked text; raise Refusal."""
    if is_cron(text):
        cron, phrase = read_cron_phrase(text, zone, now, limits)
        _check_runs(cron, phrase)
        return cron
    cutter = Cutter(text)
    reader = ClauseReader(cutter, cutter.cut(), now.astimezone(zone))
    parts = reader.read_all()
    named = parts.get("zone")
    phrase = Phrase(reader, parts, named.value if named else zone, now.astimezone(UTC))
    form = BY_PARTS.get(part_mask(parts))
    if form is None or form.build is None:
        raise refuse_parts(phrase)
    if form.once:
        _refuse_limits(phrase)
    else:
        phrase.limit(limits)
    trigger = form.build(phrase)
    _check_runs(trigger, phrase)
    if isinstance(trigger, Once):
        _check_once(trigger, limits)
    return trigger


def _refuse_limits(phrase: Phrase) -> None:
    """Refuse limits of what runs once."""
    for name in ("start", "until"):
        if phrase.has(name):
            raise refuse_pair(phrase, next(part for part in phrase.parts if part not in ("once", "zone", name)), name)


def _check_once(trigger: Once, limits: Limits) -> None:
    """Refuse limits that leave out the only run."""
    moment = trigger.moment.astimezone(trigger.zone).isoformat()
    if limits.start is not None and trigger.moment < limits.start:
        message = f"'{limits.start_name}' lies behind the only run, which is at {moment}"
        raise LimitRefusal(limits.start_name, message, (f"a moment up to {moment}",), moment)
    if limits.until is not None and trigger.moment > limits.until:
        message = f"'{limits.until_name}' lies before the only run, which is at {moment}"
        fix = _end_of_day(trigger.moment.astimezone(trigger.zone))
        raise LimitRefusal(limits.until_name, message, (f"a moment from {moment} on",), fix)


def _check_runs(trigger: Trigger, phrase: Phrase) -> None:
    """Refuse a rule without a run within 40 years of now."""
    bounds = trigger.bounds
    if isinstance(trigger, Interval) and bounds.start is bounds.until is None:
        return
    first = trigger.next_after(phrase.now)
    if first is not None and first - phrase.now <= LONGEST_WAIT:
        return
    raise _refuse_never(trigger, phrase, first)


def _refuse_never(trigger: Trigger, phrase: Phrase, first: datetime | None) -> Refusal:
    now = phrase.now.astimezone(phrase.zone)
    if isinstance(trigger, Once):
        return _refuse_past(trigger, phrase, now)
    if phrase.limits != NO_LIMITS:
        return _refuse_given(trigger, phrase)
    start, until = trigger.bounds.start, trigger.bounds.until
    if first is None and start and until and until < start and phrase.has("start", "until"):
        words = " and ".join(f"'{phrase.quote(name)}'" for name in ("start", "until") if phrase.has(name))
        name = "until" if phrase.has("until") else "start"
        return Refusal(f"{words}: the end lies before the start, so it never runs", (), (phrase.replaced(name, ""),))
    if first is None and until is not None and phrase.has("until"):
        past = (
            "is in the past, so it never runs"
            if until <= phrase.now
            else "comes before the first run, so it never runs"
        )
        return phrase.refuse("until", f"{past} (now {_say_now(now)})", *_later(phrase, trigger))
    if phrase.has("start"):
        today = now.date().isoformat()
        return phrase.refuse(
            "start", "is too far away: no run within 40 years", phrase.replaced("start", f"starting {today}")
        )
    return Refusal(f"'{phrase.text}' has no run within 40 years", (), ())


def _refuse_given(trigger: Trigger, phrase: Phrase) -> Refusal:
    """Return the refusal of a rule that has no run between limits given beside it."""
    limits = phrase.limits
    free = replace(trigger, bounds=replace(trigger.bounds, until=None)).next_after(phrase.now)
    if limits.until is not None and free is not None:
        first = free.isoformat()
        message = f"'{limits.until_name}' lies before the first run, which would be at {first}"
        return LimitRefusal(limits.until_name, message, (f"a moment from {first} on",), _end_of_day(free))
    if limits.start is not None:
        message = f"'{limits.start_name}' is too far away: no run within 40 years"
        now = phrase.now.astimezone(phrase.zone).isoformat()
        return LimitRefusal(limits.start_name, message, ("a moment within 40 years",), now)
    return Refusal(f"'{phrase.text}' has no run within 40 years", (), ())


def _end_of_day(moment: datetime) -> str:
    """Return the last second of the day on which an hour from `moment` lies.

    What counts from the moment of its creation runs later when it is sent again, by as long as that takes.
    """
    later = (moment.astimezone(UTC) + timedelta(hours=1)).astimezone(moment.tzinfo)
    return later.replace(hour=23, minute=59, second=59, microsecond=0, fold=1).isoformat()


def _later(phrase: Phrase, trigger: Trigger) -> list[str]:
    """Return the phrase with a later end, or without one."""
    local = phrase.now.astimezone(phrase.zone)
    fixes = [phrase.replaced("until", f"until {local.year + years}-12-31") for years in (0, 1) if local.year < 9000]
    return [*fixes, phrase.replaced("until", "")]


def _refuse_past(trigger: Once, phrase: Phrase, now: datetime) -> Refusal:
    if trigger.moment > phrase.now:
        name = "date" if phrase.has("date") else "delay"
        fix = phrase.replaced(name, f"{now.year + 1}-01-01" if name == "date" else "in 1 week")
        return phrase.refuse(name, "is too far away: at most 40 years", fix)
    names = sorted(
        (name for name in ("day", "date", "times", "offset") if phrase.has(name)), key=lambda n: phrase.parts[n].first
    )
    first, last = phrase.parts[names[0]].first, phrase.parts[names[-1]].last
    clock = (trigger.moment.astimezone(phrase.zone)).strftime("%H:%M")
    fixes = [f"tomorrow at {clock}"]
    if phrase.has("date"):
        day = (
            f"{now.year:04}-{phrase.value('date').strftime('%m-%d')}",
            f"{now.year + 1:04}-{phrase.value('date').strftime('%m-%d')}",
        )
        fixes = [
            *(phrase.reader.cutter.replaced(*phrase.reader.slice(*_date_tokens(phrase)), text) for text in day),
            *fixes,
        ]
    if phrase.zone_named:
        fixes.append(f"tomorrow at {clock} {phrase.zone.key}")
    quoted = phrase.reader.quote(first, last)
    return Refusal(
        f"'{quoted}' is in the past (now {_say_now(now)}), so it never runs", ("a time to come",), tuple(fixes)
    )


def _date_tokens(phrase: Phrase) -> tuple[int, int]:
    part = phrase.parts["date"]
    return part.first, part.last


def _say_now(now: datetime) -> str:
    return now.isoformat(" ", "minutes")


def _suggested(refusal: Refusal, text: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """Return what to write instead, nearest first; nothing where each phrase would mean something else than `text`."""
    bare = without_marks(text)
    if bare != text:
        return _nearest(bare, zone, now)
    if is_beyond(text):
        return []
    meant = _in_our_words(text, now.astimezone(zone).date())
    found = _working((meant,), text, zone, now, 1) if meant else []
    if found or meant == UNSAYABLE or leaves_out(text):
        return found
    return _working(refusal.fixes, text, zone, now, 2 if refusal.both else 1)


def _nearest(text: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """Return `text` without marks around it if that is accepted, else what to write instead."""
    bare = without_marks(text)
    try:
        _read(bare, zone, now)
    except Refusal as refusal:
        is_double = two_rules(bare, lambda part: _is_accepted(part, zone, now)) is not None
        return [] if is_double else _suggested(refusal, bare, zone, now)
    return [bare]


def _in_our_words(text: str, today: date) -> str | None:
    """Return what `text` says elsewhere, or as people speak, in our words; None where nothing is recognised."""
    spoken = as_spoken(text, today)
    for said in (text, in_digits(text), spoken or text):
        meant = in_our_words(said)
        if meant is not None:
            return meant
    return spoken


def _working(fixes: tuple[str, ...], written: str, zone: ZoneInfo, now: datetime, count: int) -> list[str]:
    """Return the first `count` of `fixes` that are accepted, each mended further where it needs that."""
    found: list[str] = []
    tried: set[str] = set()
    for fix in fixes:
        text = _mended(fix, written, zone, now, tried)
        if text is not None and (names_zone(text) or says_offset(text) or not names_zone(written)):
            found.append(text)
        if len(found) == count:
            break
    return found


def _mended(fix: str, written: str, zone: ZoneInfo, now: datetime, tried: set[str]) -> str | None:
    """Return the accepted phrase that is nearest to `fix`, none of those in `tried`; None if none is found.

    `fix` may leave one of two readings away; what is mended besides loses nothing that it says.
    """
    queue = [fix]
    while queue and len(tried) < _TRIES:
        text = queue.pop(0)
        if not text or len(text) > LONGEST_PHRASE or text in tried:
            continue
        tried.add(text)
        try:
            _read(text, zone, now)
        except Refusal as refusal:
            # What was added may go again; what a misspelt word says is known only when it is mended.
            befores = [text, *(before for before in (fix, written) if is_known(before))]
            # The nearest mending first: what else is wrong with this text, before the next text.
            queue[:0] = [
                further
                for further in refusal.fixes[:3]
                if is_cron(text) or any(keeps(further, before) for before in befores)
            ]
        else:
            return text
    return None


def _invalid(refusal: Refusal, found: list[str], phrase: object, field: str) -> InvalidRequest:
    message = refusal.message
    stop = "" if message.endswith("?") else "."
    if not refusal.both or any(f"'{text}'" not in message for text in found or [FALLBACK]):
        message = f"{message}{stop} Example: {' or '.join(repr(text) for text in found or [FALLBACK])}"
    suggestion = found[0] if found else None
    accepted = list(refusal.accepted or EXAMPLES)
    problem = Problem(field, message, shorten(phrase), accepted, suggestion, code="invalid_interval")
    return InvalidRequest([problem])
