"""What all runs wrote."""

from __future__ import annotations

from typing import Any, Final

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import log_search
from iaiflow_lab.service.log_search import LogSearch

routes = Routes("runs")

#: What is sent of one line, in characters.
_LONGEST: Final = 2_000


@routes.get("/logs", Permission.RUN_READ)
def search(
    desk: At,
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
    return log_search.to_data(log_search.search(desk.session, wanted), _LONGEST)
