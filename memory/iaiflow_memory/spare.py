"""Connections that nobody uses now, for the next who needs one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Closing(Protocol):
    """What can be closed."""

    def close(self) -> object:
        """Close it."""
        ...


Line = TypeVar("Line", bound=Closing)


class Spare(Generic[Line]):
    """Keeps connections. A forked child leaves those of its parent alone."""

    def __init__(self) -> None:
        self._begin()

    def take(self) -> Line | None:
        """Return a connection, or None."""
        with self._own():
            return self._lines.pop() if self._lines else None

    def put(self, line: Line) -> None:
        """Keep a connection."""
        with self._own():
            self._lines.append(line)

    def close(self) -> None:
        """Close them all."""
        with self._own():
            for line in self._lines:
                line.close()
            self._lines.clear()

    def _begin(self) -> None:
        self._lock = Lock()
        self._pid = os.getpid()
        self._lines: list[Line] = []

    @contextlib.contextmanager
    def _own(self) -> Generator[None]:
        if self._pid != os.getpid():  # the lock may be held by a thread that is not in this process
            for line in self._lines:
                line.close()
            self._begin()
        with self._lock:
            yield
