"""The SQLite database: connections, transactions, named statements, and its errors as sentences."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.errors import StoreError
from iaiflow_lab.settings import STATE_DIR
from iaiflow_lab.store.queries import QUERIES

#: How long a statement waits for another process's transaction, in milliseconds.
BUSY_TIMEOUT_MS: Final = 30_000

Row = sqlite3.Row
Params = Mapping[str, Any] | Sequence[Any]


class Reader:
    """Reads by the names of statements in `store/queries/`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, query: str, params: Params = ()) -> Row | None:
        """Return the first row of the named query; None when there is none."""
        rows = self._connection.execute(QUERIES[query], params).fetchall()  # ends the statement
        return rows[0] if rows else None

    def all(self, query: str, params: Params = ()) -> list[Row]:
        """Return every row of the named query."""
        return self._connection.execute(QUERIES[query], params).fetchall()


class Transaction(Reader):
    """Reads and writes, all or nothing."""

    def run(self, query: str, params: Params = ()) -> int:
        """Execute the named statement; returns how many rows it changed."""
        return self._connection.execute(QUERIES[query], params).rowcount

    def run_many(self, query: str, rows: Iterable[Params]) -> int:
        """Execute the named statement for each of `rows`; returns how many rows it changed."""
        return self._connection.executemany(QUERIES[query], rows).rowcount


@dataclass(eq=False, slots=True)
class _Link:
    """One thread's connection."""

    connection: sqlite3.Connection
    process: int
    #: Whether its thread is in a transaction; SQLite crashes when that loses its connection.
    is_used: bool = False
    #: Whether it is to be closed, or is.
    is_over: bool = False


class Database:
    """One SQLite file; a connection for every thread.

    Args:
        path: The file; it must exist.
        durable: Whether a commit waits until the disk has it (else a power cut may lose the last).
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path = path
        self._durable = durable
        self._here = threading.local()
        self._open: dict[threading.Thread, _Link] = {}
        self._guard = threading.Lock()

    def write(
        self, before_commit: Callable[[], None] | None = None
    ) -> AbstractContextManager[Transaction]:
        """Open a transaction that holds the write lock from its start (BEGIN IMMEDIATE).

        Args:
            before_commit: Called when everything is written and not yet committed.

        Raises:
            StoreError: The database is busy for too long, full, damaged or not writable.
        """
        return self._transaction("BEGIN IMMEDIATE", before_commit)

    def read(self) -> AbstractContextManager[Reader]:
        """Open a snapshot: every read in it sees the same moment.

        Raises:
            StoreError: The database is damaged or cannot be read.
        """
        return self._transaction("BEGIN", None)

    def watch(self) -> Watch:
        """Return something that notices commits; close it."""
        with translated(self.path):
            return Watch(connect(self.path))

    def connection(self) -> sqlite3.Connection:
        """Return the calling thread's connection."""
        return self._link().connection

    def close(self) -> None:
        """Close the connections of all threads, those in a transaction at its end."""
        with self._guard:
            for link in self._open.values():
                _end(link)
            self._open.clear()

    def _link(self) -> _Link:
        link: _Link | None = getattr(self._here, "link", None)
        if link is None or link.is_over or link.process != os.getpid():
            link = self._here.link = self._connect()
        return link

    def _connect(self) -> _Link:
        with self._guard, translated(self.path):
            for thread in [thread for thread in self._open if not thread.is_alive()]:
                self._open.pop(thread).connection.close()
            link = _Link(connect(self.path, durable=self._durable), os.getpid())
            self._open[threading.current_thread()] = link
            return link

    def _take(self) -> _Link:
        """Return the calling thread's connection, which nobody closes until it is let go."""
        while True:
            link = self._link()
            with self._guard:
                if not link.is_over:
                    link.is_used = True
                    return link

    def _let_go(self, link: _Link) -> None:
        with self._guard:
            link.is_used = False
            if link.is_over:
                link.connection.close()

    @contextmanager
    def _transaction(
        self, begin: str, before_commit: Callable[[], None] | None
    ) -> Generator[Transaction]:
        link = self._take()
        connection = link.connection
        try:
            connection.execute(begin)
            yield Transaction(connection)
            if before_commit is not None:
                before_commit()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            with translated(self.path):
                raise
        finally:
            self._let_go(link)


def _end(link: _Link) -> None:
    link.is_over = True
    if not link.is_used:
        link.connection.close()


class Watch:
    """Notices commits without taking a lock.

    Args:
        connection: Used for nothing else; its own commits would go unnoticed.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._seen: int | None = None
        self._lock = threading.Lock()

    def changed(self) -> bool:
        """Say whether anything was committed since the last call; True at the first."""
        with self._lock:
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            changed = version != self._seen
            self._seen = version
            return changed

    def close(self) -> None:
        """Close the connection, after a look that goes on."""
        with self._lock:
            self._connection.close()


def connect(path: Path, *, durable: bool = False) -> sqlite3.Connection:
    """Open one connection with the settings that every connection has."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,  # a dead thread's connection is closed by another
        cached_statements=256,
    )
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


_WRITABLE: Final = f"Make its folder writable, or set {STATE_DIR} to another one"
_RESTORE: Final = "Restore a copy, or move the file away"

#: By a part of SQLite's message: code, what is wrong, what to do.
_SENTENCES: Final = {
    "disk is full": ("disk-full", "The disk is full.", "Free some space and try again"),
    "disk i/o error": (
        "disk-error",
        "The disk cannot be read or written.",
        "Check whether it is full or damaged",
    ),
    "locked": ("store-busy", "Another process holds the database.", "End it, or try again later"),
    "readonly": (
        "read-only",
        "The database is read-only.",
        _WRITABLE,
    ),
    "unable to open": (
        "store-missing",
        "The database cannot be opened.",
        _WRITABLE,
    ),
    "malformed": ("store-damaged", "The database is damaged.", _RESTORE),
    "not a database": ("store-damaged", "This is not a database.", _RESTORE),
}


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Turn what SQLite raises about the file at `path` into a sentence.

    Raises:
        StoreError: SQLite could not use the file.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        message = str(error).lower()
        for part, (code, what, remedy) in _SENTENCES.items():
            if part in message:
                raise StoreError(what, where=str(path), remedy=remedy, code=code) from error
        raise
