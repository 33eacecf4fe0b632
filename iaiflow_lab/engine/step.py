"""One step: call the node, capture what it writes, retry, store its outputs, record its outcome."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from time import perf_counter
from typing import Any, Protocol, cast

import msgspec

from iaiflow_lab.engine import failure, processes, retry
from iaiflow_lab.engine.capture import StepCapture, current_capture
from iaiflow_lab.engine.context import StepContext
from iaiflow_lab.engine.execution import Execution
from iaiflow_lab.engine.hiding import hidden, store
from iaiflow_lab.engine.metering import Meter, metered
from iaiflow_lab.engine.origins import Place
from iaiflow_lab.engine.patience import on_other_loop, to_the_end
from iaiflow_lab.engine.plan import PlannedNode, Source
from iaiflow_lab.engine.threads import StopStep, ThreadCall
from iaiflow_lab.engine.work_clock import WorkClock
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.event import (
    ErrorInfo,
    OutputRef,
    StepFinished,
    StepRetrying,
    StepStarted,
    Usage,
)
from iaiflow_lab.model.flow import ERROR, OUT, Flow
from iaiflow_lab.model.run import StepState
from iaiflow_lab.model.secret_names import filled
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.configuration import validate_config
from iaiflow_lab.sdk.node import NodeType
from iaiflow_lab.sdk.outcome import Done, Expand, Skip
from iaiflow_lab.sdk.waiting import WaitTimeoutError

#: How long a node with a `Context` has to see that it should end, in seconds.
OBEY_GRACE = 0.5
#: How long the clean-up of a stopped thread is left in peace, in seconds.
STOP_AGAIN = 1.0
#: How long a thread that was told to stop is waited for, in seconds.
STOP_GRACE = 2.0


@dataclass(slots=True)
class Inputs:
    """What arrived at a node."""

    #: Values of input ports by name.
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    #: Values that edges give to configuration fields.
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    #: Values that only templates use.
    extras: dict[str, Any] = field(default_factory=dict[str, Any])
    #: Where each of these values came from, by port.
    sources: list[tuple[str, Source]] = field(default_factory=list[tuple[str, Source]])
    #: The first wired port that has no value; "" when all have one.
    missing: str = ""


class Ended(msgspec.Struct, frozen=True, eq=False):
    """How a step ended."""

    state: StepState
    #: Live outputs by port; a port that is missing has no value.
    outputs: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    error: ErrorInfo | None = None
    exception: BaseException | None = None


class Owner(Place, Protocol):
    """The graph that a step belongs to."""

    #: Values of the flow's parameters.
    params: Mapping[str, Any]
    #: How many nodes above wait for the graph in threads of their own.
    depth: int

    @property
    def stopping(self) -> bool:
        """Whether no further step may start here."""
        ...

    async def expand(self, step_run: StepRun, expansion: Expand) -> Mapping[str, Any]:
        """Run the instances of an expansion as steps under `step_run`."""
        ...

    async def run_below(
        self, step_run: StepRun, prefix: str, flow: Flow, inputs: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Run a flow as steps under `step_run` whose paths start with `prefix`."""
        ...


