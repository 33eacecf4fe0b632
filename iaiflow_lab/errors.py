"""Everything that IAI Flow Lab refuses or reports, as one tree.

LabError
├── FlowError            a flow file or definition cannot be used
├── InputError           an argument, parameter or file given by the user is wrong
├── NotFoundError        the thing that was named does not exist
├── NotAllowedError      the caller may not do this
├── ConflictError        the thing changed meanwhile, or is in a state that forbids the request
│   └── StaleFenceError  another worker holds this run now
├── StoreError           the workspace's database or files cannot be used
├── UnavailableError     the server takes no requests of this kind now
├── NodeError            a node refused its configuration, inputs or outputs
├── NotebookError        a notebook cannot be read or executed
└── RunError             a run ended without completing
    └── RunCancelledError
"""

from __future__ import annotations

import sys
from types import TracebackType

from iaiflow_lab.tracebacks import user_lines


class LabError(Exception):
    """A sentence for the user: what is wrong, where, and what to do.

    Args:
        what: One sentence that says what is wrong.
        where: The place (a file, node, port, field), or "" when `what` names it.
        remedy: What to do next, or "".
        code: A stable code for programs; defaults to the class's own.
    """

    #: Stable, documented identifier of this kind of error.
    code = "error"
    #: Exit status of the command line.
    exit_code = 2
    #: HTTP status of the problem document.
    http_status = 400

    def __init__(self, what: str, *, where: str = "", remedy: str = "", code: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        self.code = code or type(self).code
        super().__init__(what)
        _show_user_lines_only()

    def __str__(self) -> str:
        """Return `what - where - what to do`, leaving out what is empty."""
        return " - ".join(part for part in (self.what, self.where, self.remedy) if part)

    def shown_lines(self) -> list[str]:
        """Return what ends a cell or script that does not catch it: without our own lines."""
        return [*user_lines(self), f"{type(self).__name__}: {self}"]

    def _render_traceback_(self) -> list[str]:
        """Show itself in a notebook cell: IPython asks for this."""
        return self.shown_lines()


class FlowError(LabError):
    """A flow file or definition cannot be used."""

    code = "flow-invalid"
    http_status = 422


class InputError(LabError):
    """An argument, parameter or file given by the user is wrong."""

    code = "input-invalid"
    http_status = 422


class NotFoundError(LabError):
    """The thing that was named does not exist."""

    code = "not-found"
    http_status = 404


class NotAllowedError(LabError):
    """The caller may not do this."""

    code = "not-allowed"
    exit_code = 3
    http_status = 403


class ConflictError(LabError):
    """The thing changed meanwhile, or is in a state that forbids the request."""

    code = "conflict"
    http_status = 409


class StaleFenceError(ConflictError):
    """Another worker holds this run now; what this one writes is refused."""

    code = "stale-fence"


class StoreError(LabError):
    """The workspace's database or files cannot be used."""

    code = "store-unusable"
    http_status = 503


class UnavailableError(LabError):
    """The server takes no requests of this kind now."""

    code = "unavailable"
    http_status = 503


class NodeError(LabError):
    """A node refused its configuration, inputs or outputs."""

    code = "node-failed"
    exit_code = 1


class NotebookError(LabError):
    """A notebook cannot be read or executed."""

    code = "notebook-failed"
    exit_code = 1


class RunError(LabError):
    """A run ended without completing."""

    code = "run-failed"
    exit_code = 1


class RunCancelledError(RunError):
    """A run was cancelled."""

    code = "run-cancelled"


def _show_user_lines_only() -> None:
    """Let an uncaught `LabError` end a script without our own lines."""
    previous = sys.excepthook
    if getattr(previous, "knows_lab_errors", False):
        return

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, LabError):
            sys.stderr.write("\n".join(error.shown_lines()) + "\n")
        else:
            previous(kind, error, trace)

    show.knows_lab_errors = True  # type: ignore[attr-defined]
    sys.excepthook = show
