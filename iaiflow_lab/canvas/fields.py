"""State that is sent in parts: fields, and the newest of what is only ever added to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

#: Lines of a node's log, and its characters, that are kept for the canvas.
LOG_LINES: Final = 2_000
LOG_SIZE: Final = 256 * 1024
#: Longest line of it, in characters.
_LINE: Final = 4_000
#: Displays that are kept, and their characters.
DISPLAYS: Final = 200
_DISPLAYS_SIZE: Final = 512 * 1024


class Fields:
    """Named JSON values, each with the moment of its last change.

    Args:
        initial: All fields with their first values.
    """

    def __init__(self, initial: Mapping[str, Any]) -> None:
        self.values: dict[str, Any] = dict(initial)
        #: When each field was changed last, in ticks of the board.
        self.changed: dict[str, int] = {}

    def set(self, field: str, value: Any, tick: int) -> None:
        """Give a field a value."""
        if self.values[field] != value:
            self.values[field] = value
            self.changed[field] = tick

    def since(self, tick: int) -> dict[str, Any]:
        """Return the fields that were changed after a moment."""
        return {name: self.values[name] for name, at in self.changed.items() if at > tick}


class Log:
    """The last lines that a node wrote; each is counted from the first one on."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        #: Lines so far, those that are forgotten included.
        self.total = 0

    def add(self, text: str) -> None:
        """Add whole lines."""
        for line in text.splitlines() or [""]:
            short = line if len(line) <= _LINE else line[: _LINE - 1] + "…"
            self._lines.append(short + "\n")
            self._size += len(short) + 1
            self.total += 1
        while len(self._lines) > LOG_LINES or self._size - len(self._lines[0]) >= LOG_SIZE:
            self._size -= len(self._lines.popleft())

    def text(self) -> str:
        """Return the tail that is kept."""
        return "".join(self._lines)[-LOG_SIZE:]

    def since(self, total: int) -> str:
        """Return the lines after the first `total` ones, as far as they are kept."""
        missing = min(self.total - total, len(self._lines))
        if missing == len(self._lines):
            return "".join(self._lines)
        newest = [self._lines[-number] for number in range(missing, 0, -1)]
        return "".join(newest)


class Displays:
    """The newest MIME bundles that a node showed."""

    def __init__(self) -> None:
        self._bundles: deque[tuple[dict[str, Any], int]] = deque()
        self._size = 0
        self.total = 0
        #: `total` when a bundle was dropped for its size.
        self._dropped_at = 0

    def add(self, bundle: dict[str, Any]) -> None:
        """Add a bundle; of one that is too large only its text stays."""
        size = _size(bundle)
        if size > _DISPLAYS_SIZE:
            bundle, size = _shortened(bundle, size), 1_000
        self._bundles.append((bundle, size))
        self._size += size
        self.total += 1
        while self._size > _DISPLAYS_SIZE:
            self._size -= self._bundles.popleft()[1]
            self._dropped_at = self.total
        if len(self._bundles) > DISPLAYS:
            self._size -= self._bundles.popleft()[1]

    def all(self) -> list[dict[str, Any]]:
        """Return all that are kept."""
        return [bundle for bundle, _ in self._bundles]

    def since(self, total: int) -> dict[str, Any]:
        """Return, as a part of a delta, what came after the first `total` bundles."""
        if self.total == total:
            return {}
        kept_from = self.total - len(self._bundles)
        if self._dropped_at > total:  # the canvas still holds what was dropped
            return {"displays": self.all()}
        return {"display_append": self.all()[max(0, total - kept_from) :]}


def _shortened(bundle: Mapping[str, Any], size: int) -> dict[str, Any]:
    text = str(bundle["data"].get("text/plain", ""))[:500]
    note = f"Too large to be shown here ({size:,} characters). {text}"
    return {"data": {"text/plain": note}, "metadata": {}}


def size_of(values: Iterable[Any]) -> int:
    """Return about how many characters JSON values take."""
    return sum(_size(value) for value in values)


def _size(value: Any) -> int:
    todo, total = [value], 0
    while todo:
        item = todo.pop()
        if isinstance(item, str | bytes):
            total += len(item)
        elif isinstance(item, Mapping):
            todo.extend(item.values())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            total += 8 * len(item)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(item, list | tuple):
            todo.extend(item)  # pyright: ignore[reportUnknownArgumentType]
        else:
            total += 8
    return total
