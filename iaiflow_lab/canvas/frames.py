"""Tables to look at: their columns, and the rows that are asked for, nothing else.

A lazy table is never computed and a stream that can be read once is never touched.
"""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, cast

from iaiflow_lab.canvas.texts import cut, getattr_safe, short
from iaiflow_lab.sdk import values

if TYPE_CHECKING:
    import polars as pl

#: Packages whose tables compute something when they are counted or read.
_LAZY: Final = frozenset({"duckdb", "_duckdb", "ibis", "dask", "daft", "pyspark", "sqlframe"})
#: Cells of a table that can only be read whole, at most, for its rows to be shown.
_MOST_CELLS: Final = 5_000_000
#: Longest text of one cell, in characters.
_CELL: Final = 200
#: Longest text or bytes that one cell sends to the table view, in characters.
_SENT_CELL: Final = 10_000
_BIG: Final = 4_000_000

Column = dict[str, str]


def is_lazy(value: Any) -> bool:
    """Say whether looking at the table's rows would compute it, or use it up."""
    return values.is_lazy(value) or _package(value) in _LAZY or not _is_at_rest(value)


def total(value: Any) -> int | None:
    """Return how many rows a table has; None when that is not known without computing it."""
    return None if is_lazy(value) else values.rows(value)


def columns(value: Any) -> list[Column]:
    """Return the names and types of a table's columns; none when only its rows would tell."""
    if values.is_lazy(value):
        return _of_schema(value.collect_schema())
    if is_lazy(value):
        return _told(value)
    frame = rows(value, 0, 0)
    return _told(value) if frame is None else _of_schema(frame.schema)


def rows(value: Any, offset: int, limit: int) -> pl.DataFrame | None:
    """Return the rows of a table from `offset` on, `limit` at most; None when it is lazy."""
    import polars as pl

    if values.is_lazy(value):
        return pl.DataFrame(schema=value.collect_schema())
    if is_lazy(value):
        return None
    if hasattr(value, "to_frame") and not hasattr(value, "columns"):  # one column by itself
        value = value.to_frame()
    if hasattr(value, "iloc"):
        return _of_pandas(value.iloc[offset : offset + limit])
    if hasattr(value, "slice"):
        return _frame(value.slice(min(offset, len(value)), limit))
    count = values.rows(value)
    width = max(1, len(_told(value)))
    if count is None or count * width > _MOST_CELLS:
        return None
    return _frame(value).slice(offset, limit)


def cells(frame: pl.DataFrame) -> list[list[str | None]]:
    """Return the rows as short texts, cell by cell; None is a missing value."""
    return [[_cell(value) for value in row] for row in frame.iter_rows()]


def stream(frame: pl.DataFrame) -> bytes:
    """Return the rows as an Arrow IPC stream that any reader of the format takes."""
    import polars as pl

    frame = _plain(frame)
    if frame.estimated_size() > _BIG:
        frame = _with_short_texts(frame)
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()


def empty(columns: list[Column]) -> bytes:
    """Return an Arrow IPC stream without rows, for a table of which only the columns are known."""
    import polars as pl

    return stream(pl.DataFrame(schema={column["name"]: pl.String for column in columns}))


def _package(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _is_at_rest(value: Any) -> bool:
    """Say whether the table can be read again and again: it knows how long it is."""
    if any(isinstance(getattr_safe(value, name), int) for name in ("height", "num_rows")):
        return True
    return isinstance(getattr_safe(value, "shape"), tuple) or hasattr(
        cast("Any", type(value)), "__len__"
    )


def _frame(value: Any) -> pl.DataFrame:
    import polars as pl

    return value if isinstance(value, pl.DataFrame) else pl.DataFrame(value)


def _of_pandas(value: Any) -> pl.DataFrame:
    """Return a few rows of a pandas table; without pyarrow they go over column by column."""
    import polars as pl

    try:
        return pl.DataFrame(value)
    except Exception:  # pyarrow is missing, or a column holds Python objects
        found = {str(name): value.iloc[:, at].tolist() for at, name in enumerate(value.columns)}
        return pl.DataFrame({name: _series(name, items) for name, items in found.items()})


def _series(name: str, items: list[Any]) -> pl.Series:
    import polars as pl

    try:
        return pl.Series(name, items, strict=True)
    except Exception:
        return pl.Series(name, [None if item is None else short(item, _CELL) for item in items])


def _of_schema(schema: Any) -> list[Column]:
    named = cast("dict[str, Any]", schema)
    return [{"name": name, "type": cut(str(dtype), 80)} for name, dtype in named.items()]


def _told(value: Any) -> list[Column]:
    """Return the columns as a table tells them by itself."""
    schema = getattr_safe(value, "schema")
    names = getattr_safe(schema, "names") or getattr_safe(value, "columns")
    types = getattr_safe(schema, "types") or getattr_safe(value, "types")
    if not isinstance(names, list | tuple):
        return []
    listed = [str(name) for name in cast("list[Any]", names)]
    known: list[str] = []
    if isinstance(types, list | tuple):
        known = [cut(str(one), 80) for one in cast("list[Any]", types)]
    known += [""] * (len(listed) - len(known))
    return [{"name": name, "type": kind} for name, kind in zip(listed, known, strict=False)]


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return cut(value, _CELL)
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return cut(str(value), _CELL) if isinstance(value, int | float) else _shown(value)


def _shown(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return str(value)
    return short(value, _CELL)


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn columns that other readers of Arrow do not know into texts."""
    import polars as pl

    odd = [
        name
        for name, dtype in frame.schema.items()
        if dtype == pl.Object or "128" in str(dtype) or "Extension" in type(dtype).__name__
    ]
    if not odd:
        return frame
    return frame.with_columns(
        pl.Series(name, [_cell(value) for value in frame[name]], dtype=pl.String) for name in odd
    )


def _with_short_texts(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    changed: list[pl.Series] = []
    for name, dtype in frame.schema.items():
        if dtype == pl.String:
            changed.append(frame[name].str.slice(0, _SENT_CELL))
        elif dtype == pl.Binary or dtype.is_nested():
            changed.append(pl.Series(name, [_cell(v) for v in frame[name]], dtype=pl.String))
    return frame.with_columns(changed)
