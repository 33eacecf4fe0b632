"""The text of a flow that canvases edit, and how an edit reaches its file or its object."""

from __future__ import annotations

import threading
from pathlib import Path, PurePath
from typing import Final
from weakref import WeakKeyDictionary

from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.errors import ConflictError, FlowError, InputError, LabError
from iaiflow_lab.interactive.kernel import open_workspace
from iaiflow_lab.interactive.naming import path_inside
from iaiflow_lab.model import file
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.signature import Signatures

#: What the history says of edits on a canvas, and how long, in seconds, they make one version.
_NOTE: Final = "Edited on the canvas"
_MERGE_S: Final = 60.0

_lock = threading.Lock()
_by_path: Final[dict[PurePath, Draft]] = {}
_by_object: Final[WeakKeyDictionary[object, Draft]] = WeakKeyDictionary()


class Draft:
    """The kernel's copy of a flow, numbered by its changes.

    Args:
        subject: The flow.
        text: Its text; None: it is asked for.
    """

    def __init__(self, subject: Subject, text: str | None = None) -> None:
        #: Guards the text and its number.
        self.lock = threading.RLock()
        self.revision = 1
        #: The source as this process knows it: the file's text, or that of the object's definition.
        self._known = self._source(subject) if text is None else text
        self.text = self._known
        #: In mode `document`: what the file said when the canvas was opened; "" when there is none.
        self.found = _found(subject) if subject.mode == "document" else ""

    def flow_or_empty(self) -> Flow:
        """Return the flow; an empty one while its text cannot be read."""
        try:
            return file.parse(self.text)
        except FlowError:
            return Flow("")

    def edit(
        self, subject: Subject, text: str, base: int, signatures: Signatures
    ) -> tuple[Flow, int]:
        """Take an edit of a canvas, and write it where the flow is kept.

        Returns the flow and the number of its text.

        Args:
            subject: What the canvas shows.
            text: The whole flow.
            base: The number of the text that was edited.
            signatures: What the flow is checked against when it is saved.

        Raises:
            FlowError: The text is no flow.
            ConflictError: The flow was changed elsewhere meanwhile.
            LabError: The file cannot be written.
        """
        flow = file.parse(text)
        with self.lock:
            if subject.mode != "document":
                if self.refresh(subject):
                    raise _changed("The flow was changed outside of this canvas meanwhile.")
                if base != self.revision:
                    raise _changed("The flow was changed on another canvas meanwhile.")
            if subject.mode == "file":
                self._save(subject, flow, signatures)
            self.text = text
            self.revision += 1
            if subject.adopt is not None:
                subject.adopt(flow)
            if subject.mode == "code":
                self._known = self._source(subject)
            return flow, self.revision

    def refresh(self, subject: Subject) -> bool:
        """Take over what changed in the file or object, and say whether something did."""
        if subject.mode == "document":
            return False
        with self.lock:
            try:
                source = self._source(subject)
                if source == self._known:
                    return False
                file.parse(source)
            except LabError:
                return False  # while it cannot be read there is nothing to take over
            self._known = self.text = source
            self.revision += 1
        return True

    def _save(self, subject: Subject, flow: Flow, signatures: Signatures) -> None:
        from iaiflow_lab.service import flows

        if subject.file is None:
            raise InputError("This flow has no file.", remedy="Save it with flow.save(...) first")
        session = open_workspace(subject.file.parent)
        path = path_inside(session.workspace, subject.file)
        if _read(subject.file) != self._known:  # unreadable, else `refresh` had taken it over
            raise ConflictError(
                "The file was changed meanwhile and is no flow now; it is not overwritten.",
                where=str(subject.file),
                remedy="Correct or delete it, and edit again.",
                code="changed-on-disk",
            )
        flows.save(session, path, flow, signatures, note=_NOTE, merge_s=_MERGE_S)
        self._known = _read(subject.file)

    def _source(self, subject: Subject) -> str:
        if subject.mode == "file" and subject.file is not None:
            return _read(subject.file)
        return file.dump(subject.read())


def draft_for(subject: Subject) -> Draft:
    """Return the draft that all canvases of a flow share.

    Raises:
        FlowError: The flow cannot be read.
        InputError: Its file cannot be read.
    """
    key = subject.key
    with _lock:
        found = _by_path.get(key) if isinstance(key, PurePath) else _by_object.get(key)
        if found is None:
            found = Draft(subject)
            if isinstance(key, PurePath):
                _by_path[key] = found
            else:
                _by_object[key] = found
    found.refresh(subject)
    return found


def _found(subject: Subject) -> str:
    try:
        return _read(subject.file) if subject.file is not None else ""
    except LabError:
        return ""


def _read(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"The file can't be read: {error.strerror}.", where=str(place)) from error
    except UnicodeDecodeError:
        raise FlowError(
            "The file is not UTF-8 text.", where=str(place), remedy="Save it as UTF-8."
        ) from None


def _changed(what: str) -> ConflictError:
    return ConflictError(
        what, remedy="Its present state is shown; repeat the edit if it is still wanted."
    )
