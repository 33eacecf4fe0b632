"""Flows: list, read, save, and their versions; and what a flow or notebook wants to be given."""

from __future__ import annotations

from typing import Any

import msgspec

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.bodies import SavedFlow, WhichVersion
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.model.data import from_data, to_data
from iaiflow_lab.service import flows, targets
from iaiflow_lab.service.as_data import iso
from iaiflow_lab.service.flows import Saved

routes = Routes("flows")


@routes.get("/flows", Permission.FLOW_READ)
def list_(desk: At) -> list[dict[str, Any]]:
    """List the flow files of the workspace; broken ones say why."""
    return [
        {
            "path": flow.path,
            "name": flow.name,
            "version": flow.version,
            "saved_at": iso(flow.saved_at),
            "problem": flow.problem,
        }
        for flow in flows.list_flows(desk.session)
    ]


@routes.get("/flows/{path:path}/versions", Permission.FLOW_READ)
def versions(desk: At, path: str) -> list[dict[str, Any]]:
    """List the saves that changed a flow's meaning, the newest first."""
    return [
        msgspec.to_builtins(save) | {"saved_at": iso(save.saved_at)}
        for save in flows.versions(desk.session, path)
    ]


@routes.post("/flows/{path:path}/restore", Permission.FLOW_WRITE)
def restore(desk: At, path: str, body: WhichVersion) -> dict[str, Any]:
    """Make an earlier version the present one, as a new save."""
    return _saved(flows.restore(desk.session, path, body.version, desk.catalog()))


@routes.get("/flows/{path:path}", Permission.FLOW_READ)
def show(desk: At, path: str, version: str = "") -> dict[str, Any]:
    """Return a flow as in its file, or a saved version of it."""
    return to_data(flows.version(desk.session, path, version))


@routes.put("/flows/{path:path}", Permission.FLOW_WRITE)
def save(desk: At, path: str, body: SavedFlow) -> dict[str, Any]:
    """Save a flow; what keeps it from running is returned, not refused."""
    flow = from_data(body.definition)
    return _saved(flows.save(desk.session, path, flow, desk.catalog(), note=body.note))


@routes.get("/targets/{path:path}/parameters", Permission.FLOW_READ)
def parameters(desk: At, path: str) -> dict[str, Any]:
    """Return what a flow or notebook may be given, as a JSON Schema; nothing is executed."""
    return targets.parameters_schema(desk.session, path)


def _saved(saved: Saved) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(saved)
    return data
