"""Executing a flow in this process: start it, show it, wait for it, record how it ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from time import monotonic, time
from typing import Any, Final

from msgspec import structs

from iaiflow_lab.engine.capture import current_capture
from iaiflow_lab.engine.context import refuse_nested_run
from iaiflow_lab.engine.execution import LEAVE_GRACE
from iaiflow_lab.engine.executor import Handle, start
from iaiflow_lab.engine.failure import describe
from iaiflow_lab.engine.setup import Result
from iaiflow_lab.errors import LabError, StaleFenceError
from iaiflow_lab.lab.failure import raise_unless_completed
from iaiflow_lab.interactive.places import Place, Request, find_place
from iaiflow_lab.lab.run import Run, Step, log_text
from iaiflow_lab.lab.screen import Heading, open_screen
from iaiflow_lab.model.event import ErrorInfo, Event, RunChanged, StepFinished, StepLog
from iaiflow_lab.model.progress import RunProgress
from iaiflow_lab.model.run import RunState, StepState

#: Pause between two looks at a run, in seconds: it is drawn at most ten times a second.
_PAUSE: Final = 0.1
#: How long a run may take to end at the second interrupt before a blocked event loop is left
#: behind, in seconds: longer than the engine itself waits for what goes on.
_LEAVE_AFTER: Final = 2 * LEAVE_GRACE
#: Steps that are named while they are waited for.
_NAMED: Final = 3
#: Pause between two looks whether its cancellation was asked for, in seconds.
_CANCEL_PAUSE: Final = 0.5


def execute(request: Request) -> Run:
    """Run a flow and wait for its end; an interrupt cancels it.

    Raises:
        FlowFailedError: The run failed.
        FlowCancelledError: It was cancelled.
        LabError: It could not be started.
    """
    return _Going(request, None).wait()


async def execute_async(request: Request) -> Run:
    """Run a flow and wait for its end without blocking the caller's loop.

    Raises:
        FlowFailedError: The run failed.
        FlowCancelledError: It was cancelled.
        LabError: It could not be started.
    """
    return await _Going(request, asyncio.get_running_loop()).result()


class _Going:
    """A run that goes on in this process. Its screen is drawn by the caller that waits for it."""

    def __init__(self, request: Request, loop: asyncio.AbstractEventLoop | None) -> None:
        if current_capture.get() is not None:
            refuse_nested_run()
        self._request = request
        self._place: Place = find_place(request)
        self._events: deque[Event] = deque()
        self._logs: dict[str, list[StepLog]] = {}
        self._started_at = time()
        self._heading = Heading(
            request.flow.name, self._place.run_id, self._place.prefix, self._started_at
        )
        self._progress = RunProgress(self._place.prefix + node for node in request.flow.nodes)
        self._asked_at = monotonic()
        self._is_cancelling = False
        #: When a run that does not answer is left, in monotonic seconds.
        self._leave_at = inf
        self._handle = self._start(loop)
        self._screen = open_screen(self._progress, self._heading, quiet=request.quiet)

    def _start(self, loop: asyncio.AbstractEventLoop | None) -> Handle:
        try:
            return start(self._place.setup(self._request, self._events.append, loop))
        except BaseException as error:
            self._place.settle(RunState.FAILED, {}, describe(error, ""))
            raise

    def wait(self) -> Run:
        """Block until the run has ended; an interrupt cancels it, a second leaves what goes on."""
        while True:
            try:
                result = self._look()
            except KeyboardInterrupt:
                self._cancel()
            except BaseException as error:
                self._give_up(error)
                raise
            else:
                if result is not None:
                    return self._ended(result)

    async def result(self) -> Run:
        """Wait until the run has ended; cancelling the caller's task cancels it."""
        ending = asyncio.ensure_future(self._handle.result())
        interruption: asyncio.CancelledError | None = None
        result: Result | None = None
        while result is None:
            try:
                self._draw()
                await asyncio.wait({ending}, timeout=_PAUSE)
                self._obey()
                result = ending.result() if ending.done() else self._left()
            except asyncio.CancelledError as error:
                interruption = error
                self._cancel()
            except BaseException as error:
                self._give_up(error)
                raise
        ending.cancel()
        run = self._record(result)
        if interruption is not None and not result.stuck:
            raise interruption
        raise_unless_completed(run, result.exception)
        return run

    def _look(self) -> Result | None:
        """Show the run and wait a little; None when it goes on."""
        self._draw()
        self._obey()
        try:
            return self._handle.wait(_PAUSE)
        except TimeoutError:
            return self._handle.wait() if self._handle.done else self._left()

    def _left(self) -> Result | None:
        """Leave a run whose event loop is blocked when it was interrupted twice."""
        return self._handle.leave() if monotonic() >= self._leave_at else None

    def _cancel(self) -> None:
        if self._is_cancelling:
            self._leave_at = min(self._leave_at, monotonic() + _LEAVE_AFTER)
        self._is_cancelling = True
        self._handle.cancel()

    def _give_up(self, error: BaseException) -> None:
        """End what can no longer be recorded as it should."""
        self._handle.cancel()
        self._screen.close()
        with suppress(LabError):
            self._place.settle(RunState.FAILED, {}, describe(error, ""))

    def _obey(self) -> None:
        """Cancel the run when somebody asked for it from outside."""
        now = monotonic()
        if not self._is_cancelling and now - self._asked_at >= _CANCEL_PAUSE:
            self._asked_at = now
            if self._place.is_cancelled():
                self._cancel()

    def _draw(self) -> None:
        self._take_events()
        if self._is_cancelling:
            self._heading.note = self._waiting()
        self._screen.draw()

    def _waiting(self) -> str:
        """Say which steps are waited for."""
        paths = sorted(path.removeprefix(self._place.prefix) for path in self._handle.going_on)
        if not paths:
            return "cancelling"
        names = ", ".join(f"`{path}`" for path in paths[:_NAMED])
        more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
        return f"cancelling: waiting for {names}{more}; interrupt again to leave what goes on"

    def _take_events(self) -> None:
        while self._events:
            self._take(self._events.popleft())

    def _take(self, event: Event) -> None:
        self._progress.apply(event)
        self._screen.take(event)
        if isinstance(event, StepLog):
            self._logs.setdefault(event.step, []).append(event)

    def _ended(self, result: Result) -> Run:
        run = self._record(result)
        raise_unless_completed(run, result.exception)
        return run

    def _record(self, result: Result) -> Run:
        """Settle the run, show it as it ended, and return what it gave."""
        state, error = _truth(result, self._place.prefix)
        try:
            self._place.settle(state, result.outputs, error)
        except StaleFenceError:
            self._screen.close()
            raise
        ended_at = time()
        self._take_events()
        self._take(RunChanged(at=ended_at, state=state, error=error))
        self._screen.close()
        return Run(
            id=self._place.run_id,
            flow=self._request.flow.name,
            state=state,
            outputs=result.outputs,
            steps=self._steps(result),
            error=self._own(error),
            duration_s=ended_at - self._started_at,
        )

    def _own(self, error: ErrorInfo | None) -> ErrorInfo | None:
        """Return an error with its step as the flow names it."""
        if error is None:
            return None
        return structs.replace(error, step=error.step.removeprefix(self._place.prefix))

    def _steps(self, result: Result) -> dict[str, Step]:
        prefix = self._place.prefix
        found = {
            path.removeprefix(prefix): _step(
                path.removeprefix(prefix),
                settled,
                result.values.get(path, {}),
                log_text(self._logs.get(path, ())),
            )
            for path, settled in result.steps.items()
        }
        if self._request.targets.start:
            for path, outputs in self._request.earlier.items():
                name = path.removeprefix(prefix)
                earlier = Step(name, StepState.COMPLETED, outputs, source="earlier")
                found.setdefault(name, earlier)
        return found


def _truth(result: Result, prefix: str) -> tuple[RunState, ErrorInfo | None]:
    """Return how the run ended: it is cancelled only when its threads have ended."""
    if result.state is not RunState.CANCELLED or not result.stuck:
        return result.state, result.error
    names = ", ".join(repr(path.removeprefix(prefix)) for path in result.stuck)
    goes, them = ("goes", "it") if len(result.stuck) == 1 else ("go", "them")
    message = (
        f"The run was told to end, but {names} {goes} on in this process; "
        f"restart the kernel to end {them}."
    )
    return RunState.FAILED, ErrorInfo(code="still-running", message=message)


def _step(path: str, settled: StepFinished, outputs: Mapping[str, Any], logs: str) -> Step:
    usage = settled.usage
    return Step(
        path=path,
        state=settled.state,
        outputs=outputs,
        logs=logs,
        error=settled.error,
        source=settled.source,
        duration_s=None if usage is None else usage.duration_s,
        rows=None if usage is None else usage.rows,
    )
