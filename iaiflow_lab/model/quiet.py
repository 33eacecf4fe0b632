"""Quiet hours: a part of every day, in a time zone, in which people are left alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.moment import is_imaginary, zone_of
from iaiflow_lab.model.names import shorten

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Quiet(msgspec.Struct, frozen=True):
    """From a minute of the day up to another one, over midnight when that one is earlier."""

    #: Minutes after midnight, on the zone's clocks.
    start: int
    #: The first minute that is not quiet.
    end: int
    #: IANA name.
    zone: str

    def __str__(self) -> str:
        return f"{_shown(self.start)}-{_shown(self.end)} {self.zone}"


def parse_quiet(text: str, zone: str) -> Quiet:
    """Read `22:00-07:00`.

    Raises:
        InputError: It has another form, is empty, or there is no such zone.
    """
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"{shorten(text)!r} are no quiet hours.", where="quiet", remedy="Write 22:00-07:00"
        )
    hour, minute, end_hour, end_minute = map(int, found.groups())
    start, end = 60 * hour + minute, 60 * end_hour + end_minute
    if start == end:
        raise InputError(
            f"Quiet hours from {_shown(start)} to {_shown(end)} never begin or never end.",
            where="quiet",
            remedy="Write 22:00-07:00",
        )
    zone_of(zone)
    return Quiet(start, end, zone)


def quiet_until(quiet: Quiet, now: float) -> float | None:
    """Return when the quiet hours end in which `now` lies; None when it lies in none.

    Args:
        quiet: The hours.
        now: A moment, in seconds since the Unix epoch.

    Returns:
        Seconds since the Unix epoch, above `now`.
    """
    zone = zone_of(quiet.zone)
    local = datetime.fromtimestamp(now, zone)
    minute = 60 * local.hour + local.minute
    over_midnight = quiet.end < quiet.start
    if over_midnight:
        is_quiet = minute >= quiet.start or minute < quiet.end
    else:
        is_quiet = quiet.start <= minute < quiet.end
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and minute >= quiet.start else 0)
    end = datetime(day.year, day.month, day.day, *divmod(quiet.end, 60), tzinfo=zone)
    while is_imaginary(end):
        end += timedelta(minutes=1)
    moments = (end.replace(fold=fold).astimezone(UTC).timestamp() for fold in (0, 1))
    return next((moment for moment in moments if moment > now), now + 60.0)


def _shown(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
