"""Tables in files of the workspace."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iaiflow_lab.errors import InputError, NodeError
from iaiflow_lab.sdk.annotations import File, Table, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_nodes import frames, places

if TYPE_CHECKING:
    import polars as pl

#: What the end of a file's name says of its format.
_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
}


def _stamp(ctx: Context, *, path: str, **_: Any) -> str:
    return places.stamp(ctx, path)


@node(
    "table.read",
    category="Tables",
    title="Read table",
    effects="read",
    fingerprint=_stamp,
)
def read_table(
    ctx: Context, *, path: Template, columns: list[str] | None = None, lazy: bool = False
) -> Table:
    """Read a table from CSV, TSV, Parquet, JSON, NDJSON or Arrow, by the end of the file's name.

    Args:
        path: The file, from the flow's folder on.
        columns: Which columns to read; all when left out.
        lazy: Read only what later nodes ask for. Such a table is not stored: after a crash the
            node runs again.
    """
    format_ = _format(path)
    file = places.existing(ctx, path)
    try:
        frame = _scan(file, format_)
        if columns is not None:
            frames.require(columns, frame, path)
            frame = frame.select(columns)
        frame.collect_schema()
        return frame if lazy else frame.collect()
    except NodeError:
        raise
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise NodeError(
            f"The file is no {format_} table that can be read: {said.rstrip('.')}.",
            where=path,
            remedy="Check the file, and that its ending says what it holds.",
            code="table-unreadable",
        ) from error


def _scan(file: Path, format_: str) -> pl.LazyFrame:
    import polars as pl

    if format_ == "csv":
        return pl.scan_csv(file, try_parse_dates=True, glob=False)
    if format_ == "tsv":
        return pl.scan_csv(file, separator="\t", try_parse_dates=True, glob=False)
    if format_ == "parquet":
        return pl.scan_parquet(file, glob=False)
    if format_ == "ndjson":
        return pl.scan_ndjson(file)
    if format_ == "arrow":
        return pl.scan_ipc(file, glob=False)
    return pl.read_json(file).lazy()


@node("table.write", category="Tables", title="Write table", effects="write", untrusted=False)
def write_table(table: Table, ctx: Context, *, path: Template) -> File:
    """Write a table as CSV, TSV, Parquet, JSON, NDJSON or Arrow, by the end of the file's name.

    The file is replaced as a whole; gives its path.

    Args:
        table: The table.
        path: The file, from the flow's folder on; missing folders are made.
    """
    write = _WRITERS[_format(path)]
    frame = frames.eager(table, "table")
    file = places.writable(ctx, path)
    try:
        places.replace(file, lambda made: write(frame, made))
    except NodeError:
        raise
    except Exception as error:
        raise frames.refused(error) from error
    return places.relative(ctx, file)


_WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    "csv": lambda frame, file: frame.write_csv(file),
    "tsv": lambda frame, file: frame.write_csv(file, separator="\t"),
    "parquet": lambda frame, file: frame.write_parquet(file),
    "json": lambda frame, file: frame.write_json(file),
    "ndjson": lambda frame, file: frame.write_ndjson(file),
    "arrow": lambda frame, file: frame.write_ipc(file, compression="zstd"),
}


def _format(path: str) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise InputError(
            f"{path!r} does not say how the table is written.",
            remedy=f"Use a name that ends in {', '.join(_FORMATS)}.",
            code="format-unknown",
        )
    return _FORMATS[suffix]
