"""What the inputs of a step come from: edges of its flow and of those around it, steps it ran."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from iaiflow_lab.engine.stored import Stored
from iaiflow_lab.model.event import StepFinished
from iaiflow_lab.model.flow import PARAMS, Edge, Flow
from iaiflow_lab.model.run import StepState
from iaiflow_lab.model.signature import NodeSignature
from iaiflow_lab.model.strangers import give_strangers, has_called
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.node import NodeType
from iaiflow_lab.sdk.origin import Origin
from iaiflow_lab.sdk.strangers import is_teller

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
    setup = place.execution.setup
    if place.above is not None:  # texts name parameters without an edge
        yield _around(place.above, place.path(""))
    elif setup.untrusted:
        yield Origin(setup.prefix, "", untrusted=True, target=None, output=_nothing, before=_none)


def ran(execution: Execution, *below: str, apart: str = "") -> Iterator[Origin]:
    """Yield the steps that were executed below another one, but those that others answer for.

    Args:
        execution: What all steps share.
        *below: What their paths begin with.
        apart: What paths of other ones begin with; "": there are none.
    """
    types, found = execution.setup.types, dict[str, StepFinished]()
    for known in (execution.setup.replay, execution.reported, execution.steps):
        for path, step in list(known.items()):
            if path.startswith(below) and not (apart and path.startswith(apart)):
                found[path] = step
    answer = {path for path, step in found.items() if _answers(types.get(step.type))}
    for path, step in found.items():
        if step.state is not StepState.SKIPPED and answer.isdisjoint(_above(path)):
            yield _executed(execution, step)


def _above(path: str) -> Iterator[str]:
    """Yield the paths of the steps that a step stands below, as far as there are such steps."""
    return (path[: sign.start()] for sign in re.finditer(r"[/\[]", path))


def _origin(place: Place, node_id: str, port: str) -> Origin:
    path, execution = place.path(node_id), place.execution
    node, types = place.flow.nodes[node_id], execution.setup.types
    found = types.get(node.type)
    is_strange = give_strangers([node], partial(_signature, types))

    def before() -> Iterator[Origin]:
        yield from origins(place, node_id)
        if _may_run_others(found):
            yield from ran(execution, f"{path}/", f"{path}[")

    return Origin(
        path,
        port,
        is_strange or _is_unknown(execution, path, found),
        None if found is None else found.target,
        partial(_output, execution, path),
        before,
    )


def _around(step: StepRun, own: str) -> Origin:
    """Return the step that runs a flow as what this flow is given.

    Args:
        step: The step.
        own: What the paths of this flow's steps begin with.
    """
    node_type, execution = step.planned.type, step.execution
    tells = is_teller(node_type.target)

    def before() -> Iterator[Origin]:
        yield from origins(step.owner, step.planned.id)
        if not tells:
            yield from ran(execution, f"{step.path}/", apart=own)

    reads = node_type.gives_strangers and not tells
    return Origin(step.path, "", reads, node_type.target, _nothing, before)


def _executed(execution: Execution, step: StepFinished) -> Origin:
    """Return a step that another one ran: what it was given, that one was given or has run, too."""
    found = execution.setup.types.get(step.type)

    def output(port: str) -> Any:
        if step.step in execution.values or port not in step.outputs:
            return _output(execution, step.step, port)
        return values.decode(step.outputs[port], execution.setup.artifacts)

    target = None if found is None else found.target
    reads = found is None or found.gives_strangers
    return Origin(step.step, "", reads, target, output, _none)


def _answers(node_type: NodeType[..., Any] | None) -> bool:
    """Say whether a node type answers for all that its steps run: it is declared, or they tell."""
    if node_type is None:
        return False
    return node_type.untrusted is not None or is_teller(node_type.target)


def _may_run_others(node_type: NodeType[..., Any] | None) -> bool:
    """Say whether what a step of a node type ran counts as well."""
    if node_type is None or _answers(node_type):
        return False
    return bool(node_type.context_name) or node_type.expands


def _is_unknown(execution: Execution, path: str, node_type: NodeType[..., Any] | None) -> bool:
    """Say whether a step ran others, or may have, of which this run knows nothing more."""
    if not _may_run_others(node_type):
        return False
    settled = execution.steps.get(path)
    if settled is not None:
        return settled.source == "pin"
    return has_called(path, execution.setup.previous)


def _signature(types: NodeTypes, name: str) -> NodeSignature | None:
    found = types.get(name)
    return None if found is None else found.signature


def _nothing(_: str) -> None:
    return None


def _none() -> Iterator[Origin]:
    return iter(())


def _output(execution: Execution, path: str, port: str) -> Any:
    outputs = execution.values.get(path) or execution.setup.previous.get(path, {})
    value = outputs.get(port)
    if isinstance(value, Stored):
        return values.decode(value.ref, execution.setup.artifacts)
    return value
