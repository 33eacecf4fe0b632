"""The server itself."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import PlainTextResponse

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import system
from iaiflow_lab.service.telemetry import metrics_text

routes = Routes("system")

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


@routes.get("/system", Permission.SERVER_READ)
def show(desk: At) -> dict[str, Any]:
    """Show who serves and fires schedules, what is queued and held, room and warm kernels."""
    return system.overview(desk.session) | {"draining": desk.draining.is_set()}


#: Outside of `/api/v1`, where tools look for it.
documents = Routes("system")


@documents.get("/metrics", Permission.SERVER_READ, include_in_schema=False)
def metrics(desk: At) -> PlainTextResponse:
    """Count runs, steps, queues and schedules, as Prometheus reads it."""
    return PlainTextResponse(metrics_text(desk.session), media_type=_PROMETHEUS)


@documents.get("/openapi.json", Permission.SERVER_READ, include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """Describe every route."""
    description: dict[str, Any] = request.app.openapi()
    return description
