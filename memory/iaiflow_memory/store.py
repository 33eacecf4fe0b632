"""The one DuckDB file of a memory: opened, read, written and put in another's place.

Many threads may read at once, each sees what was committed when it began; one writes at a time.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iaiflow_memory import schema
from iaiflow_memory.clock import Clock, SystemClock
from iaiflow_memory.errors import BadInput, Busy, Unavailable
from iaiflow_memory.faults import Faults, no_faults
from iaiflow_memory.gate import Gate
from iaiflow_memory.grown import Columns, Grown
from iaiflow_memory.kept import Kept
from iaiflow_memory.queries import QUERIES
from iaiflow_memory.trouble import is_fatal, translated

if TYPE_CHECKING:
    import duckdb

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]

#: Moments of two batches differ at least by this, in seconds: they tell batches apart.
_TICK = 1e-6
#: Reads nothing, and has DuckDB settle what a transaction sees.
_PIN = "SELECT 1 FROM meta LIMIT 0"
#: The files that this process has open. DuckDB would let it open one twice, and count twice.
_OPEN: set[Path] = set()
_OPENING = threading.Lock()
#: Nothing is fetched from a network.
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Reader:
    """A connection that sees one state of the file.

    Args:
        connection: A DuckDB connection of its own, within a transaction.
        parsed: Statements that were parsed before, by name: parsing takes as long as doing.
        kept: What was read before of a state of the file.
        grown: What was read before of tables that only grow.
        state: The state that was there before the transaction began; None keeps nothing.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        parsed: dict[str, duckdb.Statement],
        kept: Kept,
        grown: Grown,
        state: int | None = None,
    ) -> None:
        self.connection = connection
        self._parsed = parsed
        self._kept = kept
        self._grown = grown
        self._state = state
        self._is_pinned = False

    def rows(self, query: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows of a statement.

        Args:
            query: The name of a statement in queries/*.sql, or SQL.
            parameters: Its values, by position (`?`) or name (`$name`).
        """
        return self._executed(query, parameters).fetchall()

    def one(self, query: str, parameters: Parameters = ()) -> Row | None:
        """Return the first row of a statement, or None."""
        return self._executed(query, parameters).fetchone()

    def columns(self, query: str, parameters: Parameters = ()) -> Columns:
        """Return all rows of a statement as a numpy array for each column."""
        executed: Any = self._executed(query, parameters)  # its type leaves that of arrays open
        return executed.fetchnumpy()

    def grown(self, table: str, names: Sequence[str], count: int) -> Columns:
        """Return columns of a table that only grows, as numpy arrays; nobody changes them.

        Args:
            table: Its name.
            names: The names of the columns.
            count: How many rows it has.
        """
        query = f"SELECT {', '.join(names)} FROM {table} WHERE rowid >= ?"  # noqa: S608
        return self._grown.columns(table, count, lambda first: self.columns(query, [first]))

    def kept(self, query: str, *parameters: Hashable) -> list[Row]:
        """Return all rows of a small statement, as they were read before if nothing was written.

        Args:
            query: The name of a statement in queries/*.sql, or SQL.
            parameters: Its values, by position.
        """
        state = self._seen()
        if state is None:
            return self.rows(query, parameters)
        key = (query, *parameters)
        rows = self._kept.find(state, key)
        if rows is None:
            rows = self.rows(query, parameters)
            self._kept.keep(state, key, rows, 1 + len(rows))
        return rows

    def kept_each(self, query: str, keys: Iterable[Hashable]) -> dict[Any, Row]:
        """Return rows by what stands first in them, those of before if nothing was written.

        Args:
            query: The name of a statement in queries/*.sql, or SQL; its one value is a list of
                keys, for each of which it has one row or none.
            keys: The keys; those without a row are left out.
        """
        state = self._seen()
        wanted = list(keys)
        if state is None:
            return {row[0]: row for row in self.rows(query, [wanted])}
        known = {key: self._kept.find(state, (query, key)) for key in wanted}
        missing = [key for key, row in known.items() if row is None]
        if missing:
            found = {row[0]: row for row in self.rows(query, [missing])}
            for key in missing:
                known[key] = found.get(key, ())
                self._kept.keep(state, (query, key), known[key], 1)
        return {key: row for key, row in known.items() if row}

    def keep_each(self, query: str, rows: Iterable[Row]) -> None:
        """Keep rows for `kept_each` that another statement of this transaction has told.

        Args:
            query: The statement that `kept_each` is asked for.
            rows: The rows that it has, with the key first in each.
        """
        state = self._seen()
        if state is not None:
            for row in rows:
                self._kept.keep(state, (query, row[0]), row, 1)

    def _seen(self) -> int | None:
        """Return the state that this transaction sees, or None if that cannot be told."""
        if self._state is not None and not self._is_pinned:
            self.connection.execute(_PIN)  # DuckDB chooses what it sees with the first look
            self._is_pinned = True
            if not self._kept.is_still(self._state):
                self._state = None
        return self._state

    def _executed(self, query: str, parameters: Parameters) -> duckdb.DuckDBPyConnection:
        if query not in QUERIES:
            return self.connection.execute(query, parameters)
        if query not in self._parsed:
            (self._parsed[query],) = self.connection.extract_statements(QUERIES[query])
        return self.connection.execute(self._parsed[query], parameters)


class Writer(Reader):
    """The connection that writes, within a transaction.

    Args:
        connection: A DuckDB connection of its own, within a transaction.
        parsed: Statements that were parsed before, by name.
        kept: What was read before; a writer sees what it wrote, and looks itself.
        grown: What was read before of tables that only grow.
        tick: Returns a moment that is later than all others.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        parsed: dict[str, duckdb.Statement],
        kept: Kept,
        grown: Grown,
        tick: Callable[[], float],
    ) -> None:
        super().__init__(connection, parsed, kept, grown)
        self._tick = tick

    def run(self, query: str, parameters: Parameters = ()) -> None:
        """Execute a statement that returns nothing of interest."""
        self._executed(query, parameters)

    def drop(self, table: str) -> None:
        """Drop a table that only grew."""
        self.run(f"DROP TABLE {table}")
        self._grown.drop(table)

    def moment(self) -> float:
        """Return the moment of the next batch: now, and later than all that is recorded."""
        return self._tick()


class Store:
    """The file, open in this process; DuckDB lets no other process open it meanwhile.

    Args:
        path: The file; it is made when it is missing.
        clock: Where the time comes from.
        faults: Told of every crash point.

    Raises:
        BadInput: The path is a folder.
        Busy: Another process holds the file.
        Damaged: The file is no memory, or broken.
        WrongSchema: The file was made by a newer version.
        Unavailable: The file cannot be read or written here.
        Full: No room is left on the disk.
    """

    def __init__(
        self, path: str | Path, *, clock: Clock | None = None, faults: Faults = no_faults
    ) -> None:
        self.path = Path(path)
        self.clock = clock or SystemClock()
        self.faults = faults
        self._writing = threading.RLock()
        self._gate = Gate()
        self._spare: list[duckdb.DuckDBPyConnection] = []
        self._parsed: dict[str, duckdb.Statement] = {}
        self._kept = Kept()
        self._grown = Grown()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._is_broken = False
        #: Whether it was closed.
        self.is_closed = False
        self._last = 0.0
        self._claim()
        try:
            self._open()
        except BaseException:
            self._give_up()
            raise

    @contextlib.contextmanager
    def read(self) -> Generator[Reader]:
        """Give a reader that sees what is committed now, and nothing of later."""
        self._mend()
        with self._gate.shared():
            state = self._kept.state  # looked at first: what is seen is this one, or a later one
            with self._cursor() as cursor:
                yield Reader(cursor, self._parsed, self._kept, self._grown, state)

    @contextlib.contextmanager
    def write(self) -> Generator[Writer]:
        """Give the writer; what it wrote is on disk when the block has ended without a fault.

        Raises:
            Full: No room is left on the disk; nothing was written.
        """
        with self._writing:
            self._mend()
            with self._gate.shared(), self._cursor() as cursor:
                yield Writer(cursor, self._parsed, self._kept, self._grown, self._tick)
                self.faults("write.before_commit")
                with self._changing():
                    cursor.commit()
                self.faults("write.after_commit")

    @contextlib.contextmanager
    def offline(self) -> Generator[None]:
        """Close the file while the block runs, alone: nobody reads or writes meanwhile."""
        with self._writing, self._gate.alone(), self._changing():
            self._shut()
            try:
                yield
            finally:
                self._open_again()

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._writing, self._gate.alone():
            if not self.is_closed:
                self.is_closed = True
                self._shut()
                self._give_up()

    def now(self) -> float:
        """Return the present: never before what is recorded, also when the clock was set back."""
        return max(self.clock.now(), self._last)

    def look_again(self) -> None:
        """Let the next moment be later than what another file brought along."""
        with self._writing, self._gate.shared(), self._cursor() as cursor:
            self._last = max(self._last, schema.last_moment(cursor))

    def files(self) -> list[Path]:
        """Return the file and all that DuckDB keeps beside it."""
        return [path for path in (self.path, *logs_of(self.path)) if path.exists()]

    def _claim(self) -> None:
        path = self.path.resolve()
        with _OPENING:
            if path in _OPEN:
                raise Busy(
                    "The memory is open in this process already",
                    where=str(self.path),
                    remedy="use that one, or close it first",
                )
            _OPEN.add(path)

    def _give_up(self) -> None:
        with _OPENING:
            _OPEN.discard(self.path.resolve())

    def _open(self) -> None:
        import duckdb

        if self.path.is_dir():
            raise BadInput("This is a folder", where=str(self.path), remedy="name a file within it")
        with translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                self._make()
            self._database = duckdb.connect(str(self.path), config=_SETTINGS)
        try:
            with translated(self.path):
                schema.prepare(self._database, self.path, self.clock)
                self._last = schema.last_moment(self._database)
        except BaseException:
            self._shut()
            raise

    def _make(self) -> None:
        """Make the file beside its place: whoever dies meanwhile leaves no half of one there."""
        import duckdb

        part = self.path.with_name(self.path.name + ".new")
        for left in (part, *logs_of(part), *logs_of(self.path)):
            left.unlink(missing_ok=True)
        with contextlib.closing(duckdb.connect(str(part), config=_SETTINGS)) as database:
            schema.prepare(database, self.path, self.clock)
        part.chmod(0o600)
        part.replace(self.path)
        sync_folder(self.path.parent)

    def _open_again(self) -> None:
        self._is_broken = True  # until it is open: who comes then tries it again
        self._open()
        self._is_broken = False

    def _shut(self) -> None:
        for cursor in self._spare:
            cursor.close()
        self._spare.clear()
        self._parsed.clear()
        self._grown = Grown()
        if self._database is not None:
            self._database.close()
            self._database = None

    def _mend(self) -> None:
        """Open the file again after DuckDB has given it up, as it does when a disk is full."""
        if self.is_closed:
            raise self._closed()
        if self._is_broken and not self._gate.is_inside():
            with self._writing, self._gate.alone(), self._changing():
                self._shut()
                self._open_again()

    @contextlib.contextmanager
    def _cursor(self) -> Generator[duckdb.DuckDBPyConnection]:
        if self._database is None:  # closed while this thread waited at the gate
            raise self._closed()
        with translated(self.path):
            cursor = self._spare_cursor() or self._database.cursor()
            try:
                cursor.begin()
                yield cursor
            except BaseException as error:
                self._is_broken = self._is_broken or is_fatal(error)
                with contextlib.suppress(Exception):
                    cursor.rollback()
                cursor.close()
                raise
            with contextlib.suppress(Exception):  # committed by the writer
                cursor.rollback()
            self._spare.append(cursor)

    def _closed(self) -> Unavailable:
        return Unavailable("This memory is closed", where=str(self.path), remedy="open it again")

    def _spare_cursor(self) -> duckdb.DuckDBPyConnection | None:
        with contextlib.suppress(IndexError):  # not asked before: other threads take some too
            return self._spare.pop()
        return None

    @contextlib.contextmanager
    def _changing(self) -> Generator[None]:
        self._kept.begin()
        try:
            yield
        finally:
            self._kept.end()

    def _tick(self) -> float:
        self._last = max(self.clock.now(), self._last + _TICK)
        return self._last


def logs_of(path: Path) -> list[Path]:
    """Return where DuckDB keeps the log of a file, also while it moves it into the file."""
    return [path.with_name(path.name + end) for end in (".wal", ".wal.checkpoint", ".wal.recovery")]


def sync_folder(folder: Path) -> None:
    """Have on disk which files are in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
