"""Flow runs inside a notebook run: which one is which when the notebook is executed again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from iaiflow_lab.model.event import (
    Event,
    OutputRef,
    StepFinished,
    StepLog,
    SubstepRecorded,
)
from iaiflow_lab.model.run import StepState
from iaiflow_lab.notebook.wire import OpenCall, Opened
from iaiflow_lab.sdk.context import Delegate

#: Key of the sub-step that says which flow call a prefix stands for.
_KEY = "flow-call"


class FlowCalls:
    """Numbers the flow calls of one notebook step and finds what is recorded of each.

    A call is the recorded one when its number, flow version and inputs are equal, and its cell as
    far as both are known. A call that differs starts again under a name of its own (`2.2` for the
    second form of call 2), so that no recorded step is taken for another. So does one that failed,
    when the notebook is tried again.

    Args:
        step: Path of the notebook's step.
        attempt: Calls of that step so far, this one included.
        delegate: The door to the run.
        now: The wall clock, in seconds since the Unix epoch.
    """

    def __init__(
        self, step: str, attempt: int, delegate: Delegate, now: Callable[[], float]
    ) -> None:
        self._step = step
        self._attempt = attempt
        self._delegate = delegate
        self._now = now
        self._lock = threading.Lock()
        self._count = 0
        self._recorded = _recorded_calls(step, delegate.substeps)

    def open(self, call: OpenCall) -> Opened:
        """Give the next call its name and what is recorded under it."""
        with self._lock:
            self._count += 1
            number = self._count
            forms = self._recorded.get(number, [])
            difference = ""
            for form, recorded in enumerate(forms, 1):
                name = _name(number, form)
                difference = _difference(recorded, call) or self._failure(name, recorded)
                if not difference:
                    return self._opened(name)
            name = _name(number, len(forms) + 1)
            self._record(name, number, call, difference)
            return self._opened(name)

    def _failure(self, name: str, recorded: Mapping[str, Any]) -> str:
        """Say whether the call failed at an earlier attempt; "" when it did not."""
        if recorded["attempt"] >= self._attempt:
            return ""
        prefix = self._prefix(name)
        found = (step for path, step in self._delegate.steps.items() if path.startswith(prefix))
        return "it failed" if any(step.state is StepState.FAILED for step in found) else ""

    def _record(self, name: str, number: int, call: OpenCall, difference: str) -> None:
        now = self._now()
        facts = {
            "cell": call.cell,
            "version": call.version,
            "inputs": call.inputs,
            "attempt": self._attempt,
        }
        output = OutputRef("json", inline=facts)
        events: list[Event] = [
            SubstepRecorded(at=now, step=self._prefix(name), key=_KEY, output=output)
        ]
        if difference:
            text = f"Flow call {number} starts again, without its recorded steps: {difference}.\n"
            events.append(StepLog(at=now, step=self._step, stream="warning", text=text))
        self._delegate.append(events)

    def _opened(self, name: str) -> Opened:
        prefix = self._prefix(name)
        steps: list[StepFinished] = [
            settled for path, settled in self._delegate.steps.items() if path.startswith(prefix)
        ]
        substeps = [
            item
            for item in self._delegate.substeps
            if item.step.startswith(prefix) and item.key != _KEY
        ]
        waits = [wait for wait in self._delegate.waits if wait.step.startswith(prefix)]
        answers = [ended for ended in self._delegate.answers() if ended.step.startswith(prefix)]
        return Opened(prefix, steps, substeps, waits, answers)

    def _prefix(self, name: str) -> str:
        return f"{self._step}/{name}:"


def _name(number: int, form: int) -> str:
    return f"{number}" if form == 1 else f"{number}.{form}"


def _recorded_calls(
    step: str, substeps: Sequence[SubstepRecorded]
) -> dict[int, list[dict[str, Any]]]:
    """Return what is recorded of each call, by number, its forms in order."""
    found: dict[int, dict[int, dict[str, Any]]] = {}
    for item in substeps:
        if item.key == _KEY and item.step.startswith(f"{step}/"):
            name = item.step.removeprefix(f"{step}/").removesuffix(":")
            number, _, form = name.partition(".")
            found.setdefault(int(number), {})[int(form or 1)] = item.output.inline
    return {number: [forms[form] for form in sorted(forms)] for number, forms in found.items()}


def _difference(recorded: Mapping[str, Any], call: OpenCall) -> str:
    if recorded["version"] != call.version:
        return "another flow version"
    if recorded["inputs"] != call.inputs:
        return "other inputs"
    if recorded["cell"] and call.cell and recorded["cell"] != call.cell:
        return "another cell"
    return ""
