"""Drawing a flow in Python: `add` collects nodes, references to outputs become edges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass
from itertools import chain, count
from types import TracebackType
from typing import Any, Protocol, Self, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import names
from iaiflow_lab.model.data import MAX_EDGES, MAX_NODES, parse_edge, retry_from_data, to_data
from iaiflow_lab.model.flow import OUT, PARAMS, Edge, Flow, Join, Node, OnError, Retry
from iaiflow_lab.model.json_value import find_fault

_current: ContextVar[FlowBuilder | None] = ContextVar("iaiflow_builder", default=None)


def current_builder() -> FlowBuilder | None:
    """Return the flow that is being drawn by the innermost `with Flow(...)`; None outside."""
    return _current.get()


@dataclass(frozen=True, slots=True)
class PortRef:
    """An output of a node, or a parameter of the flow, as the source of edges."""

    #: The node's id, or `params`.
    node_id: str
    #: The output's or parameter's name.
    port: str

    def __str__(self) -> str:
        """Return the spelling used in files: `fetch.body`."""
        return f"{self.node_id}.{self.port}"


class NodeRef:
    """A node of a flow that is being drawn: `node.port` and `node["port"]` are its outputs.

    Used as a value itself, it stands for its output `out`.
    """

    __slots__ = ("_node_id",)

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id

    def __getattr__(self, port: str) -> PortRef:
        if port.startswith("__"):
            raise AttributeError(port)
        return self[port]

    def __getitem__(self, port: str) -> PortRef:
        if not names.is_name(port):
            raise FlowError(f"{names.shorten(port)!r} is no port name.", where=self._node_id)
        return PortRef(self._node_id, port)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"Node {self._node_id!r} has named outputs: write node['port'].")

    def __bool__(self) -> bool:
        raise TypeError(
            f"Node {self._node_id!r} has no value while its flow is drawn: use an `if` node."
        )

    def __repr__(self) -> str:
        return f"<node {self._node_id}>"

    def __str__(self) -> str:
        """Return the node's id."""
        return self._node_id


class NamedType(Protocol):
    """A node type."""

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        ...


class HasNode(Protocol):
    """What stands in flows as a node of a type of its own."""

    @property
    def node(self) -> NamedType:
        """That type."""
        ...


