"""What a running node may ask of the engine."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar, Unpack

from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.event import (
    Event,
    OutputRef,
    StepFinished,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
)
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.sdk.origin import Origin
from iaiflow_lab.sdk.waiting import Answer, Asking

T = TypeVar("T")


class Delegate(Protocol):
    """Lets another process (a kernel) record steps under this step, with this run's fence."""

    #: Settled steps below this one that earlier claims recorded, by path.
    steps: Mapping[str, StepFinished]
    #: Recorded sub-steps below this one.
    substeps: Sequence[SubstepRecorded]
    #: What steps below this one wait for, as earlier claims recorded it.
    waits: Sequence[StepWaiting]

    def append(self, events: Sequence[Event]) -> None:
        """Record events of steps below this one; blocks until they are committed."""
        ...

    @property
    def may_park(self) -> bool:
        """Whether the run may be parked: somebody goes on with it later."""
        ...

    @property
    def resting(self) -> float:
        """For how long the steps below have done nothing but wait, in seconds; 0: they do more."""
        ...

    @property
    def rested(self) -> float:
        """For how long they have done so in all."""
        ...

    def park(self) -> None:
        """Block until a wait below this step has ended; does not return when the run is parked."""
        ...

    def answers(self) -> Sequence[WaitAnswered]:
        """End the waits whose moment has come, and return how those below this step ended."""
        ...

    def secret(self, name: str) -> tuple[str, int]:
        """Return a secret of the project, and its version."""
        ...

    def recorded(self, keys: str) -> Sequence[SubstepRecorded]:
        """Return what all steps of the run have recorded, by a pattern of keys."""
        ...

    def put_artifact(self, data: bytes) -> str:
        """Store bytes and return their SHA-256 in hex."""
        ...

    def get_artifact(self, digest: str) -> bytes:
        """Return stored bytes."""
        ...

    def cache_get(self, keys: Sequence[str]) -> dict[str, Mapping[str, OutputRef]]:
        """Return cached outputs by key."""
        ...

    def cache_put(self, key: str, outputs: Mapping[str, OutputRef], ttl: float | None) -> None:
        """Remember outputs under `key`, for `ttl` seconds or for good (None)."""
        ...


