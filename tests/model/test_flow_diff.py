"""The difference between two flows, as text and as data."""

from __future__ import annotations

import json
from typing import Any

from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.diff import Diff, diff

BODY = {"nodes": {"c": {"type": "x", "config": {"k": 1}}}}
OLD: dict[str, Any] = {
    "parameters": {"topic": {"type": "string"}},
    "nodes": {
        "a": {"type": "x", "config": {"url": "one", "n": 1}, "title": "A"},
        "b": {"type": "x"},
        "each": {
            "type": "map",
            "config": {"body": {"nodes": {"c": {"type": "x", "config": {"k": 1}}}}},
        },
    },
    "edges": ["a.out -> b.x", "a.out -> b.list", "each.out -> b.list"],
}


def changed(**keys: Any) -> Diff:
    return diff(from_data(OLD, nested=True), from_data(OLD | keys, nested=True))


def test_layout_notes_and_titles_are_no_difference():
    nodes = OLD["nodes"] | {"a": OLD["nodes"]["a"] | {"title": "B"}}
    assert not changed(nodes=nodes, layout={"a": [1, 2]}, notes=[{}], name="other")


def test_every_kind_of_change_has_its_line():
    body = {"nodes": {"c": {"type": "x", "config": {"k": 2}}, "d": {"type": "y"}}}
    found = changed(
        parameters={"limit": {"type": "integer"}},
        nodes={
            "a": {"type": "x", "config": {"url": "two", "m": 1}, "timeout": 5},
            "each": {"type": "map", "config": {"body": body}},
            "new": {"type": "z"},
        },
        edges=["each.out -> b.list", "a.out -> b.list", "a.out -> new.x"],
        outputs={"r": "new.out"},
    )
    assert found.lines() == [
        '- parameter topic: {"type": "string"}',
        '+ parameter limit: {"type": "integer"}',
        '~ node a config.url: "one" -> "two"',
        "- node a config.n: 1",
        "+ node a config.m: 1",
        "+ node a timeout: 5",
        "- node b (x)",
        "~ node each/c config.k: 1 -> 2",
        "+ node each/d (y)",
        "+ node new (z)",
        "- edge a.out -> b.x",
        "+ edge a.out -> new.x",
        '~ edges b.list: ["a.out", "each.out"] -> ["each.out", "a.out"]',
        '~ outputs: "every last node" -> "as named"',
        '+ output r: "new.out"',
    ]
    assert json.loads(json.dumps(found.to_data()))[2] == {
        "kind": "changed",
        "what": "node",
        "name": "a",
        "field": "config.url",
        "old": "one",
        "new": "two",
    }
