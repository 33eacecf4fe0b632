"""The node types that a workspace keeps in `flow_nodes/*.py`."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.declared import Declared, declared
from iaiflow_lab.sdk.node import NodeType

#: Name of the folder in the workspace.
FOLDER: Final = "flow_nodes"
#: Largest file that is read, in bytes.
_MAX_BYTES: Final = 2_000_000

#: What was imported: its file's state then, and the module.
_imported: dict[Path, tuple[tuple[int, int], types.ModuleType]] = {}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a pack or file, or a part of it, is not in the catalog."""

    #: The file, or the name of the pack.
    file: str
    #: The line, from 1; 0 when it is not known.
    line: int
    #: One sentence.
    message: str

    def __str__(self) -> str:
        """Return it as a compiler would print it."""
        return f"{self.file}:{self.line}: {self.message}" if self.line else self.message


def node_files(workspace: Path) -> list[Path]:
    """Return the files in `flow_nodes` that hold node types: no tests, none with a leading `_`."""
    folder = workspace / FOLDER
    if not folder.is_dir():
        return []
    files = (file for file in folder.glob("*.py") if file.is_file())
    return sorted(file for file in files if not file.name.startswith(("_", "test_")))


def read_declared(file: Path) -> Iterator[Declared | Problem]:
    """Yield what a file declares, and what is wrong with it; nothing in it is executed."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            yield Problem(str(file), 0, f"{file} is larger than {_MAX_BYTES:,} bytes.")
            return
        tree = ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        yield Problem(str(file), error.lineno or 0, f"This is no Python: {error.msg}.")
    except (OSError, ValueError, RecursionError) as error:
        yield Problem(str(file), 0, f"{file} can't be read: {error}.")
    else:
        yield from _checked(tree, file)


def _checked(tree: ast.Module, file: Path) -> Iterator[Declared | Problem]:
    for found in declared(tree):
        if found.name:
            yield found
        else:
            name = found.definition.name
            message = f'{name} has no name for flow files; write @node("family.{name}").'
            yield Problem(str(file), found.line, message)


def import_nodes(file: Path) -> dict[str, NodeType[..., Any]]:
    """Import a file and return its node types; one that has changed is imported again.

    Raises:
        NodeError: Importing it fails; `where` is its line.
    """
    status = file.stat()
    state = (status.st_mtime_ns, status.st_size)
    known = _imported.get(file)
    if known is None or known[0] != state:
        _imported[file] = known = (state, _import(file))
    return {found.name: found for found in types_of(known[1])}


def types_of(module: types.ModuleType) -> list[NodeType[..., Any]]:
    """Return the node types that a module holds."""
    return [value for value in vars(module).values() if isinstance(value, NodeType)]


def _import(file: Path) -> types.ModuleType:
    name = f"{_package(file.parent)}.{file.stem}"
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        problem = problem_of(error, str(file))
        raise NodeError(
            f"The file can't be imported: {problem.message}",
            where=f"{problem.file}:{problem.line}",
            remedy="Correct it; `iaiflow nodes ls` shows what is wrong.",
            code="node-file-broken",
        ) from error


def _package(folder: Path) -> str:
    """Return a package of its own for a folder, so that its files can import each other."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    name = f"{FOLDER}_{digest}"
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def problem_of(error: BaseException, file: str) -> Problem:
    """Return an error of an import with its place: the last line that it passed in `file`."""
    message = f"{type(error).__name__}: {error}".rstrip(".") + "."
    if isinstance(error, SyntaxError) and error.filename:
        return Problem(error.filename, error.lineno or 0, f"This is no Python: {error.msg}.")
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if frame.filename == file]
    return Problem(file, lines[-1] if lines else 0, message)
