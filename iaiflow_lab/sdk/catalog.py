"""The node types that flows may use: of installed packs, of the workspace, of notebook cells."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.errors import NodeError, NotFoundError
from iaiflow_lab.model.names import did_you_mean, shorten
from iaiflow_lab.model.signature import NodeSignature
from iaiflow_lab.sdk.declared import Declared
from iaiflow_lab.sdk.node import CELL_TYPES, NodeType
from iaiflow_lab.sdk.node_files import (
    Problem,
    import_nodes,
    node_files,
    problem_of,
    read_declared,
    types_of,
)

#: The entry points that name modules with node types.
GROUP: Final = "iaiflow.nodes"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a node type comes from."""

    #: "pack", "file" or "cell".
    kind: str
    #: The distribution with its version, the file, or "notebook".
    name: str


@dataclass(frozen=True, slots=True)
class _InFile:
    """A node type that a file of the workspace declares; it is imported when a run needs it."""

    file: Path
    declared: Declared


_Packs = Mapping[str, tuple[NodeType[..., Any], Source]]


@cache
def packs() -> tuple[_Packs, Sequence[Problem]]:
    """Return the node types of installed packs by name, and what is wrong with packs.

    They are looked for once in a process; `packs.cache_clear()` makes it look again.
    """
    found: dict[str, tuple[NodeType[..., Any], Source]] = {}
    problems: list[Problem] = []
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda one: one.name):
        source = _source(entry)
        try:
            types = types_of(entry.load())
        except (Exception, SystemExit) as error:
            problems.append(problem_of(error, f"The pack {entry.name} ({entry.value})"))
            continue
        for made in types:
            if made.name in found:
                other = found[made.name][1].name
                message = f"{made.name!r} is already in the pack {other}."
                problems.append(Problem(source.name, 0, message))
            else:
                found[made.name] = made, source
    return found, problems


class Catalog:
    """Node types by name. A pack or file that is broken does not hide the others.

    Files of the workspace are read when the catalog is made and imported only by `get`: looking at
    a flow never executes its nodes.

    Args:
        workspace: The folder whose `flow_nodes` belong to it; None: only packs and cells.
    """

    def __init__(self, workspace: Path | None) -> None:
        self._workspace = workspace.resolve() if workspace is not None else None
        self._packs, pack_problems = packs()
        self._problems = list(pack_problems)
        self._lock = threading.RLock()

    @cached_property
    def _files(self) -> dict[str, _InFile]:
        found: dict[str, _InFile] = {}
        for file in node_files(self._workspace) if self._workspace else ():
            for item in read_declared(file):
                if isinstance(item, Problem):
                    self._problems.append(item)
                elif fault := self._taken(item.name, found):
                    self._note(str(file), fault, item.line)
                else:
                    found[item.name] = _InFile(file, item)
        return found

    def _taken(self, name: str, found: dict[str, _InFile]) -> str:
        if name.startswith("cell."):
            return f"{name!r} is a name for notebook cells; give it another one."
        if name in self._packs:
            return f"{name!r} is already in the pack {self._packs[name][1].name}; rename it."
        if name in found:
            return f"{name!r} is already in {found[name].file.name}; rename one of them."
        return ""

    def _note(self, file: str, message: str, line: int = 0) -> None:
        self._problems.append(Problem(file, line, message))

    def get(self, name: str) -> NodeType[..., Any] | None:
        """Return the node type called `name`; None when it is not installed.

        Raises:
            NodeError: It stands in a file of the workspace that can't be imported.
        """
        with self._lock:
            if name in CELL_TYPES:
                return CELL_TYPES[name]
            if name in self._packs:
                return self._packs[name][0]
            return self._imported(name) if name in self._files else None

    def _imported(self, name: str) -> NodeType[..., Any]:
        file = self._files[name].file
        made = import_nodes(file)
        if name not in made:
            raise NodeError(
                f"The file declares {name!r}, and importing it makes no such node type.",
                where=str(file),
                remedy="Define it at the top level of the file.",
                code="node-file-broken",
            )
        return made[name]

    def require(self, name: str) -> NodeType[..., Any]:
        """Return the node type called `name`.

        Raises:
            NotFoundError: There is none; says which name is near.
            NodeError: It stands in a file of the workspace that can't be imported.
        """
        found = self.get(name)
        if found is None:
            hint = did_you_mean(name, self.names())
            raise NotFoundError(
                f"There is no node type {shorten(name)!r}.",
                remedy=hint or "`iaiflow nodes ls` lists them.",
                code="node-type-unknown",
            )
        return found

    def signature(self, node_type: str) -> NodeSignature | None:
        """Return the signature of a node type; None when it is not installed.

        For a type in a file of the workspace it is what the source tells: names without types.
        """
        with self._lock:
            if node_type in self._files and node_type not in CELL_TYPES:
                return self._files[node_type].declared.signature()
            found = self.get(node_type)
        return None if found is None else found.signature

    def names(self) -> list[str]:
        """Return the names of all node types, sorted."""
        with self._lock:
            return sorted({*self._packs, *self._files, *CELL_TYPES})

    def types(self) -> list[str]:
        """Return the names of all node types, sorted."""
        return self.names()

    def source(self, name: str) -> Source | None:
        """Return where a node type comes from; None when it is not installed."""
        with self._lock:
            if name in CELL_TYPES:
                return Source("cell", "notebook")
            if name in self._packs:
                return self._packs[name][1]
            return Source("file", str(self._files[name].file)) if name in self._files else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is not in the catalog, and why; files of the workspace are not imported for it."""
        with self._lock:
            self.names()
            return tuple(self._problems)

    def signatures(self) -> tuple[list[NodeSignature], list[Problem]]:
        """Return all signatures by name, and what is not in the catalog or has none, and why."""
        found: list[NodeSignature] = []
        problems = list(self.problems)
        for name in self.names():
            source = self.source(name)
            try:
                signature = self.signature(name)
            except NodeError as error:
                problems.append(Problem(source.name if source else name, 0, str(error)))
            else:
                found += [signature] if signature is not None else []
        return found, problems

    def import_all(self) -> Iterator[Problem]:
        """Import every file of the workspace and read its types; yield what goes wrong."""
        for file in sorted({declared.file for declared in self._files.values()}):
            try:
                made = import_nodes(file)
            except NodeError as error:
                place, _, line = error.where.rpartition(":")
                yield Problem(place, int(line), error.what)
            else:
                for name in made.keys() & self._files.keys():
                    yield from self._unreadable(made[name])

    def _unreadable(self, made: NodeType[..., Any]) -> Iterator[Problem]:
        try:
            made.signature  # noqa: B018  reading it is what may fail
        except NodeError as error:
            found = self._files[made.name]
            yield Problem(str(found.file), found.declared.line, str(error))


def _source(entry: metadata.EntryPoint) -> Source:
    name = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    return Source("pack", name)


def load_catalog(workspace: Path | None) -> Catalog:
    """Return the catalog of a workspace, as its files are now.

    Args:
        workspace: The folder that may hold `flow_nodes`; None: only packs and cells.
    """
    return Catalog(workspace)
