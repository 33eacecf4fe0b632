"""Runs single node types through the engine, as a flow would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from harness import Lab, MemoryJournal
from website import make_site, site

from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node
from iaiflow_lab.sdk.catalog import load_catalog

__all__ = ["make_site", "site"]

Call = Callable[..., Mapping[str, Any]]


@pytest.fixture
def lab(workspace: Path) -> Lab:
    """Return a lab that has the whole catalog."""
    catalog = load_catalog(None)
    return Lab(workspace, *map(catalog.require, catalog.names()))


@pytest.fixture
def call(lab: Lab) -> Call:
    """Return `call(type, inputs, params, **config)`: the node's outputs, or its exception."""

    def run(
        node_type: str,
        inputs: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        /,
        **config: Any,
    ) -> Mapping[str, Any]:
        wired, given = dict(inputs or {}), dict(params or {})
        flow = Flow(
            "test",
            parameters={name: {"type": "any"} for name in wired | given},
            nodes={"n": Node(node_type, config)},
            edges=tuple(Edge(PARAMS, name, "n", name) for name in wired),
        )
        lab.journal = MemoryJournal()
        result = lab.run(flow, wired | given)
        if result.exception is not None:
            raise result.exception
        return result.values["n"]

    return run
