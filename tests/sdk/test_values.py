"""Values are stored as Arrow, JSON or bytes, and come back as they were; nothing else is stored."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from harness import MemoryArtifacts
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.types import parse_type
from iaiflow_lab.sdk import values

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


@given(json_values | st.binary())
def test_what_is_stored_comes_back(value: Any) -> None:
    store = MemoryArtifacts()
    ref = values.encode(value, store)
    assert ref.encoding != "live"
    wired = ev.decode(ev.encode(ev.SubstepRecorded(at=0, step="s", key="k", output=ref)))
    assert isinstance(wired, ev.SubstepRecorded)
    back = values.decode(wired.output, store)
    assert back == value
    assert type(back) is type(value)


def test_tables() -> None:
    store = MemoryArtifacts()
    frame = pl.DataFrame({"x": [1, 2], "y": ["a", None]})
    for table in (frame, frame.lazy().collect()):
        ref = values.encode(table, store)
        assert (ref.encoding, ref.rows) == ("arrow", 2)
        assert values.decode(ref, store).equals(frame)
    assert values.preview(frame) == "2 rows x 2 columns: x, y"


def test_big_json_goes_to_an_artifact() -> None:
    store = MemoryArtifacts()
    value = ["x" * 1000] * 100
    ref = values.encode(value, store)
    assert ref.artifact
    assert ref.inline is None
    assert values.decode(ref, store) == value
    assert ref.preview.startswith("['xxx")


class Bad:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [object(), (1, 2), {1: "x"}, {1, 2}, math.nan, [math.inf], 1 + 2j, {"x": (1,)}, Bad()],
)
def test_what_json_would_change_stays_alive(value: Any) -> None:
    ref = values.encode(value, MemoryArtifacts())
    assert ref.encoding == "live"
    assert ref.preview


def test_a_lazy_table_is_never_collected() -> None:
    lazy = pl.LazyFrame({"x": [1]}).map_batches(lambda _: pytest.fail("collected"))
    assert values.encode(lazy, MemoryArtifacts()).encoding == "live"
    assert values.rows(lazy) is None
    assert values.preview(lazy) == "lazy table"


def test_models_are_stored_as_json() -> None:
    class Invoice(BaseModel):
        total: float

    ref = values.encode(Invoice(total=5), MemoryArtifacts())
    assert ref.inline == {"total": 5.0}


def test_what_is_inline_is_a_copy() -> None:
    value = {"x": [1]}
    ref = values.encode(value, MemoryArtifacts())
    value["x"].append(2)
    assert ref.inline == {"x": [1]}


@pytest.mark.parametrize(
    ("port", "good", "bad"),
    [
        ("text", ["", None], [1, b"x", []]),
        ("number", [1, 2.5, None], ["1", True, []]),
        ("boolean", [True, None], [1, "true"]),
        ("bytes", [b"", bytearray()], ["x"]),
        ("list[any]", [[], (), {1}, range(3)], ["x", b"x", 5, {"a": 1}]),
        ("table", [pl.DataFrame(), pl.LazyFrame()], [[], {}]),
        ("any", [object()], []),
    ],
)
def test_kinds(port: str, good: list[Any], bad: list[Any]) -> None:
    kind = parse_type(port)
    assert [values.mismatch(kind, value) for value in good] == [""] * len(good)
    assert all(values.mismatch(kind, value).startswith("a ") for value in bad)


def test_well_known_bytes() -> None:
    assert values.sniff(b"\x89PNG\r\n") == "image/png"
    assert values.sniff(b"%PDF-1") == "application/pdf"
    assert values.sniff(b"hello") == ""
