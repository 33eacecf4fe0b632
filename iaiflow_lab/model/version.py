"""The version of a flow: a hash of its meaning, equal for everything that runs the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import from_data, node_data
from iaiflow_lab.model.flow import Edge, Flow, Json


def version_hash(flow: Flow) -> str:
    """Return the SHA-256 of the flow's meaning, in hex.

    Layout, notes, groups, titles and the flow's own name are left out, as is the order of nodes
    and of edges into different ports.
    """
    text = json.dumps(meaning(flow), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def meaning(flow: Flow) -> dict[str, Any]:
    """Return what the flow does, as JSON data in one canonical order."""
    return {
        "parameters": _sorted(flow.parameters),
        "nodes": {node_id: _node(flow, node_id) for node_id in sorted(flow.nodes)},
        "edges": [str(edge) for edge in sorted(flow.edges, key=_target)],
        "outputs": None if flow.outputs is None else _sorted(flow.outputs),
    }


def config_meaning(field: str, value: Json) -> Json:
    """Return a configured value without what has no meaning in it: the layout of a nested flow.

    The order of keys inside a value is kept: it may be the order of columns.
    """
    if not is_body(field, value):
        return value
    try:
        return meaning(from_data(value, nested=True))
    except FlowError:
        return value


def is_body(field: str, value: Json) -> bool:
    """Say whether a configured value is a nested flow."""
    if not isinstance(value, Mapping):
        return False
    data = cast("Mapping[str, Any]", value)
    return "nodes" in data and (field == "body" or str(data.get("format")).startswith("iaiflow/"))


def _node(flow: Flow, node_id: str) -> dict[str, Any]:
    data = node_data(flow.nodes[node_id])
    data.pop("title", None)
    config = {
        field: config_meaning(field, value) for field, value in data.get("config", {}).items()
    }
    return _sorted(data | {"config": _sorted(config)})


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: mapping[key] for key in sorted(mapping)}


def _target(edge: Edge) -> tuple[str, str]:
    return edge.target, edge.target_port
