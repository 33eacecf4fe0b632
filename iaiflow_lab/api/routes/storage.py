"""What the workspace takes on its disk, and removing what is not kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.bodies import Nothing
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import retention
from iaiflow_lab.service.storage import measure

routes = Routes("storage")


@routes.get("/storage", Permission.SERVER_READ)
def show(desk: At) -> dict[str, Any]:
    """Return how many bytes the workspace takes, by what they are for."""
    return asdict(measure(desk.session))


@routes.post("/storage/clean", Permission.RUN_REMOVE)
def clean(desk: At, body: Nothing) -> dict[str, Any]:
    """Remove runs that `keep_days` does not keep, and artifacts that nothing names."""
    del body  # says nothing
    return asdict(retention.clean(desk.session))


@routes.delete("/runs/{run_id}", Permission.RUN_REMOVE)
def remove(desk: At, run_id: str) -> dict[str, Any]:
    """Remove a run that has ended, and artifacts that nothing names."""
    ids = retention.chosen(desk.session, [run_id])
    return asdict(retention.remove(desk.session, ids))
