"""What was recalled: it is not stored again as new, and what is used often is known.

A search does not wait for a disk: what it found is written down with the next write.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from iaiflow_memory.model import Scope
from iaiflow_memory.scopes import may_share
from iaiflow_memory.store import Reader, Writer
from iaiflow_memory.terms import normalise

_Entry = TypeVar("_Entry")

#: For how long a text counts as recalled, in seconds.
_REMEMBERED: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Recalled:
    """A memory whose text was recalled."""

    #: Its row.
    n: int
    #: Its id.
    id: str
    #: Whose it is.
    scope: Scope
    #: Until when it is so and found, in seconds since the epoch.
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Note:
    moment: float
    question: int
    n: int
    digest: bytes


class Recall:
    """Notes what was recalled, and knows it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: list[_Note] = []
        #: Digests of all that was recalled, and perhaps of more; None before the first look.
        self._digests: set[bytes] | None = None

    def note(self, texts: Sequence[tuple[int, str]], question: str, now: float) -> None:
        """Note that texts were recalled.

        Args:
            texts: The row of the memory and the text, for each.
            question: What was asked.
            now: When, in seconds since the epoch.
        """
        asked = int.from_bytes(_digest(question)[:8])
        notes = [_Note(now, asked, n, _digest(text)) for n, text in texts]
        with self._lock:
            self._notes += notes

    def count(self) -> int:
        """Return how many notes are to be written down."""
        return len(self._notes)

    def flush(self, writer: Writer) -> None:
        """Write down what was noted."""
        with self._lock:
            notes, self._notes = self._notes, []
        if not notes:
            return
        times = Counter(note.n for note in notes)
        moments = {note.n: note.moment for note in notes}
        uses: dict[str, list[int] | list[float]] = {
            "ns": list(times),
            "times": list(times.values()),
            "moments": [moments[n] for n in times],
        }
        writer.run("uses_count", uses)
        writer.run("uses_put", uses)
        distinct = {note.digest: note for note in notes}.values()
        rows = [(note.moment, note.question, note.n, note.digest) for note in distinct]
        writer.run("recall_put", [list(column) for column in zip(*rows, strict=True)])
        writer.run("recall_trim", [notes[-1].moment - _REMEMBERED])
        if self._digests is not None:
            self._digests.update(note.digest for note in notes)

    def find(
        self, reader: Reader, entries: Sequence[tuple[_Entry, str, Scope]]
    ) -> Iterator[tuple[_Entry, Recalled]]:
        """Yield the entries whose text was recalled, of the same project and person.

        Args:
            reader: Reads.
            entries: Anything, its text and its scope.
        """
        if self._digests is None:
            self._digests = {digest for (digest,) in reader.rows("recall_digests")}
        digests = self._digests.intersection(_digest(text) for _, text, _ in entries)
        seen = reader.rows("recall_seen", [list(digests)]) if digests else []
        if not seen:
            return
        standing = {
            n: Recalled(n, memory, Scope(*scope), ends_at)
            for n, memory, ends_at, *scope in reader.rows("recall_standing", [[n for _, n in seen]])
        }
        found = {digest: standing[n] for digest, n in seen if n in standing}
        for entry, text, scope in entries:
            recalled = found.get(_digest(text))
            if recalled is not None and may_share(scope, recalled.scope):
                yield entry, recalled


def _digest(text: str) -> bytes:
    return hashlib.sha256(normalise(text).encode()).digest()
