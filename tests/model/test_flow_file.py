"""Flow files: what is refused, with which sentence, and how they are written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import iaiflow_lab.model
from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.file import MAX_BYTES, dump, from_data, parse
from iaiflow_lab.model.flow import Edge, Flow, Node, Retry
from iaiflow_lab.model.schema import schema_text
from iaiflow_lab.model.version import version_hash

DIGEST = """{
  "format": "iaiflow/1",
  "name": "Research digest",
  "parameters": {"topic": {"type": "string", "default": "DuckDB"}},
  "nodes": {
    "fetch": {"type": "http.request", "config": {"url": "https://x.org"}, "retry": {"attempts": 3}},
    "summarise": {"type": "agent", "config": {"prompt": "Summarise: {{document}}"}}
  },
  "edges": [
    "fetch.body -> summarise.document"
  ],
  "layout": {
    "fetch": [0, 0],
    "summarise": [280, 0.5]
  }
}
"""


def flow_text(**keys: Any) -> str:
    return json.dumps({"format": "iaiflow/1", "nodes": {}} | keys)


def node_text(**keys: Any) -> str:
    return flow_text(nodes={"a": {"type": "x"} | keys})


BAD_FILES: list[tuple[str | bytes, str, str]] = [
    ("", "file is empty", ""),
    (b"\xef\xbb\xbf \n", "file is empty", ""),
    ('{"format": "iaiflow/1"}'.encode("utf-16"), "UTF-16", ""),
    (b'{"a": "\xff"}', "not UTF-8", "line 1"),
    ('{\n "format": }', "invalid JSON", "line 2, column 12"),
    ("[1]", "must be an object, found a list", ""),
    ("null", "must be an object, found null", ""),
    ("7", "must be an object, found a number", ""),
    ("{}", "This isn't a flow", "format"),
    ("[" * 100_000, "Nested deeper than 100 levels", "line 1, column 101"),
    ('{"a":' * 100_000, "Nested deeper than 100 levels", "line 1, column 501"),
    (" " * (MAX_BYTES + 1), "5 MB at most; this is 5.0 MB", ""),
    (b'{"x": "' + b"a" * 60_000_000, "5 MB at most; this is 60.0 MB", ""),
    (
        '{"format": "iaiflow/1", "nodes": {"a": {"type": "x", "type": "y"}}}',
        "'type' appears twice",
        "nodes.a",
    ),
    ('{"format": "iaiflow/1", "name": "", "name": ""}', "'name' appears twice", ""),
    (node_text(config={"rate": [1, float("nan")]}), "must be finite", "nodes.a.config.rate[1]"),
    (node_text(config={"rate": float("-inf")}), "must be finite", "nodes.a.config.rate"),
    ('{"format": "iaiflow/1", "name": 1e400}', "must be finite", "name"),
    ('{"format": "iaiflow/1", "name": ' + "9" * 5_000 + "}", "number is too large", "name"),
    (node_text(config={"n": -(2**64)}), "number is too large", "nodes.a.config.n"),
    (flow_text(name="abc\ud800"), "invalid character (U+D800) at position 4", "name"),
    (flow_text(name="a\0"), "invalid character (U+0000) at position 2", "name"),
    (flow_text(nodes={"a\u202eb": {"type": "x"}}), "invisible character U+202E", "nodes"),
    (flow_text(nodes={"a b": {"type": "x"}}), "Node id 'a b' must be", "nodes"),
    (flow_text(nodes={"params": {"type": "x"}}), "'params' is reserved", "nodes"),
    (flow_text(format="iaiflow/99"), "newer IAI Flow Lab (format iaiflow/99", "format"),
    (flow_text(format=3), "This isn't a flow", "format"),
    (flow_text(node={}), "Unknown key 'node'", ""),
    (node_text(retry={"atempts": 3}), "Unknown key 'atempts'", "nodes.a.retry"),
    (node_text(type=""), "no 'type'", "nodes.a"),
    (
        node_text(on_error="stop"),
        "'on_error' must be 'fail' or 'continue' or 'port'",
        "nodes.a.on_error",
    ),
    (
        node_text(retry={"attempts": 1.5}),
        "a whole number, found a number",
        "nodes.a.retry.attempts",
    ),
    (node_text(timeout=True), "a number, found true or false", "nodes.a.timeout"),
    (node_text(cache="yes"), "'auto', 'off' or a number of seconds", "nodes.a.cache"),
    (node_text(retry={"on": "ValueError"}), "a list of texts", "nodes.a.retry.on"),
    (flow_text(nodes=[]), "an object, found a list", "nodes"),
    (flow_text(nodes={"a": None}), "an object, found null", "nodes.a"),
    (flow_text(edges=["a -> b"]), "Edge 'a -> b' can't be read", "edges[0]"),
    (flow_text(edges=["a.x -> b.y", "a.class -> b.y"]), "'class' is no port name", "edges[1]"),
    (flow_text(edges=[3]), "found a number", "edges[0]"),
    (
        flow_text(edges=["a.b -> c.d"] * 50_001),
        "50,000 edges at most; this one has 50,001",
        "edges",
    ),
    (
        flow_text(nodes={f"n{number}": {"type": "x"} for number in range(10_001)}),
        "10,000 nodes at most; this one has 10,001",
        "nodes",
    ),
    (flow_text(layout={"a": [1]}), "a pair of numbers", "layout.a"),
    (flow_text(outputs={"a": 1}), "a text, found a number", "outputs.a"),
    (flow_text(notes=["x"]), "an object, found a text", "notes[0]"),
]


@pytest.mark.parametrize(("source", "what", "where"), BAD_FILES, ids=lambda value: str(value)[:40])
def test_a_bad_file_is_refused_with_what_and_where(source: str | bytes, what: str, where: str):
    with pytest.raises(FlowError) as caught:
        parse(source)
    assert what in caught.value.what
    assert caught.value.where == where


def test_the_file_is_named_before_the_place():
    with pytest.raises(FlowError, match=r"digest.flow.json: nodes.a.timeout"):
        parse(node_text(timeout="1"), "digest.flow.json")


def test_an_unknown_key_comes_with_the_known_one():
    with pytest.raises(FlowError, match="Did you mean 'attempts'"):
        parse(node_text(retry={"atempts": 3}))


def test_a_flow_is_read_as_it_stands():
    flow = parse(b"\xef\xbb\xbf" + DIGEST.encode())
    assert flow.name == "Research digest"
    assert list(flow.nodes) == ["fetch", "summarise"]
    assert flow.nodes["fetch"].retry == Retry(attempts=3)
    assert flow.edges == (Edge("fetch", "body", "summarise", "document"),)
    assert flow.layout["summarise"] == (280, 0.5)


def test_a_written_flow_has_a_line_for_each_short_node_edge_and_position():
    assert dump(parse(DIGEST)) == DIGEST


def test_an_unchanged_flow_keeps_the_users_own_layout_of_the_text():
    own = DIGEST.replace("    ", "\t").replace("\n", "\r\n")
    assert dump(parse(own), previous=own) == own
    assert dump(parse(own), previous="no flow") == DIGEST


def test_long_nodes_are_spread_over_lines():
    text = dump(Flow("x", nodes={"a": Node("t", config={"prompt": "word " * 30, "k": 1})}))
    assert '      "config": {\n' in text
    assert '        "k": 1\n' in text


def test_what_cannot_be_read_back_is_not_written():
    with pytest.raises(FlowError, match="tuple is not JSON"):
        dump(Flow("x", nodes={"a": Node("t", config={"pair": (1, 2)})}))
    with pytest.raises(FlowError, match="Node id 'a b'"):
        dump(Flow("x", nodes={"a b": Node("t")}))
    with pytest.raises(FlowError, match="5 MB at most"):
        dump(Flow("x", nodes={"a": Node("t", config={"text": "ä" * 3_000_000})}))


def test_data_that_contains_itself_is_refused():
    data: dict[str, Any] = {"format": "iaiflow/1"}
    data["parameters"] = {"a": data}
    with pytest.raises(FlowError, match="Nested deeper"):
        from_data(data)


def test_a_body_needs_no_format():
    assert from_data({"nodes": {"a": {"type": "x"}}}, nested=True).nodes["a"].type == "x"


def test_reading_imports_nothing():
    before = set(sys.modules)
    parse(flow_text(nodes={"a": {"type": "antigravity.x", "config": {"code": "import this"}}}))
    assert set(sys.modules) == before


def test_the_published_schema_is_the_one_that_is_made():
    published = Path(iaiflow_lab.model.__file__).with_name("flow.schema.json")
    assert published.read_text() == schema_text()


def test_the_version_ignores_what_has_no_meaning():
    flow = parse(DIGEST)
    same = parse(
        DIGEST.replace("Research digest", "Other")
        .replace("280", "300")
        .replace('"summarise": {', '"summarise": {"title": "T", ')
    )
    assert version_hash(same) == version_hash(flow)
    assert len(version_hash(flow)) == 64
    assert version_hash(parse(DIGEST.replace("x.org", "y.org"))) != version_hash(flow)


def test_the_version_ignores_the_layout_of_nested_flows():
    def outer(body: dict[str, Any]) -> Flow:
        return Flow("x", nodes={"each": Node("map", config={"body": body})})

    nodes = {"a": {"type": "x"}}
    plain, moved = {"nodes": nodes}, {"nodes": nodes, "layout": {"a": [1, 2]}, "name": "b"}
    assert version_hash(outer(plain)) == version_hash(outer(moved))
    assert version_hash(outer(plain)) != version_hash(outer({"nodes": {}}))


def test_the_version_knows_the_order_of_edges_into_one_port_only():
    def joined(*edges: str) -> str:
        nodes = {name: {"type": "x"} for name in "abcd"}
        return version_hash(parse(flow_text(nodes=nodes, edges=edges)))

    assert joined("a.o -> c.l", "b.o -> c.l") != joined("b.o -> c.l", "a.o -> c.l")
    assert joined("a.o -> c.l", "b.o -> d.l") == joined("b.o -> d.l", "a.o -> c.l")
