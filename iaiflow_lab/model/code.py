"""A flow as the Python code that builds it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import from_data, node_data, to_data
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node
from iaiflow_lab.model.names import is_name
from iaiflow_lab.model.signature import Signatures

#: Keywords of `Flow.add` that no port or configuration field can be passed by.
SETTINGS = frozenset(
    {
        "id",
        "title",
        "version",
        "retry",
        "timeout",
        "cache",
        "on_error",
        "join",
        "skip_if",
        "concurrency",
        "pin",
        "inputs",
        "config",
    }
)

_WIDTH = 100
_INDENT = 4
#: Kept free on a line for `name = ` or ` as flow:`.
_ROOM = 24


class _Code(str):
    """A piece of source text, where other texts are values."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Statements:
    """What stands inside a flow's `with` block, without indentation."""

    #: The statement that adds each node, by its id.
    nodes: Mapping[str, str]
    #: Edges that are no arguments of these: each needs a statement of its own.
    edges: Sequence[Edge]
    #: The statements that follow: outputs, positions, notes.
    rest: Sequence[str]


def statements(
    flow: Flow, signatures: Signatures, variable: str, names: Mapping[str, str]
) -> Statements | None:
    """Return the statements that build a flow; None when it holds nested flows.

    Args:
        flow: The flow.
        signatures: Tells which configuration fields hold nested flows.
        variable: The variable of the flow.
        names: The variables that nodes shall have, by id.
    """
    if any(_nested(node, signatures) for node in flow.nodes.values()):
        return None
    block = _Block(flow, variable, {"Flow", variable}, names)
    for node_id, node in flow.nodes.items():
        block.node(node_id, node, {})
    block.rest()
    return Statements(block.adding, block.connected, block.others)


def connect_statement(variable: str, edge: Edge) -> str:
    """Return the statement that adds an edge to the flow of a variable."""
    return f"{variable}.connect({_quote(str(edge))})"


def to_python(flow: Flow, signatures: Signatures, *, variable: str = "flow") -> str:
    """Return code that builds an equal flow, nodes and edges in the same order.

    Nested flows become `with` blocks of their own; `from iaiflow_lab import Flow` is all it needs.

    Args:
        flow: The flow; it need not be free of problems.
        signatures: Tells which configuration fields hold nested flows.
        variable: The variable of the flow.
    """
    writer = _Writer(signatures, variable)
    writer.flow(flow, variable)
    return "from iaiflow_lab import Flow\n\n" + "\n".join(writer.lines) + "\n"


class _Writer:
    """Collects lines; nested flows are written before the one that holds them."""

    def __init__(self, signatures: Signatures, variable: str) -> None:
        self.signatures = signatures
        self.lines: list[str] = []
        #: Names that hold finished nested flows, or mean something else already.
        self.reserved = {"Flow", variable}

    def flow(self, flow: Flow, variable: str) -> None:
        bodies = {node_id: self._bodies(node_id, node) for node_id, node in flow.nodes.items()}
        block = _Block(flow, variable, self.reserved)
        for node_id, node in flow.nodes.items():
            block.node(node_id, node, bodies[node_id])
        block.rest()
        settings: dict[str, Any] = {}
        if flow.parameters:
            settings["parameters"] = {name: dict(spec) for name, spec in flow.parameters.items()}
        if flow.schema_uri:
            settings["schema_uri"] = flow.schema_uri
        opening = _call("with Flow", [flow.name], settings, 0)
        self.lines.append(f"{opening} as {variable}:")
        self.lines += [" " * _INDENT + line for line in block.lines or ["pass"]]

    def _bodies(self, node_id: str, node: Node) -> dict[str, _Code]:
        """Write the nested flows of a node and return their variables by field."""
        written: dict[str, _Code] = {}
        for field, body in _nested(node, self.signatures).items():
            variable = _free(f"{node_id}_{field}", self.reserved)
            self.flow(body, variable)
            self.lines.append("")
            self.reserved.add(variable)
            written[field] = _Code(variable)
        return written


