"""What DuckDB and the system complain of, as faults that a user understands."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from pathlib import Path

from iaiflow_memory.errors import Busy, Damaged, Full, MemoryFault, Unavailable

_HELD = re.compile(r"could not set lock|conflicting lock|different configuration", re.IGNORECASE)
_HOLDER = re.compile(r"\(PID (\d+)\)")
_FULL = re.compile(
    r"no space left|file too large|disk quota|not enough space|out of disk", re.IGNORECASE
)
_DAMAGED = re.compile(
    r"not a valid duckdb|corrupt|checksum|could not read enough|wal file|serializ|deserializ"
    r"|storage version|internal error|sqlite_scanner",
    re.IGNORECASE,
)


@contextlib.contextmanager
def translated(path: Path) -> Generator[None]:
    """Raise faults instead of what DuckDB and the system raise within the block.

    Args:
        path: The file, to name it.
    """
    import duckdb

    try:
        yield
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.IntegrityError):
        raise  # a mistake of ours, or of an export that is read
    except duckdb.Error as error:
        raise _fault(str(error), path) from error
    except OSError as error:
        raise _fault(error.strerror or str(error), path) from error


def quoted(path: Path) -> str:
    """Return a path as SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def is_fatal(error: BaseException) -> bool:
    """Return whether DuckDB refuses all further work with the open file after this."""
    import duckdb

    return isinstance(error, duckdb.FatalException | duckdb.InternalException | duckdb.IOException)


def _fault(message: str, path: Path) -> MemoryFault:
    where = str(path)
    if _HELD.search(message):
        holder = _HOLDER.search(message)
        who = f"process {holder[1]}" if holder else "another connection"
        return Busy(f"The memory is open in {who}", where=where, remedy="close it there first")
    if _FULL.search(message):
        return Full("No room is left on the disk", where=where, remedy="free some and try again")
    if _DAMAGED.search(message):
        return Damaged(
            "This file is no memory, or it is damaged",
            where=where,
            remedy="move it (and its .wal) away and load an export",
        )
    reason = message.splitlines()[0].rstrip(".") if message else "unknown reason"
    return Unavailable(f"The memory cannot be used: {reason}", where=where)
