"""From the engine's events to the journal: in order, in batches, with a way to wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from iaiflow_lab.engine.ports import Journal
from iaiflow_lab.engine.setup import Durability
from iaiflow_lab.model.event import Event

#: Longest time that an event waits for company, in seconds.
_PAUSE = 0.025
#: Events that end the wait.
_BATCH = 256


class Recording:
    """Hands events to a journal from a thread of its own.

    Args:
        journal: Where they go.
        durability: "batched" waits up to 25 ms for more events; otherwise each is written at once.
        on_failure: Called once, on the writer's thread, when the journal refuses.
    """

    def __init__(
        self,
        journal: Journal,
        durability: Durability,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._journal = journal
        self._pause = _PAUSE if durability == "batched" else 0.0
        self._on_failure = on_failure
        self._changed = threading.Condition()
        self._waiting: list[Event] = []
        self._added = 0
        self._written = 0
        self._hurry = False
        self._closed = False
        self.failure: BaseException | None = None
        self._writer = threading.Thread(target=self._write_all, name="iaiflow-journal", daemon=True)
        self._writer.start()

    def add(self, *events: Event) -> None:
        """Take events; any thread may call this. After `close` they are forgotten."""
        with self._changed:
            if self._closed:
                return
            wake = not self._waiting or len(self._waiting) + len(events) >= _BATCH
            self._waiting.extend(events)
            self._added += len(events)
            if wake:
                self._changed.notify_all()

    def flush(self) -> None:
        """Block until everything taken so far is committed.

        Raises:
            BaseException: What the journal raised.
        """
        with self._changed:
            target = self._added
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._written >= target or self.failure is not None)
        if self.failure is not None:
            raise self.failure

    async def flushed(self) -> None:
        """Wait, without blocking the loop, until everything taken so far is committed."""
        with self._changed:
            clean = self._written >= self._added and self.failure is None
        if not clean:
            await asyncio.get_running_loop().run_in_executor(None, self.flush)

    def close(self) -> None:
        """Write what is left and end the writer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._writer.join()

    def _write_all(self) -> None:
        while batch := self._next_batch():
            try:
                if self.failure is None:
                    self._journal.append(batch)
            except BaseException as error:
                self.failure = error
                self._on_failure(error)
            with self._changed:
                self._written += len(batch)
                self._changed.notify_all()

    def _next_batch(self) -> Sequence[Event]:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
            deadline = monotonic() + self._pause
            self._changed.wait_for(self._is_urgent, timeout=max(0.0, deadline - monotonic()))
            batch, self._waiting = self._waiting, []
            self._hurry = False
            return batch

    def _is_urgent(self) -> bool:
        return self._hurry or self._closed or len(self._waiting) >= _BATCH


class Unrecorded:
    """Stands in for a recording when there is no journal: a bare run in this process."""

    failure: BaseException | None = None

    def add(self, *events: Event) -> None:
        """Forget the events."""

    def flush(self) -> None:
        """Return at once."""

    async def flushed(self) -> None:
        """Return at once."""

    def close(self) -> None:
        """Do nothing."""


def open_recording(
    journal: Journal | None,
    durability: Durability,
    on_failure: Callable[[BaseException], None],
) -> Recording | Unrecorded:
    """Return a recording over `journal`, or one that forgets when there is none."""
    return Unrecorded() if journal is None else Recording(journal, durability, on_failure)
