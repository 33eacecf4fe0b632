"""Memories in the order in which they were said, a page at a time."""

from __future__ import annotations

from typing import Final

from iaiflow_memory.allowed import allowed
from iaiflow_memory.checking import number
from iaiflow_memory.clock import FOREVER
from iaiflow_memory.errors import BadInput
from iaiflow_memory.items import read_items
from iaiflow_memory.model import Item, Query
from iaiflow_memory.store import Reader

#: The largest page.
MOST: Final = 1_000
#: Comes after the place of every memory.
NEWEST: Final = (FOREVER, 0)


def timeline(
    reader: Reader,
    query: Query,
    *,
    now: float,
    before: tuple[float, int] = NEWEST,
    ended: bool = False,
) -> list[Item]:
    """Return memories, newest first.

    Args:
        reader: The memory.
        query: What limits them, and how many at most; its text is not looked at.
        now: The present, in seconds since the epoch.
        before: The place (`Item.at`, `Item.n`) of the last one of the page before.
        ended: Whether those are there, too, that stand no longer or are so no longer: each memory
            by the version that stands, or stood last.

    Raises:
        BadInput: The limit cannot be used.
    """
    if not 1 <= query.limit <= MOST:
        raise BadInput(
            f"limit is {query.limit}", where="timeline", remedy=f"ask for 1 to {MOST} memories"
        )
    seen = allowed(reader, query, now, ended=ended)
    statement = "timeline_ever" if ended else "timeline"
    place = {"at": before[0], "row": number(before[1], "before"), "limit": query.limit}
    rows = [row[0] for row in seen.rows(reader, statement, place)]
    items = read_items(reader, rows)
    return [items[n] for n in rows]
