"""What happens to runs whose owner has gone, and to those whose moment has come."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from iaiflow_lab.model.event import ErrorInfo
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue.enqueue import PRIVATE
from iaiflow_lab.queue.owner import is_dead
from iaiflow_lab.queue.transition import Head, change, read_head
from iaiflow_lab.store import waits
from iaiflow_lab.store.database import Reader, Row, Transaction

_ENDED: Final = "its process ended"
#: How the reason starts for which a run gets another attempt.
LOST: Final = "The worker was lost"


def find_lost(reader: Reader, boot: str, monotonic: float) -> dict[str, str]:
    """Look for runs whose lease has passed or whose owner has died, held or waiting for it alone.

    Args:
        reader: An open snapshot or transaction.
        boot: The machine's present boot.
        monotonic: Seconds since that boot.

    Returns:
        The reason by run id.
    """
    lost: dict[str, str] = {}
    for row in reader.all("held"):
        reason = _why_lost(row, boot, monotonic)
        if reason:
            lost[row["id"]] = reason
    for row in reader.all("private_queues"):
        if is_dead(row["queue"].removeprefix(PRIVATE)):
            lost |= {run["id"]: _ENDED for run in reader.all("queued_in", (row["queue"],))}
    return lost


def _why_lost(row: Row, boot: str, monotonic: float) -> str:
    if row["lease_boot"] != boot:
        return "the machine was restarted"
    if is_dead(row["owner"]):
        return _ENDED
    if row["lease_until"] is not None and row["lease_until"] < monotonic:
        return "its worker was silent for too long"
    return ""


def free(tx: Transaction, head: Head, now: float, reason: str) -> Head:
    """Take a run from an owner that has gone: back to its queue, or to its end."""
    head = replace(head, lost_by=head.owner)
    if head.cancel_requested:
        return change(tx, head, RunState.CANCELLED, now, reason=f"Cancelled; {reason}.")
    if head.queue.startswith(PRIVATE):
        return _fail(tx, head, now, "kernel-lost", f"The kernel was lost: {reason}.")
    if head.attempt >= head.max_attempts:
        what = f"The run crashed {head.attempt} times; the last time {reason}."
        return _fail(tx, head, now, "crashed", what)
    again = replace(head, attempt=head.attempt + 1)
    return change(tx, again, RunState.QUEUED, now, reason=f"{LOST}: {reason}.")


def bury(tx: Transaction, head: Head, now: float, reason: str) -> Head:
    """Free a run that `find_lost` found; one that still waits is claimed in its kernel's name."""
    if head.state is RunState.QUEUED:
        owner = head.queue.removeprefix(PRIVATE)
        claimed = replace(head, fence=head.fence + 1, owner=owner)
        head = change(tx, claimed, RunState.CLAIMED, now)
    return free(tx, head, now, reason)


def wake_due(tx: Transaction, now: float) -> list[str]:
    """Note which runs are due by now; those that wait for such a moment go back into their queues.

    Returns:
        The ids of the latter.
    """
    tx.run("ready", (now,))
    due = [row["id"] for row in tx.all("resting_due", (now,))]
    for run_id in due:
        waits.end_due(tx, run_id, now)
        head = read_head(tx, run_id)
        is_backoff = head.state is RunState.RETRYING
        wake(tx, head, now, "The backoff is over." if is_backoff else "The moment has come.")
    return due


def wake(tx: Transaction, head: Head, now: float, reason: str) -> Head:
    """Put a run that waits back into its queue."""
    awake = replace(head, run_at=min(head.run_at, now), ready=True)
    return change(tx, awake, RunState.QUEUED, now, reason=reason)


def _fail(tx: Transaction, head: Head, now: float, code: str, message: str) -> Head:
    error = ErrorInfo(code=code, message=message)
    return change(tx, head, RunState.FAILED, now, reason=message, error=error)
