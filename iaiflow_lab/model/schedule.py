"""When something runs by itself: rules, and the moments that follow from them.

Moments are instants, in seconds since the Unix epoch; a zone is used only to read and write times
of day. Nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from iaiflow_lab.errors import InputError
from iaiflow_lab.model import cron
from iaiflow_lab.model.moment import (
    LATEST,
    format_duration,
    is_imaginary,
    local_time,
    parse_moment,
    zone_of,
)
from iaiflow_lab.model.names import invisible, shorten

_DAY: Final = 86_400.0
#: Shortest and longest interval, in seconds.
SHORTEST: Final = 1.0
LONGEST: Final = 365 * _DAY
#: How many patterns of files one rule may name.
MAX_PATTERNS: Final = 20


class Catchup(StrEnum):
    """What happens to moments that were missed because nothing ran."""

    #: They are listed, and that is all.
    NONE = "none"
    #: The latest of them is made up for.
    LATEST = "latest"
    #: Each of them is made up for.
    ALL = "all"


class Overlap(StrEnum):
    """What happens when a moment comes while an earlier run of the schedule has not ended."""

    #: Both run.
    ALLOW = "allow"
    #: The new one is left out, and listed.
    SKIP = "skip"
    #: The new one waits until the earlier one has ended.
    QUEUE = "queue"
    #: The earlier one is cancelled; the new one starts when that has ended.
    CANCEL = "cancel"


class Cron(msgspec.Struct, frozen=True, tag_field="kind", tag="cron"):
    """At the times of day that a cron expression names."""

    expression: str


class Interval(msgspec.Struct, frozen=True, tag_field="kind", tag="interval"):
    """Every so many seconds, counted from the rule's start."""

    seconds: float


class Once(msgspec.Struct, frozen=True, tag_field="kind", tag="once"):
    """At one moment, as text: `2026-12-01T06:00` in the rule's zone, or with an offset."""

    at: str


class FileChange(msgspec.Struct, frozen=True, tag_field="kind", tag="file"):
    """When files of the workspace change: paths, in which `*`, `?` and `**` stand for others."""

    patterns: tuple[str, ...]


When = Cron | Interval | Once | FileChange


class Rule(msgspec.Struct, frozen=True):
    """When something runs by itself."""

    when: When
    #: IANA name of the zone in which times of day are meant.
    zone: str = "UTC"
    #: Not before this moment; an interval counts from it.
    start: float | None = None
    #: Not after this moment.
    end: float | None = None
    #: Up to so many seconds later, by chance.
    jitter_s: float = 0.0


class Moment(msgspec.Struct, frozen=True):
    """One moment of a rule, for people."""

    at: float
    #: The same as ISO 8601 in the rule's zone, to the second.
    local: str
    #: What a change of clocks does to it; "" when it does nothing.
    note: str = ""


def kind_of(when: When) -> str:
    """Return `cron`, `interval`, `once` or `file`."""
    return str(type(when).__struct_config__.tag)


def check(rule: Rule) -> None:
    """Refuse a rule that says nothing.

    Raises:
        InputError: Its expression, zone, interval, moment, patterns, bounds or jitter are wrong.
    """
    zone_of(rule.zone)
    for name, moment in (("start", rule.start), ("end", rule.end)):
        if moment is not None and not 0 <= moment <= LATEST:  # also refuses nan
            raise InputError(f"{name} = {moment!r} is no moment from 1970 to 2200.", where=name)
    if rule.start is not None and rule.end is not None and rule.end < rule.start:
        raise InputError("The schedule ends before it starts.", where="end")
    if not 0 <= rule.jitter_s <= _DAY:
        raise InputError(f"The jitter must be 0 s - 1 day; got {rule.jitter_s!r}.", where="jitter")
    match rule.when:
        case Cron(expression):
            cron.check(expression)
        case Interval(seconds):
            if not SHORTEST <= seconds <= LONGEST:
                raise InputError(
                    f"The interval must be 1 s - 365 days; got {seconds!r} s.", where="every"
                )
        case Once(at):
            parse_moment(at, rule.zone)
        case FileChange(patterns):
            _check_files(patterns, rule.jitter_s)


def next_due(rule: Rule, after: float) -> float | None:
    """Return the first moment of a checked rule after another one; None: there is none."""
    return next(_moments(rule, after), None)


def next_times(rule: Rule, after: float, count: int = 10) -> list[Moment]:
    """Return the next moments of a checked rule, with what changes of clocks do to them."""
    zone = zone_of(rule.zone)
    return [
        Moment(at, _spelled(at, zone), _note(rule.when, at, zone))
        for at in islice(_moments(rule, after), count)
    ]


