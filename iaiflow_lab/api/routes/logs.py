"""What all runs wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from threading import Event
from typing import Any, Final

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import log_search
from iaiflow_lab.service.log_search import LogSearch

routes = Routes("runs")

#: What is sent of one line, in characters.
_LONGEST: Final = 2_000


@routes.get("/logs", Permission.RUN_READ)
async def search(
    desk: At,
    request: Request,
    *,
    grep: str = "",
    flow: str = "",
    step: str = "",
    since: str = "",
    limit: int = 1_000,
    ignore_case: bool = False,
) -> dict[str, Any]:
    """Return the lines of all runs that match a regular expression, the newest run first.

    `since` is a moment, or how long ago: `2h`, `1d`. Very long lines are cut.
    """
    wanted = LogSearch(
        pattern=grep,
        flow=flow,
        step=step,
        since=log_search.since(desk.session, since),
        limit=limit,
        ignore_case=ignore_case,
    )
    async with _left(request) as left:
        found = await run_in_threadpool(log_search.search, desk.session, wanted, left.is_set)
    return log_search.to_data(found, _LONGEST)


@asynccontextmanager
async def _left(request: Request) -> AsyncGenerator[Event]:
    """Give what is set once nobody waits for the answer any more."""
    left = Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left.set()

    watching = asyncio.create_task(watch())
    try:
        yield left
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
