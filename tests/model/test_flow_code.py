"""Drawing flows in Python, and writing flows as Python."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from strategies import TOYS

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.code import SETTINGS, to_python
from iaiflow_lab.model.data import from_data, to_data
from iaiflow_lab.model.flow import Flow, Retry
from iaiflow_lab.sdk.builder import FlowBuilder, NodeRef, current_builder

CODE = """from iaiflow_lab import Flow

with Flow("inner", parameters={"item": {"type": "text"}}) as each_body:
    clean = each_body.add("text.clean", id="clean", text=each_body.params["item"])
    each_body.returns(text=clean.out)

with Flow("Digest", parameters={"topic": {"type": "string", "default": "DuckDB"}}) as flow:
    fetch = flow.add(
        "http.request",
        id="fetch",
        url="https://example.org",
        timeout=30,
        retry={"attempts": 3},
        config={"method": "GET"},
    )
    summarise = flow.add(
        "agent",
        id="summarise",
        prompt=(
            "Summarise:\\n"
            "{{document}}"
        ),
        documents=[fetch.body, flow.params["topic"]],
    )
    each = flow.add("map", id="each", body=each_body, items=summarise.parts)
    flow.connect("each.out -> fetch.again")
    flow.returns(digest=each.out)
    flow.place({"fetch": (0, 0), "each": (280, 0)})
"""


def built(code: str) -> Flow:
    namespace: dict[str, Any] = {"Flow": FlowBuilder}
    exec(code.removeprefix("from iaiflow_lab import Flow"), namespace)
    return namespace["flow"].build()


def test_code_is_written_as_a_person_would():
    flow = built(CODE)
    assert flow.nodes["fetch"].timeout == 30
    assert [str(edge) for edge in flow.edges] == [
        "fetch.body -> summarise.documents",
        "params.topic -> summarise.documents",
        "summarise.parts -> each.items",
        "each.out -> fetch.again",
    ]
    written = to_python(flow, TOYS)
    assert "items=summarise.parts" in written
    assert (
        '        prompt=(\n            "Summarise:\\n"\n            "{{document}}"\n        ),\n'
        in written
    )
    assert "body=each_body" in written
    assert to_data(built(written)) == to_data(flow)


def test_written_code_runs_as_it_stands():
    flow = built(CODE)
    namespace: dict[str, Any] = {}
    exec(to_python(flow, TOYS), namespace)
    assert namespace["flow"].build() == flow


def test_names_that_mean_something_to_add_go_through_inputs_and_config():
    settings = {"config": {"timeout": 1, "a b": 2}, "type": "x"}
    flow = from_data(
        {"nodes": {"a": settings, "b-c": {"type": "y"}}, "edges": ["a.true -> b-c.id"]}, nested=True
    )
    written = to_python(flow, TOYS)
    assert 'config={"timeout": 1, "a b": 2}' in written
    assert 'inputs={"id": a.true}' in written
    assert built(written) == flow


def test_the_writer_knows_every_setting_of_add():
    parameters = inspect.signature(FlowBuilder.add).parameters.values()
    keywords = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert keywords == SETTINGS


def test_flows_do_not_lose_their_variables_to_each_others_nodes():
    body = {"format": "iaiflow/1", "nodes": {"flow": {"type": "x"}, "Flow": {"type": "x"}}}
    nodes = {
        "flow": {"type": "map", "config": {"body": body}},
        "flow_body": {"type": "map", "config": {"body": body}},
        "for": {"type": "x"},
    }
    edges = ["flow.out -> flow_body.items", "flow_body.out -> for.x"]
    flow = from_data({"nodes": nodes, "edges": edges}, nested=True)
    assert built(to_python(flow, TOYS)) == flow


def test_outputs_become_edges_and_values_configure():
    with FlowBuilder("x") as flow:
        first = flow.add("text.make", length=3)
        second = flow.add("text.make")
        flow.add("text.join", id="j", texts=[first, second.rest], pair=(1, 2), retry=3)
    made = flow.build()
    assert list(made.nodes) == ["make", "make_2", "j"]
    assert made.nodes["j"].config == {"pair": [1, 2]}
    assert made.nodes["j"].retry == Retry(attempts=3)
    assert [str(edge) for edge in made.edges] == ["make.out -> j.texts", "make_2.rest -> j.texts"]


def test_the_innermost_flow_is_the_current_one():
    assert current_builder() is None
    with FlowBuilder("outer") as outer:
        with FlowBuilder("inner") as inner:
            assert current_builder() is inner
        assert current_builder() is outer
    assert current_builder() is None


def test_a_flow_can_be_the_body_of_a_node():
    with FlowBuilder("inner") as inner:
        inner.add("text.make", id="m")
    outer = FlowBuilder("outer")
    outer.add("map", id="each", body=inner)
    outer.add("map", id="again", body=inner.build())
    made = outer.build()
    assert made.nodes["each"].config["body"]["nodes"] == {"m": {"type": "text.make"}}
    assert made.nodes["again"].config == made.nodes["each"].config


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda flow, node: flow.add("x", id="a"), "Node id 'a' is taken"),
        (lambda flow, node: flow.add("x", id="a b"), "Node id 'a b' must be"),
        (lambda flow, node: flow.add("x", id="params"), "reserved"),
        (lambda flow, node: flow.add("x", value=object()), "object is not JSON"),
        (lambda flow, node: flow.add("x", value=float("nan")), "must be finite"),
        (lambda flow, node: flow.add("x", value=[node.out, 3]), "can't be mixed"),
        (lambda flow, node: flow.add("x", retry={"atempts": 2}), "Unknown key 'atempts'"),
        (lambda flow, node: flow.connect("a -> b"), "can't be read"),
        (lambda flow, node: node["class"], "'class' is no port name"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_changes_nothing(wrong: Any, sentence: str):
    flow = FlowBuilder("x")
    node = flow.add("text.make", id="a")
    before = flow.build()
    with pytest.raises(FlowError, match=sentence):
        wrong(flow, node)
    assert flow.build() == before


def test_a_drawn_node_has_no_value():
    with pytest.raises(TypeError, match="has no value while its flow is drawn"):
        assert NodeRef("a")
    with pytest.raises(TypeError, match="named outputs"):
        list(NodeRef("a"))
