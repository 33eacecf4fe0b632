from __future__ import annotations

import base64
import datetime as dt
import socket
from typing import Any

import polars as pl
import pytest

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.event import StepDisplay

TABLE = pl.DataFrame(
    {
        "name": ["b", "a", "c"],
        "a.b[0]": [1.5, float("nan"), None],
        "day": [dt.date(2013, 1, day) for day in (1, 2, 3)],
        "at": [dt.datetime(2013, 1, 1, hour, tzinfo=dt.UTC) for hour in (1, 2, 3)],
    }
)


@pytest.mark.parametrize("kind", ["bar", "line", "area", "point", "rect", "boxplot"])
@pytest.mark.parametrize("x", ["name", "day", "at"])
def test_every_kind_of_chart_is_drawn(call, kind: str, x: str) -> None:
    made = call("chart", {"table": TABLE}, kind=kind, x=x, y="a.b[0]", color="name", title="T")
    assert made["out"].startswith(b"<svg")
    assert made["spec"]["title"] == "T"


def test_a_chart_is_an_image_and_shows_itself(call, lab) -> None:
    made = call("chart", {"table": TABLE.lazy()}, x="name", y="a.b[0]", format="png")
    assert made["out"].startswith(b"\x89PNG")
    (shown,) = lab.journal.of(StepDisplay, "n")
    (mime,) = [name for name in shown.data if "vegalite" in name]
    assert shown.data[mime] == made["spec"]
    assert base64.b64decode(shown.data["image/png"]) == made["out"]
    assert shown.data["text/plain"] == "bar chart of a.b[0] by name"


@pytest.mark.parametrize(
    ("sort", "order"), [("", None), ("x", "ascending"), ("-x", "descending"), ("-y", "-y")]
)
def test_marks_are_ordered_as_asked(call, sort: str, order: Any) -> None:
    made = call("chart", {"table": TABLE}, x="name", y="a.b[0]", sort=sort)
    assert made["spec"]["encoding"]["x"]["sort"] == order


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"x": "nam", "y": "day"}, "no column 'nam'"),
        ({"x": "name", "y": "day", "color": "z"}, "no column 'z'"),
        ({"x": "name", "y": "day", "kind": "pie"}, "kind"),
        ({"x": "name", "y": "day", "width": 5}, "5 pixels"),
        ({"x": "name"}, "y"),
    ],
)
def test_charts_that_cannot_be_drawn_are_explained(call, config: dict[str, Any], says: str) -> None:
    with pytest.raises(NodeError, match=says):
        call("chart", {"table": TABLE}, **config)


def test_too_many_rows_are_refused_before_they_are_drawn(call) -> None:
    table = pl.LazyFrame({"x": range(20_001)}).with_columns(y="x")
    with pytest.raises(NodeError, match="20,001 rows; a chart shows 20,000 at most"):
        call("chart", {"table": table}, x="x", y="y")


def test_a_chart_fetches_nothing(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a chart must not open a connection")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    table = pl.DataFrame({"x": ["https://example.org/a.png"], "y": [1]})
    made = call("chart", {"table": table}, x="x", y="y", title="https://example.org/b.png")
    assert b"<image" not in made["out"]
    assert "url" not in made["spec"]["data"]
