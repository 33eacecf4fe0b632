"""Starts an execution on the engine's loop and hands back what can be done with it."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Mapping
from typing import Any

from iaiflow_lab.engine import capture, failure, plan
from iaiflow_lab.engine.execution import Execution
from iaiflow_lab.engine.failure import GraphFailedError
from iaiflow_lab.engine.graph import GraphRun, with_defaults
from iaiflow_lab.engine.loop import engine_loop, give_up_loop
from iaiflow_lab.engine.setup import Result, Setup
from iaiflow_lab.engine.stored import Stored
from iaiflow_lab.model.event import ErrorInfo, OutputRef
from iaiflow_lab.model.run import RunState
from iaiflow_lab.sdk import values


class Handle:
    """A started execution. Every method may be called from any thread."""

    def __init__(self, execution: Execution, future: concurrent.futures.Future[Result]) -> None:
        self._execution = execution
        self._future = future

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._future.done()

    @property
    def going_on(self) -> list[str]:
        """Paths of the steps that are being executed and wait for no other one."""
        return self._execution.going_on()

    def wait(self, timeout: float | None = None) -> Result:
        """Block until it has ended.

        Raises:
            TimeoutError: It has not ended after `timeout` seconds.
            StaleFenceError: Another worker holds the run.
        """
        return self._future.result(timeout)

    async def result(self) -> Result:
        """Wait until it has ended, without blocking the caller's loop."""
        return await asyncio.shield(asyncio.wrap_future(self._future))

    def cancel(self, reason: str = "The run was cancelled.") -> None:
        """Ask it to end as cancelled; asking again no longer waits for what goes on.

        Args:
            reason: Recorded with the steps that it stops.
        """
        self._execution.loop.call_soon_threadsafe(self._execution.halt, "cancel", reason)

    def leave(self) -> Result:
        """Return what there is without the engine's help: a node blocks its event loop.

        Runs that start later have a loop of their own.
        """
        execution = self._execution
        give_up_loop(execution.loop)
        execution.recording.close()
        return Result(
            state=RunState.CANCELLED,
            outputs={},
            refs={},
            values=LiveValues(dict(execution.values), execution.setup),
            steps=dict(execution.steps),
            stuck=tuple({*execution.stuck, *execution.going_on()}),
        )

    def look(self) -> None:
        """Ask whether something came that a step waits for; costs nothing while none waits."""
        if self._execution.waits:
            self._execution.loop.call_soon_threadsafe(self._execution.waits.look)

    def flush(self) -> None:
        """Block until everything that was told of so far is committed.

        Raises:
            BaseException: What the journal raised.
        """
        self._execution.recording.flush()

    def give_back(self) -> None:
        """Ask it to end so that another worker can go on: nothing is recorded as cancelled."""
        self._execution.loop.call_soon_threadsafe(self._execution.halt, "give_back")


def start(setup: Setup) -> Handle:
    """Start executing a flow on the engine's own thread.

    Raises:
        FlowError: The flow cannot be planned.
        NodeError: A node's configuration is wrong.
    """
    capture.install()
    previous = [path.removeprefix(setup.prefix) for path in setup.previous]
    planned = plan.build(setup.flow, setup.types, setup.targets, previous)
    execution = Execution(setup, engine_loop())
    future = asyncio.run_coroutine_threadsafe(_execute(execution, planned), execution.loop)
    return Handle(execution, future)


async def _execute(execution: Execution, planned: plan.Plan) -> Result:
    setup = execution.setup
    graph = GraphRun(execution, planned, with_defaults(setup.flow, setup.inputs), setup.prefix)
    execution.graph = graph
    outputs: Mapping[str, Any] = {}
    error: ErrorInfo | None = None
    exception: BaseException | None = None
    try:
        outputs = await graph.run()
    except GraphFailedError as failed:
        error, exception = failed.error, failed.exception or failed
    except asyncio.CancelledError:
        pass
    except Exception as unexpected:  # an output that can't be read, say: it is the run's failure
        error, exception = failure.describe(unexpected, ""), unexpected
    else:
        execution.stop = ""  # it has ended by itself, whatever was asked of it meanwhile
    execution.waits.close()
    if error is not None and not execution.stop:
        execution.give_up_below("", "The run failed.")
    await asyncio.to_thread(execution.recording.close)
    if execution.lost_fence is not None:
        raise execution.lost_fence
    if execution.recording.failure is not None:
        raise execution.recording.failure
    return Result(
        state=_state(execution, error),
        outputs=outputs,
        refs=_refs(execution, planned),
        values=LiveValues(execution.values, setup),
        steps=execution.steps,
        error=error,
        exception=exception,
        stuck=tuple(execution.stuck),
        due=execution.due,
        answers=len(execution.waits.ended),
    )


def _refs(execution: Execution, planned: plan.Plan) -> dict[str, OutputRef]:
    refs: dict[str, OutputRef] = {}
    for name, source in planned.outputs.items():
        step = execution.steps.get(execution.setup.prefix + planned.nodes[source.index].id)
        if step is not None and source.port in step.outputs:
            refs[name] = step.outputs[source.port]
    return refs


def _state(execution: Execution, error: ErrorInfo | None) -> RunState:
    if execution.stop == "cancel":
        return RunState.CANCELLED
    if execution.stop == "give_back":
        return RunState.QUEUED
    if execution.stop == "retry_later":
        return RunState.RETRYING
    if execution.stop == "wait":
        return RunState.WAITING
    return RunState.COMPLETED if error is None else RunState.FAILED


class LiveValues(Mapping[str, Mapping[str, Any]]):
    """Outputs by step path; recorded ones are read when somebody looks at them."""

    def __init__(self, found: Mapping[str, Mapping[str, Any]], setup: Setup) -> None:
        self._found = found
        self._setup = setup

    def __getitem__(self, path: str) -> Mapping[str, Any]:
        """Return the outputs of one step by port."""
        return {
            port: values.decode(value.ref, self._setup.artifacts)
            if isinstance(value, Stored)
            else value
            for port, value in self._found[path].items()
        }

    def __iter__(self) -> Any:
        """Iterate over step paths."""
        return iter(self._found)

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self._found)
