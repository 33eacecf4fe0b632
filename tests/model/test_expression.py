"""Expressions compute small values and reach nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model import expression

VALUES: dict[str, Any] = {
    "params": {"region": "EU", "limit": 2},
    "rows": [1, 2, 3],
    "doc": {"title": "Hello", "n": None},
    "text": "abc",
    "thing": SimpleNamespace(x=1),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("len(rows) > params.limit and params['region'] == 'EU'", True),
        ("1 < 2 < 3", True),
        ("3 < 2 < nope", False),
        ("false or text", "abc"),
        ("not rows", False),
        ("'small' if len(rows) < 3 else 'big'", "big"),
        ("doc['title'] + ' ' + text", "Hello abc"),
        ("rows[0] + rows[-1] * 2 - 7 // 2 % 2 / 4", 6.75),
        ("-rows[0]", -1),
        ("2 in rows and 'x' not in text and 'title' in doc", True),
        ("doc['n'] is null", True),
        ("[1, 2] + [rows[2]] == rows", True),
        ("contains(text, 'b') and startswith(text, 'a') and endswith(text, 'c')", True),
        ("is_empty([]) and is_empty('') and is_empty(null) and not is_empty(rows)", True),
        ("upper(text) + lower('D') + strip(' e ')", "ABCde"),
        ("min(rows) + max(4, 5) + sum(rows) + abs(-1) + round(2.6)", 16),
        ("round(number('2.55'), 1)", 2.5),
        ("get(doc, 'nope', 7) + get(rows, 0)", 8),
        ("true and not false", True),
    ],
)
def test_expressions_have_values(text: str, value: Any):
    assert expression.compile(text).evaluate(VALUES) == value


@pytest.mark.parametrize(
    ("text", "what", "column"),
    [
        ("", "This is no expression", "column 1"),
        ("1 +", "This is no expression", "column 4"),
        ("a; b", "This is no expression", "column 2"),
        ("thing.x", "Attributes can't be read", "column 1"),
        ("().__class__", "Attributes can't be read", "column 1"),
        ("params.x.y", "Attributes can't be read", "column 1"),
        ("1 + params", "'params' names no parameter", "column 5"),
        ("open('x')", "There is no function 'open'", "column 1"),
        ("text.upper()", "Only functions can be called", "column 1"),
        ("(lambda: 1)()", "Only functions can be called", "column 1"),
        ("len(x=1)", "Arguments can't be named", "column 1"),
        ("len(*rows)", "'*' can't be used", "column 5"),
        ("[x for x in rows]", "can't be used", "column 1"),
        ("{1: 2}", "can't be used", "column 1"),
        ("f'{rows}'", "f-strings can't be used", "column 1"),
        ("(x := 1)", "':=' can't be used", "column 2"),
        ("rows[0:1]", "Slices can't be taken", "column 6"),
        ("9**9**9", "This operator does not exist", "column 1"),
        ("1 << 99", "This operator does not exist", "column 1"),
        ("~1", "Operator '~'", "column 1"),
        ("b'x'", "Only numbers, texts", "column 1"),
        ("1e999", "The number is too large", "column 1"),
        ("9" * 1999, "The number is too large", "column 1"),
        ("(" * 300, "This is no expression", "column 201"),
        ("not " * 60 + "1", "Nested deeper than 50 levels", "column 205"),
    ],
)
def test_what_is_outside_the_language_is_refused(text: str, what: str, column: str):
    with pytest.raises(FlowError) as caught:
        expression.compile(text)
    assert what in caught.value.what
    assert caught.value.where == column


def test_a_long_expression_is_refused():
    with pytest.raises(FlowError, match="2,000 characters at most"):
        expression.compile("1" + " + 1" * 1000)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nope > 1", "there is no input 'nope'"),
        ("params.nope", "there is no parameter 'nope'"),
        ("doc['nope']", "there is no key 'nope'"),
        ("1 / 0", "division by zero"),
        ("text > 1", "'>' not supported"),
        ("'a' * 1000000000", "a text is no number"),
        ("'%999999999d' % 1", "a text is no number"),
        ("rows * 9", "a list is no number"),
        ("true + 1", "true or false is no number"),
        ("9223372036854775807 * 9223372036854775807", "the number is too large"),
        ("long + long", "the result is too long"),
        ("thing['x']", "SimpleNamespace has no item 'x'"),
        ("1 in 2", "a number holds no items"),
        ("len(1)", "has no len"),
        ("round()", "missing 1 required"),
        ("number('x')", "could not convert"),
    ],
)
def test_an_expression_without_a_value_says_why(text: str, why: str):
    with pytest.raises(NodeError, match="has no value") as caught:
        expression.compile(text).evaluate(VALUES | {"long": "x" * 600_000})
    assert why in caught.value.what


def test_an_expression_tells_what_it_needs():
    parsed = expression.compile("len(rows) > params.a and true and params['b'] and doc['c']")
    assert parsed.names == {"rows", "doc"}
    assert parsed.parameters == {"a", "b"}
