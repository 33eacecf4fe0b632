"""From a flow to a frozen plan: what runs, what feeds what. Pure and iterative.

The parts of a plan are msgspec structs, because thousands of them are made for one run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from iaiflow_lab.engine import cache_key
from iaiflow_lab.engine.setup import NodeTypes, Targets
from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import expression, template, topology
from iaiflow_lab.model.flow import ERROR, OUT, PARAMS, Edge, Flow, Node
from iaiflow_lab.model.secret_names import names_in
from iaiflow_lab.model.types import ANY, PortType
from iaiflow_lab.sdk.configuration import validate_config
from iaiflow_lab.sdk.node import NodeType

#: Index that stands for the flow's parameters as a source.
FROM_PARAMS = -1
_EVERYTHING = Targets()


class Source(msgspec.Struct, frozen=True, eq=False):
    """Where a value comes from."""

    #: Index of the node, or `FROM_PARAMS`.
    index: int
    #: Its output port, or the parameter's name.
    port: str


class Wire(msgspec.Struct, frozen=True, eq=False):
    """All that arrives at one input of a node."""

    #: Name of the port or configuration field.
    port: str
    sources: tuple[Source, ...]
    #: Whether the sources arrive as the items of a list.
    gathered: bool
    #: What the value is for: an argument, a configuration field, or a template only.
    place: Literal["input", "config", "template"]
    #: The type it must have.
    type: PortType


class PlannedNode(msgspec.Struct, frozen=True, eq=False):
    """One node, ready to be executed."""

    index: int
    id: str
    node: Node
    type: NodeType[..., Any]
    wires: tuple[Wire, ...]
    #: Indexes of the nodes that wait for this one, each once.
    successors: tuple[int, ...]
    #: How many nodes this one waits for.
    waits_for: int
    #: Arguments that the configuration gives to unconnected input ports.
    constants: Mapping[str, Any]
    #: The other configuration, as written.
    config: Mapping[str, Any]
    #: The same, checked and complete; None when templates or edges still change it.
    ready_config: Mapping[str, Any] | None
    #: Hash of the node's code; "" when it is not known or not asked for.
    code_key: str
    #: What is fixed about its cache key; None when it is never cached.
    identity: bytes | None
    #: Names of the secrets that the configuration refers to.
    secrets: tuple[str, ...]
    #: Parsed templates by field.
    templates: Mapping[str, template.Template]
    skip_if: expression.Expression | None
    #: Whether it takes its value from an earlier run instead of running.
    given: bool
    #: Whether the cache must not answer for it.
    fresh: bool


class Plan(msgspec.Struct, frozen=True, eq=False):
    """A flow with names resolved to indexes, in topological order."""

    nodes: tuple[PlannedNode, ...]
    #: Where each named result of the flow comes from.
    outputs: Mapping[str, Source]
    #: All of the flow, also what takes no part.
    flow: Flow


def build(
    flow: Flow,
    types: NodeTypes,
    targets: Targets = _EVERYTHING,
    previous: Iterable[str] = (),
) -> Plan:
    """Plan the execution of `flow`.

    Args:
        flow: A flow that passed its rules.
        types: Where node types are found.
        targets: Which part to run.
        previous: Nodes whose values of an earlier run are at hand.

    Raises:
        FlowError: A node type is missing, an edge leads nowhere, or the nodes form a cycle.
    """
    ids = _order(flow)
    part = choose(flow, targets, previous)
    ids = [node_id for node_id in ids if node_id in part.wanted]
    index = {node_id: number for number, node_id in enumerate(ids)}
    incoming = edges_to(flow, index)
    successors = _successors(incoming, index)
    codes: dict[str, str | None] = {}
    nodes = tuple(
        _plan_node(
            _Place(flow, types, index, node_id, codes),
            incoming[node_id],
            tuple(successors[number]),
            given=node_id in part.given,
            fresh=node_id in part.fresh,
        )
        for number, node_id in enumerate(ids)
    )
    return Plan(nodes, _outputs(flow, nodes, index), flow)


@dataclass(frozen=True, slots=True)
class _Place:
    flow: Flow
    types: NodeTypes
    index: Mapping[str, int]
    id: str
    codes: dict[str, str | None]

    @property
    def node(self) -> Node:
        return self.flow.nodes[self.id]

    def code_key(self, node_type: NodeType[..., Any]) -> str | None:
        """Return the hash of the type's code, computed once for a plan."""
        if node_type.name not in self.codes:
            self.codes[node_type.name] = cache_key.code_key(node_type)
        return self.codes[node_type.name]

    def node_type(self, node_id: str) -> NodeType[..., Any]:
        name = self.flow.nodes[node_id].type
        found = self.types.get(name)
        if found is None:
            raise FlowError(
                f"Node type {name!r} isn't installed.",
                where=f"nodes.{node_id}",
                remedy="Install the package that provides it, or see `iaiflow nodes ls`.",
                code="node-type-unknown",
            )
        return found


