"""What differs between two runs: inputs, definition, steps, and what their notebooks show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from iaiflow_lab.errors import NotebookError
from iaiflow_lab.model.diff import Diff
from iaiflow_lab.model.diff import diff as flow_diff
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.notebook.document import SUFFIX, read_notebook
from iaiflow_lab.service import history, outputs, targets
from iaiflow_lab.service.history import RunView, StepView
from iaiflow_lab.service.session import Session

#: A step, and its output notebook in each run.
_Pair = tuple[str, Path, Path]
#: Said when output notebooks cannot be compared.
NO_NBDIME: Final = (
    "Output notebooks are compared by nbdime, which is not installed: "
    "pip install 'iaiflow-lab[diff]'."
)
#: The field of a notebook node that holds what the notebook is given.
_PARAMETERS: Final = "parameters"
#: Output notebooks larger than this are not compared, in bytes: it would take minutes.
MOST_COMPARED: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs; None where it is missing."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class StepDifference:
    """A step that ended otherwise, or that only one of the runs has."""

    step: str
    #: Its state in each run; None: there is no such step.
    old: str | None
    new: str | None
    #: Seconds in each run.
    old_s: float | None
    new_s: float | None
    #: The output ports that hold something else.
    outputs: tuple[str, ...]
    #: Why it failed in each run; "" when it did not.
    old_error: str
    new_error: str


@dataclass(frozen=True, slots=True)
class NotebookDifference:
    """What two output notebooks of one step show differently."""

    step: str
    #: For people, without colours; "" when they show the same.
    text: str
    #: For programs: a list of nbdime's operations on cells.
    operations: list[Any]


@dataclass(frozen=True, slots=True)
class RunDiff:
    """What differs between two runs; false when nothing does."""

    old: str
    new: str
    #: State, duration and the like.
    facts: tuple[Difference, ...]
    inputs: tuple[Difference, ...]
    #: What changed in the flow's meaning.
    definition: Diff
    steps: tuple[StepDifference, ...]
    notebooks: tuple[NotebookDifference, ...]
    #: Why notebooks were not compared; "" when they were, or when there are none.
    note: str

    def __bool__(self) -> bool:
        parts = (self.facts, self.inputs, self.definition, self.steps)
        return any(parts) or any(notebook.text for notebook in self.notebooks)

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        fields = ("old", "new", "facts", "inputs", "steps", "notebooks", "note")
        data = {name: msgspec.to_builtins(getattr(self, name)) for name in fields}
        return data | {"definition": self.definition.to_data()}


def diff(session: Session, old: str, new: str) -> RunDiff:
    """Compare two runs of a workspace, of one flow or of two.

    Args:
        session: An open workspace.
        old: A run.
        new: The run that it is compared with.

    Raises:
        NotFoundError: There is no such run.
        NotebookError: An output notebook cannot be read.
    """
    before, after = history.get(session, old), history.get(session, new)
    old_inputs, old_flow = _given(session, before)
    new_inputs, new_flow = _given(session, after)
    pairs = list(_pairs(session, before, after))
    compared, note = _comparable(pairs)
    return RunDiff(
        old=before.id,
        new=after.id,
        facts=tuple(_facts(before, after)),
        inputs=tuple(_differences(old_inputs, new_inputs)),
        definition=flow_diff(old_flow, new_flow),
        steps=tuple(_steps(before, after)),
        notebooks=tuple(_notebook(*pair) for pair in compared),
        note=note,
    )


def _given(session: Session, run: RunView) -> tuple[Mapping[str, Any], Flow]:
    """Return a run's inputs and its flow; a notebook's parameters, written in it, are inputs."""
    flow = history.definition(session, run.id)
    node = flow.nodes.get(targets.NOTEBOOK_NODE)
    if node is None or not run.flow.endswith(SUFFIX):
        return run.inputs, flow
    rest = {name: value for name, value in node.config.items() if name != _PARAMETERS}
    bare = {**flow.nodes, targets.NOTEBOOK_NODE: replace(node, config=rest)}
    return node.config.get(_PARAMETERS, {}), replace(flow, nodes=bare)


def _comparable(pairs: list[_Pair]) -> tuple[list[_Pair], str]:
    """Return the notebooks that are compared, and why others are not."""
    if pairs and find_spec("nbdime") is None:
        return [], NO_NBDIME
    large = [pair for pair in pairs if max(map(_size, pair[1:])) > MOST_COMPARED]
    steps = ", ".join(step for step, _, _ in large)
    limit = f"{MOST_COMPARED // 1_000_000} MB"
    note = f"Output notebooks above {limit} are not compared: {steps}." if large else ""
    return [pair for pair in pairs if pair not in large], note


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it says what is wrong


def _facts(old: RunView, new: RunView) -> Iterator[Difference]:
    pairs = {
        "flow": (old.flow, new.flow),
        "version": (old.version[:12], new.version[:12]),
        "state": (str(old.state), str(new.state)),
        "error": (_said(old), _said(new)),
    }
    for name, (before, after) in pairs.items():
        if before != after:
            yield Difference(name, before, after)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if (name in old) != (name in new) or before != after:
            yield Difference(name, before, after)


def _steps(old: RunView, new: RunView) -> Iterator[StepDifference]:
    before, after = ({step.step: step for step in run.steps} for run in (old, new))
    for name in {**before, **after}:
        found = _step(name, before.get(name), after.get(name))
        if found.old != found.new or found.outputs or found.old_error != found.new_error:
            yield found


def _step(name: str, old: StepView | None, new: StepView | None) -> StepDifference:
    ports = () if old is None or new is None else _ports(old, new)
    return StepDifference(
        step=name,
        old=None if old is None else str(old.state),
        new=None if new is None else str(new.state),
        old_s=None if old is None else old.duration_s,
        new_s=None if new is None else new.duration_s,
        outputs=ports,
        old_error=_said(old),
        new_error=_said(new),
    )


def _ports(old: StepView, new: StepView) -> tuple[str, ...]:
    known = {**old.outputs, **new.outputs}
    return tuple(port for port in known if _content(old, port) != _content(new, port))


def _content(step: StepView, port: str) -> Any:
    """Return what tells the outputs of two runs apart; a file's path has its run's name in it."""
    ref = step.outputs.get(port)
    if ref is None or (step.type == outputs.NODE_TYPE and port == "notebook"):
        return None
    return ref.artifact or (ref.encoding, ref.inline, "" if ref.inline is not None else ref.preview)


def _said(what: RunView | StepView | None) -> str:
    return "" if what is None or what.error is None else what.error.message


def _pairs(session: Session, old: RunView, new: RunView) -> Iterator[_Pair]:
    before, after = (
        {found.step: found.path for found in outputs.notebooks(session, run.id)}
        for run in (old, new)
    )
    for step in before:
        if step in after:
            yield step, before[step], after[step]


def _notebook(step: str, old: Path, new: Path) -> NotebookDifference:
    nbdime: Any = import_module("nbdime")
    printing: Any = import_module("nbdime.prettyprint")
    before, after = _compared(old), _compared(new)
    try:
        operations: list[Any] = nbdime.diff_notebooks(before, after)
        out = StringIO()
        config = printing.PrettyPrintConfig(out=out, use_color=False, use_git=False, use_diff=False)
        printing.pretty_print_notebook_diff("old", "new", before, operations, config)
    except Exception as error:  # of a library, about a text of strangers
        raise NotebookError(
            f"The output notebooks cannot be compared: {type(error).__name__}: {error}.",
            where=step,
            code="diff-failed",
        ) from error
    text = out.getvalue() if operations else ""
    return NotebookDifference(step, text, operations)


def _compared(path: Path) -> Any:
    """Return what is compared of a notebook: sources and outputs, not when and by what."""
    nbformat: Any = import_module("nbformat")
    notebook = read_notebook(path)
    cells = [_cell(cell) for cell in notebook.cells]
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells})


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: cell[key] for key in ("cell_type", "source")}
    if cell["cell_type"] != "code":
        return kept | {"metadata": {}}
    given = cast("list[Any]", cell["outputs"] if isinstance(cell["outputs"], list) else [])
    results = [_output(cast("dict[Any, Any]", one)) for one in given if isinstance(one, dict)]
    return kept | {"metadata": {}, "execution_count": None, "outputs": results}


def _output(output: dict[Any, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in output.items() if key != "execution_count"}
    if isinstance(kept.get("text"), list):  # a file may hold the lines one by one
        kept["text"] = "".join(str(line) for line in kept["text"])
    is_result = kept.get("output_type") == "execute_result"
    return kept | ({"execution_count": None} if is_result else {})
