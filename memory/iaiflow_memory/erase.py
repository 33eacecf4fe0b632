"""Erasing: the text is gone from the file and its log, not only from the answers.

DuckDB leaves the bytes of deleted rows in the file, even when the table is written anew. So what
is left is copied into a new file, which takes the place of the old one. A process that dies
between the two leaves a mark in the file, by which the next one that opens it ends the work.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from iaiflow_memory.errors import BadInput
from iaiflow_memory.model import Erased, Scope
from iaiflow_memory.numbers import Numbers
from iaiflow_memory.store import Store, Writer, logs_of, sync_folder
from iaiflow_memory.trouble import quoted, translated

#: Tables of rows of memories; the vectors of model k are in `emb_k`.
_TABLES: Final = ("postings", "uses", "recall_log", "items")


def erase(
    store: Store, numbers: Numbers, *, ids: Sequence[str], subject: str, scope: Scope
) -> Erased:
    """Erase memories with all their versions, and the episodes that hold their text.

    What else was drawn from those episodes goes too. By a subject or scope, all episodes go from
    which such a memory was drawn.

    Args:
        store: The open file.
        numbers: The numbers that were given, so that none is given again.
        ids: Only these memories; none does not limit.
        subject: Only what is about this; "" does not limit.
        scope: Only in this scope; a part that is "" does not limit.

    Raises:
        BadInput: Nothing says what to erase.
    """
    if not ids and not subject and scope == Scope():
        raise BadInput(
            "Nothing says what to erase", where="erase", remedy="give an id, a subject or a scope"
        )
    before = _size(store.path)
    with store.write() as writer:
        memories, episodes = _choose(writer, list(ids), subject, scope)
        versions = _delete(writer, numbers) if memories or episodes else 0
    if _is_begun(store):  # also when what is erased was deleted before, and there was no room
        renew(store)
    return Erased(versions, episodes, before, _size(store.path))


def renew(store: Store) -> None:
    """Put a copy in the place of the file, which holds only what has not been deleted."""
    store.faults("erase.before_copy")
    with store.offline(), translated(store.path):
        copy = _copy_of(store.path)
        _remove(copy)
        _copy(store.path, copy)
        shutil.copymode(store.path, copy)
        store.faults("erase.before_swap")
        copy.replace(store.path)
        for log in logs_of(store.path):
            log.unlink(missing_ok=True)
        _remove_spilled(store.path)
        sync_folder(store.path.parent)
        store.faults("erase.after_swap")


def finish(store: Store) -> None:
    """End an erasure that a process has begun which is no more."""
    _remove(_copy_of(store.path))
    if _is_begun(store):
        renew(store)


def _is_begun(store: Store) -> bool:
    """Return whether the file holds bytes of what was deleted to be erased."""
    with store.read() as reader:
        return reader.one("erasing") is not None


def _choose(writer: Writer, ids: list[str], subject: str, scope: Scope) -> tuple[int, int]:
    """Note what is to be erased; return how many memories and episodes."""
    is_wide = not ids
    is_scope = is_wide and not subject
    whose = asdict(scope)
    writer.run("erase_begin", {"ids": ids, "subject": subject, **whose})
    writer.run("erase_begin_episodes", {"is_scope": is_scope, **whose})
    chosen = (-1, -1)
    while chosen != (found := writer.rows("erase_counts")[0]):
        chosen = found
        writer.run("erase_sources", {"is_wide": is_wide})
        writer.run("erase_drawn")
    return chosen[0], chosen[1]


def _delete(writer: Writer, numbers: Numbers) -> int:
    """Delete what was noted; return how many versions."""
    for table, number in numbers.last().items():
        writer.run("numbers_keep", [table, str(number)])
    writer.run("erase_rows")
    versions = writer.rows("erase_rows_count")[0][0]
    for query in ("erase_totals", "erase_df", "erase_provenance", "erase_origin"):
        writer.run(query)
    vectors = [f"emb_{k}" for (k,) in writer.rows("SELECT k FROM models")]
    for table in (*_TABLES, *vectors):
        writer.run(f"DELETE FROM {table} WHERE n IN (SELECT n FROM gone_rows)")  # noqa: S608
    for query in ("erase_episodes", "erase_terms", "erase_scopes", "erase_scope_totals"):
        writer.run(query)
    writer.run("erase_mark")
    return versions


def _copy(source: Path, target: Path) -> None:
    import duckdb

    settings: dict[str, Any] = {"temp_directory": str(_spilled(target))}
    with contextlib.closing(duckdb.connect(":memory:", config=settings)) as connection:
        connection.execute(f"ATTACH {quoted(source)} AS source")
        connection.execute(f"ATTACH {quoted(target)} AS target")
        connection.execute("COPY FROM DATABASE source TO target")
        connection.execute("DELETE FROM target.meta WHERE key = 'erasing'")
        connection.execute("CHECKPOINT target")
        connection.execute("DETACH target")
        connection.execute("DETACH source")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _copy_of(path: Path) -> Path:
    return path.with_name(path.name + ".erasing")


def _remove(path: Path) -> None:
    for file in (path, *logs_of(path)):
        file.unlink(missing_ok=True)
    _remove_spilled(path)


def _remove_spilled(path: Path) -> None:
    """Remove what DuckDB had no memory for, and left behind when its process was killed."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(_spilled(path))


def _spilled(path: Path) -> Path:
    """Return where DuckDB puts what it has no memory for while it works on a file."""
    return path.with_name(path.name + ".tmp")


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, *logs_of(path)) if file.exists())