def _order(flow: Flow) -> list[str]:
    links = _pairs(flow)
    order = topology.order(flow.nodes, links)
    if len(order) < len(flow.nodes):
        cycle = next(topology.cycles(flow.nodes, links))
        raise FlowError(f"Cycle: {' -> '.join(cycle)}.", remedy="Use a map node instead.")
    return order


def _pairs(flow: Flow) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in flow.edges if edge.source != PARAMS]


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a flow that a run is about, as node ids."""

    #: All that take part.
    wanted: set[str]
    #: Those that take their values from an earlier run.
    given: set[str]
    #: Those that must really run.
    fresh: set[str]


def choose(flow: Flow, targets: Targets, previous: Iterable[str] = ()) -> Part:
    """Return the part of a flow that `targets` name.

    Args:
        flow: The flow.
        targets: Which part to run.
        previous: Nodes whose values of an earlier run are at hand.

    Raises:
        FlowError: A target is no node of the flow.
    """
    wanted, fresh = _select(flow, list(flow.nodes), targets)
    given = (set(previous) & wanted) - fresh if targets.start else set[str]()
    return Part(_needed(flow, wanted, given), given, fresh)


def _select(flow: Flow, ids: list[str], targets: Targets) -> tuple[set[str], set[str]]:
    for node_id in (*targets.until, *targets.start):
        if node_id not in flow.nodes:
            raise FlowError(f"There is no node {node_id!r} in this flow.", code="not-found")
    wanted, fresh = set(ids), set[str]()
    if not targets.start and not targets.until:
        return wanted, fresh
    before = topology.predecessors(ids, _pairs(flow))
    if targets.start:
        after = topology.successors(ids, _pairs(flow))
        fresh = topology.descendants(targets.start, after) | set(targets.start)
        wanted = topology.ancestors(fresh, before) | fresh
    if targets.until:
        until = topology.ancestors(targets.until, before) | set(targets.until)
        wanted, fresh = wanted & until, fresh & until
    return wanted, fresh


def _needed(flow: Flow, wanted: set[str], given: set[str]) -> set[str]:
    """Leave out what only feeds nodes whose values are given."""
    if not given:
        return wanted
    links = [(a, b) for a, b in _pairs(flow) if b not in given]
    sinks = wanted - {a for a, b in _pairs(flow) if b in wanted}
    return wanted & (topology.ancestors(sinks, topology.predecessors(wanted, links)) | sinks)


def edges_to(flow: Flow, ids: Collection[str]) -> dict[str, list[Edge]]:
    """Return the edges that lead to each of these nodes."""
    incoming: dict[str, list[Edge]] = {node_id: [] for node_id in ids}
    for edge in flow.edges:
        if edge.target in incoming:
            incoming[edge.target].append(edge)
    return incoming


def _successors(incoming: Mapping[str, list[Edge]], index: Mapping[str, int]) -> list[list[int]]:
    successors: list[list[int]] = [[] for _ in index]
    for target, edges in incoming.items():
        for source in dict.fromkeys(edge.source for edge in edges):
            if source in index:
                successors[index[source]].append(index[target])
    return successors


def _plan_node(
    place: _Place, edges: list[Edge], successors: tuple[int, ...], *, given: bool, fresh: bool
) -> PlannedNode:
    node, node_type = place.node, place.node_type(place.id)
    config = node_type.migrate(node.config, node.version)
    ports = {port.name for port in node_type.inputs}
    fields = {field.name for field in node_type.fields}
    templates = {
        name: template.parse(config[name])
        for name in node_type.template_fields
        if isinstance(config.get(name), str)
    }
    wires = () if given else tuple(_wires(place, node_type, edges, templates))
    wired = {wire.port for wire in wires}
    is_constant = ports if node_type.free_inputs is None else ports | (config.keys() - fields)
    constants = {k: v for k, v in config.items() if k in is_constant and k not in wired}
    written = {k: v for k, v in config.items() if k not in is_constant}
    is_static = not templates and all(wire.place != "config" for wire in wires) and not given
    code = place.code_key(node_type)
    return PlannedNode(
        index=place.index[place.id],
        id=place.id,
        node=node,
        type=node_type,
        wires=wires,
        successors=successors,
        waits_for=0 if given else len({e.source for e in edges if e.source in place.index}),
        constants=constants,
        config=written,
        ready_config=_checked(node_type, written, place.id) if is_static else None,
        code_key=code or "",
        identity=cache_key.identity(node_type, node, code, constants, written),
        secrets=_secrets(node_type, constants, written, templates),
        templates=templates,
        skip_if=expression.compile(node.skip_if) if node.skip_if else None,
        given=given,
        fresh=fresh,
    )


def _secrets(
    node_type: NodeType[..., Any],
    constants: Mapping[str, Any],
    written: Mapping[str, Any],
    templates: Mapping[str, template.Template],
) -> tuple[str, ...]:
    """Return the secrets that a configuration names, defaults included; not nested flows."""
    inside, others = node_type.secret_fields, templates.keys() | node_type.body_fields
    found = [name for value in constants.values() for name in names_in(value)]
    for field, value in {**node_type.secret_defaults, **written}.items():
        if field not in others:
            found += names_in(value, inside=field in inside)
    return tuple(dict.fromkeys(found))


def _checked(
    node_type: NodeType[..., Any], written: Mapping[str, Any], node_id: str
) -> Mapping[str, Any]:
    if not written and not node_type.fields:
        return {}
    return validate_config(node_type, written, f"nodes.{node_id}.config")


def _wires(
    place: _Place,
    node_type: NodeType[..., Any],
    edges: list[Edge],
    templates: Mapping[str, template.Template],
) -> Iterable[Wire]:
    by_port: dict[str, list[Edge]] = {}
    for edge in edges:
        by_port.setdefault(edge.target_port, []).append(edge)
    in_templates = {name for parsed in templates.values() for name in parsed.names}
    for port, arriving in by_port.items():
        where, port_type = _target(node_type, port, in_templates)
        if where is None:
            raise FlowError(
                f"Edge '{arriving[0]}' leads to no input: {place.id!r} has none called {port!r}.",
                where=f"nodes.{place.id}",
            )
        sources = tuple(_source(place, edge) for edge in arriving)
        gathered = port_type.item is not None and (
            len(arriving) > 1 or port_type.gathers(_source_type(place, arriving[0]))
        )
        yield Wire(port, sources, gathered, where, port_type)


def _target(
    node_type: NodeType[..., Any], port: str, in_templates: set[str]
) -> tuple[Literal["input", "config", "template"] | None, PortType]:
    for declared in node_type.inputs:
        if declared.name == port:
            return "input", declared.type
    if port in node_type.field_types:
        return "config", node_type.field_types[port]
    if node_type.free_inputs is not None:
        return "input", node_type.free_inputs
    return ("template", ANY) if port in in_templates else (None, ANY)


def _source(place: _Place, edge: Edge) -> Source:
    if edge.source == PARAMS:
        return Source(FROM_PARAMS, edge.source_port)
    if edge.source not in place.index:
        raise FlowError(f"Edge '{edge}' starts at a node that does not exist.")
    return Source(place.index[edge.source], edge.source_port)


def _source_type(place: _Place, edge: Edge) -> PortType:
    if edge.source == PARAMS or edge.source_port == ERROR:
        return ANY
    ports = {port.name: port.type for port in place.node_type(edge.source).outputs}
    return ports.get(edge.source_port, ANY)


def _outputs(
    flow: Flow, nodes: tuple[PlannedNode, ...], index: Mapping[str, int]
) -> dict[str, Source]:
    if flow.outputs is not None:
        named = {name: spec.partition(".") for name, spec in flow.outputs.items()}
        return {
            name: Source(index[node_id], port or OUT)
            for name, (node_id, _, port) in named.items()
            if node_id in index
        }
    found: dict[str, Source] = {}
    for planned in nodes:
        if planned.successors:
            continue
        ports = [port.name for port in planned.type.outputs]
        for port in ports:
            name = planned.id if len(ports) == 1 else f"{planned.id}.{port}"
            found[name] = Source(planned.index, port)
    return found
