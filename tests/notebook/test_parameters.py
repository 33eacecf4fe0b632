from __future__ import annotations

import math

import pytest

from iaiflow_lab.errors import InputError, NotebookError
from iaiflow_lab.notebook.document import read_notebook
from iaiflow_lab.notebook.parameters import (
    INJECTED_AT_TOP,
    check_parameters,
    parameters_of,
    parse_arguments,
)

CELL = """
from datetime import date
from typing import Literal, Optional
%matplotlib inline
limit = 10  # rows to read
rate: float = 0.5
name = "x"
flag = True
items: list[str] = ["a"]
mode: Literal["fast", "safe"] = "fast"
maybe: Optional[int] = None
wide: int | str = 1
today = date.today()
needed: int
a = b = (1, 2)
"""


@pytest.fixture
def notebook(write_notebook):
    return read_notebook(write_notebook((CELL, ["parameters"]), "limit"))


def test_the_cell_gives_types_defaults_and_help(notebook):
    known = parameters_of(notebook)
    assert known.specs["limit"] == {"type": "integer", "default": 10, "description": "rows to read"}
    assert known.specs["rate"] == {"type": "number", "default": 0.5}
    assert known.specs["name"] == {"type": "string", "default": "x"}
    assert known.specs["flag"] == {"type": "boolean", "default": True}
    assert known.specs["items"]["items"] == {"type": "string"}
    assert known.specs["mode"]["enum"] == ["fast", "safe"]
    assert known.specs["maybe"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert known.specs["today"] == {}
    assert known.specs["a"] == {"type": "array", "default": [1, 2]}
    assert known.required == {"needed"}
    assert known.closed


def test_only_given_values_are_injected(notebook):
    assert check_parameters(notebook, {"needed": 1}) == {"needed": 1}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Parameter 'needed' is required."),
        ({"needed": "x"}, "must be a whole number"),
        ({"needed": 1, "rate": "quick"}, "must be a number"),
        ({"needed": 1, "limti": 3}, "The notebook has no parameter 'limti'."),
        ({"needed": 1, "mode": "slow"}, "must be one of"),
        ({"x=0;import os#": 1}, "is not allowed"),
        ({"class": 1}, "is not allowed"),
        ({"a b": 1}, "is not allowed"),
        ({"needed": object()}, "can't be passed to a notebook"),
        ({"needed": math.nan}, "can't be passed to a notebook"),
        ({"needed": "\ud800"}, "can't be passed to a notebook"),
    ],
)
def test_what_does_not_fit_is_refused(notebook, values, sentence):
    with pytest.raises(InputError) as caught:
        check_parameters(notebook, values)
    assert sentence in caught.value.what


def test_arguments_are_read_by_type(notebook):
    given = ["needed=3", "rate=2", 'items=["b"]', "flag=no", "name=7"]
    expected = {"needed": 3, "rate": 2, "items": ["b"], "flag": False, "name": "7"}
    assert parse_arguments(notebook, given) == expected


@pytest.mark.parametrize("argument", ["limti=3", "class=1", "x=0;import os#=1", "limit"])
def test_wrong_arguments_are_refused(notebook, argument):
    with pytest.raises(InputError):
        parse_arguments(notebook, ["needed=1", argument])


def test_without_a_cell_any_name_is_taken_with_a_warning(write_notebook):
    notebook = read_notebook(write_notebook("1"))
    assert parameters_of(notebook).warning == INJECTED_AT_TOP
    assert check_parameters(notebook, {"free": [1]}) == {"free": [1]}
    assert parse_arguments(notebook, ["free=[1]"]) == {"free": [1]}


def test_a_cell_that_is_no_python_is_named(write_notebook):
    notebook = read_notebook(write_notebook("1", ("x = (", ["parameters"])))
    with pytest.raises(NotebookError, match="not valid Python") as caught:
        parameters_of(notebook)
    assert "cell 2, line 1" in caught.value.where
