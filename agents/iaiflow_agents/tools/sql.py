"""SQL that only reads, over the tables of an agent."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from iaiflow_agents.tools.functions import tool
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.threads import in_thread
from iaiflow_agents.tools.tool import Tool, ToolResult
from iaiflow_lab.errors import InputError, NodeError
from iaiflow_lab.model.names import listed, shorten
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.safe.queries import ArrowTable, frame_of, interruptible
from iaiflow_lab.sdk.values import is_lazy, is_table, rows

if TYPE_CHECKING:
    import duckdb
    import polars as pl

#: How long a query may take, in seconds.
TIMEOUT: Final = 30.0
#: Most rows that a query gives.
MAX_ROWS: Final = 10_000
#: Most memory that a query may use.
_MEMORY: Final = "512MB"
#: Most columns of a table that the description names.
_MOST_COLUMNS: Final = 60
#: How files that hold tables are named.
SUFFIXES: Final = (".csv", ".parquet", ".json", ".ndjson", ".jsonl", ".arrow", ".feather")


def sql_tool(reach: Reach, *, timeout: float = TIMEOUT) -> Tool:
    """Return the tool that asks the tables of an agent by SQL.

    A query is one SELECT in a database of its own that holds the tables and nothing else: it can
    neither write, nor read files, nor reach the network, nor load extensions.

    Args:
        reach: What the tools of the agent may reach: its tables.
        timeout: Longest time of a query, in seconds.
    """

    @tool(name="sql", effects="read", timeout=timeout, description=_description(reach.tables))
    async def sql(query: str) -> Any:
        """Ask the tables.

        Args:
            query: One SELECT in DuckDB's SQL, without a semicolon behind it.
        """
        connection = await asyncio.to_thread(_connect)  # an import must not be broken off
        work = in_thread(lambda: _run(connection, query, reach.tables))
        return await interruptible(connection, work)

    return replace(sql, source="SQL over the tables of the agent")


def file_table(reach: Reach, path: str) -> tuple[str, Any]:
    """Return a file of the workspace as a table that is read when it is asked, with its name.

    Args:
        reach: What the tools of the agent may reach.
        path: The file, from the folder of the agent's flow on.

    Raises:
        InputError, NotFoundError: It is no file that holds a table.
    """
    place = safe_path(reach.context.folder, path, must_exist=True)
    hidden = any(part.startswith(".") for part in path.removeprefix("./").split("/"))
    if not place.is_file() or hidden or place.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{path!r} is no file with a table.", remedy=f"Use one of {', '.join(SUFFIXES)}."
        )
    return place.stem, _scan(place)


def _scan(place: Path) -> pl.LazyFrame:
    import polars as pl

    match place.suffix.lower():
        case ".csv":
            return pl.scan_csv(place, try_parse_dates=True)
        case ".parquet":
            return pl.scan_parquet(place)
        case ".ndjson" | ".jsonl":
            return pl.scan_ndjson(place)
        case ".json":
            return pl.read_json(place).lazy()
        case _:
            return pl.scan_ipc(place)


def _description(tables: Mapping[str, Any]) -> str:
    head = (
        "Ask tables by SQL. The query is one SELECT in DuckDB's dialect; it can only read these "
        f"tables. At most {MAX_ROWS:,} rows are given, and few of them are shown: aggregate."
    )
    said = [head, *map(_table_line, tables, tables.values())]
    return "\n".join(said if tables else [*said, "There are no tables; only values: SELECT 1 + 1."])


def _table_line(name: str, table: Any) -> str:
    import polars as pl

    try:
        if is_lazy(table):
            schema = table.collect_schema()
        else:
            frame = table if isinstance(table, pl.DataFrame) else pl.DataFrame(table).head(0)
            schema = frame.schema
    except Exception as error:
        return f"- {_quoted(name)}: its columns can't be read ({shorten(str(error))})"
    columns = [f"{_quoted(column)} {kind}" for column, kind in schema.items()]
    more = f", and {len(columns) - _MOST_COLUMNS} more" if len(columns) > _MOST_COLUMNS else ""
    count = rows(table)
    size = "" if count is None else f" ({count:,} rows)"
    return f"- {_quoted(name)}{size}: {', '.join(columns[:_MOST_COLUMNS])}{more}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connect() -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_unsigned_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",  # else it reads variables of this very code
            "memory_limit": _MEMORY,
            "temp_directory": "",
            "threads": "2",
        },
    )
    connection.execute("SET lock_configuration = true")
    return connection


def _run(connection: duckdb.DuckDBPyConnection, query: str, tables: Mapping[str, Any]) -> Any:
    import duckdb

    try:
        _check(query)
        for name in _named(connection, query, tables):
            connection.register(name, ArrowTable(_frame(tables[name], name)))
        found = connection.sql(query)
        frame = frame_of(found.limit(MAX_ROWS + 1))
    except duckdb.Error as error:
        raise _refused(" ".join(str(error).split()), tables) from error
    finally:
        connection.close()
    if frame.height <= MAX_ROWS:
        return frame
    from iaiflow_agents.tools.results import table_text

    kept = frame.head(MAX_ROWS)
    return ToolResult(
        f"More than {MAX_ROWS:,} rows; the rest is left out.\n{table_text(kept)}", value=kept
    )


def _check(query: str) -> None:
    import duckdb

    statements = duckdb.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise NodeError(
            "The query is not one SELECT, and nothing else is done here.",
            remedy="Write one SELECT; a WITH before it is fine.",
            code="sql-refused",
        )


def _named(
    connection: duckdb.DuckDBPyConnection, query: str, tables: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the tables that a query may mean; others are not computed."""
    asked = {name.lower().rpartition(".")[2].strip('"') for name in _tables(connection, query)}
    for name, table in tables.items():
        if not is_lazy(table) or not asked or name.lower() in asked:
            yield name


def _tables(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    import duckdb

    try:
        return connection.get_table_names(query)
    except duckdb.Error:
        return set()


def _frame(table: Any, name: str) -> pl.DataFrame:
    import polars as pl

    if isinstance(table, pl.DataFrame):
        return table
    try:
        if is_lazy(table):
            return table.collect()
        if is_table(table):
            return pl.DataFrame(table)
    except Exception as error:
        raise NodeError(f"The table {name!r} can't be read: {error}.", code="no-table") from error
    raise NodeError(
        f"{name!r} is no table but a {type(table).__name__}.",
        remedy="Give the agent polars or pandas tables, or others that speak Arrow.",
        code="no-table",
    )


def _refused(said: str, tables: Mapping[str, Any]) -> NodeError:
    return NodeError(
        f"The query failed: {said.rstrip('.')}.",
        remedy=f"Correct it; the tables: {listed(tables)}.",
        code="sql-failed",
    )
