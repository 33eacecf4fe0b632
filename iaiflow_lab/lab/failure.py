"""A flow that did not complete, as an exception that shows the user's own lines only."""

from __future__ import annotations

from iaiflow_lab.errors import RunCancelledError, RunError
from iaiflow_lab.lab.run import Run
from iaiflow_lab.tracebacks import name_cells


class FlowFailedError(RunError):
    """A run in this process failed; `run` has what it did until then.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        error = run.error
        message = error.message if error else f"Run {run.id} failed."
        subject = f"Node {error.step!r} failed: " if error and error.step else ""
        super().__init__(f"{subject}{message}")

    def text(self) -> str:
        """Return the sentence, with the traceback of the node's own code when there is one."""
        error = self.run.error
        if error is None or not error.trace:
            return f"{type(self).__name__}: {self}"
        return f"{type(self).__name__}: Node {error.step!r} failed.\n\n{error.trace}"

    def shown_lines(self) -> list[str]:
        """Return the same, with notebook cells named."""
        return name_cells(self.text()).splitlines()


class FlowCancelledError(RunCancelledError):
    """A run in this process was cancelled; `run` has what it did until then.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__(f"Run {run.id} of {run.flow!r} was cancelled.")


def raise_unless_completed(run: Run, cause: BaseException | None) -> None:
    """Raise what a run that did not complete raises.

    Args:
        run: The run.
        cause: The exception that the node raised.

    Raises:
        FlowFailedError: It failed.
        FlowCancelledError: It was cancelled.
    """
    if run.state == "cancelled":
        raise FlowCancelledError(run) from None
    if run.state != "completed":
        raise FlowFailedError(run) from cause
