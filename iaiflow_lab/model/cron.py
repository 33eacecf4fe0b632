"""Cron expressions: checked with sentences; `cronsim` computes their moments.

Five fields as Debian's cron has them. Where a clock change leaves a fixed time out, the moment
moves to the end of the gap; where it repeats one, the first of the two counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.names import did_you_mean, shorten

#: Longest expression, in characters.
MAX_LENGTH: Final = 200

_NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z")
_WHERE: Final = "cron"
_FORM: Final = "Write minute, hour, day of month, month and day of week, as in 0 6 * * 1-5"


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    #: Names of the values from `first` on.
    names: tuple[str, ...] = ()
    first: int = 0


# fmt: off
_MONTHS: Final = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)
# fmt: on
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    _Field("Minute", 0, 59),
    _Field("Hour", 0, 23),
    _Field("Day of month", 1, 31),
    _Field("Month", 1, 12, _MONTHS, 1),
    _Field("Day of week", 0, 7, _WEEKDAYS),
)


def check(expression: str) -> None:
    """Refuse an expression that says nothing, or that never comes true.

    Raises:
        InputError: It has not five fields, a field is wrong, or there is no such day.
    """
    fields = expand(expression).split()
    if len(fields) != len(_FIELDS):
        raise InputError(
            f"A cron expression has exactly five fields; this one has {len(fields)}.",
            where=_WHERE,
            remedy=_FORM,
        )
    for field, text in zip(_FIELDS, fields, strict=True):
        for term in text.upper().split(","):
            _check_term(field, term)
    if next(moments(expression, ZoneInfo("UTC"), 0.0), None) is None:
        raise _never(expression)


def expand(expression: str) -> str:
    """Return the five fields of an expression; nicknames such as `@daily` are written out.

    Raises:
        InputError: It is empty, too long, or a nickname that is unknown.
    """
    text = expression.strip()
    if not text:
        raise InputError("The cron expression is empty.", where=_WHERE, remedy=_FORM)
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"A cron expression has at most {MAX_LENGTH} characters; this one has {len(text):,}.",
            where=_WHERE,
            remedy=_FORM,
        )
    if not text.startswith("@"):
        return text
    known = _NICKNAMES.get(text.lower())
    if known is None:
        raise InputError(
            f"{shorten(text)!r} is no moment of a clock.",
            where=_WHERE,
            remedy=did_you_mean(text, _NICKNAMES) or _FORM,
        )
    return known


def is_fixed(expression: str) -> bool:
    """Say whether the expression names times of day, which clock changes may leave out or repeat.

    One whose minute or hour starts with `*` goes by elapsed time instead.
    """
    minute, hour = expand(expression).split()[:2]
    return not minute.startswith("*") and not hour.startswith("*")


def moments(expression: str, zone: ZoneInfo, after: float) -> Iterator[float]:
    """Yield the moments of a checked expression after another one, each later than the last.

    Args:
        expression: The expression.
        zone: Where its times of day are meant.
        after: In seconds since the Unix epoch; so are the moments.

    Raises:
        InputError: It never comes true.
    """
    try:
        # Floored, since a time rounds to microseconds, perhaps to the very moment that comes next.
        start = datetime.fromtimestamp(math.floor(after), zone)
        simulation = CronSim(expand(expression), start)
    except CronSimError as error:
        raise _never(expression) from error
    for local in simulation:
        at = local.timestamp()
        if at > after:  # a repeated hour maps to its first pass, a gap to its end
            after = at
            yield at


def first_time(expression: str, start: datetime, end: datetime) -> datetime | None:
    """Return the first time of day that the expression names in [start, end), on a naive clock."""
    second_before = start.replace(tzinfo=None) - timedelta(seconds=1)  # iterating starts after it
    found = next(CronSim(expand(expression), second_before), None)
    return found if found is not None and found < end.replace(tzinfo=None) else None


def explain(expression: str) -> str:
    """Return a checked expression in English words."""
    return CronSim(expand(expression), datetime(2000, 1, 1)).explain()  # noqa: DTZ001  no zone yet


def _check_term(field: _Field, term: str) -> None:
    if _is_special(field, term):
        return
    base, slash, step = term.partition("/")
    if slash and (not _NUMBER.match(step) or not 1 <= int(step) <= field.high):
        raise _wrong(field, f"step must be 1-{field.high}; got {shorten(step, 20)!r}")
    if base == "*":
        return
    start, dash, end = base.partition("-")
    low = _value(field, start)
    if dash and _value(field, end) < low:
        raise InputError(
            f"{field.name} range {start}-{end} runs backwards.",
            where=_WHERE,
            remedy=f"Write two ranges: {start}-{field.high},{field.low}-{end}",
        )


def _is_special(field: _Field, term: str) -> bool:
    """Say whether a term is one of the last days: `L`, `LW`, `5L`; or the n-th: `MON#2`."""
    if field.name == "Day of month":
        return term in {"L", "LW"}
    if field.name != "Day of week":
        return False
    day, hash_, number = term.partition("#")
    if hash_:
        _value(field, day)
        if number not in {"1", "2", "3", "4", "5"}:
            raise _wrong(field, f"number must be 1-5; got {shorten(number, 20)!r}")
        return True
    return len(term) == 2 and term[0] in "01234567" and term[1] == "L"


def _value(field: _Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.first
    if not _NUMBER.match(text):
        raise InputError(
            f"{field.name} can't be {shorten(text, 20)!r}.",
            where=_WHERE,
            remedy="Write numbers with digits 0-9, *, lists (1,15), ranges (1-5) or steps (*/10)",
        )
    if not field.low <= int(text) <= field.high:
        raise _wrong(field, f"must be {field.low}-{field.high}; got {text}")
    return int(text)


def _wrong(field: _Field, what: str) -> InputError:
    return InputError(f"{field.name} {what}.", where=_WHERE)


def _never(expression: str) -> InputError:
    return InputError(
        f"{shorten(expression)!r} never fires: no month that it names has such a day.",
        where=_WHERE,
        remedy="Name a day that exists, or L for the last day of the month",
    )
