"""What the inputs of a step come from, by the edges of its flow and of the flows around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from iaiflow_lab.engine.stored import Stored
from iaiflow_lab.model.flow import PARAMS, Edge, Flow
from iaiflow_lab.model.signature import NodeSignature
from iaiflow_lab.model.strangers import give_strangers
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.origin import Origin

if TYPE_CHECKING:
    from iaiflow_lab.engine.execution import Execution
    from iaiflow_lab.engine.setup import NodeTypes
    from iaiflow_lab.engine.step import StepRun


class Place(Protocol):
    """The graph that a node stands in."""

    #: What all steps share.
    execution: Execution

    @property
    def above(self) -> StepRun | None:
        """The step that the graph is executed for."""
        ...

    @property
    def flow(self) -> Flow:
        """What it executes."""
        ...

    def incoming(self, node_id: str) -> Sequence[Edge]:
        """Return the edges that lead to a node, which may take no part."""
        ...

    def path(self, node_id: str) -> str:
        """Return the path of a node's step."""
        ...


def origins(place: Place, node_id: str) -> Iterator[Origin]:
    """Yield what a node's inputs come from; of a body's parameters, it is the step that runs it.

    Args:
        place: The graph that the node stands in.
        node_id: The node.
    """
    for edge in place.incoming(node_id):
        if edge.source != PARAMS:
            yield _origin(place, edge.source, edge.target_port)
    if place.above is not None:  # texts name parameters without an edge
        yield _around(place.above)


def _origin(place: Place, node_id: str, port: str) -> Origin:
    path = place.path(node_id)
    node, types = place.flow.nodes[node_id], place.execution.setup.types
    found = types.get(node.type)
    return Origin(
        path,
        port,
        give_strangers([node], partial(_signature, types)),
        None if found is None else found.target,
        partial(_output, place.execution, path),
        partial(origins, place, node_id),
    )


def _around(step: StepRun) -> Origin:
    """Return the step that runs a flow as what this flow is given."""
    before: Callable[[], Iterator[Origin]] = partial(origins, step.owner, step.planned.id)
    target = step.planned.type.target
    return Origin(step.path, "", untrusted=False, target=target, output=_nothing, before=before)


def _signature(types: NodeTypes, name: str) -> NodeSignature | None:
    found = types.get(name)
    return None if found is None else found.signature


def _nothing(_: str) -> None:
    return None


def _output(execution: Execution, path: str, port: str) -> Any:
    outputs = execution.values.get(path) or execution.setup.previous.get(path, {})
    value = outputs.get(port)
    if isinstance(value, Stored):
        return values.decode(value.ref, execution.setup.artifacts)
    return value