class _Block:
    """The statements inside one `with` block, without their indentation."""

    def __init__(
        self,
        flow: Flow,
        variable: str,
        reserved: set[str],
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.flow = flow
        self.variable = variable
        #: The variables that nodes shall have, by id; others are named after their id.
        self.names = names or {}
        self.adding: dict[str, str] = {}
        self.connected: list[Edge] = []
        self.others: list[str] = []
        self.lines: list[str] = []
        self.variables: dict[str, str] = {}
        self.taken = set(reserved) | {variable} | set(self.names.values())
        #: How many edges are written; they are written in the flow's order.
        self.written = 0
        references = (flow.outputs or {}).values()
        #: Nodes that a later statement may refer to.
        self.sources = {edge.source for edge in flow.edges}
        self.sources |= {reference.partition(".")[0] for reference in references}

    def node(self, node_id: str, node: Node, bodies: Mapping[str, _Code]) -> None:
        wired = self._wired(node_id)
        config: dict[str, Any] = {**node.config, **bodies}
        data = node_data(node)
        settings = {key: data[key] for key in data if key in SETTINGS - {"config"}}
        by_keyword: dict[str, Any] = {"id": node_id}
        if all(map(_is_keyword, config)):
            by_keyword |= config
        else:
            settings["config"] = config
        if all(_is_keyword(port) and port not in config for port in wired):
            by_keyword |= wired
        else:
            settings["inputs"] = wired
        name = self.names.get(node_id) or _free(node_id, self.taken)
        self.taken.add(name)
        self.variables[node_id] = name
        call = _call(f"{self.variable}.add", [node.type], by_keyword | settings, _INDENT)
        statement = f"{name} = {call}" if node_id in self.sources else call
        self.adding[node_id] = statement
        self.lines += statement.split("\n")
        self._connect_known()

    def rest(self) -> None:
        """Write what follows the nodes."""
        flow, variable = self.flow, self.variable
        for edge in self._next_edges():
            self._connect(edge)
        if flow.outputs is not None:
            self._write(self._returns(flow.outputs))
        if flow.layout:
            self._write(_call(f"{variable}.place", [dict(flow.layout)], {}, _INDENT))
        notes = {"notes": [*flow.notes], "groups": [*flow.groups]}
        if kept := {key: value for key, value in notes.items() if value}:
            self._write(_call(f"{variable}.annotate", [], kept, _INDENT))

    def _write(self, statement: str) -> None:
        self.others.append(statement)
        self.lines += statement.split("\n")

    def _next_edges(self) -> Iterator[Edge]:
        """Yield the edges that are not written yet."""
        edges = self.flow.edges
        return (edges[index] for index in range(self.written, len(edges)))

    def _wired(self, node_id: str) -> dict[str, Any]:
        """Take the next edges in order, as far as they can be arguments of this node."""
        sources: dict[str, list[_Code]] = {}
        last = ""
        for edge in self._next_edges():
            port = edge.target_port
            known = edge.source == PARAMS or edge.source in self.variables
            if edge.target != node_id or not known or (port in sources and port != last):
                break
            sources.setdefault(port, []).append(self._reference(edge.source, edge.source_port))
            last = port
            self.written += 1
        return {port: found[0] if len(found) == 1 else found for port, found in sources.items()}

    def _connect_known(self) -> None:
        """Write the next edges between nodes that are all there by now."""
        for edge in self._next_edges():
            if not {edge.source, edge.target} <= {PARAMS, *self.variables}:
                break
            self._connect(edge)
            self.written += 1

    def _connect(self, edge: Edge) -> None:
        self.connected.append(edge)
        self.lines.append(connect_statement(self.variable, edge))

    def _reference(self, node_id: str, port: str) -> _Code:
        if node_id == PARAMS:
            return _Code(f"{self.variable}.params[{_quote(port)}]")
        name = self.variables[node_id]
        return _Code(f"{name}[{_quote(port)}]" if port.startswith("_") else f"{name}.{port}")

    def _returns(self, outputs: Mapping[str, str]) -> str:
        call = f"{self.variable}.returns"
        ends = {name: reference.partition(".") for name, reference in outputs.items()}
        plain = all(
            is_name(name) and node_id in self.variables and is_name(port)
            for name, (node_id, _, port) in ends.items()
        )
        if not plain or not outputs:
            return _call(call, [dict(outputs)], {}, _INDENT)
        named = {name: self._reference(node_id, port) for name, (node_id, _, port) in ends.items()}
        return _call(call, [], named, _INDENT)


def _nested(node: Node, signatures: Signatures) -> dict[str, Flow]:
    """Return the nested flows that a node holds, by field."""
    signature = signatures.signature(node.type)
    fields = signature.bodies if signature else ()
    found = {field: _canonical(node.config.get(field)) for field in fields}
    return {field: body for field, body in found.items() if body is not None}


def _canonical(body: Any) -> Flow | None:
    """Return a nested flow when building it anew gives exactly the same data."""
    if not isinstance(body, dict):
        return None
    try:
        flow = from_data(cast("object", body), nested=True)
    except FlowError:
        return None
    return flow if json.dumps(to_data(flow)) == json.dumps(body) else None


def _is_keyword(name: str) -> bool:
    return is_name(name) and name not in SETTINGS


def _free(wanted: str, taken: set[str]) -> str:
    stem = wanted.replace("-", "_")
    name = f"{stem}_" if iskeyword(stem) else stem
    number = 2
    while name in taken:
        name = f"{stem}_{number}"
        number += 1
    return name


def _call(function: str, arguments: Sequence[Any], keywords: Mapping[str, Any], indent: int) -> str:
    """Return a call on one line where it fits, else with one argument a line."""
    prefixed = [("", value) for value in arguments]
    prefixed += [(f"{name}=", value) for name, value in keywords.items()]
    line = f"{function}({', '.join(name + _line(value) for name, value in prefixed)})"
    if (
        indent + len(line) + 24 <= _WIDTH and "\\n" not in line
    ):  # room for `name = ` and ` as flow:`
        return line
    inner = " " * _INDENT
    parts = [f"{inner}{name}{_lines(value, 2 * _INDENT, len(name))},\n" for name, value in prefixed]
    return f"{function}(\n{''.join(parts)})"


def _lines(value: Any, indent: int, used: int) -> str:
    """Return a value's source text; long ones are spread over lines."""
    line = _line(value)
    short = indent + used + len(line) + 1 <= _WIDTH
    inner = " " * indent
    if isinstance(value, str) and not isinstance(value, _Code):
        pieces = value.splitlines(keepends=True)
        if len(pieces) < 2:
            return line
        joined = "".join(f"{inner}{_quote(piece)}\n" for piece in pieces)
        return f"(\n{joined}{inner[_INDENT:]})"
    if short or not value or not isinstance(value, dict | list):
        return line
    if isinstance(value, dict):
        entries = [
            f"{_quote(key)}: {_lines(item, indent + _INDENT, len(key) + 4)}"
            for key, item in cast("dict[str, Any]", value).items()
        ]
    else:
        entries = [_lines(item, indent + _INDENT, 0) for item in cast("list[Any]", value)]
    joined = "".join(f"{inner}{entry},\n" for entry in entries)
    return f"{line[0]}\n{joined}{inner[_INDENT:]}{line[-1]}"


def _line(value: Any) -> str:
    """Return a value's source text on one line."""
    if isinstance(value, _Code):
        return str(value)
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value).items()
        return "{" + ", ".join(f"{_quote(key)}: {_line(item)}" for key, item in entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_line, cast("list[Any]", value))) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_line, cast("tuple[Any, ...]", value))) + ")"
    return repr(value)


def _quote(text: str) -> str:
    """Return a text's source in double quotes, where that needs no more escapes."""
    source = repr(text)
    if source.startswith("'") and '"' not in text:
        return f'"{source[1:-1]}"'
    return source
