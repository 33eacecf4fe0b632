"""The tables of a memory, version by version: `0001.sql` makes the first, and so on.

A file is brought up to date when it is opened; each step is one transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from iaiflow_memory.clock import Clock
from iaiflow_memory.errors import Damaged, WrongSchema
from iaiflow_memory.ids import new_id

if TYPE_CHECKING:
    import duckdb

#: The steps, in order.
STEPS: Final = sorted(Path(__file__).parent.glob("[0-9]*.sql"))
#: The version that this program reads and writes.
CURRENT: Final = len(STEPS)


def prepare(connection: duckdb.DuckDBPyConnection, path: Path, clock: Clock) -> None:
    """Make the tables of a new file, or bring those of an older one up to date.

    Args:
        connection: The open file.
        path: The file, to name it in a fault.
        clock: When a new file is made.

    Raises:
        Damaged: The file holds other tables.
        WrongSchema: The file was made by a newer version.
    """
    version = _version(connection, path)
    if version > CURRENT:
        raise WrongSchema(
            f"This memory has format {version}; this version reads up to {CURRENT}",
            where=str(path),
            remedy="upgrade iaiflow-lab",
        )
    for number, step in enumerate(STEPS[version:], version + 1):
        connection.begin()
        connection.execute(step.read_text(encoding="utf-8"))
        if number == 1:
            _sign(connection, clock.now())
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", [str(number)])
        connection.commit()


def last_moment(connection: duckdb.DuckDBPyConnection) -> float:
    """Return when the last batch was recorded, in seconds since the epoch; 0 if there is none."""
    row = connection.execute("SELECT coalesce(max(moment), 0) FROM batches").fetchone()
    return row[0] if row else 0.0


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the version of the tables, 0 if there are none."""
    tables = {
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
    }
    if not tables:
        return 0
    row = (
        connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        if "meta" in tables
        else None
    )
    if row is None or not str(row[0]).isdigit():
        raise Damaged(
            "This database holds other tables than those of a memory",
            where=str(path),
            remedy="name another file",
        )
    return int(row[0])


def _sign(connection: duckdb.DuckDBPyConnection, now: float) -> None:
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [["schema", "0"], ["created", str(now)], ["workspace", new_id(now)]],
    )
