"""Columns of tables that only grow, kept in memory as arrays of numpy, where it is installed.

Rows are added at the end of such a table and stay as they are, until something is erased and the
file is opened anew. So what was read once is read no more, and each state of the file has the
beginning of what is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: By how much more than is needed a column grows, so that not every new row moves all others.
_SPARE: Final = 1 / 8

Columns = Mapping[str, "NDArray[Any]"]
#: Reads all rows of a table from a place on.
Read = Callable[[int], Columns]


class Grown:
    """Columns of the tables of one open file. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[str, _Table] = {}

    def columns(self, table: str, count: int, read: Read) -> Columns:
        """Return the first rows of a table.

        Args:
            table: Its name.
            count: How many rows it has, as far as can be seen.
            read: Reads the rows from a place on, of those that can be seen.
        """
        with self._lock:
            held = self._tables.setdefault(table, _Table())
            if held.count < count:
                held.grow(count, read)
            return held.first(count)

    def drop(self, table: str) -> None:
        """Keep nothing of a table that is no more, and whose name none will have again."""
        with self._lock:
            self._tables.pop(table, None)


class _Table:
    def __init__(self) -> None:
        self.count = 0
        self._columns: dict[str, NDArray[Any]] = {}

    def first(self, count: int) -> Columns:
        return {name: column[:count] for name, column in self._columns.items()}

    def grow(self, count: int, read: Read) -> None:
        found = read(self.count)
        if _length(found) != count - self.count:  # some before them are gone, without our knowledge
            self.count, self._columns = 0, {}
            found = read(0)
        self._columns = {
            name: _extended(self._columns.get(name), self.count, column)
            for name, column in found.items()
        }
        self.count = count


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _extended(column: NDArray[Any] | None, count: int, more: NDArray[Any]) -> NDArray[Any]:
    """Return a column with more rows after the first ones; readers may look at those meanwhile."""
    import numpy as np

    needed = count + len(more)
    if column is None or len(column) < needed:
        roomy = np.empty(needed + int(needed * _SPARE), more.dtype)
        if column is not None:
            roomy[:count] = column[:count]
        column = roomy
    column[count:needed] = more
    return column
