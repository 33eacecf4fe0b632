"""What arrived at a step of an earlier run, from what the run recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from iaiflow_lab.errors import FlowError, NotFoundError
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.event import ErrorInfo, OutputRef
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.run import StepState
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.model.types import ANY, PortType
from iaiflow_lab.model.version import is_body
from iaiflow_lab.sdk import values
from iaiflow_lab.service import history, targets
from iaiflow_lab.service.history import RunView, StepView
from iaiflow_lab.service.session import Session

#: `each[3]/clean`: the step, the item, and what is nested in it.
_NESTED: Final = re.compile(r"([^/\[]+)(?:\[(\d+)\])?/")
#: The node types that give a body's parameters their values: for each item, and once.
_MAP, _SUBFLOW = "map", "subflow"
#: A map's list, and the body's parameters that it fills by itself.
_ITEMS, _ITEM, _INDEX = "items", "item", "index"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived at one input."""

    name: str
    #: One value, or the items of a list that several edges made.
    refs: tuple[OutputRef, ...] = ()
    #: Whether the value is the list of `refs`.
    gathered: bool = False
    #: Why there is no value any more; "" when there is one.
    missing: str = ""
    #: Which item of that value it is; None: all of it.
    item: int | None = None
    #: Which entry of that item, by its name; "": all of it.
    entry: str = ""


@dataclass(frozen=True, slots=True)
class StepInputs:
    """What a step was given."""

    run_id: str
    #: Path of the flow or notebook, or the name of an unsaved flow.
    flow: str
    step: str
    node: str
    type: str
    state: StepState
    error: ErrorInfo | None
    #: Its settings as they were written.
    config: Mapping[str, Any]
    arrivals: tuple[Arrival, ...]


def inputs_of(session: Session, run_id: str, step: str, signatures: Signatures) -> StepInputs:
    """Return what a step of a run was given.

    Args:
        session: An open workspace.
        run_id: The run's id, or its first characters.
        step: The step's path; "" for the one that failed.
        signatures: The catalog, which tells inputs from settings.

    Raises:
        NotFoundError: There is no such run or step, or no step failed.
        InputError: Several runs start like this.
    """
    run = history.get(session, run_id)
    view = _step(run, step)
    steps = {found.step: found for found in run.steps}
    whole = _Record(session, run, steps, history.definition(session, run.id), signatures)
    record = _around(whole, view.step)
    node = record.flow.nodes[view.node]
    return StepInputs(
        run_id=run.id,
        flow=run.flow,
        step=view.step,
        node=view.node,
        type=view.type,
        state=view.state,
        error=view.error,
        config=node.config,
        arrivals=(*record.written(node), *record.wired(view.node)),
    )


def value_of(session: Session, arrival: Arrival) -> Any:
    """Return the value that arrived.

    Raises:
        NotFoundError: It was not recorded, or its bytes are gone.
    """
    if arrival.missing:
        raise NotFoundError(arrival.missing)
    found = [values.decode(ref, session.store.artifacts) for ref in arrival.refs]
    value = found if arrival.gathered else found[0]
    if arrival.item is None:
        return value
    item = _item_of(value, arrival.item)
    return item[arrival.entry] if arrival.entry else item


def _item_of(value: Any, number: int) -> Any:
    if not values.is_table(value):
        return value[number]
    import polars as pl

    return pl.DataFrame(value).row(number, named=True)


