"""Tell a slip of the pen from another word. Pure.

`errors.nearest` finds what looks alike, which is enough for a hint; here a word must be the other one, misspelt,
for a request is made of it that may be sent unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_OPPOSITES = {frozenset(pair) for pair in (("min", "max"), ("start", "end"), ("before", "after"), ("read", "write"))}


_SHORT_FOR = {
    "arg": "args",
    "cmd": "command",
    "desc": "description",
    "dir": "directory",
    "mem": "memory",
    "net": "network",
    "prio": "priority",
    "proc": "processes",
    "sec": "seconds",
    "secs": "seconds",
}
_MEANS_THE_SAME_BEFORE = ("max", "run", "task")
_MEANS_THE_SAME_BEHIND = (("at",), ("id",), ("mb",), ("of", "week"), ("path",), ("seconds",), ("time",))
"""What a name may lack and still say what it is: `retries`, `id`, `timeout`, `memory`."""


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in small letters, be it written with blanks, dots, hyphens or humps."""
    return tuple(word.lower() for word in _WORDS.findall(name))


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is a slip of, word by word; None where it is none, or one of several."""
    sent = words_of(name[:100])
    choices = {other: words_of(other) for other in known}
    same = [other for other, words in choices.items() if "".join(words) == "".join(sent)]
    found = same or [other for other, words in choices.items() if _are_slips(sent, words)]
    return found[0] if len(found) == 1 else None


def fuller_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is short for; None where it is so for none, or for several."""
    sent = tuple(_SHORT_FOR.get(word, word) for word in words_of(name[:100]))
    found = [other for other in known if _is_fuller(words_of(other), sent)]
    return found[0] if len(found) == 1 else None


def _is_fuller(words: tuple[str, ...], sent: tuple[str, ...]) -> bool:
    if not sent:
        return False
    before, behind = words[: -len(sent)], words[len(sent) :]
    return (
        words == sent
        or (words[-len(sent) :] == sent and before in [(word,) for word in _MEANS_THE_SAME_BEFORE])
        or (words[: len(sent)] == sent and behind in _MEANS_THE_SAME_BEHIND)
    )


def is_typing_slip(word: str, meant: str) -> bool:
    """Whether a word can hardly be another one: two letters changed places, one was left out or typed twice.

    A letter more at the end may be grammar, one in place of another may make another word ("remote" and "remove").
    """
    if len(meant) < 4:
        return False
    if len(word) == len(meant):
        return word != meant and word in _swapped(meant)
    longer, shorter = sorted((word, meant), key=len, reverse=True)
    places = [place for place in range(len(longer)) if longer[:place] + longer[place + 1 :] == shorter]
    if not places:
        return False
    return len(places) > 1 if longer == word else len(meant) > _SHORT and word[0] == meant[0]


_SHORT = 5
"""Words of so many letters are other words without one of them: `stop` and `top`, `start` and `star`."""


def _swapped(word: str) -> set[str]:
    pairs = range(len(word) - 1)
    return {word[:place] + word[place + 1] + word[place] + word[place + 2 :] for place in pairs}


def _are_slips(sent: tuple[str, ...], meant: tuple[str, ...]) -> bool:
    pairs = list(zip(sent, meant, strict=False))
    return len(sent) == len(meant) and all(one == other or _is_slip(one, other) for one, other in pairs)


def _is_slip(word: str, meant: str) -> bool:
    """Whether a word is near to another: at one step in 4 letters, at two in 8; a plural of any word is."""
    if _singular(word) == _singular(meant):
        return True
    if min(len(word), len(meant)) < 3 or len(meant) < 4 or frozenset((word, meant)) in _OPPOSITES:
        return False
    return distance(word, meant) <= (1 if len(meant) < 8 else 2)


def _singular(word: str) -> str:
    return (f"{word[:-3]}y" if word.endswith("ies") else word).rstrip("s")


def distance(one: str, other: str) -> int:
    """Return how many letters are to be added, dropped, changed, or swapped with the next one."""
    rows: list[list[int]] = [list(range(len(other) + 1))]
    for place, letter in enumerate(one, 1):
        row = [place]
        for position, meant in enumerate(other, 1):
            least = min(rows[-1][position] + 1, row[-1] + 1, rows[-1][position - 1] + (letter != meant))
            if place > 1 and position > 1 and (letter, one[place - 2]) == (other[position - 2], meant):
                least = min(least, rows[-2][position - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
