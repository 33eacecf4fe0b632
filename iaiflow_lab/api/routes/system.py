"""The server itself."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import system

routes = Routes("system")


@routes.get("/system", Permission.SERVER_READ)
def show(desk: At) -> dict[str, Any]:
    """Show who fires schedules, what is queued and held, disk, memory and warm kernels."""
    return system.overview(desk.session) | {"draining": desk.draining.is_set()}


#: Outside of `/api/v1`, where tools look for it.
documents = Routes("system")


@documents.get("/openapi.json", Permission.SERVER_READ, include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """Describe every route."""
    description: dict[str, Any] = request.app.openapi()
    return description
