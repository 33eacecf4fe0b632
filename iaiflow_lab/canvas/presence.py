"""Whether a canvas still answers: a tab that is gone must not take turns from others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

#: How long a canvas may be silent while it is sent something, in seconds. It answers about every
#: 15 s; a page in the background may be slower.
PATIENCE: Final = 90.0
#: Pause between two messages to a canvas that is silent, in seconds: it may be there after all.
TRICKLE: Final = 10.0


class Cells:
    """Whether the main thread executes a cell: canvases without a subshell are not heard then."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self.is_busy = False
        #: When the last cell ended, in monotonic seconds.
        self.ended_at = 0.0

    def begin(self) -> None:
        """Note that a cell begins."""
        if _is_main():
            self.is_busy = True

    def end(self) -> None:
        """Note that a cell has ended."""
        if _is_main():
            self.is_busy, self.ended_at = False, self._now()


#: Those of this kernel.
CELLS: Final = Cells()


class Presence:
    """When one canvas was heard last, and since when it has been sent something.

    Args:
        now: Monotonic seconds.
        cells: The kernel's cells.
    """

    def __init__(self, now: Callable[[], float] = monotonic, cells: Cells = CELLS) -> None:
        self._now = now
        self._cells = cells
        self._waits_for_cells = False
        self._unanswered_since: float | None = None
        self._sent_at = 0.0

    def sent(self) -> None:
        """Note that a message is sent to it."""
        self._sent_at = self._now()
        if self._unanswered_since is None:
            self._unanswered_since = self._sent_at

    def hear(self) -> bool:
        """Note that a message of it is handled, and say whether it was silent for too long."""
        was_silent = self.is_silent
        self._unanswered_since = None
        self._waits_for_cells = _is_main()
        return was_silent

    @property
    def is_silent(self) -> bool:
        """Whether it should have answered."""
        since = self._unanswered_since
        if since is None or (self._waits_for_cells and self._cells.is_busy):
            return False
        if self._waits_for_cells:
            since = max(since, self._cells.ended_at)
        return self._now() - since > PATIENCE

    @property
    def has_turn(self) -> bool:
        """Whether it may be sent something now."""
        return not self.is_silent or self._now() - self._sent_at >= TRICKLE


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
