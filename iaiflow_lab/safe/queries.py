"""What queries of DuckDB need beside an event loop: tables without pyarrow, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    import duckdb
    import polars as pl

T = TypeVar("T")

#: Pause between two attempts to interrupt a query, in seconds.
_INTERRUPT_AGAIN: Final = 0.1


class ArrowTable:
    """A table as nothing but an Arrow stream, which DuckDB reads without pyarrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


async def interruptible(connection: duckdb.DuckDBPyConnection, work: Awaitable[T]) -> T:
    """Wait for what is done in a thread on a connection; cancelling this ends it first.

    Args:
        connection: What its statements go over.
        work: The work, which ends soon after one of its statements was interrupted.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():  # an interruption between two statements is lost
            connection.interrupt()
            await asyncio.wait([task], timeout=_INTERRUPT_AGAIN)
        if not task.cancelled():
            task.exception()  # the interruption was ours
        raise
