"""The state of a run on the canvas, folded from its events: a line for each node."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from iaiflow_lab.canvas.fields import Fields
from iaiflow_lab.canvas.line import Line
from iaiflow_lab.interactive.audience import Beginning, Ending
from iaiflow_lab.model import event as ev
from iaiflow_lab.model import json_value
from iaiflow_lab.model.run import SETTLED, StepState

#: Steps of a run that the timeline shows at most.
TIMELINE: Final = 5_000
_ITEM: Final = re.compile(r"\[\d+\]")
_NO_RUN: Final[dict[str, Any]] = {
    "run_id": "",
    "state": None,
    "reason": "",
    "error": None,
    "started_at": None,
    "ended_at": None,
    "note": "",
}


def line_path(step: str) -> str:
    """Return the path of the line that a step belongs to: its own without item numbers."""
    return _ITEM.sub("", step) if "[" in step else step


class Fold:
    """Lines by path and the run itself; not safe for several threads.

    Args:
        touched: Called with the path of every line that changed; "" is the run.
        settled: Called with a step's path and its outcome.
    """

    def __init__(
        self, touched: Callable[[str], None], settled: Callable[[ev.StepFinished, str], None]
    ) -> None:
        self.lines: dict[str, Line] = {}
        self.run = Fields(_NO_RUN)
        #: Counts changes; every change has its own moment.
        self.tick = 1
        #: The steps of the run, for the timeline.
        self.steps: dict[str, dict[str, Any]] = {}
        #: Whether some steps are missing there.
        self.is_cut = False
        self._touched = touched
        self._settled = settled
        self._prefix = ""
        self._handlers: dict[type, Callable[[Any, str, Line], None]] = {
            ev.StepStarted: self._started,
            ev.StepFinished: self._finished,
            ev.StepRetrying: self._retrying,
            ev.StepWaiting: self._waiting,
            ev.WaitAnswered: self._answered,
            ev.WaitLeft: self._answered,
            ev.StepExpanded: self._expanded,
            ev.StepProgress: self._progress,
            ev.StepLog: self._logged,
            ev.StepDisplay: self._displayed,
            ev.StepOutput: self._partial,
            ev.CellStarted: self._cell_started,
            ev.CellOutput: self._cell_output,
        }

    def begin(self, beginning: Beginning, kept: Iterable[str]) -> None:
        """Start a new run.

        Args:
            beginning: The run.
            kept: Nodes that show the outputs of an earlier run and are not executed now.
        """
        self._prefix = beginning.prefix
        self.lines = {path: Line.after(line, self.tick) for path, line in self.lines.items()}
        self.steps, self.is_cut = {}, False
        self.run = Fields(_NO_RUN)
        self.set_run(run_id=beginning.run_id, state="running", started_at=beginning.started_at)
        for node in kept:
            fields = self.line(node).fields
            for name, value in (("state", "completed"), ("source", "earlier")):
                fields.set(name, value, self.tick)
            self._touched(node)

    def end(self, ending: Ending) -> None:
        """End the run: what did not end was cancelled."""
        self.tick += 1
        for path, line in self.lines.items():
            if line.open:
                for step in list(line.open):
                    line.move(step, StepState.CANCELLED, self.tick)
                    self._note_step(step, state="cancelled", ended_at=ending.ended_at)
                line.fields.set("ended_at", ending.ended_at, self.tick)
                line.fields.set("share", None, self.tick)
                self._touched(path)
            if line.expansion is not None:
                line.expansion.close()
                line.item_moved(self.tick)
                self._touched(path)
        error = None if ending.error is None else msgspec.to_builtins(ending.error)
        self.set_run(state=ending.state.value, error=error, ended_at=ending.ended_at, note="")

    def set_run(self, **fields: Any) -> None:
        """Change the run itself."""
        self.tick += 1
        for name, value in fields.items():
            self.run.set(name, value, self.tick)
        self._touched("")

    def apply(self, event: ev.Event) -> None:
        """Take one event of the run into account."""
        handler = self._handlers.get(type(event))
        if handler is None:
            return
        self.tick += 1
        at: str = getattr(event, "step", "")
        step = at.removeprefix(self._prefix) if self._prefix else at
        path = line_path(step)
        handler(event, step, self.line(path))
        self._touched(path)

    def recall(self, step: str, **known: Any) -> None:
        """Show a step of a run that an earlier process executed; its line is set by the caller."""
        path = line_path(step)
        self._note_step(step, node=path, source="earlier", **known)
        self._touched(path)

    def line(self, path: str) -> Line:
        """Return the line at a path; a new one when there is none."""
        found = self.lines.get(path)
        if found is None:
            found = self.lines[path] = Line()
        return found

    # -- events -------------------------------------------------------------------------------

    def _started(self, event: ev.StepStarted, step: str, line: Line) -> None:
        self._move(line, step, StepState.RUNNING)
        fields = line.fields
        if fields.values["started_at"] is None:
            fields.set("started_at", event.at, self.tick)
        fields.set("ended_at", None, self.tick)
        fields.set("attempt", max(event.attempt, fields.values["attempt"]), self.tick)
        self._note_step(
            step,
            node=line_path(step),
            type=event.type,
            state="running",
            attempt=event.attempt,
            started_at=event.at,
        )

    def _retrying(self, event: ev.StepRetrying, step: str, line: Line) -> None:
        self._move(line, step, StepState.RETRYING)
        line.say(event.error.message, self.tick)
        self._note_step(step, state="retrying")

    def _waiting(self, event: ev.StepWaiting, step: str, line: Line) -> None:
        self._move(line, step, StepState.WAITING)
        asked = {
            "step": step,
            "key": event.key,
            "kind": event.wait_kind,
            "name": event.name,
            "message": event.message,
            "form": event.form,
            "due": event.due,
        }
        line.wait(step, event.key, asked, self.tick)
        if event.message:
            line.say(event.message, self.tick)
        self._note_step(step, state="waiting")

    def _answered(self, event: ev.WaitAnswered | ev.WaitLeft, step: str, line: Line) -> None:
        if line.go_on(step, event.key, self.tick) and step in line.open:
            self._move(line, step, StepState.RUNNING)
            self._note_step(step, state="running")

    def _finished(self, event: ev.StepFinished, step: str, line: Line) -> None:
        self._move(line, step, event.state)
        fields, usage = line.fields, event.usage
        if fields.values["started_at"] is None:
            fields.set("started_at", event.at, self.tick)
        if not line.open:
            fields.set("ended_at", event.at, self.tick)
        fields.set("share", None, self.tick)
        fields.set("source", event.source, self.tick)
        rows = [ref.rows for ref in event.outputs.values() if ref.rows is not None]
        if rows:
            fields.set("rows", (fields.values["rows"] or 0) + sum(rows), self.tick)
        self._tell(line, event, step)
        self._note_step(
            step,
            node=line_path(step),
            type=event.type,
            state=event.state.value,
            attempt=event.attempt if event.source == "executed" else 0,
            source=event.source,
            ended_at=event.at,
            started_at=event.at,  # unless it was called, and has a start
            queue_wait_s=0.0 if usage is None else usage.queue_wait_s,
        )
        self._settled(event, step)

    def _tell(self, line: Line, event: ev.StepFinished, step: str) -> None:
        if event.error is not None:
            line.say(event.error.message, self.tick)
            line.fail(event.error, step, self.tick)
        elif event.reason:
            line.say(event.reason, self.tick)

    def _expanded(self, event: ev.StepExpanded, step: str, line: Line) -> None:
        del step
        line.expand(event.items, event.nodes, self.tick)

    def _progress(self, event: ev.StepProgress, step: str, line: Line) -> None:
        del step
        done, total = event.done, event.total
        share = min(1.0, max(0.0, done / total)) if total else None
        line.fields.set("share", share, self.tick)
        line.say(event.text or (f"{done:g}" if total is None else f"{done:g}/{total:g}"), self.tick)

    def _logged(self, event: ev.StepLog, step: str, line: Line) -> None:
        del step
        if event.stream != "progress":
            line.log.add(event.text)
        text = event.text.rstrip()
        if text:
            line.say(text[text.rfind("\n") + 1 :], self.tick)

    def _displayed(self, event: ev.StepDisplay, step: str, line: Line) -> None:
        del step
        bundle = {"data": event.data, "metadata": event.metadata}
        line.displays.add(bundle)

    def _partial(self, event: ev.StepOutput, step: str, line: Line) -> None:
        del step
        line.say(event.preview, self.tick)
        shown: dict[str, Any]
        if event.value is not None:
            line.live.add(event.port)
            text = json_value.encode(event.value).decode()
            shown = {"kind": "json", "type": "json", "text": text, "cut": False}
        elif event.port in line.live:  # the value itself follows
            return
        else:
            text = event.preview
            shown = {"kind": "text", "type": "text", "text": text, "size": len(text)}
        line.fields.set("outputs", {**line.fields.values["outputs"], event.port: shown}, self.tick)

    def _cell_started(self, event: ev.CellStarted, step: str, line: Line) -> None:
        del step
        line.say(f"cell {event.index + 1}", self.tick)

    def _cell_output(self, event: ev.CellOutput, step: str, line: Line) -> None:
        del step
        text = str(event.output.get("text", "")).strip()
        if text:
            line.log.add(text)
            line.say(text.splitlines()[-1], self.tick)

    # -- steps --------------------------------------------------------------------------------

    def _move(self, line: Line, step: str, state: StepState) -> None:
        line.move(step, state, self.tick)
        item, _, _ = step.rpartition("/")
        if item:
            self._move_item(line, item, state)

    def _move_item(self, line: Line, item: str, state: StepState) -> None:
        """Count a step for the item of the map that it belongs to: `each[3]`."""
        path = line_path(item)
        above = self.lines.get(path)
        if above is None or above.expansion is None:
            return
        expansion = above.expansion
        expansion.is_map |= item.endswith("]")
        if expansion.is_map:
            line.expected = expansion.total
        if state in SETTLED:
            expansion.settle(item, state)
        else:
            expansion.begin(item)
        above.item_moved(self.tick)
        self._touched(path)

    def _note_step(self, step: str, **known: Any) -> None:
        found = self.steps.get(step)
        if found is not None:
            started = found["started_at"]
            found.update(known)
            found["started_at"] = known.get("started_at") if started is None else started
        elif len(self.steps) >= TIMELINE:
            self.is_cut = True
        elif "type" in known:
            blank = {"attempt": 0, "source": "", "started_at": None, "ended_at": None}
            self.steps[step] = {"path": step, **blank, "queue_wait_s": 0.0, **known}
