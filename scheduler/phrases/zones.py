"""Read names of time zones, in any case, and help where one is misspelt or ambiguous."""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from scheduler.errors import InvalidRequest, Problem

ABBREVIATIONS = {
    **dict.fromkeys(("pst", "pdt", "pt"), "America/Los_Angeles"),
    **dict.fromkeys(("mst", "mdt", "mt"), "America/Denver"),
    **dict.fromkeys(("cst", "cdt", "ct"), "America/Chicago"),
    **dict.fromkeys(("est", "edt", "et"), "America/New_York"),
    **dict.fromkeys(("akst", "akdt"), "America/Anchorage"),
    **dict.fromkeys(("cet", "cest", "met", "mez", "mesz"), "Europe/Berlin"),
    **dict.fromkeys(("eet", "eest"), "Europe/Helsinki"),
    **dict.fromkeys(("wet", "west"), "Europe/Lisbon"),
    **dict.fromkeys(("aest", "aedt"), "Australia/Sydney"),
    **dict.fromkeys(("acst", "acdt"), "Australia/Adelaide"),
    **dict.fromkeys(("nzst", "nzdt"), "Pacific/Auckland"),
    "awst": "Australia/Perth",
    "bst": "Europe/London",
    "hst": "Pacific/Honolulu",
    "ist": "Asia/Kolkata",
    "jst": "Asia/Tokyo",
    "kst": "Asia/Seoul",
    "msk": "Europe/Moscow",
    "sgt": "Asia/Singapore",
    "hkt": "Asia/Hong_Kong",
    "brt": "America/Sao_Paulo",
    "sast": "Africa/Johannesburg",
}
"""Abbreviations that are used for several zones, or for half of a year, with the zone that is mostly meant."""

PLACES = {
    **dict.fromkeys(("beijing", "shenzhen", "china"), "Asia/Shanghai"),
    **dict.fromkeys(("india", "mumbai", "delhi", "new_delhi", "bangalore", "bengaluru"), "Asia/Kolkata"),
    **dict.fromkeys(("san_francisco", "seattle", "silicon_valley", "california"), "America/Los_Angeles"),
    **dict.fromkeys(("boston", "washington", "miami", "atlanta"), "America/New_York"),
    **dict.fromkeys(("munich", "hamburg", "frankfurt", "cologne", "germany"), "Europe/Berlin"),
    **dict.fromkeys(("milan", "italy"), "Europe/Rome"),
    **dict.fromkeys(("barcelona", "spain"), "Europe/Madrid"),
    **dict.fromkeys(("manchester", "edinburgh", "england"), "Europe/London"),
    "france": "Europe/Paris",
    "geneva": "Europe/Zurich",
    "osaka": "Asia/Tokyo",
}
"""Places that are in no name of a zone, by the zone they lie in."""

_OFFSET = re.compile(r"(?:utc|gmt)([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_UNEVEN = {
    -570: "Pacific/Marquesas",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    525: "Australia/Eucla",
    570: "Australia/Darwin",
}
"""Zones that are no whole hours from UTC, but the same all year round, by their minutes."""

_LIKE_A_NAME = re.compile(r"[\w+\-/\\.']{2,64}")
"""What somebody may write who means the name of a zone: to compare anything else with all of them is waste."""
_FEASTS = {"easter", "christmas"}
_NOT_ZONES = {"factory", "localtime", "posixrules"}


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Return the IANA names by their lower-case spelling."""
    names = {name.lower(): name for name in available_timezones() if name.lower() not in _NOT_ZONES}
    return names | {"utc": "UTC", "gmt": "GMT"}


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    """Return the IANA names by their last part ("berlin"), in lower case."""
    names = [name for name in _names().values() if "/" in name and not name.startswith("Etc/")]
    return {name.rsplit("/", 1)[1].lower(): name for name in sorted(names, key=len, reverse=True)}


def zone_of_place(words: str) -> str | None:
    """Return the IANA name that "new york", "America/Sao Paulo" or "beijing" mean; None where they mean none."""
    name = words.lower().replace(" ", "_")
    if name in PLACES:
        return PLACES[name]
    return _names().get(name) or _cities().get(name) if " " in words else None


def is_city(word: str) -> bool:
    """Say whether `word` (lower case) is the last part of the name of a zone, and no feast besides."""
    return word in _cities() and word not in _FEASTS


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of that IANA name, in any case; None if there is none."""
    known = _names().get(name.lower())
    return ZoneInfo(known) if known else None


