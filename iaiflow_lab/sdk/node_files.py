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

from iaiflow_lab import syntax
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.declared import Declared, declared
from iaiflow_lab.sdk.node import NodeType

#: Name of the folder in the workspace.
FOLDER: Final = "flow_nodes"
#: Largest file that is read, in bytes.
_MAX_BYTES: Final = 2_000_000

#: The state of each file of a folder: name, time of its last change, size.
_State = tuple[tuple[str, int, int], ...]
#: What was imported, by folder: the state of its files then, and the modules by file.
_imported: dict[Path, tuple[_State, dict[Path, types.ModuleType]]] = {}


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
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


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
            yield Problem(str(file), 0, f"The file is larger than {_MAX_BYTES:,} bytes.")
            return
        tree = syntax.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        yield Problem(str(file), error.lineno or 0, f"This is no Python: {error.msg}.")
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        yield Problem(str(file), 0, f"The file can't be read: {error}.")
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
    """Import a file and return its node types; it is imported again when its folder has changed.

    Raises:
        NodeError: Importing it fails; `where` is its line.
    """
    state = _state(file.parent)
    known = _imported.get(file.parent)
    if known is None or known[0] != state:
        _forget(file.parent)
        known = (state, dict[Path, types.ModuleType]())
        _imported[file.parent] = known
    modules = known[1]
    if file not in modules:
        modules[file] = _import(file)
    return {found.name: found for found in types_of(modules[file])}


def _state(folder: Path) -> _State:
    found = ((file.name, file.stat()) for file in sorted(folder.glob("*.py")))
    return tuple((name, status.st_mtime_ns, status.st_size) for name, status in found)


def _forget(folder: Path) -> None:
    """Drop the folder's modules, so that files that import each other are read anew together."""
    package = _package(folder)
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
        del sys.modules[name]  # the package too: it holds what `from . import x` finds


def types_of(module: types.ModuleType) -> list[NodeType[..., Any]]:
    """Return the node types that a module holds."""
    return [value for value in vars(module).values() if isinstance(value, NodeType)]


def _import(file: Path) -> types.ModuleType:
    name = f"{_package(file.parent)}.{file.stem}"
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        problem = problem_of(error, file.name, str(file))
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


def problem_of(error: BaseException, what: str, file: str = "") -> Problem:
    """Return an error of an import with its place.

    Args:
        error: What was raised.
        what: What was imported; it is named when no place is known.
        file: The file whose lines count; "": the last line that was executed.
    """
    message = f"{type(error).__name__}: {error}".rstrip(".") + "."
    if isinstance(error, SyntaxError) and error.filename:
        return Problem(error.filename, error.lineno or 0, f"This is no Python: {error.msg}.")
    places = [
        (frame.filename, frame.lineno or 0)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file or not (file or _is_machinery(frame.filename))
    ]
    place, line = places[-1] if places else (file or what, 0)
    return Problem(place, line, message if file else f"{what} can't be imported: {message}")


def _is_machinery(file: str) -> bool:
    return file.startswith("<frozen") or "importlib" in Path(file).parts or file == __file__
