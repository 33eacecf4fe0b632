"""Where each term is: postings, kept in runs that are sorted by term.

New postings are appended. When many have come, they are written again by term: DuckDB knows what is
least and greatest in each 122,880 rows of a column, and skips those in which no asked term can be.
A run is of memories that were written one after the other, so that what one memory has is found
without looking through more than its run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iaiflow_memory.store import Reader, Row, Writer

#: Postings of a run: those of about 100,000 memories, sorted in a quarter of a second.
RUN: Final = 2_000_000


class Postings:
    """Writes postings.

    Args:
        reader: Tells how many are not sorted.
    """

    def __init__(self, reader: Reader) -> None:
        self._unsorted = _unsorted(reader)

    @property
    def is_due(self) -> bool:
        """Whether there is a run to sort."""
        return self._unsorted >= RUN

    def count_again(self, reader: Reader) -> None:
        """Count what came from elsewhere."""
        self._unsorted = _unsorted(reader)

    def put(self, writer: Writer, rows: Sequence[Row]) -> None:
        """Write which term (its number) is in which memory (its row) how often."""
        writer.run("postings_put", [list(column) for column in zip(*rows, strict=True)])
        self._unsorted += len(rows)

    def sort(self, writer: Writer) -> None:
        """Sort one run."""
        self._unsorted = 0  # so, where it fails, as on a full disk, it is tried after as many more
        if _unsorted(writer) >= RUN:  # not so when some were counted that were not committed
            _sort_run(writer)
        self._unsorted = _unsorted(writer)


def _sort_run(writer: Writer) -> None:
    after = _sorted_to(writer)
    last = writer.rows("postings_run_end", {"after": after, "run": RUN})[0][0]
    ends = {"first": after + 1, "last": last}
    writer.run("postings_run", ends)
    writer.run("postings_clear", ends)
    writer.run("postings_put_run")
    writer.run("postings_drop_run")
    writer.run("postings_sorted", [str(last)])


def _unsorted(reader: Reader) -> int:
    return reader.rows("postings_unsorted", [_sorted_to(reader)])[0][0]


def _sorted_to(reader: Reader) -> int:
    """Return the last memory whose postings are sorted; 0 if none are."""
    row = reader.one("postings_sorted_to")
    return int(row[0]) if row else 0
