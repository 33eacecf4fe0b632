"""Moments, zones and lengths of time, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.names import did_you_mean, shorten

_YEARS: Final = range(1970, 2201)
#: The last moment that may be named, in seconds since the Unix epoch.
LATEST: Final = datetime(_YEARS[-1], 12, 31, tzinfo=UTC).timestamp()

_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?(Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(s|min|m|h|d|w)", re.ASCII)
_PARTS: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_UNITS: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def parse_moment(text: str, zone: str) -> float:
    """Read `2026-12-01`, `2026-12-01T06:00` or `2026-12-01T06:00+01:00`.

    A time that a change of clocks leaves out is moved to the end of the gap; of two the first
    counts.

    Args:
        text: The moment.
        zone: IANA name; where it is meant when the text has no offset.

    Returns:
        Seconds since the Unix epoch.

    Raises:
        InputError: It has another form, or there is no such day or zone.
    """
    local = local_time(text, zone)
    while is_imaginary(local):
        local += timedelta(minutes=1)
    return local.timestamp()


def local_time(text: str, zone: str) -> datetime:
    """Return what `parse_moment` reads as a time of its zone, which a clock may leave out.

    Raises:
        InputError: It has another form, or there is no such day or zone.
    """
    form = _MOMENT.fullmatch(text.strip())
    day, time, offset = form.groups() if form else ("", None, None)
    try:
        local = datetime.fromisoformat(f"{day}T{time or '00:00'}{offset or ''}")
    except ValueError as error:
        raise InputError(
            f"{shorten(text)!r} is no moment.", remedy="Write it as 2026-12-01T06:00"
        ) from error
    if local.year not in _YEARS:
        raise InputError(f"The year {local.year} is not from 1970 to 2200.")
    return local if local.tzinfo else local.replace(tzinfo=zone_of(zone))


def is_imaginary(local: datetime) -> bool:
    """Say whether no clock of the time's zone ever shows it."""
    shown = datetime.fromtimestamp(local.timestamp(), local.tzinfo)
    return shown.replace(tzinfo=None) != local.replace(tzinfo=None)


def parse_duration(text: str) -> float:
    """Read `90`, `90s`, `15m`, `1h30m`, `2d` or `1w` as seconds.

    Raises:
        InputError: It has another form.
    """
    plain = text.strip().lower()
    plain = plain if plain[-1:].isalpha() else f"{plain}s"
    if not _PARTS.fullmatch(plain):
        raise InputError(
            f"{shorten(text, 20)!r} is no length of time.", remedy="Write 90s, 15m, 1h30m or 2d"
        )
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(plain))


def parse_past(text: str, zone: str, now: float) -> float:
    """Read `2h` or `1d`, so long before now, or what `parse_moment` reads.

    Args:
        text: The moment.
        zone: IANA name; where it is meant when the text has no offset.
        now: The present, in seconds since the Unix epoch.

    Returns:
        Seconds since the Unix epoch.

    Raises:
        InputError: It has another form, or there is no such day.
    """
    if _MOMENT.fullmatch(text.strip()):
        return parse_moment(text, zone)
    try:
        return now - parse_duration(text)
    except InputError:
        raise InputError(
            f"{shorten(text)!r} is no moment.",
            remedy="Write how long ago, such as 90s, 2h or 1d, or when: 2026-12-01 or "
            "2026-12-01T06:00",
        ) from None


def format_duration(seconds: float) -> str:
    """Return a length of time as `parse_duration` reads it."""
    if seconds % 1:
        return f"{seconds:g}s"
    parts: list[str] = []
    rest = int(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        InputError: There is none of this name.
    """
    try:
        return _zone(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"There is no time zone {shorten(name)!r}.",
            where="zone",
            remedy=did_you_mean(name, available_timezones()) or "Write one such as Europe/Berlin",
        ) from error


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
