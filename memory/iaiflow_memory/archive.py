"""Export as a folder of Parquet files, one for each table, and loading such a folder.

An export holds everything: past versions, what was forgotten, and where all of it comes from.
Loading one adds to what is there; memories and episodes that are there already stay as they are,
so that a load may be tried again.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from iaiflow_memory.errors import BadInput
from iaiflow_memory.model import Moved
from iaiflow_memory.numbers import Numbers
from iaiflow_memory.queries import QUERIES
from iaiflow_memory.store import Reader, Store, Writer
from iaiflow_memory.trouble import quoted, translated

#: What is exported; vectors are made anew by the embedder.
TABLES: Final = ("scopes", "batches", "episodes", "items", "provenance", "terms", "postings")
#: The version of what an export holds.
FORMAT: Final = 1
_CONTENTS: Final = "memory.json"
_PARAMETER: Final = re.compile(r"\$(\w+)")
_STEPS: Final = (
    *("load_ids", "load_scopes", "load_totals", "load_scope_numbers", "load_terms"),
    *("load_batches", "load_batch_numbers", "load_episodes", "load_episode_numbers"),
    *("load_items", "load_provenance", "load_postings", "load_df", "load_counts"),
)


def export(store: Store, folder: str | Path) -> Moved:
    """Write everything to a new folder; it is there as a whole, or not at all.

    Args:
        store: The open file.
        folder: Where to; it must not exist yet, or be empty.

    Raises:
        BadInput: The folder holds something.
        Full: No room is left on the disk.
        Unavailable: The folder cannot be written.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput("It exists already", where=str(folder), remedy="name a new folder")
    with store.read() as reader, translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            rows = {table: _export_table(reader, table, part) for table in TABLES}
            contents = {"format": FORMAT, "rows": rows}
            (part / _CONTENTS).write_text(json.dumps(contents, indent=1), encoding="utf-8")
            part.replace(target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return Moved(str(target), rows)


def load(store: Store, numbers: Numbers, folder: str | Path) -> Moved:
    """Add what an export holds.

    Args:
        store: The open file.
        numbers: The numbers that were given.
        folder: The export.

    Raises:
        BadInput: The folder is no export, or a newer or damaged one; nothing was loaded.
    """
    source = Path(folder)
    _check(source)
    import duckdb

    try:
        with store.write() as writer:
            items, episodes = _load_all(writer, source, numbers.last())
            numbers.skip(writer)
            store.faults("load.before_commit")
        store.look_again()
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.IntegrityError) as error:
        raise _no_export(source) from error
    return Moved(str(source), {"items": items, "episodes": episodes})


def _load_all(writer: Writer, source: Path, last: dict[str, int]) -> tuple[int, int]:
    known: dict[str, Any] = {**last, "source": _literal(source)}
    for step in _STEPS:
        names = set(_PARAMETER.findall(QUERIES[step]))
        writer.run(step, {name: known[name] for name in names})
    row = writer.one("loaded", {"items": last["items"], "episodes": last["episodes"]})
    assert row is not None
    return row[0], row[1]


def _literal(folder: Path) -> str:
    """Return a path in which DuckDB takes no character for one that stands for others."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(folder))


def _export_table(reader: Reader, table: str, folder: Path) -> int:
    path = quoted(folder / f"{table}.parquet")
    row = reader.one(f"COPY {table} TO {path} (FORMAT parquet, COMPRESSION zstd)")
    return row[0] if row else 0


def _check(source: Path) -> None:
    try:
        contents = json.loads((source / _CONTENTS).read_text(encoding="utf-8"))
        version = int(contents["format"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _no_export(source) from error
    if version != FORMAT:
        raise BadInput(
            f"This export has format {version}; this version reads format {FORMAT}",
            where=str(source),
            remedy="export it with the version that made it, or upgrade iaiflow-lab",
        )
    missing = [table for table in TABLES if not (source / f"{table}.parquet").is_file()]
    if missing:
        raise _no_export(source)


def _no_export(source: Path) -> BadInput:
    return BadInput(
        "This folder is no export of a memory, or it is damaged",
        where=str(source),
        remedy="name a folder that `export` has made",
    )