def forget_zones() -> None:
    """Read all zones anew from now on: their data has changed on the disk."""
    ZoneInfo.clear_cache()
    for cached in (find_zone, _names, _cities, zones_read):  # the sign of it last
        cached.cache_clear()


@lru_cache(maxsize=1)
def zones_read() -> object:
    """Return what is another object after `forget_zones`: what was written by the zones before may be wrong now."""
    return object()


def find_offset(name: str) -> timedelta | None:
    """Return the offset that "UTC+2" or "GMT-05:30" names; None if it is no such name."""
    match = _OFFSET.fullmatch(name.lower())
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return -size if match[1] == "-" else size


def zone_at(offset: timedelta) -> str | None:
    """Return the name of the zone that is so far from UTC all year round; None if there is none."""
    minutes = offset // timedelta(minutes=1)
    if minutes % 60:
        return _UNEVEN.get(minutes)
    # The names of these zones count west of Greenwich.
    name = f"Etc/GMT{-minutes // 60:+}" if minutes else "UTC"
    return name if find_zone(name) else None


def has_phrase_name(zone: ZoneInfo) -> bool:
    """Say whether a phrase may name `zone`: some IANA names ("CET", "EST") are ambiguous to people."""
    key = zone.key or ""
    return key.lower() not in ABBREVIATIONS and find_zone(key) is not None


def nearest_zone(name: str) -> str | None:
    """Return the IANA name that `name` was most likely meant to be: by spelling, city or abbreviation."""
    word = name.lower().replace(" ", "_")
    offset = find_offset(word)
    if offset is not None:
        return zone_at(offset)
    if word in ABBREVIATIONS:
        return ABBREVIATIONS[word]
    cities = _cities()
    found = cities.get(word.rsplit("/", 1)[-1])
    if found:
        return found
    if not _LIKE_A_NAME.fullmatch(word):
        return None
    close = difflib.get_close_matches(word, _names(), n=1, cutoff=0.8)
    if close:
        return _names()[close[0]]
    close = difflib.get_close_matches(word.rsplit("/", 1)[-1], cities, n=1, cutoff=0.75)
    return cities[close[0]] if close else None


def explain_zone(name: str) -> tuple[str, str | None]:
    """Say what is wrong with `name` as the name of a zone; return that and the nearest right name."""
    near = nearest_zone(name[:64])
    if name.lower() in ABBREVIATIONS:
        return f"'{name}' is ambiguous as a time zone: use an IANA name such as '{near}'", near
    if near and find_offset(name) and near.startswith("Etc/"):
        return f"unknown time zone '{name}', did you mean '{near}', whose sign is the other way round?", near
    hint = f", did you mean '{near}'?" if near else ": use an IANA name such as 'Europe/Berlin', or 'UTC'"
    return f"unknown time zone '{name[:64]}'{hint}", near


def read_zone(name: object, *, field: str = "timezone") -> ZoneInfo:
    """Return the time zone of an IANA name in any case; raise InvalidRequest naming the nearest one."""
    if not isinstance(name, str) or not name.strip():
        message = f"'{field}' takes the IANA name of a time zone, such as 'Europe/Berlin' or 'UTC'"
        raise InvalidRequest([Problem(field, message, got=name, accepted=["Europe/Berlin"], suggestion="UTC")])
    zone = find_zone(name.strip()) if name.isascii() and len(name) <= 64 else None
    if zone is None:
        message, near = explain_zone(name.strip())
        accepted = ["an IANA name such as 'Europe/Berlin'", "UTC"]
        raise InvalidRequest([Problem(field, message, got=name, accepted=accepted, suggestion=near or "UTC")])
    return zone
