"""Time, behind one small door so that queue and workers can be simulated."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, shared by all processes since boot."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since boot; the same zero for every process."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""
        time.sleep(seconds)
