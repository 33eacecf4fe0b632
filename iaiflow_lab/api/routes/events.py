"""What happens, as it happens: server-sent events, resumed after the last one that came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
from fastapi import Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Desk, Routes
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.run import TERMINAL
from iaiflow_lab.service import as_data, feed, history
from iaiflow_lab.service.feed import Changed, Removed
from iaiflow_lab.service.missed import NewlyMissed

routes = Routes("events")

LastId = Annotated[str, Header(alias="Last-Event-ID")]

STREAM: Final = "text/event-stream"
#: How many events of a run are read at a time.
_PAGE: Final = 500
#: A comment is sent after so much silence, so that nobody between takes the line for dead.
_ALIVE_S: Final = 15.0
_ALIVE: Final = ": still here\n\n"
#: What schedules missed so long before a stream begins is told by it, in seconds: it is noted when
#: a server starts, which is before anybody can listen.
_MISSED_S: Final = 300.0
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@routes.get("/runs/{run_id}/events", Permission.RUN_READ)
async def of_run(
    desk: At, request: Request, run_id: str, after: int = 0, last_id: LastId = ""
) -> Any:
    """Return a run's events: as a stream that ends with the run, or the next 500 as a list.

    A stream that is asked for again when all has been sent is answered with 204.
    """
    after = _number(last_id, after)
    found = await run_in_threadpool(history.get, desk.session, run_id)
    if STREAM not in request.headers.get("accept", ""):
        page = await run_in_threadpool(history.events, desk.session, found.id, after, _PAGE)
        return [as_data.event_data(number, event) for number, event in page]
    if found.state in TERMINAL and last_id:
        left = await run_in_threadpool(history.events, desk.session, found.id, after, 1)
        if not left:
            return Response(status_code=204)
    return StreamingResponse(_of_run(desk, found.id, after), media_type=STREAM, headers=_HEADERS)


@routes.get("/events", Permission.RUN_READ)
async def of_all(desk: At, last_id: LastId = "") -> StreamingResponse:
    """Stream a summary of each run that changes: of the newest 500, and of all that are open.

    Events of the type `missed` tell of moments of schedules for which no run was made, those of the
    type `removed` which runs are gone.
    """
    since = None if not last_id else _moment(last_id)
    return StreamingResponse(_of_all(desk, since), media_type=STREAM, headers=_HEADERS)


async def _of_run(desk: Desk, run_id: str, after: int) -> AsyncIterator[str]:
    while not desk.news.is_over:
        count = desk.news.count
        state, page = await run_in_threadpool(feed.page, desk.session, run_id, after, _PAGE)
        for number, event in page:
            yield _sent(number, as_data.event_data(number, event))
            after = number
        if page:
            continue
        if state in TERMINAL:
            return
        yield _ALIVE
        await desk.news.after(count, _ALIVE_S)


async def _of_all(desk: Desk, since: float | None) -> AsyncIterator[str]:
    now = desk.session.world.clock.now()
    changed = Changed(now if since is None else since)
    missed = NewlyMissed(now - _MISSED_S if since is None else since)
    removed = Removed(now if since is None else since)
    yield _ALIVE
    while not desk.news.is_over:
        count = desk.news.count
        found = await run_in_threadpool(changed.look, desk.session)
        for run in found:
            yield _sent(f"{changed.until:.6f}", as_data.summary_data(run))
        for each in await run_in_threadpool(missed.look, desk.session):
            yield _typed("missed", as_data.missed_data(each))
        if gone := await run_in_threadpool(removed.look, desk.session):
            yield _typed("removed", {"ids": gone})
        await desk.news.after(count, _ALIVE_S)
        if desk.news.count == count:
            yield _ALIVE


def _sent(number: int | str, data: dict[str, Any]) -> str:
    return f"id: {number}\ndata: {msgspec.json.encode(data).decode()}\n\n"


def _typed(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {msgspec.json.encode(data).decode()}\n\n"


def _number(last_id: str, after: int) -> int:
    if not last_id:
        return after
    if not last_id.isdecimal() or len(last_id) > 15:
        raise InputError(f"{last_id!r} is no number of an event.", where="Last-Event-ID")
    return int(last_id)


def _moment(last_id: str) -> float:
    try:
        moment = float(last_id)
    except ValueError:
        moment = -1.0
    if not 0 <= moment < 1e11:
        raise InputError(f"{last_id!r} is no id of this stream.", where="Last-Event-ID")
    return moment
