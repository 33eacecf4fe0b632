"""Keeps the picture in a cell's saved output true: after edits and at the end of a run."""

# pyright: reportUnknownVariableType=false
# IPython's display has no types of its own
from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from iaiflow_lab.canvas.widget import CanvasWidget
from iaiflow_lab.interactive.audience import Beginning, Ending
from iaiflow_lab.model.event import Event, StepFinished
from iaiflow_lab.model.file import dump
from iaiflow_lab.model.flow import Flow

#: Returns a flow as a picture and as text, with the states of its nodes by id.
Draw = Callable[[Flow, Mapping[str, str]], dict[str, str]]

#: How long edits must rest before the picture is drawn anew, in seconds.
_REST: Final = 2.0


class Still:
    """The picture behind one canvas. Follows the runs of its flow.

    Args:
        widget: The canvas.
        flow: What it shows first.
        draw: Draws the flow.
    """

    def __init__(self, widget: CanvasWidget, flow: Flow, draw: Draw) -> None:
        self._widget = widget
        self._flow = flow
        self._draw = draw
        self._states: dict[str, str] = {}
        self._going: dict[str, str] = {}
        self._prefix = ""
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._handle: Any = None

    def display(self) -> None:
        """Show the canvas as an output of the cell that is being executed."""
        from IPython.display import display

        self._handle = display(self._bundle(), raw=True, display_id=True)

    def edited(self, flow: Flow) -> None:
        """Take an edit; the picture follows when edits rest."""
        with self._lock:
            self._flow = flow
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(_REST, self._rested)
            self._timer.daemon = True
            self._timer.start()

    def _rested(self) -> None:
        with suppress(Exception):  # the widget was closed meanwhile
            self._widget.text = dump(self._flow)
        self.refresh()

    def refresh(self) -> None:
        """Write the output anew, where that does not disturb the canvas."""
        if self._handle is not None and self._widget.may_change:
            with suppress(Exception):  # the line to the notebook is closed: there is no output
                self._handle.update(self._bundle(), raw=True)

    def follow(self, beginning: Beginning) -> bool:
        """Follow every run of the flow."""
        self._prefix = beginning.prefix
        self._flow = beginning.request.flow
        self._going = {}
        return True

    def take(self, event: Event) -> None:
        """Note how a node ended."""
        if isinstance(event, StepFinished):
            path = event.step.removeprefix(self._prefix)
            if "/" not in path:
                self._going[path] = str(event.state)

    def note(self, text: str) -> None:
        """Do nothing: a picture shows no notes."""

    def end(self, ending: Ending) -> None:
        """Draw the states in which the nodes ended."""
        del ending
        self._states = self._states | self._going
        self.refresh()

    def _bundle(self) -> dict[str, Any]:
        return self._widget.bundle(self._draw(self._flow, self._states))
