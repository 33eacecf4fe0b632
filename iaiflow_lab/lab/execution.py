"""Executing a flow in this process: start it, show it, wait for it, record how it ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from iaiflow_lab.engine.setup import Result
from iaiflow_lab.errors import StaleFenceError
from iaiflow_lab.interactive.going import Going
from iaiflow_lab.interactive.interrupts import HeldBack
from iaiflow_lab.interactive.kernel import open_workspace
from iaiflow_lab.interactive.places import Request
from iaiflow_lab.lab.failure import raise_unless_completed
from iaiflow_lab.lab.run import Run, Step, log_text
from iaiflow_lab.lab.screen import Heading, open_screen
from iaiflow_lab.lab.words import one_line
from iaiflow_lab.model.event import Event, RunChanged, StepFinished, StepLog
from iaiflow_lab.model.progress import NodeLine, RunProgress
from iaiflow_lab.model.run import SETTLED, StepState, WaitOutcome

if TYPE_CHECKING:
    from iaiflow_lab.canvas.forms import Watch

#: Pause between two looks at a run, in seconds: it is drawn at most ten times a second.
_PAUSE: Final = 0.1


def execute(request: Request) -> Run:
    """Run a flow and wait for its end; an interrupt cancels it.

    Raises:
        FlowFailedError: The run failed.
        FlowCancelledError: It was cancelled.
        LabError: It could not be started.
    """
    with HeldBack() as held:
        return _Shown(request, None).wait(held)


async def execute_async(request: Request) -> Run:
    """Run a flow and wait for its end without blocking the caller's loop.

    Raises:
        FlowFailedError: The run failed.
        FlowCancelledError: It was cancelled.
        LabError: It could not be started.
    """
    with HeldBack() as held:
        return await _Shown(request, asyncio.get_running_loop()).result(held)


def execute_watched(request: Request, watch: Watch, loop: asyncio.AbstractEventLoop | None) -> Run:
    """Run a flow in the caller's thread, seen and stopped by somebody else.

    Args:
        request: What to run.
        watch: Told how far it is; asked whether it shall stop.
        loop: The kernel's own event loop, for nodes that are bound to it; None: refused.

    Raises:
        FlowFailedError: The run failed.
        FlowCancelledError: It was stopped.
        LabError: It could not be started.
    """
    with HeldBack() as held:
        return _Shown(request, loop, watch).wait(held)


class _Shown:
    """A run that goes on in this process. Its screen is drawn by the caller that waits for it."""

    def __init__(
        self,
        request: Request,
        loop: asyncio.AbstractEventLoop | None,
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch
        self._events: deque[Event] = deque()
        self._logs: dict[str, list[StepLog]] = {}
        self._request = request
        self._going = Going(request, self._events.append, loop)
        self._place = self._going.place
        self._heading = Heading(
            request.flow.name, self._place.run_id, self._place.prefix, self._going.started_at
        )
        self._progress = RunProgress(self._place.prefix + node for node in request.flow.nodes)
        # Nobody looks at the cells of a notebook that is itself a run: what it waits for, it tells.
        give = None if self._place.prefix else self._give
        self._screen = open_screen(self._progress, self._heading, quiet=request.quiet, give=give)

    def wait(self, held: HeldBack) -> Run:
        """Block until the run has ended; an interrupt cancels it, a second leaves what goes on.

        Args:
            held: May hold an interrupt that came while it was being started.
        """
        while True:
            try:
                held.release()
                self._draw()
                result = self._going.look(_PAUSE)
            except KeyboardInterrupt:
                self._going.cancel()
            except BaseException as error:
                self._give_up(error)
                raise
            else:
                if result is not None:
                    run = self._record(result)
                    raise_unless_completed(run, result.exception)
                    return run

    async def result(self, held: HeldBack) -> Run:
        """Wait until the run has ended; cancelling the caller's task cancels it.

        Args:
            held: May hold an interrupt that came while it was being started.
        """
        ending = asyncio.ensure_future(self._going.handle.result())
        interruption: BaseException | None = None
        result: Result | None = None
        while result is None:
            try:
                held.release()
                self._draw()
                await asyncio.wait({ending}, timeout=_PAUSE)
                self._going.obey()
                result = ending.result() if ending.done() else self._going.left()
            except (asyncio.CancelledError, KeyboardInterrupt) as error:
                interruption = error
                self._going.cancel()
            except BaseException as error:
                self._give_up(error)
                raise
        ending.cancel()
        run = self._record(result)
        if interruption is not None and not result.stuck:
            raise interruption
        raise_unless_completed(run, result.exception)
        return run

    def _give(self, step: str, outcome: WaitOutcome, value: Any, reason: str) -> None:
        from iaiflow_lab.service import waits

        self._going.flush()  # a wait is shown before it is committed
        session, run_id = open_workspace(self._request.folder), self._place.run_id
        answer = waits.refuse if outcome is WaitOutcome.REFUSED else waits.approve
        answer(session, run_id, step, value=value, reason=reason)

    def _give_up(self, error: BaseException) -> None:
        self._screen.close()
        self._going.give_up(error)

    def _draw(self) -> None:
        self._take_events()
        if self._watch is not None:
            self._show_to(self._watch)
        self._heading.note = self._going.note("interrupt again")
        self._screen.draw()

    def _show_to(self, watch: Watch) -> None:
        if watch.stop_asked():
            self._going.cancel()
        lines = [line for line in self._progress.lines.values() if line.depth == 0]
        share = sum(_share(line) for line in lines) / max(1, len(lines))
        running = next((line for line in lines if line.state is StepState.RUNNING), None)
        said = "" if running is None else f"{running.name}: {one_line(running.text or 'running')}"
        watch.see(share, self._going.note("press Stop again") or said)

    def _take_events(self) -> None:
        while self._events:
            self._take(self._events.popleft())

    def _take(self, event: Event) -> None:
        self._progress.apply(event)
        self._screen.take(event)
        if isinstance(event, StepLog):
            self._logs.setdefault(event.step, []).append(event)

    def _record(self, result: Result) -> Run:
        """Settle the run, show it as it ended, and return what it gave."""
        try:
            ending = self._going.settle(result)
        except StaleFenceError:
            self._screen.close()
            raise
        self._take_events()
        self._take(RunChanged(at=ending.ended_at, state=ending.state, error=ending.error))
        self._screen.close()
        return Run(
            id=self._place.run_id,
            flow=self._request.flow.name,
            state=ending.state,
            outputs=result.outputs,
            steps=self._steps(result),
            error=self._going.own(ending.error),
            duration_s=ending.ended_at - self._going.started_at,
        )

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
                earlier = Step(path, StepState.COMPLETED, outputs, source="earlier")
                found.setdefault(path, earlier)
        return found


def _share(line: NodeLine) -> float:
    """Return how far a node is, from 0 to 1."""
    if line.state is StepState.RUNNING:
        return line.share or 0.0
    return 1.0 if line.state in SETTLED else 0.0


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
