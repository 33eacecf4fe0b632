"""What runs leave for people to look at."""

from __future__ import annotations

from typing import Final

from fastapi.responses import FileResponse

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.service import outputs

routes = Routes("runs")

_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@routes.get("/runs/{run_id}/notebook", Permission.RUN_READ)
def notebook(desk: At, run_id: str, step: str = "") -> FileResponse:
    """Return a run's output notebook, as far as it has come; without a step, the first one."""
    found = outputs.notebooks(desk.session, run_id, step)
    if not found:
        raise NotFoundError(
            f"Run {run_id} has no output notebook.",
            remedy="Only runs of notebooks that have begun have one",
            code="no-output-notebook",
        )
    return FileResponse(
        found[0].path,
        headers=_HEADERS,
        media_type="application/x-ipynb+json",
        filename=found[0].path.name,
    )
