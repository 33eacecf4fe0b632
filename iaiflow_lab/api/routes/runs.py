"""Runs: start, list, look at, cancel, retry, answer."""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any

import msgspec
from fastapi import Query

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.bodies import Cancel, NewRun, NewSignal, Nothing, Retry, WaitAnswer
from iaiflow_lab.api.desk import At, Desk, Routes
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.run import RunState, WaitOutcome
from iaiflow_lab.service import as_data, debugging, history, runs, waits

routes = Routes("runs")

_GIVEN = {WaitOutcome.APPROVED: waits.approve, WaitOutcome.REFUSED: waits.refuse}


@routes.post("/runs", Permission.RUN_EXECUTE, status_code=201, begins=True)
def start(desk: At, body: NewRun) -> dict[str, Any]:
    """Queue a run of a flow or notebook, or write it down as a draft."""
    options = body.options.read()
    if body.draft:
        run_id = runs.prepare(desk.session, body.target, body.inputs, options)
    else:
        run_id = runs.start(desk.session, body.target, body.inputs, desk.catalog(), options)
    return _state(desk, run_id)


@routes.get("/runs", Permission.RUN_READ)
def list_(
    desk: At,
    *,
    state: Annotated[list[RunState] | None, Query()] = None,
    flow: str | None = None,
    queue: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """List runs, the newest first; `before` is the last id of the page before."""
    found = history.list_runs(
        desk.session, states=state or (), flow=flow, queue=queue, before=before, limit=limit
    )
    return [as_data.summary_data(run) for run in found]


@routes.get("/runs/{run_id}", Permission.RUN_READ)
def show(desk: At, run_id: str) -> dict[str, Any]:
    """Show one run with its steps, waits and files."""
    found = history.get(desk.session, run_id)
    return as_data.run_data(found, history.artifacts(desk.session, found.id))


@routes.get("/runs/{run_id}/files", Permission.RUN_READ)
def files(desk: At, run_id: str) -> list[dict[str, Any]]:
    """List the files that a run made for people."""
    return [as_data.file_data(file) for file in history.artifacts(desk.session, run_id)]


@routes.get("/runs/{run_id}/logs", Permission.RUN_READ)
def logs(
    desk: At,
    run_id: str,
    *,
    step: str = "",
    grep: str = "",
    after: int = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
) -> list[dict[str, Any]]:
    """Return the last texts that a run's steps and cells wrote.

    `grep` is a part of the text, in any case.
    """
    wanted = grep.casefold()
    found = history.logs(desk.session, run_id, step, after)
    kept = deque((pair for pair in found if wanted in pair[1].text.casefold()), maxlen=limit)
    return [as_data.event_data(number, line) for number, line in kept]


@routes.get("/runs/{run_id}/inputs", Permission.RUN_READ)
def inputs(desk: At, run_id: str, step: str = "") -> dict[str, Any]:
    """Return what a step was given; without `step`, the one that failed."""
    data: dict[str, Any] = msgspec.to_builtins(
        debugging.inputs_of(desk.session, run_id, step, desk.catalog())
    )
    return data


@routes.post("/runs/{run_id}/cancel", Permission.RUN_CANCEL)
def cancel(desk: At, run_id: str, body: Cancel) -> dict[str, Any]:
    """Cancel a run; it is `running` until its worker has ended it."""
    state = runs.cancel(desk.session, run_id, body.reason)
    return {"id": history.get(desk.session, run_id).id, "state": state}


@routes.post("/runs/{run_id}/retry", Permission.RUN_EXECUTE, status_code=201, begins=True)
def retry(desk: At, run_id: str, body: Retry) -> dict[str, Any]:
    """Queue a new run that repeats one that has ended."""
    made = runs.retry(
        desk.session,
        run_id,
        desk.catalog(),
        inputs=body.inputs,
        from_start=body.from_start,
        latest=body.latest,
        start=body.start,
    )
    return _state(desk, made)


@routes.post("/runs/{run_id}/queue", Permission.RUN_EXECUTE, begins=True)
def queue_draft(desk: At, run_id: str, body: Nothing) -> dict[str, Any]:
    """Put a draft into its queue."""
    del body  # says nothing
    runs.queue_draft(desk.session, run_id, desk.catalog())
    return _state(desk, run_id)


@routes.post("/runs/{run_id}/answers", Permission.RUN_ANSWER)
def answer(desk: At, run_id: str, body: WaitAnswer) -> dict[str, Any]:
    """Approve, refuse or answer what a step waits for."""
    by = desk.principal.name
    if body.outcome is WaitOutcome.ANSWERED:
        given = waits.answer(desk.session, run_id, body.step, body.value, by=by)
    elif body.outcome in _GIVEN:
        give = _GIVEN[body.outcome]
        given = give(desk.session, run_id, body.step, value=body.value, by=by, reason=body.reason)
    else:
        raise InputError(
            f"Nobody can answer {body.outcome}.",
            where="outcome",
            remedy="Use approved, refused or answered",
        )
    return _state(desk, given.run_id)


@routes.post("/runs/{run_id}/signals", Permission.RUN_ANSWER)
def signal(desk: At, run_id: str, body: NewSignal) -> dict[str, Any]:
    """Send a signal to a run; it is taken now, or when a step waits for it."""
    sent = waits.signal(
        desk.session,
        run_id,
        body.name,
        body.payload,
        sender=desk.principal.name,
        dedupe=body.dedupe,
    )
    return {"step": sent.step, "known": sent.known}


def _state(desk: Desk, run_id: str) -> dict[str, Any]:
    return as_data.summary_data(history.get(desk.session, run_id))
