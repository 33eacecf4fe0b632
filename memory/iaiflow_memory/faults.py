"""Named crash points: places where a test may end the process to prove that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

#: Told the name of every crash point that is reached; may not return.
Faults = Callable[[str], None]

#: Every crash point of the file, with what has happened when it is reached.
POINTS: Final[dict[str, str]] = {
    "write.before_commit": "rows are written, not committed",
    "write.after_commit": "rows are committed, nobody knows yet",
    "erase.before_copy": "rows are deleted, their bytes are there",
    "erase.before_swap": "the copy is whole, the file is the old one",
    "erase.after_swap": "the copy is the file, nobody knows yet",
    "sort.before_commit": "postings are sorted, not committed; what was written is",
    "load.before_commit": "loaded rows are written, not committed",
}


def no_faults(point: str) -> None:
    """Let a crash point pass."""
    del point
