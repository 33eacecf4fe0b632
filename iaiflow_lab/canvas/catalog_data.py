"""Node types as the canvas reads them, and when they have changed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.model.signature import NodeSignature, port_data
from iaiflow_lab.sdk.catalog import Catalog, Source, load_catalog
from iaiflow_lab.sdk.node import CELL_NAMES, CELL_TYPES
from iaiflow_lab.sdk.node_files import node_files

#: What tells whether a catalog is still that of its workspace.
_Mark = tuple[Any, ...]

_lock = threading.Lock()
_catalogs: Final[dict[Path, tuple[_Mark, Catalog]]] = {}


def present_catalog(workspace: Path) -> Catalog:
    """Return the catalog of a workspace as its files are now; they are read when they changed."""
    with _lock:
        mark = _files_mark(workspace)
        known = _catalogs.get(workspace)
        if known is None or known[0] != mark:
            known = _catalogs[workspace] = (mark, load_catalog(workspace))
        return known[1]


def catalog_mark(workspace: Path) -> _Mark:
    """Return what is different whenever node types are, or what else flows may name of cells."""
    cells = tuple((name, id(made)) for name, made in sorted(CELL_TYPES.items()))
    return (*_files_mark(workspace), cells, tuple(sorted(CELL_NAMES)))


def _files_mark(workspace: Path) -> _Mark:
    marks: list[Any] = []
    for file in node_files(workspace):
        try:
            told = file.stat()
        except OSError:
            continue
        marks.append((str(file), told.st_mtime_ns, told.st_size))
    return tuple(marks)


def catalog_data(catalog: Catalog) -> tuple[list[dict[str, Any]], list[str]]:
    """Return all node types by name as JSON data, and why others are missing."""
    signatures, problems = catalog.signatures()
    types = [node_type(found, catalog.source(found.type)) for found in signatures]
    return types, [str(problem) for problem in problems]


def node_type(signature: NodeSignature, source: Source | None) -> dict[str, Any]:
    """Return one node type as JSON data."""
    free_inputs, free_outputs = signature.free_inputs, signature.free_outputs
    return {
        "type": signature.type,
        "version": signature.version,
        "category": signature.category,
        "title": signature.title,
        "summary": signature.summary,
        "help": signature.help,
        "inputs": [port_data(port) for port in signature.inputs],
        "outputs": [port_data(port) for port in signature.outputs],
        "config": dict(signature.config_schema),
        "config_ports": {name: port_data(port) for name, port in signature.config_ports.items()},
        "free_inputs": None if free_inputs is None else str(free_inputs),
        "free_outputs": None if free_outputs is None else str(free_outputs),
        "templates": list(signature.templates),
        "expressions": list(signature.expressions),
        "bodies": list(signature.bodies),
        "effects": signature.effects,
        "source": {"kind": source.kind, "name": source.name} if source else {},
    }
