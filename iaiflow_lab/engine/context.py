"""The engine's side of the context that a node may ask for."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from iaiflow_lab.engine.hiding import store
from iaiflow_lab.engine.origins import origins, ran
from iaiflow_lab.engine.patience import on_other_loop
from iaiflow_lab.engine.resting import Resting
from iaiflow_lab.engine.threads import StopStep
from iaiflow_lab.errors import RunError
from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.event import (
    ArtifactMade,
    Event,
    OutputRef,
    StepFinished,
    StepLog,
    StepMetric,
    StepOutput,
    StepProgress,
    StepSpan,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
)
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.sdk import values, waiting
from iaiflow_lab.sdk.context import Delegate
from iaiflow_lab.sdk.origin import Origin
from iaiflow_lab.sdk.waiting import Answer, Asking
from iaiflow_lab.settings import load_settings, memory_file

if TYPE_CHECKING:
    from iaiflow_lab.engine.step import StepRun
    from iaiflow_lab.engine.work_clock import WorkClock

T = TypeVar("T")


class StepContext:
    """What a running node may ask of the engine; see `sdk.context.Context`."""

    def __init__(self, step_run: StepRun) -> None:
        self._run = step_run
        self._execution = step_run.execution
        setup = self._execution.setup
        self.run_id = setup.run_id
        self.step = step_run.path
        self.node_id = step_run.planned.id
        self.attempt = step_run.attempt
        self.params: Mapping[str, Any] = step_run.params
        self.workspace: Path = setup.workspace
        self.folder: Path = setup.folder
        self.run_dir: Path = setup.run_dir
        self.memory: Path = memory_file(setup.workspace)
        self.allowed_hosts: Collection[str] = setup.allowed_hosts
        self.budgets: Sequence[Allowance] = setup.budgets
        self._partial: dict[str, int] = {}

    @property
    def idempotency_key(self) -> str:
        """Equal across attempts and claims: hash of run and step path."""
        return hashlib.sha256(f"{self.run_id}\0{self.step}".encode()).hexdigest()

    @property
    def cancelled(self) -> bool:
        """Whether the run is being cancelled or the step has timed out."""
        return self._run.stopping

    def raise_if_cancelled(self) -> None:
        """Leave the node at once when `cancelled`."""
        if self.cancelled:
            raise StopStep

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch."""
        return self._execution.now()

    def record(self, event: Event) -> None:
        """Add an event of this step to the journal."""
        self._execution.emit(event)

    def emit(self, value: Any, port: str = "out") -> None:
        """Show a partial output of `port`."""
        count = self._partial.get(port, 0) + 1
        self._partial[port] = count
        shown = values.preview(value)
        self.record(
            StepOutput(at=self.now(), step=self.step, port=port, preview=shown, count=count)
        )

    def log(self, message: str, *, level: str = "INFO") -> None:
        """Write one line to the step's log."""
        self.record(StepLog(at=self.now(), step=self.step, stream="log", text=message, level=level))

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Say how far the step is."""
        self.record(StepProgress(at=self.now(), step=self.step, done=done, total=total, text=text))

    def metric(self, name: str, value: float, unit: str = "") -> None:
        """Record a number under the step."""
        self.record(
            StepMetric(at=self.now(), step=self.step, name=name, value=float(value), unit=unit)
        )

    @contextmanager
    def span(self, name: str, **attributes: Any) -> Generator[None]:
        """Time a named part of the step."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.record(
                StepSpan(
                    at=self.now(),
                    step=self.step,
                    name=name,
                    duration_s=time.perf_counter() - started,
                    attributes=attributes,
                )
            )

    def secret(self, name: str) -> str:
        """Return a secret of the project."""
        found = self._execution.secrets.get(name)
        self._run.noted_secret(name)
        return found

    @property
    def embedder(self) -> str | None:
        """What finds memories by their meaning, as the workspace's config.toml names it."""
        return load_settings(self.workspace).embedder or None

    def configured(
        self, section: Literal["mcp", "tools", "prices"]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return a section of the workspace's config.toml, as it is now; empty without one."""
        return getattr(load_settings(self.workspace), section)

    def artifact(self, name: str, data: bytes | str, media_type: str = "") -> str:
        """Keep a named file with the run, for people; returns its SHA-256 in hex."""
        content = RESOLVED.content(data.encode() if isinstance(data, str) else bytes(data))
        digest = self._execution.setup.artifacts.put(content)
        self.record(
            ArtifactMade(
                at=self.now(),
                step=self.step,
                name=name,
                artifact=digest,
                size=len(content),
                media_type=media_type or values.sniff(content),
            )
        )
        return digest

    def once(self, key: str, function: Callable[[], T]) -> T:
        """Call `function` unless its result is already recorded under `key` in this run."""
        known = self._known(key)
        if known is not None:
            return values.decode(known.output, self._execution.setup.artifacts)
        result = function()
        self._remember(key, result)
        self._execution.recording.flush()
        return result

    async def aonce(self, key: str, function: Callable[[], Awaitable[T]]) -> T:
        """Do the same for a coroutine function."""
        known = self._known(key)
        if known is not None:
            return values.decode(known.output, self._execution.setup.artifacts)
        result = await function()
        self._remember(key, result)
        await self._execution.recording.flushed()
        return result

    def recorded(self, keys: re.Pattern[str]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """Yield what steps of this run have recorded so far: step, key, and its reader."""
        artifacts = self._execution.setup.artifacts
        for known in self._execution.recorded(keys):
            yield known.step, known.key, partial(values.decode, known.output, artifacts)

    def origins(self) -> Iterator[Origin]:
        """Yield the steps that this one's inputs come from; each tells what came before it."""
        return origins(self._run.owner, self._run.planned.id)

    def ran(self, key: str) -> Iterator[Origin]:
        """Yield the steps that `run_flow` or `run_node` has executed under `key`."""
        return ran(self._execution, f"{self.step}/{key}:")

    def _known(self, key: str) -> SubstepRecorded | None:
        known = self._execution.substeps.get((self.step, key))
        return None if known is None or known.output.encoding == "live" else known

    def _remember(self, key: str, result: Any) -> None:
        output = store(result, self._execution.setup.artifacts)
        recorded = SubstepRecorded(at=self.now(), step=self.step, key=key, output=output)
        self._execution.substeps[self.step, key] = recorded
        self.record(recorded)

    def wait(self, key: str, kind: WaitKind | str, **how: Unpack[Asking]) -> Answer:
        """Wait for a moment or an answer without holding anything; for sync nodes."""
        return self._blocking(self._awaits(self._asked(key, kind, how), how))

    async def awaits(self, key: str, kind: WaitKind | str, **how: Unpack[Asking]) -> Answer:
        """Do the same for async nodes."""
        work = self._awaits(self._asked(key, kind, how), how)
        if asyncio.get_running_loop() is self._execution.loop:
            return await work
        return await on_other_loop(work, self._execution.loop)

    def work_clock(self, seconds: float | None) -> WorkClock:
        """Return what times a part of the node's work; for async nodes."""
        return self._run.work_clock(seconds)

    def _asked(self, key: str, kind: str, how: Asking) -> StepWaiting:
        due, form = how.get("due"), how.get("form")
        asked = StepWaiting(
            at=self.now(),
            step=self.step,
            node=self.node_id,
            key=key,
            wait_kind=str(kind),
            name=how.get("name", ""),
            message=how.get("message", ""),
            form=None if form is None else dict(form),
            due=None if due is None else float(due),
        )
        waiting.check(asked, how)
        return asked

    async def _awaits(self, asked: StepWaiting, how: Asking) -> Answer:
        ended = await self._execution.waits.wait(self._run, asked)
        return waiting.answer_of(asked, ended, how)

    def run_flow(self, key: str, flow: Flow, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a flow as steps under this one and return its outputs; for sync nodes."""
        return self._blocking(self.arun_flow(key, flow, inputs))

    async def arun_flow(self, key: str, flow: Flow, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a flow as steps under this one and return its outputs; for async nodes."""
        return await self._run.run_below(f"{self.step}/{key}:", flow, inputs)

    def run_node(self, key: str, node_type: str, **values: Any) -> Mapping[str, Any]:
        """Run one node type as a step under this one; `values` are inputs and configuration."""
        return self._blocking(self.arun_node(key, node_type, **values))

    async def arun_node(self, key: str, node_type: str, **values: Any) -> Mapping[str, Any]:
        """Do the same for async nodes."""
        found = self._execution.setup.types.get(node_type)
        outputs = {port.name: f"node.{port.name}" for port in found.outputs} if found else {}
        flow = Flow(name=key, nodes={"node": Node(node_type, values)}, outputs=outputs)
        return await self.arun_flow(key, flow, {})

    def _blocking(self, call: Awaitable[T]) -> T:
        below = self._run.below

        async def awaited() -> T:
            task = asyncio.current_task()
            assert task is not None
            below.add(task)
            try:
                return await call
            finally:
                below.discard(task)

        try:
            return asyncio.run_coroutine_threadsafe(awaited(), self._execution.loop).result()
        except futures.CancelledError:
            raise StopStep from None  # no `except Exception` of the node's may go on from here

    def delegate(self) -> Delegate:
        """Return the door through which a kernel records steps under this one."""
        return _StepDelegate(self._run, self._blocking)


class _StepDelegate:
    """Records what a kernel reports as steps below one step."""

    def __init__(self, step_run: StepRun, blocking: Callable[[Awaitable[None]], None]) -> None:
        self._run = step_run
        self._blocking = blocking
        self._execution = step_run.execution
        self._resting = Resting()
        below = f"{step_run.path}/"
        self.steps: Mapping[str, StepFinished] = {
            path: step for path, step in self._execution.reported.items() if path.startswith(below)
        }
        self.substeps: Sequence[SubstepRecorded] = [
            found for (path, _), found in self._execution.substeps.items() if path.startswith(below)
        ]
        self.waits: Sequence[StepWaiting] = self._execution.waits.known_below(below)
        self._below = below

    @property
    def resting(self) -> float:
        """For how long the steps below have done nothing but wait, in seconds; 0: they do more."""
        return self._resting.present

    @property
    def rested(self) -> float:
        """For how long they have done so in all."""
        return self._resting.total

    @property
    def may_park(self) -> bool:
        """Whether the run may be parked: somebody goes on with it later."""
        return self._execution.may_rest

    def park(self) -> None:
        """Block until a wait below this step has ended; does not return when the run is parked."""
        self._blocking(self._execution.waits.rest(self._run, self._resting.waits))

    def append(self, events: Sequence[Event]) -> None:
        """Record events of steps below this one; blocks until they are committed."""
        for event in events:
            self._note(event)
            self._execution.emit(event)
        self._execution.recording.flush()
        self._resting.note(events)

    def answers(self) -> Sequence[WaitAnswered]:
        """End the waits whose moment has come, and return how those below this step ended."""
        journal = self._execution.setup.journal
        found: Sequence[WaitAnswered] = [] if journal is None else journal.answers()
        self._execution.loop.call_soon_threadsafe(self._execution.waits.hear, found)
        below = [ended for ended in found if ended.step.startswith(self._below)]
        self._resting.hear(below)
        return below

    def _note(self, event: Event) -> None:
        """Keep what counts as recorded when the kernel's node is called once more."""
        if isinstance(event, StepFinished):
            self._execution.reported[event.step] = event
        elif isinstance(event, SubstepRecorded):
            self._execution.substeps[event.step, event.key] = event
        elif isinstance(event, StepWaiting):
            self._execution.waits.note(event)

    def secret(self, name: str) -> tuple[str, int]:
        """Return a secret of the project, and its version."""
        return self._execution.secrets.get(name), self._execution.secrets.version(name)

    def recorded(self, keys: str) -> Sequence[SubstepRecorded]:
        """Return what all steps of the run have recorded, by a pattern of keys."""
        return self._execution.recorded(re.compile(keys))

    def put_artifact(self, data: bytes) -> str:
        """Store bytes and return their SHA-256 in hex."""
        return self._execution.setup.artifacts.put(data)

    def get_artifact(self, digest: str) -> bytes:
        """Return stored bytes."""
        return self._execution.setup.artifacts.get(digest)

    def cache_get(self, keys: Sequence[str]) -> dict[str, Mapping[str, OutputRef]]:
        """Return cached outputs by key."""
        cache = self._execution.setup.cache
        return {} if cache is None else cache.get_many(keys)

    def cache_put(self, key: str, outputs: Mapping[str, OutputRef], ttl: float | None) -> None:
        """Remember outputs under `key`, for `ttl` seconds or for good (None)."""
        if self._execution.setup.cache is not None:
            self._execution.setup.cache.put(key, outputs, ttl)


def refuse_nested_run() -> None:
    """Refuse `Flow.run()` inside a node.

    Raises:
        RunError: Always.
    """
    raise RunError(
        "A node can't call Flow.run(): the engine would wait for itself.",
        remedy="Use ctx.run_flow(key, flow, inputs), a subflow node, or a map node.",
        code="nested-run",
    )
