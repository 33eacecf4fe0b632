"""A flow in Python: draw it, keep it in a file, check it, run it in this process."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from iaiflow_lab.canvas import bindings
from iaiflow_lab.canvas.cells import current_cell
from iaiflow_lab.canvas.static_files import is_built
from iaiflow_lab.errors import ConflictError, InputError, NotFoundError
from iaiflow_lab.interactive.kernel import notebook_file, notebook_folder, open_workspace
from iaiflow_lab.interactive.naming import history_name, path_inside
from iaiflow_lab.lab import picture
from iaiflow_lab.lab.failure import FlowCancelledError, FlowFailedError
from iaiflow_lab.lab.run import Run
from iaiflow_lab.lab.screen import in_marimo, in_notebook
from iaiflow_lab.model import file
from iaiflow_lab.model import flow as model
from iaiflow_lab.model.file import SUFFIX
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.sdk.builder import FlowBuilder
from iaiflow_lab.settings import find_workspace

if TYPE_CHECKING:
    from iaiflow_lab.canvas.edits import Edits
    from iaiflow_lab.canvas.forms import Form, Watch
    from iaiflow_lab.engine.setup import Targets
    from iaiflow_lab.interactive.places import Request
    from iaiflow_lab.model.budget import RunBudget
    from iaiflow_lab.model.diff import Diff
    from iaiflow_lab.model.rules import Problem
    from iaiflow_lab.sdk.catalog import Catalog

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
#: A node's id, or several.
Nodes = str | Sequence[str]


class Flow(FlowBuilder):
    """A graph of nodes. Nodes called inside `with Flow("name") as flow:` are added to it.

    Args:
        name: What people call the flow.
        parameters: JSON Schema of each parameter, by name; `default` makes it optional.
        schema_uri: The `$schema` line of the file, if it shall have one.
    """

    def __init__(
        self,
        name: str = "",
        *,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        schema_uri: str = "",
    ) -> None:
        super().__init__(name, parameters=parameters, schema_uri=schema_uri)
        self._file: Path | None = None
        #: What the file says, as far as this object knows; None: the flow is built in code.
        self._kept_as: model.Flow | None = None
        self._earlier: dict[str, Mapping[str, Any]] = {}
        self._cell = current_cell()

    @classmethod
    def of(cls, definition: model.Flow) -> Self:
        """Return a flow that can be changed and run, from its definition."""
        made = cls(definition.name)
        made._take(definition)
        return made

    def _take(self, definition: model.Flow) -> None:
        self._name = definition.name
        self._schema_uri = definition.schema_uri
        self._parameters = {name: dict(spec) for name, spec in definition.parameters.items()}
        self._nodes = dict(definition.nodes)
        self._edges = list(definition.edges)
        self._outputs = None if definition.outputs is None else dict(definition.outputs)
        self._layout = dict(definition.layout)
        self._notes = definition.notes
        self._groups = definition.groups

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a flow from its file; nothing is executed.

        Args:
            path: The file; a relative path starts at the notebook's folder, else at the current
                one.

        Raises:
            NotFoundError: There is no such file.
            FlowError: The file is no flow.
        """
        place = notebook_folder() / path
        try:
            if (size := place.stat().st_size) > file.MAX_BYTES:
                raise file.too_large(size)
            source = place.read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"There is no flow {str(place)!r}.") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"The file cannot be read: {reason}.", where=str(place)) from error
        made = cls.of(file.parse(source, str(path)))
        made._file = place  # noqa: SLF001  it is one of this class
        made._kept_as = made.build()  # noqa: SLF001
        return made

    @classmethod
    def open(cls, name: str) -> Self:
        """Load `NAME.flow.json` beside the notebook; make an empty one when there is none.

        Raises:
            FlowError: The file is no flow.
            InputError: The file would be outside the workspace.
        """
        path = name if name.endswith(SUFFIX) else f"{name}{SUFFIX}"
        if (notebook_folder() / path).exists():
            return cls.load(path)
        made = cls(Path(path).name.removesuffix(SUFFIX))
        made.save(path)
        made._kept_as = made.build()
        return made

    @property
    def name(self) -> str:
        """What people call the flow."""
        return self._name

    @property
    def path(self) -> Path | None:
        """The file that it was loaded from or saved to; None when there is none."""
        return self._file

    def save(self, path: str | Path | None = None) -> Path:
        """Write the flow to its file and keep its version; an unchanged flow changes no byte.

        Args:
            path: The file, ending in `.flow.json`; None: where it came from, else a file named
                after the flow, beside the notebook.

        Raises:
            InputError: The file would be outside the workspace, or has another ending.
            FlowError: The flow could not be read back from a file.
            StoreError: The file or the database cannot be written.
        """
        from iaiflow_lab.service import flows

        if path is None and self._file is None and not self._name:
            raise InputError(
                "A flow without a name needs a path.", remedy="flow.save('x.flow.json')"
            )
        named = f"{_UNFIT.sub('-', self._name).strip('-.') or 'flow'}{SUFFIX}"
        place = notebook_folder() / (path or self._file or named)
        session = open_workspace()
        definition = self.build()
        flows.save(session, path_inside(session.workspace, place), definition, self._catalog())
        self._file = place
        if self._kept_as is not None:
            self._kept_as = definition
        return place

    def validate(self) -> list[Problem]:
        """Return all that is wrong with the flow, errors first; nothing is executed."""
        from iaiflow_lab.model import rules
        from iaiflow_lab.service import secret_checks

        flow, catalog = self.build(), self._catalog()
        unset = secret_checks.problems(find_workspace(self._folder()), flow, catalog)
        return [*unset, *rules.check(flow, catalog)]

    def to_python(self) -> str:
        """Return the Python code that builds this flow."""
        from iaiflow_lab.model import code

        return code.to_python(self.build(), self._catalog())

    def diff(self, other: FlowBuilder | model.Flow | str | Path) -> Diff:
        """Return what changed in meaning from `other` to this flow.

        Args:
            other: A flow, or the path of one.
        """
        from iaiflow_lab.model.diff import diff

        return diff(_definition(other), self.build())

    def run(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        until: Nodes = (),
        start: Nodes = (),
        fresh: bool = False,
        budget: RunBudget | None = None,
        show: bool = True,
        **params: Any,
    ) -> Run:
        """Run the flow in this process, show it, and wait for its end; an interrupt cancels it.

        Nodes that did not change since an earlier run take their outputs from it.

        Args:
            inputs: Parameter values by name, for names that are also keywords here.
            until: Run these nodes and what they need only.
            start: Run these nodes and what depends on them; the others keep the values of earlier
                runs of this flow object.
            fresh: Whether every node is executed, changed or not.
            budget: What the models that it asks may take together, such as
                `{"cost": 2, "tokens": 500_000, "calls": 200}`.
            show: Whether the run is shown while it goes on.
            **params: Parameter values.

        Raises:
            FlowError: The flow has errors.
            InputError: A parameter is missing, unknown or wrong.
            RunError: A node failed, or the run was cancelled; its `run` has what was done.
        """
        from iaiflow_lab.lab.execution import execute

        targets = self._targets(until, start, fresh=fresh)
        given = {**(inputs or {}), **params}
        request = self._request(given, targets, budget, quiet=not show)
        with self._kept():
            return self._keep(execute(request))

    async def arun(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        until: Nodes = (),
        start: Nodes = (),
        fresh: bool = False,
        budget: RunBudget | None = None,
        show: bool = True,
        **params: Any,
    ) -> Run:
        """Do the same as `run` without blocking: `run = await flow.arun()`."""
        from iaiflow_lab.lab.execution import execute_async

        targets = self._targets(until, start, fresh=fresh)
        given = {**(inputs or {}), **params}
        request = self._request(given, targets, budget, quiet=not show)
        with self._kept():
            return self._keep(await execute_async(request))

    def show(self, *, height: int = 480) -> None:
        """Show the flow on a canvas below the cell: draw, run and look.

        A flow that was opened or loaded lives in its file: edits on the canvas are saved there,
        and this object takes them. What Python changed in it is saved when it is shown. Edits of a
        flow that the cell builds in code are held, and offered as a change of that code.

        Elsewhere than in a notebook the flow is printed as text.

        Args:
            height: Height of the canvas, in pixels, from 120 to 4,000.

        Raises:
            InputError: The height is out of range.
            NotFoundError: The browser side of the canvas was not built.
            ConflictError: Both the file and this object were changed.
        """
        if not 120 <= height <= 4_000:
            raise InputError(f"A canvas can't be {height} pixels high.", remedy="120 to 4000 can.")
        if _is_live():
            from iaiflow_lab.lab.canvas import Shown

            Shown(self, self._edits(), height).display()
        elif in_marimo():
            import_module("marimo").output.append(self._canvas(height))
        elif in_notebook():
            import_module("IPython.display").display(picture.bundle(self.build()), raw=True)
        else:
            sys.stdout.write(f"{self!r}\n")

    def form(self) -> Form:
        """Return a form for the flow's parameters, with a button that runs it.

        The last line of a cell shows it. `form.inputs` are the values as they stand, `form.value`
        is what the latest run returned, `form.run` the run itself.

        """
        from iaiflow_lab.canvas.forms import Form
        from iaiflow_lab.lab.execution import execute_watched

        loop = _running_loop()

        def start(inputs: Mapping[str, Any], watch: Watch) -> Run:
            request = self._request(inputs, self._targets((), (), fresh=False), None, quiet=True)
            with self._kept():
                return self._keep(execute_watched(request, watch, loop))

        return Form(self._name, self.build().parameters, start)

    def adopt(self, definition: model.Flow) -> None:
        """Take the definition that a canvas saved to the flow's file as this object's own."""
        self._take(definition)
        self._kept_as = definition

    def __repr__(self) -> str:
        return picture.text(self.build())

    def _display_(self) -> object:
        """Return what marimo shows for a bare flow at a cell's end."""
        return self._canvas()

    def _canvas(self, height: int = 480) -> object:
        from iaiflow_lab.lab.canvas import Shown

        return Shown(self, self._edits(), height).widget

    def _ipython_display_(self) -> None:
        """Show a bare flow at a cell's end: on a canvas where there is one."""
        if not _is_live() or not is_built():
            raise NotImplementedError  # IPython then asks for the bundle below
        self.show()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show the flow as a drawing, or as text where drawings are not shown."""
        del include, exclude  # the front end takes what it likes best
        return picture.bundle(self.build())

    def _edits(self) -> Edits | None:
        """Return where edits of a flow built in code are held; None when it lives in its file.

        Raises:
            ConflictError: Both the file and this object were changed.
        """
        if self._kept_as is not None:
            self._meet_file(self._kept_as)
            return None
        from iaiflow_lab.canvas.edits import Edits
        from iaiflow_lab.canvas.shelf import Shelf

        folder = notebook_folder()
        # Where the notebook is not known, the ids of its cells are told from others by its folder.
        shelf = Shelf(find_workspace(folder), notebook_file() or folder) if _is_live() else None
        return Edits(self._cell, self.build, self._catalog(), shelf)

    def _meet_file(self, kept: model.Flow) -> None:
        """Bring the object and its file together when one of them was changed."""
        definition = self.build()
        try:
            present = Flow.load(self._file or "").build()
        except NotFoundError:
            present = kept
            self.save()
        if definition == kept:
            self.adopt(present)
        elif present == kept:
            self.save()
        elif present != definition:
            raise ConflictError(
                "Both the flow's file and this object were changed since it was opened.",
                where=str(self._file),
                remedy="Open it again with Flow.open, or overwrite the file with flow.save()",
            )

    def _catalog(self) -> Catalog:
        from iaiflow_lab.sdk.catalog import load_catalog

        return load_catalog(find_workspace(self._folder()))

    def _folder(self) -> Path:
        """Return where the flow's relative paths start."""
        return notebook_folder() if self._file is None else self._file.parent

    def _targets(self, until: Nodes, start: Nodes, *, fresh: bool) -> Targets:
        from iaiflow_lab.engine.setup import Targets

        if fresh and not start:
            start = tuple(self._nodes)
        return Targets(until=self._ids("until", until), start=self._ids("start", start))

    def _ids(self, keyword: str, nodes: Nodes) -> tuple[str, ...]:
        """Return the ids that `until` or `start` names, which must be nodes of this flow."""
        ids = [nodes] if isinstance(nodes, str) else nodes
        if not isinstance(ids, Sequence) or not all(isinstance(one, str) for one in ids):  # pyright: ignore[reportUnnecessaryIsInstance]
            remedy = f"Give node ids; a parameter of this name goes into run({{{keyword!r}: ...}})"
            raise InputError(f"{keyword} = {nodes!r} names no nodes.", remedy=remedy)
        for one in ids:
            if one not in self._nodes:
                hint = did_you_mean(one, self._nodes)
                raise NotFoundError(f"There is no node {one!r} in {self._name!r}.", remedy=hint)
        return tuple(ids)

    def _request(
        self,
        inputs: Mapping[str, Any],
        targets: Targets,
        budget: RunBudget | None,
        *,
        quiet: bool,
    ) -> Request:
        from iaiflow_lab.interactive.places import Request
        from iaiflow_lab.model.budget import check_budget

        definition = self.build()
        return Request(
            flow=definition,
            named=history_name(definition, self._file),
            inputs=inputs,
            folder=self._folder(),
            targets=targets,
            earlier=self._earlier,
            keys=(self,) if self._file is None else (self, self._file.resolve()),
            budget=check_budget(budget),
            quiet=quiet,
        )

    @contextmanager
    def _kept(self) -> Generator[None]:
        """Keep the values of a run that does not complete as well."""
        try:
            yield
        except (FlowFailedError, FlowCancelledError) as error:
            self._keep(error.run)
            raise

    def _keep(self, run: Run) -> Run:
        """Keep the run's values for the next run from a node."""
        self._earlier |= {step.path: step.outputs for step in run if step.state == "completed"}
        bindings.provide(bindings.label(self.build(), self._file), self, _live_value)
        return run


def _live_value(flow: Flow, path: str, port: str) -> Any:
    """Return a value of a flow's latest run."""
    return flow._earlier[path][port]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's own event loop, in which a cell is being executed."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _is_live() -> bool:
    """Say whether this is the kernel of a notebook that a person looks at."""
    from iaiflow_lab.notebook.inside import current_run

    return in_notebook() and current_run() is None


def run(flow: FlowBuilder | model.Flow | str | Path, /, **inputs: Any) -> Run:
    """Run a flow in this process, show it, and wait for its end.

    Args:
        flow: A flow, or the path of one.
        **inputs: Parameter values.

    Raises:
        NotFoundError: There is no such file.
        FlowError: The flow has errors.
        InputError: A parameter is missing, unknown or wrong.
        RunError: A node failed, or the run was cancelled.
    """
    if isinstance(flow, Flow):
        return flow.run(inputs)
    if isinstance(flow, str | Path):
        return Flow.load(flow).run(inputs)
    return Flow.of(_definition(flow)).run(inputs)


def _definition(flow: FlowBuilder | model.Flow | str | Path) -> model.Flow:
    if isinstance(flow, model.Flow):
        return flow
    return flow.build() if isinstance(flow, FlowBuilder) else Flow.load(flow).build()
