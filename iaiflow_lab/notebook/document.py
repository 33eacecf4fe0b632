"""A notebook file: read, checked and made ready to run. Nothing in it is executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from iaiflow_lab.errors import NotebookError
from iaiflow_lab.model.json_value import MAX_DEPTH, DuplicateKey, kind, unique_object
from iaiflow_lab.model.names import shorten

#: How the name of a notebook ends.
SUFFIX: Final = ".ipynb"
#: Largest notebook, in bytes.
MAX_BYTES: Final = 200_000_000

_NBFORMAT: Final = 4
_CELL_TYPES = ("code", "markdown", "raw")


class UnreadableNotebookError(NotebookError):
    """A file is not a notebook that can be read."""

    code = "notebook-unreadable"
    exit_code = 2
    http_status = 422


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as nbformat 4 writes it, every cell with an id and tags."""

    #: The file it came from.
    path: Path
    #: The whole document, as JSON data.
    content: Mapping[str, Any]
    #: SHA-256 of the file, in hex.
    digest: str

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells, in order."""
        return self.content["cells"]

    @property
    def kernel(self) -> str:
        """The name of the kernel that the notebook asks for; "" when it asks for none."""
        return _text(self._metadata("kernelspec"), "name")

    @property
    def language(self) -> str:
        """The programming language, in lower case; "" when the notebook does not say."""
        written = _text(self._metadata("language_info"), "name")
        return (written or _text(self._metadata("kernelspec"), "language")).lower()

    def _metadata(self, key: str) -> Mapping[str, Any]:
        value = self.content["metadata"].get(key)
        return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}

    def tagged(self, tag: str) -> int | None:
        """Return the position of the first cell that carries `tag`."""
        for index, cell in enumerate(self.cells):
            if tag in cell["metadata"]["tags"]:
                return index
        return None


def read_notebook(path: Path, data: bytes | None = None) -> Notebook:
    """Read a notebook.

    Args:
        path: The file.
        data: What it held at another moment; None: what it holds now.

    Raises:
        UnreadableNotebookError: It is missing, or not a notebook of nbformat 4.
    """
    data = read_bytes(path) if data is None else data
    try:
        content = _parse(data)
        _check_form(content)
    except UnreadableNotebookError as error:
        raise UnreadableNotebookError(
            f"Not a readable notebook: {error.what}",
            where=": ".join(part for part in (str(path), error.where) if part),
            remedy=error.remedy,
        ) from None
    return Notebook(path, _complete(content), hashlib.sha256(data).hexdigest())


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell."""
    source: str | list[str] = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def read_bytes(path: Path) -> bytes:
    """Read a notebook file as it is.

    Raises:
        UnreadableNotebookError: It is missing, too large, or can't be read.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableNotebookError(
                f"Notebooks may be {MAX_BYTES // 1_000_000} MB at most; "
                f"this one is {size // 1_000_000} MB.",
                where=str(path),
                remedy="Clear its outputs.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableNotebookError(
            "There is no such notebook.", where=str(path), remedy="Check the path."
        ) from None
    except OSError as error:
        raise UnreadableNotebookError(
            f"The notebook can't be read: {error.strerror}.", where=str(path)
        ) from error


def _parse(data: bytes) -> Any:
    if not data.strip():
        raise UnreadableNotebookError("the file is empty.")
    try:
        content = json.loads(data, object_pairs_hook=unique_object)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnreadableNotebookError(f"invalid JSON at {place}.", remedy=f"{error.msg}.") from None
    except UnicodeDecodeError:
        raise UnreadableNotebookError("it is not UTF-8 text.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise UnreadableNotebookError(f"invalid JSON: {shorten(str(error))}.") from None
    _check_shape(content)
    return content


def _check_shape(content: Any) -> None:
    """Refuse objects with a repeated key and nesting that no reader could follow."""
    stack: list[tuple[Any, int]] = [(content, 1)]
    while stack:
        item, depth = stack.pop()
        if isinstance(item, DuplicateKey):
            raise UnreadableNotebookError(f"key {shorten(item.key)!r} appears twice.")
        if isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                raise _too_deep()
            inner = cast("dict[str, Any] | list[Any]", item)
            values = inner.values() if isinstance(inner, dict) else inner
            stack.extend((value, depth + 1) for value in values)


def _too_deep() -> UnreadableNotebookError:
    return UnreadableNotebookError(f"nested deeper than {MAX_DEPTH} levels.")


def _check_form(content: Any) -> None:
    if not isinstance(content, dict):
        raise UnreadableNotebookError(f"it must be an object, found {kind(content)}.")
    document = cast("dict[str, Any]", content)
    version = document.get("nbformat")
    if version != _NBFORMAT:
        shown = shorten(json.dumps(version)) if "nbformat" in document else "(none)"
        old = isinstance(version, int) and version < _NBFORMAT
        raise UnreadableNotebookError(
            f"unsupported nbformat {shown}.",
            where="nbformat",
            remedy="Open and save it in JupyterLab to upgrade it." if old else "Only 4 is read.",
        )
    cells = document.get("cells")
    if not isinstance(cells, list):
        found = kind(cells) if "cells" in document else "none"
        raise UnreadableNotebookError(f"it must have a list of cells, found {found}.")
    if not isinstance(document.get("metadata", {}), dict):
        raise UnreadableNotebookError("it must be an object.", where="metadata")
    for index, cell in enumerate(cast("list[Any]", cells)):
        _check_cell(cell, f"cells[{index}]")


def _check_cell(cell: Any, place: str) -> None:
    if not isinstance(cell, dict):
        raise UnreadableNotebookError(f"a cell must be an object, found {kind(cell)}.", where=place)
    known = cast("dict[str, Any]", cell)
    if known.get("cell_type") not in _CELL_TYPES:
        raise UnreadableNotebookError(
            f"a cell's type must be {', '.join(_CELL_TYPES)}.", where=f"{place}.cell_type"
        )
    source = known.get("source", "")
    lines = cast("list[Any]", source) if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        raise UnreadableNotebookError("a cell's source must be a text.", where=f"{place}.source")
    metadata = known.get("metadata", {})
    if not isinstance(metadata, dict):
        raise UnreadableNotebookError("it must be an object.", where=f"{place}.metadata")
    if not isinstance(cast("dict[str, Any]", metadata).get("tags", []), list):
        raise UnreadableNotebookError("it must be a list.", where=f"{place}.metadata.tags")


def _complete(content: dict[str, Any]) -> dict[str, Any]:
    """Give every cell an id that is the same at each reading, and its tags."""
    seen: set[str] = set()
    cells = [_complete_cell(cell, index, seen) for index, cell in enumerate(content["cells"])]
    minor = content.get("nbformat_minor")
    return content | {
        "cells": cells,
        "metadata": content.get("metadata", {}),
        "nbformat_minor": max(5, minor) if isinstance(minor, int) else 5,
    }


def _complete_cell(cell: dict[str, Any], index: int, seen: set[str]) -> dict[str, Any]:
    written = cell.get("id")
    cell_id = written if isinstance(written, str) and written else f"cell-{index}"
    while cell_id in seen:
        cell_id = f"{cell_id}-{index}"
    seen.add(cell_id)
    metadata = cast("dict[str, Any]", cell.get("metadata", {}))
    tags = [tag for tag in metadata.get("tags", []) if isinstance(tag, str)]
    made = cell | {"id": cell_id, "source": source_of(cell), "metadata": metadata | {"tags": tags}}
    if cell["cell_type"] == "code":
        made |= {"outputs": cell.get("outputs", []), "execution_count": None}
    return made


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""
