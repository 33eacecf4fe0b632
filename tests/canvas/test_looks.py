"""Values as they are shown: every kind, huge ones, broken ones, and what must stay whole."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import io
import json
import threading
from typing import Any

import altair as alt
import duckdb
import ipywidgets
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.canvas.json_text import json_text
from iaiflow_lab.canvas.previews import LIMIT, preview
from iaiflow_lab.canvas.texts import short
from iaiflow_lab.canvas.views import view

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FRAME = pl.DataFrame({"n": range(1_000), "text": [None, "x" * 500] * 500})


def rows_of(buffer: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(buffer))


def test_a_table_shows_its_head_and_its_size() -> None:
    shown = preview(FRAME, "table")
    assert (shown["kind"], shown["type"], shown["total"]) == ("table", "table", 1_000)
    assert shown["columns"] == [
        {"name": "n", "type": "Int64"},
        {"name": "text", "type": "String"},
    ]
    assert shown["rows"][0] == ["0", None]
    assert len(shown["rows"][1][1]) == 200


def test_a_table_is_paged_by_arrow() -> None:
    shown, (buffer,) = view(FRAME, "table", offset=990, limit=100)
    assert (shown["total"], shown["offset"], shown["count"]) == (1_000, 990, 10)
    assert rows_of(buffer)["n"].to_list() == list(range(990, 1_000))
    assert len(buffer) < 10_000  # the asked rows only
    beyond, (empty,) = view(FRAME, "table", offset=5_000, limit=10)
    assert (beyond["count"], rows_of(empty).height) == (0, 0)


def test_lazy_tables_are_not_computed() -> None:
    def never(frame: pl.DataFrame) -> pl.DataFrame:
        raise AssertionError("computed")

    lazy = FRAME.lazy().map_batches(never, schema=FRAME.schema)
    shown = preview(lazy, "table")
    assert (shown["total"], shown["rows"], len(shown["columns"])) == (None, [], 2)
    viewed, (buffer,) = view(lazy, "table")
    assert (viewed["total"], viewed["count"]) == (None, 0)
    assert rows_of(buffer).columns == ["n", "text"]


def test_a_query_is_not_executed() -> None:
    relation = duckdb.sql("select error('executed') as a, 1 as b")
    shown = preview(relation, "table")
    assert [column["name"] for column in shown["columns"]] == ["a", "b"]
    assert (shown["rows"], shown["total"]) == ([], None)


class OneShot:
    """A stream of which any use uses it up."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        raise AssertionError("the stream was read")


def test_a_stream_is_not_used_up() -> None:
    assert preview(OneShot(), "table")["total"] is None
    assert view(OneShot(), "table")[0]["count"] == 0
    generator = iter([1, 2])
    assert preview(generator)["kind"] == "object"
    assert list(generator) == [1, 2]


class Known:
    """A table that another library holds: it can be read again, and tells its length."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self.columns = frame.columns
        self.num_rows = frame.height

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)


def test_tables_of_other_libraries_are_paged() -> None:
    shown, (buffer,) = view(Known(FRAME), "table", offset=3, limit=2)
    assert (shown["total"], shown["count"]) == (1_000, 2)
    assert rows_of(buffer)["n"].to_list() == [3, 4]


class Located:
    """Rows by position, as pandas gives them."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._data = columns
        self.columns = list(columns)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), len(self.columns)

    def __len__(self) -> int:
        return len(self._data[self.columns[0]])

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        raise ImportError("pyarrow is missing")

    @property
    def iloc(self) -> Any:
        return _Positions(self._data)


class _Positions:
    def __init__(self, data: dict[str, list[Any]]) -> None:
        self._data = data

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return Located({name: items[key] for name, items in self._data.items()})
        return _Items(list(self._data.values())[key[1]])


class _Items(list[Any]):
    def tolist(self) -> list[Any]:
        return list(self)


def test_pandas_tables_need_no_pyarrow() -> None:
    table = Located({"a": list(range(100)), "b": [object(), {"x": 1}] * 50})
    shown = preview(table, "table")
    assert (shown["total"], shown["rows"][1][0]) == (100, "1")
    viewed, (buffer,) = view(table, "table", offset=98, limit=10)
    assert viewed["count"] == 2
    assert rows_of(buffer)["a"].to_list() == [98, 99]


def test_columns_that_few_readers_know_become_text() -> None:
    frame = pl.DataFrame(
        {
            "o": pl.Series([object(), object()], dtype=pl.Object),
            "i": pl.Series([1, 2], dtype=pl.Int128),
        }
    )
    _, (buffer,) = view(frame, "table")
    assert rows_of(buffer).schema == {"o": pl.String, "i": pl.String}


def test_huge_cells_do_not_travel_whole() -> None:
    _, (buffer,) = view(pl.DataFrame({"a": ["x" * 10_000_000]}), "table")
    assert len(buffer) < 100_000


def test_texts_are_cut_and_paged() -> None:
    text = "äbc" * 10_000
    shown = preview(text, "text")
    assert (shown["kind"], shown["size"]) == ("text", 30_000)
    assert text.startswith(shown["text"])
    viewed, _ = view(text, "text", offset=2, limit=3)
    assert viewed == {"kind": "text", "text": "cäb", "size": 30_000, "offset": 2}


@dataclasses.dataclass
class Record:
    day: dt.date
    scores: tuple[float, ...]


def test_records_are_json() -> None:
    shown = preview(Record(dt.date(2026, 1, 2), (0.5, float("nan"))), "json")
    assert shown["kind"] == "json"
    assert json.loads(shown["text"]) == {"day": "2026-01-02", "scores": [0.5, "nan"]}
    assert not shown["cut"]


