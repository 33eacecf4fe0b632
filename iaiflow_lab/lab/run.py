"""What a run in this process gave: its state, and for each step its live values and its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.lab.words import duration
from iaiflow_lab.model.event import ErrorInfo, StepLog
from iaiflow_lab.model.flow import OUT
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.run import RunState, StepState


def log_text(lines: Iterable[StepLog]) -> str:
    """Return what steps wrote as one text; the states of progress bars are left out."""
    return "".join(
        line.text if line.text.endswith("\n") else f"{line.text}\n"
        for line in lines
        if line.stream != "progress"
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run that has ended."""

    #: Its path: `fetch`, `each[3]/clean`.
    path: str
    state: StepState
    #: Live outputs by port; a port that is missing has no value.
    outputs: Mapping[str, Any]
    #: What it printed and logged.
    logs: str = ""
    error: ErrorInfo | None = None
    #: Where its outcome came from: `executed`, `cache`, `pin`, `replay` or `earlier` (run).
    source: str = "executed"
    #: From its first call to its end, in seconds; None when it was not called.
    duration_s: float | None = None
    #: Rows of all its tables; None when it has none.
    rows: int | None = None

    @property
    def value(self) -> Any:
        """The value of its only output, or of the one called `out`: the live object itself.

        Raises:
            NotFoundError: It has no output, or several and none called `out`.
        """
        if OUT in self.outputs:
            return self.outputs[OUT]
        if len(self.outputs) == 1:
            return next(iter(self.outputs.values()))
        if self.outputs:
            listed = ", ".join(self.outputs)
            raise NotFoundError(
                f"Step {self.path!r} has several outputs: {listed}.",
                remedy=f"Write .outputs[{next(iter(self.outputs))!r}]",
            )
        reason = f": {self.error.message}" if self.error else ""
        raise NotFoundError(f"Step {self.path!r} has no value; it is {self.state}{reason}.")

    def __repr__(self) -> str:
        took = "" if self.duration_s is None else f" in {duration(self.duration_s)}"
        return f"<step {self.path}: {self.state}{took}>"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a flow in this process. `run["fetch"].value` is the live object."""

    #: Its id in the workspace's history.
    id: str
    #: Name of the flow.
    flow: str
    state: RunState
    #: What the flow returns, by name, as live values.
    outputs: Mapping[str, Any]
    #: Its steps by path, in the order in which they ended.
    steps: Mapping[str, Step] = field(repr=False)
    error: ErrorInfo | None = None
    #: From start to end, in seconds.
    duration_s: float = 0.0

    def __getitem__(self, path: str) -> Step:
        """Return a step by its path: `run["fetch"]`, `run["each[3]/clean"]`.

        Raises:
            NotFoundError: The run has no such step.
        """
        if path not in self.steps:
            hint = did_you_mean(path, list(self.steps))
            raise NotFoundError(f"Run {self.id} has no step {path!r}.", remedy=hint)
        return self.steps[path]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps.values())

    def __len__(self) -> int:
        return len(self.steps)

    def __contains__(self, path: object) -> bool:
        return path in self.steps

    def __repr__(self) -> str:
        steps = f"{len(self)} step{'' if len(self) == 1 else 's'}"
        took = duration(self.duration_s)
        return f"<run {self.id} of {self.flow!r}: {self.state}, {steps}, {took}>"
