"""How far a run is, folded from its events: one line for each node, as people watch it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import SETTLED, TERMINAL, TIMED, RunState, StepState

_ITEM = re.compile(r"\[\d+\]")
_CELL_TEXT_LIMIT = 200
#: States in which nobody executes the run.
_RESTING = frozenset({RunState.QUEUED, RunState.WAITING, RunState.RETRYING})
#: The worst that happened to one of a node's items decides what its line shows.
_GRAVITY = (
    StepState.FAILED,
    StepState.CANCELLED,
    StepState.RETRYING,
    StepState.RUNNING,
    StepState.WAITING,
    StepState.COMPLETED,
    StepState.SKIPPED,
)


def asked(kind: str, name: str, message: str, due: float | None) -> str:
    """Return what a step waits for, in a few words and the viewer's own time.

    Args:
        kind: What kind of thing.
        name: The signal that ends it; "" when none does.
        message: What is asked; "" when nothing is.
        due: When it ends by itself, in seconds since the Unix epoch; None: never.
    """
    if message:
        return message
    if name:
        return f"waits for {kind} {name!r}"
    if kind in TIMED and due is not None:
        moment = datetime.fromtimestamp(due, UTC).astimezone()
        return f"until {moment:%Y-%m-%d %H:%M:%S}"
    return f"waits for {kind}"


@dataclass(slots=True)
class NodeLine:
    """One node of a run; the items of a map share the lines of its body's nodes."""

    #: Step path without item numbers: `fetch`, `each/clean`, `report/2:clean`.
    path: str
    #: State of each of its steps, by step path; empty: it has not started.
    steps: dict[str, StepState] = field(default_factory=dict[str, StepState])
    #: How many steps it will have; None: as many as are known.
    expected: int | None = None
    #: First start and last end, in seconds since the Unix epoch.
    started_at: float | None = None
    ended_at: float | None = None
    #: Rows of all table outputs.
    rows: int | None = None
    #: How far it says to be, from 0 to 1; None: it did not say.
    share: float | None = None
    #: The last thing it said.
    text: str = ""

    @property
    def state(self) -> StepState:
        """The one state that stands for all its steps."""
        states = set(self.steps.values())
        found = next((state for state in _GRAVITY if state in states), StepState.PENDING)
        waits = self.expected is not None and self.settled < self.expected
        return StepState.RUNNING if found is StepState.COMPLETED and waits else found

    @property
    def settled(self) -> int:
        """How many of its steps have ended."""
        return sum(state in SETTLED for state in self.steps.values())

    @property
    def depth(self) -> int:
        """How deep it is nested; 0 for a node of the run's own flow."""
        return self.path.count("/")

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


