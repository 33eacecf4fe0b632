"""Outputs of earlier runs that are still alive in this process, by cache key."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from math import inf
from typing import Any

#: Entries kept before the least recently used ones are dropped.
_ENTRIES = 20_000
#: Estimated size of all kept values, in bytes, before the same happens.
_BYTES = 2 * 1024**3


class LiveCache:
    """A bounded memory of live outputs; the least recently used go first."""

    def __init__(self, entries: int = _ENTRIES, size: int = _BYTES) -> None:
        self._entries = entries
        self._size = size
        self._used = 0
        self._kept: OrderedDict[str, tuple[Mapping[str, Any], int, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of kept outputs."""
        return len(self._kept)

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def get(self, key: str, now: float) -> Mapping[str, Any] | None:
        """Return the outputs under `key`; None when there are none that are valid `now`."""
        found = self._kept.get(key)
        if found is None or found[2] <= now:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: str, outputs: Mapping[str, Any], until: float = inf) -> None:
        """Keep `outputs` under `key`, `until` a moment in seconds since the Unix epoch."""
        self.drop(key)
        size = sum(_estimate(value) for value in outputs.values())
        self._kept[key] = (outputs, size, until)
        self._used += size
        while self._kept and (len(self._kept) > self._entries or self._used > self._size):
            _, (_, freed, _) = self._kept.popitem(last=False)
            self._used -= freed

    def drop(self, key: str) -> None:
        """Forget the outputs under `key`."""
        _, size, _ = self._kept.pop(key, ({}, 0, 0.0))
        self._used -= size

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._used = 0


def _estimate(value: Any) -> int:
    if hasattr(value, "estimated_size"):
        return int(value.estimated_size())
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    nbytes = getattr(value, "nbytes", 64)
    return nbytes if isinstance(nbytes, int) else 64
