"""One node of the present run, as its face on the canvas shows it."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any, Final, NamedTuple

from iaiflow_lab.canvas.fields import Displays, Fields, Log
from iaiflow_lab.model.event import ErrorInfo
from iaiflow_lab.model.run import SETTLED, StepState

_S = StepState
#: The worst that happened to one of a node's items decides what its line shows.
_GRAVITY: Final = (
    _S.FAILED,
    _S.CANCELLED,
    _S.RETRYING,
    _S.RUNNING,
    _S.WAITING,
    _S.COMPLETED,
    _S.SKIPPED,
)

_IDLE: Final[dict[str, Any]] = {
    "state": "pending",
    "started_at": None,
    "ended_at": None,
    "attempt": 0,
    "share": None,
    "text": "",
    "source": "",
    "rows": None,
    "items": None,
    "stale": False,
    "wait": None,
    "more_waits": [],
    "error": None,
    "outputs": {},
}
#: Waits that are shown besides the first one.
_MORE_WAITS: Final = 7
#: Fields that may be large.
_LARGE: Final = ("error", "outputs")


class Sent(NamedTuple):
    """What of a line a canvas has got."""

    tick: int
    log: int = 0
    displays: int = 0


class Line:
    """A node's state; the items of a map share the lines of its body's nodes."""

    def __init__(self) -> None:
        self.fields = Fields(_IDLE)
        self.log = Log()
        self.displays = Displays()
        #: The step whose outputs it shows; "" for none.
        self.shown = ""
        #: Steps that have not ended, by path.
        self.open: dict[str, StepState] = {}
        #: Ports that show values while its steps work.
        self.live: set[str] = set()
        #: How many steps have ended, by state.
        self.ended: Counter[StepState] = Counter()
        #: How many steps it will have; None: as many as are known.
        self.expected: int | None = None
        #: For a map: how far its items are.
        self.expansion: Expansion | None = None
        #: What its steps wait for, by step and key.
        self.waits: dict[tuple[str, str], dict[str, Any]] = {}
        self._counts_changed = 0

    @classmethod
    def after(cls, old: Line, tick: int) -> Line:
        """Return the line of the same node for a new run; outputs stay until others come."""
        made = cls()
        made.shown = old.shown
        for field in ("stale", "outputs"):
            made.fields.values[field] = old.fields.values[field]
            made.fields.changed[field] = tick
        return made

    def move(self, step: str, state: StepState, tick: int) -> None:
        """Note the state of one of its steps."""
        if state in SETTLED:
            self.open.pop(step, None)
            if self.waits:
                self.go_on(step, None, tick)
            self.ended[state] += 1
        else:
            self.open[step] = state
        self._counts_changed = tick

    def wait(self, step: str, key: str, asked: dict[str, Any], tick: int) -> None:
        """Note what one of its steps waits for; the first ones are shown."""
        self.waits[step, key] = asked
        self._show_waits(tick)

    def go_on(self, step: str, key: str | None, tick: int) -> bool:
        """Note that a step no longer waits for something (None: anything); whether it goes on."""
        for place in [p for p in self.waits if p[0] == step and key in (None, p[1])]:
            del self.waits[place]
        self._show_waits(tick)
        return not any(place[0] == step for place in self.waits)

    def _show_waits(self, tick: int) -> None:
        first, *more = [*islice(self.waits.values(), 1 + _MORE_WAITS)] or [None]
        self.fields.set("wait", first, tick)
        self.fields.set("more_waits", more, tick)

    def expand(self, items: int, nodes: int, tick: int) -> None:
        """Note that one of its steps is expanded into items of so many steps."""
        self.expansion = self.expansion or Expansion()
        self.expansion.total += items
        self.expansion.nodes = nodes
        self.expansion.is_map |= items != 1
        self._counts_changed = tick

    def item_moved(self, tick: int) -> None:
        """Note that items of its expansion got on."""
        self._counts_changed = tick

    def refresh(self) -> None:
        """Bring the fields that are counted up to date."""
        tick, self._counts_changed = self._counts_changed, 0
        if tick:
            self.fields.set("state", self._state().value, tick)
            self.fields.set("items", self._items(), tick)

    def keep_live(self, tick: int) -> None:
        """Let go of outputs, but for what passed by: it tells how far a step came."""
        outputs = self.fields.values["outputs"]
        self.fields.set("outputs", {p: outputs[p] for p in outputs if p in self.live}, tick)

    def say(self, text: str, tick: int) -> None:
        """Show the last thing that it said."""
        self.fields.set("text", text[:200], tick)

    def fail(self, error: ErrorInfo, step: str, tick: int) -> None:
        """Show why it failed; the first reason stays."""
        if self.fields.values["error"] is None:
            told = {"code": error.code, "message": error.message, "step": step}
            told |= {"trace": error.trace} if error.trace else {}
            self.fields.set("error", told, tick)

    def delta(self, sent: Sent) -> dict[str, Any]:
        """Return what a canvas has not got yet."""
        self.refresh()
        found = self.fields.since(sent.tick) | self.displays.since(sent.displays)
        if self.log.total > sent.log:
            found["log_append"] = self.log.since(sent.log)
        return found

    def sent(self, tick: int) -> Sent:
        """Return what a canvas has got that got everything."""
        return Sent(tick, self.log.total, self.displays.total)

    def face(self) -> dict[str, Any]:
        """Return the state without what may be large."""
        self.refresh()
        return {name: value for name, value in self.fields.values.items() if name not in _LARGE}

    @property
    def has_more(self) -> bool:
        """Whether there is more than its face."""
        return bool(self.log.total or self.displays.total) or any(
            self.fields.values[name] for name in _LARGE
        )

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state."""
        self.refresh()
        return {**self.fields.values, "log": self.log.text(), "displays": self.displays.all()}

    def _state(self) -> StepState:
        states = {*self.open.values(), *self.ended}
        found = next((state for state in _GRAVITY if state in states), StepState.PENDING)
        waits = self.expected is not None and self.ended.total() < self.expected
        return StepState.RUNNING if found is StepState.COMPLETED and waits else found

    def _items(self) -> dict[str, int] | None:
        if self.expansion is not None and self.expansion.is_map:
            return self.expansion.counts()
        steps = len(self.open) + self.ended.total()
        if self.expected is None and steps < 2:
            return None
        failed = self.ended[_S.FAILED] + self.ended[_S.CANCELLED]
        return {
            "total": max(self.expected or 0, steps),
            "done": self.ended.total() - failed,
            "failed": failed,
            "running": len(self.open),
        }


class Expansion:
    """How far the items of a map are, counted from the steps below it."""

    def __init__(self) -> None:
        self.total = 0
        #: How many steps one item has.
        self.nodes = 0
        #: Whether it has numbered items; a subflow has none.
        self.is_map = False
        #: Settled steps of the items that have begun and not ended.
        self._open: dict[str, int] = {}
        self._done = 0
        self._failed: set[str] = set()

    def begin(self, item: str) -> None:
        """Note that a step of an item has begun."""
        if item not in self._failed:
            self._open.setdefault(item, 0)

    def settle(self, item: str, state: StepState) -> None:
        """Note that a step of an item has ended."""
        if item in self._failed:
            return
        if state in (StepState.FAILED, StepState.CANCELLED):
            self._failed.add(item)
            self._open.pop(item, None)
            return
        settled = self._open.get(item, 0) + 1
        if settled < self.nodes:
            self._open[item] = settled
        else:
            self._open.pop(item, None)
            self._done += 1

    def close(self) -> None:
        """Note that nothing goes on any more."""
        self._open.clear()

    def counts(self) -> dict[str, int]:
        """Return how many items there are, and how they are."""
        return {
            "total": self.total,
            "done": self._done,
            "failed": len(self._failed),
            "running": len(self._open),
        }