def _spelled(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def due_until(rule: Rule, first: float, until: float, limit: int) -> list[float]:
    """Return the newest moments of a checked rule from `first` to `until`, in their order.

    Args:
        rule: The rule.
        first: A moment of the rule.
        until: The last instant that counts.
        limit: How many are returned at most.
    """
    # A rule has at most one moment a second (an interval) or a minute (cron); look back in
    # windows that grow, so that a long pause of a frequent rule is not walked through.
    width = limit * (rule.when.seconds if isinstance(rule.when, Interval) else 60.0)
    found: list[float] = []
    end = until
    while end >= first and len(found) < limit:
        start = max(first, end - width)
        found = [*_between(rule, start, end), *found]
        end, width = math.nextafter(start, 0.0), width * 2
    return found[-limit:]


def describe(rule: Rule) -> str:
    """Return a checked rule in a few English words."""
    match rule.when:
        case Cron(expression):
            return f"{cron.explain(expression)} ({rule.zone})"
        case Interval(seconds):
            return f"Every {format_duration(seconds)}"
        case Once(at):
            return f"Once at {at} ({rule.zone})"
        case FileChange(patterns):
            return f"When {', '.join(patterns)} changes"


def _moments(rule: Rule, after: float) -> Iterator[float]:
    if rule.start is not None:
        after = max(after, math.nextafter(rule.start, 0.0))
    for at in _unbounded(rule, after):
        if at > (LATEST if rule.end is None else rule.end):
            return
        yield at


def _unbounded(rule: Rule, after: float) -> Iterator[float]:
    match rule.when:
        case Cron(expression):
            yield from cron.moments(expression, zone_of(rule.zone), after)
        case Interval(seconds):
            yield from _multiples(rule.start or 0.0, seconds, after)
        case Once(at):
            moment = parse_moment(at, rule.zone)
            if moment > after:
                yield moment
        case FileChange():
            return


def _multiples(start: float, seconds: float, after: float) -> Iterator[float]:
    number = max(0, math.floor((after - start) / seconds))
    while True:
        at = start + number * seconds
        if at > after:
            yield at
        number += 1


def _between(rule: Rule, start: float, end: float) -> Iterator[float]:
    for at in _moments(rule, math.nextafter(start, 0.0)):
        if at > end:
            return
        yield at


def _check_files(patterns: Sequence[str], jitter_s: float) -> None:
    if jitter_s:
        raise InputError("What follows a change of files has no jitter.", where="jitter")
    if not 1 <= len(patterns) <= MAX_PATTERNS:
        raise InputError(
            f"Name 1 to {MAX_PATTERNS} files or patterns; got {len(patterns)}.", where="on_change"
        )
    for pattern in patterns:
        if fault := _pattern_fault(pattern):
            raise InputError(
                f"The pattern {shorten(pattern)!r} can't be used: {fault}.",
                where="on_change",
                remedy="Write one below the workspace, such as data/*.csv",
            )


def _pattern_fault(pattern: str) -> str:
    if not pattern or len(pattern) > cron.MAX_LENGTH:
        return f"it has not 1 to {cron.MAX_LENGTH} characters"
    if pattern.startswith(("/", "~")) or "\\" in pattern:
        return "it is not relative, with forward slashes"
    if any(ord(character) < 32 for character in pattern) or invisible(pattern):
        return "it holds an invisible character"
    parts = pattern.split("/")
    if {"", ".", ".."} & set(parts):
        return "it has an empty part, '.' or '..'"
    is_mixed = any("**" in part and part != "**" for part in parts)
    return "'**' must stand alone between slashes" if is_mixed else ""


def _note(when: When, at: float, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(at, zone)
    wanted = _left_out(when, local, datetime.fromtimestamp(at - 1, zone), zone)
    if wanted is not None:
        return (
            f"{wanted:%H:%M} doesn't exist on {wanted.day} {wanted:%b %Y}; will run {local:%H:%M}."
        )
    is_fixed = isinstance(when, Once) or (isinstance(when, Cron) and cron.is_fixed(when.expression))
    if is_fixed and local.utcoffset() != local.replace(fold=1).utcoffset():
        return f"{local:%H:%M} comes twice on {local.day} {local:%b %Y}; will run the first time."
    return ""


def _left_out(when: When, local: datetime, before: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the time of day that is wanted, and left out by a change of clocks at `local`."""
    gap = (local.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
    if gap <= timedelta():
        return None
    if isinstance(when, Once):
        wanted = local_time(when.at, zone.key)
        return wanted if is_imaginary(wanted) else None
    if isinstance(when, Cron) and cron.is_fixed(when.expression):
        return cron.first_time(when.expression, local - gap, local)
    return None
