"""Files that a schedule looks at: which are there, and which have other contents than before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from iaiflow_lab.errors import InputError
from iaiflow_lab.settings import STATE_FOLDER

#: How many files one schedule may look at.
MAX_FILES: Final = 10_000
#: The contents of larger files are not read: they count as changed with their size or time.
_READ_UP_TO: Final = 64_000_000


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """One file as it was seen."""

    size: int
    #: When it was changed last, in nanoseconds since the Unix epoch.
    mtime_ns: int
    #: SHA-256 of its contents, in hex; "" when it was not read.
    digest: str = ""


#: Files by path in the workspace.
Files = Mapping[str, Seen]

_decoder = msgspec.json.Decoder(dict[str, Seen])


def encode(files: Files) -> str:
    """Return files as JSON text, the same for the same files."""
    return msgspec.json.encode(dict(files), order="sorted").decode()


def decode(text: str | None) -> Files:
    """Read what `encode` wrote."""
    return _decoder.decode(text) if text else {}


def look(workspace: Path, patterns: Sequence[str]) -> Files:
    """Return the files that match, by size and time alone.

    Args:
        workspace: The folder that the patterns are relative to.
        patterns: Checked patterns of a `FileChange`.

    Raises:
        InputError: More match than a schedule may look at.
    """
    found: dict[str, Seen] = {}
    for path in _matching(workspace, patterns):
        try:
            stat = path.stat()
        except OSError:
            continue  # it went meanwhile
        found[path.relative_to(workspace).as_posix()] = Seen(stat.st_size, stat.st_mtime_ns)
        if len(found) > MAX_FILES:
            raise InputError(
                f"More than {MAX_FILES:,} files match {', '.join(patterns)}.",
                where="on_change",
                remedy="Name fewer, such as data/*.csv",
            )
    return found


def same(files: Files, known: Files) -> bool:
    """Say whether sizes and times are all as they were known."""
    return files.keys() == known.keys() and all(
        _is_same(files[name], known[name]) for name in files
    )


def read(workspace: Path, files: Files, known: Files) -> Files:
    """Return `files` with the digests of their contents; those known are not read again."""
    return {
        name: known[name]
        if name in known and _is_same(seen, known[name])
        else msgspec.structs.replace(seen, digest=_digest(workspace / name, seen.size))
        for name, seen in files.items()
    }


def changed(files: Files, known: Files) -> list[str]:
    """Return the names of files that are new or have other contents; both were read."""
    return sorted(name for name, seen in files.items() if _differs(seen, known.get(name)))


def _is_same(seen: Seen, known: Seen) -> bool:
    return (seen.size, seen.mtime_ns) == (known.size, known.mtime_ns)


def _differs(seen: Seen, known: Seen | None) -> bool:
    if known is None:
        return True
    if seen.digest and known.digest:
        return seen.digest != known.digest
    return not _is_same(seen, known)


def _matching(workspace: Path, patterns: Sequence[str]) -> Iterator[Path]:
    root = workspace.resolve()
    for pattern in patterns:
        for path in workspace.glob(pattern):
            if STATE_FOLDER in path.relative_to(workspace).parts or not path.is_file():
                continue
            if path.resolve().is_relative_to(root):
                yield path


def _digest(path: Path, size: int) -> str:
    if size > _READ_UP_TO:
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # it went, or cannot be read: size and time speak for it
