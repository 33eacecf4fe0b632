"""Values of parameters: checked, completed, and read from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.parameters import bind, parameter_type, parse_cli

SPECS: dict[str, dict[str, Any]] = {
    "topic": {"type": "string", "minLength": 2},
    "count": {"type": "integer", "default": 3, "minimum": 1},
    "rate": {"type": "number", "default": 0.5},
    "dry": {"type": "boolean", "default": False},
    "tags": {"type": "list[text]", "default": []},
    "extra": {"type": "object", "default": {}},
    "path": {"type": "file", "default": "a.csv"},
    "rows": {"type": "table", "default": None},
    "free": {"default": None},
}


def test_defaults_fill_what_is_not_given():
    bound = bind(SPECS, {"topic": "DuckDB", "count": 4})
    assert list(bound) == list(SPECS)
    assert bound["count"] == 4
    assert bound["rate"] == 0.5


def test_live_values_reach_live_parameters():
    table = object()
    assert bind(SPECS, {"topic": "ab", "rows": table})["rows"] is table


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "Parameter 'topic' is required"),
        ({"topic": 3}, "Parameter 'topic' must be a text, found a number"),
        ({"topic": "a"}, "Parameter 'topic' must be at least 2 characters long"),
        ({"topic": "ab", "count": 0}, "Parameter 'count' must be at least 1"),
        ({"topic": "ab", "count": True}, "Parameter 'count' must be a whole number"),
        ({"topic": "ab", "rate": float("nan")}, "Parameter 'rate' can't be passed on: .* finite"),
        ({"topic": "ab", "tags": ["x", 1]}, r"Parameter 'tags\[1\]' must be a text"),
        ({"topic": "ab", "extra": {"a": {1, 2}}}, "set is not JSON"),
        ({"topic": "ab", "free": object()}, "object is not JSON"),
        ({"topic": "ab", "tpoic": 1}, "no parameter 'tpoic'.*Did you mean 'topic'"),
    ],
)
def test_a_wrong_value_is_named(inputs: dict[str, Any], sentence: str):
    with pytest.raises(InputError, match=sentence):
        bind(SPECS, inputs)


@pytest.mark.parametrize("name", ["x=0;import os#", "class", "a b", "1a", ""])
def test_names_that_are_no_python_names_are_refused(name: str):
    with pytest.raises(InputError, match="must be Python names and not keywords"):
        bind({name: {}}, {name: 1})


def test_arguments_are_read_by_their_types():
    arguments = ["topic=a=b", "count=7", "rate=1e3", "dry=yes", 'tags=["a"]', 'extra={"a": 1}']
    assert parse_cli([*arguments, "path=7.csv", "free=[1]"], SPECS) == {
        "topic": "a=b",
        "count": 7,
        "rate": 1000.0,
        "dry": True,
        "tags": ["a"],
        "extra": {"a": 1},
        "path": "7.csv",
        "free": [1],
    }
    assert parse_cli(["free=plain text"], SPECS) == {"free": "plain text"}


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("topic", "is not of the form name=value"),
        ("nope=1", "no parameter 'nope'"),
        ("count=1.5", "must be a whole number, found '1.5'"),
        ("count=" + "9" * 5000, "must be a whole number"),
        ("rate=inf", "must be a finite number"),
        ("dry=maybe", "must be true or false"),
        ("tags=a,b", "must be JSON"),
        ("extra=" + "[" * 100_000, "must be JSON"),
    ],
)
def test_arguments_that_cannot_be_read_are_refused(argument: str, sentence: str):
    with pytest.raises(InputError, match=sentence):
        parse_cli([argument], SPECS)


def test_an_argument_is_given_once():
    with pytest.raises(InputError, match="given twice"):
        parse_cli(["topic=a", "topic=b"], SPECS)


def test_parameters_have_port_types():
    types = [str(parameter_type(spec)) for spec in SPECS.values()]
    assert types[:5] == ["text", "number", "number", "boolean", "list[text]"]
    assert str(parameter_type({"type": "list[" * 5000})) == "any"
