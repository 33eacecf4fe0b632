"""An edited flow as a change of the cell that builds it: what did not change stays as typed."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from iaiflow_lab.canvas import block as blocks
from iaiflow_lab.canvas.block import Block, Parts, assigned
from iaiflow_lab.model import code
from iaiflow_lab.model.code import Statements
from iaiflow_lab.model.flow import Edge, Flow
from iaiflow_lab.model.signature import Signatures

#: What ends a line of Python; `str.splitlines` knows more, which may stand inside of texts.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


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
    block = blocks.find(source, lines, base)
    if block is None:
        return code.to_python(edited, signatures), ""
    made = _smallest(block, base, edited, signatures)
    if made is None:
        made = _whole(block, edited, signatures)
    first, last = block.statement.lineno - 1, block.statement.end_lineno or 0
    return "\n".join([*lines[:first], *made, *lines[last:]]), source


def _whole(block: Block, edited: Flow, signatures: Signatures) -> list[str]:
    """Return the block as it is written from the flow alone."""
    text = code.to_python(edited, signatures, variable=block.variable)
    lines = _LINE_END.split(text.partition("\n\n")[2].rstrip("\n"))
    return [block.indent + line if line else "" for line in lines]


def _smallest(block: Block, base: Flow, edited: Flow, signatures: Signatures) -> list[str] | None:
    """Return the block with new statements only where something changed; None: it is not so simple.

    New edges are written as the cell writes its edges, or else the other way: as calls of
    `connect`, or as arguments of the nodes that they lead to.
    """
    parts = blocks.parts(block, base)
    if parts is None or _head(base) != _head(edited):
        return None
    new = _without(edited.edges, base.edges)
    for connected in (new, []) if parts.edges else ([], new):
        writer = _Writer(block, parts, signatures)
        made = writer.lines(base, edited, connected)
        if made is not None:
            return made
    return None


def _head(flow: Flow) -> tuple[object, ...]:
    """Return what stands in the first line of the block."""
    return flow.name, dict(flow.parameters), flow.schema_uri


class _Writer:
    """Writes an edited flow into a block.

    Args:
        block: The block.
        parts: What its statements do.
        signatures: Tells which configuration fields hold nested flows.
    """

    def __init__(self, block: Block, parts: Parts, signatures: Signatures) -> None:
        self._block = block
        self._parts = parts
        self._signatures = signatures

    def lines(self, base: Flow, edited: Flow, connected: Sequence[Edge]) -> list[str] | None:
        """Return the block's lines; None when they would build another flow.

        Args:
            base: The flow as the block builds it.
            edited: The flow as it shall be.
            connected: New edges that get statements of their own.
        """
        kept = self._kept(edited)
        before = self._statements(base, self._parts.edges.values())
        after = self._statements(edited, [*kept.values(), *connected])
        if before is None or after is None or before.edges:
            return None
        later = [*after.edges, *connected]
        rest = self._parts.rest if before.rest == after.rest else ()
        order = self._order(edited, kept, rest)
        if not _builds(edited, order, kept, later):
            return None
        end = len(order)
        while end and order[end - 1] in rest:
            end -= 1
        made = self._typed(order[:end], before, after)
        new = [code.connect_statement(self._block.variable, edge) for edge in later]
        made += self._written([*new, *(after.rest if before.rest != after.rest else ())])
        made += self._typed(order[end:], before, after)
        return [*self._block.opening, *(made or [f"{self._block.inner}pass"])]

    def _kept(self, edited: Flow) -> dict[ast.stmt, Edge]:
        """Return the typed statements of edges that are still there."""
        left = Counter(edited.edges)
        kept: dict[ast.stmt, Edge] = {}
        for statement, edge in self._parts.edges.items():
            if left[edge]:
                left[edge] -= 1
                kept[statement] = edge
        return kept

    def _statements(self, flow: Flow, apart: Iterable[Edge]) -> Statements | None:
        """Return what builds a flow without some of its edges."""
        part = replace(flow, edges=tuple(_without(flow.edges, apart)))
        variable, names = self._block.variable, self._parts.variables
        return code.statements(part, self._signatures, variable, names)

    def _order(
        self, edited: Flow, kept: Mapping[ast.stmt, Edge], rest: Sequence[ast.stmt]
    ) -> list[str | ast.stmt]:
        """Return nodes, by id, and the statements that are kept in the order in which they stand.

        New nodes follow on those that they follow on in the flow.
        """
        typed = {statement: node_id for node_id, statement in self._parts.nodes.items()}
        order: list[str | ast.stmt] = []
        for statement in self._block.statement.body:
            if typed.get(statement) in edited.nodes:
                order.append(typed[statement])
            elif statement in kept or statement in rest:
                order.append(statement)
        at = 0
        for node_id in edited.nodes:
            if node_id not in order:
                order.insert(at, node_id)
            at = order.index(node_id) + 1
        if not kept and [each for each in order if isinstance(each, str)] != [*edited.nodes]:
            return [*edited.nodes, *rest]
        return order

    def _typed(
        self, order: Sequence[str | ast.stmt], before: Statements, after: Statements
    ) -> list[str]:
        return [line for each in order for line in self._line_of(each, before, after)]

    def _written(self, statements: Sequence[str]) -> list[str]:
        return [line for each in statements for line in self._block.written(each)]

    def _line_of(self, each: str | ast.stmt, before: Statements, after: Statements) -> list[str]:
        """Return the lines of a node or of a kept statement: as typed, where that still serves."""
        if not isinstance(each, str):
            return self._block.typed(each)
        typed, statement = self._parts.nodes.get(each), after.nodes[each]
        if typed is None:
            return self._block.written(statement)
        name = assigned(typed)
        needed, call = _split(statement)
        if call == _split(before.nodes[each])[1] and needed in ("", name):
            return self._block.typed(typed)
        return self._block.written(f"{name} = {call}" if name else statement)


def _builds(
    edited: Flow, order: Sequence[str | ast.stmt], kept: Mapping[ast.stmt, Edge], later: list[Edge]
) -> bool:
    """Say whether nodes and edges come in the flow's own order."""
    wired = _without(edited.edges, [*kept.values(), *later])
    edges: list[Edge] = []
    for each in order:
        if isinstance(each, str):
            edges += [edge for edge in wired if edge.target == each]
        elif each in kept:
            edges.append(kept[each])
    nodes = [each for each in order if isinstance(each, str)]
    return nodes == [*edited.nodes] and [*edges, *later] == [*edited.edges]


def _without(edges: Sequence[Edge], apart: Iterable[Edge]) -> list[Edge]:
    """Return edges without some of them; of equal ones the first are left out."""
    left = Counter(apart)
    found: list[Edge] = []
    for edge in edges:
        if left[edge]:
            left[edge] -= 1
        else:
            found.append(edge)
    return found


def _split(statement: str) -> tuple[str, str]:
    """Return the variable that a written statement sets, or "", and the call."""
    name, _, call = statement.partition(" = ")
    return (name, call) if name.isidentifier() else ("", statement)
