"""What a node type promises: its ports, its configuration, its effects. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from iaiflow_lab.model.types import PortType

Effects = Literal["none", "read", "write"]


@dataclass(frozen=True, slots=True)
class Port:
    """A typed input or output of a node."""

    #: A Python identifier.
    name: str
    #: What flows through it.
    type: PortType
    #: For an input, whether an edge or a configured value is needed; for an output, whether every
    #: call that succeeds gives it a value.
    required: bool = True
    #: One sentence for the palette and the form.
    help: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a node type finds wrong with a configuration of its own."""

    #: The configuration field.
    field: str
    #: One sentence.
    message: str
    #: What to do.
    remedy: str


#: Called with a configuration and the names of the wired inputs; it executes nothing of either.
Check = Callable[[Mapping[str, Any], Collection[str]], Iterable[Fault]]
#: Called with the same; gives names of secrets that are read although no field names them.
Needs = Callable[[Mapping[str, Any], Collection[str]], Iterable[str]]


def port_data(port: Port) -> dict[str, Any]:
    """Return a port as JSON data."""
    return {
        "name": port.name,
        "type": str(port.type),
        "required": port.required,
        "help": port.help,
    }


@dataclass(frozen=True, slots=True)
class NodeSignature:
    """The public face of a node type, enough to check a flow and to draw a form."""

    #: Name in flow files, e.g. `text.split`.
    type: str
    #: Version of the configuration's shape, from 1.
    version: int
    #: Palette category.
    category: str
    #: Name shown to people.
    title: str
    #: First sentence of the help.
    summary: str
    #: Whole help text (Markdown).
    help: str
    #: Named input ports, in order.
    inputs: tuple[Port, ...]
    #: Output ports, in order.
    outputs: tuple[Port, ...]
    #: JSON Schema (an object) of the configuration: keyword-only parameters, and the values that
    #: unconnected input ports may take.
    config_schema: Mapping[str, Any]
    #: Type of every configuration field as a port, since an edge may feed it.
    config_ports: Mapping[str, Port] = field(default_factory=dict[str, Port])
    #: Type of further inputs that may be wired under any name; None when there are none.
    free_inputs: PortType | None = None
    #: Type of further outputs that may be wired under any name; None when there are none.
    free_outputs: PortType | None = None
    #: Configuration fields whose text is a template: `{{params.x}}`, `{{port}}`.
    templates: tuple[str, ...] = ()
    #: Configuration fields that hold an expression.
    expressions: tuple[str, ...] = ()
    #: Configuration fields that hold a nested flow or the path of one.
    bodies: tuple[str, ...] = ()
    #: Configuration fields whose texts may name secrets anywhere in them.
    secrets: tuple[str, ...] = ()
    #: What it does to the world outside the flow.
    effects: Effects = "none"
    #: Whether strangers may have written what it gives, beside what its inputs and bodies give.
    untrusted: bool = False
    #: Finds what neither schema nor ports tell; None: nothing more.
    check: Check | None = field(default=None, compare=False, repr=False)
    #: Names secrets that it reads although no field names them; None: there are none.
    needs: Needs | None = field(default=None, compare=False, repr=False)

    def input(self, name: str) -> Port | None:
        """Return the port that an edge to `name` feeds; None when there is no such port."""
        for port in self.inputs:
            if port.name == name:
                return port
        if name in self.config_ports:
            return self.config_ports[name]
        return None if self.free_inputs is None else Port(name, self.free_inputs, required=False)

    def output(self, name: str) -> Port | None:
        """Return the output port called `name`; None when there is no such port."""
        for port in self.outputs:
            if port.name == name:
                return port
        return None if self.free_outputs is None else Port(name, self.free_outputs, required=False)


class Signatures(Protocol):
    """Where signatures are looked up; the node catalog is one."""

    def types(self) -> Collection[str]:
        """Return the names of all installed node types."""
        ...

    def signature(self, node_type: str) -> NodeSignature | None:
        """Return the signature of `node_type`; None when it is not installed."""
        ...
