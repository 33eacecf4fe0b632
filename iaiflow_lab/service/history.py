"""What runs did: lists, one run with its steps, its events as they come, its logs and files."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import InputError, NotFoundError, StoreError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.budget import RunBudget
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import TERMINAL, RunState, StepState
from iaiflow_lab.queue.rescue import LOST
from iaiflow_lab.service import targets
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.written import written
from iaiflow_lab.store import journal
from iaiflow_lab.store.database import Reader, Row
from iaiflow_lab.store.waits import Wait, read_wait

#: Pause between two looks for news, and between two looks for lost owners, in seconds.
_LOOK_EVERY: Final = 0.01
_SWEEP_EVERY: Final = 1.0
#: Longest page of a list.
_MOST: Final = 10_000
#: How many first characters of an id name a run, at least.
_SHORTEST_ID: Final = 8
_MAY_WAIT: Final = frozenset({RunState.WAITING, RunState.RUNNING})

_error = msgspec.json.Decoder(ev.ErrorInfo)
_outputs = msgspec.json.Decoder(dict[str, ev.OutputRef])
_outcome = msgspec.json.Decoder(ev.StepFinished)


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a run, as people see it. Times are seconds since the Unix epoch."""

    #: Its path: `fetch`, `each[3]/clean`.
    step: str
    node: str
    type: str
    state: StepState
    attempt: int
    #: Where its outcome came from: executed, cache, pin, replay; None before it has one.
    source: str | None
    started_at: float | None
    ended_at: float | None
    duration_s: float | None
    queue_wait_s: float | None
    cpu_s: float | None
    peak_rss: int | None
    rows: int | None
    bytes: int | None
    #: Items that it was expanded into; None when it was not.
    items: int | None
    #: Why it was skipped; "" when it was not.
    reason: str
    error: ev.ErrorInfo | None
    outputs: Mapping[str, ev.OutputRef]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a list. Times are seconds since the Unix epoch."""

    id: str
    flow: str
    version: str
    state: RunState
    #: Why it is in this state; "" when it needs no reason.
    reason: str
    #: Rises only after a crash, from 1.
    attempt: int
    queue: str
    priority: int
    #: What the models that it asks may take together; None: no limit.
    budget: RunBudget | None
    #: When it is or was due.
    run_at: float
    created_at: float
    started_at: float | None
    ended_at: float | None
    #: From its first start to its end, or until now.
    duration_s: float | None
    #: Whether its worker was asked to end it.
    cancel_requested: bool
    #: The run that it repeats; None when it repeats none.
    retry_of: str | None
    error: ev.ErrorInfo | None
    #: What its steps wait for; of a single run, what they waited for as well.
    waits: Sequence[Wait]


@dataclass(frozen=True, slots=True)
class RunView(RunSummary):
    """One run with its steps."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, ev.OutputRef]
    #: What its model calls used; None when it made none.
    tokens: int | None
    #: In US dollars; None when nothing was charged.
    cost: float | None
    #: Why there is an attempt after the first; "" while there is none.
    attempt_reason: str
    #: In the order in which they started.
    steps: Sequence[StepView]


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that a run made for people."""

    step: str
    name: str
    #: SHA-256 in hex; `store.artifacts` has the bytes.
    artifact: str
    size: int
    media_type: str
    #: Where the bytes are; None when they are gone.
    path: Path | None


def get(session: Session, run_id: str) -> RunView:
    """Return a run with its steps.

    Args:
        session: An open workspace.
        run_id: The run's id, or its first characters (8 at least).

    Raises:
        NotFoundError: There is no such run.
        InputError: Several runs start like this.
    """
    _sweep(session)
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        costs = {cost["name"]: cost["total"] for cost in reader.all("run_costs", (row["id"],))}
        steps = [_step(step) for step in reader.all("steps_of", (row["id"],))]
        attempt_reason = _attempt_reason(reader, row)
        waits = [read_wait(wait) for wait in reader.all("waits_of", (row["id"],))]
    return RunView(
        **_summary_fields(session, row),
        waits=waits,
        inputs=msgspec.json.decode(row["inputs"]),
        outputs=_outputs.decode(row["outputs"]) if row["outputs"] else {},
        tokens=None if "tokens" not in costs else int(costs["tokens"]),
        cost=costs.get("cost"),
        attempt_reason=attempt_reason,
        steps=steps,
    )


def definition(session: Session, run_id: str) -> Flow:
    """Return the flow that a run pins.

    Raises:
        NotFoundError: There is no such run.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        return targets.stored(reader, session, row["version"])


