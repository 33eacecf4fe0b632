"""The coordinator: the one door through which a worker takes runs and reports on them.

A local store, an HTTP server and a fleet dispatcher are interchangeable behind it; every
implementation passes the same contract suite (`tests/contract`). Every call that writes names the
run's fence and is refused with `StaleFenceError` once another claim has been made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from iaiflow_lab.engine.ports import Artifacts, OutcomeCache
from iaiflow_lab.model.budget import RunBudget
from iaiflow_lab.model.event import (
    ErrorInfo,
    Event,
    OutputRef,
    StepFinished,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
)
from iaiflow_lab.model.run import RunState


class Claim(msgspec.Struct, frozen=True):
    """A run that a worker holds, with all that it needs to execute it."""

    run_id: str
    #: Rises with every claim; named in every later write.
    fence: int
    #: Rises only after a crash, from 1.
    attempt: int
    project: str
    #: `NAME.flow.json` or `NAME.ipynb`, relative to the workspace; "" for a flow without a file.
    source: str
    #: The flow's definition, as in a flow file.
    definition: dict[str, Any]
    #: Version hash of the definition.
    version: str
    #: Values of the flow's parameters.
    inputs: dict[str, Any]
    #: Settled steps of earlier claims, to be kept.
    steps: list[StepFinished]
    #: Recorded sub-steps of earlier claims.
    substeps: list[SubstepRecorded]
    #: Settled steps of the run that this one retries; they are replayed.
    replay: list[StepFinished]
    #: Absolute folder of the workspace.
    workspace: str
    #: Absolute folder of the run's own files.
    run_dir: str
    #: Calls already made of steps that are between two attempts, by path.
    attempts: dict[str, int] = {}
    #: When these are called again, in seconds since the Unix epoch.
    due: dict[str, float] = {}
    #: What its steps wait for.
    waits: list[StepWaiting] = []
    #: How the waits that have ended did.
    answers: list[WaitAnswered] = []
    #: Whether outputs may come from the cache.
    use_cache: bool = False
    #: Longest time in which the run may be executed, all its claims together, in seconds.
    timeout: float | None = None
    #: Seconds in which earlier claims executed it: not queued, waiting or backing off without a
    #: worker; 0 where there is no limit.
    elapsed: float = 0.0
    #: What models may take in all of it, all its claims together; None: no limit.
    budget: RunBudget | None = None


class SecretValue(msgspec.Struct, frozen=True):
    """A secret of a run's project."""

    value: str
    #: Rises each time when it is set.
    version: int

    def __repr__(self) -> str:
        """Show no value."""
        return f"SecretValue(version={self.version})"


class Settlement(msgspec.Struct, frozen=True):
    """How a held run ended, or where it goes next."""

    #: completed, failed, cancelled, or queued/retrying/waiting (given back).
    state: RunState
    reason: str = ""
    error: ErrorInfo | None = None
    #: Named results of a completed run.
    outputs: dict[str, OutputRef] = {}
    #: For retrying and waiting: when the first backoff is over, in seconds since the Unix epoch.
    due: float | None = None
    #: For waiting: how many answers were seen; when there are more, the run is queued at once.
    seen: int = 0


class Pulse(msgspec.Struct, frozen=True):
    """The answer to a heartbeat."""

    #: Runs of this owner whose cancellation was asked for.
    cancel: list[str]
    #: Runs that this owner no longer holds.
    lost: list[str]


class Coordinator(Protocol):
    """All that a worker, or the supervisor on its behalf, may ask."""

    #: Bytes by content hash, shared with the other workers.
    artifacts: Artifacts
    #: Outputs of earlier steps.
    cache: OutcomeCache

    def claim(self, owner: str, queues: Sequence[str], run_id: str = "") -> Claim | None:
        """Take the next due run of `queues` (or exactly `run_id`) for `owner`; None: none is due.

        One transaction: picks by priority, due time and id, checks concurrency limits, raises the
        fence, and appends the event.
        """
        ...

    def changed(self) -> bool:
        """Say, cheaply and without a lock, whether anything was committed since the last call."""
        ...

    def start(self, run_id: str, fence: int) -> None:
        """Note that the run is being executed (claimed -> running)."""
        ...

    def append(self, run_id: str, fence: int, events: Sequence[Event]) -> None:
        """Record events in order, all or none; settled steps become part of the run's record."""
        ...

    def answers(self, run_id: str, fence: int) -> list[WaitAnswered]:
        """End the run's waits whose moment has come, and return how all that have ended did."""
        ...

    def secret(self, run_id: str, fence: int, name: str) -> SecretValue:
        """Return a secret of the run's project, to whoever holds the run."""
        ...

    def settle(self, run_id: str, fence: int, settlement: Settlement) -> None:
        """End the run, or give it back, and forget the owner.

        One that is to wait goes back into its queue at once when an answer is there that the
        worker has not seen, or a moment has come; else it waits for the first of both.
        """
        ...

    def beat(self, owner: str) -> Pulse:
        """Prolong the leases of all runs that `owner` holds."""
        ...

    def release(self, owner: str, reason: str) -> list[str]:
        """Free the runs of an owner that has died; returns their ids.

        Each goes back to the queue with the next attempt, or ends: failed when its attempts are
        exhausted, cancelled when that was asked for, failed with `kernel-lost` when it was
        interactive.
        """
        ...

    def sweep(self) -> list[str]:
        """Do the same for every run whose lease has passed; returns their ids."""
        ...

    def cancel_requested(self, run_id: str) -> bool:
        """Say whether somebody asked for the run's cancellation."""
        ...

    def limits(self) -> Mapping[str, int]:
        """Return the concurrency limits in force, by `queue:NAME` and `flow:PATH`."""
        ...
