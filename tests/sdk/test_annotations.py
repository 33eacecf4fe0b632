"""From annotations to port types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import polars as pl
import pytest
from pydantic import BaseModel

from iaiflow_lab.sdk import annotations as an


class Invoice(BaseModel):
    total: float


@dataclass
class Plain:
    x: int


class Keys(TypedDict):
    x: int


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, "text"),
        (int, "number"),
        (float, "number"),
        (bool, "boolean"),
        (dict, "json"),
        (dict[str, int], "json"),
        (Mapping[str, Any], "json"),
        (list, "list[any]"),
        (list[str], "list[text]"),
        (list[list[int]], "list[list[number]]"),
        (tuple[str, ...], "list[text]"),
        (Sequence[an.Table], "list[table]"),
        (bytes, "bytes"),
        (Path, "file"),
        (Any, "any"),
        (object, "any"),
        (str | None, "text"),
        (int | float, "number"),
        (int | str, "json"),
        (int | bytes, "any"),
        (Literal["a", "b"], "text"),
        (an.Table, "table"),
        (an.Image, "image"),
        (an.File, "file"),
        (an.Json, "json"),
        (an.Template, "text"),
        (Annotated[int, "other"], "number"),
        (Annotated[Any, an.As("list[table]")], "list[table]"),
        (pl.DataFrame, "table"),
        (pl.LazyFrame, "table"),
        (pl.Expr, "any"),
        (Invoice, "model:Invoice"),
        (list[Invoice], "list[model:Invoice]"),
        (Plain, "json"),
        (Keys, "json"),
        (set[int], "any"),
    ],
)
def test_port_types(annotation: Any, expected: str) -> None:
    assert str(an.port_type(annotation)) == expected


def test_streams_records_and_widgets() -> None:
    assert an.streamed_item(Iterator[int]) is int
    assert an.streamed_item(int) is int
    assert an.record_fields(Plain) == {"x": int}
    assert an.record_fields(Keys) == {"x": int}
    assert an.record_fields(int) is None
    assert [an.widget(a) for a in (an.Template, an.Sql, an.Python, str)] == [
        "template",
        "sql",
        "python",
        None,
    ]
