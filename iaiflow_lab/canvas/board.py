"""One flow as its canvases show it: the present run, and the values of earlier ones."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.canvas.channel import Channel
from iaiflow_lab.canvas.fold import Fold, line_path
from iaiflow_lab.canvas.outbox import OUTBOX
from iaiflow_lab.canvas.outcomes import Outcomes
from iaiflow_lab.canvas.previewer import PREVIEWER, Values
from iaiflow_lab.canvas.stale import fingerprints
from iaiflow_lab.engine import plan
from iaiflow_lab.engine.setup import Sight
from iaiflow_lab.errors import ConflictError, LabError, NotFoundError
from iaiflow_lab.interactive.audience import Beginning, Ending
from iaiflow_lab.interactive.places import Request
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import StepState
from iaiflow_lab.model.signature import NodeSignature
from iaiflow_lab.sdk.catalog import Catalog

#: Events that wait to be folded before those are left out that only tell more of the same.
_WAITING: Final = 100_000
_SPARE: Final = (ev.StepLog, ev.StepProgress, ev.StepOutput, ev.StepDisplay, ev.CellOutput)
_LEFT_OUT: Final = "… some lines were left out here; the whole log has them"


class Board:
    """Follows the runs of one flow; canvases are joined to it by channels.

    Args:
        catalog: Returns the node types as they are now.
        folder: Where relative paths of the flow start.
    """

    def __init__(self, catalog: Callable[[], Catalog], folder: Path) -> None:
        #: Guards everything that is folded.
        self.lock = threading.RLock()
        self.fold_state = Fold(self._touch, self._settle)
        #: The run that goes on; None: none.
        self.going: Beginning | None = None
        #: What a canvas is about to run; None: nothing.
        self._expected: Request | None = None
        #: The flow of the last run; None before the first.
        self.flow: Flow | None = None
        #: The values of its parameters.
        self.inputs: Mapping[str, Any] = {}
        self._catalog = catalog
        #: The node types of the last run.
        self._types: Catalog | None = None
        self._folder = folder
        self._channels: list[Channel] = []
        self._inbox: deque[Any] = deque()
        self._left_out: set[str] = set()
        self._sight = Sight()
        self._prefix = ""
        self._outcomes = Outcomes()
        #: What each node was when its outputs were made, and what it is in this run.
        self._made: dict[str, str | None] = {}
        self._making: dict[str, str | None] = {}
        OUTBOX.listen(self)

    # -- as a follower of runs: on any thread, only noting --------------------------------------

    def follow(self, beginning: Beginning) -> bool:
        """Follow a run unless another one goes on."""
        with self.lock:
            is_expected = self._expected is None or self._expected is beginning.request
            if self.going is not None or not is_expected:
                return False
            self.going = beginning
        self._note(beginning)
        return True

    @contextmanager
    def expecting(self, request: Request) -> Generator[None]:
        """Follow this run and no other one that begins meanwhile.

        Raises:
            ConflictError: Another one goes on, or is about to begin.
        """
        with self.lock:
            if self.going is not None or self._expected is not None:
                raise already_running()
            self._expected = request
        try:
            yield
        finally:
            self._expected = None

    def take(self, event: ev.Event) -> None:
        """Note an event."""
        if len(self._inbox) > _WAITING and isinstance(event, _SPARE):
            self._left_out.add(event.step)
            return
        self._note(event)

    def note(self, text: str) -> None:
        """Note what is waited for."""
        self._note(text)

    def end(self, ending: Ending) -> None:
        """Note how the run ended."""
        with self.lock:  # who hears of it may start the next one
            self._inbox.append(ending)
            self.going = None
        OUTBOX.wake()

    def _note(self, item: Any) -> None:
        self._inbox.append(item)
        OUTBOX.wake()

    # -- folding --------------------------------------------------------------------------------

    def fold(self) -> None:
        """Take what was noted into account."""
        with self.lock:
            inbox = self._inbox
            for _ in range(len(inbox)):
                item = inbox.popleft()
                if isinstance(item, ev.Event):
                    self.fold_state.apply(item)
                elif isinstance(item, Beginning):
                    self._begin(item)
                elif isinstance(item, Ending):
                    self._end(item)
                else:
                    self.fold_state.set_run(note=item)
            if self._left_out:
                self._tell_left_out()

    def _tell_left_out(self) -> None:
        steps, self._left_out = self._left_out, set()
        for step in steps:
            path = line_path(step.removeprefix(self._prefix))
            self.fold_state.line(path).log.add(_LEFT_OUT)
            self._touch(path)

    def _begin(self, beginning: Beginning) -> None:
        request = beginning.request
        self._sight, self._prefix = beginning.sight, beginning.prefix
        self.flow, self.inputs = request.flow, request.inputs
        part = plan.choose(request.flow, request.targets, request.earlier)
        runs = part.wanted - part.given
        self._outcomes.begin(request.flow, runs)
        self._made = {node: made for node, made in self._made.items() if node in request.flow.nodes}
        still = {node for node in request.flow.nodes if node in self._outcomes.completed} - runs
        lines = self.fold_state.lines.items()
        below = [path for path, line in lines if line.shown and path.partition("/")[0] in still]
        kept = dict.fromkeys([*still, *below])
        self._types = self._catalog()
        self._making = self._fingerprints(request.flow)
        for channel in self._channels:
            channel.reset()
        self.fold_state.begin(beginning, kept)

    def _end(self, ending: Ending) -> None:
        self.fold_state.end(ending)
        self._sight = Sight()

    def _settle(self, event: ev.StepFinished, step: str) -> None:
        """Keep and show the values of a step that ended."""
        sight = self._sight
        outputs = sight.outputs.get(event.step, {})
        arrived = sight.inputs.get(event.step, {})
        run = (path.removeprefix(self._prefix) for path in sight.outputs)
        self._outcomes.settle(event, step, outputs, arrived, run)
        if step in self._making and event.state is StepState.COMPLETED:
            self._made[step] = self._making[step]
            self.fold_state.line(step).fields.set("stale", False, self.fold_state.tick)
        self._show(step, event.state, outputs)

    def _show(self, step: str, state: StepState, outputs: Mapping[str, Any]) -> None:
        """Have the step's outputs previewed on its line."""
        path = line_path(step)
        line = self.fold_state.line(path)
        if outputs:
            line.shown = step
            PREVIEWER.want(self, path)
        elif step == path or state is StepState.FAILED:
            line.shown = step
            line.keep_live(self.fold_state.tick)

    def previewable(self, path: str) -> Values:
        """Return the outputs that a line shows."""
        with self.lock:
            step = self.fold_state.line(path).shown
            found = self._outcomes.outputs.get(step, {})
        return {port: (value, self.port_type(step, port)) for port, value in found.items()}

    def show(self, path: str, values: Values, previews: dict[str, Any]) -> None:
        """Take the short forms of what `previewable` returned, unless the step ended again."""
        with self.lock:
            step = self.fold_state.line(path).shown
            present = self._outcomes.outputs.get(step, {})
            if present.keys() != values.keys():
                return
            if any(present[port] is not value for port, (value, _) in values.items()):
                return
            self.fold_state.tick += 1
            self.fold_state.line(path).fields.set("outputs", previews, self.fold_state.tick)
            self._touch(path)
        OUTBOX.wake()

    def port_type(self, step: str, port: str) -> str:
        """Return the type of an output port as it is spelled in files."""
        signature = self._signature(step)
        found = None if signature is None else signature.output(port)
        return "any" if found is None else str(found.type)

    def input_type(self, step: str, port: str) -> str:
        """Return the type of an input port as it is spelled in files."""
        signature = self._signature(step)
        found = None if signature is None else signature.input(port)
        return "any" if found is None else str(found.type)

    def _signature(self, step: str) -> NodeSignature | None:
        """Return the signature of a step's node type; None when it is not known."""
        noted = self.fold_state.steps.get(step)
        type_name = noted["type"] if noted else ""
        if not type_name and self.flow is not None and step in self.flow.nodes:
            type_name = self.flow.nodes[step].type
        try:
            types = self._types or self._catalog()
            return types.signature(type_name) if type_name else None
        except LabError:
            return None

    # -- what is stale --------------------------------------------------------------------------

    def mark_stale(self, flow: Flow) -> list[str]:
        """Find out which nodes of the flow as it is now would give other outputs; return them.

        Args:
            flow: The flow with its present edits.
        """
        with self.lock:
            self.fold()
            if not self._made:
                return []
            now = self._fingerprints(flow)
            stale = {node: now.get(node, made) != made for node, made in self._made.items()}
            fold = self.fold_state
            fold.tick += 1
            for node, is_stale in stale.items():
                line = fold.line(node)
                if line.fields.values["stale"] != is_stale:
                    line.fields.set("stale", is_stale, fold.tick)
                    self._touch(node)
        OUTBOX.wake()
        return [node for node, is_stale in stale.items() if is_stale]

    def _fingerprints(self, flow: Flow) -> dict[str, str | None]:
        try:
            return fingerprints(flow, self._catalog(), self.inputs, self._folder)
        except LabError:
            return {}

    # -- canvases -------------------------------------------------------------------------------

    def open(self, channel: Channel) -> None:
        """Tell a canvas of changes from now on."""
        with self.lock:
            self._channels.append(channel)

    def close(self, channel: Channel) -> None:
        """Tell a canvas nothing more."""
        with self.lock:
            if channel in self._channels:
                self._channels.remove(channel)

    def push(self, field: str, value: Any, apart_from: Channel | None = None) -> None:
        """Send a value to all canvases of this flow but one."""
        with self.lock:
            for channel in self._channels:
                if channel is not apart_from:
                    channel.push(field, value)
        OUTBOX.wake()

    def _touch(self, path: str) -> None:
        for channel in self._channels:
            channel.touch(path)

    # -- values ---------------------------------------------------------------------------------

    def step_at(self, path: str) -> str:
        """Return the step that a path names: itself, or the one that its line shows.

        Raises:
            NotFoundError: Nothing is known of such a step.
        """
        with self.lock:
            self.fold()
            if path in self._outcomes.outputs or path in self._outcomes.arrived:
                return path
            line = self.fold_state.lines.get(path)
            if line is not None and line.shown:
                return line.shown
            if line is not None and line.open:
                return next(iter(line.open))
        raise NotFoundError(f"Node {path!r} has not run yet.", remedy="Run it and look again.")

    def outputs(self, step: str) -> Mapping[str, Any]:
        """Return the live outputs of a step by port."""
        with self.lock:
            self.fold()
            return self._outcomes.outputs.get(step, {})

    def arrived(self, step: str) -> Mapping[str, Any]:
        """Return what arrived at a step, by name."""
        with self.lock:
            self.fold()
            kept = self._outcomes.arrived.get(step)
            return kept or self._sight.inputs.get(self._prefix + step, {})

    def earlier(self) -> dict[str, Mapping[str, Any]]:
        """Return the outputs of completed steps, for a run from here."""
        with self.lock:
            self.fold()
            return {step: self._outcomes.outputs[step] for step in self._outcomes.completed}

    def unfinished(self, nodes: Iterable[str]) -> list[str]:
        """Return those nodes that did not complete when they ran last."""
        with self.lock:
            self.fold()
            return [node for node in nodes if node not in self._outcomes.fine]

    def keys_of(self, nodes: Iterable[str]) -> list[str]:
        """Return the cache keys of nodes and of what is below them, and forget their outcomes.

        Raises:
            ConflictError: A run goes on.
        """
        wanted = set(nodes)
        with self.lock:
            self.fold()
            if self.going is not None:
                raise already_running()
            for node in wanted:
                self._made.pop(node, None)
            return self._outcomes.forget(wanted)


def already_running() -> ConflictError:
    """Return what is said when a second run of a flow is asked for."""
    return ConflictError(
        "This flow is running already.",
        remedy="Stop it, or wait for its end.",
        code="already-running",
    )
