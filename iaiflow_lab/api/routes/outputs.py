"""What runs leave for people to look at, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query
from fastapi.responses import FileResponse, Response, StreamingResponse

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.notebook.export import Form
from iaiflow_lab.service import history, outputs, run_diff

routes = Routes("runs")

#: Whatever a file holds, a browser stores it and shows nothing of it here.
_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
#: How much of a file is sent at a time, in bytes.
_PIECE: Final = 1_000_000


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


@routes.get("/runs/{run_id}/export", Permission.RUN_READ)
def export(desk: At, run_id: str, to: Form = Form.HTML, step: str = "") -> Response:
    """Return a run's output notebook as a document that runs nothing and loads nothing.

    Several of them, or one with pictures beside it, come as a zip archive.
    """
    made = outputs.document(desk.session, run_id, to, step)
    return Response(made.data, headers=_attachment(made.name), media_type=made.media_type)


@routes.get("/runs/{run_id}/zip", Permission.RUN_READ)
def zip_(
    desk: At, run_id: str, to: Annotated[list[Form] | None, Query()] = None
) -> StreamingResponse:
    """Return all that a run left: its record, events, output notebooks and files.

    With `to`, the output notebooks also as documents.
    """
    found = history.get(desk.session, run_id)
    remedy = f"`iaiflow runs zip {found.id}` writes it to a file"
    check = partial(outputs.refuse_large, remedy=remedy)
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        outputs.pack(desk.session, found.id, file, to or (), check)
        size = file.tell()
        check(size)
        stack.pop_all()  # it is closed when it has been sent
    headers = _attachment(f"{found.id}.zip") | {"Content-Length": str(size)}
    return StreamingResponse(_read(file), headers=headers, media_type="application/zip")


@routes.get("/runs/{run_id}/diff/{other}", Permission.RUN_READ)
def diff(desk: At, run_id: str, other: str) -> dict[str, Any]:
    """Say what differs between a run and another one: inputs, definition, steps, notebooks.

    Output notebooks are compared where nbdime is installed; else `note` says how to get it.
    """
    return run_diff.diff(desk.session, run_id, other).to_data()


def _attachment(name: str) -> dict[str, str]:
    return _HEADERS | {
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"
    }


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
