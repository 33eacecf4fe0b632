"""The workspace in Python: its flows, its runs, its node types."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.interactive.kernel import open_workspace
from iaiflow_lab.lab import listing
from iaiflow_lab.lab.flow import Flow
from iaiflow_lab.lab.listing import Listing
from iaiflow_lab.lab.notifications import Notifications
from iaiflow_lab.lab.run import log_text
from iaiflow_lab.lab.schedules import Schedules
from iaiflow_lab.lab.secrets import Secrets
from iaiflow_lab.model import flow as model
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.run import RunState
from iaiflow_lab.sdk.builder import FlowBuilder

if TYPE_CHECKING:
    from iaiflow_lab.lab.debug import Debug
    from iaiflow_lab.model.budget import RunBudget
    from iaiflow_lab.model.diff import Diff
    from iaiflow_lab.model.event import AnyEvent
    from iaiflow_lab.model.signature import NodeSignature
    from iaiflow_lab.queue.signals import Delivery
    from iaiflow_lab.sdk.catalog import Catalog
    from iaiflow_lab.service.flows import FlowSave, FlowSummary, Saved
    from iaiflow_lab.service.history import RunFile, RunSummary, RunView
    from iaiflow_lab.service.log_search import LogLine
    from iaiflow_lab.service.retention import Removal
    from iaiflow_lab.service.run_diff import RunDiff
    from iaiflow_lab.service.runs import Options
    from iaiflow_lab.service.session import Session
    from iaiflow_lab.service.storage import Storage
    from iaiflow_lab.store.waits import Wait
    from iaiflow_memory import Memory


class Queueing(TypedDict, total=False):
    """How a run is queued."""

    #: Name of the queue that workers take it from.
    queue: str
    #: The lowest goes first, -1000 to 1000.
    priority: int
    #: Not before this moment, in seconds since the Unix epoch.
    run_at: float | None
    #: Not before so many seconds from now.
    delay: float | None
    #: Longest time in which the run may be executed, in seconds.
    timeout: float | None
    #: What the models that it asks may take together, such as `{"cost": 2, "calls": 200}`.
    budget: RunBudget | None
    #: Whether outputs of earlier runs may be used.
    use_cache: bool
    #: The same key and request give the same run.
    idempotency_key: str | None


class Lab:
    """An open workspace.

    Args:
        workspace: A folder in it; None: the notebook's own, else the current one.

    Raises:
        InputError: The folder does not exist or cannot be written.
        StoreError: The workspace's database cannot be used.
    """

    def __init__(self, workspace: str | Path | None = None) -> None:
        session = open_workspace(None if workspace is None else Path(workspace))
        #: The folder.
        self.workspace = session.workspace
        self.flows = Flows(session)
        self.runs = Runs(session)
        self.schedules = Schedules(session)
        self.notifications = Notifications(session)
        self.secrets = Secrets(session)
        self.nodes = Nodes(session)
        self._session = session

    @cached_property
    def memory(self) -> Memory:
        """What agents of the workspace remember; all of its processes share it."""
        from iaiflow_lab.service.memories import open_memory

        return open_memory(self.workspace)

    def storage(self) -> Storage:
        """Return what the workspace takes on its disk."""
        from iaiflow_lab.service.storage import measure

        return measure(self._session)

    def clean(self) -> Removal:
        """Remove runs that the setting `keep_days` does not keep, and unused artifacts."""
        from iaiflow_lab.service import retention

        return retention.clean(self._session)

    def __repr__(self) -> str:
        return f"<lab {str(self.workspace)!r}>"


class Flows:
    """The flows of a workspace, by path."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ls(self) -> Listing[FlowSummary]:
        """Return the flows below the workspace, by path."""
        from iaiflow_lab.service import flows

        return Listing(flows.list_flows(self._session), listing.FLOWS)

    def open(self, path: str) -> Flow:
        """Return a flow that can be changed and run.

        Raises:
            NotFoundError: There is no such flow.
            FlowError: The file is no flow.
        """
        from iaiflow_lab.service import flows

        return Flow.load(flows.flow_file(self._session, path))

    def versions(self, path: str) -> Listing[FlowSave]:
        """Return every save that changed the flow's meaning, the newest first.

        Raises:
            NotFoundError: The flow was never saved through the workbench.
        """
        from iaiflow_lab.service import flows

        return Listing(flows.versions(self._session, path), listing.SAVES)

    def diff(self, path: str, old: str | int, new: str | int = "") -> Diff:
        """Return what changed in meaning between two versions.

        Args:
            path: The flow.
            old: A save's number, or a version or its first characters.
            new: The same; "" for the present file.

        Raises:
            NotFoundError: There is no such flow or version.
        """
        from iaiflow_lab.model.diff import diff
        from iaiflow_lab.service import flows

        before, after = (flows.version(self._session, path, str(which)) for which in (old, new))
        return diff(before, after)

    def restore(self, path: str, which: str | int) -> Saved:
        """Make an earlier version the present one, as a new save.

        Raises:
            NotFoundError: There is no such flow or version.
        """
        from iaiflow_lab.service import flows

        return flows.restore(self._session, path, str(which), _catalog(self._session))


