"""Time, as seconds since the Unix epoch (UTC), behind one small door."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Final, Protocol

from iaiflow_memory.errors import BadInput

#: The end of an interval that has none.
FOREVER: Final = math.inf
#: What is taken for a moment: seconds since the epoch, or a datetime (without a zone: UTC).
Moment = float | datetime


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch (UTC)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch (UTC)."""
        return time.time()


def seconds(moment: Moment | None, default: float, where: str) -> float:
    """Return a moment as seconds since the epoch.

    Args:
        moment: Seconds, a datetime (without a zone it is UTC), or None.
        default: What None stands for, in seconds.
        where: The name of the field, for the fault.

    Raises:
        BadInput: It is no moment.
    """
    if moment is None:
        return default
    if isinstance(moment, datetime):
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.timestamp()
    if isinstance(moment, bool) or not isinstance(moment, int | float) or math.isnan(moment):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadInput(
            f"{moment!r} is not a moment",
            where=where,
            remedy="give a datetime or seconds since 1970 (UTC)",
        )
    return float(moment)