class RunProgress:
    """Folds events into lines; feed it every event of a run in order.

    Args:
        nodes: Ids of the flow's nodes, shown before they start.
    """

    def __init__(self, nodes: Iterable[str] = ()) -> None:
        self.lines: dict[str, NodeLine] = {node: NodeLine(node) for node in nodes}
        self.state: RunState | None = None
        self.reason = ""
        self.error: ev.ErrorInfo | None = None
        self._items: dict[str, int] = {}
        #: Keys of the open waits of each step.
        self._open: dict[str, set[str]] = {}

    @property
    def has_ended(self) -> bool:
        """Whether the run's state will not change any more."""
        return self.state in TERMINAL

    def apply(self, event: ev.Event) -> None:
        """Take one event into account."""
        match event:
            case ev.RunChanged():
                self._change(event)
            case ev.StepStarted(step=step, at=at):
                line = self._set(step, StepState.RUNNING)
                line.started_at = at if line.started_at is None else line.started_at
                line.ended_at = None
            case ev.StepRetrying(step=step, error=error):
                self._set(step, StepState.RETRYING).text = error.message
            case ev.StepWaiting(step=step):
                text = asked(event.wait_kind, event.name, event.message, event.due)
                self._set(step, StepState.WAITING).text = text
                self._open.setdefault(step, set()).add(event.key)
            case ev.WaitAnswered(step=step, key=key) | ev.WaitLeft(step=step, key=key):
                self._end_wait(step, key)
            case ev.StepFinished():
                self._open.pop(event.step, None)
                self._finish(event)
            case ev.StepExpanded(step=step, items=items):
                self._items[step] = items
            case _:
                self._say(event)

    def _change(self, event: ev.RunChanged) -> None:
        self.state, self.reason, self.error = event.state, event.reason, event.error
        if event.state is RunState.WAITING:
            for line in self.lines.values():
                for path, state in line.steps.items():
                    line.steps[path] = StepState.WAITING if state is StepState.RUNNING else state
        elif event.state is RunState.QUEUED:
            self._open.clear()
            for line in self.lines.values():
                line.steps = {path: state for path, state in line.steps.items() if state in SETTLED}
        elif event.state in TERMINAL:
            for line in self.lines.values():
                for path, state in line.steps.items():
                    line.steps[path] = state if state in SETTLED else StepState.CANCELLED

    def _end_wait(self, step: str, key: str) -> None:
        keys = self._open.get(step, set())
        keys.discard(key)
        line = self._line(step)
        if not keys and line.steps.get(step) is StepState.WAITING and self.state not in _RESTING:
            line.steps[step] = StepState.RUNNING
            line.text = ""

    def _finish(self, event: ev.StepFinished) -> None:
        line = self._set(event.step, event.state)
        line.started_at = event.at if line.started_at is None else line.started_at
        line.ended_at = event.at
        line.share = None
        if event.usage is not None and event.usage.rows is not None:
            line.rows = (line.rows or 0) + event.usage.rows
        if event.error is not None:
            line.text = event.error.message
        elif event.reason:
            line.text = event.reason
        elif event.source != "executed":
            line.text = f"from {event.source}"
        elif event.outputs:
            line.text = next(iter(event.outputs.values())).preview

    def _say(self, event: ev.Event) -> None:
        match event:
            case ev.StepLog(step=step, text=text) if text.strip():
                self._line(step).text = text.strip().splitlines()[-1]
            case ev.StepOutput(step=step, preview=preview):
                self._line(step).text = preview
            case ev.StepProgress(step=step, done=done, total=total, text=text):
                line = self._line(step)
                line.share = min(1.0, done / total) if total else None
                line.text = text or (f"{done:g}" if total is None else f"{done:g}/{total:g}")
            case ev.CellStarted(step=step, index=index):
                self._line(step).text = f"cell {index + 1}"
            case ev.CellOutput(step=step, output=output):
                text = str(output.get("text", "")).strip()
                if text:
                    self._line(step).text = text.splitlines()[-1][:_CELL_TEXT_LIMIT]
            case _:
                pass

    def _set(self, step: str, state: StepState) -> NodeLine:
        line = self._line(step)
        line.steps[step] = state
        above = step.rpartition("/")[0]
        if _ITEM.search(above):
            line.expected = self._expected(above)
        return line

    def _expected(self, above: str) -> int | None:
        """Return how many items all expansions of the same node have."""
        wanted = _ITEM.sub("", above)
        counts = [items for step, items in self._items.items() if _ITEM.sub("", step) == wanted]
        return sum(counts) or None

    def _line(self, step: str) -> NodeLine:
        path = _ITEM.sub("", step)
        if path not in self.lines:
            self._insert(NodeLine(path))
        return self.lines[path]

    def _insert(self, line: NodeLine) -> None:
        """Put a line below those of the node that it belongs to."""
        parent = line.path.rpartition("/")[0]
        below = [path for path in self.lines if path == parent or path.startswith(f"{parent}/")]
        if not parent or not below:
            self.lines[line.path] = line
            return
        order = list(self.lines.items())
        position = list(self.lines).index(below[-1]) + 1
        order.insert(position, (line.path, line))
        self.lines = dict(order)
