"""Flows name secrets that are set, or do not start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import secret_names
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.rules import Problem
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.service.session import Session, open_session
from iaiflow_lab.settings import state_dir
from iaiflow_lab.store.database import Reader
from iaiflow_lab.store.store import DEFAULT_PROJECT


def names(session: Session, reader: Reader | None = None) -> list[str]:
    """Return the names of the project's secrets, as a transaction that is open sees them."""
    return [kept.name for kept in session.store.secrets(session.project).all(reader)]


def ensure_set(
    session: Session,
    flow: Flow,
    signatures: Signatures,
    where: str,
    reader: Reader | None = None,
) -> None:
    """Refuse a flow that names a secret which is not set.

    Args:
        session: An open workspace.
        flow: The flow.
        signatures: The catalog.
        where: What people call the flow.
        reader: The transaction that is open in this thread, if there is one.

    Raises:
        FlowError: One is not set.
    """
    for problem in _unset(session, secret_names.used_by(flow, signatures), reader):
        raise FlowError(
            problem.message,
            where=f"{where}: {problem.place}" if where else problem.place,
            remedy=problem.remedy,
            code=problem.code,
        )


def problems(workspace: Path, flow: Flow, signatures: Signatures) -> list[Problem]:
    """Return a problem for each secret that a flow names and that is not set; makes nothing.

    Raises:
        StoreError: The workspace's database cannot be used.
    """
    used = secret_names.used_by(flow, signatures)
    if not used:
        return []
    if not (state_dir(workspace) / "lab.db").exists():
        return [_problem(name, nodes, DEFAULT_PROJECT) for name, nodes in used.items()]
    with open_session(workspace) as session:
        return list(_unset(session, used))


def _unset(
    session: Session, used: secret_names.Uses, reader: Reader | None = None
) -> Iterator[Problem]:
    if used:
        known = set(names(session, reader))
        for name, nodes in used.items():
            if name not in known:
                yield _problem(name, nodes, session.project)


def _problem(name: str, nodes: Sequence[str], project: str) -> Problem:
    return Problem(
        "secret-unset",
        "error",
        f"Secret {name} isn't set in project {project}.",
        f"nodes.{nodes[0]}.config",
        f"Set it: `iaiflow secrets set {name}`.",
        nodes[0],
    )
