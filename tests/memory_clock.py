"""The clock of a test's memory: it stands still until it is set."""

from __future__ import annotations

#: What it shows first, in seconds since the epoch.
START = 1_700_000_000.0


class Hand:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time
