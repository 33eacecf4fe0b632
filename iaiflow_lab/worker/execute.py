"""From a claim to a settled run: what happens to a run while a worker holds it."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum, auto
from math import inf
from pathlib import Path
from threading import Thread
from typing import Final

from iaiflow_lab.clock import Clock
from iaiflow_lab.engine import executor
from iaiflow_lab.engine.executor import Handle
from iaiflow_lab.engine.failure import describe
from iaiflow_lab.engine.ports import Record
from iaiflow_lab.engine.setup import Result, Setup
from iaiflow_lab.errors import LabError, StaleFenceError
from iaiflow_lab.model import data
from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.event import EnvironmentRecorded, ErrorInfo
from iaiflow_lab.model.run import RunState
from iaiflow_lab.notebook.environment import describe_environment
from iaiflow_lab.notebook.failure import PARKED
from iaiflow_lab.queue.journal import RunJournal
from iaiflow_lab.queue.protocol import Claim, Coordinator, Settlement
from iaiflow_lab.queue.secrets import HeldSecrets
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.settings import load_settings
from iaiflow_lab.worker.stop import Stop
from iaiflow_lab.world import World

#: How often a running execution is looked at, in seconds.
_LOOK_EVERY: Final = 0.02
#: How long steps may take to end after they were told to, in seconds.
_OBEY_WITHIN: Final = 3.0


_REASONS: Final = {
    RunState.CANCELLED: "Cancelled on request.",
    RunState.QUEUED: "The worker was asked to end and gave the run back.",
    RunState.RETRYING: "A step waits before its next attempt.",
    RunState.WAITING: "It waits for an answer or a moment.",
}


class Ending(Enum):
    """How a worker's hold on a run ended."""

    #: Its state is recorded.
    SETTLED = auto()
    #: Somebody else has it; nothing more was written.
    LOST = auto()
    #: Threads of it go on; its state becomes true when this process ends.
    STUCK = auto()


def execute_run(claim: Claim, coordinator: Coordinator, world: World, stop: Stop) -> Ending:
    """Execute a claimed run and record how it ended.

    Args:
        claim: The run, as the coordinator gave it.
        coordinator: Where everything is reported, under the claim's fence.
        world: Time, chance and crash points.
        stop: Asked `now`, the run is given back.

    Raises:
        StoreError: The coordinator's store cannot be used.
    """
    try:
        coordinator.start(claim.run_id, claim.fence)
        settlement, is_stuck = _execute(claim, coordinator, world, stop)
        if is_stuck and settlement.state in (RunState.CANCELLED, RunState.QUEUED):
            return Ending.STUCK
        coordinator.settle(claim.run_id, claim.fence, settlement)
    except StaleFenceError:
        return Ending.LOST
    return Ending.STUCK if is_stuck else Ending.SETTLED


def _execute(
    claim: Claim, coordinator: Coordinator, world: World, stop: Stop
) -> tuple[Settlement, bool]:
    """Return how the run ended, and whether threads of it go on."""
    try:
        setup = prepare(claim, coordinator, world)
        handle = executor.start(setup)
    except Exception as error:
        return Settlement(RunState.FAILED, error=describe(error, "")), False
    journal = RunJournal(coordinator, claim)
    recorder = Thread(target=_record_environment, args=(setup, journal), daemon=True)
    recorder.start()
    watch = _Watch(handle, claim, coordinator, world.clock, stop)
    result = watch.until_end()
    recorder.join()
    if watch.timed_out and result.state is RunState.CANCELLED:
        return _timed_out(claim), bool(result.stuck)
    return _settlement(result, claim), bool(result.stuck)


def _record_environment(setup: Setup, journal: RunJournal) -> None:
    """Note what the run is executed with, beside its first steps, which it must not delay."""
    facts = describe_environment(setup.folder)
    event = EnvironmentRecorded(at=setup.world.clock.now(), facts=facts)
    with suppress(LabError):  # what hinders this note hinders the steps, which report it
        journal.append([event])


def prepare(claim: Claim, coordinator: Coordinator, world: World) -> Setup:
    """Return what the engine needs to execute a claimed run.

    Raises:
        LabError: The definition, a setting or the workspace's own node types cannot be used.
    """
    workspace = Path(claim.workspace)
    flow = data.from_data(claim.definition)
    types = load_catalog(workspace)
    settings = load_settings(workspace)
    folder = (workspace / claim.source).parent if claim.source else workspace
    return Setup(
        run_id=claim.run_id,
        flow=flow,
        inputs=claim.inputs,
        types=types,
        world=world,
        journal=RunJournal(coordinator, claim),
        artifacts=coordinator.artifacts,
        secrets=HeldSecrets(coordinator, claim),
        workspace=workspace,
        folder=folder,
        run_dir=Path(claim.run_dir),
        cache=coordinator.cache if claim.use_cache else None,
        record=Record(
            steps={step.step: step for step in claim.steps},
            attempts=claim.attempts,
            due=claim.due,
            substeps={(record.step, record.key): record for record in claim.substeps},
            waits={(wait.step, wait.key): wait for wait in claim.waits},
            answers={(answer.step, answer.key): answer for answer in claim.answers},
        ),
        replay={step.step: step for step in claim.replay},
        durability=settings.durability,
        allowed_hosts=settings.allowed_hosts,
        budgets=[] if claim.budget is None else [Allowance(claim.budget)],
    )


def _settlement(result: Result, claim: Claim) -> Settlement:
    completed = result.state is RunState.COMPLETED
    waits = result.state is RunState.WAITING and claim.source.endswith(".ipynb")
    return Settlement(
        result.state,
        reason=PARKED if waits else _REASONS.get(result.state, ""),
        error=result.error,
        outputs=dict(result.refs) if completed else {},
        due=result.due,
        seen=result.answers,
    )


def _over_limit(claim: Claim) -> str:
    return f"The run took longer than its limit of {claim.timeout:g} s."


def _timed_out(claim: Claim) -> Settlement:
    message = _over_limit(claim)
    error = ErrorInfo(code="run-timeout", message=message)
    return Settlement(RunState.FAILED, reason=message, error=error)


class _Watch:
    """Waits for the end of an execution and passes on what is asked of it meanwhile."""

    def __init__(
        self, handle: Handle, claim: Claim, coordinator: Coordinator, clock: Clock, stop: Stop
    ) -> None:
        self._handle = handle
        self._claim = claim
        self._coordinator = coordinator
        self._clock = clock
        self._stop = stop
        left = inf if claim.timeout is None else claim.timeout - claim.elapsed
        self._deadline = clock.monotonic() + left
        #: When steps that have not ended are left behind, in monotonic seconds.
        self._patience_ends = inf
        self.timed_out = False

    def until_end(self) -> Result:
        """Return how the execution ended.

        Raises:
            StaleFenceError: Another worker holds the run.
        """
        while not self._handle.done:
            try:
                return self._handle.wait(_LOOK_EVERY)
            except TimeoutError:
                self._look()
        return self._handle.wait()

    def _look(self) -> None:
        now = self._clock.monotonic()
        if self._patience_ends < inf:
            if now >= self._patience_ends:
                self._handle.cancel()
        elif self._stop.now:
            self._patience_ends = now + _OBEY_WITHIN
            self._handle.give_back()
        elif now >= self._deadline:
            self.timed_out = True
            self._patience_ends = now + _OBEY_WITHIN
            self._handle.cancel(_over_limit(self._claim))
        elif self._coordinator.changed():
            if self._coordinator.cancel_requested(self._claim.run_id):
                self._patience_ends = now + _OBEY_WITHIN
                self._handle.cancel()
            else:
                self._handle.look()
