"""A lock that many may share or one may have alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator


class Gate:
    """Lets many threads through at once, or one alone; who is inside may come in again."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._inside = 0
        self._waiting = 0
        self._mine = threading.local()

    @contextlib.contextmanager
    def shared(self) -> Generator[None]:
        """Come in beside others; waits while one is alone, or wants to be."""
        depth = getattr(self._mine, "depth", 0)
        if depth == 0:
            with self._turn:
                self._turn.wait_for(lambda: not self._waiting)
                self._inside += 1
        self._mine.depth = depth + 1
        try:
            yield
        finally:
            self._mine.depth = depth
            if depth == 0:
                with self._turn:
                    self._inside -= 1
                    self._turn.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Come in when all others are out, and keep them out; not for who is inside already."""
        with self._turn:
            self._waiting += 1
            try:
                self._turn.wait_for(lambda: self._inside == 0)
                self._mine.depth = 1
                yield
            finally:
                self._mine.depth = 0
                self._waiting -= 1
                self._turn.notify_all()

    def is_inside(self) -> bool:
        """Return whether this thread is inside."""
        return getattr(self._mine, "depth", 0) > 0
