"""Where a run of this process is recorded: in the workspace, or in the notebook run around it."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from iaiflow_lab.engine.hiding import hidden
from iaiflow_lab.engine.live_cache import LiveCache
from iaiflow_lab.engine.ports import Record
from iaiflow_lab.engine.setup import Setup, Sight, Targets
from iaiflow_lab.interactive.kernel import open_workspace
from iaiflow_lab.model import parameters, rules
from iaiflow_lab.model.budget import Allowance, RunBudget
from iaiflow_lab.model.event import ErrorInfo, Event
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import RunState
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.queue.secrets import HeldSecrets
from iaiflow_lab.sdk import values
from iaiflow_lab.settings import load_settings

if TYPE_CHECKING:
    from iaiflow_lab.notebook.inside import FlowCall, InsideRun
    from iaiflow_lab.sdk.catalog import Catalog
    from iaiflow_lab.service.recording import InteractiveRun

#: Outputs of earlier runs in this process; unchanged nodes take theirs from here.
LIVE_CACHE: Final = LiveCache()


@dataclass(frozen=True, slots=True)
class Request:
    """A run that was asked for."""

    flow: Flow
    #: What the history names: the flow's path in the workspace, or the flow itself.
    named: str | Flow
    #: Values by parameter name.
    inputs: Mapping[str, Any]
    #: Where relative paths start.
    folder: Path
    targets: Targets = field(default_factory=Targets)
    #: Values of earlier runs, by step path and port, for a run from here.
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    #: What tells the flow from others in this process: its file, the object that holds it.
    keys: tuple[object, ...] = ()
    #: What the models that it asks may take together; None: no limit.
    budget: RunBudget | None = None
    #: Whether nothing is shown.
    quiet: bool = False


class Place(Protocol):
    """Where the steps of one run go."""

    @property
    def run_id(self) -> str:
        """The run that they belong to."""
        ...

    @property
    def prefix(self) -> str:
        """What stands before every step path."""
        ...

    def setup(
        self,
        request: Request,
        listener: Callable[[Event], None] | None,
        loop: AbstractEventLoop | None,
        sight: Sight | None,
    ) -> Setup:
        """Return what the engine needs."""
        ...

    def is_cancelled(self) -> bool:
        """Say whether somebody asked, from outside, for the run's cancellation."""
        ...

    def settle(self, state: RunState, outputs: Mapping[str, Any], error: ErrorInfo | None) -> None:
        """Record how it ended."""
        ...


def find_place(request: Request) -> Place:
    """Check the request and open the place where it is recorded.

    Raises:
        FlowError: The flow has errors.
        InputError: An input is missing, unknown or wrong.
        StoreError: The workspace's database cannot be used.
    """
    from iaiflow_lab.notebook.inside import current_run
    from iaiflow_lab.sdk.catalog import load_catalog

    around = current_run()
    if around is None:
        return _InWorkspace(request)
    catalog = load_catalog(around.workspace)
    rules.ensure(request.flow, catalog, request.flow.name)
    inputs = parameters.bind(request.flow.parameters, request.inputs)
    call = around.open_call(version_hash(request.flow), inputs)
    return _InNotebookRun(around, call, catalog, inputs)


def _budgets(limits: RunBudget | None, prefix: str = "") -> list[Allowance]:
    return [] if limits is None else [Allowance(limits, prefix)]


class _InWorkspace:
    """An interactive run of its own, held by this process."""

    prefix = ""

    def __init__(self, request: Request) -> None:
        from iaiflow_lab.sdk.catalog import load_catalog
        from iaiflow_lab.service.recording import start_interactive

        session = open_workspace(request.folder)
        self._types: Catalog = load_catalog(session.workspace)
        self._run: InteractiveRun = start_interactive(
            session, request.named, request.inputs, self._types, budget=request.budget
        )

    @property
    def run_id(self) -> str:
        return self._run.id

    def setup(
        self,
        request: Request,
        listener: Callable[[Event], None] | None,
        loop: AbstractEventLoop | None,
        sight: Sight | None,
    ) -> Setup:
        session = self._run.session
        return Setup(
            run_id=self._run.id,
            flow=request.flow,
            inputs=self._run.inputs,
            types=self._types,
            world=session.world,
            journal=self._run.journal,
            artifacts=session.store.artifacts,
            secrets=HeldSecrets(session.coordinator, self._run.claim),
            workspace=session.workspace,
            folder=request.folder,
            run_dir=Path(self._run.claim.run_dir),
            targets=request.targets,
            interactive=True,
            durability=session.store.settings.durability,
            allowed_hosts=session.store.settings.allowed_hosts,
            budgets=_budgets(self._run.claim.budget),
            listener=listener,
            sight=sight,
            previous=request.earlier,
            live_cache=LIVE_CACHE,
            kernel_loop=loop,
        )

    def is_cancelled(self) -> bool:
        return self._run.cancel_requested()

    def settle(self, state: RunState, outputs: Mapping[str, Any], error: ErrorInfo | None) -> None:
        from iaiflow_lab.queue.protocol import Settlement

        refs = {name: hidden(values.refer(value)) for name, value in outputs.items()}
        reason = "Cancelled by its notebook." if state is RunState.CANCELLED else ""
        self._run.settle(Settlement(state, reason=reason, error=error, outputs=refs))


class _InNotebookRun:
    """Steps of the run that executes this notebook."""

    def __init__(
        self, around: InsideRun, call: FlowCall, types: Catalog, inputs: Mapping[str, Any]
    ) -> None:
        self._around = around
        self._call = call
        self._types = types
        self._inputs = inputs

    @property
    def run_id(self) -> str:
        return self._around.run_id

    @property
    def prefix(self) -> str:
        return self._call.prefix

    def setup(
        self,
        request: Request,
        listener: Callable[[Event], None] | None,
        loop: AbstractEventLoop | None,
        sight: Sight | None,
    ) -> Setup:
        from iaiflow_lab.world import real_world

        around = self._around
        settings = load_settings(around.workspace)
        return Setup(
            run_id=around.run_id,
            flow=request.flow,
            inputs=self._inputs,
            types=self._types,
            world=real_world(),
            journal=around.journal,
            artifacts=around.artifacts,
            secrets=around.secrets,
            workspace=around.workspace,
            folder=around.folder,
            run_dir=around.run_dir,
            durability=settings.durability,
            allowed_hosts=settings.allowed_hosts,
            budgets=[*around.budgets, *_budgets(request.budget, self._call.prefix)],
            recorded_around=around.recorded,
            cache=around.cache,
            record=Record(
                steps=self._call.steps,
                substeps=self._call.substeps,
                waits=self._call.waits,
                answers=self._call.answers,
            ),
            targets=request.targets,
            listener=listener,
            sight=sight,
            prefix=self._call.prefix,
            untrusted=around.untrusted,
            previous={self._call.prefix + path: kept for path, kept in request.earlier.items()},
            kernel_loop=loop,
        )

    def is_cancelled(self) -> bool:
        return False  # its worker interrupts the cell

    def settle(self, state: RunState, outputs: Mapping[str, Any], error: ErrorInfo | None) -> None:
        """Do nothing: the notebook goes on, and its worker settles the run."""
