"""Tables: choosing rows, joining, summing up. Lazy tables stay lazy."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.annotations import Json, Sql, Table
from iaiflow_lab.sdk.node import node
from iaiflow_nodes import frames

if TYPE_CHECKING:
    import polars as pl

Operator = Literal[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not in",
    "between",
    "contains",
    "starts with",
    "ends with",
    "is null",
    "is not null",
]


@node("table.filter", category="Tables", title="Filter")
def filter_(
    table: Table, *, column: str = "", op: Operator = "=", value: Json = None, where: Sql = ""
) -> Table:
    """Keep the rows that fulfil a condition.

    The condition is either a column, an operator and a value, or an SQL condition over the
    columns, such as `dep_delay > 15 AND carrier = 'UA'`. With both, a row must fulfil both. As in
    SQL, a comparison with a missing value is not fulfilled.

    Args:
        table: The table.
        column: The column that is compared.
        op: How it is compared.
        value: With what; a list for `in`, `not in` and `between` (lowest and highest). Dates are
            written as 2013-01-31 or 2013-01-31T06:00:00.
        where: An SQL condition.
    """
    frame = frames.lazy(table, "table")
    if not column and not where:
        raise NodeError(
            "There is no condition.",
            remedy="Give a column with an operator and a value, or an SQL condition in `where`.",
            code="config-invalid",
        )
    if column:
        frames.require([column], frame, "table")
        dtype = frame.collect_schema()[column]
        frame = frame.filter(_condition(column, op, value, dtype))
    if where:
        frame = frame.filter(frames.sql_expression(where, "The condition"))
    return frames.like(frame, table)


def _condition(column: str, op: Operator, value: Any, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    left = pl.col(column)
    if op in {"is null", "is not null"}:
        return left.is_null() if op == "is null" else left.is_not_null()
    if op in {"in", "not in"}:
        choices = [_typed(item, dtype, column) for item in _list(value, op)]
        return left.is_in(choices) if op == "in" else ~left.is_in(choices)
    if op == "between":
        low, high = _pair(value)
        return left.is_between(_typed(low, dtype, column), _typed(high, dtype, column))
    if op in _TEXT:
        if not isinstance(value, str):
            raise _bad_value(op, "a text")
        return _TEXT[op](left.cast(pl.String), value)
    if value is None:
        raise NodeError(
            f"Nothing is {op} null.",
            remedy="Use 'is null' or 'is not null'.",
            code="config-invalid",
        )
    return _COMPARISONS[op](left, _typed(value, dtype, column))


_COMPARISONS: dict[str, Callable[[Any, Any], pl.Expr]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_TEXT: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "contains": lambda left, text: left.str.contains(text, literal=True),
    "starts with": lambda left, text: left.str.starts_with(text),
    "ends with": lambda left, text: left.str.ends_with(text),
}


def _list(value: Any, op: str) -> list[Any]:
    if not isinstance(value, list):
        raise _bad_value(op, "a list")
    return value  # pyright: ignore[reportUnknownVariableType]


def _pair(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2:  # pyright: ignore[reportUnknownArgumentType]
        raise _bad_value("between", "a list of the lowest and the highest value")
    return value  # pyright: ignore[reportUnknownVariableType]


def _bad_value(op: str, wanted: str) -> NodeError:
    return NodeError(
        f"The value for {op!r} must be {wanted}.",
        remedy="Correct the value.",
        code="config-invalid",
    )


def _typed(value: Any, dtype: pl.DataType, column: str) -> Any:
    """Return a JSON value as the column's own type has it: dates come as texts."""
    import polars as pl

    if not isinstance(value, str) or not isinstance(dtype, pl.Date | pl.Datetime):
        return value
    try:
        if isinstance(dtype, pl.Date):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise NodeError(
            f"{value!r} is no date, and {column!r} holds dates.",
            remedy="Write 2013-01-31 or 2013-01-31T06:00:00.",
            code="config-invalid",
        ) from None
    zone = dtype.time_zone
    if moment.tzinfo is None:
        return pl.lit(moment).dt.replace_time_zone(zone)
    if zone is None:
        return pl.lit(moment.replace(tzinfo=None))
    return pl.lit(moment).dt.convert_time_zone(zone)


@node("table.join", category="Tables", title="Join")
def join(
    left: Table,
    right: Table,
    *,
    on: list[str] | None = None,
    left_on: list[str] | None = None,
    right_on: list[str] | None = None,
    how: Literal["inner", "left", "right", "full", "semi", "anti", "cross"] = "inner",
    suffix: str = "_right",
) -> Table:
    """Join two tables on equal columns.

    Args:
        left: The first table; its rows keep their order.
        right: The second table.
        on: The columns that must be equal, when both tables name them alike.
        left_on: The columns of the first table, when the names differ.
        right_on: The columns of the second table, in the same order.
        how: Which rows are kept: those with a partner (inner), all of the left, right or both
            (full), those of the left that have a partner (semi) or none (anti), all pairs (cross).
        suffix: Put behind names that both tables have.
    """
    first, second = frames.lazy(left, "left"), frames.lazy(right, "right")
    keys = {"left_on": left_on or on, "right_on": right_on or on}
    if how == "cross":
        if any(keys.values()):
            raise _bad_keys("A cross join has no columns that must be equal.")
        keys = {}
    else:
        names, others = keys["left_on"] or [], keys["right_on"] or []
        if not names or len(names) != len(others):
            raise _bad_keys("A join needs columns that must be equal, as many left as right.")
        frames.require(names, first, "left")
        frames.require(others, second, "right")
    result = first.join(
        second,
        how=how,
        suffix=suffix,
        coalesce=None if how == "cross" else True,
        maintain_order="none" if how == "cross" else _order(how),
        **keys,  # pyright: ignore[reportArgumentType]
    )
    return frames.like(result, left, right)


def _order(how: str) -> Literal["left", "left_right", "right"]:
    if how == "full":
        return "left_right"
    return "right" if how == "right" else "left"


def _bad_keys(what: str) -> NodeError:
    return NodeError(what, remedy="Set `on`, or `left_on` and `right_on`.", code="config-invalid")


@node("table.aggregate", category="Tables", title="Aggregate")
def aggregate(table: Table, *, by: list[str] | None = None, values: dict[str, str]) -> Table:
    """Sum up a table, for each group of rows or as a whole.

    Args:
        table: The table.
        by: The columns that make the groups, in order of their first appearance; one row for the
            whole table when left out.
        values: New columns by name, as SQL: `count(*)`, `avg(dep_delay)`, `max(distance)`,
            `count(distinct tailnum)`, `sum(distance) / 1000`.
    """
    frame = frames.lazy(table, "table")
    groups = by or []
    frames.require(groups, frame, "table")
    if not values and not groups:
        raise NodeError(
            "There is nothing to compute.",
            remedy='Give `values`, such as {"flights": "count(*)"}.',
            code="config-invalid",
        )
    for name in values:
        if name in groups:
            raise NodeError(
                f"{name!r} is both a group and a value.",
                remedy="Rename the value.",
                code="config-invalid",
            )
    made = [frames.sql_expression(text, "The value").alias(name) for name, text in values.items()]
    result = frame.group_by(groups, maintain_order=True).agg(made) if groups else frame.select(made)
    return frames.like(result, table)
