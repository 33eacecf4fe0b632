"""For how long an answer is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from iaiflow_agents.errors import ModelFault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long an answer is waited for, in seconds."""

    #: Until there is a connection.
    connect: float = 10.0
    #: While nothing at all comes.
    silence: float = 120.0
    #: While nothing but signs of life comes.
    signs: float = 600.0


async def within(doing: Awaitable[T], seconds: float) -> T:
    """Await something for so long at most: also what says a byte now and then has to end.

    Raises:
        TimeoutError: It took longer.
    """
    async with asyncio.timeout(seconds):
        return await doing


async def in_time(
    events: AsyncIterator[T], seconds: float, stalled: Callable[[], ModelFault]
) -> AsyncIterator[T]:
    """Yield events as they come.

    A service that sends a byte now and then is not silent, and yet it says nothing: what counts
    here is the time between two events.

    Raises:
        ModelFault: What `stalled` returns, when `seconds` pass without one.
    """
    while True:
        try:
            async with asyncio.timeout(seconds):
                event = await anext(events)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise stalled() from None
        yield event