class Runs:
    """The runs of a workspace, by id or its first characters."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ls(
        self,
        *,
        states: Sequence[RunState | str] = (),
        flow: str | None = None,
        queue: str | None = None,
        limit: int = 50,
    ) -> Listing[RunSummary]:
        """Return runs, the newest first.

        Args:
            states: Only runs in one of these states; empty: all.
            flow: Only runs of this flow or notebook, by path.
            queue: Only runs of this queue.
            limit: How many, 1 to 10,000.
        """
        from iaiflow_lab.service import history

        wanted = [_state(state) for state in states]
        found = history.list_runs(self._session, states=wanted, flow=flow, queue=queue, limit=limit)
        return Listing(found, listing.RUNS)

    def get(self, run_id: str) -> RunView:
        """Return a run with its steps.

        Raises:
            NotFoundError: There is no such run.
        """
        from iaiflow_lab.service import history

        return history.get(self._session, run_id)

    def start(
        self,
        what: str | FlowBuilder | model.Flow,
        inputs: Mapping[str, Any] | None = None,
        **how: Unpack[Queueing],
    ) -> str:
        """Queue a run for the workers and return its id.

        Args:
            what: The path of a flow or notebook in the workspace, or a flow.
            inputs: Parameter values by name.
            **how: Queue, priority, delay and the like.

        Raises:
            FlowError: The flow has errors.
            InputError: An input or option is wrong.
            NotFoundError: There is no such file.
        """
        from iaiflow_lab.service import runs

        target, catalog = _target(what), _catalog(self._session)
        return runs.start(self._session, target, inputs or {}, catalog, _options(how))

    def prepare(
        self,
        what: str | FlowBuilder | model.Flow,
        inputs: Mapping[str, Any] | None = None,
        **how: Unpack[Queueing],
    ) -> str:
        """Write a run down as a draft and return its id; `queue` starts it."""
        from iaiflow_lab.service import runs

        return runs.prepare(self._session, _target(what), inputs or {}, _options(how))

    def edit(self, run_id: str, inputs: Mapping[str, Any]) -> None:
        """Replace the inputs of a draft.

        Raises:
            ConflictError: The run is no draft any more.
            InputError: An input is unknown or wrong.
        """
        from iaiflow_lab.service import runs

        runs.edit_draft(self._session, run_id, inputs)

    def queue(self, run_id: str) -> None:
        """Put a draft into its queue.

        Raises:
            ConflictError: The run is no draft any more.
            InputError: An input is missing or wrong.
        """
        from iaiflow_lab.service import runs

        runs.queue_draft(self._session, run_id, _catalog(self._session))

    def cancel(self, run_id: str) -> RunState:
        """Cancel a run and return its state: `running` until its worker has ended it.

        Raises:
            ConflictError: It has ended already.
        """
        from iaiflow_lab.service import runs

        return runs.cancel(self._session, run_id)

    def approve(self, run_id: str, step: str = "", *, value: Any = None, reason: str = "") -> Wait:
        """Approve what a run waits for; returns the wait.

        Args:
            run_id: The run.
            step: The waiting step's path or node id; "" when only one waits.
            value: What the form asks for, as JSON.
            reason: Why, for people.

        Raises:
            NotFoundError: The run waits for no approval.
            ConflictError: It was answered already.
            InputError: Several steps wait, or the value does not fit the form.
        """
        from iaiflow_lab.service import waits

        return waits.approve(self._session, run_id, step, value=value, reason=reason)

    def refuse(self, run_id: str, step: str = "", *, value: Any = None, reason: str = "") -> Wait:
        """Refuse what a run waits for; like `approve`, but no form has to be filled in."""
        from iaiflow_lab.service import waits

        return waits.refuse(self._session, run_id, step, value=value, reason=reason)

    def signal(
        self, run_id: str, name: str, payload: Any = None, *, dedupe: str | None = None
    ) -> Delivery:
        """Send a signal to a run; one that nothing waits for yet is kept.

        Args:
            run_id: The run.
            name: What the signal is called.
            payload: JSON.
            dedupe: A mark; a second signal with it changes nothing.

        Raises:
            ConflictError: The run has ended.
            InputError: The payload does not fit the form of what waits for it.
        """
        from iaiflow_lab.service import waits

        return waits.signal(self._session, run_id, name, payload, dedupe=dedupe)

    def retry(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_start: bool = False,
        latest: bool = False,
        start: str = "",
    ) -> str:
        """Queue a new run that repeats one that has ended; return its id.

        Args:
            run_id: The run.
            inputs: Other inputs; None: the same.
            from_start: Whether completed steps are executed again as well.
            latest: Whether the file is taken as it is now, not as it was then.
            start: A node that is executed again with all that follows it; what is before it and
                was not changed is replayed. "" for none.

        Raises:
            ConflictError: It has not ended.
            NotFoundError: There is no such run or node.
        """
        from iaiflow_lab.service import runs

        return runs.retry(
            self._session,
            run_id,
            _catalog(self._session),
            inputs=inputs,
            from_start=from_start,
            latest=latest,
            start=start,
        )

    def debug(self, run_id: str, step: str = "") -> Debug:
        """Return what a step of a run was given, to look for its fault here.

        Args:
            run_id: The run.
            step: The step's path; "" for the one that failed.

        Raises:
            NotFoundError: There is no such run or step, or no step failed.
        """
        from iaiflow_lab.lab.debug import Debug
        from iaiflow_lab.service import debugging

        found = debugging.inputs_of(self._session, run_id, step, _catalog(self._session))
        return Debug(self._session, found)

    def logs(self, run_id: str, step: str = "") -> str:
        """Return what a run's steps wrote.

        Args:
            run_id: The run.
            step: Only this step and what is nested in it; "" for all.
        """
        from iaiflow_lab.service import history

        return log_text(line for _, line in history.logs(self._session, run_id, step))

    def grep(
        self, pattern: str, *, flow: str = "", since: str = "", limit: int = 1_000
    ) -> list[LogLine]:
        """Return the lines of all runs that match, the newest run first.

        Args:
            pattern: A regular expression, without look-around.
            flow: Only runs of this flow or notebook, by path.
            since: Only from this moment on (`2026-12-01T06:00`), or for the last `2h`, `1d`.
            limit: How many, 1 to 10,000.

        Raises:
            InputError: The pattern or the moment cannot be read.
        """
        from iaiflow_lab.service import log_search

        begin = log_search.since(self._session, since)
        wanted = log_search.LogSearch(pattern, flow=flow, since=begin, limit=limit)
        return log_search.search(self._session, wanted).lines

    def files(self, run_id: str) -> Listing[RunFile]:
        """Return the files that a run made for people."""
        from iaiflow_lab.service import history

        return Listing(history.artifacts(self._session, run_id), listing.FILES)

    def export(
        self, run_id: str, folder: str | Path = ".", to: str = "html", step: str = ""
    ) -> list[Path]:
        """Write a run's output notebooks as documents that run nothing and load nothing.

        Args:
            run_id: The run.
            folder: Where they go; files of the same names are replaced.
            to: `html`, `markdown`, `pdf`, or `ipynb`: as they are.
            step: Only the notebook of this step; "" for all.

        Raises:
            NotFoundError: The run has no output notebook, or nothing is installed that prints.
        """
        from iaiflow_lab.service import outputs

        made = outputs.export(self._session, run_id, to, step)
        return outputs.write(outputs.placed(made, Path(folder)))

    def zip(self, run_id: str, path: str | Path, to: Sequence[str] = ()) -> Path:
        """Pack a run: its record, events, output notebooks and files.

        Args:
            run_id: The run.
            path: The archive; a file of that name is replaced.
            to: What output notebooks are made into as well: `html`, `markdown`, `pdf`.
        """
        from iaiflow_lab.service import outputs

        return outputs.write_pack(self._session, run_id, Path(path), to)

    def diff(self, old: str, new: str) -> RunDiff:
        """Return what differs between two runs.

        Raises:
            NotFoundError: There is no such run.
        """
        from iaiflow_lab.service import run_diff

        return run_diff.diff(self._session, old, new)

    def remove(self, *run_ids: str, older_than: str = "") -> Removal:
        """Remove runs that have ended, with all that is kept of them; return what was removed.

        Artifacts that no other run needs go with them, those of the last hour a little later.

        Args:
            *run_ids: The runs.
            older_than: Instead of naming them: all that ended longer ago, such as `30d`.

        Raises:
            ConflictError: A run has not ended, or one that has not ended repeats it.
            NotFoundError: There is no such run.
        """
        from iaiflow_lab.service import retention

        chosen = retention.chosen(self._session, run_ids, older_than)
        return retention.remove(self._session, chosen)

    def follow(self, run_id: str) -> Iterator[AnyEvent]:
        """Yield a run's events as they are recorded, until it has ended."""
        from iaiflow_lab.service import history

        return (event for _, event in history.follow(self._session, run_id))


