"""Clean-up that nobody may cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    return task.result()


async def on_other_loop(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    """Await `work` on another thread's loop; when the caller is cancelled, wait for its end."""
    inner: asyncio.Task[Any] | None = None

    async def known() -> T:
        nonlocal inner
        inner = asyncio.current_task()
        return await work

    ended = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(known(), loop))
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError:
        if inner is None:
            ended.cancel()
        else:
            loop.call_soon_threadsafe(inner.cancel)
            await to_the_end(asyncio.wait({ended}))
        raise
