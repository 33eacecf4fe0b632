"""Files of the workspace, as nodes name them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from iaiflow_lab.errors import InputError, NodeError
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node_files import FOLDER

#: Folders whose content decides what later runs do; no node writes there.
_GUARDED = frozenset({".iaiflow", ".git", FOLDER})


def existing(ctx: Context, path: str) -> Path:
    """Return the file that `path` names, from the flow's folder on."""
    file = safe_path(ctx.folder, path, must_exist=True)
    if not file.is_file():
        raise InputError(f"{path!r} is no file.", where=str(file), remedy="Name a file in it.")
    return file


def writable(ctx: Context, path: str) -> Path:
    """Return where `path` is to be written; the folders above it exist then."""
    file = safe_path(ctx.folder, path)
    parts = file.relative_to(ctx.folder.resolve()).parts
    if not _GUARDED.isdisjoint(part.lower() for part in parts):
        raise InputError(
            f"Nodes do not write to {path!r}: it is not the flow's own.",
            remedy="Write to another folder, such as output/.",
            code="path-refused",
        )
    if file.is_dir():
        raise InputError(f"{path!r} is a folder.", remedy="Add the name of a file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def replace(file: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file beside its place, then put it there whole."""
    made = file.with_name(f".{secrets.token_hex(8)}{file.suffix}")
    try:
        write(made)
        made.replace(file)
    except OSError as error:
        raise NodeError(
            f"The file can't be written: {error.strerror or error}.",
            where=str(file),
            remedy="Check the disk's space and the folder's permissions.",
            code="file-unwritable",
        ) from error
    finally:
        made.unlink(missing_ok=True)


def relative(ctx: Context, file: Path) -> str:
    """Return the file's path from the flow's folder on."""
    return file.relative_to(ctx.folder.resolve()).as_posix()


def stamp(ctx: Context, path: str) -> str:
    """Return what changes when the file does; "" when there is none to read."""
    try:
        file = safe_path(ctx.folder, path)
        status = file.stat()
    except (OSError, InputError):
        return ""
    return f"{file}:{status.st_mtime_ns}:{status.st_size}"
