"""What a node answers with when it has more to say than a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iaiflow_lab.model.flow import Flow


@dataclass(frozen=True, slots=True)
class Done:
    """Outputs by port. A port that is left out has no value: its branch is not taken."""

    outputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Skip:
    """The node has nothing to say this time; all its outputs are left out."""

    #: Why, in one sentence.
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An item of an expansion that failed where failures are allowed."""

    #: One sentence.
    message: str


@dataclass(frozen=True, slots=True)
class Expand:
    """Run `body` once for each item, as steps shown under this node.

    A subflow is an expansion of one item whose steps carry no index.
    """

    #: The flow to run; its parameters take the items' values.
    body: Flow
    #: Parameter values of each instance; they may be live values such as tables.
    items: Sequence[Mapping[str, Any]]
    #: Turns the outputs of all instances, in the items' order, into the node's outputs.
    collect: Callable[[Sequence[Mapping[str, Any] | Failed]], Mapping[str, Any]]
    #: Whether the steps of an instance carry its index.
    indexed: bool = True
    #: How many instances run at once; None: all.
    concurrency: int | None = None
    #: Whether a failed instance leaves the others running and appears as `Failed`.
    keep_going: bool = False


Outcome = Done | Skip | Expand
