"""Writing runs down, and taking them back."""

from __future__ import annotations

from dataclasses import dataclass, fields

from msgspec.structs import replace

from iaiflow_lab.errors import ConflictError
from iaiflow_lab.model.event import RunChanged, encode
from iaiflow_lab.model.run import HELD, TERMINAL, RunState
from iaiflow_lab.queue.transition import Head, change, read_head
from iaiflow_lab.store.database import Transaction
from iaiflow_lab.world import World

#: The queue of runs that name none.
DEFAULT_QUEUE = "default"
#: Start of the names of queues that one kernel alone takes from; the owner's name follows.
PRIVATE = "kernel:"


@dataclass(frozen=True, slots=True)
class Request:
    """A run that somebody asks for."""

    project: str
    #: The flow's path in the project, or the name of an unsaved flow.
    flow: str
    #: The file; "" for an unsaved flow.
    source: str
    #: A version that is stored in the project.
    version: str
    #: Values of the flow's parameters, as JSON.
    inputs: str
    queue: str
    #: The lowest goes first.
    priority: int
    #: Not before this moment, in seconds since the Unix epoch.
    run_at: float
    max_attempts: int
    use_cache: bool = False
    #: Longest time for the whole run, in seconds.
    timeout: float | None = None
    #: What its models may take, as JSON of a `RunBudget`; None: no limit.
    budget: str | None = None
    #: At most one run of the project is made for each key.
    idempotency_key: str | None = None
    #: Hash of what was asked for; tells a repeated request from another one.
    request: str = ""
    #: The run whose completed steps are replayed.
    retry_of: str | None = None
    #: Nodes of that run that are not replayed, as a JSON list.
    rerun: str | None = None
    #: The schedule that makes it.
    schedule_id: str | None = None
    #: For which moment of the schedule; None: by hand.
    due_at: float | None = None
    #: Runs of the same name go one after another; "": it waits for none.
    serial: str = ""


def put(
    tx: Transaction, world: World, request: Request, *, draft: bool = False, reason: str = ""
) -> str:
    """Write a run down, in the queue or as a draft; the same key and request give the same run.

    Args:
        tx: An open transaction.
        world: Gives the time and the run's id.
        request: What is asked for.
        draft: Whether it stays out of the queue.
        reason: Why it is queued, where nobody asked in person.

    Returns:
        The run's id.

    Raises:
        ConflictError: The idempotency key was used for another request.
    """
    if request.idempotency_key is not None:
        known = tx.one("run_by_key", (request.project, request.idempotency_key))
        if known is not None:
            if known["request"] != request.request:
                raise ConflictError(
                    f"The idempotency key {request.idempotency_key!r} was used for another "
                    f"request: same key, different request.",
                    where=f"run {known['id']}",
                    remedy="Use a new key",
                    code="idempotency-conflict",
                )
            return known["id"]
    run_id, now = world.ids.new("run"), world.clock.now()
    given = {field.name: getattr(request, field.name) for field in fields(request)}
    ready = request.run_at <= now
    tx.run("run_put", given | {"id": run_id, "created_at": now, "ready": ready})
    if draft:
        _note_draft(tx, run_id, now)
    else:
        change(tx, read_head(tx, run_id), RunState.QUEUED, now, reason=reason)
    return run_id


def _note_draft(tx: Transaction, run_id: str, now: float) -> None:
    event = RunChanged(at=now, state=RunState.DRAFT)
    tx.run("run_first_event", (run_id,))
    tx.run("event_put", (run_id, 1, now, "run", encode(event).decode()))


def queue_draft(tx: Transaction, world: World, run_id: str) -> Head:
    """Put a draft into its queue.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: It is no draft.
    """
    head = read_head(tx, run_id)
    if head.state is not RunState.DRAFT:
        raise ConflictError(f"Run {run_id} is {head.state}; it is no draft.", code="wrong-state")
    now = world.clock.now()
    due = max(head.run_at, now)
    return change(tx, replace(head, run_at=due, ready=due <= now), RunState.QUEUED, now)


def cancel(tx: Transaction, world: World, run_id: str, reason: str) -> RunState:
    """Cancel a run: at once when nobody executes it, else by asking whoever does.

    Returns:
        The run's state now; `running` means that its worker was asked to end it.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: It has ended already, otherwise than by cancellation.
    """
    head = read_head(tx, run_id)
    if head.state is RunState.CANCELLED:
        return head.state
    if head.state in TERMINAL:
        raise ConflictError(f"Run {run_id} is {head.state} already.", code="wrong-state")
    if head.state in HELD:
        tx.run("run_ask_cancel", (run_id,))
    if head.state is RunState.RUNNING:
        return head.state
    return change(tx, head, RunState.CANCELLED, world.clock.now(), reason=reason).state
