from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.errors import InputError
from iaiflow_lab.safe.load import MAX_DEPTH, safe_load

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_json_reads_as_it_was_written(value: object) -> None:
    assert safe_load(json.dumps(value)) == value
    assert safe_load(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1"),
        ('{"a": 1, "a": 2}', "'a' appears twice"),
        ("NaN", "NaN is no JSON number"),
        ("[Infinity]", "Infinity"),
        ("1e400", "too large"),
        ("9" * 5_000, "too many digits"),
        ("[" * 100_000, "nested deeper"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "nested deeper"),
        (b"\xff\xfe", "not UTF-8"),
        (b" " * 200, "more than 100"),
    ],
)
def test_what_readers_disagree_on_is_refused(source: str | bytes, says: str) -> None:
    limit = 100 if says == "more than 100" else 1_000_000
    with pytest.raises(InputError, match=says) as caught:
        safe_load(source, where="a.json", max_bytes=limit)
    assert caught.value.where == "a.json"


def test_the_deepest_allowed_nesting_is_read() -> None:
    source = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert isinstance(safe_load(source), list)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_one_sentence(source: bytes) -> None:
    with contextlib.suppress(InputError):
        safe_load(source)
