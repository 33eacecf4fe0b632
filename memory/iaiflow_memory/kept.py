"""What small statements answered, kept until something is written.

Planning a statement takes DuckDB about a millisecond, and some look through a column of all rows:
much of what a question needs is the same as for the one before it.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, Final

#: How many rows are kept; when there are more, all are let go of.
_MOST: Final = 100_000


class Kept:
    """Answers of one state of the file. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = 0
        self._done = 0
        self._of = 0  # the state whose answers these are
        self._answers: dict[Hashable, Any] = {}
        self._rows = 0

    def begin(self) -> None:
        """Note that the file is about to be written."""
        with self._lock:
            self._begun += 1

    def end(self) -> None:
        """Note that it was written, or not: either way answers may be others now."""
        with self._lock:
            self._done += 1

    @property
    def state(self) -> int:
        """The number of the file's state; what is being written comes later."""
        return self._done

    def is_still(self, state: int) -> bool:
        """Return whether nothing was written, or was about to be, since a state was looked at."""
        return self._begun == state

    def find(self, state: int, key: Hashable) -> Any:
        """Return the answer that is kept of a state, or None."""
        with self._lock:
            return self._answers.get(key) if state == self._of else None

    def keep(self, state: int, key: Hashable, answer: Any, rows: int) -> None:
        """Keep an answer of a state; those of an earlier one go.

        Args:
            state: The state.
            key: What was asked.
            answer: Any value but None; nobody changes it.
            rows: How many rows it holds.
        """
        with self._lock:
            if state < self._of or rows > _MOST:
                return
            if state > self._of or self._rows + rows > _MOST:
                self._answers.clear()
                self._of, self._rows = state, 0
            self._answers[key] = answer
            self._rows += rows
