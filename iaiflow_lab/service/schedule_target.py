"""What a schedule runs: the file as it is, or the version that the schedule pins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.notebook.document import read_notebook
from iaiflow_lab.notebook.parameters import check_parameters
from iaiflow_lab.service import flows, targets
from iaiflow_lab.service.pinning import Pinned, pin
from iaiflow_lab.service.schedule_rows import ScheduleSpec
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.targets import NOTEBOOK, NOTEBOOK_NODE, Target

#: A version that names the file as it is now.
NOW: Final = "now"


def target_of(session: Session, spec: ScheduleSpec) -> Target:
    """Return what a saved schedule's next run is made of.

    Raises:
        LabError: The file is missing or wrong, or an input does not fit.
    """
    if spec.version is None:
        return targets.find(session, spec.target, spec.inputs)
    with session.store.db.read() as reader:
        flow = targets.stored(reader, session, spec.version)
    if spec.target.endswith(NOTEBOOK):
        flow = _with_parameters(session, spec, flow)
        return Target(flow, spec.target, spec.target, version_hash(flow), {})
    return Target(flow, spec.target, spec.target, spec.version, spec.inputs)


def resolve(session: Session, spec: ScheduleSpec, which: str) -> Pinned:
    """Return the version that a schedule is to pin, with everything that it takes from files.

    Args:
        session: An open workspace.
        spec: The schedule.
        which: A save's number, a version or its first characters, or `now`.

    Raises:
        LabError: There is no such version, a file is missing or wrong, or an input does not fit.
    """
    if which == NOW:
        return pin(session, targets.find(session, spec.target, spec.inputs))
    with session.store.db.read() as reader:
        known = reader.one("version_get", (session.project, which)) is not None
    if known:
        return pin(session, target_of(session, replace(spec, version=which)))
    if spec.target.endswith(NOTEBOOK):
        raise InputError(
            f"A notebook has no saved version {which!r}.",
            where="version",
            remedy=f"Pin it with {NOW!r}, as it is now",
        )
    flow = flows.version(session, spec.target, which)
    return pin(session, Target(flow, spec.target, spec.target, version_hash(flow), spec.inputs))


def _with_parameters(session: Session, spec: ScheduleSpec, flow: Flow) -> Flow:
    """Return a pinned notebook's flow with the schedule's inputs."""
    node = flow.nodes[NOTEBOOK_NODE]
    data = session.store.artifacts.get(node.config["snapshot"])
    values = check_parameters(read_notebook(Path(spec.target), data), spec.inputs)
    config = {key: value for key, value in node.config.items() if key != "parameters"}
    if values:
        config["parameters"] = values
    return replace(flow, nodes={NOTEBOOK_NODE: replace(node, config=config)})
