"""What a run is made of is fixed when it is accepted: nested flow files and notebooks as they are.

Whoever edits a file while a run waits or is retried changes the next run, not this one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import from_data, to_data
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.notebook.document import read_bytes
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.service import flows
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.targets import Target
from iaiflow_lab.store.database import Transaction

#: The configuration field that holds a nested flow, or the path of one.
_BODY: Final = "body"
#: How deep flow files may name each other.
_MAX_DEPTH: Final = 100
_MEDIA_TYPE: Final = "application/x-ipynb+json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A notebook as it was when a run was accepted."""

    path: str
    #: SHA-256 of its bytes, in hex.
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Pinned:
    """A target whose flow no longer depends on files that may change."""

    target: Target
    snapshots: tuple[Snapshot, ...]

    def keep(self, tx: Transaction, run_id: str) -> None:
        """Note that the run needs its snapshots."""
        for taken in self.snapshots:
            row = (run_id, "", "source", taken.path, taken.digest, taken.size, _MEDIA_TYPE)
            tx.run("run_artifact_put", row)


def pin(session: Session, target: Target) -> Pinned:
    """Fix what a target's flow takes from files.

    Raises:
        FlowError: A nested flow can't be read, or flow files name each other without end.
        NotFoundError: A file is missing.
        NotebookError: A notebook can't be read.
    """
    folder = (session.workspace / target.source).parent if target.source else session.workspace
    pinner = _Pinner(session, folder)
    flow = pinner.flow(target.flow, 0)
    if flow is not target.flow:
        target = replace(target, flow=flow, version=version_hash(flow))
    return Pinned(target, tuple(pinner.snapshots))


class _Pinner:
    def __init__(self, session: Session, folder: Path) -> None:
        self._session = session
        self._folder = folder
        self.snapshots: list[Snapshot] = []

    def flow(self, flow: Flow, depth: int) -> Flow:
        """Return the flow with every file that it names taken in; itself when there is none."""
        if depth > _MAX_DEPTH:
            raise FlowError(f"Flow files name each other more than {_MAX_DEPTH} levels deep.")
        nodes = {node_id: self._node(node, depth) for node_id, node in flow.nodes.items()}
        changed = any(nodes[node_id] is not node for node_id, node in flow.nodes.items())
        return replace(flow, nodes=nodes) if changed else flow

    def _node(self, node: Node, depth: int) -> Node:
        path, known = node.config.get("path"), node.config.get("snapshot")
        if node.type == "notebook" and isinstance(path, str):
            if known is not None:
                self._note(path, known, self._session.store.artifacts.get(known))
                return node
            return replace(node, config={**node.config, "snapshot": self._snapshot(path)})
        body = node.config.get(_BODY)
        if isinstance(body, str):
            taken = self.flow(self._read(body), depth + 1)
        elif isinstance(body, dict):
            nested = from_data(cast("dict[str, Any]", body), nested=True)
            taken = self.flow(nested, depth + 1)
            if taken is nested:
                return node
        else:
            return node
        return replace(node, config={**node.config, _BODY: to_data(taken)})

    def _read(self, body: str) -> Flow:
        return flows.read(safe_path(self._folder, body, must_exist=True), body)

    def _snapshot(self, path: str) -> str:
        data = read_bytes(safe_path(self._session.workspace, path, must_exist=True))
        digest = self._session.store.artifacts.put(data)
        self._note(path, digest, data)
        return digest

    def _note(self, path: str, digest: str, data: bytes) -> None:
        self.snapshots.append(Snapshot(path, digest, len(data)))
