"""The `with Flow(...) as name:` block of a cell as it was typed: what each statement does."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from iaiflow_lab import syntax
from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import parse_edge
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node

#: Methods of a flow that do not add a node.
_REST: Final = (["connect"], ["returns"], ["place"], ["annotate"])


@dataclass(frozen=True, slots=True)
class Block:
    """The block of one flow in a cell."""

    statement: ast.With
    #: The cell's lines.
    lines: Sequence[str]
    #: The variable of the flow.
    variable: str
    #: How far the block is indented, and its body further.
    indent: str
    inner: str

    @property
    def opening(self) -> list[str]:
        """Its first lines, without the comments that belong to its first node."""
        kept = list(self.lines[self.statement.lineno - 1 : self.statement.body[0].lineno - 1])
        while len(kept) > 1 and _is_comment(kept[-1]):
            kept.pop()
        return kept

    def typed(self, statement: ast.stmt) -> list[str]:
        """Return a statement as it was typed, with the comments and empty lines above it."""
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        while first > self.statement.lineno and _is_comment(self.lines[first - 1]):
            first -= 1
        return list(self.lines[first:last])

    def written(self, statement: str) -> list[str]:
        """Return a new statement with the indentation of the body."""
        return [self.inner + line for line in statement.split("\n")]


@dataclass(frozen=True, slots=True)
class Parts:
    """The statements of a block by what they do."""

    #: Those that add one node each, by its id.
    nodes: Mapping[str, ast.stmt]
    #: Those that connect one edge each.
    edges: Mapping[ast.stmt, Edge]
    #: All others.
    rest: Sequence[ast.stmt]

    @property
    def variables(self) -> dict[str, str]:
        """The variables of nodes by id."""
        return {node_id: name for node_id, each in self.nodes.items() if (name := assigned(each))}


def find(source: str, lines: Sequence[str], flow: Flow) -> Block | None:
    """Return the only block of the cell that builds this flow."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError):  # it holds magics
        return None
    found: list[Block] = []
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.With) or len(statement.items) != 1:
            continue
        item = statement.items[0]
        call, target = item.context_expr, item.optional_vars
        if not isinstance(call, ast.Call) or not isinstance(target, ast.Name):
            continue
        if _last_name(call.func) != "Flow" or _flow_name(call) != flow.name:
            continue
        line, inner = lines[statement.lineno - 1], lines[statement.body[0].lineno - 1]
        if statement.body[0].lineno == statement.lineno:
            return None  # all on one line
        found.append(Block(statement, lines, target.id, _indent(line), _indent(inner)))
    return found[0] if len(found) == 1 else None


def _flow_name(call: ast.Call) -> str | None:
    """Return the flow's name where it is written out."""
    named = [word.value for word in call.keywords if word.arg == "name"]
    first = (call.args or named or [ast.Constant("")])[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _last_name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def parts(block: Block, base: Flow) -> Parts | None:
    """Return what the statements do; None when it cannot be told of each.

    Args:
        block: The block.
        base: The flow that it builds.
    """
    if _share_lines(block.statement.body):
        return None
    nodes = _node_statements(block, base)
    if nodes is None:
        return None
    variables = {name: node_id for node_id, each in nodes.items() if (name := assigned(each))}
    adding = {*nodes.values()}
    others = [each for each in block.statement.body if each not in adding]
    edges: dict[ast.stmt, Edge] = {}
    for statement in others:
        if _called(statement)[-1:] == ["connect"]:
            edge = _edge(statement, block.variable, variables)
            if edge is None:
                return None
            edges[statement] = edge
    return Parts(nodes, edges, [each for each in others if each not in edges])


def _edge(statement: ast.stmt, flow: str, variables: Mapping[str, str]) -> Edge | None:
    """Return the edge that a call of `connect` adds; None when that shows only in its values."""
    call = getattr(statement, "value")  # noqa: B009  `_called` has seen that it is there
    ends = [_end(argument, flow, variables) for argument in call.args]
    if call.keywords or len(ends) not in (1, 2) or None in ends:
        return None
    try:
        return parse_edge(" -> ".join(str(end) for end in ends))
    except FlowError:
        return None


def _end(argument: ast.expr, flow: str, variables: Mapping[str, str]) -> str | None:
    """Return an argument of `connect` as text: `a.out`, `a["out"]`, `a` or a text itself."""
    match argument:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in variables:
            return f"{variables[name]}.out"
        case ast.Attribute(value=of, attr=port):
            node = _node(of, flow, variables)
        case ast.Subscript(value=of, slice=ast.Constant(value=str(port))):
            node = _node(of, flow, variables)
        case _:
            return None
    return None if node is None else f"{node}.{port}"


def _node(expression: ast.expr, flow: str, variables: Mapping[str, str]) -> str | None:
    match expression:
        case ast.Name(id=name):
            return variables.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr="params") if name == flow:
            return PARAMS
        case _:
            return None


def _share_lines(statements: Sequence[ast.stmt]) -> bool:
    """Say whether a line holds parts of two statements, as a semicolon allows."""
    return any(one.end_lineno == other.lineno for one, other in pairwise(statements))


def _node_statements(block: Block, base: Flow) -> dict[str, ast.stmt] | None:
    """Return the statement that adds each node, when each adds exactly one."""
    adding: list[ast.stmt] = []
    for statement in block.statement.body:
        if isinstance(statement, ast.Pass) or _called(statement)[-1:] in _REST:
            continue
        adding.append(statement)
    if len(adding) != len(base.nodes):
        return None
    pairs = dict(zip(base.nodes, adding, strict=True))
    fits = all(_adds(each, node_id, base.nodes[node_id]) for node_id, each in pairs.items())
    return pairs if fits else None


def _called(statement: ast.stmt) -> list[str]:
    """Return the names of a statement's call: `flow.add(...)` is `["flow", "add"]`."""
    value = getattr(statement, "value", None)
    if not isinstance(statement, ast.Expr | ast.Assign) or not isinstance(value, ast.Call):
        return []
    names: list[str] = []
    current = value.func
    while isinstance(current, ast.Attribute):
        names.insert(0, current.attr)
        current = current.value
    return [current.id, *names] if isinstance(current, ast.Name) else []


def _adds(statement: ast.stmt, node_id: str, node: Node) -> bool:
    """Say whether a statement adds this node and nothing else."""
    called = _called(statement)
    if not called or sum(isinstance(one, ast.Call) for one in ast.walk(statement)) != 1:
        return False
    if called[-1] != "add":
        return called[-1] == node.type.rpartition(".")[2]
    call = getattr(statement, "value")  # noqa: B009  `_called` has seen that it is there
    kind = call.args[0] if call.args else None
    written = [word.value for word in call.keywords if word.arg == "id"]
    is_its = not written or (isinstance(written[0], ast.Constant) and written[0].value == node_id)
    return is_its and isinstance(kind, ast.Constant) and kind.value == node.type


def assigned(statement: ast.stmt) -> str | None:
    """Return the variable that a statement sets."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return target.id if isinstance(target, ast.Name) else None
    return None


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
