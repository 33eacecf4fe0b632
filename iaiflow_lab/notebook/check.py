"""What is wrong with a notebook, found without executing it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from iaiflow_lab.errors import NotebookError
from iaiflow_lab.model.names import shorten
from iaiflow_lab.model.rules.base import Problem
from iaiflow_lab.notebook.document import Notebook, UnreadableNotebookError, read_notebook
from iaiflow_lab.notebook.kernels import choose_kernel
from iaiflow_lab.notebook.parameters import TAG, parameters_of


def problems(path: Path) -> list[Problem]:
    """Return everything that is wrong with a notebook file, the worst first.

    Args:
        path: The file; it is read and not executed.
    """
    try:
        notebook = read_notebook(path)
    except UnreadableNotebookError as error:
        place = error.where.removeprefix(str(path)).removeprefix(": ")
        return [Problem("IAI201", "error", error.what, place, error.remedy)]
    found = [
        *_schema_problems(path),
        *_parameter_problems(notebook),
        *_kernel_problems(notebook),
        *_image_problems(notebook),
    ]
    return sorted(found, key=lambda problem: problem.severity != "error")


def _schema_problems(path: Path) -> Iterator[Problem]:
    """Compare the file as it is written with nbformat's own schema."""
    import warnings

    from nbformat import NotebookNode, ValidationError, validate

    content = json.loads(path.read_bytes())
    ids = [cell["id"] for cell in content["cells"] if isinstance(cell.get("id"), str)]
    for repeated in sorted({cell_id for cell_id in ids if ids.count(cell_id) > 1}):
        yield Problem(
            "IAI202", "warning", f"Several cells have the id {shorten(repeated)!r}.", "cells"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            validate(NotebookNode(content))
    except ValidationError as error:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.path)
        message = f"It departs from the notebook format: {shorten(str(error.message), 200)}."
        yield Problem("IAI203", "warning", message, place.removeprefix("."))


def _parameter_problems(notebook: Notebook) -> Iterator[Problem]:
    index = notebook.tagged(TAG)
    try:
        parameters_of(notebook)
    except NotebookError as error:
        yield Problem("IAI204", "error", error.what, f"cells[{index}]", error.remedy)


def _kernel_problems(notebook: Notebook) -> Iterator[Problem]:
    try:
        choose_kernel(notebook)
    except NotebookError as error:
        yield Problem("IAI205", "error", error.what, "metadata.kernelspec", error.remedy)


def _image_problems(notebook: Notebook) -> Iterator[Problem]:
    for index, cell in enumerate(notebook.cells):
        for data in _bundles(cell):
            for mime, value in data.items():
                if mime.startswith("image/") and "svg" not in mime and not _is_base64(value):
                    message = f"An output of type {shorten(mime)} is damaged."
                    yield Problem("IAI206", "warning", message, f"cells[{index}].outputs")


def _bundles(cell: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    outputs = cell.get("outputs", [])
    for output in cast("list[Any]", outputs) if isinstance(outputs, list) else ():
        data = cast("dict[str, Any]", output).get("data") if isinstance(output, dict) else None
        if isinstance(data, dict):
            yield cast("dict[str, Any]", data)


def _is_base64(value: Any) -> bool:
    text = "".join(cast("list[str]", value)) if isinstance(value, list) else value
    try:
        return bool(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError, AttributeError, TypeError):
        return False
