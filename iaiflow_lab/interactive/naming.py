"""What the history calls a flow: its path in the workspace, while the file says the same."""

from __future__ import annotations

from pathlib import Path

from iaiflow_lab.errors import FlowError, InputError
from iaiflow_lab.interactive.kernel import open_workspace
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.version import version_hash


def history_name(definition: Flow, file: Path | None) -> str | Flow:
    """Return the path of the file that says the same, for the history; else the definition.

    Args:
        definition: The flow.
        file: Where it is kept; None: nowhere.
    """
    from iaiflow_lab.service import flows

    if file is None:
        return definition
    try:
        saved = flows.read(file, str(file))
        path = path_inside(open_workspace(file.parent).workspace, file)
    except (FlowError, InputError, FileNotFoundError):
        return definition  # it was moved, or changed by somebody else
    return path if version_hash(saved) == version_hash(definition) else definition


def path_inside(workspace: Path, place: Path) -> str:
    """Return a file's path in the workspace.

    Raises:
        InputError: It is outside.
    """
    resolved, root = place.resolve(), workspace.resolve()
    if not resolved.is_relative_to(root):
        raise InputError(
            f"{str(place)!r} is outside the workspace {str(workspace)!r}.",
            remedy="Save it inside, or open that folder as a workspace",
        )
    return resolved.relative_to(root).as_posix()
