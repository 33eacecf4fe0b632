"""Sends what changed to all canvases of this kernel, at a pace that the server lets pass."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Final, Protocol
from weakref import WeakSet

#: Messages a second to all canvases together. Jupyter's server drops what exceeds its limit.
RATE: Final = 30


class Source(Protocol):
    """What notes things where they happen, to be looked through later."""

    def fold(self) -> None:
        """Take what was noted into account."""
        ...


class Destination(Protocol):
    """One canvas."""

    @property
    def is_behind(self) -> bool:
        """Whether there is something to send."""
        ...

    def flush(self) -> None:
        """Send one message."""
        ...


class Outbox:
    """One thread that folds what sources noted and lets destinations send, in turn.

    Args:
        rate: Messages a second.
        now: Monotonic seconds.
        pause: Waits some seconds.
    """

    def __init__(
        self,
        rate: float = RATE,
        now: Callable[[], float] = monotonic,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._interval = 1.0 / rate
        self._now = now
        self._pause = pause
        self._next_at = 0.0
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._sources: WeakSet[Source] = WeakSet()
        self._destinations: list[Destination] = []
        self._thread: threading.Thread | None = None

    def add(self, destination: Destination) -> None:
        """Serve a canvas from now on."""
        with self._lock:
            self._destinations.append(destination)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="iaiflow-canvas", daemon=True
                )
                self._thread.start()
        self.wake()

    def remove(self, destination: Destination) -> None:
        """Serve a canvas no longer."""
        with self._lock:
            if destination in self._destinations:
                self._destinations.remove(destination)

    def listen(self, source: Source) -> None:
        """Fold what a source notes, as long as somebody else holds it."""
        with self._lock:
            self._sources.add(source)

    def wake(self) -> None:
        """Say that there is something new; costs next to nothing when that is known already."""
        if not self._news.is_set():
            self._news.set()

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            self.serve()
            self._pause(self._interval)  # what happens meanwhile is folded at once

    def serve(self) -> None:
        """Fold everything, and send one message to each canvas that is behind."""
        with self._lock:
            sources, destinations = list(self._sources), list(self._destinations)
        _fold(sources)
        for destination in destinations:
            if destination.is_behind:
                self._wait()
                _fold(sources)
                _flush(destination)
        if any(destination.is_behind for destination in destinations):
            self._news.set()

    def _wait(self) -> None:
        """Wait until the next message may go; the first after a quiet time goes at once."""
        now = self._now()
        if now < self._next_at:
            self._pause(self._next_at - now)
        self._next_at = max(now, self._next_at) + self._interval


def _fold(sources: list[Source]) -> None:
    for source in sources:
        try:
            source.fold()
        except Exception as error:  # the other flows go on
            sys.stderr.write(f"The canvas lost an event: {type(error).__name__}: {error}\n")


def _flush(destination: Destination) -> None:
    try:
        destination.flush()
    except Exception as error:  # the other canvases go on
        sys.stderr.write(f"A canvas lost a message: {type(error).__name__}: {error}\n")


#: The one of this kernel.
OUTBOX: Final = Outbox()
