"""What a run is of: a saved flow, a flow in memory, or a notebook; checked before it is queued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import FlowError, InputError
from iaiflow_lab.model import parameters, rules
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.file import SUFFIX
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.json_value import find_fault
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.notebook.document import read_notebook
from iaiflow_lab.notebook.parameters import check_parameters, parameters_of
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.service import flows
from iaiflow_lab.service.secret_checks import ensure_set
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader

#: How the name of a notebook ends.
NOTEBOOK: Final = ".ipynb"
#: Id of the only node of a notebook run.
NOTEBOOK_NODE: Final = "notebook"
_CELL_NODES: Final = "IAI121"
#: Key of the note that stands for a live value.
_LIVE: Final = "<live>"


@dataclass(frozen=True, slots=True)
class Target:
    """A flow that a run can be made of."""

    flow: Flow
    #: Path in the project, or the name of an unsaved flow.
    name: str
    #: The file; "" for an unsaved flow.
    source: str
    #: Hash of the flow's meaning.
    version: str
    #: Values of its parameters.
    inputs: Mapping[str, Any]


def find(session: Session, what: str | Flow, inputs: Mapping[str, Any]) -> Target:
    """Return what a run is to be made of; a notebook becomes a flow of one node.

    Args:
        session: An open workspace.
        what: The path of a flow or notebook in the workspace, or a flow.
        inputs: Values by parameter name.

    Raises:
        InputError: The path has another ending, or a notebook's parameter does not fit.
        NotFoundError: There is no such file.
        FlowError: The file is no flow.
        NotebookError: The file is no notebook.
    """
    if isinstance(what, Flow):
        return Target(what, what.name, "", version_hash(what), inputs)
    if what.endswith(NOTEBOOK):
        return _notebook(session, what, inputs)
    flow = _load(session, what)
    return Target(flow, what, what, version_hash(flow), inputs)


def _load(session: Session, path: str) -> Flow:
    if not path.endswith(SUFFIX):
        raise InputError(
            f"{path!r} is no flow or notebook: it does not end in {SUFFIX} or {NOTEBOOK}.",
            remedy=f"Name a file such as example{SUFFIX}",
        )
    return flows.load(session, path)


def stored(reader: Reader, session: Session, version: str) -> Flow:
    """Return the flow that is kept under a version that a run names."""
    row = reader.one("version_get", (session.project, version))
    assert row is not None  # the run's row refers to it
    return from_data(msgspec.json.decode(row["definition"]))


def parameters_schema(session: Session, path: str) -> dict[str, Any]:
    """Return what a flow or notebook may be given, as a JSON Schema; nothing is executed.

    Raises:
        InputError: The path has another ending or leads outside.
        NotFoundError: There is no such file.
        FlowError: The file is no flow.
        NotebookError: The file is no notebook, or its parameters cell is not valid Python.
    """
    if path.endswith(NOTEBOOK):
        known = parameters_of(read_notebook(safe_path(session.workspace, path, must_exist=True)))
        specs, required = known.specs, sorted(known.required)
        closed, note = known.closed, known.warning
    else:
        specs = _load(session, path).parameters
        required = [name for name, spec in specs.items() if parameters.is_required(spec)]
        closed, note = True, ""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: dict(spec) for name, spec in specs.items()},
        "required": required,
        "additionalProperties": not closed,
    }
    return schema | ({"description": note} if note else {})


def check(
    session: Session,
    target: Target,
    signatures: Signatures,
    *,
    in_kernel: bool = False,
    reader: Reader | None = None,
) -> dict[str, Any]:
    """Check the flow, its secrets and its inputs; returns the value of every parameter.

    Args:
        session: An open workspace.
        target: What is to run.
        signatures: The catalog.
        in_kernel: Whether it runs in the notebook's own process, where cell nodes exist.
        reader: The transaction that is open in this thread, if there is one.

    Raises:
        FlowError: The flow has errors, names a secret that is not set, or needs a notebook's cells
            to run.
        InputError: An input is missing, unknown or wrong.
    """
    rules.ensure(target.flow, signatures, target.name)
    ensure_set(session, target.flow, signatures, target.name, reader)
    if not in_kernel:
        _refuse_cell_nodes(target, signatures)
    return parameters.bind(target.flow.parameters, target.inputs)


def check_given(flow: Flow, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Check the inputs of a draft, some of which may still be missing.

    Raises:
        InputError: An input is unknown or wrong.
    """
    known = {name: spec for name, spec in flow.parameters.items() if name in inputs}
    unknown = [name for name in inputs if name not in known]
    return parameters.bind(flow.parameters if unknown else known, inputs)


def inputs_text(inputs: Mapping[str, Any]) -> str:
    """Return inputs as JSON.

    Raises:
        InputError: A value is no JSON, so that no other process can be given it.
    """
    for name, value in inputs.items():
        if fault := find_fault(value):
            raise InputError(
                f"Parameter {name!r} can't be queued: {fault.message}",
                where=f"parameters.{name}",
                remedy="Queue with JSON values, or run the flow here",
            )
    return msgspec.json.encode(dict(inputs)).decode()


def recorded_text(inputs: Mapping[str, Any]) -> str:
    """Return inputs as JSON for the record of a run in this process, live values as a note."""
    kept = {
        name: {_LIVE: type(value).__name__} if find_fault(value) else value
        for name, value in inputs.items()
    }
    return msgspec.json.encode(kept).decode()


def is_live(value: Any) -> bool:
    """Say whether a recorded value is the note that stands for a live one."""
    return isinstance(value, dict) and _LIVE in value


def recorded(inputs: str) -> dict[str, Any]:
    """Return the inputs of an earlier run from its record.

    Raises:
        InputError: One was a live value, of which only a note was recorded.
    """
    found: dict[str, Any] = msgspec.json.decode(inputs)
    for name, value in found.items():
        if is_live(value):
            raise InputError(
                f"Parameter {name!r} was a live {value[_LIVE]}; no other process can be given it.",
                where=f"parameters.{name}",
                remedy="Give the parameters anew, or run the flow in its notebook",
            )
    return found


def _notebook(session: Session, path: str, inputs: Mapping[str, Any]) -> Target:
    notebook = read_notebook(safe_path(session.workspace, path, must_exist=True))
    values = check_parameters(notebook, inputs)
    inputs_text(values)
    config: dict[str, Any] = {"path": path}
    if values:
        config["parameters"] = values
    flow = Flow(Path(path).stem, nodes={NOTEBOOK_NODE: Node("notebook", config)})
    return Target(flow, path, path, version_hash(flow), {})


def _refuse_cell_nodes(target: Target, signatures: Signatures) -> None:
    for problem in rules.check(target.flow, signatures):
        if problem.code == _CELL_NODES:
            raise FlowError(
                problem.message,
                where=f"{target.name}: {problem.place}",
                remedy=problem.remedy,
                code=problem.code,
            )