class StepRun:
    """The execution of one step, from ready to settled.

    Args:
        execution: What all steps share.
        owner: The graph it belongs to.
        planned: The node.
        path: The step's path in the run.
        inputs: What arrived at it.
    """

    __slots__ = (
        "_clocks",
        "_cpu",
        "_holds",
        "_ready_at",
        "_started_at",
        "asked_to_end",
        "attempt",
        "below",
        "capture",
        "execution",
        "inputs",
        "key",
        "owner",
        "path",
        "planned",
        "stopping",
        "task",
    )

    def __init__(
        self,
        execution: Execution,
        owner: Owner,
        planned: PlannedNode,
        path: str,
        inputs: Inputs,
    ) -> None:
        self.execution = execution
        self.owner = owner
        self.planned = planned
        self.path = path
        self.inputs = inputs
        #: Its cache key; None: none, or not known yet.
        self.key: str | None = None
        self.attempt = execution.setup.record.attempts.get(path, 0)
        #: Whether the node is asked to end.
        self.stopping = False
        #: Whether what it belongs to is ending, and not just this call.
        self.asked_to_end = False
        #: Flows that its thread waits for.
        self.below: set[asyncio.Task[Any]] = set()
        self.capture = StepCapture(path, execution.emit, execution.now, execution.later)
        #: The task that executes it.
        self.task: asyncio.Task[None] | None = None
        #: What times its work, and how many waits stop that.
        self._clocks: set[WorkClock] = set()
        self._holds = 0
        self._cpu = 0.0
        self._ready_at = self._started_at = perf_counter()

    @property
    def params(self) -> Mapping[str, Any]:
        """Values of the flow's parameters."""
        return self.owner.params

    def cancel(self) -> None:
        """Ask the step to end; asking again changes nothing, so that its clean-up can end."""
        if self.asked_to_end:
            return
        self.asked_to_end = self.stopping = True
        if self.task is not None:
            self.task.cancel()

    def work_clock(self, seconds: float | None) -> WorkClock:
        """Return what times a part of the work; waits do not count."""
        return WorkClock(seconds, self._clocks, self._holds)

    def hold(self) -> None:
        """Stop the clocks of the work, here and of the steps above."""
        self._holds += 1
        for clock in self._clocks:
            clock.hold()
        if self.owner.above is not None:
            self.owner.above.hold()

    def release(self) -> None:
        """Let the clocks go on that `hold` stopped."""
        self._holds -= 1
        for clock in self._clocks:
            clock.release()
        if self.owner.above is not None:
            self.owner.above.release()

    async def run(self) -> Ended:
        """Execute the step and record its outcome."""
        token = current_capture.set(self.capture)
        try:
            ended = await self._attempts()
        except asyncio.CancelledError:
            ended = Ended(StepState.CANCELLED)
        finally:
            current_capture.reset(token)
        return ended

    async def _attempts(self) -> Ended:
        if self.planned.type.effects == "write":
            await self.execution.recording.flushed()
        await self._wait_until_due()
        self._started_at = perf_counter()
        while True:
            self.attempt += 1
            self.stopping = False
            self._announce()
            try:
                return await self._once()
            except (Exception, StopStep, asyncio.CancelledError) as error:
                if self.asked_to_end or (
                    self.owner.stopping and isinstance(error, asyncio.CancelledError)
                ):
                    raise asyncio.CancelledError from error
                if not self._retries(error):
                    return await self.failed(error)
                await self._pause(error)

    async def _wait_until_due(self) -> None:
        """Wait for what is left of a pause that an earlier claim began."""
        due = self.execution.setup.record.due.get(self.path, 0.0)
        if due > self.execution.now():
            await self.execution.back_off(self.path, due)

    def _announce(self) -> None:
        node = self.planned
        self.execution.emit(
            StepStarted(
                at=self.execution.now(),
                step=self.path,
                node=node.id,
                type=node.type.name,
                attempt=self.attempt,
            )
        )

    def _retries(self, error: BaseException) -> bool:
        if self.path in self.execution.stuck or isinstance(
            error, (failure.GraphFailedError, WaitTimeoutError)
        ):
            return False  # it still runs, or what failed is recorded and would fail again
        if self.owner.stopping:
            return False  # whatever it would give, nothing comes of it
        return retry.is_worth_retrying(self.planned.node.retry, self.attempt, error)

    async def _pause(self, error: BaseException) -> None:
        world = self.execution.setup.world
        seconds = retry.pause(self.planned.node.retry, self.attempt, world.rng)
        due = self.execution.now() + seconds
        self.execution.emit(
            StepRetrying(
                at=self.execution.now(),
                step=self.path,
                node=self.planned.id,
                attempt=self.attempt,
                due=due,
                error=failure.describe(error, self.path),
            )
        )
        await self.execution.back_off(self.path, due)

    async def _once(self) -> Ended:
        faults = self.execution.setup.world.faults
        faults.reach("step.before_call")
        answer = await self._limited()
        faults.reach("step.after_call")
        if isinstance(answer, Skip):
            return self.finish(Ended(StepState.SKIPPED), reason=answer.reason)
        outputs = outputs_of(self.planned.type, self.planned.id, answer)
        refs = await self._store(outputs)
        return self.finish(Ended(StepState.COMPLETED, outputs), refs)

    async def _limited(self) -> Any:
        timeout = self.planned.node.timeout
        if timeout is None:
            return await self._expanded()
        clock = self.work_clock(timeout)
        try:
            async with clock:
                return await self._expanded()
        except TimeoutError as error:
            if not clock.has_expired:
                raise
            raise failure.StepTimeoutError(
                f"Node {self.planned.id!r} took longer than {timeout:g} s.",
                remedy="Raise its timeout, or make it do less.",
            ) from error

    async def _expanded(self) -> Any:
        """Call the node; when it answers with an expansion, run that."""
        answer = await self._answer()
        if not isinstance(answer, Expand):
            return answer
        self.execution.pause()
        try:
            return Done(await self.owner.expand(self, answer))
        finally:
            self.execution.begin()

    async def _answer(self) -> Any:
        """Call the node in the way that its function asks for."""
        node_type = self.planned.type
        config, constants = await self._filled(self._config())
        arguments = check_arguments(self.planned, {**constants, **self.inputs.arguments})
        context = StepContext(self)
        if node_type.pool == "process" and not node_type.name.startswith("cell."):
            return await self._in_process(arguments, config)
        if node_type.style == "async":
            return await self._awaited(node_type.call(arguments, config, context))
        if node_type.style == "async_generator":
            stream = node_type.call(arguments, config, context)
            return await self._awaited(last_of_async(stream, context.emit))
        if node_type.style == "generator":
            return await self._in_thread(
                lambda: last_of(node_type.call(arguments, config, context), context.emit)
            )
        return await self._in_thread(lambda: node_type.call(arguments, config, context))

    def _config(self) -> Mapping[str, Any]:
        planned = self.planned
        if planned.ready_config is not None:
            return planned.ready_config
        arguments = {**planned.constants, **self.inputs.arguments}
        names = {**arguments, **self.inputs.extras, "params": self.params}
        written = dict(planned.config)
        for name, parsed in planned.templates.items():
            written[name] = parsed.render(names)
        return validate_config(
            planned.type, written | self.inputs.config, f"nodes.{planned.id}.config"
        )

    async def _filled(
        self, config: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return what is written in the flow with each secret in the place of its name."""
        if not self.planned.secrets:
            return config, {}
        return await asyncio.to_thread(self._resolved, config)  # a keyring may ask a person

    def _resolved(self, config: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        planned = self.planned
        inside, get = planned.type.secret_fields, self.execution.secrets.get
        others = self.inputs.config.keys() | planned.templates.keys() | planned.type.body_fields
        made = {
            name: value if name in others else filled(value, get, inside=name in inside)
            for name, value in config.items()
        }
        return made, filled(dict(planned.constants), get)

    def noted_secret(self, name: str) -> None:
        """Note that the node asked for a secret: what it computes may follow from its version."""
        if name not in self.planned.secrets:
            self.key = None

    async def _awaited(self, call: Any) -> Any:
        if self.planned.type.loop == "kernel":
            return await self._on_kernel_loop(call)
        meter = Meter()
        try:
            return await metered(call, meter)
        finally:
            self._cpu += meter.cpu

    async def _on_kernel_loop(self, call: Any) -> Any:
        loop = self.execution.setup.kernel_loop
        if loop is None:
            call.close()
            raise NodeError(
                f"Node {self.planned.id!r} needs the kernel's own event loop.",
                remedy="Run the flow with `await flow.arun()`.",
                code="needs-kernel-loop",
            )
        meter = Meter()

        async def measured() -> Any:
            return await metered(call, meter)

        try:
            return await on_other_loop(measured(), loop)
        finally:
            self._cpu += meter.cpu

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        call = ThreadCall(function)
        self.execution.thread_calls.add(call)
        future = call.start(self.execution.loop, self.owner.depth)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.stopping = True
            for task in self.below:
                task.cancel()
            if not call.withdraw():
                await to_the_end(self._end_thread(call, future))
            raise
        finally:
            self.execution.thread_calls.discard(call)
            self._cpu += call.cpu

    async def _end_thread(self, call: ThreadCall, future: asyncio.Future[Any]) -> None:
        """Stop the thread and wait for it; note the step as stuck when it does not end."""
        if self.planned.type.context_name:  # it can see that it should end
            await asyncio.wait({future}, timeout=OBEY_GRACE)
        waits_for_ever = self.execution.stop == "cancel" and self.execution.setup.interactive
        patience = inf if waits_for_ever else STOP_GRACE
        abandoned = self.execution.loop.create_task(self.execution.abandoned.wait())
        while patience > 0 and not future.done() and not abandoned.done():
            call.stop()  # and again: a callback of the garbage collector may have swallowed it
            pause = min(patience, STOP_AGAIN)
            patience -= pause
            await asyncio.wait(
                {future, abandoned}, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
        abandoned.cancel()
        if not future.done():
            self.execution.stuck.append(self.path)
            future.add_done_callback(_forget)
        else:
            _forget(future)

    async def _in_process(self, arguments: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        call = processes.ProcessCall(
            node_type=self.planned.type.name,
            node=self.planned.id,
            workspace=self.execution.setup.workspace,
            arguments=arguments,
            config=config,
        )
        try:
            return await call.run(self.capture.write)
        finally:
            self._cpu += call.cpu

    async def _store(self, outputs: Mapping[str, Any]) -> dict[str, OutputRef]:
        execution = self.execution
        if not execution.is_seen:
            return {}
        if not execution.is_stored:
            return {port: values.refer(value) for port, value in outputs.items()}
        artifacts = execution.setup.artifacts
        if all(values.is_scalar(value) for value in outputs.values()):
            return {port: store(value, artifacts) for port, value in outputs.items()}

        def encode_all() -> dict[str, OutputRef]:
            return {port: store(value, artifacts) for port, value in outputs.items()}

        return await to_the_end(asyncio.to_thread(encode_all))

    async def failed(self, error: BaseException) -> Ended:
        """Record the failure, as the node's `on_error` wants it."""
        info = failure.describe(error, self.path)
        outputs: dict[str, Any] = {}
        if self.planned.node.on_error == "port":
            outputs = {ERROR: {"code": info.code, "message": info.message, "step": info.step}}
        refs = await self._store(outputs)
        return self.finish(Ended(StepState.FAILED, outputs, info, failure.root(error)), refs)

    def give_up(self, reason: str) -> None:
        """Record that the step was cancelled."""
        self.finish(Ended(StepState.CANCELLED), reason=reason)

    def finish(
        self,
        ended: Ended,
        refs: dict[str, OutputRef] | None = None,
        *,
        source: str = "executed",
        reason: str = "",
    ) -> Ended:
        """Record the outcome."""
        self.capture.close()
        self.execution.interrupted.pop(self.path, None)
        self.execution.give_up_below(self.path, f"{self.path} ended first.")
        outputs = refs or {}
        is_seen = self.execution.is_seen
        event = StepFinished(
            at=self.execution.now(),
            step=self.path,
            node=self.planned.id,
            type=self.planned.type.name,
            state=ended.state,
            attempt=max(self.attempt, 1),
            outputs=outputs,
            source=source,
            key=self.key or "",
            code_hash=self.planned.code_key,
            reason=reason,
            error=ended.error,
            usage=self._usage(outputs) if source == "executed" and is_seen else None,
        )
        event = hidden(event)  # what is kept of it here is handed on, too
        self.execution.steps[self.path] = event
        self.execution.values[self.path] = ended.outputs
        self.execution.emit(event)
        return ended

    def _usage(self, outputs: Mapping[str, OutputRef]) -> Usage:
        counted = [ref.rows for ref in outputs.values() if ref.rows is not None]
        return Usage(
            queue_wait_s=self._started_at - self._ready_at,
            duration_s=perf_counter() - self._started_at,
            cpu_s=self._cpu,
            peak_rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            rows=sum(counted) if counted else None,
            bytes=sum(ref.size for ref in outputs.values()),
        )

    def fingerprint(self) -> str:
        """Return what the node says of the outside world; "" when it says nothing."""
        describe = self.planned.type.fingerprint
        if describe is None:
            return ""
        arguments = {**self.planned.constants, **self.inputs.arguments}
        return describe(StepContext(self), **arguments, **self._config())

    async def run_below(
        self, prefix: str, flow: Flow, inputs: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Run a flow whose steps are shown under this one."""
        self.key = None  # its own code does not tell what the nodes that it calls do
        self.execution.pause()
        try:
            return await self.owner.run_below(self, prefix, flow, inputs)
        finally:
            self.execution.begin()


def _forget(future: asyncio.Future[Any]) -> None:
    """Take a future's exception, so that nobody complains that it was never retrieved."""
    if not future.cancelled():
        future.exception()


def last_of(stream: Iterator[Any], emit: Callable[[Any], None]) -> Any:
    """Emit what a generator yields; return what it returns, else its last value."""
    last: Any = None
    while True:
        try:
            last = next(stream)
        except StopIteration as stop:
            return last if stop.value is None else stop.value
        emit(last)


async def last_of_async(stream: AsyncIterator[Any], emit: Callable[[Any], None]) -> Any:
    """Emit what an async generator yields and return its last value."""
    last: Any = None
    async for last in stream:
        emit(last)
    return last


def check_arguments(planned: PlannedNode, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the call, checked by kind.

    Raises:
        NodeError: An input is missing or of another kind than its port.
    """
    called = {**planned.constants, **arguments}
    for port in planned.type.inputs:
        if port.name not in called:
            if port.required:
                raise NodeError(
                    f"Input {port.name!r} of node {planned.id!r} has no value.",
                    remedy="Connect it, or set it in the node's configuration.",
                    code="input-missing",
                )
            continue
        value = called[port.name]
        if port.type.item is not None and values.mismatch(port.type, value):
            value = called[port.name] = [value]
        model = planned.type.models.get(port.name)
        if model is not None and isinstance(value, dict):
            called[port.name] = model.model_validate(value)
        elif wrong := values.mismatch(port.type, value):
            raise NodeError(
                f"Input {port.name!r} of node {planned.id!r} should be a {port.type}, "
                f"but {wrong} arrived.",
                code="input-type",
            )
    return called


def outputs_of(node_type: NodeType[..., Any], node_id: str, answer: Any) -> dict[str, Any]:
    """Return what a node answered as outputs by port.

    Raises:
        NodeError: An output has no port, or is of another kind than its port.
    """
    if isinstance(answer, Done):
        outputs = dict(answer.outputs)
    elif node_type.record_result is not None:
        outputs = _record(node_type.record_result, answer, node_id)
    else:
        outputs = {OUT: answer} if node_type.outputs else {}
    declared = node_type.output_types
    for port, value in outputs.items():
        if port not in declared and node_type.free_outputs is None:
            raise NodeError(
                f"Node {node_id!r} has no output {port!r} (it has: {', '.join(declared)}).",
                code="output-unknown",
            )
        if wrong := values.mismatch(declared[port], value) if port in declared else "":
            raise NodeError(
                f"Output {port!r} of node {node_id!r} should be a {declared[port]}, "
                f"but the node returned {wrong}.",
                code="output-type",
            )
    return outputs


def _record(fields: Mapping[str, Any], answer: Any, node_id: str) -> dict[str, Any]:
    if isinstance(answer, dict):
        return dict(cast("dict[str, Any]", answer))
    if all(hasattr(answer, name) for name in fields):
        return {name: getattr(answer, name) for name in fields}
    raise NodeError(
        f"Node {node_id!r} should return {', '.join(fields)}, but returned a "
        f"{type(answer).__name__}.",
        code="output-type",
    )
