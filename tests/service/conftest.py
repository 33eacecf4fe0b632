from __future__ import annotations

from collections.abc import Iterator

import pytest

from iaiflow_lab.model.flow import Edge, Flow, Node
from iaiflow_lab.model.signature import NodeSignature, Port
from iaiflow_lab.model.types import ANY
from iaiflow_lab.service import Session, open_session

ECHO = NodeSignature(
    type="echo",
    version=1,
    category="Test",
    title="Echo",
    summary="Echo.",
    help="Echo.",
    inputs=(Port("x", ANY, required=False),),
    outputs=(Port("out", ANY),),
    config_schema={"type": "object", "properties": {}},
)
NEEDY = NodeSignature(
    type="needy",
    version=1,
    category="Test",
    title="Needy",
    summary="Needs.",
    help="Needs.",
    inputs=(Port("x", ANY),),
    outputs=(Port("out", ANY),),
    config_schema={"type": "object", "properties": {}},
)
NOTEBOOK = NodeSignature(
    type="notebook",
    version=1,
    category="Test",
    title="Notebook",
    summary="Notebook.",
    help="Notebook.",
    inputs=(),
    outputs=(Port("out", ANY),),
    config_schema={
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "parameters": {"type": "object"},
            "snapshot": {"type": "string"},
        },
    },
)
SUBFLOW = NodeSignature(
    type="subflow",
    version=1,
    category="Test",
    title="Subflow",
    summary="Subflow.",
    help="Subflow.",
    inputs=(),
    outputs=(),
    config_schema={"type": "object", "properties": {"body": {}}},
    free_outputs=ANY,
    bodies=("body",),
)


KNOWN = {"echo": ECHO, "needy": NEEDY, "notebook": NOTEBOOK, "subflow": SUBFLOW, "cell.mine": ECHO}


class Types:
    def signature(self, node_type: str) -> NodeSignature | None:
        return KNOWN.get(node_type)


@pytest.fixture
def types() -> Types:
    return Types()


@pytest.fixture
def flow() -> Flow:
    """Return `first -> second -> third`, and `aside`."""
    return Flow(
        "Example",
        parameters={"topic": {"type": "string", "default": "ducks"}, "n": {"type": "integer"}},
        nodes={name: Node("echo") for name in ("first", "second", "third", "aside")},
        edges=(
            Edge("params", "topic", "first", "x"),
            Edge("first", "out", "second", "x"),
            Edge("second", "out", "third", "x"),
            Edge("params", "n", "aside", "x"),
        ),
    )


@pytest.fixture
def session(workspace) -> Iterator[Session]:
    with open_session(workspace) as opened:
        yield opened
