"""What serves a workspace, and how it is doing."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import Any

import psutil

from iaiflow_lab.notebook import warm_kernels
from iaiflow_lab.queue.owner import parse_owner
from iaiflow_lab.service import servers
from iaiflow_lab.service.as_data import iso
from iaiflow_lab.service.servers import Server
from iaiflow_lab.service.session import Session


def overview(session: Session) -> dict[str, Any]:
    """Return who serves and fires schedules, what is queued and held, room, and warm kernels."""
    with session.store.db.read() as reader:
        counts = [dict(row) for row in reader.all("runs_by_state", (session.project,))]
        held = [(row["id"], parse_owner(row["owner"])) for row in reader.all("held")]
    disk, memory = shutil.disk_usage(session.store.state), psutil.virtual_memory()
    return {
        "workspace": str(session.workspace),
        "served_by": servers.serving_note(session),
        "fired_by": servers.firing_note(session),
        "servers": [_server_data(server) for server in servers.who_serves(session)],
        "workers": [
            {"run": run_id, "kind": owner.kind, "pid": owner.pid, "host": owner.host}
            for run_id, owner in held
            if owner is not None
        ],
        "runs": counts,
        "shortage": _shortage_data(session),
        "disk": {"free": disk.free, "total": disk.total},
        "memory": {"free": memory.available, "total": memory.total},
        "warm_kernels": _warm_kernels(),
    }


def _shortage_data(session: Session) -> dict[str, Any] | None:
    """Return what keeps queued runs from beginning; None: nothing does."""
    shortage = session.store.room.shortage()
    return None if shortage is None else asdict(shortage) | {"message": shortage.message}


def _server_data(server: Server) -> dict[str, Any]:
    times = {name: iso(getattr(server, name)) for name in ("started_at", "seen_at", "stopped_at")}
    return asdict(server) | times | {"fires": server.fires}


def _warm_kernels() -> dict[str, Any]:
    path = warm_kernels.find_server()
    if not path:
        return {"ready": 0, "note": "No fork server is running here: kernels start cold."}
    try:
        return dict(warm_kernels.ask_state(path))
    except warm_kernels.ColdError as error:
        return {"ready": 0, "note": str(error)}