class FlowBuilder:
    """Collects nodes and edges in order and makes a `model.Flow` of them.

    Args:
        name: What people call the flow.
        parameters: JSON Schema of each parameter, by name.
        schema_uri: The `$schema` line of the file, if it shall have one.
    """

    def __init__(
        self,
        name: str = "",
        *,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        schema_uri: str = "",
    ) -> None:
        self._name = name
        self._schema_uri = schema_uri
        self._parameters = {key: _json(spec, key) for key, spec in (parameters or {}).items()}
        self._nodes: dict[str, Node] = {}
        self._edges: list[Edge] = []
        self._outputs: dict[str, str] | None = None
        self._layout: dict[str, tuple[float, float]] = {}
        self._notes: tuple[Mapping[str, Any], ...] = ()
        self._groups: tuple[Mapping[str, Any], ...] = ()
        self._tokens: list[Token[FlowBuilder | None]] = []

    @property
    def params(self) -> NodeRef:
        """The flow's parameters as sources of edges: `flow.params["topic"]`."""
        return NodeRef(PARAMS)

    def add(  # noqa: PLR0913 - one keyword for each setting of a node
        self,
        node_type: str | NamedType | HasNode,
        /,
        *,
        id: str = "",  # noqa: A002 - what flow files call it
        title: str = "",
        version: int = 1,
        retry: Retry | Mapping[str, Any] | int | None = None,
        timeout: float | None = None,
        cache: Any = "auto",
        on_error: OnError = "fail",
        join: Join = "all",
        skip_if: str = "",
        concurrency: int | None = None,
        pin: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> NodeRef:
        """Add a node.

        Args:
            node_type: The node type's name in the catalog, or itself; or an agent.
            id: The node's id; made from the type when left out.
            title: What people call it.
            version: The version of the node type that the configuration is written for.
            retry: A policy, its fields, or the number of calls in all.
            timeout: Longest time for one call, in seconds.
            cache: "auto", "off", or for how many seconds a stored output may be used.
            on_error: What a failure does.
            join: When the node may start.
            skip_if: Expression; true skips the node.
            concurrency: How many items run at once.
            pin: Output values by port that stand in for a call in interactive runs.
            inputs: Sources by input port, for ports named like a setting above.
            config: Configuration by field, for fields named like a setting above.
            **values: An output (`node.port`, a node, `flow.params["x"]`) or a list of outputs is
                wired into the port of that name; anything else configures it.

        Raises:
            FlowError: The id is taken or not allowed, or a value is no JSON.
        """
        type_name = _type_name(node_type)
        node_id = self._free_id(id, type_name)
        wired, plain = _sorted_out(inputs or {}, config or {}, values)
        node = Node(
            type=type_name,
            config={key: _json(value, f"{node_id}.{key}") for key, value in plain.items()},
            version=version,
            title=title,
            retry=_retry(retry, node_id),
            timeout=timeout,
            cache=cache,
            on_error=on_error,
            join=join,
            skip_if=skip_if,
            concurrency=concurrency,
            pin=None if pin is None else _json(pin, f"{node_id}.pin"),
        )
        self._put(node_id, node, wired)
        return NodeRef(node_id)

    def connect(self, source: str | PortRef | NodeRef, target: str | PortRef | None = None) -> None:
        """Add an edge: `connect("a.out -> b.text")` or `connect(a.out, b.text)`.

        Raises:
            FlowError: An end is not of the form `node.port`.
        """
        text = str(source) if target is None else f"{_source(source)} -> {target}"
        self._check_room(1)
        self._edges.append(parse_edge(text))

    def returns(self, outputs: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Say what the flow returns, by name: `returns(summary=summarise.text)`.

        Args:
            outputs: Outputs by name; a source is an output or its spelling, "summarise.text".
            **named: The same, as keywords.
        """
        chosen = {**(outputs or {}), **named}
        self._outputs = {name: str(_source(source)) for name, source in chosen.items()}

    def place(self, layout: Mapping[str, tuple[float, float]]) -> None:
        """Set canvas positions (x, y in pixels) by node id."""
        self._layout |= {node_id: (x, y) for node_id, (x, y) in layout.items()}

    def annotate(
        self,
        *,
        notes: Sequence[Mapping[str, Any]] = (),
        groups: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Add notes and groups to the canvas."""
        self._notes += tuple(_json(note, "notes") for note in notes)
        self._groups += tuple(_json(group, "groups") for group in groups)

    def build(self) -> Flow:
        """Return what has been drawn so far."""
        return Flow(
            name=self._name,
            parameters=dict(self._parameters),
            nodes=dict(self._nodes),
            edges=tuple(self._edges),
            outputs=None if self._outputs is None else dict(self._outputs),
            layout=dict(self._layout),
            notes=self._notes,
            groups=self._groups,
            schema_uri=self._schema_uri,
        )

    def __enter__(self) -> Self:
        self._tokens.append(_current.set(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _current.reset(self._tokens.pop())

    def _free_id(self, wanted: str, node_type: str) -> str:
        if not wanted:
            return self._made_id(node_type)
        if fault := names.node_id_fault(wanted):
            raise FlowError(fault, where=self._name)
        if wanted in self._nodes:
            raise FlowError(
                f"Node id {wanted!r} is taken.", where=self._name, remedy="Choose another."
            )
        return wanted

    def _made_id(self, node_type: str) -> str:
        stem = re.sub(r"[^A-Za-z0-9_]", "_", node_type.rpartition(".")[2])[:50]
        if names.node_id_fault(stem):
            stem = f"node_{stem}"
        candidates = chain([stem], (f"{stem}_{number}" for number in count(2)))
        return next(made for made in candidates if made not in self._nodes)

    def _put(self, node_id: str, node: Node, wired: Mapping[str, Any]) -> None:
        edges = [edge for port, source in wired.items() for edge in _edges(source, node_id, port)]
        self._check_room(len(edges))
        self._nodes[node_id] = node
        self._edges += edges

    def _check_room(self, more_edges: int) -> None:
        if len(self._nodes) > MAX_NODES or len(self._edges) + more_edges > MAX_EDGES:
            raise FlowError(
                f"A flow may have {MAX_NODES:,} nodes and {MAX_EDGES:,} edges at most.",
                where=self._name,
                remedy="Split it into subflows, or use a map.",
            )


def _sorted_out(
    inputs: Mapping[str, Any], config: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is wired into ports, and what configures the node."""
    wired, plain = dict(inputs), dict(config)
    for name, value in values.items():
        (wired if _is_wired(value) else plain)[name] = value
    return wired, plain


def _is_wired(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(item, PortRef | NodeRef) for item in cast("Sequence[Any]", value))
    return isinstance(value, PortRef | NodeRef)


def _source(value: Any) -> Any:
    return PortRef(str(value), OUT) if isinstance(value, NodeRef) else value


def _edges(source: Any, node_id: str, port: str) -> Iterator[Edge]:
    sources = cast("Sequence[Any]", source) if isinstance(source, list | tuple) else [source]
    for one in map(_source, sources):
        if not isinstance(one, PortRef | str):
            raise FlowError(
                f"Outputs and plain values can't be mixed in one list ({type(one).__name__}).",
                where=f"{node_id}.{port}",
                remedy="Wire outputs only, or configure values only.",
            )
        yield parse_edge(f"{one} -> {node_id}.{port}", f"{node_id}.{port}")


def _json(value: Any, where: str) -> Any:
    """Return a value as the JSON of a flow file: tuples as lists, flows as their data."""
    plain = _plain(value, 0)
    if fault := find_fault(plain):
        place = f"{where}.{fault.place}" if fault.place else where
        raise FlowError(fault.message, where=place, remedy="Use JSON values.")
    return plain


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, FlowBuilder):
        return to_data(value.build())
    if isinstance(value, Flow):
        return to_data(value)
    if depth > 100:  # refused by the caller, as too deep
        return value
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value).items()
        return {key: _plain(item, depth + 1) for key, item in entries}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in cast("Sequence[Any]", value)]
    return value


def _type_name(node_type: str | NamedType | HasNode) -> str:
    if isinstance(node_type, str):
        return node_type
    made: Any = getattr(node_type, "node", node_type)
    return made.name


def _retry(value: Retry | Mapping[str, Any] | int | None, node_id: str) -> Retry:
    if value is None or isinstance(value, int):
        return Retry(attempts=value or 1)
    return value if isinstance(value, Retry) else retry_from_data(dict(value), f"{node_id}.retry")