class WorkClock(Protocol):
    """Times a part of a node's work; it stands still while the node waits."""

    @property
    def worked(self) -> float:
        """How long the work took, in seconds."""
        ...

    async def __aenter__(self) -> Self:
        """Begin."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """End; raises `TimeoutError` when it took too long."""
        ...


class Context(Protocol):
    """Handed to a node that has a parameter annotated `Context`."""

    #: The run this step belongs to.
    run_id: str
    #: The step's path in the run.
    step: str
    #: The node's id in its flow.
    node_id: str
    #: Calls of this step so far, this one included.
    attempt: int
    #: The flow's parameters.
    params: Mapping[str, Any]
    #: The workspace folder; files are read and written inside it only.
    workspace: Path
    #: The folder that relative paths start from: the flow's or notebook's own.
    folder: Path
    #: The run's own folder, for files that belong to it.
    run_dir: Path
    #: The file of what agents of this workspace remember, for `iaiflow_memory.Memory`.
    memory: Path
    #: Hosts (`name` or `name:port`) that may be fetched from although they are not public.
    allowed_hosts: Collection[str]
    #: What models may take, steps that run beside this one and before it included: in all of the
    #: run, and in parts of it. Whoever asks models has to keep to it.
    budgets: Sequence[Allowance]
    #: Equal across attempts and claims: hash of run, step path and key.
    idempotency_key: str

    @property
    def cancelled(self) -> bool:
        """Whether the run is being cancelled or the step has timed out."""
        ...

    def raise_if_cancelled(self) -> None:
        """Leave the node at once when `cancelled`."""
        ...

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch."""
        ...

    def emit(self, value: Any, port: str = "out") -> None:
        """Show a partial output of `port`."""
        ...

    def log(self, message: str, *, level: str = "INFO") -> None:
        """Write one line to the step's log."""
        ...

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Say how far the step is."""
        ...

    def metric(self, name: str, value: float, unit: str = "") -> None:
        """Record a number under the step."""
        ...

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[None]:
        """Time a named part of the step."""
        ...

    def secret(self, name: str) -> str:
        """Return a secret of the project.

        From then on it is cut out of whatever the run records.

        Raises:
            NotFoundError: There is none of that name.
        """
        ...

    @property
    def embedder(self) -> str | None:
        """What finds memories by their meaning in this workspace, for `iaiflow_memory.Memory`."""
        ...

    def configured(
        self, section: Literal["mcp", "tools", "prices"]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return a section of the workspace's config.toml, as it is now; empty without one.

        Raises:
            InputError: The file can't be used.
        """
        ...

    def artifact(self, name: str, data: bytes | str, media_type: str = "") -> str:
        """Keep a named file with the run, for people; returns its SHA-256 in hex."""
        ...

    def once(self, key: str, function: Callable[[], T]) -> T:
        """Call `function` unless its result is already recorded under `key` in this run.

        The result (JSON, bytes or a table) is committed before this returns.
        """
        ...

    async def aonce(self, key: str, function: Callable[[], Awaitable[T]]) -> T:
        """Do the same for a coroutine function."""
        ...

    def recorded(self, keys: re.Pattern[str]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """Yield what steps of this run have recorded by `once` so far: step, key, and its reader.

        In a notebook that is itself a run it asks the worker, and may take a moment.

        Args:
            keys: Which keys count; they match as a whole.
        """
        ...

    def origins(self) -> Iterator[Origin]:
        """Yield the steps that this one's inputs come from; each tells what came before it.

        Of what a body's parameters are given, it is the step that runs the body. Values that the
        flow itself was given have none.
        """
        ...

    def ran(self, key: str) -> Iterator[Origin]:
        """Yield the steps that `run_flow` or `run_node` has executed under `key`."""
        ...

    def wait(self, key: str, kind: WaitKind | str, **how: Unpack[Asking]) -> Answer:
        """Wait for a moment or an answer without holding anything; for sync nodes.

        When nothing else in the run can go on, it is parked and its worker is free: the call never
        returns (`finally` blocks run), and once the wait is over, the node is called again from its
        start and given the recorded answer here at once. So what comes before should be cheap, or
        stand in `once`. A key is waited for once in a run, whatever attempt asks. The node's time
        limit does not count the time in which it waits; work that it does beside a wait is cut off
        when the run is parked.

        Args:
            key: Tells the waits of this step apart.
            kind: `delay` or `until` (ended by their moment), `approval` (by a person), `signal` or
                `webhook` (by a message, also by one that came before).
            **how: Name of the signal, moment, message, form, default; see `Asking`.

        Raises:
            WaitTimeoutError: No answer came in time and there is no default.
            NodeError: It could never end, or nobody can answer this run.
        """
        ...

    async def awaits(self, key: str, kind: WaitKind | str, **how: Unpack[Asking]) -> Answer:
        """Do the same for async nodes."""
        ...

    def work_clock(self, seconds: float | None) -> WorkClock:
        """Return what times a part of an async node's work, without the time in which it waits.

        `async with ctx.work_clock(60) as clock:` raises `TimeoutError` after so many seconds; None
        is no limit.
        """
        ...

    def run_flow(self, key: str, flow: Flow, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a flow as steps under this one and return its outputs; for sync nodes.

        The step itself is not cached any more: its code does not tell what it ran.
        """
        ...

    async def arun_flow(self, key: str, flow: Flow, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a flow as steps under this one and return its outputs; for async nodes."""
        ...

    def run_node(self, key: str, node_type: str, **values: Any) -> Mapping[str, Any]:
        """Run one node type as a step under this one; `values` are inputs and configuration."""
        ...

    async def arun_node(self, key: str, node_type: str, **values: Any) -> Mapping[str, Any]:
        """Do the same for async nodes."""
        ...

    def record(self, event: Event) -> None:
        """Add an event of this step to the journal."""
        ...

    def delegate(self) -> Delegate:
        """Return the door through which a kernel records steps under this one."""
        ...
