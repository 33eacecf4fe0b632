"""The bytes of what runs made."""

from __future__ import annotations

from typing import Final

from fastapi.responses import FileResponse

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import history

routes = Routes("artifacts")

#: Whatever the bytes are, a browser stores them and shows nothing of them here.
_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=31536000, immutable",
}


@routes.get("/artifacts/{digest}", Permission.ARTIFACT_READ)
def download(desk: At, digest: str) -> FileResponse:
    """Return the bytes under a SHA-256 that a run of the project names."""
    found = history.artifact(desk.session, digest)
    assert found.path is not None
    return FileResponse(
        found.path,
        headers=_HEADERS,
        media_type="application/octet-stream",
        filename=found.name,
    )
