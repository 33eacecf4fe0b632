"""Values as short texts: like `repr` where that is plain, and never by anybody's own code."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from iaiflow_lab.sdk.plain_text import plain_text

_scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_plain = st.recursive(
    _scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
        st.frozensets(st.integers(), max_size=3),
        st.sets(st.text(max_size=3), max_size=3),
    ),
    max_leaves=6,
)


@given(value=_plain, limit=st.integers(0, 60))
def test_plain_values_read_as_their_repr_does(value: Any, limit: int) -> None:
    assert plain_text(value, 100_000) == repr(value)
    assert len(plain_text(value, limit)) <= 5 * limit + 100


class Rude:
    """Answers nothing."""

    def __repr__(self) -> str:
        pytest.fail("asked")

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"asked for {name}")


class Moods(list):
    def __iter__(self) -> Any:
        pytest.fail("asked")

    __len__ = __repr__ = __iter__


class Mood(enum.Enum):
    GOOD = 1

    def __repr__(self) -> str:
        pytest.fail("asked")


@dataclasses.dataclass
class Place:
    name: str
    who: Any = None


class Point(NamedTuple):
    x: int
    y: int


class Dtype(str):
    __slots__ = ()

    @property
    def hasobject(self) -> bool:
        return self == "object"


def array(shape: tuple[int, ...], dtype: str) -> Any:
    """Return what has the shape and type of a numpy array or number."""
    made = type("ndarray", (SimpleNamespace,), {"__repr__": lambda _: "a number"})
    made.__module__ = "numpy"
    return made(shape=shape, dtype=Dtype(dtype))


class Model(BaseModel):
    total: float


def test_objects_are_never_asked() -> None:
    rude = f"<{__name__}.Rude object>"
    assert plain_text(Rude(), 100) == rude
    assert plain_text([Rude(), {"x": Rude()}], 300) == f"[{rude}, {{'x': {rude}}}]"
    assert plain_text(Place("here", Rude()), 100) == f"Place(name='here', who={rude})"
    assert plain_text(Moods([1, 2]), 100) == "Moods([1, 2])"
    assert plain_text(Mood.GOOD, 100) == "Mood.GOOD"
    assert plain_text(ValueError(Rude()), 100) == "<builtins.ValueError object>"
    assert plain_text(Rude().__init__, 100) == "<builtins.method-wrapper object>"
    assert plain_text(array((1,), "object"), 100) == "object array of shape (1,)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Model(total=2), "Model(total=2.0)"),
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (Point(1, 2), "Point((1, 2))"),
        (dt.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (Path("a"), "PosixPath('a')"),
        (array((), "float64"), "a number"),
        (array((3, 4), "float64"), "float64 array of shape (3, 4)"),
        (1 << 5_000, "an integer of 5,001 bits"),
    ],
)
def test_well_known_objects_are_spelled(value: Any, text: str) -> None:
    assert plain_text(value, 1_000) == text


def test_what_holds_itself_and_what_is_deep_ends() -> None:
    own: list[Any] = []
    own.append(own)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (own, deep):
        assert plain_text(value, 300) == "[[[[[[[…]]]]]]]"
