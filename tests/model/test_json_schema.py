"""The schema checker agrees with the reference implementation, and speaks plainly."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from iaiflow_lab.model.json_schema import JSON_TYPES, violations

TYPES = st.sampled_from(sorted(JSON_TYPES))
SMALL = st.integers(0, 5)
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2),
        "enum": st.lists(json_values, min_size=1, max_size=3),
        "minimum": SMALL,
        "exclusiveMaximum": SMALL,
        "multipleOf": st.just(2),
        "minLength": SMALL,
        "maxLength": SMALL,
        "minItems": SMALL,
        "maxItems": SMALL,
        "uniqueItems": st.booleans(),
        "required": st.lists(st.sampled_from("ab"), unique=True),
        "pattern": st.just("^a"),
    },
)
SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.builds(
        lambda base, extra: base | extra,
        PLAIN,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
                "additionalProperties": inner | st.booleans(),
                "items": inner,
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "anyOf": st.lists(inner, min_size=1, max_size=2),
                "allOf": st.lists(inner, min_size=1, max_size=2),
            },
        ),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-6, 6)
    | st.sampled_from(["", "a", "ab", "b", 1.5, 2.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=5,
)


@pytest.mark.slow
@given(VALUES, SCHEMAS)
def test_the_checker_agrees_with_jsonschema(value: Any, schema: dict[str, Any]):
    ours = list(violations(value, schema))
    assert bool(ours) != jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (1, {"type": ["string", "null"]}, "must be a text or null, found a number."),
        (
            0,
            {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
            "must be at least 1.",
        ),
        (
            1,
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "must be a text or null, found a number.",
        ),
        (
            1,
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
            "must be a text",
        ),
        (
            "fsat",
            {"enum": ["fast", "slow"]},
            'must be one of "fast", "slow". Did you mean \'fast\'?',
        ),
        (1, {"x-port": "list[text]"}, "must be a list, found a number."),
        (
            {"b": 1},
            {"properties": {"a": {}}, "additionalProperties": False},
            "is not known. Known: a.",
        ),
        ([1, 1.0], {"uniqueItems": True}, "must not hold an item twice."),
    ],
)
def test_messages_are_plain(value: Any, schema: dict[str, Any], message: str):
    (violation,) = violations(value, schema)
    assert violation.message.startswith(message)


def test_the_nearest_alternative_explains():
    schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}
    (found,) = violations([1, "x"], schema)
    assert found.path == (1,)


@given(
    json_values,
    st.recursive(
        json_values,
        lambda inner: st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "$ref",
                    "anyOf",
                    "allOf",
                    "items",
                    "properties",
                    "required",
                    "enum",
                    "minimum",
                    "pattern",
                    "x-port",
                    "multipleOf",
                    "prefixItems",
                    "minLength",
                ]
            ),
            inner | st.lists(inner, max_size=3),
            max_size=4,
        ),
    ),
)
def test_no_schema_breaks_the_checker(value: Any, schema: Any):
    if isinstance(schema, dict):
        list(violations(value, schema))


def test_extreme_and_odd_schemas_are_survived():
    assert not list(violations(9 * 10**18, {"multipleOf": 5e-324}))
    assert not list(violations("a", {"pattern": "[[a]"}))
    assert not list(violations({}, {"required": [[]]}))


def test_a_schema_that_refers_to_itself_ends():
    schema = {"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "type": "object"}
    assert list(violations({}, schema)) is not None
