"""Find the word that a misspelt one was most likely meant to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from scheduler.phrases.words import VOCABULARY

_SHORT = 4
_MOST_OTHER_LETTERS = 3
"""A misspelt word differs in no more: "after" is no "afternoon", "yesterday" no "saturday"."""


def nearest_word(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was most likely meant to be; unlike `nearest`, only if it is quite close.

    Few people misspell the first letter: "munday" is monday, and "right" is not night.
    """
    close = difflib.get_close_matches(word, known, n=5, cutoff=0.7)
    likely = [found for found in close if _is_misspelt(word, found)]
    return max(likely, key=lambda found: _likeness(word, found) + 0.1 * (found[0] == word[0]), default=None)


def _likeness(word: str, known: str) -> float:
    return difflib.SequenceMatcher(None, word, known).ratio()


def _is_misspelt(word: str, known: str) -> bool:
    """Say whether `word` may be `known` with other letters; of a short word, or with another first one, few may be."""
    codes = difflib.SequenceMatcher(None, word, known).get_opcodes()
    others = sum(max(end - begin, last - first) for tag, begin, end, first, last in codes if tag != "equal")
    most = 1 if len(known) <= _SHORT else _MOST_OTHER_LETTERS
    return (others <= most or word.startswith(known)) and (word[0] == known[0] or _likeness(word, known) > 0.8)


def meant_word(word: str, known: Iterable[str]) -> str | None:
    """Return what an unknown word was most likely meant to be: itself without marks, written apart, or a known word."""
    bare = word.strip(_MARKS)
    apart = _JOINT.sub(" ", bare.replace("@", " at "))
    if apart != word or _DIGIT.search(word):
        return apart.strip() if apart.strip() != word and apart.strip() else None
    parts = [part if part in VOCABULARY else nearest_word(part, known) for part in word.split("-")]
    joined = "-".join(part for part in parts if part) if all(parts) else word
    return nearest_word(word, known) or (joined if joined != word else None)


_DIGIT = re.compile("[0-9]")
_MARKS = "\"'`;!?.*"
_JOINT = re.compile(r"(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=(?!(?:st|nd|rd|th)\b)[a-z])")
"""Where "every5minutes" is cut; an ordinal stays whole."""
