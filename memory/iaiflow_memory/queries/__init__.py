"""Named SQL statements, read from the `.sql` files beside this one.

A statement starts at a line `-- name: NAME` and is described by the comment lines after it.
Where it says `{NAME}`, the statement of that name takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_START = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
_INCLUDED = re.compile(r"\{(\w+)\}")


def load(folder: Path) -> dict[str, str]:
    """Return the statements of every `.sql` file in `folder`, by name.

    Raises:
        ValueError: Two statements have one name.
    """
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        _, *parts = _START.split(path.read_text(encoding="utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in queries:
                raise ValueError(f"{path.name}: there are two statements {name!r}")
            queries[name] = _COMMENT.sub("", text).strip().removesuffix(";")
    return {name: _INCLUDED.sub(_included(queries), text) for name, text in queries.items()}


def _included(queries: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def text(found: re.Match[str]) -> str:
        return _INCLUDED.sub(text, queries[found[1]]) if found[1] in queries else found[0]

    return text


#: Every statement, by name.
QUERIES: Mapping[str, str] = load(Path(__file__).parent)
