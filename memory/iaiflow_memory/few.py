"""All that a question may see, read at once where it is little.

DuckDB takes longer to plan a statement that joins and sums than to read a few thousand rows. So
what is little is read by plain statements and put together here; the answers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iaiflow_memory.allowed import Allowed
from iaiflow_memory.store import Reader, Row

#: Up to this many memories are little.
MOST: Final = 2_000
#: The place of the role in what `pool` tells.
_ROLE: Final = 3
#: Up to so many times as many rows as are wanted are read where they stand together.
DENSE: Final = 4


@dataclass(frozen=True, slots=True)
class Few:
    """The few memories that a question may see."""

    #: What the statement `pool` tells of each, by row.
    rows: Mapping[int, Row]
    #: Who speaks in their scopes, also in what may not be seen; None when that is not known.
    roles: frozenset[str] | None = None

    @property
    def ends(self) -> dict[str, int] | None:
        """The first and the last row, if most between them are of these; else None."""
        return together(self.rows)


def few(reader: Reader, seen: Allowed, docs: int) -> Few | None:
    """Return what a question may see if it is little, else None.

    Args:
        reader: The memory.
        seen: What may be found.
        docs: How many memories stand in the whole.
    """
    if seen.scopes is None:
        return _few_seen(reader, seen) if docs <= MOST else None
    rows = seen.rows(reader, "pool_place", {"most": MOST + 1})
    if len(rows) > MOST:
        return _few_seen(reader, seen)
    roles = frozenset(row[_ROLE] for row in rows)
    return Few({row[0]: row[:-1] for row in rows if row[-1]}, roles)


def _few_seen(reader: Reader, seen: Allowed) -> Few | None:
    rows = seen.rows(reader, "pool_few", {"most": MOST + 1})
    return Few({row[0]: row for row in rows}) if len(rows) <= MOST else None


def together(rows: Mapping[int, object] | set[int]) -> dict[str, int] | None:
    """Return the ends of rows, as the parameters `first` and `last`, if they stand together."""
    if not rows:
        return None
    first, last = min(rows), max(rows)
    return {"first": first, "last": last} if last - first <= DENSE * len(rows) else None