@dataclass(frozen=True, slots=True)
class _Record:
    """A run, and one flow in it: its own, or one that is nested in a step."""

    session: Session
    run: RunView
    steps: Mapping[str, StepView]
    flow: Flow
    signatures: Signatures
    #: Put before the ids of the flow's nodes: "" or `each[3]/`.
    prefix: str = ""
    #: The node around a nested flow; None for the run's own.
    around: _Around | None = None

    def wired(self, node_id: str) -> list[Arrival]:
        """Return what came over edges; an input that nothing reached is left out."""
        by_port: dict[str, list[Edge]] = {}
        for edge in self.flow.edges:
            if edge.target == node_id:
                by_port.setdefault(edge.target_port, []).append(edge)
        found = (self._delivered(name, edges) for name, edges in by_port.items())
        return [arrival for arrival in found if arrival is not None]

    def written(self, node: Node) -> list[Arrival]:
        """Return the inputs whose values are written in the flow."""
        if node.type == targets.NOTEBOOK_NODE:
            written: Mapping[str, Any] = node.config.get("parameters") or {}
            return [_written(name, value) for name, value in written.items()]
        signature = self.signatures.signature(node.type)
        if signature is None:
            return []
        ports = {port.name for port in signature.inputs}
        fields = set(signature.config_schema.get("properties", {})) - ports
        is_free = signature.free_inputs is not None
        return [
            _written(name, value)
            for name, value in node.config.items()
            if name in ports or (is_free and name not in fields)
        ]

    def _delivered(self, name: str, edges: list[Edge]) -> Arrival | None:
        arrived = [found for edge in edges if (found := self._sent(edge)) is not None]
        if not arrived:
            return None
        lost = next((found.missing for found in arrived if found.missing), "")
        if lost:
            return Arrival(name, missing=lost)
        gathered = self._gathers(name, edges)
        if len(arrived) == 1 and not gathered:
            return replace(arrived[0], name=name)
        return Arrival(name, tuple(map(self._ref, arrived)), gathered=gathered)

    def _ref(self, arrival: Arrival) -> OutputRef:
        """Return what one edge carried as one value."""
        if arrival.item is None and not arrival.gathered:
            return arrival.refs[0]
        return OutputRef("json", inline=value_of(self.session, arrival))

    def _sent(self, edge: Edge) -> Arrival | None:
        """Return what one edge carried; None when nothing was sent."""
        if edge.source == PARAMS:
            return self._parameter(edge.source_port)
        step = self.steps.get(self.prefix + edge.source)
        ref = None if step is None else step.outputs.get(edge.source_port)
        if ref is None:
            return None
        if ref.encoding == "live":
            path = self.prefix + edge.source
            shown = f" ({ref.preview})" if ref.preview else ""
            return _lost(
                edge, f"Output {edge.source_port!r} of {path!r} stayed in its process{shown}"
            )
        return Arrival(edge.source_port, (ref,))

    def _parameter(self, name: str) -> Arrival | None:
        if self.around is not None:
            return self.around.bound(name, self.flow)
        if name not in self.run.inputs:
            return None
        value = self.run.inputs[name]
        if targets.is_live(value):
            return Arrival(name, missing=f"Parameter {name!r} was a live value of another process.")
        return _written(name, value)

    def _gathers(self, name: str, edges: list[Edge]) -> bool:
        port = self._port(edges[0].target, name)
        if port.item is None:
            return False
        return len(edges) > 1 or port.gathers(self._source_type(edges[0]))

    def _port(self, node_id: str, name: str) -> PortType:
        signature = self.signatures.signature(self.flow.nodes[node_id].type)
        port = None if signature is None else signature.input(name)
        return ANY if port is None else port.type

    def _source_type(self, edge: Edge) -> PortType:
        if edge.source == PARAMS:
            return ANY
        signature = self.signatures.signature(self.flow.nodes[edge.source].type)
        port = None if signature is None else signature.output(edge.source_port)
        return ANY if port is None else port.type


@dataclass(frozen=True, slots=True)
class _Around:
    """The node that a nested flow is the body of."""

    #: Of the flow that the node stands in.
    record: _Record
    node: str
    #: Which item the nested flow was run for; None: it has none.
    item: int | None

    def bound(self, name: str, body: Flow) -> Arrival | None:
        """Return the value of a body's parameter, as the node around it gives it."""
        node = self.record.flow.nodes[self.node]
        if node.type not in {_MAP, _SUBFLOW}:
            step = self.record.prefix + self.node
            return Arrival(name, missing=f"What {step!r} gave to {name!r} isn't recorded.")
        given = {a.name: a for a in (*self.record.written(node), *self.record.wired(self.node))}
        found = given.get(name) if node.type == _SUBFLOW else self._of_item(name, body, given)
        spec = body.parameters.get(name, {})
        if found is None and "default" in spec:
            return _written(name, spec["default"])
        return None if found is None else replace(found, name=name)

    def _of_item(self, name: str, body: Flow, given: Mapping[str, Arrival]) -> Arrival | None:
        if name == _INDEX:
            return _written(name, self.item)
        items = given.get(_ITEMS)
        if items is None or (name != _ITEM and _ITEM in body.parameters):
            return given.get(name)
        item = replace(items, item=self.item)
        if name == _ITEM or item.missing:
            return item
        entries = value_of(self.record.session, item)
        is_entry = isinstance(entries, Mapping) and name in entries
        return replace(item, entry=name) if is_entry else given.get(name)


def _lost(edge: Edge, why: str) -> Arrival:
    return Arrival(edge.source_port, missing=f"{why}; run that node again to have it.")


def _written(name: str, value: Any) -> Arrival:
    return Arrival(name, (OutputRef("json", inline=value),))


def _step(run: RunView, path: str) -> StepView:
    if path:
        found = next((step for step in run.steps if step.step == path), None)
        if found is None:
            known = [step.step for step in run.steps]
            raise NotFoundError(
                f"Run {run.id} has no step {path!r}.",
                remedy=did_you_mean(path, known) or f"`iaiflow runs show {run.id}` lists them",
            )
        return found
    # what is nested failed first: the steps around it failed because of it
    failed = [step for step in run.steps if step.state is StepState.FAILED]
    if not failed:
        raise NotFoundError(f"No step of run {run.id} failed.", remedy="Name a step")
    return max(failed, key=lambda step: step.step.count("/"))


def _around(record: _Record, path: str) -> _Record:
    """Return the record of the flow that a step's node stands in, from that of the whole run."""
    while (match := _NESTED.match(path, len(record.prefix))) is not None:
        node = record.flow.nodes.get(match[1])
        bodies = [] if node is None else [b for n, b in node.config.items() if is_body(n, b)]
        if not bodies:
            raise NotFoundError(
                f"The flow around step {path!r} isn't recorded.",
                remedy=f"Look at the inputs of {path[: match.end(1)]!r}",
            )
        try:
            flow = from_data(bodies[0], nested=True)
        except FlowError as error:
            raise NotFoundError(f"The flow around step {path!r} can't be read: {error}") from error
        around = _Around(record, match[1], None if match[2] is None else int(match[2]))
        record = replace(record, flow=flow, prefix=path[: match.end()], around=around)
    return record
