"""What a rule is, what it finds, and the view of a flow that all rules share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, cast

from iaiflow_lab.model.flow import ERROR, PARAMS, Edge, Flow, Node
from iaiflow_lab.model.parameters import parameter_type
from iaiflow_lab.model.signature import NodeSignature, Port, Signatures
from iaiflow_lab.model.types import ANY

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a flow."""

    #: The rule's code: `IAI104`.
    code: str
    #: An error keeps the flow from running; a warning does not.
    severity: Severity
    #: One sentence.
    message: str
    #: Where: `nodes.clean.text`, `edges[3]`, `parameters.topic`; "" for the whole flow.
    place: str
    #: What to do, or "".
    remedy: str = ""
    #: The node of the outermost flow that it belongs to, or "".
    node: str = ""

    def __str__(self) -> str:
        """Return the problem as a compiler prints one, without the file."""
        text = f"{self.severity}[{self.code}] {self.place or 'flow'}: {self.message}"
        return f"{text} - {self.remedy}" if self.remedy else text


class View:
    """A flow with its signatures, looked up once and indexed for the rules."""

    def __init__(
        self,
        flow: Flow,
        signatures: Signatures,
        rules: Sequence[Rule],
        prefix: str = "",
        level: int = 0,
    ) -> None:
        #: The flow that is checked.
        self.flow = flow
        #: Where node types are looked up.
        self.signatures = signatures
        #: What it is checked by.
        self.rules = rules
        #: What stands before every place: "" or the place of the nested flow and a dot.
        self.prefix = prefix
        #: How many flows this one is nested in.
        self.level = level

    def problems(self) -> Iterator[Problem]:
        """Yield what every rule finds."""
        for rule in self.rules:
            yield from rule.check(self)

    def nested(self, flow: Flow, place: str) -> View:
        """Return the view of a flow that stands at a place inside this one."""
        prefix = f"{self.prefix}{place}."
        return View(flow, self.signatures, self.rules, prefix, self.level + 1)

    @cached_property
    def signature_of(self) -> Mapping[str, NodeSignature | None]:
        """The signature of every node by id; None when its type is not installed."""
        types = {node.type: None for node in self.flow.nodes.values()}
        known = {name: self.signatures.signature(name) for name in types}
        return {node_id: known[node.type] for node_id, node in self.flow.nodes.items()}

    @cached_property
    def wired(self) -> Mapping[str, Mapping[str, list[tuple[int, Edge]]]]:
        """The edges into every node, by port, each with its position in the flow."""
        found: dict[str, dict[str, list[tuple[int, Edge]]]] = defaultdict(dict)
        for index, edge in enumerate(self.flow.edges):
            found[edge.target].setdefault(edge.target_port, []).append((index, edge))
        return found

    def installed(self) -> Iterator[tuple[str, Node, NodeSignature]]:
        """Yield the nodes whose type is installed."""
        for node_id, node in self.flow.nodes.items():
            signature = self.signature_of[node_id]
            if signature is not None:
                yield node_id, node, signature

    def output(self, node_id: str, port: str) -> Port | None:
        """Return an output port; None when node or port do not exist or are not known."""
        if node_id == PARAMS:
            spec = self.flow.parameters.get(port)
            return None if spec is None else Port(port, parameter_type(spec))
        node, signature = self.flow.nodes.get(node_id), self.signature_of.get(node_id)
        if node is None or signature is None:
            return None
        if port == ERROR and node.on_error == "port":
            return Port(port, ANY)
        return signature.output(port)

    def input(self, node_id: str, port: str) -> Port | None:
        """Return an input port; None when node or port do not exist or are not known."""
        signature = self.signature_of.get(node_id)
        return None if signature is None else signature.input(port)

    def outputs(self, node_id: str) -> list[str]:
        """Return the names of the outputs that a node has."""
        signature = self.signature_of[node_id]
        ports = [port.name for port in signature.outputs] if signature else []
        return [*ports, ERROR] if self.flow.nodes[node_id].on_error == "port" else ports

    def names_at(self, node_id: str) -> set[str]:
        """Return the input names that templates and expressions of a node may use."""
        signature = self.signature_of[node_id]
        found = set(self.wired.get(node_id, ()))
        if signature is not None:
            found.update(port.name for port in signature.inputs)
            if signature.free_inputs is not None:
                found.update(self.flow.nodes[node_id].config)
        return found


class Rule(ABC):
    """One thing that must hold in every flow."""

    #: Stable code, `IAI1xx`.
    code: ClassVar[str]
    #: Stable name in kebab-case.
    name: ClassVar[str]
    #: What must hold, in one sentence.
    description: ClassVar[str]
    severity: ClassVar[Severity] = "error"

    @abstractmethod
    def check(self, view: View) -> Iterator[Problem]:
        """Yield what breaks the rule."""

    def problem(
        self, view: View, place: str, message: str, remedy: str = "", node: str = ""
    ) -> Problem:
        """Make a problem of this rule at a place of the viewed flow."""
        return Problem(self.code, self.severity, message, view.prefix + place, remedy, node)


def texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text inside a configured value, with its place."""
    todo = [(value, place)]
    while todo:
        item, where = todo.pop()
        if isinstance(item, str):
            yield item, where
        elif isinstance(item, Mapping):
            entries = cast("Mapping[str, Any]", item).items()
            todo.extend((inner, f"{where}.{key}") for key, inner in entries)
        elif isinstance(item, list):
            entries = enumerate(cast("list[Any]", item))
            todo.extend((inner, f"{where}[{index}]") for index, inner in entries)
