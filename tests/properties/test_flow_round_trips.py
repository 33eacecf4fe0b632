"""Random flows survive files, code and versions."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import TOYS, flows, json_values

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import expression, template
from iaiflow_lab.model.code import to_python
from iaiflow_lab.model.data import from_data, to_data
from iaiflow_lab.model.diff import diff
from iaiflow_lab.model.file import dump, parse
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.rules import check
from iaiflow_lab.model.schema import flow_schema
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.sdk.builder import FlowBuilder

SCHEMA = jsonschema.Draft202012Validator(flow_schema())


def rebuilt(flow: Flow) -> Flow:
    source = to_python(flow, TOYS).removeprefix("from iaiflow_lab import Flow\n")
    namespace: dict[str, Any] = {"Flow": FlowBuilder}
    exec(source, namespace)
    return namespace["flow"].build()


@pytest.mark.slow
@given(flows())
def test_a_flow_survives_its_file_byte_for_byte(flow: Flow):
    text = dump(flow)
    again = parse(text)
    assert again == flow
    assert dump(again) == text
    assert json.loads(text) == to_data(flow)


@pytest.mark.slow
@given(flows(), st.sampled_from([None, 1, 4]))
def test_saving_an_unchanged_flow_keeps_the_writing_of_its_user(flow: Flow, indent: int | None):
    written = json.dumps(to_data(flow), indent=indent)
    assert dump(parse(written), previous=written) == written


@pytest.mark.slow
@given(flows())
def test_a_flow_survives_its_own_python_code(flow: Flow):
    assert dump(rebuilt(flow)) == dump(flow)
    assert rebuilt(flow) == flow


@pytest.mark.slow
@given(flows())
def test_every_flow_satisfies_the_published_schema_when_its_file_is_read(flow: Flow):
    SCHEMA.validate(to_data(flow))
    assert from_data(to_data(flow)) == flow


@st.composite
def variants(draw: st.DrawFn) -> tuple[Flow, Flow]:
    """Draw a flow and the same flow after a few edits."""
    flow = draw(flows())
    ids, edges = draw(st.permutations(list(flow.nodes))), list(flow.edges)
    changed = {node_id: flow.nodes[node_id] for node_id in ids[draw(st.integers(0, 1)) :]}
    for node_id in draw(st.sets(st.sampled_from(ids), max_size=1)) if ids else ():
        edits: dict[str, Any] = {"title": "other", "timeout": 5.0, "config": {"a": [1], "b": 2}}
        field = draw(st.sampled_from(sorted(edits)))
        changed[node_id] = replace(flow.nodes[node_id], **{field: edits[field]})
    edges = draw(st.permutations(edges))[draw(st.integers(0, 1)) :]
    outputs = draw(st.sampled_from([flow.outputs, None, {}]))
    return flow, replace(flow, nodes=changed, edges=tuple(edges), outputs=outputs, layout={})


@pytest.mark.slow
@given(variants())
def test_a_diff_is_empty_exactly_when_the_versions_are_equal(pair: tuple[Flow, Flow]):
    old, new = pair
    assert not diff(old, replace(old, layout={}, notes=(), name="other"))
    assert bool(diff(old, new)) == (version_hash(old) != version_hash(new))
    assert all(diff(old, new).lines())


@pytest.mark.slow
@given(flows())
def test_every_flow_can_be_checked(flow: Flow):
    for problem in check(flow, TOYS):
        assert problem.message.endswith((".", "?")) or problem.code == "IAI113"


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'"' + b'\\"' * 100_000)
def test_any_bytes_are_a_flow_or_refused_with_a_sentence(data: bytes):
    with suppress(FlowError):
        parse(data)


KEYS = st.sampled_from(["format", "nodes", "edges", "name", "outputs", "layout", "parameters"])
ANYTHING = st.recursive(
    json_values | st.floats() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(ANYTHING, st.booleans())
def test_any_json_is_a_flow_or_refused_with_a_sentence(data: Any, framed: bool):
    if framed and isinstance(data, dict):
        data = {**data, "format": "iaiflow/1"}
    with suppress(FlowError):
        parse(json.dumps(data))


@given(st.text(max_size=60) | st.text("{}[].\"'\\ ab0-", max_size=30))
def test_any_text_is_a_template_or_refused(text: str):
    with suppress(FlowError):
        template.parse(text)


@given(st.text(max_size=60) | st.text("()[]{}+-*/%<>=!.,:'\" abparms019notif", max_size=40))
def test_any_text_is_an_expression_or_refused(text: str):
    with suppress(FlowError):
        expression.compile(text)
