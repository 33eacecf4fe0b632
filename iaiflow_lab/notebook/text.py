"""The text that a cell writes: progress bars folded, no more of it kept than fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

#: Output of one cell that its notebook keeps, in characters.
CELL_LIMIT: Final = 10_000_000
#: Text of one cell that goes to a file when it is too long for the notebook, in characters.
FILE_LIMIT: Final = 200_000_000
#: An unfinished line longer than this is no progress bar, in characters.
_LINE_LIMIT = 65_536


def fold(text: str) -> str:
    """Return `text` with every redrawn line in its last state, as a terminal shows it."""
    if "\r" not in text:
        return text
    return "\n".join(_last_state(line) for line in text.split("\n"))


def fold_piece(text: str) -> str:
    """Fold a piece of a longer text: a leading carriage return still redraws the line before."""
    first, newline, rest = text.partition("\n")
    redraws = "\r" in first.rstrip("\r")
    return ("\r" if redraws else "") + _last_state(first) + newline + fold(rest)


def _last_state(line: str) -> str:
    body = line.rstrip("\r")
    ending = line[len(body) :][:1]
    return body.rpartition("\r")[2] + ending


def clean(text: str) -> str:
    """Return `text` with lone surrogates, which no file can hold, replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def clean_data(value: Any) -> Any:
    """Clean every text in a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_data(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value).items()
        return {clean(key): clean_data(item) for key, item in entries}
    return value


class StreamText:
    """Grows by pieces and folds each line as it is finished."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._line = ""

    def add(self, piece: str) -> None:
        """Append a piece."""
        finished, newline, self._line = (self._line + piece).rpartition("\n")
        if newline:
            self._parts.append(fold(finished) + newline)
        self._line = fold(self._line)
        if len(self._line) > _LINE_LIMIT:
            self._parts.append(self._line)
            self._line = ""

    def __str__(self) -> str:
        """Return all of it."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return "".join((*self._parts, self._line))


class Overflow:
    """A file for the text of a cell that is too long for its notebook.

    Args:
        path: The file; it is made by the first write.
        limit: Most characters that it takes; the rest is dropped.
    """

    def __init__(self, path: Path, limit: int = FILE_LIMIT) -> None:
        self.path = path
        self._left = limit
        self._file = path.open("w", encoding="utf-8")

    def write(self, text: str) -> None:
        """Append `text`, or as much of it as fits."""
        if self._left > 0:
            self._file.write(text[: self._left])
            self._left -= len(text)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
