"""A flow: nodes, edges, parameters and layout. Pure data; reading and writing is `model.file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: The file format that this version writes and the newest that it reads.
FORMAT = "iaiflow/1"
#: As an edge's source, this stands for the flow's parameters: `params.topic -> fetch.query`.
PARAMS = "params"
#: The name of a node's only output.
OUT = "out"
#: The output that exists when `on_error` is "port".
ERROR = "error"

Json = Any
Backoff = Literal["constant", "exponential", "random"]
OnError = Literal["fail", "continue", "port"]
Join = Literal["all", "any", "all_done"]


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often a failed node is called again."""

    #: Calls in all, the first included.
    attempts: int = 1
    #: How the pause grows.
    backoff: Backoff = "exponential"
    #: First pause, in seconds.
    initial: float = 1.0
    #: Longest pause, in seconds.
    max: float = 60.0
    #: Share of the pause that is drawn at random, 0 to 1.
    jitter: float = 0.0
    #: Names (or codes) of the exceptions that are worth another try; empty: all.
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a flow."""

    #: The node type's name in the catalog.
    type: str
    #: Its settings, by field; values are JSON.
    config: Mapping[str, Json] = field(default_factory=dict[str, Json])
    #: The version of the node type that `config` was written for.
    version: int = 1
    #: What people call it; not part of its meaning.
    title: str = ""
    #: When a failure is tried again.
    retry: Retry = Retry()
    #: Longest time for one call, in seconds; None: no limit.
    timeout: float | None = None
    #: "auto", "off", or for how many seconds a stored output may be used.
    cache: Literal["auto", "off"] | float = "auto"
    #: What a failure does: end the run, go on without outputs, or feed the `error` output.
    on_error: OnError = "fail"
    #: When the node may start: all inputs, the first one, or the end of all.
    join: Join = "all"
    #: Expression over inputs and parameters; true skips the node.
    skip_if: str = ""
    #: How many items run at once (map); None: the node type's own default.
    concurrency: int | None = None
    #: Output values by port that stand in for a call in interactive runs; None: not pinned.
    pin: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection from an output port to an input port."""

    #: Node that gives the value, or `PARAMS`.
    source: str
    #: Its output port, or the parameter's name.
    source_port: str
    #: Node that takes the value.
    target: str
    #: Its input port.
    target_port: str

    def __str__(self) -> str:
        """Return the spelling used in files: `a.out -> b.in`."""
        return f"{self.source}.{self.source_port} -> {self.target}.{self.target_port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole graph. Keys keep the user's order."""

    #: What people call it.
    name: str
    #: JSON Schema of each parameter, by name; `default` makes it optional.
    parameters: Mapping[str, Mapping[str, Json]] = field(default_factory=dict[str, Any])
    #: Nodes by id.
    nodes: Mapping[str, Node] = field(default_factory=dict[str, Node])
    #: Connections, in order: several into one list port arrive in this order.
    edges: tuple[Edge, ...] = ()
    #: What the flow returns, by name, as `node.port`; None: every node without successors.
    outputs: Mapping[str, str] | None = None
    #: Canvas positions by node id: x, y in pixels.
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, Any])
    #: Markdown notes on the canvas.
    notes: tuple[Mapping[str, Json], ...] = ()
    #: Named groups of nodes on the canvas.
    groups: tuple[Mapping[str, Json], ...] = ()
    #: The `$schema` line, when the file has one.
    schema_uri: str = ""
