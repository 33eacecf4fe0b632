from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from iaiflow_lab.errors import InputError, NodeError, NotFoundError

FLIGHTS = pl.DataFrame(
    {
        "carrier": ["UA", "AA", "UA", "DL", None],
        "delay": [5, 20, None, 40, 1],
        "day": [dt.date(2013, 1, day) for day in range(1, 6)],
        "at": [dt.datetime(2013, 1, 1, hour, tzinfo=dt.UTC) for hour in range(5)],
    }
)
AIRLINES = pl.DataFrame({"carrier": ["UA", "AA"], "name": ["United", "American"]})


class Stream:
    """A table of some other library: nothing but an Arrow stream."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "json", "ndjson", "arrow", "feather"])
@pytest.mark.parametrize("lazy", [False, True])
def test_tables_come_back_from_every_format(call, suffix: str, lazy: bool) -> None:
    frame = FLIGHTS.select("carrier", "delay")
    path = call("table.write", {"table": frame.lazy() if lazy else frame}, path=f"t/a.{suffix}")[
        "out"
    ]
    back = call("table.read", path=path, lazy=lazy)["out"]
    assert isinstance(back, pl.LazyFrame if lazy else pl.DataFrame)
    assert back.lazy().collect().equals(frame)


def test_only_the_columns_asked_for_are_read(call) -> None:
    call("table.write", {"table": FLIGHTS}, path="a.parquet")
    assert call("table.read", path="a.parquet", columns=["delay"])["out"].columns == ["delay"]
    with pytest.raises(NodeError, match=r"no column 'dealy'; columns: carrier, delay") as caught:
        call("table.read", path="a.parquet", columns=["dealy"])
    assert caught.value.remedy == "Did you mean 'delay'?"


def test_files_that_hold_no_table_are_explained(call, workspace: Path) -> None:
    (workspace / "a.parquet").write_bytes(b"nonsense")
    (workspace / "a.json").write_text("{")
    (workspace / "empty.csv").write_text("")
    for name in ("a.parquet", "a.json", "empty.csv"):
        with pytest.raises(NodeError, match=r"no .* table that can be read"):
            call("table.read", path=name)
    with pytest.raises(NotFoundError):
        call("table.read", path="b.csv")
    with pytest.raises(InputError, match="does not say how"):
        call("table.read", path="a.xlsx")
    with pytest.raises(InputError, match="can't be used"):
        call("table.read", path="*.csv")


@pytest.mark.parametrize(
    ("config", "days"),
    [
        ({"column": "carrier", "value": "UA"}, [1, 3]),
        ({"column": "carrier", "op": "!=", "value": "UA"}, [2, 4]),
        ({"column": "delay", "op": ">", "value": 5}, [2, 4]),
        ({"column": "delay", "op": "<=", "value": 5}, [1, 5]),
        ({"column": "delay", "op": "between", "value": [5, 20]}, [1, 2]),
        ({"column": "carrier", "op": "in", "value": ["AA", "DL"]}, [2, 4]),
        ({"column": "carrier", "op": "not in", "value": ["AA", "DL"]}, [1, 3]),
        ({"column": "carrier", "op": "contains", "value": "A"}, [1, 2, 3]),
        ({"column": "carrier", "op": "starts with", "value": "D"}, [4]),
        ({"column": "carrier", "op": "ends with", "value": "A"}, [1, 2, 3]),
        ({"column": "delay", "op": "is null"}, [3]),
        ({"column": "carrier", "op": "is not null"}, [1, 2, 3, 4]),
        ({"column": "day", "op": ">=", "value": "2013-01-04"}, [4, 5]),
        ({"column": "at", "op": "<", "value": "2013-01-01T02:00:00"}, [1, 2]),
        ({"column": "at", "op": "<", "value": "2013-01-01T03:00:00+01:00"}, [1, 2]),
        ({"where": "delay > 5 AND carrier = 'AA'"}, [2]),
        ({"where": "delay > 5", "column": "carrier", "value": "DL"}, [4]),
    ],
)
@pytest.mark.parametrize("kind", ["eager", "lazy", "stream"])
def test_rows_are_kept_by_their_values(call, config: dict[str, Any], days: list[int], kind) -> None:
    table = {"eager": FLIGHTS, "lazy": FLIGHTS.lazy(), "stream": Stream(FLIGHTS)}[kind]
    kept = call("table.filter", {"table": table}, **config)["out"]
    assert isinstance(kept, pl.LazyFrame) == (kind == "lazy")
    assert [day.day for day in kept.lazy().collect()["day"]] == days


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "no condition"),
        ({"column": "carier", "value": 1}, "no column 'carier'"),
        ({"column": "delay", "op": "in", "value": 3}, "must be a list"),
        ({"column": "delay", "op": "between", "value": [1]}, "lowest and the highest"),
        ({"column": "carrier", "op": "contains", "value": 3}, "must be a text"),
        ({"column": "delay", "op": "="}, "null"),
        ({"column": "day", "value": "tomorrow"}, "is no date"),
        ({"column": "delay", "op": ">", "value": "many"}, "failed"),
        ({"column": "delay", "op": "~", "value": 1}, "op"),
        ({"where": "delay >"}, "no SQL expression"),
        ({"where": "SELECT 1"}, "no SQL expression"),
        ({"where": "nothing > 1"}, "failed"),
        ({"where": "delay; DROP"}, "no SQL expression"),
    ],
)
def test_bad_conditions_are_explained(call, config: dict[str, Any], says: str) -> None:
    with pytest.raises(NodeError, match=says) as caught:
        call("table.filter", {"table": FLIGHTS}, **config)
    assert caught.value.remedy


def test_what_is_no_table_is_refused(call) -> None:
    with pytest.raises(NodeError):
        call("table.filter", {"table": [1, 2]}, where="a > 1")


def test_tables_are_joined_on_equal_columns(call) -> None:
    tables = {"left": FLIGHTS, "right": AIRLINES}
    joined = call("table.join", tables, on=["carrier"])["out"]
    assert joined["name"].to_list() == ["United", "American", "United"]
    left = call("table.join", tables, on=["carrier"], how="left")["out"]
    assert left["name"].to_list() == ["United", "American", "United", None, None]
    assert call("table.join", tables, on=["carrier"], how="anti")["out"].height == 2
    assert call("table.join", tables, how="cross")["out"].height == 10


def test_columns_of_different_names_can_be_joined_and_lazy_stays_lazy(call) -> None:
    right = AIRLINES.rename({"carrier": "code"}).lazy()
    made = call(
        "table.join", {"left": FLIGHTS, "right": right}, left_on=["carrier"], right_on=["code"]
    )
    assert isinstance(made["out"], pl.LazyFrame)
    assert made["out"].collect().height == 3


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "needs columns"),
        ({"left_on": ["carrier"]}, "as many left as right"),
        ({"on": ["name"]}, "'left' has no column 'name'"),
        ({"on": ["delay"]}, "'right' has no column 'delay'"),
        ({"on": ["carrier"], "how": "cross"}, "cross join has no"),
        ({"left_on": ["delay"], "right_on": ["name"]}, "failed"),
    ],
)
def test_bad_joins_are_explained(call, config: dict[str, Any], says: str) -> None:
    with pytest.raises(NodeError, match=says):
        call("table.join", {"left": FLIGHTS, "right": AIRLINES}, **config)


def test_groups_are_summed_up_in_order_of_appearance(call) -> None:
    values = {"n": "count(*)", "mean": "avg(delay)", "half": "sum(delay) / 2"}
    made = call("table.aggregate", {"table": FLIGHTS}, by=["carrier"], values=values)["out"]
    assert made["carrier"].to_list() == ["UA", "AA", "DL", None]
    assert made["n"].to_list() == [2, 1, 1, 1]
    assert made["mean"].to_list() == [5.0, 20.0, 40.0, 1.0]
    whole = call("table.aggregate", {"table": FLIGHTS.lazy()}, values={"top": "max(delay)"})["out"]
    assert isinstance(whole, pl.LazyFrame)
    assert whole.collect().to_dicts() == [{"top": 40}]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"values": {}}, "nothing to compute"),
        ({"values": {"x": "avg("}}, "no SQL expression"),
        ({"values": {"x": "avg(nothing)"}}, "failed"),
        ({"values": {"x": "median(delay)"}, "by": ["carier"]}, "no column 'carier'"),
        ({"values": {"carrier": "count(*)"}, "by": ["carrier"]}, "both a group and a value"),
        ({}, "values"),
    ],
)
def test_bad_sums_are_explained(call, config: dict[str, Any], says: str) -> None:
    with pytest.raises(NodeError, match=says):
        call("table.aggregate", {"table": FLIGHTS}, **config)


@pytest.mark.parametrize(
    "text",
    [
        "a IN (SELECT b FROM read_csv('secret.csv'))",
        "a = (SELECT max(b) FROM read_csv('secret.csv'))",
        "a IN (FROM read_csv('secret.csv'))",
        "a IN (FROM \"READ_CSV\"('secret.csv'))",
        "EXISTS (WITH q AS (FROM read_parquet('http://localhost/x')) FROM q)",
    ],
)
def test_an_expression_opens_no_files(call, workspace: Path, text: str) -> None:
    (workspace / "secret.csv").write_text("password\nhunter2\n")
    with pytest.raises(NodeError, match="it holds"):
        call("table.filter", {"table": pl.DataFrame({"a": ["x"]})}, where=text)
    with pytest.raises(NodeError, match="it holds"):
        call("table.aggregate", {"table": pl.DataFrame({"a": ["x"]})}, values={"v": text})
