"""Flows of a workspace: save, load, list, and the history of saves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from iaiflow_lab.errors import FlowError, InputError, LabError, NotFoundError, StoreError
from iaiflow_lab.model import file, rules
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.rules import Problem
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader, Transaction

#: What the history says of a file that was there before its first save.
_FOUND: Final = "As it was found"
#: Folders in which no flow is looked for, beside hidden ones.
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did."""

    #: The flow's path in the workspace.
    path: str
    #: Hash of its meaning.
    version: str
    #: Number of the save that holds this version, from 1.
    number: int
    #: Whether the meaning changed, so that this save is a new one.
    is_new: bool
    #: What keeps it from running, and warnings.
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class FlowSummary:
    """One flow in a list."""

    path: str
    #: What people call it; "" when the file cannot be read.
    name: str
    #: Hash of the file's meaning; "" when the file cannot be read.
    version: str
    #: When it was saved last through the workbench, in seconds since the epoch; None: never.
    saved_at: float | None
    #: Why the file cannot be read, in one sentence; "" when it can.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FlowSave:
    """One save that changed a flow's meaning."""

    number: int
    version: str
    note: str
    #: In seconds since the Unix epoch.
    saved_at: float


def save(
    session: Session,
    path: str,
    flow: Flow,
    signatures: Signatures,
    *,
    note: str = "",
    merge_s: float = 0.0,
    before: str | None = None,
) -> Saved:
    """Write a flow to its file and keep its version.

    What keeps the flow from running is returned, not refused: unfinished work can be saved. A
    flow that could not be read back is refused.

    Args:
        session: An open workspace.
        path: The file in the workspace, ending in `.flow.json`.
        flow: The flow.
        signatures: The catalog that it is checked against.
        note: Why it was saved, for the history.
        merge_s: A last save with the same note that is younger, in seconds, is replaced in the
            history: many small edits make one version.
        before: What the file said before this change; None: what it says now. When the history is
            empty, it is kept there as the first version.

    Raises:
        InputError: `path` leads outside or has another ending.
        FlowError: The flow could not be read back from a file.
        StoreError: The file or the database cannot be written.
    """
    target = flow_file(session, path)
    text = file.dump(flow, _present_text(target))
    version, now = version_hash(flow), session.world.clock.now()
    with session.store.db.write() as tx:
        keep_version(tx, session, flow, version)
        tx.run("flow_put", (session.project, path, flow.name, version, now))
        last = tx.one("save_last", (session.project, path))
        if last is None:
            found = _present_text(target) if before is None else before
            if _keep_found(tx, session, path, found, version):
                last = tx.one("save_last", (session.project, path))
        is_new = last is None or last["version"] != version
        number = (0 if last is None else last["number"]) + is_new
        if is_new and last and last["note"] == note and now - last["saved_at"] < merge_s:
            number = last["number"]
            tx.run("save_replace", (version, text, session.project, path, number))
            tx.run("version_drop", {"project": session.project, "version": last["version"]})
        elif is_new:
            row = (session.project, path, number, version, text, note, now)
            tx.run("save_put", row)
        _replace(target, text)  # last: a file that cannot be written leaves no save
    return Saved(path, version, number, is_new, rules.check(flow, signatures))


def _keep_found(tx: Transaction, session: Session, path: str, text: str, apart_from: str) -> bool:
    """Keep, as the first save, what a file said; say whether it is a flow of another version."""
    try:
        flow = file.parse(text)
    except FlowError:
        return False
    if (version := version_hash(flow)) == apart_from:
        return False
    keep_version(tx, session, flow, version)
    row = (session.project, path, 1, version, text, _FOUND, session.world.clock.now())
    tx.run("save_put", row)
    return True


def keep_version(tx: Transaction, session: Session, flow: Flow, version: str) -> None:
    """Keep a flow's definition under its version, once."""
    if tx.one("version_known", (session.project, version)) is not None:
        return
    definition = msgspec.json.encode(to_data(flow)).decode()
    row = (session.project, version, definition, session.world.clock.now())
    tx.run("version_put", row)


def load(session: Session, path: str) -> Flow:
    """Read a flow from its file; nothing is executed.

    Raises:
        InputError: `path` leads outside or has another ending.
        NotFoundError: There is no such file.
        FlowError: The file is no flow.
    """
    target = flow_file(session, path)
    try:
        return read(target, path)
    except FileNotFoundError:
        known = [found.relative_to(session.workspace).as_posix() for found in _files(session)]
        raise NotFoundError(
            f"There is no flow {path!r} in {session.workspace}.",
            remedy=did_you_mean(path, known) or "`iaiflow flows ls` lists the flows",
        ) from None


