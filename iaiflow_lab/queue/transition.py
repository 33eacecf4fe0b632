"""The one place where a run changes its state: the table is checked and the event is written."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iaiflow_lab.errors import NotFoundError, StaleFenceError
from iaiflow_lab.model import json_value
from iaiflow_lab.model.event import ErrorInfo, OutputRef, RunChanged, encode
from iaiflow_lab.model.run import HELD, TERMINAL, RunState, check_transition
from iaiflow_lab.store.database import Reader, Transaction

#: States in which steps may be left behind that nobody executes any more.
_LEAVING: Final = frozenset({RunState.QUEUED, RunState.FAILED, RunState.CANCELLED})
#: States of which people may want to be told.
_TOLD: Final = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.WAITING})


class Head(msgspec.Struct, frozen=True):
    """What decides about a run's next state."""

    id: str
    state: RunState
    flow: str
    queue: str
    #: Rises with every claim.
    fence: int
    #: Rises only after a crash.
    attempt: int
    max_attempts: int
    #: Number of its last event.
    seq: int
    #: Who holds it; "" when nobody does.
    owner: str
    #: The boot that `lease_until` counts from.
    lease_boot: str
    #: Monotonic seconds; None when nobody holds it.
    lease_until: float | None
    #: The owner that it was taken from last; "" when that never happened.
    lost_by: str
    #: When it is due, in seconds since the Unix epoch.
    run_at: float
    #: Whether that moment has come.
    ready: bool
    cancel_requested: bool
    started_at: float | None


def read_head(tx: Reader, run_id: str) -> Head:
    """Return the head of a run.

    Raises:
        NotFoundError: There is no such run.
    """
    row = tx.one("run_head", (run_id,))
    if row is None:
        raise NotFoundError(f"There is no run {run_id!r}.", remedy="`iaiflow runs ls` lists them")
    return msgspec.convert(dict(row), Head, strict=False)


def read_held(tx: Reader, run_id: str, fence: int) -> Head:
    """Return the head of a run that is held under `fence`.

    Raises:
        StaleFenceError: It is held under another fence, or by nobody.
    """
    head = read_head(tx, run_id)
    if head.fence != fence or head.state not in HELD:
        raise StaleFenceError(
            f"Run {run_id} is no longer held under fence {fence}; what was written is refused."
        )
    return head


def change(
    tx: Transaction,
    head: Head,
    state: RunState,
    at: float,
    *,
    reason: str = "",
    error: ErrorInfo | None = None,
    outputs: dict[str, OutputRef] | None = None,
) -> Head:
    """Move a run to `state` and write the event; whoever gives a run away forgets its owner.

    Args:
        tx: An open transaction.
        head: The run as read in this transaction; other fields may have been replaced.
        state: Where it goes.
        at: The time, in seconds since the Unix epoch.
        reason: Why, in one sentence.
        error: What ended it.
        outputs: Named results of a completed run.

    Returns:
        The run's new head.

    Raises:
        ConflictError: The table does not allow this change.
    """
    check_transition(head.state, state, head.id)
    held = state in HELD
    starts = state is RunState.RUNNING and head.started_at is None
    head = replace(
        head,
        state=state,
        seq=head.seq + 1,
        owner=head.owner if held else "",
        lease_boot=head.lease_boot if held else "",
        lease_until=head.lease_until if held else None,
        started_at=at if starts else head.started_at,
    )
    event = RunChanged(at=at, state=state, reason=reason, error=error, outputs=outputs or {})
    tx.run("run_change", _row(head, event))
    tx.run("event_put", (head.id, head.seq, at, "run", encode(event).decode()))
    if head.started_at is not None and state in _LEAVING:
        tx.run("steps_left", {"id": head.id, "ended": state in TERMINAL})
    if state in TERMINAL:
        tx.run("waits_left", (at, head.id))
    elif state is RunState.WAITING:
        tx.run("steps_parked", (head.id,))
    if state in _TOLD:
        tx.run("notifications_note", {"run_id": head.id, "event": state.value, "now": at})
    return head


def _row(head: Head, event: RunChanged) -> dict[str, Any]:
    return {
        "id": head.id,
        "state": head.state.value,
        "reason": event.reason,
        "error": None if event.error is None else _text(event.error),
        "outputs": _text(event.outputs) if event.outputs else None,
        "fence": head.fence,
        "attempt": head.attempt,
        "seq": head.seq,
        "owner": head.owner,
        "lease_boot": head.lease_boot,
        "lease_until": head.lease_until,
        "lost_by": head.lost_by,
        "run_at": head.run_at,
        "ready": head.ready,
        "started_at": head.started_at,
        "ended_at": event.at if head.state in TERMINAL else None,
    }


def _text(value: Any) -> str:
    return json_value.encode(value).decode()
