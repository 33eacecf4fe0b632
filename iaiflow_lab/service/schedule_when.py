"""Rules from what people give: one of a few ways, and the machine's own zone."""

from __future__ import annotations

from collections.abc import Sequence

from tzlocal import get_localzone_name

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.moment import zone_of
from iaiflow_lab.model.schedule import Cron, FileChange, Interval, Once, Rule, When


def make_rule(
    *,
    cron: str | None = None,
    every: float | None = None,
    at: str | None = None,
    on_change: Sequence[str] | None = None,
    zone: str | None = None,
    start: float | None = None,
    end: float | None = None,
    jitter: float = 0.0,
) -> Rule:
    """Return the rule that is meant; whether it makes sense is checked later.

    Args:
        cron: A cron expression.
        every: An interval, in seconds.
        at: One moment, such as `2026-12-01T06:00`.
        on_change: Files of the workspace, or patterns of them.
        zone: IANA name; None: the machine's own zone.
        start: Not before this moment, in seconds since the Unix epoch.
        end: Not after this moment.
        jitter: Up to so many seconds later, by chance.

    Raises:
        InputError: Not exactly one of `cron`, `every`, `at` and `on_change` is given.
    """
    given: list[When] = []
    if cron is not None:
        given.append(Cron(cron))
    if every is not None:
        given.append(Interval(every))
    if at is not None:
        given.append(Once(at))
    if on_change:
        given.append(FileChange(tuple(on_change)))
    if len(given) != 1:
        raise InputError(
            f"A schedule has one rule; {len(given)} are given.",
            remedy="Give one of cron, every, at and on_change",
        )
    return Rule(given[0], local_zone() if zone is None else zone, start, end, jitter)


def local_zone() -> str:
    """Return the machine's time zone by its IANA name; `UTC` where it has none."""
    try:
        return zone_of(get_localzone_name() or "UTC").key
    except (InputError, KeyError, ValueError):  # the system names a zone that there is not
        return "UTC"
