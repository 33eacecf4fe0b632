"""What the requests of one canvas work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iaiflow_lab.canvas import bindings
from iaiflow_lab.canvas.board import Board
from iaiflow_lab.canvas.boards import board_for
from iaiflow_lab.canvas.catalog_data import present_catalog
from iaiflow_lab.canvas.channel import Channel, Transport
from iaiflow_lab.canvas.draft import Draft, draft_for
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.interactive.kernel import notebook_folder, open_workspace
from iaiflow_lab.interactive.naming import path_inside
from iaiflow_lab.model import file
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.settings import find_workspace

if TYPE_CHECKING:
    from iaiflow_lab.sdk.catalog import Catalog
    from iaiflow_lab.service.session import Session

#: A result and the buffers that belong to it.
Answer = tuple[Any, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Desk:
    """One canvas that introduced itself."""

    subject: Subject
    #: The runs of the flow.
    board: Board
    #: Its text.
    draft: Draft
    #: The line to the canvas.
    channel: Channel

    @property
    def folder(self) -> Path:
        """Where relative paths of the flow start."""
        return folder_of(self.subject)

    @property
    def catalog(self) -> Catalog:
        """The node types as they are now."""
        return present_catalog(find_workspace(self.folder))

    @property
    def workspace(self) -> Session:
        """The open workspace of the flow."""
        return open_workspace(self.folder)

    @property
    def shown_path(self) -> str:
        """The flow's path as people see it; "" when it has no file."""
        try:
            return self.path
        except InputError:
            return str(self.subject.file)

    @property
    def path(self) -> str:
        """The flow's path in the workspace; "" when it has no file there."""
        if self.subject.file is None:
            return ""
        return path_inside(find_workspace(self.folder), self.subject.file)


def folder_of(subject: Subject) -> Path:
    """Return where relative paths of a flow start."""
    return notebook_folder() if subject.file is None else subject.file.parent


def open_desk(subject: Subject, text: str | None, transport: Transport, lost: Any) -> Desk:
    """Return the desk of a canvas; it is told of everything from now on.

    Args:
        subject: What it shows.
        text: In mode `document`: the text that the host has.
        transport: The line to it.
        lost: Called when the line is dead.

    Raises:
        LabError: The flow cannot be read.
    """
    board = board_for(subject.key, folder_of(subject))
    draft = Draft(subject, text) if subject.mode == "document" else draft_for(subject)
    channel = Channel(transport, board.lock, board.fold_state, lost)
    board.open(channel)
    label = bindings.label(draft.flow_or_empty(), subject.file)
    bindings.provide(label, board, _look)
    return Desk(subject, board, draft, channel)


def _look(board: Any, path: str, port: str) -> Any:
    """Return a live value for `bindings.value`.

    Raises:
        KeyError: There is none.
    """
    try:
        step = board.step_at(path)
    except NotFoundError as error:
        raise KeyError(path) from error
    return board.outputs(step)[port]


def document(path: str, text: str | None) -> Subject:
    """Return the subject of a document that its host saves.

    Args:
        path: As the host calls it: below the folder that Jupyter serves.
        text: Its content; None: that of the file.
    """
    place = _locate(path)

    def read() -> Flow:
        from iaiflow_lab.service import flows

        if text is not None:
            return file.parse(text)
        try:
            return flows.read(place, path)
        except FileNotFoundError:
            raise NotFoundError(f"There is no flow {path!r} here.") from None

    return Subject(mode="document", read=read, file=place)


def _locate(path: str) -> Path:
    """Return the file that a host means: hosts and kernels start paths at different folders."""
    start = notebook_folder()
    relative = path.rpartition(":")[2].lstrip("/")  # a drive stands before the colon
    for folder in (start, *start.parents):
        if (folder / relative).is_file():
            return folder / relative
    return start / Path(relative).name
