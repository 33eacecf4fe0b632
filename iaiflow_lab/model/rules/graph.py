"""Rules on nodes and the edges between them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from iaiflow_lab.model import names, topology
from iaiflow_lab.model.flow import ERROR, PARAMS, Edge
from iaiflow_lab.model.rules.base import Problem, Rule, View

_MAX_CYCLES = 20
_MAX_SHOWN = 10


class KnownNodeType(Rule):
    """Looks every node type up."""

    code = "IAI101"
    name = "unknown-node-type"
    description = "Every node type is installed."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield nodes whose type is not installed."""
        for node_id, node in view.flow.nodes.items():
            if view.signature_of[node_id] is None:
                yield self.problem(
                    view,
                    f"nodes.{node_id}.type",
                    f"Node type {names.shorten(node.type)!r} isn't installed.",
                    self._remedy(view, node.type),
                    node_id,
                )

    def _remedy(self, view: View, node_type: str) -> str:
        family, dot, name = node_type.partition(".")
        if family == "cell" and dot:
            return f"Run or queue the notebook that defines it, or `iaiflow nodes promote {name}`."
        if hint := names.did_you_mean(node_type, view.signatures.types()):
            return hint
        if dot:
            return f"`pip install` the package that brings the {family!r} nodes."
        return "`iaiflow nodes ls` lists what is installed."


class KnownNodeVersion(Rule):
    """Compares the version a node was written for with the installed one."""

    code = "IAI102"
    name = "unknown-node-version"
    description = "No node was written for a newer version of its type than the installed one."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield nodes from the future."""
        for node_id, node, signature in view.installed():
            if node.version > signature.version:
                yield self.problem(
                    view,
                    f"nodes.{node_id}.version",
                    f"Version {node.version} of {node.type!r} is not known; "
                    f"the installed one is {signature.version}.",
                    "Upgrade the package that brings this node type.",
                    node_id,
                )


class EdgeNodes(Rule):
    """Looks up both ends of every edge."""

    code = "IAI103"
    name = "missing-node"
    description = "Every edge joins nodes, or a parameter and a node, of the flow."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield edges with an end that is no node."""
        known = view.flow.nodes
        for index, edge in enumerate(view.flow.edges):
            for node_id in dict.fromkeys((edge.source, edge.target)):
                if node_id not in known and not (node_id == PARAMS and node_id == edge.source):
                    yield self.problem(
                        view,
                        f"edges[{index}]",
                        f"Edge '{edge}' names {node_id!r}, which is no node of this flow.",
                        names.did_you_mean(node_id, known) or f"Nodes: {names.listed(known)}.",
                    )


class EdgePorts(Rule):
    """Looks up both ports of every edge, and the ports that are pinned."""

    code = "IAI104"
    name = "missing-port"
    description = "Every edge starts at an output or parameter and ends at an input."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield edges and pins that name a port which does not exist."""
        for index, edge in enumerate(view.flow.edges):
            yield from self._source(view, edge, f"edges[{index}]")
            yield from self._target(view, edge, f"edges[{index}]")
        for node_id, node, _ in view.installed():
            for port in node.pin or ():
                if view.output(node_id, port) is None:
                    yield self._no_output(view, node_id, port, f"nodes.{node_id}.pin.{port}")

    def _source(self, view: View, edge: Edge, place: str) -> Iterator[Problem]:
        if view.output(edge.source, edge.source_port) is not None:
            return
        if edge.source == PARAMS:
            known = view.flow.parameters
            yield self.problem(
                view,
                place,
                f"Edge '{edge}' names parameter {edge.source_port!r}, which the flow hasn't.",
                names.did_you_mean(edge.source_port, known)
                or f"Parameters: {names.listed(known)}.",
            )
        elif view.signature_of.get(edge.source) is not None:
            yield self._no_output(view, edge.source, edge.source_port, place)

    def _no_output(self, view: View, node_id: str, port: str, place: str) -> Problem:
        known = view.outputs(node_id)
        remedy = names.did_you_mean(port, known)
        if port == ERROR:
            remedy = "Set 'on_error' of the node to 'port' to have one."
        message = f"Node {node_id!r} has no output {port!r}; outputs: {names.listed(known)}."
        return self.problem(view, place, message, remedy, node_id)

    def _target(self, view: View, edge: Edge, place: str) -> Iterator[Problem]:
        signature = view.signature_of.get(edge.target)
        if signature is None or signature.input(edge.target_port) is not None:
            return
        known = [port.name for port in signature.inputs] + list(signature.config_ports)
        yield self.problem(
            view,
            place,
            f"Node {edge.target!r} has no input {edge.target_port!r}; "
            f"inputs: {names.listed(dict.fromkeys(known), 20)}.",
            names.did_you_mean(edge.target_port, known),
            edge.target,
        )


class EdgesOnce(Rule):
    """Compares edges."""

    code = "IAI105"
    name = "duplicate-edge"
    description = "No edge stands in the flow twice."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield edges that repeat an earlier one."""
        first: dict[Edge, int] = {}
        for index, edge in enumerate(view.flow.edges):
            if first.setdefault(edge, index) != index:
                message = f"Edge '{edge}' stands here a second time (first: edges[{first[edge]}])."
                yield self.problem(view, f"edges[{index}]", message, "Remove one.", edge.target)


class Acyclic(Rule):
    """Looks for cycles."""

    code = "IAI106"
    name = "cycle"
    description = "No node depends on its own output."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield cycles; each shares a node with those that are not named."""
        links = [(edge.source, edge.target) for edge in view.flow.edges]
        for cycle in islice(topology.cycles(view.flow.nodes, links), _MAX_CYCLES):
            shown = cycle
            if len(cycle) > _MAX_SHOWN:
                shown = [*cycle[: _MAX_SHOWN - 2], "…", cycle[-1]]
            yield self.problem(
                view,
                f"nodes.{cycle[0]}",
                f"Cycle: {' -> '.join(shown)}.",
                "Remove one of these edges; to repeat steps, put them into a body.",
                cycle[0],
            )


class NodeNames(Rule):
    """Checks the names that a flow file could not hold."""

    code = "IAI122"
    name = "bad-name"
    description = "Node ids and the ports of edges are names that a flow file can hold."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield bad ids and port names of flows that were made in Python."""
        for node_id in view.flow.nodes:
            if fault := names.node_id_fault(node_id):
                yield self.problem(view, "nodes", fault, "Rename the node.")
        for index, edge in enumerate(view.flow.edges):
            for port in (edge.source_port, edge.target_port):
                if not names.is_name(port):
                    message = f"{names.shorten(port)!r} is no port name."
                    yield self.problem(view, f"edges[{index}]", message)
