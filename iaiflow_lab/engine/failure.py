"""From an exception to one sentence and the user's own traceback lines."""

from __future__ import annotations

import asyncio
import traceback
from concurrent import futures
from pathlib import Path
from types import TracebackType

from iaiflow_lab.errors import LabError, NodeError, RunError
from iaiflow_lab.model.event import ErrorInfo
from iaiflow_lab.safe.redact import RESOLVED

#: Folders whose frames lead from the engine to the user's code.
_LEADING = (str(Path(__file__).parents[1]), str(Path(asyncio.__file__).parent), futures.__path__[0])
#: Traceback text kept, in characters.
_TRACE_LIMIT = 8_000
#: Message kept, in characters.
_MESSAGE_LIMIT = 2_000


class GraphFailedError(RunError):
    """A graph ended with a failed step.

    Args:
        error: Why, with the step that failed.
        exception: The exception behind it, when this process saw it.
    """

    def __init__(self, error: ErrorInfo, exception: BaseException | None) -> None:
        super().__init__(error.message, code=error.code)
        self.error = error
        self.exception = exception


class StepTimeoutError(NodeError, TimeoutError):
    """A call took longer than its node allows."""

    code = "timeout"


def root(error: BaseException) -> BaseException:
    """Return the exception of the step that failed first, however deep below it is."""
    while isinstance(error, GraphFailedError) and error.exception is not None:
        error = error.exception
    return error


def describe(error: BaseException, step: str) -> ErrorInfo:
    """Return why `step` failed; a failure below it keeps its own step."""
    if isinstance(error, GraphFailedError):
        return error.error
    message = RESOLVED.text(str(error).strip()) or type(error).__name__
    if isinstance(error, LabError):
        trace = RESOLVED.text(str(getattr(error, "trace", "")))  # a cell's, from its kernel
        trace = trace[-_TRACE_LIMIT:]
        return ErrorInfo(code=error.code, message=message[:_MESSAGE_LIMIT], step=step, trace=trace)
    name = type(error).__name__
    shown = message if message.startswith(name) else f"{name}: {message}"
    return ErrorInfo(code=name, message=shown[:_MESSAGE_LIMIT], step=step, trace=user_trace(error))


def user_trace(error: BaseException) -> str:
    """Return the traceback from the first frame of the user's own code on.

    Modules of node types that call the user's code set `__tracebackhide__ = True`, as helpers of
    tests do.
    """
    place = error.__traceback__
    while place is not None and _leads(place):
        place = place.tb_next
    lines = traceback.format_tb(place) + traceback.format_exception_only(error)
    return RESOLVED.text("".join(lines))[-_TRACE_LIMIT:].rstrip()


def _leads(place: TracebackType) -> bool:
    frame = place.tb_frame
    is_ours = frame.f_code.co_filename.startswith(_LEADING)
    return is_ours or bool(frame.f_globals.get("__tracebackhide__"))
