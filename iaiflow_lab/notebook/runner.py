"""Runs a notebook as a step of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from iaiflow_lab.errors import InputError, NotebookError, RunCancelledError
from iaiflow_lab.model.event import CellFinished, EnvironmentRecorded, Event
from iaiflow_lab.notebook.bridge import Bridge
from iaiflow_lab.notebook.document import Notebook, read_notebook
from iaiflow_lab.notebook.engine import LiveEngine, preload
from iaiflow_lab.notebook.failure import PARKED, ParkedError
from iaiflow_lab.notebook.kernels import InstalledKernels, choose_kernel
from iaiflow_lab.notebook.output_file import folder_of
from iaiflow_lab.notebook.parameters import check_parameters, parameters_of
from iaiflow_lab.notebook.session import Session
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.settings import load_settings

_INJECTED = "injected-parameters"


@dataclass(frozen=True, slots=True)
class NotebookResult:
    """How a notebook run ended, when it completed."""

    #: The output notebook, in the run's folder.
    output: Path
    #: The kernel that executed it.
    kernel: str
    #: The parameters that were injected.
    parameters: Mapping[str, Any]
    #: Code cells that were executed to their end.
    cells: int


@dataclass(frozen=True, slots=True)
class NotebookLimits:
    """How long a notebook may take; None: no limit."""

    #: One cell, in seconds.
    cell: float | None = None
    #: All cells together, in seconds.
    notebook: float | None = None
    #: The kernel's start, in seconds.
    start: float = 60.0

    def check(self) -> None:
        """Refuse limits that no run can keep.

        Raises:
            InputError: One is not positive.
        """
        for name in ("cell", "notebook", "start"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"The time limit for the {name} must be over 0 s, found {value}.")


def run_notebook(
    path: Path,
    parameters: Mapping[str, Any],
    context: Context,
    *,
    kernel: str = "",
    limits: NotebookLimits | None = None,
    snapshot: str = "",
    untrusted: bool = False,
) -> NotebookResult:
    """Execute a notebook in a kernel of its own; blocks until that kernel has ended.

    The source file is only read. The output notebook grows in the run's folder, in a folder named
    after the step.

    Args:
        path: The notebook.
        parameters: JSON values by parameter name.
        context: The step that the notebook is.
        kernel: A kernel that goes before the one that the notebook asks for.
        limits: How long it may take.
        snapshot: SHA-256 of the stored bytes that are executed instead of what the file holds now.
        untrusted: Whether strangers may have written some of the parameters, which then counts for
            all agents in its kernel: nobody sees where its code takes a value.

    Raises:
        InputError: A parameter does not fit.
        NotebookError: The notebook can't be read, its kernel is missing or died, a cell failed or
            took too long.
        StaleFenceError: Another worker holds the run.
        RunCancelledError: The run was cancelled.
    """
    limits = limits or NotebookLimits()
    limits.check()
    preload()
    data = context.delegate().get_artifact(snapshot) if snapshot else None
    notebook = read_notebook(path, data)
    values = check_parameters(notebook, parameters)
    name = choose_kernel(notebook, kernel)
    if values and (warning := parameters_of(notebook).warning):
        context.log(warning, level="WARNING")
    facts = {"kernel": name, "notebook": notebook.digest}
    context.record(EnvironmentRecorded(at=context.now(), facts=facts))
    while True:
        bridge = Bridge(context, untrusted=untrusted)
        try:
            return _execute(bridge, context, notebook, values=values, kernel=name, limits=limits)
        except ParkedError:  # its cell says so
            bridge.delegate.park()
        except RunCancelledError:
            context.raise_if_cancelled()
            raise


def _execute(
    bridge: Bridge,
    context: Context,
    notebook: Notebook,
    *,
    values: Mapping[str, Any],
    kernel: str,
    limits: NotebookLimits,
) -> NotebookResult:
    """Execute every cell once, from the top."""
    with bridge:
        node, injected = _prepare(notebook, values, kernel)
        progress = _Progress(context, sum(map(_runs, node.cells)))
        session = replace(
            _session(notebook, context, bridge, limits),
            injected=injected,
            record=progress,
            ask_environment=not InstalledKernels().is_own(kernel),
        )
        LiveEngine.execute_notebook(node, kernel, session=session)
    assert session.output is not None
    return NotebookResult(session.output, kernel, values, progress.completed)


def _prepare(notebook: Notebook, values: Mapping[str, Any], kernel: str) -> tuple[Any, int | None]:
    """Return the notebook as papermill wants it, and the position of a cell that was added."""
    nbformat: Any = import_module("nbformat")
    node = nbformat.from_dict(dict(notebook.content))
    node.metadata.setdefault("papermill", {})
    if not values:
        return node, None
    papermill: Any = import_module("papermill.parameterize")
    language = InstalledKernels().language(kernel)
    count = len(node.cells)
    try:
        node = papermill.parameterize_notebook(
            node, dict(values), kernel_name=kernel, language=language, engine_name="iaiflow"
        )
    except import_module("papermill.exceptions").PapermillException as error:
        raise NotebookError(
            f"Parameters can't be given to a notebook in {language}.",
            where=str(notebook.path),
            remedy="Run it without parameters.",
        ) from error
    index = next(i for i, cell in enumerate(node.cells) if _INJECTED in cell.metadata.tags)
    node.cells[index].id = _INJECTED
    return node, index if len(node.cells) > count else None


def _session(
    notebook: Notebook,
    context: Context,
    bridge: Bridge,
    limits: NotebookLimits,
) -> Session:
    folder = folder_of(context.run_dir, context.step)
    folder.mkdir(parents=True, exist_ok=True)

    settings, delegate = load_settings(context.workspace), bridge.delegate
    patience = settings.notebook_wait_s

    def stopped() -> BaseException | None:
        if bridge.stale is None and context.cancelled:
            return RunCancelledError("The notebook was cancelled.", where=str(notebook.path))
        if bridge.stale is None and delegate.may_park and delegate.resting > patience:
            return ParkedError(PARKED)
        return bridge.stale

    def keep(name: str, path: Path) -> None:
        context.artifact(f"{notebook.path.stem}-{name}", path.read_bytes(), "text/plain")
        path.unlink()

    return Session(
        source=_shown(notebook.path, context.workspace),
        folder=notebook.path.absolute().parent,
        output=folder / notebook.path.name,
        run_dir=folder,
        step=context.step,
        sockets=bridge.folder,
        environment=bridge.environment,
        kernel_limits=settings.kernel_limits,
        cell_timeout=limits.cell,
        timeout=limits.notebook,
        start_timeout=limits.start,
        stopped=stopped,
        rested=lambda: delegate.rested,
        keep=keep,
        now=context.now,
    )


class _Progress:
    """Records the events and says how many cells are done.

    Args:
        context: The step.
        total: Code cells in all.
    """

    def __init__(self, context: Context, total: int) -> None:
        self._context = context
        self._total = total
        self.completed = 0

    def __call__(self, event: Event) -> None:
        """Record one event."""
        self._context.record(event)
        if isinstance(event, CellFinished) and event.state == "completed":
            self.completed += 1
            self._context.progress(self.completed, self._total, f"cell {event.index + 1}")


def _runs(cell: Any) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip())


def _shown(path: Path, workspace: Path) -> str:
    try:
        return str(path.absolute().relative_to(workspace.absolute()))
    except ValueError:
        return str(path)
