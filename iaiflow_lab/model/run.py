"""The life of a run and of a step: states, and the one table of allowed changes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from iaiflow_lab.errors import ConflictError


class RunState(StrEnum):
    """Where a run is in its life."""

    #: Written down, still editable, not in the queue.
    DRAFT = "draft"
    #: Waits for a worker, perhaps until a later moment.
    QUEUED = "queued"
    #: A worker holds it and has not started it.
    CLAIMED = "claimed"
    #: A worker executes it.
    RUNNING = "running"
    #: Nothing in it can go on before a signal or a moment; no worker is held.
    WAITING = "waiting"
    #: A backoff is not due yet; no worker is held.
    RETRYING = "retrying"
    #: Ended: every node that had to run did.
    COMPLETED = "completed"
    #: Ended with an error.
    FAILED = "failed"
    #: Ended because somebody asked for it.
    CANCELLED = "cancelled"


_S = RunState

#: Every allowed change of state. Nothing else may happen to a run.
TRANSITIONS: Final[dict[RunState, frozenset[RunState]]] = {
    _S.DRAFT: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.QUEUED: frozenset({_S.CLAIMED, _S.CANCELLED}),
    _S.CLAIMED: frozenset({_S.RUNNING, _S.QUEUED, _S.FAILED, _S.CANCELLED}),
    _S.RUNNING: frozenset(
        {_S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.WAITING, _S.RETRYING, _S.QUEUED}
    ),
    _S.WAITING: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.RETRYING: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}

#: States that a run never leaves.
TERMINAL: Final = frozenset(state for state, following in TRANSITIONS.items() if not following)
#: States in which a worker holds the run under a fence.
HELD: Final = frozenset({_S.CLAIMED, _S.RUNNING})


def check_transition(old: RunState, new: RunState, run_id: str) -> None:
    """Refuse a change of state that is not in the table.

    Raises:
        ConflictError: The run cannot go from `old` to `new`.
    """
    if new not in TRANSITIONS[old]:
        raise ConflictError(f"Run {run_id} is {old}; it cannot become {new}.", code="wrong-state")


class WaitKind(StrEnum):
    """What a step waits for."""

    #: Some time.
    DELAY = "delay"
    #: A moment.
    UNTIL = "until"
    #: Somebody who approves or refuses.
    APPROVAL = "approval"
    #: A message with a name.
    SIGNAL = "signal"
    #: A request from outside, which brings a message with a name.
    WEBHOOK = "webhook"


#: Kinds that end when their moment comes, and not otherwise.
TIMED: Final = frozenset({WaitKind.DELAY, WaitKind.UNTIL})
#: Kinds that a signal ends.
NAMED: Final = frozenset({WaitKind.SIGNAL, WaitKind.WEBHOOK})


class WaitOutcome(StrEnum):
    """How a wait ended."""

    #: The moment that was waited for has come.
    DUE = "due"
    #: No answer came in time.
    TIMED_OUT = "timed-out"
    #: A signal came.
    ANSWERED = "answered"
    #: Somebody approved.
    APPROVED = "approved"
    #: Somebody refused.
    REFUSED = "refused"


class StepState(StrEnum):
    """Where one step of a run is in its life."""

    #: Its inputs are not all there yet.
    PENDING = "pending"
    #: It is being executed.
    RUNNING = "running"
    #: It failed and will be called again.
    RETRYING = "retrying"
    #: It can't go on before a moment has come or an answer is there.
    WAITING = "waiting"
    #: It has outputs.
    COMPLETED = "completed"
    #: It raised, and no attempt is left.
    FAILED = "failed"
    #: It was not executed, because a branch was not taken or `skip_if` held.
    SKIPPED = "skipped"
    #: The run was cancelled before it ended.
    CANCELLED = "cancelled"


#: States in which a step's outcome is recorded, once.
SETTLED: Final = frozenset(
    {StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED, StepState.CANCELLED}
)
