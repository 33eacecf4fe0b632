"""What an execution is given, and what it gives back."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from iaiflow_lab.engine.live_cache import LiveCache
from iaiflow_lab.engine.ports import Artifacts, Journal, OutcomeCache, Record, SecretReader
from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.event import ErrorInfo, Event, OutputRef, StepFinished, SubstepRecorded
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import RunState
from iaiflow_lab.sdk.node import NodeType
from iaiflow_lab.world import World

Durability = Literal["batched", "sync", "full"]


class NodeTypes(Protocol):
    """Where node types are looked up; the catalog is one."""

    def get(self, name: str) -> NodeType[..., Any] | None:
        """Return the node type called `name`; None when it is not installed."""
        ...


@dataclass(frozen=True, slots=True)
class Targets:
    """Which part of a flow to run; empty: all of it."""

    #: Run these nodes and what they need ("run to here").
    until: tuple[str, ...] = ()
    #: Run these nodes and what depends on them ("run from here"); the rest keeps earlier values.
    start: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """Live values of an execution that goes on, for somebody who looks; only ever added to."""

    #: What arrived at each step, by step path and name.
    inputs: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    #: Outputs of each settled step, by step path and port.
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True, slots=True)
class Setup:
    """One execution of a flow."""

    run_id: str
    flow: Flow
    #: Values of the flow's parameters, checked.
    inputs: Mapping[str, Any]
    types: NodeTypes
    world: World
    #: Where events go; None: a bare run that leaves no trace.
    journal: Journal | None
    artifacts: Artifacts
    secrets: SecretReader
    #: The workspace; files are read and written inside it only.
    workspace: Path
    #: Where relative paths start: the flow's or notebook's own folder.
    folder: Path
    #: The run's own folder.
    run_dir: Path
    #: Shared outputs of earlier runs; None: not used.
    cache: OutcomeCache | None = None
    #: What models may take: in all of the run, and in parts of it.
    budgets: Sequence[Allowance] = ()
    #: In a notebook that is itself a run: returns what all steps of that run have recorded, by a
    #: pattern of keys; None: nothing of the run is recorded but here.
    recorded_around: Callable[[str], Sequence[SubstepRecorded]] | None = None
    #: Hosts (`name` or `name:port`) that may be fetched from although they are not public.
    allowed_hosts: Collection[str] = ()
    #: What earlier claims of this run recorded.
    record: Record = field(default_factory=Record)
    #: Settled steps of the run that this one retries.
    replay: Mapping[str, StepFinished] = field(default_factory=dict[str, StepFinished])
    targets: Targets = Targets()
    #: In a kernel, for a person: live values are kept, pins count, outputs stay in the process.
    interactive: bool = False
    durability: Durability = "batched"
    #: Called with every event before it is recorded, in whatever thread it happens; must be quick
    #: and must not raise.
    listener: Callable[[Event], None] | None = None
    #: Filled while the execution goes on; None: nobody looks.
    sight: Sight | None = None
    #: Put before every step path, e.g. `report/2:`.
    prefix: str = ""
    #: Whether strangers may have written some of what whoever runs the flow was given.
    untrusted: bool = False
    #: Live values of an earlier run in this process, by step path and port ("run from here").
    previous: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    #: Live outputs of earlier runs in this process; None: not used.
    live_cache: LiveCache | None = None
    #: Where nodes bound to the kernel's own event loop are awaited; None: refused.
    kernel_loop: AbstractEventLoop | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How an execution ended."""

    #: completed, failed or cancelled; queued when it was given back, retrying until `due`, or
    #: waiting.
    state: RunState
    #: The flow's named outputs, as live values.
    outputs: Mapping[str, Any]
    #: The same as they are recorded.
    refs: Mapping[str, OutputRef]
    #: Live values by step path and port.
    values: Mapping[str, Mapping[str, Any]]
    #: Settled steps by path.
    steps: Mapping[str, StepFinished]
    error: ErrorInfo | None = None
    #: The exception behind `error`, in this process.
    exception: BaseException | None = None
    #: Paths of steps that have not ended although they were told to.
    stuck: tuple[str, ...] = ()
    #: For retrying and waiting: when the earliest backoff is over, in seconds since the Unix epoch.
    due: float | None = None
    #: How many answers to waits of the run are known.
    answers: int = 0
