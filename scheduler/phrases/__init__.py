"""Read schedule phrases: text to trigger, and the table of forms for people and programs.

    words.py       what each word means
    tokens.py      a phrase cut into words, numbers, times, dates and zones
    cursor.py, reader.py, amounts.py             a walk over the tokens; lists and amounts
    ordinals.py, repeats.py, points.py, clauses.py   one clause after the other, in any order
    phrase.py      the clauses with their zone, anchor and limits
    forms.py       THE TABLE: which clauses make which form
    build.py       from clauses to rules
    incomplete.py  clauses that make no rule
    cron_phrase.py cron expressions among the phrases
    parse.py       all of it, and the suggestions
    zones.py       names of time zones
    guide.py       the documentation, made from the table

A trigger describes itself in words that are read back to the same runs.
"""

from scheduler.phrases.cron_phrase import is_cron
from scheduler.phrases.guide import forms_help
from scheduler.phrases.parse import parse_phrase
from scheduler.phrases.phrase import Limits, find_bounds
from scheduler.phrases.zones import forget_zones, read_zone, zones_read

__all__ = [
    "Limits",
    "find_bounds",
    "forget_zones",
    "forms_help",
    "is_cron",
    "parse_phrase",
    "read_zone",
    "zones_read",
]
