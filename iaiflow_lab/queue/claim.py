"""Taking the next due run: one transaction that checks limits and raises the fence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import msgspec
from msgspec.structs import replace

from iaiflow_lab.model import json_value
from iaiflow_lab.model.event import (
    RunChanged,
    StepFinished,
    StepRetrying,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
    decode,
)
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.enqueue import PRIVATE
from iaiflow_lab.queue.protocol import Claim
from iaiflow_lab.queue.rescue import LOST, wake_due
from iaiflow_lab.queue.transition import Head, change, read_head
from iaiflow_lab.store import waits
from iaiflow_lab.store.database import Row, Transaction
from iaiflow_lab.store.journal import outcomes, substeps
from iaiflow_lab.store.store import Store


@dataclass(frozen=True, slots=True)
class Lease:
    """For whom, and until when, a run is taken."""

    owner: str
    #: The boot that `until` counts from.
    boot: str
    #: Monotonic seconds.
    until: float


def claim(store: Store, lease: Lease, queues: Sequence[str], run_id: str) -> Claim | None:
    """Take the next due run of `queues`, or exactly `run_id`; None: there is none to take."""
    faults = store.world.faults
    with store.db.write(partial(faults.reach, "claim.before_commit")) as tx:
        now = store.world.clock.now()
        wake_due(tx, now)
        head = _choose(tx, queues, run_id, lease.owner)
        if head is None:
            return None
        taken = replace(
            head,
            fence=head.fence + 1,
            owner=lease.owner,
            lease_boot=lease.boot,
            lease_until=lease.until,
        )
        change(tx, taken, RunState.CLAIMED, now)
        found = _read(tx, taken)
    faults.reach("claim.after_commit")
    return _claim(store, taken, found)


def _choose(tx: Transaction, queues: Sequence[str], run_id: str, owner: str) -> Head | None:
    full = {(row["kind"], row["subject"]) for row in tx.all("limits_full")}
    if run_id:
        return _exactly(tx, run_id, owner, full)
    open_queues = [queue for queue in queues if ("queue", queue) not in full]
    full_flows = [subject for kind, subject in full if kind == "flow"]
    wanted = {"queues": _json(open_queues), "full_flows": _json(full_flows)}
    row = tx.one("claim_next", wanted)
    return None if row is None else read_head(tx, row["id"])


def _exactly(tx: Transaction, run_id: str, owner: str, full: set[tuple[str, str]]) -> Head | None:
    """Return the head of `run_id` when `owner` may take it now; limits spare a kernel's own."""
    head = read_head(tx, run_id)
    if head.state is not RunState.QUEUED or not head.ready:
        return None
    if head.queue.startswith(PRIVATE):
        return head if head.queue == PRIVATE + owner else None
    is_full = ("queue", head.queue) in full or ("flow", head.flow) in full
    goes_after = tx.one("run_goes_after", {"id": run_id}) is not None
    return None if is_full or goes_after else head


@dataclass(frozen=True, slots=True)
class _Found:
    body: Row
    steps: list[StepFinished]
    substeps: list[SubstepRecorded]
    attempts: dict[str, int]
    due: dict[str, float]
    replay: list[StepFinished]
    waits: list[StepWaiting]
    answers: list[WaitAnswered]
    #: Seconds in which earlier claims executed the run; reckoned where it has a limit.
    executed: float


def _read(tx: Transaction, head: Head) -> _Found:
    body = tx.one("claim_body", (head.id,))
    assert body is not None
    first = head.fence == 1  # never held before: nothing can be recorded
    attempts = {} if first else _attempts(tx, head.id)
    return _Found(
        body=body,
        steps=[] if first else outcomes(tx, head.id),
        substeps=[] if first else substeps(tx, head.id),
        attempts=attempts,
        due=_due(tx, head.id) if attempts else {},
        replay=_replay(tx, body["retry_of"], body["rerun"]) if body["retry_of"] else [],
        waits=[] if first else waits.open_waits(tx, head.id),
        answers=[] if first else waits.answers(tx, head.id),
        executed=0.0 if first or body["timeout"] is None else _executed(tx, head.id),
    )


def _executed(tx: Transaction, run_id: str) -> float:
    """Return how long a run was executed, in seconds: not queued, waiting or backing off."""
    rows = tx.all("events_of_kind", (run_id, RunChanged.__struct_config__.tag, 0, -1))
    found = ((row["seq"], decode(row["body"])) for row in rows)
    changes = [(seq, event) for seq, event in found if isinstance(event, RunChanged)]
    return sum(
        max(0.0, _left_at(tx, run_id, seq, after) - before.at)
        for (_, before), (seq, after) in pairwise(changes)
        if before.state is RunState.RUNNING
    )


def _left_at(tx: Transaction, run_id: str, seq: int, change: RunChanged) -> float:
    """Return when an execution ended; of a worker that was lost only its last event is known."""
    if not change.reason.startswith(LOST):
        return change.at
    last = tx.one("event_at", (run_id, seq - 1))
    return change.at if last is None else last["at"]


def _attempts(tx: Transaction, run_id: str) -> dict[str, int]:
    return {row["step"]: row["attempt"] for row in tx.all("attempts", (run_id,))}


def _due(tx: Transaction, run_id: str) -> dict[str, float]:
    """Return until when each step was last told to wait."""
    rows = tx.all("events_of_kind", (run_id, StepRetrying.__struct_config__.tag, 0, -1))
    events = [decode(row["body"]) for row in rows]
    return {event.step: event.due for event in events if isinstance(event, StepRetrying)}


def _replay(tx: Transaction, retry_of: str, rerun: str | None) -> list[StepFinished]:
    again = set(msgspec.json.decode(rerun or "[]"))
    return [
        step
        for step in outcomes(tx, retry_of)
        if step.state is StepState.COMPLETED and node_of(step.step) not in again
    ]


def node_of(step: str) -> str:
    """Return the node of the run's own flow that a step path lies under."""
    return re.split(r"[/\[]", step, maxsplit=1)[0]


def _claim(store: Store, head: Head, found: _Found) -> Claim:
    body = found.body
    return Claim(
        run_id=head.id,
        fence=head.fence,
        attempt=head.attempt,
        project=body["project"],
        source=body["source"],
        definition=msgspec.json.decode(body["definition"]),
        version=body["version"],
        inputs=msgspec.json.decode(body["inputs"]),
        steps=found.steps,
        substeps=found.substeps,
        replay=found.replay,
        workspace=store.workspace_text,
        run_dir=f"{store.runs_text}/{head.id}",
        attempts=found.attempts,
        due=found.due,
        waits=found.waits,
        answers=found.answers,
        use_cache=bool(body["use_cache"]),
        timeout=body["timeout"],
        elapsed=found.executed,
        budget=None if body["budget"] is None else msgspec.json.decode(body["budget"]),
    )


def _json(value: Any) -> str:
    return json_value.encode(value).decode()
