"""What queries of DuckDB need beside an event loop: tables without pyarrow, and an end."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    import duckdb
    import polars as pl

T = TypeVar("T")

#: Pause between two attempts to interrupt a query, in seconds.
_INTERRUPT_AGAIN: Final = 0.1
#: Types that polars has no form for, wherever they stand in one; at some of them it panics.
_FORMLESS: Final = re.compile(r"\b(?:BIGNUM|BIT|INTERVAL|UNION|VARIANT)\b")
#: A name of a field in a type.
_NAME: Final = re.compile(r'"(?:[^"]|"")*"')


class ArrowTable:
    """A table as nothing but an Arrow stream, which DuckDB reads without pyarrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def frame_of(rows: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """Return the rows of a query as a frame; what polars has no form for becomes text.

    Args:
        rows: The query; it is executed now.

    Raises:
        duckdb.Error: It fails.
    """
    import polars as pl

    formless = [_FORMLESS.search(_NAME.sub("", str(kind))) is not None for kind in rows.types]
    if not any(formless):
        return pl.DataFrame(rows)
    columns = enumerate(zip(rows.columns, formless, strict=True), 1)
    chosen = [_as_text(n, name) if is_formless else f"#{n}" for n, (name, is_formless) in columns]
    return pl.DataFrame(rows.project(", ".join(chosen)))


def _as_text(number: int, name: str) -> str:
    quoted = name.replace('"', '""')
    return f'CAST(#{number} AS VARCHAR) AS "{quoted}"'


async def interruptible(connection: duckdb.DuckDBPyConnection, work: Awaitable[T]) -> T:
    """Wait for what is done in a thread on a connection; cancelling this ends it first.

    Args:
        connection: What its statements go over.
        work: The work, which ends soon after one of its statements was interrupted.
    """
    import duckdb

    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():  # an interruption between two statements is lost
            with suppress(duckdb.ConnectionException):  # it was closed just now: the work ends
                connection.interrupt()
            await asyncio.wait([task], timeout=_INTERRUPT_AGAIN)
        if not task.cancelled():
            task.exception()  # the interruption was ours
        raise
