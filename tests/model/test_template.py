"""Templates look data up and evaluate nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model import template

VALUES: dict[str, Any] = {
    "params": {"topic": "DuckDB"},
    "doc": {"title": "T", "a key": [1, {"x": None}], "__class__": "just a key"},
    "rows": [True, 2.5],
    "thing": SimpleNamespace(secret=1),
    "raw": b"bytes",
}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("plain }} text {", "plain }} text {"),
        ("{{params.topic}}!", "DuckDB!"),
        ('{{ params["topic"] }}', "DuckDB"),
        ("{{doc.title}}{{doc.title}}", "TT"),
        ("{{doc['a key'][0]}} {{doc[\"a key\"][1].x}}", "1 null"),
        ("{{rows}} {{rows[-1]}} {{rows[0]}}", "[true, 2.5] 2.5 true"),
        ("{{doc.__class__}}", "just a key"),
        (r"\{{doc.title}}", "{{doc.title}}"),
        ("{{thing}}", "namespace(secret=1)"),
    ],
)
def test_paths_are_replaced_by_what_they_lead_to(text: str, rendered: str):
    assert template.parse(text).render(VALUES) == rendered


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{nope}}", "there is no input 'nope'"),
        ("{{doc.nope}}", r"there is no key 'nope' \(keys: title, a key"),
        ("{{params.nope}}", "there is no key 'nope'"),
        ("{{rows[2]}}", "the list has 2 items"),
        ("{{doc.title.x}}", "a text has no keys"),
        ("{{thing.secret}}", "SimpleNamespace has no keys"),
        ("{{thing.__class__}}", "SimpleNamespace has no keys"),
        ("{{doc[0]}}", "an object has no items"),
        ("{{raw}}", "bytes, which are no text"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(text: str, sentence: str):
    with pytest.raises(NodeError, match=sentence):
        template.parse(text).render(VALUES)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a\nb {{c", "line 2, column 3"),
        ("{{}}", "line 1, column 3"),
        ("{{a b}}", "line 1, column 4"),
        ("{{a()}}", "line 1, column 4"),
        ("{{a | upper}}", "line 1, column 4"),
        ("{{1 + 1}}", "line 1, column 3"),
        ("{{params}}", "line 1, column 3"),
        ("{{params[0]}}", "line 1, column 3"),
    ],
)
def test_what_is_no_path_is_refused_at_its_place(text: str, where: str):
    with pytest.raises(FlowError) as caught:
        template.parse(text)
    assert caught.value.where == where
    assert caught.value.remedy


def test_a_template_tells_what_it_needs():
    parsed = template.parse("{{a.x}} {{b}} {{params.c}} {{ params['d'] }}")
    assert parsed.names == {"a", "b"}
    assert parsed.parameters == {"c", "d"}
