"""Tables as the table nodes see them: polars frames, lazy ones kept lazy."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.names import did_you_mean, listed
from iaiflow_lab.sdk.values import is_lazy

if TYPE_CHECKING:
    import polars as pl


def lazy(table: Any, port: str) -> pl.LazyFrame:
    """Return a table as a lazy frame; nothing is copied or computed.

    Raises:
        NodeError: It is no table.
    """
    import polars as pl

    if is_lazy(table):
        return table
    if isinstance(table, pl.DataFrame):
        return table.lazy()
    if not hasattr(table, "__arrow_c_stream__"):
        raise NodeError(
            f"The input {port!r} is no table but a {type(table).__name__}.",
            remedy="Wire the output of a table node into it, or a polars or pandas table.",
            code="no-table",
        )
    try:
        return pl.DataFrame(table).lazy()
    except Exception as error:
        raise refused(error) from error


def eager(table: Any, port: str) -> pl.DataFrame:
    """Return a table with its rows computed.

    Raises:
        NodeError: It is no table, or computing its rows failed.
    """
    import polars as pl

    if isinstance(table, pl.DataFrame):
        return table
    frame = lazy(table, port)
    try:
        return frame.collect()
    except Exception as error:
        raise refused(error) from error


def like(result: pl.LazyFrame, *sources: Any) -> pl.LazyFrame | pl.DataFrame:
    """Return `result` lazy when one of its sources is; else with its rows computed.

    Raises:
        NodeError: An expression does not fit the columns.
    """
    try:
        if any(is_lazy(source) for source in sources):
            result.collect_schema()
            return result
        return result.collect()
    except Exception as error:
        raise refused(error) from error


def require(columns: Iterable[str], frame: pl.LazyFrame, port: str) -> None:
    """Refuse columns that a table does not have.

    Raises:
        NodeError: Names the first, and the columns there are.
    """
    known = frame.collect_schema().names()
    for column in columns:
        if column not in known:
            raise NodeError(
                f"The table {port!r} has no column {column!r}; columns: {listed(known, 30)}.",
                remedy=did_you_mean(column, known) or "Name one of them.",
                code="column-missing",
            )


def refused(error: Exception) -> NodeError:
    """Return what polars says, as one sentence."""
    said = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return NodeError(
        f"The table operation failed: {said.rstrip('.')}.",
        remedy="Check the columns' names and types.",
        code="table-failed",
    )


#: What reads other tables; polars opens their files already when it reads the expression.
_QUERY = re.compile(r"\bselect\b|\bread_(?:csv|ipc|json|parquet)\b", re.IGNORECASE)


def sql_expression(text: str, what: str) -> pl.Expr:
    """Read an SQL expression over the columns of one table, such as `avg(dep_delay)`.

    Raises:
        NodeError: It is none, or it holds a query of its own.
    """
    import polars as pl

    if found := _QUERY.search(text):
        raise NodeError(
            f"{what} {text!r} is no SQL expression over the table's columns: it holds "
            f"{found[0]!r}.",
            remedy="Use the sql node for queries, or column, op and value for such a text.",
            code="expression-invalid",
        )
    try:
        return pl.sql_expr(text)
    except Exception as error:
        said = next(iter(str(error).splitlines()), "").rstrip(".")
        raise NodeError(
            f"{what} {text!r} is no SQL expression: {said}.",
            remedy="Write something like dep_delay > 15, or avg(dep_delay).",
            code="expression-invalid",
        ) from None
