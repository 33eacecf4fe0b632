"""Tells the streams of an application, without a thread for each, that something was committed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from iaiflow_lab.store.database import Database

#: Pause between two looks, in seconds.
_LOOK_EVERY: Final = 0.025


class News:
    """Notices commits; started and ended with the application."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._count = 0
        self._is_over = False
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """A number that rises with every news."""
        return self._count

    @property
    def is_over(self) -> bool:
        """Whether the application ends, so that streams have to."""
        return self._is_over

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look())

    def end(self) -> None:
        """Have the streams end; may be called from any thread."""
        self._is_over = True

    async def stop(self) -> None:
        """End looking, and wake whoever waits."""
        self._is_over = True
        async with self._changed:
            self._changed.notify_all()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def after(self, count: int, timeout: float) -> None:
        """Wait until there is news after `count`, the application ends, or `timeout` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: self._count > count or self._is_over)

    async def _look(self) -> None:
        watch = self._db.watch()
        try:
            while True:
                if watch.changed() or self._is_over:
                    async with self._changed:
                        self._count += 1
                        self._changed.notify_all()
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            watch.close()
