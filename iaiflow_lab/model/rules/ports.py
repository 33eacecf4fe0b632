"""Rules on what flows into ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from iaiflow_lab.model import names
from iaiflow_lab.model.flow import Edge
from iaiflow_lab.model.rules.base import Problem, Rule, View
from iaiflow_lab.model.signature import NodeSignature, Port


def _fed_ports(view: View) -> Iterator[tuple[str, Port, list[tuple[int, Edge]]]]:
    """Yield every known port that edges feed: its node, the port, the edges."""
    for node_id, ports in view.wired.items():
        for name, edges in ports.items():
            if (port := view.input(node_id, name)) is not None:
                yield node_id, port, edges


class PortTypes(Rule):
    """Compares the types at both ends of an edge."""

    code = "IAI107"
    name = "type-mismatch"
    description = "What an edge carries fits the port that it feeds."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield edges whose ends do not fit."""
        for node_id, target, edges in _fed_ports(view):
            for index, edge in edges:
                source = view.output(edge.source, edge.source_port)
                if source is None:
                    continue
                if not (target.type.accepts(source.type) or target.type.gathers(source.type)):
                    yield self.problem(
                        view,
                        f"edges[{index}]",
                        f"Edge '{edge}': '{source.type}' can't feed '{target.type}'.",
                        "Put a node between them that converts.",
                        node_id,
                    )


class RequiredInputs(Rule):
    """Looks for inputs and settings without a value."""

    code = "IAI108"
    name = "missing-input"
    description = "Every required input is wired or configured, every required setting given."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield what has no value."""
        for node_id, node, signature in view.installed():
            given = node.config.keys() | view.wired.get(node_id, {}).keys()
            for port in signature.inputs:
                if port.required and port.name not in given:
                    yield self.problem(
                        view,
                        f"nodes.{node_id}.{port.name}",
                        f"Input {port.name!r} of node {node_id!r} has no value.",
                        f"Wire a '{port.type}' into it, or set it in 'config'.",
                        node_id,
                    )
            for field in _required_fields(signature):
                if field not in given:
                    yield self.problem(
                        view,
                        f"nodes.{node_id}.config.{field}",
                        f"{field!r} is required by {node.type!r}.",
                        f"Set it in 'config'; see `iaiflow nodes show {node.type}`.",
                        node_id,
                    )


def _required_fields(signature: NodeSignature) -> list[str]:
    inputs = {port.name for port in signature.inputs}
    required: Any = signature.config_schema.get("required", [])
    return [field for field in cast("list[str]", required) if field not in inputs]


class OneEdgePerPort(Rule):
    """Counts the edges into ports that are no lists."""

    code = "IAI110"
    name = "many-edges"
    description = "Several edges feed one port only if it is a list or the node joins on any."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield ports with too many edges."""
        for node_id, port, edges in _fed_ports(view):
            one_value = port.type.item is None and view.flow.nodes[node_id].join != "any"
            if one_value and len({edge for _, edge in edges}) > 1:
                sources = (f"{edge.source}.{edge.source_port}" for _, edge in edges)
                yield self.problem(
                    view,
                    f"edges[{edges[1][0]}]",
                    f"Port {port.name!r} of node {node_id!r} takes one '{port.type}' but is fed "
                    f"by {names.listed(sources)}.",
                    "Keep one edge, or set 'join' to 'any' to take the first value.",
                    node_id,
                )


class ListsWholeOrByItem(Rule):
    """Looks at what several edges bring into a list."""

    code = "IAI111"
    name = "mixed-list"
    description = "A list port takes one whole list, or items from several edges, never both."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield whole lists that arrive beside something else."""
        for node_id, port, edges in _fed_ports(view):
            if port.type.item is None or len(edges) < 2 or view.flow.nodes[node_id].join == "any":
                continue
            for index, edge in edges:
                source = view.output(edge.source, edge.source_port)
                if source is not None and source.type.item is not None:
                    yield self.problem(
                        view,
                        f"edges[{index}]",
                        f"Edge '{edge}' brings a whole list into {port.name!r} of node "
                        f"{node_id!r}, and other edges bring items.",
                        "Wire one list, or single items only.",
                        node_id,
                    )