class Nodes:
    """The node types that flows of a workspace may use."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ls(self) -> Listing[NodeSignature]:
        """Return the signatures of all node types, by name; warns of those that have none."""
        found, problems = _catalog(self._session).signatures()
        for problem in problems:
            warnings.warn(str(problem), stacklevel=2)
        return Listing(found, listing.NODES)

    def get(self, name: str) -> NodeSignature:
        """Return the signature of a node type.

        Raises:
            NotFoundError: It is not installed.
        """
        catalog = _catalog(self._session)
        found = catalog.signature(name)
        if found is None:
            raise NotFoundError(
                f"Node type {name!r} isn't installed.",
                remedy=did_you_mean(name, catalog.types()) or "`iaiflow nodes ls` lists them",
            )
        return found


def _catalog(session: Session) -> Catalog:
    from iaiflow_lab.sdk.catalog import load_catalog

    return load_catalog(session.workspace)


def _target(what: str | FlowBuilder | model.Flow) -> str | model.Flow:
    return what.build() if isinstance(what, FlowBuilder) else what


def _options(how: Queueing) -> Options:
    from iaiflow_lab.service.runs import Options

    known = Queueing.__annotations__
    if unknown := [name for name in how if name not in known]:
        hint = did_you_mean(unknown[0], known) or f"Options: {', '.join(known)}."
        raise InputError(f"There is no option {unknown[0]!r}.", remedy=hint)
    return Options(**how)


def _state(name: str) -> RunState:
    if name not in list(RunState):
        listed = ", ".join(RunState)
        raise NotFoundError(f"There is no run state {name!r}.", remedy=f"States: {listed}")
    return RunState(name)
