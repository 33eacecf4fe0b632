"""Charts."""

# pyright: reportUnknownMemberType=false
# polars names types of libraries that are not installed here
from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.event import StepDisplay
from iaiflow_lab.sdk.annotations import Image, Json, Table
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_nodes import frames

if TYPE_CHECKING:
    import polars as pl

#: A chart of more rows than this says nothing and is slow to draw.
MAX_ROWS = 20_000

Mark = Literal["bar", "line", "area", "point", "rect", "boxplot"]


class Drawn(TypedDict):
    """A chart in two forms."""

    #: SVG or PNG.
    out: Image
    #: The Vega-Lite specification, data included.
    spec: Json


@node("chart", category="Tables", title="Chart")
def chart(
    table: Table,
    ctx: Context,
    *,
    kind: Mark = "bar",
    x: str,
    y: str,
    color: str = "",
    title: str = "",
    sort: Literal["", "x", "-x", "y", "-y"] = "",
    format: Literal["svg", "png"] = "svg",  # noqa: A002  the word people expect
    width: int = 640,
    height: int = 360,
) -> Drawn:
    """Draw a table: one mark for each row.

    Args:
        table: The table, summed up so far that each row is a mark; at most 20,000 rows.
        kind: Which mark.
        x: The column from left to right.
        y: The column from bottom to top.
        color: The column that tells marks apart by colour.
        title: What stands above the chart.
        sort: Order of the marks along x: by x or y, with a minus from high to low; as in the table
            when left out.
        format: SVG or PNG.
        width: Width of the drawing area, in pixels.
        height: Height of the drawing area, in pixels.
    """
    frame = _selected(table, sorted({x, y, color} - {""}))
    spec = _spec(frame, kind, (x, y, color), sort)
    spec |= {"width": _size(width), "height": _size(height)}
    if title:
        spec["title"] = title
    png = _render(spec, "png")
    _show(ctx, spec, png, title or f"{kind} chart of {y} by {x}")
    return {"out": png if format == "png" else _render(spec, "svg"), "spec": spec}


def _selected(table: Any, columns: list[str]) -> pl.DataFrame:
    lazy = frames.lazy(table, "table")
    frames.require(columns, lazy, "table")
    frame = frames.eager(lazy.select(columns), "table")
    if frame.height > MAX_ROWS:
        raise NodeError(
            f"The table has {frame.height:,} rows; a chart shows {MAX_ROWS:,} at most.",
            remedy="Sum it up with table.aggregate or sql first.",
            code="too-many-rows",
        )
    return frame


def _spec(
    frame: pl.DataFrame, kind: Mark, columns: tuple[str, str, str], sort: str
) -> dict[str, Any]:
    """Return a Vega-Lite specification that names nothing outside itself."""
    import altair as alt

    x, y, color = columns
    order = {"x": "ascending", "-x": "descending"}.get(sort, sort)
    as_in_table = None if _type(frame, x) == "nominal" else alt.Undefined
    channels: dict[str, Any] = {
        "x": alt.X(field=_field(x), type=_type(frame, x), title=x, sort=order or as_in_table),
        "y": alt.Y(field=_field(y), type=_type(frame, y), title=y),
        "tooltip": [alt.Tooltip(field=_field(n), type=_type(frame, n), title=n) for n in (x, y)],
    }
    if color:
        channels["color"] = alt.Color(field=_field(color), type=_type(frame, color), title=color)
    drawn = getattr(alt.Chart(alt.Data(values=_rows(frame))), f"mark_{kind}")()
    return drawn.encode(**channels).to_dict()


def _field(name: str) -> str:
    """Return a column's name as Vega-Lite reads it: dots and brackets are no paths."""
    for character in ("\\", ".", "[", "]"):
        name = name.replace(character, f"\\{character}")
    return name


def _type(frame: pl.DataFrame, column: str) -> Literal["quantitative", "temporal", "nominal"]:
    dtype = frame.schema[column]
    if dtype.is_numeric():
        return "quantitative"
    return "temporal" if dtype.is_temporal() else "nominal"


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    import polars as pl
    from polars import selectors

    plain = frame.with_columns(
        selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.3f"),
        selectors.date().dt.strftime("%Y-%m-%d"),
        selectors.decimal().cast(pl.Float64),
        selectors.categorical().cast(pl.String),
        selectors.float().fill_nan(None),
    )
    return plain.to_dicts()


def _size(pixels: int) -> int:
    if not 10 <= pixels <= 4_000:
        raise NodeError(
            f"A chart can't be {pixels} pixels wide or high.",
            remedy="Give 10 to 4000 pixels.",
            code="config-invalid",
        )
    return pixels


def _render(spec: dict[str, Any], format_: str) -> bytes:
    import vl_convert

    try:
        if format_ == "svg":
            return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
        return vl_convert.vegalite_to_png(spec, allowed_base_urls=[])
    except ValueError as error:
        said = next(iter(str(error).strip().splitlines()), "")
        raise NodeError(
            f"The chart can't be drawn: {said.rstrip('.')}.",
            remedy="Check the columns' types.",
            code="chart-failed",
        ) from error


def _show(ctx: Context, spec: dict[str, Any], png: bytes, title: str) -> None:
    major = str(spec["$schema"]).rpartition("/v")[2].partition(".")[0]
    bundle = {
        f"application/vnd.vegalite.v{major}+json": spec,
        "image/png": base64.b64encode(png).decode(),
        "text/plain": title,
    }
    ctx.record(StepDisplay(at=ctx.now(), step=ctx.step, data=bundle))
