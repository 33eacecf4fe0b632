"""Numbers of rows: each is given once, also when the row is erased later."""

from __future__ import annotations

from typing import Final

from iaiflow_memory.store import Reader

#: What is numbered, with the column that holds the number.
COUNTED: Final = {
    "items": "n",
    "episodes": "seq",
    "batches": "batch",
    "terms": "term_id",
    "scopes": "scope",
    "models": "k",
}


class Numbers:
    """Gives numbers, from the one after the last that the file has seen."""

    def __init__(self, reader: Reader) -> None:
        floors = dict(reader.rows("numbers_floor"))
        self._next = {
            table: max(int(floors.get(table, 0)), self._last(reader, table, column)) + 1
            for table, column in COUNTED.items()
        }

    def take(self, table: str, count: int = 1) -> int:
        """Return the first of `count` fresh numbers for a table."""
        first = self._next[table]
        self._next[table] += count
        return first

    def last(self) -> dict[str, int]:
        """Return the last number that was given, by table."""
        return {table: number - 1 for table, number in self._next.items()}

    def skip(self, reader: Reader) -> None:
        """Go on after the last numbers in the file, which came from elsewhere."""
        for table, column in COUNTED.items():
            self._next[table] = max(self._next[table], self._last(reader, table, column) + 1)

    @staticmethod
    def _last(reader: Reader, table: str, column: str) -> int:
        row = reader.one(f"SELECT coalesce(max({column}), 0) FROM {table}")  # noqa: S608
        return row[0] if row else 0
