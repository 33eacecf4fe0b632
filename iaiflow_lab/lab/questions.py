"""What agents and approvals ask below the live table of a run, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from iaiflow_lab.canvas.static_files import is_built
from iaiflow_lab.lab.words import one_line
from iaiflow_lab.model.event import Event, StepFinished, StepWaiting, WaitAnswered, WaitLeft
from iaiflow_lab.model.run import WaitKind, WaitOutcome

if TYPE_CHECKING:
    from iaiflow_lab.canvas.asks import AsksWidget
    from iaiflow_lab.canvas.requests import Answered

#: Takes an answer: the step's path with the key of its wait, the outcome, a value, and why.
Give = Callable[[str, WaitOutcome, Any, str], None]

_VIEW: Final = "application/vnd.jupyter.widget-view+json"


class Questions:
    """One display of a cell, made when something is asked first; it stays as the answers.

    Args:
        give: Takes answers, on any thread.
    """

    def __init__(self, give: Give) -> None:
        self._give = give
        self._open: dict[tuple[str, str], StepWaiting] = {}
        self._lines: list[str] = []
        self._is_new = False
        self._widget: AsksWidget | None = None
        self._handle: Any = None

    def take(self, event: Event) -> None:
        """Note what is asked, answered, and no longer asked."""
        match event:
            case StepWaiting(step=step, key=key, wait_kind=WaitKind.APPROVAL):
                self._open[step, key] = event
                self._is_new = True
            case WaitAnswered(step=step, key=key):
                asked = self._left(step, key)
                if asked is not None:
                    self._lines.append(_line(asked, event))
            case WaitLeft(step=step, key=key):
                self._left(step, key)
            case StepFinished(step=step):
                for place in [place for place in self._open if place[0] == step]:
                    self._left(*place)
            case _:
                pass

    def draw(self) -> None:
        """Show what is asked now."""
        if not self._is_new:
            return
        self._is_new = False
        if self._widget is None and self._open and is_built():
            self._show()
        if self._widget is not None:
            self._widget.show([_wait(asked) for asked in self._open.values()])

    def close(self) -> None:
        """Leave what was answered."""
        if self._handle is not None:
            text = "\n".join(self._lines) or "What was asked here was not answered."
            self._handle.update({"text/plain": text}, raw=True)
        if self._widget is not None:
            self._widget.close()

    def _left(self, step: str, key: str) -> StepWaiting | None:
        asked = self._open.pop((step, key), None)
        self._is_new = self._is_new or asked is not None
        return asked

    def _show(self) -> None:
        from iaiflow_lab.canvas.asks import AsksWidget

        self._widget = AsksWidget(self._take_answer)
        view = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
        asked = "\n".join(asked.message for asked in self._open.values())
        display = import_module("IPython.display").display
        self._handle = display({_VIEW: view, "text/plain": asked}, raw=True, display_id=True)

    def _take_answer(self, given: Answered) -> None:
        self._give(given.step, given.outcome, given.value, given.reason)


def _wait(asked: StepWaiting) -> dict[str, Any]:
    return {
        "step": asked.step,
        "key": asked.key,
        "kind": asked.wait_kind,
        "name": asked.name,
        "message": asked.message,
        "form": asked.form,
        "due": asked.due,
    }


def _line(asked: StepWaiting, answer: WaitAnswered) -> str:
    by = f" by {answer.by}" if answer.by else ""
    why = f": {answer.reason}" if answer.reason else ""
    return f"{one_line(asked.message)} {answer.outcome}{by}{why}"
