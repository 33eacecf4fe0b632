"""Time of work: it stands still while a step waits for people, moments or messages."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class WorkClock:
    """Times a part of a step's work, and ends it when it takes too long.

    Args:
        seconds: Longest time; None: no limit.
        clocks: Where it stands while it goes.
        holds: How many waits stop it already.
    """

    def __init__(self, seconds: float | None, clocks: set[WorkClock], holds: int) -> None:
        self._seconds, self._clocks, self._holds = seconds, clocks, holds
        self._limit = asyncio.timeout(None)
        #: Seconds before it was stopped last, and when it went on; None: it stands.
        self._before = 0.0
        self._since: float | None = None

    @property
    def worked(self) -> float:
        """How long it went, in seconds."""
        going = 0.0 if self._since is None else asyncio.get_running_loop().time() - self._since
        return self._before + going

    @property
    def has_expired(self) -> bool:
        """Whether it took too long."""
        return self._limit.expired()

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._limit.__aenter__()
        self._clocks.add(self)
        if not self._holds:
            self._go()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """End.

        Raises:
            TimeoutError: It took too long.
        """
        self._clocks.discard(self)
        self._stop()
        return await self._limit.__aexit__(kind, error, trace)

    def hold(self) -> None:
        """Stop it; each time once more."""
        self._holds += 1
        self._stop()

    def release(self) -> None:
        """Let it go on after as many stops."""
        self._holds -= 1
        if not self._holds:
            self._go()

    def _go(self) -> None:
        self._since = asyncio.get_running_loop().time()
        if self._seconds is not None and not self.has_expired:
            self._limit.reschedule(self._since + max(0.0, self._seconds - self._before))

    def _stop(self) -> None:
        self._before, self._since = self.worked, None
        if not self.has_expired:
            self._limit.reschedule(None)