def read(target: Path, name: str) -> Flow:
    """Read the flow file at `target`; messages call it `name`.

    Raises:
        FileNotFoundError: There is no such file.
        InputError: It cannot be read.
        FlowError: It is no flow.
    """
    try:
        if (size := target.stat().st_size) > file.MAX_BYTES:
            error = file.too_large(size)
            raise FlowError(error.what, where=name, remedy=error.remedy)
        return file.parse(target.read_bytes(), name)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"The file can't be read: {error.strerror}.", where=name) from error


def list_flows(session: Session) -> list[FlowSummary]:
    """Return the flow files below the workspace, by path; broken ones say why."""
    with session.store.db.read() as reader:
        rows = reader.all("flows_all", (session.project,))
    saved_at = {row["path"]: row["saved_at"] for row in rows}
    return [_summary(session, path, saved_at) for path in sorted(_files(session))]


def versions(session: Session, path: str) -> list[FlowSave]:
    """Return every save that changed the flow's meaning, the newest first.

    Raises:
        NotFoundError: The flow was never saved through the workbench.
    """
    with session.store.db.read() as reader:
        return _saves(reader, session, path)


def version(session: Session, path: str, which: str) -> Flow:
    """Return a saved version of a flow.

    Args:
        session: An open workspace.
        path: The flow's path.
        which: A save's number, a version or its first characters, or "" for the present file.

    Raises:
        NotFoundError: There is no such flow or version.
        InputError: Several versions start like this.
    """
    if not which:
        return load(session, path)
    with session.store.db.read() as reader:
        number = _number(_saves(reader, session, path), path, which)
        row = reader.one("save_file", (session.project, path, number))
    assert row is not None
    return file.parse(row["file"], f"{path}@{which}")


def restore(session: Session, path: str, which: str, signatures: Signatures) -> Saved:
    """Make an earlier version the present one, as a new save.

    Raises:
        NotFoundError: There is no such flow or version.
        InputError: Several versions start like this.
    """
    flow = version(session, path, which)
    return save(session, path, flow, signatures, note=f"Restored from {which}")


def flow_file(session: Session, path: str) -> Path:
    """Return the file of a flow.

    Raises:
        InputError: `path` leads outside the workspace or has another ending.
    """
    if not path.endswith(file.SUFFIX):
        raise InputError(
            f"{path!r} does not end in {file.SUFFIX}.",
            remedy=f"Name a file such as example{file.SUFFIX}",
        )
    return safe_path(session.workspace, path)


def _present_text(target: Path) -> str:
    try:
        return target.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # writing it says what is wrong


def _replace(target: Path, text: str) -> None:
    """Write the file whole or not at all; one that says the same already is not touched.

    The caller holds the database's write lock, so that nobody else writes the temporary file: one
    that is there was left by a process that was killed.
    """
    if text == _present_text(target):
        return
    temporary = target.with_name(f".{target.name}.saving")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with temporary.open("x", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StoreError(
            f"The flow cannot be saved: {error.strerror}.",
            where=str(target),
            remedy="Free some space or make the folder writable, and save again",
            code="flow-unwritable",
        ) from error


def _summary(session: Session, path: Path, saved_at: dict[str, float]) -> FlowSummary:
    name = path.relative_to(session.workspace).as_posix()
    saved = saved_at.get(name)
    try:
        flow = load(session, name)
    except LabError as error:
        return FlowSummary(name, "", "", saved, str(error))
    return FlowSummary(name, flow.name, version_hash(flow), saved)


def _files(session: Session) -> Iterator[Path]:
    for folder, folders, names in os.walk(session.workspace):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        for name in names:
            if name.endswith(file.SUFFIX) and not name.startswith("."):
                yield Path(folder, name)


def _saves(reader: Reader, session: Session, path: str) -> list[FlowSave]:
    rows = reader.all("saves_of", (session.project, path))
    if not rows:
        raise NotFoundError(
            f"The flow {path!r} has no saved versions.",
            remedy="Versions are kept by `Flow.save()` and by the canvas",
        )
    return [FlowSave(row["number"], row["version"], row["note"], row["saved_at"]) for row in rows]


def _number(saves: Sequence[FlowSave], path: str, which: str) -> int:
    exact = [save.number for save in saves if str(save.number) == which]
    if exact:
        return exact[0]
    matching = [save for save in saves if save.version.startswith(which)]
    if not matching:
        raise NotFoundError(
            f"The flow {path!r} has no version {which!r}.",
            remedy=f"`iaiflow flows versions {path}` lists them",
        )
    if len({save.version for save in matching}) > 1:
        raise InputError(
            f"Several versions of {path!r} start with {which!r}.", remedy="Give more characters"
        )
    return matching[0].number
