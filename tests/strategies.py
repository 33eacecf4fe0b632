"""Random flows for property tests, and a small set of node types that they may use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import strategies as st

from iaiflow_lab.model import names
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node, Retry
from iaiflow_lab.model.signature import NodeSignature, Port
from iaiflow_lab.model.types import parse_type


def signature(
    node_type: str,
    *,
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
    properties: dict[str, Any] | None = None,
    **rest: Any,
) -> NodeSignature:
    """Make a signature; an input whose name ends in `?` is optional."""
    ports = tuple(
        Port(name.rstrip("?"), parse_type(kind), required=not name.endswith("?"))
        for name, kind in (inputs or {}).items()
    )
    schema = {
        "type": "object",
        "properties": {port.name: {"x-port": str(port.type)} for port in ports}
        | (properties or {}),
        "required": rest.pop("required", []),
        "additionalProperties": rest.get("free_inputs") is not None,
    }
    return NodeSignature(
        type=node_type,
        version=rest.pop("version", 1),
        category="Test",
        title=node_type,
        summary="",
        help="",
        inputs=ports,
        outputs=tuple(
            Port(name, parse_type(kind)) for name, kind in (outputs or {"out": "any"}).items()
        ),
        config_schema=schema,
        config_ports={
            name: Port(name, parse_type("any"), required=False) for name in properties or {}
        },
        **rest,
    )


class ToyTypes:
    """Signatures by node type."""

    def __init__(self, *signatures: NodeSignature) -> None:
        self.by_type = {one.type: one for one in signatures}

    def types(self) -> Collection[str]:
        return self.by_type

    def signature(self, node_type: str) -> NodeSignature | None:
        return self.by_type.get(node_type)


TOYS = ToyTypes(
    signature("text.make", outputs={"out": "text"}, properties={"length": {"type": "integer"}}),
    signature(
        "text.clean",
        inputs={"text": "text"},
        outputs={"out": "text", "rest": "list[text]"},
        properties={
            "separator": {"type": "string"},
            "mode": {"enum": ["fast", "slow"]},
            "api_key": {"type": "string"},
        },
        version=2,
    ),
    signature("text.join", inputs={"texts": "list[text]"}, outputs={"out": "text"}),
    signature(
        "text.template",
        outputs={"out": "text"},
        properties={"template": {"type": "string"}},
        required=["template"],
        templates=("template",),
        free_inputs=parse_type("any"),
    ),
    signature("table.read", outputs={"out": "table"}, properties={"path": {"type": "string"}}),
    signature(
        "if",
        inputs={"value?": "any"},
        outputs={"true": "any", "false": "any"},
        properties={"condition": {"type": "string"}},
        expressions=("condition",),
    ),
    signature(
        "map",
        inputs={"items": "list[any]"},
        outputs={"out": "list[any]"},
        properties={"body": {"anyOf": [{"type": "object"}, {"type": "string"}]}},
        bodies=("body",),
    ),
    signature("any", inputs={"value?": "any"}, free_inputs=parse_type("any")),
    signature("cell.mine"),
)

#: Texts that a flow file may hold.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
#: JSON values that a flow file may hold.
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(texts, json_values, max_size=3)
node_ids = st.text("abzAZ019_-", min_size=1, max_size=64).filter(
    lambda text: not names.node_id_fault(text)
)
#: Names of ports, parameters and outputs; some are settings of a node, or keywords elsewhere.
port_names = (
    st.sampled_from(["text", "out", "true", "id", "self", "config", "retry", "_x", "node_type"])
    | st.text("abzAZ019_öß", min_size=1, max_size=8)
).filter(names.is_name)
_pauses = st.floats(0, 100, allow_nan=False)

retries = st.builds(
    Retry,
    attempts=st.integers(1, 9),
    backoff=st.sampled_from(["constant", "exponential", "random"]),
    initial=_pauses,
    max=st.floats(100, 1000),
    jitter=st.floats(0, 1),
    on=st.lists(port_names, max_size=2).map(tuple),
)


@st.composite
def nodes(draw: st.DrawFn, *, bodies: bool = True) -> Node:
    """Draw a node of any type with any configuration."""
    config = draw(st.dictionaries(port_names | texts, json_values, max_size=3))
    node_type = draw(st.sampled_from([*TOYS.types(), "acme.unknown"]))
    if node_type == "map" and bodies:
        config["body"] = to_data(draw(flows(max_nodes=2, bodies=False)))
    return Node(
        type=node_type,
        config=config,
        version=draw(st.integers(1, 3)),
        title=draw(texts),
        retry=draw(st.just(Retry()) | retries),
        timeout=draw(st.none() | st.floats(0.1, 1000)),
        cache=draw(st.sampled_from(["auto", "off"]) | st.floats(0.1, 1000)),
        on_error=draw(st.sampled_from(["fail", "continue", "port"])),
        join=draw(st.sampled_from(["all", "any", "all_done"])),
        skip_if=draw(st.just("") | texts),
        concurrency=draw(st.none() | st.integers(1, 100)),
        pin=draw(st.none() | st.dictionaries(port_names, json_values, max_size=2)),
    )


@st.composite
def flows(draw: st.DrawFn, *, max_nodes: int = 6, bodies: bool = True) -> Flow:
    """Draw a flow that a file can hold; it need not make sense, and it may have cycles."""
    ids = draw(st.lists(node_ids, max_size=max_nodes, unique=True))
    parameters = draw(st.dictionaries(port_names | texts, json_objects, max_size=3))
    ends = st.tuples(st.sampled_from([*ids, PARAMS]), port_names)
    targets = st.tuples(st.sampled_from(ids or [PARAMS]), port_names)
    edges = st.builds(lambda source, target: Edge(*source, *target), ends, targets)
    references = ends.map(".".join) | texts
    position = st.tuples(numbers, numbers)
    return Flow(
        name=draw(texts),
        parameters=parameters,
        nodes={node_id: draw(nodes(bodies=bodies)) for node_id in ids},
        edges=tuple(draw(st.lists(edges, max_size=2 * max_nodes))),
        outputs=draw(st.none() | st.dictionaries(port_names | texts, references, max_size=2)),
        layout=draw(
            st.dictionaries(st.sampled_from(ids or ["gone"]), position, max_size=max_nodes)
        ),
        notes=tuple(draw(st.lists(json_objects, max_size=2))),
        groups=tuple(draw(st.lists(json_objects, max_size=2))),
        schema_uri=draw(st.just("") | texts),
    )


@st.composite
def dags(draw: st.DrawFn, *, max_nodes: int = 12) -> tuple[list[str], list[tuple[str, str]]]:
    """Draw an acyclic graph: ids in any order, and links."""
    count = draw(st.integers(0, max_nodes))
    ids = [f"n{number}" for number in range(count)]
    pairs = [(a, b) for index, a in enumerate(ids) for b in ids[index + 1 :]]
    links = draw(st.lists(st.sampled_from(pairs), max_size=2 * count)) if pairs else []
    return draw(st.permutations(ids)), links