def list_runs(
    session: Session,
    *,
    states: Sequence[RunState] = (),
    flow: str | None = None,
    queue: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[RunSummary]:
    """Return runs, the newest first.

    Args:
        session: An open workspace.
        states: Only runs in one of these states; empty: all.
        flow: Only runs of this flow or notebook, by path.
        queue: Only runs of this queue.
        before: The next page: the id of the last run of the page before.
        limit: How many, 1 to 10,000.

    Raises:
        InputError: `limit` is out of range.
    """
    if not 1 <= limit <= _MOST:
        raise InputError(f"limit = {limit} is out of range.", remedy=f"Use 1 to {_MOST}")
    _sweep(session)
    wanted = {
        "project": session.project,
        "before": "\uffff" if before is None else before,
        "states": msgspec.json.encode(states).decode() if states else None,
        "flow": flow,
        "queue": queue,
        "limit": limit,
    }
    with session.store.db.read() as reader:
        return summaries(reader, session, reader.all("runs_list", wanted))


def summaries(reader: Reader, session: Session, rows: Sequence[Row]) -> list[RunSummary]:
    """Return rows of the table `runs` as people see them in a list."""
    waits = _open_waits(reader, rows)
    return [
        RunSummary(**_summary_fields(session, row), waits=waits.get(row["id"], [])) for row in rows
    ]


def _open_waits(reader: Reader, rows: Sequence[Row]) -> dict[str, list[Wait]]:
    """Return what the runs that wait or go on wait for, by their ids."""
    ids = [row["id"] for row in rows if row["state"] in _MAY_WAIT]
    found: dict[str, list[Wait]] = {}
    for row in reader.all("waits_open_in", (msgspec.json.encode(ids).decode(),)) if ids else []:
        found.setdefault(row["run_id"], []).append(read_wait(row))
    return found


def events(
    session: Session, run_id: str, after: int = 0, limit: int = _MOST
) -> list[tuple[int, ev.AnyEvent]]:
    """Return a run's events whose numbers are above `after`, each with its number.

    Raises:
        NotFoundError: There is no such run.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        return journal.events_after(reader, row["id"], after, limit)


def spans(session: Session, run_id: str) -> Iterator[tuple[int, ev.StepSpan]]:
    """Yield the stretches of time that a run's steps named, each with its event's number.

    Args:
        session: An open workspace.
        run_id: The run's whole id.
    """
    for seq, body in _bodies(session, run_id, "step_span"):
        yield seq, _span(body)


def substeps(session: Session, run_id: str) -> Iterator[ev.SubstepRecorded]:
    """Yield what a run's steps recorded beside their outcomes, in its order.

    Args:
        session: An open workspace.
        run_id: The run's whole id.
    """
    for _, body in _bodies(session, run_id, "substep"):
        yield _substep(body)


def _bodies(session: Session, run_id: str, kind: str) -> Iterator[tuple[int, str]]:
    after, page = 0, [None] * _MOST
    while len(page) == _MOST:
        with session.store.db.read() as reader:
            page = reader.all("events_of_kind", (run_id, kind, after, _MOST))
        for row in page:
            after = row["seq"]
            yield after, row["body"]


_span = msgspec.json.Decoder(ev.StepSpan).decode
_substep = msgspec.json.Decoder(ev.SubstepRecorded).decode


def follow(session: Session, run_id: str, after: int = 0) -> Generator[tuple[int, ev.AnyEvent]]:
    """Yield a run's events as they are recorded, until it has ended and all were yielded.

    Args:
        session: An open workspace.
        run_id: The run.
        after: The number of the last event that is known already.

    Raises:
        NotFoundError: There is no such run.
    """
    clock = session.world.clock
    watch = session.store.db.watch()
    try:
        swept_at = clock.monotonic()
        while True:
            watch.changed()  # before the look: what is committed during it is news again
            with session.store.db.read() as reader:
                row = find_row(reader, session, run_id)
                found = journal.events_after(reader, row["id"], after)
            yield from found
            after = found[-1][0] if found else after
            if row["state"] in TERMINAL and after >= row["seq"]:
                return
            while after >= row["seq"] and not watch.changed():
                clock.sleep(_LOOK_EVERY)
                if clock.monotonic() - swept_at >= _SWEEP_EVERY:
                    session.coordinator.sweep()
                    swept_at = clock.monotonic()
    finally:
        watch.close()


def logs(
    session: Session, run_id: str, step: str = "", after: int = 0
) -> list[tuple[int, ev.StepLog]]:
    """Return the texts that a run's steps and cells wrote, each with its event's number.

    Args:
        session: An open workspace.
        run_id: The run.
        step: Only this step and what is nested in it; "" for all.
        after: Only events whose numbers are above this.

    Raises:
        NotFoundError: There is no such run.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        span = {"run_id": row["id"], "since": None, "after": after, "limit": -1}
        rows = reader.all("logs_after", span)
    return [(seq, event) for seq, event in written(rows) if is_within(event.step, step)]


def log_page(
    session: Session, run_id: str, wanted: Callable[[str], bool], offset: int, limit: int
) -> tuple[list[str], int]:
    """Return some lines that a run's steps wrote, progress bars apart, and how many there are.

    Args:
        session: An open workspace.
        run_id: The run.
        wanted: Says of a step's path whether its lines count.
        offset: How many lines are passed over.
        limit: How many are returned, at most.

    Raises:
        NotFoundError: There is no such run.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        steps = [found["step"] for found in reader.all("step_paths", (row["id"],))]
        span = {
            "run_id": row["id"],
            "steps": msgspec.json.encode([step for step in steps if wanted(step)]).decode(),
            "from": offset,
            "until": offset + limit,
        }
        found = reader.all("log_page", span)
    lines = [line for row in found if row["body"] is not None for line in _lines(row["body"])]
    passed = offset - (found[0]["first"] or 0)
    return lines[passed:][:limit], found[0]["total"]


def _lines(body: str) -> list[str]:
    event = ev.decode(body)
    assert isinstance(event, ev.StepLog)
    return event.text.removesuffix("\n").split("\n")


def artifacts(session: Session, run_id: str) -> list[RunFile]:
    """Return the files that a run made for people.

    Raises:
        NotFoundError: There is no such run.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        rows = reader.all("run_files", (row["id"],))
    return [RunFile(*file, path=session.store.artifacts.path(file["hash"])) for file in rows]


def artifact(session: Session, digest: str) -> RunFile:
    """Return a file by the SHA-256 of its bytes, when a run of the project names it.

    Raises:
        InputError: `digest` is no SHA-256 in hex.
        NotFoundError: No run names it, or its bytes are gone.
    """
    path = session.store.artifacts.path(digest)
    with session.store.db.read() as reader:
        row = reader.one("artifact_of", {"project": session.project, "hash": digest})
    if row is None or path is None:
        raise NotFoundError(f"The artifact {digest} is not in this project.")
    return RunFile(*row, path=path)


def find_row(reader: Reader, session: Session, run_id: str) -> Row:
    """Return the row of a run by its id or the first characters of it.

    Raises:
        NotFoundError: There is no such run in the project.
        InputError: Several runs start like this.
    """
    row = reader.one("run_by_id", (session.project, run_id))
    if row is None and len(run_id) >= _SHORTEST_ID:
        span = {"project": session.project, "start": run_id, "end": f"{run_id}\uffff"}
        found = reader.all("runs_like", span)
        if len(found) > 1:
            raise InputError(f"Several runs start with {run_id!r}.", remedy="Give more characters")
        row = reader.one("run_by_id", (session.project, found[0]["id"])) if found else None
    if row is None:
        raise NotFoundError(f"There is no run {run_id!r}.", remedy="`iaiflow runs ls` lists them")
    return row


def _sweep(session: Session) -> None:
    """Free lost runs; on a full disk they stay, and what is recorded can be looked at."""
    try:
        session.coordinator.sweep()
    except StoreError as error:
        if error.code != "disk-full":
            raise


def _attempt_reason(reader: Reader, row: Row) -> str:
    """Return why the run's last attempt was needed; "" for the first."""
    if row["attempt"] == 1:
        return ""
    rows = reader.all("events_of_kind", (row["id"], "run", 0, -1))
    changes = [ev.decode(found["body"]) for found in rows]
    reasons = [change.reason for change in changes if isinstance(change, ev.RunChanged)]
    return next((reason for reason in reversed(reasons) if reason.startswith(LOST)), "")


def is_within(step: str, wanted: str) -> bool:
    """Say whether a step is the wanted one or nested in it; "" wants all."""
    return not wanted or step == wanted or step.startswith((f"{wanted}/", f"{wanted}["))


def _summary_fields(session: Session, row: Row) -> dict[str, Any]:
    ended = session.world.clock.now() if row["ended_at"] is None else row["ended_at"]
    started = row["started_at"]
    return {
        "id": row["id"],
        "flow": row["flow"],
        "version": row["version"],
        "state": RunState(row["state"]),
        "reason": _reason(session, row),
        "attempt": row["attempt"],
        "queue": row["queue"],
        "priority": row["priority"],
        "budget": stored_budget(row),
        "run_at": row["run_at"],
        "created_at": row["created_at"],
        "started_at": started,
        "ended_at": row["ended_at"],
        "duration_s": None if started is None else ended - started,
        "cancel_requested": bool(row["cancel_requested"]),
        "retry_of": row["retry_of"],
        "error": _error.decode(row["error"]) if row["error"] else None,
    }


def stored_budget(row: Row) -> RunBudget | None:
    """Return what the models of a run may take, from its row."""
    return None if row["budget"] is None else msgspec.json.decode(row["budget"])


def _reason(session: Session, row: Row) -> str:
    """Return why a run is in its state; of one that could begin, what it has no room for."""
    is_due = row["state"] == RunState.QUEUED and row["run_at"] <= session.world.clock.now()
    shortage = session.store.room.shortage() if is_due else None
    return shortage.message if shortage else row["reason"]


def _step(row: Row) -> StepView:
    outcome = _outcome.decode(row["outcome"]) if row["outcome"] else None
    return StepView(
        step=row["step"],
        node=row["node"],
        type=row["type"],
        state=StepState(row["state"]),
        attempt=row["attempt"],
        source=row["source"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        duration_s=row["duration_s"],
        queue_wait_s=row["queue_wait_s"],
        cpu_s=row["cpu_s"],
        peak_rss=row["peak_rss"],
        rows=row["rows"],
        bytes=row["bytes"],
        items=row["items"],
        reason="" if outcome is None else outcome.reason,
        error=None if outcome is None else outcome.error,
        outputs={} if outcome is None else outcome.outputs,
    )