def test_pictures_travel_as_they_are() -> None:
    shown = preview(PNG, "image")
    assert base64.b64decode(shown["bundle"]["data"]["image/png"]) == PNG
    viewed, buffers = view(PNG, "image")
    assert (viewed["media_type"], buffers) == ("image/png", [PNG])
    svg = "<?xml version='1.0'?>\n<!-- drawn --><svg xmlns='x'></svg>"
    assert "image/svg+xml" in preview(svg.encode())["bundle"]["data"]
    assert preview(svg, "image")["kind"] == "bundle"
    assert preview(svg, "text")["kind"] == "text"


def test_large_pictures_are_named_not_sent() -> None:
    shown = preview(PNG + b"\0" * 100_000, "image")
    assert shown["kind"] == "object"
    assert "image/png" in shown["text"]
    assert shown["size"] == len(PNG) + 100_000


def test_charts_are_drawn() -> None:
    chart = alt.Chart(pl.DataFrame({"a": [1, 2]})).mark_bar().encode(x="a")
    assert "<svg" in preview(chart)["bundle"]["data"]["image/svg+xml"]
    assert view(chart)[0]["kind"] == "image"


def test_a_chart_that_fetches_is_refused() -> None:
    chart = alt.Chart(alt.UrlData("http://127.0.0.1:9/data.json")).mark_bar().encode(x="a:Q")
    shown = preview(chart)
    assert shown["kind"] == "object"
    assert "can't be shown" in shown["text"]


def test_widgets_are_live_and_leave_something_behind() -> None:
    data = preview(ipywidgets.IntSlider(value=3))["bundle"]["data"]
    assert "model_id" in data["application/vnd.jupyter.widget-view+json"]
    assert "IntSlider" in data["text/plain"]
    picture = preview(ipywidgets.Image(value=PNG))["bundle"]["data"]
    assert base64.b64decode(picture["image/png"]) == PNG


class Shown:
    def __init__(self, size: int) -> None:
        self._size = size

    def _repr_html_(self) -> str:
        return f"<b>{'x' * self._size}</b>"

    def _repr_markdown_(self) -> str:
        return "**x**"


def test_objects_show_themselves_as_far_as_it_fits() -> None:
    assert preview(Shown(1))["bundle"]["data"].keys() == {
        "text/html",
        "text/markdown",
        "text/plain",
    }
    assert "text/html" not in preview(Shown(LIMIT))["bundle"]["data"]
    assert "text/html" in view(Shown(LIMIT))[0]["bundle"]["data"]


class Broken:
    def __repr__(self) -> str:
        raise SystemExit

    def _repr_html_(self) -> str:
        raise ValueError("<b>no</b>")


class Endless:
    def __init__(self) -> None:
        self.stopped = threading.Event()

    def __repr__(self) -> str:
        try:
            while True:
                pass
        finally:
            self.stopped.set()


class Heavy:
    def __init__(self) -> None:
        self.held = [0] * 1_000_000

    def __repr__(self) -> str:
        raise AssertionError("it would have been huge")


def test_nothing_breaks_or_hangs_a_look() -> None:
    assert "can't be shown" in preview(Broken())["text"]
    assert "can't" in view(Broken())[0]["text"]
    endless = Endless()
    assert "takes too long" in short(endless)
    assert endless.stopped.wait(30)  # its thread was stopped
    assert "Heavy object" in preview(Heavy())["text"]
    assert preview(10**20_000)["kind"] == "json"


@pytest.mark.parametrize(
    "value",
    [
        list(range(3_000_000)),
        {f"key{n}": "x" * 100 for n in range(100_000)},
        "x" * 5_000_000,
        b"\xff" * 5_000_000,
        [[["deep"] * 100] * 100] * 100,
        {"text": "x" * 5_000_000},
        pl.DataFrame({f"c{n}": ["x" * 1_000] * 20 for n in range(200)}),
    ],
    ids=["list", "dict", "text", "bytes", "nested", "long", "wide"],
)
def test_previews_stay_small(value: Any) -> None:
    assert len(json.dumps(preview(value))) <= LIMIT


def nested() -> Any:
    value: Any = "end"
    for _ in range(5_000):
        value = [value]
    return value


def test_depth_is_no_fault() -> None:
    assert preview(nested())["cut"]
    loop: list[Any] = []
    loop.append(loop)
    assert preview(loop)["cut"]
    assert "..." in short({"a": loop})


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
    ),
)


@given(anything, st.integers(-5, 50), st.integers(-5, 50))
def test_every_value_has_a_preview_and_a_view(value: Any, offset: int, limit: int) -> None:
    shown = preview(value)
    assert len(json.dumps(shown)) <= LIMIT
    viewed, buffers = view(value, offset=offset, limit=limit)
    json.dumps(viewed, allow_nan=False)
    assert all(isinstance(buffer, bytes) for buffer in buffers)


@given(anything, st.integers(20, 400))
def test_json_is_valid_however_much_is_left_out(value: Any, limit: int) -> None:
    text, is_cut = json_text(value, limit)
    json.loads(text, parse_constant=pytest.fail)
    assert is_cut or len(text) <= limit


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
)


@given(plain_json)
def test_json_that_fits_is_whole(value: Any) -> None:
    spelled = json.dumps(value, ensure_ascii=False)
    assert json_text(value, max(20, len(spelled))) == (spelled, False)


def test_data_that_names_what_it_is_is_shown_whole() -> None:
    words = ["word"] * 5_000
    plain = preview({"kind": "words", "words": words}, "json")
    named = preview({"kind": "words/1", "words": words}, "json")
    assert plain["cut"]
    assert not named["cut"]
    assert json.loads(named["text"])["words"] == words
