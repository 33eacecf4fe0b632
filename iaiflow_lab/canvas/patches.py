"""An edited flow as a change of the cell that builds it: what did not change stays as typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from iaiflow_lab.model import code
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.signature import Signatures

#: What ends a line of Python; `str.splitlines` knows more, which may stand inside of texts.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
#: Methods of a flow that do not add a node.
_REST = (["connect"], ["returns"], ["place"], ["annotate"])


@dataclass(frozen=True, slots=True)
class _Block:
    """The `with Flow(...) as name:` block of a cell."""

    statement: ast.With
    #: The variable of the flow.
    variable: str
    #: How far the block is indented, and its body further.
    indent: str
    inner: str


def patch(source: str, base: Flow, edited: Flow, signatures: Signatures) -> tuple[str, str]:
    """Return a cell's code with the edits, and the cell's code without them.

    Args:
        source: The cell's text.
        base: The flow as the cell builds it.
        edited: The flow as it shall be.
        signatures: Tells which configuration fields hold nested flows.

    Returns:
        When the cell does not hold the flow's `with` block, code that stands by itself, and "".
    """
    lines = _LINE_END.split(source)
    block = _find(source, lines, base)
    if block is None:
        return code.to_python(edited, signatures), ""
    made = _smallest(lines, block, base, edited, signatures)
    if made is None:
        made = _whole(block, edited, signatures)
    first, last = block.statement.lineno - 1, block.statement.end_lineno or 0
    return "\n".join([*lines[:first], *made, *lines[last:]]), source


def _find(source: str, lines: list[str], flow: Flow) -> _Block | None:
    """Return the only block of the cell that builds this flow."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # it holds magics
        return None
    found: list[_Block] = []
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
        found.append(_Block(statement, target.id, _indent(line), _indent(inner)))
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


def _whole(block: _Block, edited: Flow, signatures: Signatures) -> list[str]:
    """Return the block as it is written from the flow alone."""
    text = code.to_python(edited, signatures, variable=block.variable)
    lines = text.partition("\n\n")[2].rstrip("\n").splitlines()
    return [block.indent + line if line else "" for line in lines]


def _smallest(
    lines: list[str], block: _Block, base: Flow, edited: Flow, signatures: Signatures
) -> list[str] | None:
    """Return the block with new statements only where nodes changed; None: it is not so simple."""
    if _head(base) != _head(edited) or _share_lines(block.statement.body):
        return None
    nodes = _node_statements(block, base)
    if nodes is None:
        return None
    variables = {
        node_id: name for node_id, each in nodes.items() if (name := _assigned(each)) is not None
    }
    before = code.statements(base, signatures, block.variable, variables)
    after = code.statements(edited, signatures, block.variable, variables)
    if before is None or after is None:
        return None
    rest = [each for each in block.statement.body if each not in nodes.values()]
    connects = sum(_called(each)[-1:] == ["connect"] for each in rest)
    if connects != sum(each.startswith(f"{block.variable}.connect(") for each in before.rest):
        return None  # edges are written otherwise than they would be here
    made: list[str] = []
    for node_id, statement in after.nodes.items():
        if node_id in nodes and _still_right(before.nodes[node_id], statement, nodes[node_id]):
            made += _source(lines, nodes[node_id], block)
        else:
            made += [block.inner + line for line in statement.split("\n")]
    if before.rest == after.rest:
        made += [line for each in rest for line in _source(lines, each, block)]
    else:
        made += [block.inner + line for each in after.rest for line in each.split("\n")]
    opening = lines[block.statement.lineno - 1 : block.statement.body[0].lineno - 1]
    return [*_without_comments(opening), *(made or [f"{block.inner}pass"])]


def _share_lines(statements: Sequence[ast.stmt]) -> bool:
    """Say whether a line holds parts of two statements, as a semicolon allows."""
    return any(one.end_lineno == other.lineno for one, other in pairwise(statements))


def _still_right(before: str, after: str, typed: ast.stmt) -> bool:
    """Say whether a typed statement serves for `after` as it did for `before`."""
    needed, call = _split(after)
    return call == _split(before)[1] and needed in ("", _assigned(typed))


def _split(statement: str) -> tuple[str, str]:
    """Return the variable that a written statement sets, or "", and the call."""
    name, _, call = statement.partition(" = ")
    return (name, call) if name.isidentifier() else ("", statement)


def _head(flow: Flow) -> tuple[object, ...]:
    """Return what stands in the first line of the block."""
    return flow.name, dict(flow.parameters), flow.schema_uri


def _node_statements(block: _Block, base: Flow) -> dict[str, ast.stmt] | None:
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


def _assigned(statement: ast.stmt) -> str | None:
    """Return the variable that a statement sets."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return target.id if isinstance(target, ast.Name) else None
    return None


def _source(lines: list[str], statement: ast.stmt, block: _Block) -> list[str]:
    """Return a statement as it was typed, with the comments and empty lines above it."""
    first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
    while first > block.statement.lineno and _is_comment(lines[first - 1]):
        first -= 1
    return lines[first:last]


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _without_comments(opening: Sequence[str]) -> list[str]:
    """Return the opening lines of a block without the comments that belong to its first node."""
    kept = list(opening)
    while len(kept) > 1 and _is_comment(kept[-1]):
        kept.pop()
    return kept
