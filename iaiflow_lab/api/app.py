"""The application: its routes behind its gate, over one open workspace."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from iaiflow_lab.access.principal import local_owner
from iaiflow_lab.api.desk import Desk
from iaiflow_lab.api.gate import OPEN, Gate
from iaiflow_lab.api.news import News
from iaiflow_lab.api.problems import explain_refusals
from iaiflow_lab.api.routes import (
    artifacts,
    events,
    flows,
    logs,
    nodes,
    notifications,
    outputs,
    runs,
    schedules,
    secrets,
    storage,
    system,
)
from iaiflow_lab.service import open_session
from iaiflow_lab.service.waits import local_user

PREFIX: Final = "/api/v1"
_ALL: Final = (
    flows, runs, logs, events, schedules, nodes, artifacts, outputs, notifications, secrets,
    storage, system,
)  # fmt: skip


def create_app(workspace: Path, *, secret: str | None) -> FastAPI:
    """Return the application over a workspace, whose local user owns the default project.

    Args:
        workspace: A folder in it.
        secret: What callers send as `Authorization: Bearer SECRET`; None: whoever can open the
            socket may ask.
    """
    app = FastAPI(
        title="IAI Flow Lab",
        version=metadata.version("iaiflow-lab"),
        openapi_url=None,  # a route like the others, with a permission
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.workspace = workspace
    app.add_middleware(Gate, secret=secret)
    explain_refusals(app)
    for module in _ALL:
        app.include_router(module.routes.router, prefix=PREFIX)
    app.include_router(system.documents.router)
    app.add_api_route(OPEN, _is_alive, include_in_schema=False)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    with open_session(app.state.workspace) as session:
        news = News(session.store.db)
        app.state.desk = Desk(session, local_owner(local_user()), news)
        news.start()
        try:
            yield
        finally:
            await news.stop()


async def _is_alive() -> dict[str, str]:
    """Say that the server answers."""
    return {"status": "ok"}
