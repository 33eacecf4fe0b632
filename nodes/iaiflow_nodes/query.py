"""SQL over the tables of a flow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.names import listed
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.safe.queries import ArrowTable, frame_of, interruptible
from iaiflow_lab.sdk.annotations import Sql, Table
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_nodes import frames

if TYPE_CHECKING:
    import duckdb
    import polars as pl

#: Where the parser says that it stopped.
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


def _check(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    """Yield what the parser refuses; nothing is executed."""
    query = config.get("query")
    if not isinstance(query, str) or "query" in wired:
        return
    import duckdb

    try:
        if not duckdb.extract_statements(query):
            yield Fault("query", "The query has no statement.", "Write one, such as `SELECT 1`.")
    except duckdb.Error as error:
        said, line = str(error).partition("\n")[0], _LINE.search(str(error))
        at = f"Line {line[1]}" if line else "The query"
        yield Fault("query", f"{at} is no SQL: {said.rstrip('.')}.", "Correct the query.")


@node("sql", category="Tables", title="SQL", check=_check)
async def sql(
    ctx: Context, *, query: Sql, memory_mb: int = 1024, threads: int = 2, **tables: Table
) -> Table:
    """Query the wired tables with DuckDB's SQL; each is a table under its input's name.

    `$name` stands for the flow's parameter of that name. Several statements may follow each other;
    the last one gives the rows. The query sees the wired tables only: no files, no network, no
    extensions, and its settings cannot be changed.

    Args:
        query: The SQL.
        memory_mb: Most memory it may use, in megabytes.
        threads: How many threads it may use.
        tables: The tables, by name.
    """
    connection = await asyncio.to_thread(_connect, memory_mb, threads)
    work = asyncio.to_thread(_run, connection, query, tables, dict(ctx.params))
    return await interruptible(connection, work)


def _connect(memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    import duckdb

    if memory_mb < 16 or threads < 1:
        raise NodeError(
            "A query needs at least 16 MB and one thread.",
            remedy="Raise memory_mb or threads.",
            code="config-invalid",
        )
    connection = duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_unsigned_extensions": "false",
            "python_enable_replacements": "false",  # else it reads variables of this very code
            "memory_limit": f"{memory_mb}MB",
            "threads": str(threads),
        },
    )
    connection.execute("SET lock_configuration = true")
    return connection


def _run(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    tables: Mapping[str, Any],
    params: Mapping[str, Any],
) -> pl.DataFrame:
    import duckdb

    try:
        for name, table in tables.items():
            connection.register(name, ArrowTable(frames.eager(table, name)))
        statements = duckdb.extract_statements(query)
        if not statements:
            raise _refused("there is no statement", tables)
        for statement in statements[:-1]:
            connection.execute(statement, _chosen(statement.named_parameters, params))
        last = statements[-1]
        rows = connection.sql(last, params=_chosen(last.named_parameters, params) or None)
        if rows is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise _refused("the last statement gives no rows", tables)
        return frame_of(rows)
    except duckdb.Error as error:
        raise _refused(" ".join(str(error).split()), tables) from error
    finally:
        connection.close()


def _chosen(names: Iterable[str], params: Mapping[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for name in names:
        if name not in params:
            raise NodeError(
                f"The query uses ${name}, and the flow has no such parameter.",
                remedy=f"Add it to the flow; its parameters: {listed(params)}.",
                code="sql-failed",
            )
        chosen[name] = params[name]
    return chosen


def _refused(said: str, tables: Iterable[str]) -> NodeError:
    return NodeError(
        f"The query failed: {said.rstrip('.')}.",
        remedy=f"Correct the query; its tables: {listed(tables)}.",
        code="sql-failed",
    )
