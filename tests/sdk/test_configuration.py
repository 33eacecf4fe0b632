"""Configuration: its schema for forms, its validation with one sentence."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.annotations import Secret, Table, Template
from iaiflow_lab.sdk.configuration import config_schema, validate_config
from iaiflow_lab.sdk.node import node


@node("t.form")
def form(
    rows: Table,
    text: str = "",
    *,
    mode: Literal["a", "b"] = "a",
    limit: int,
    where: Template = "",
    schema: dict[str, Any] | None = None,
) -> str:
    """Do it.

    Args:
        limit: How many.
    """
    return text


def test_the_schema_of_a_form() -> None:
    schema = config_schema(form)
    assert schema["required"] == ["limit"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["limit"] == {
        "description": "How many.",
        "title": "Limit",
        "type": "integer",
    }
    assert schema["properties"]["mode"]["enum"] == ["a", "b"]
    assert schema["properties"]["where"]["x-widget"] == "template"
    assert "text" in schema["properties"], "a form may fill an unconnected text port"
    assert "rows" not in schema["properties"], "nobody types a table into a form"


def test_the_form_calls_fields_by_words_and_units_and_knows_secrets() -> None:
    @node("t.ask")
    def ask(text: str, *, time_limit_s: float = 1, api_key: Secret = "") -> str:
        return text + api_key

    fields = config_schema(ask)["properties"]
    assert fields["time_limit_s"]["title"] == "Time limit (s)"
    assert fields["text"]["title"] == "Text"
    assert fields["api_key"]["x-widget"] == "secret"


def test_defaults_and_conversion() -> None:
    assert validate_config(form, {"limit": "5"}, "here") == {
        "mode": "a",
        "limit": 5,
        "where": "",
        "schema": None,
    }


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "limit: Field required."),
        ({"limit": "many"}, "limit: Input should be a valid integer"),
        ({"limit": 1, "mode": "c"}, "mode: Input should be 'a' or 'b'."),
        ({"limit": 1, "extra": 1}, "extra: Extra inputs are not permitted."),
    ],
)
def test_one_sentence_says_what_is_wrong(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NodeError) as refused:
        validate_config(form, config, "nodes.x.config")
    assert refused.value.what.startswith(sentence)
    assert refused.value.where == "nodes.x.config"
    assert refused.value.code == "config-invalid"
