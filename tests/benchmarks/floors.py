"""The least that Python itself needs: plain asyncio and plain threads, in seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor


def graph(after: Mapping[int, Sequence[int]], waits: Sequence[int]) -> float:
    """Run a graph of trivial coroutines with a task for each, and nothing else.

    Args:
        after: Followers of each node.
        waits: How many nodes each one waits for.
    """

    async def run() -> float:
        left, results = list(waits), [0] * len(waits)
        ended = asyncio.get_running_loop().create_future()
        open_nodes = len(waits)

        async def node(number: int) -> None:
            nonlocal open_nodes
            results[number] = await _plus(number)
            for follower in after.get(number, ()):
                left[follower] -= 1
                if left[follower] == 0:
                    begin(follower)
            open_nodes -= 1
            if open_nodes == 0:
                ended.set_result(None)

        tasks: set[asyncio.Task[None]] = set()

        def begin(number: int) -> None:
            task = asyncio.ensure_future(node(number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        started = time.perf_counter()
        for number, count in enumerate(waits):
            if count == 0:
                begin(number)
        await ended
        return time.perf_counter() - started

    return asyncio.run(run())


async def _plus(value: int) -> int:
    return value + 1


def chain(count: int) -> float:
    """Run a chain."""
    return graph({n: [n + 1] for n in range(count - 1)}, [0] + [1] * (count - 1))


def fan(count: int) -> float:
    """Run independent nodes."""
    return graph({}, [0] * count)


def sleeps(count: int, seconds: float) -> float:
    """Sleep `count` times at once."""
    return _all(lambda: asyncio.sleep(seconds), count)


def hops(count: int) -> float:
    """Hop to a pool thread and back, `count` times at once."""
    pool = ThreadPoolExecutor(64)
    try:
        return _all(lambda: asyncio.get_running_loop().run_in_executor(pool, int), count)
    finally:
        pool.shutdown()


def _all(make: Callable[[], Awaitable[object]], count: int) -> float:
    async def run() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(make() for _ in range(count)))
        return time.perf_counter() - started

    return asyncio.run(run())
