"""Days and months that a text names, however it writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = tuple(
    re.compile(rf"\b{pattern}\b")
    for pattern in (
        _YEAR + r"-(?P<month>\d\d)(?:-(?P<day>\d\d))?",
        _DAY + r"(?: of)? " + _MONTH + r"(?:\.?,? " + _YEAR + ")?",
        _MONTH + r"\.? " + _DAY + r"(?:,? " + _YEAR + ")?",
        r"(?:in|of|during|since|last|this|early|late|mid) " + _MONTH,
        _MONTH + r",? " + _YEAR,
        r"(?P<day>\d{1,2}) tháng (?P<month>\d{1,2})(?:(?: năm|,)? " + _YEAR + ")?",
        r"tháng (?P<month>\d{1,2})(?:(?: năm|,|/)? ?" + _YEAR + ")?",
        r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/" + _YEAR,
    )
)


class Date(NamedTuple):
    """A day or a month; 0 stands for what is not said."""

    #: The year.
    year: int
    #: The month, from 1.
    month: int
    #: The day of the month, from 1.
    day: int

    def covers(self, moment: float) -> bool:
        """Return whether a moment (seconds since the epoch) can be meant, in UTC."""
        try:
            at = datetime.fromtimestamp(moment, UTC)
        except (OverflowError, ValueError, OSError):
            return False
        return self.month == at.month and self.year in {0, at.year} and self.day in {0, at.day}


def day_of(moment: float) -> str:
    """Return the day of a moment (seconds since the epoch) in UTC, "?" if it has none."""
    try:
        return datetime.fromtimestamp(moment, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "?"


def dates(text: str) -> Iterator[Date]:
    """Yield the dates that a text names.

    Args:
        text: In lower case.
    """
    for pattern in _DATES:
        for found in pattern.finditer(text):
            parts = found.groupdict()
            name = parts["month"]
            month = int(name) if name.isdigit() else _MONTHS.index(name[:3]) + 1
            date = Date(int(parts.get("year") or 0), month, int(parts.get("day") or 0))
            if 1 <= month <= 12 and date.day <= 31:
                yield date
