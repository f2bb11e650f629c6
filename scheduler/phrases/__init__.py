"""Read schedule phrases: text to trigger, and the table of forms for people and programs.

    words.py      what each word means                 tokens.py     a phrase cut into tokens
    reader.py     lists and amounts                    clauses.py, repeats.py   one clause after the other
    phrase.py     clauses, zone, anchor and limits     build.py      clauses to rules
    forms.py      THE TABLE: which clauses make which form
    incomplete.py clauses that make none               cron_phrase.py   cron among the phrases
    parse.py      all of it, and the suggestions       zones.py      names of time zones
    guide.py      the documentation, made from the table

A trigger describes itself in words that are read back to the same runs.
"""

from scheduler.phrases.cron_phrase import is_cron
from scheduler.phrases.guide import forms_help
from scheduler.phrases.parse import parse_phrase
from scheduler.phrases.phrase import Limits, find_bounds
from scheduler.phrases.zones import read_zone

__all__ = ["Limits", "find_bounds", "forms_help", "is_cron", "parse_phrase", "read_zone"]
