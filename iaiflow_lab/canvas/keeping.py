"""Requests about the flow itself: its edits, its versions, its code."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Final

from iaiflow_lab.canvas.channel import Channel
from iaiflow_lab.canvas.desk import Desk, document
from iaiflow_lab.errors import ConflictError, InputError, LabError, NotFoundError
from iaiflow_lab.model import code, file, rules
from iaiflow_lab.model.diff import diff
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.rules import Problem
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.settings import find_workspace

#: Warns of node types that a notebook defines.
_CELL_NODES: Final = "IAI121"
#: `nodes.clean.text`, `nodes.each.config.body.nodes.x.config.y`: the outermost node and its field.
_PLACE: Final = re.compile(r"nodes\.(?P<node>[\w-]+)(?:\.(?:config\.)?(?P<field>[^.\[]+))?")


def edit(desk: Desk, text: str, base: int) -> dict[str, Any]:
    """Take an edit; other canvases of the flow get it too."""
    draft = desk.draft
    try:
        flow, revision = draft.edit(desk.subject, text, base, desk.catalog)
    except ConflictError:
        share(desk)
        raise
    found = problems(flow, desk)
    _share(desk, revision, found, apart_from=desk.channel)
    return {"revision": revision, "problems": found, "stale": desk.board.mark_stale(flow)}


def share(desk: Desk) -> None:
    """Send the flow as it is now, with its problems, to all canvases of it."""
    with desk.draft.lock:
        revision, flow = desk.draft.revision, desk.draft.flow_or_empty()
    _share(desk, revision, problems(flow, desk))


def _share(
    desk: Desk, revision: int, found: list[dict[str, Any]], apart_from: Channel | None = None
) -> None:
    """Send the flow with its problems to all canvases of it but one.

    Args:
        desk: One of them.
        revision: The number of the flow's text; a newer one is sent by whoever made it.
        found: The problems of that text.
        apart_from: The one that knows.
    """
    draft = desk.draft
    if desk.subject.mode == "document":
        return  # its host shares it
    with draft.lock:
        if revision == draft.revision:
            desk.board.push("flow", {"text": draft.text, "revision": revision}, apart_from)
            desk.board.push("problems", found, apart_from)


def problems(flow: Flow, desk: Desk) -> list[dict[str, Any]]:
    """Return what is wrong with a flow, each with the field that it is about."""
    from iaiflow_lab.service import secret_checks

    is_document = desk.subject.mode == "document"
    workspace, catalog = find_workspace(desk.folder), desk.catalog
    try:
        unset = secret_checks.problems(workspace, flow, catalog)
        return [
            problem_data(found)
            for found in (*unset, *rules.check(flow, catalog))
            if is_document or found.code != _CELL_NODES  # here is the notebook that they exist in
        ]
    except LabError as error:  # of the node types or the workspace: no rule can look at the flow
        return [problem_data(Problem(error.code, "error", error.what, "", error.remedy))]


def problem_data(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON data, with the outermost node and its field that it is about."""
    match = _PLACE.match(problem.place)
    if match is None:
        return {**asdict(problem), "field": ""}
    return {**asdict(problem), "node": match["node"], "field": match["field"] or ""}


def kept(desk: Desk, path: str, text: str) -> str:
    """Keep the version of a document that its host has saved; return its number.

    Raises:
        ConflictError: The file says something else.
    """
    from iaiflow_lab.interactive.naming import path_inside
    from iaiflow_lab.service import flows

    flow = file.parse(text)
    place = document(path, text).file
    if place is None or not place.is_file():
        raise NotFoundError(f"There is no file {path!r} here.", remedy="Save the document first.")
    if version_hash(flows.read(place, path)) != version_hash(flow):
        raise ConflictError(
            "The file was changed after it was saved here.", remedy="Reload it from disk."
        )
    session = desk.workspace
    name, before = path_inside(session.workspace, place), desk.draft.found
    saved = flows.save(session, name, flow, desk.catalog, before=before)
    return str(saved.number)


def versions(desk: Desk, text: str) -> list[dict[str, Any]]:
    """Return the saved versions of the flow, the newest first."""
    from iaiflow_lab.service import flows

    if not desk.path:
        return []
    try:
        found = flows.versions(desk.workspace, desk.path)
    except NotFoundError:
        return []
    present = _version_of(text)
    newest = next((save.number for save in found if save.version == present), None)
    return [
        {
            "version": str(save.number),
            "saved_at": save.saved_at,
            "note": save.note,
            "current": save.number == newest,
        }
        for save in found
    ]


def version(desk: Desk, which: str) -> Flow:
    """Return a saved version of the flow.

    Raises:
        NotFoundError: There is none.
    """
    from iaiflow_lab.service import flows

    if not desk.path:
        raise NotFoundError("This flow has no file, so no versions of it are kept.")
    if not which:
        raise InputError("No version is named.")
    return flows.version(desk.workspace, desk.path, which)


def changes(old: Flow, new: Flow) -> list[dict[str, Any]]:
    """Return what changed in meaning between two flows."""
    return [{**asdict(change), "text": str(change)} for change in diff(old, new).changes]


def python(desk: Desk, flow: Flow) -> dict[str, str]:
    """Return the code that builds a flow; in mode `code` also the patched cell."""
    if desk.subject.patch is not None:
        text, cell = desk.subject.patch(flow)
        return {"code": text, "cell": cell}
    return {"code": code.to_python(flow, desk.catalog), "cell": ""}


def body(desk: Desk, path: str) -> str:
    """Return the text of a nested flow that stands in a file of its own.

    Raises:
        LabError: It cannot be read, or is outside the workspace.
    """
    from iaiflow_lab.service import flows

    place = safe_path(desk.folder, path, must_exist=True)
    return file.dump(flows.read(place, path), place.read_text(encoding="utf-8"))


def secret_names(desk: Desk) -> list[str]:
    """Return the names of the workspace's secrets."""
    from iaiflow_lab.service import secret_checks

    return secret_checks.names(desk.workspace)


def set_secret(desk: Desk, name: str, value: str) -> str:
    """Keep a secret of the workspace; return its name. Canvases learn what it mends.

    Raises:
        InputError: The name or the value cannot be one.
        SecretError: The workspace's key cannot be used.
    """
    from iaiflow_lab.service import secrets
    from iaiflow_lab.service.waits import local_user

    kept = secrets.put(desk.workspace, name, value, local_user()).name
    desk.board.push("problems", problems(desk.draft.flow_or_empty(), desk))
    return kept


def _version_of(text: str) -> str:
    try:
        return version_hash(file.parse(text))
    except LabError:
        return ""
