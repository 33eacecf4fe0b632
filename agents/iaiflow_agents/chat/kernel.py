"""What a chat needs of the kernel that it is in. No other module here knows its rooms."""

from __future__ import annotations

import sys
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from iaiflow_lab.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from iaiflow_agents.chat.requests import Answer
    from iaiflow_lab.interactive.audience import Beginning, Ending
    from iaiflow_lab.model.event import Event
    from iaiflow_lab.model.flow import Flow
    from iaiflow_memory import Memory


class Follower(Protocol):
    """Follows one run; any thread calls it, and it must be quick."""

    def follow(self, beginning: Beginning) -> bool:
        """Take that the run begins."""
        ...

    def take(self, event: Event) -> None:
        """Take what happens."""
        ...

    def note(self, text: str) -> None:
        """Take what is waited for while it is being cancelled."""
        ...

    def end(self, ending: Ending) -> None:
        """Take how it ended."""
        ...


@dataclass(frozen=True, slots=True)
class OpenFlow:
    """A flow that is open on a canvas, or stands in its file."""

    #: Its file in the workspace.
    path: str
    flow: Flow
    #: Where its relative paths start.
    folder: Path
    #: What arrived at its nodes when they ran last, by node and port.
    arrived: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    #: Paths of the steps that have completed, those below its nodes included.
    completed: Collection[str] = ()
    #: Values of its parameters in its last run.
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])


def shell() -> Any:
    """Return IPython's shell; None where there is none."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def variables() -> dict[str, Any]:
    """Return the variables of the notebook by name, without hidden ones."""
    found = cast("dict[str, Any]", getattr(shell(), "user_ns", {}))
    return {name: value for name, value in list(found.items()) if not name.startswith("_")}


def folder() -> Path:
    """Return the notebook's folder."""
    from iaiflow_lab.interactive.kernel import notebook_folder

    return notebook_folder()


def workspace() -> Path:
    """Return the workspace around the notebook."""
    from iaiflow_lab.settings import find_workspace

    return find_workspace(folder())


def state_folder(root: Path) -> Path:
    """Return where a workspace keeps its state, made when it is missing.

    Raises:
        InputError: Nothing can be written there.
    """
    from iaiflow_lab.settings import make_state_dir

    return make_state_dir(root)


def open_flows() -> Iterator[OpenFlow]:
    """Yield the flows of files that are open on canvases, as they are shown."""
    from iaiflow_lab.canvas.session import sessions

    seen: set[str] = set()
    for session in sessions():
        desk = session.desk
        try:
            path = "" if desk is None else desk.path
        except InputError:  # outside of the workspace
            continue
        if desk is not None and path and path not in seen:
            seen.add(path)
            flow = desk.draft.flow_or_empty()
            arrived = {node: desk.board.arrived(node) for node in flow.nodes}
            completed = desk.board.earlier().keys()
            yield OpenFlow(path, flow, desk.folder, arrived, completed, desk.board.inputs)


def read_flow(root: Path, path: str) -> OpenFlow:
    """Return a flow of the workspace: as a canvas shows it, else from its file.

    Args:
        root: The workspace.
        path: The flow's file; of one on a canvas also from a folder around the workspace on.

    Raises:
        NotFoundError: There is no such file.
        LabError: It is no flow.
    """
    from iaiflow_lab.safe.path import safe_path
    from iaiflow_lab.service import flows

    for found in sorted(open_flows(), key=lambda one: -len(one.path)):
        if path == found.path or path.endswith(f"/{found.path}"):
            return found
    place = safe_path(root, path, must_exist=True)
    return OpenFlow(path, flows.read(place, path), place.parent)


def secret_names(root: Path) -> Collection[str]:
    """Return the names of the workspace's secrets."""
    from iaiflow_lab.interactive.kernel import open_workspace
    from iaiflow_lab.service import secret_checks

    return secret_checks.names(open_workspace(root))


@dataclass(frozen=True, slots=True)
class Work:
    """A run of one node."""

    #: The node, and what feeds it.
    flow: Flow
    #: Which one it is.
    node: str
    #: What the others give, by node and port; they are not executed.
    given: Mapping[str, Mapping[str, Any]]
    #: Values of the flow's parameters.
    inputs: Mapping[str, Any]
    #: Where relative paths start.
    folder: Path


def begin(work: Work, follower: Follower) -> str:
    """Begin a run in the background and return its id.

    Args:
        work: What to run.
        follower: Told of everything.

    Raises:
        LabError: It could not be started.
    """
    from iaiflow_lab.canvas import running
    from iaiflow_lab.engine.setup import Targets
    from iaiflow_lab.interactive import audience
    from iaiflow_lab.interactive.places import Request

    request = Request(
        flow=work.flow,
        named=work.flow,
        inputs=work.inputs,
        folder=work.folder,
        targets=Targets(until=(work.node,), start=(work.node,)),
        earlier=work.given,
        keys=(follower,),
        quiet=True,
    )
    audience.join(follower, follower)
    try:
        return running.begin(request).place.run_id
    finally:
        audience.leave(follower, follower)


def answer(root: Path, prefix: str, given: Answer) -> None:
    """Answer a step of a run that waits.

    Args:
        root: The workspace.
        prefix: What stands before every step path of the run.
        given: The answer.

    Raises:
        LabError: It does not wait for that, or was answered already.
    """
    from iaiflow_lab.interactive.kernel import open_workspace
    from iaiflow_lab.model.run import WaitOutcome
    from iaiflow_lab.service import waits

    waits.give(
        open_workspace(root),
        given.run_id,
        prefix + given.step,
        WaitOutcome(given.outcome),
        value=given.value,
        reason=given.reason,
    )


def goes_on(root: Path, run_id: str) -> bool:
    """Say whether a run goes on, perhaps in another process."""
    from iaiflow_lab.interactive.kernel import open_workspace
    from iaiflow_lab.model.run import TERMINAL
    from iaiflow_lab.service import history

    try:
        return history.get(open_workspace(root), run_id).state not in TERMINAL
    except NotFoundError:
        return False


@contextmanager
def memory(root: Path, *, agent: str, user: str = "", thread: str = "") -> Generator[Memory]:
    """Open what an agent remembers.

    Raises:
        LabError: It cannot be opened.
    """
    from iaiflow_lab.service.memories import open_memory, refusals

    with refusals(), open_memory(root) as opened:
        yield opened.scoped(agent=agent, user=user, thread=thread)
