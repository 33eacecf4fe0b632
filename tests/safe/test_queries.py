from __future__ import annotations

import asyncio

import duckdb
import pytest

from iaiflow_lab.safe.queries import interruptible


def test_work_that_ends_while_it_is_interrupted_is_cancelled() -> None:
    async def cancelled() -> None:
        connection = duckdb.connect()
        begun, ended = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await ended.wait()

        task = asyncio.create_task(interruptible(connection, work()))
        await begun.wait()
        connection.close()  # as a thread does at the end of its work
        task.cancel()
        asyncio.get_running_loop().call_soon(ended.set)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
