"""The version of the database's tables: made new, brought up to date, or refused."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from iaiflow_lab.errors import StoreError
from iaiflow_lab.settings import unwritable
from iaiflow_lab.store.database import BUSY_TIMEOUT_MS, translated

#: The revision that `schema.sql` and the last migration make; revisions are counted.
HEAD: Final = "0005"

_REVISION: Final = "SELECT version_num FROM alembic_version"
_SCHEMA: Final = Path(__file__).parent / "schema.sql"


def bring_up_to_date(path: Path) -> None:
    """Make the tables of the database at `path` those of this version.

    Raises:
        InputError: Nothing can be written beside it.
        StoreError: The database is damaged, or made by a newer version.
    """
    if path.exists() and revision(path) == HEAD:
        return
    with _exclusively(path.with_name("lab.lock")):
        found = revision(path)
        if not found:
            _create(path)
        elif found > HEAD:
            raise StoreError(
                f"The database is of version {found}; this IAI Flow Lab knows up to {HEAD}.",
                where=str(path),
                remedy="Use the newer IAI Flow Lab, or another workspace",
                code="store-newer",
            )
        elif found < HEAD:
            from iaiflow_lab.store.migrate import migrate

            migrate(path)


def revision(path: Path) -> str:
    """Return the revision of the database at `path`; "" when it has no tables yet."""
    with translated(path), closing(_open(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not tables:
            return ""
        known = "alembic_version" in tables
        row = connection.execute(_REVISION).fetchone() if known else None
        if row is None:
            raise StoreError(
                "This is not a database of IAI Flow Lab.",
                where=str(path),
                remedy="Move it away",
                code="store-foreign",
            )
        return row[0]


def _create(path: Path) -> None:
    script = _SCHEMA.read_text(encoding="utf-8")
    with translated(path), closing(_open(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\n"
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));\n"
            f"INSERT INTO alembic_version VALUES ('{HEAD}');\nCOMMIT;"
        )


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


@contextmanager
def _exclusively(lock: Path) -> Generator[None]:
    """Hold a lock between processes; the system frees it when this one ends."""
    try:
        file = lock.open("w")
    except OSError as error:
        raise unwritable(lock.parent, error) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
