"""Runs that a canvas asks for: they go on in the background, and the kernel goes on answering."""

from __future__ import annotations

import atexit
import sys
import threading
from asyncio import AbstractEventLoop
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

from iaiflow_lab.canvas.board import already_running
from iaiflow_lab.canvas.desk import Desk
from iaiflow_lab.engine.loop import engine_loop
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.interactive.going import Going
from iaiflow_lab.interactive.interrupts import HeldBack
from iaiflow_lab.interactive.naming import history_name
from iaiflow_lab.interactive.places import LIVE_CACHE, Request
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.run import WaitOutcome

if TYPE_CHECKING:
    from iaiflow_lab.engine.setup import Targets

#: How much of a flow runs.
RunMode = Literal["all", "until", "from", "only", "retry", "fresh"]

#: Pause between two looks at a run, in seconds.
_PAUSE: Final = 0.1
#: How long the end of this process waits for its runs to end, in seconds.
_LAST_WAIT: Final = 3.0

_lock = threading.Lock()
#: Runs that go on, each with the thread that waits for it.
_runs: Final[dict[Going, threading.Thread]] = {}


def start(
    desk: Desk, flow: Flow, mode: RunMode, nodes: Sequence[str], inputs: Mapping[str, Any]
) -> str:
    """Start a run in the background and return its id.

    Args:
        desk: The canvas that asks for it.
        flow: The flow as the canvas shows it.
        mode: How much of it runs.
        nodes: The nodes that this is about; a path names the outermost node.
        inputs: Parameter values by name.

    Raises:
        ConflictError: The flow is running already.
        LabError: The run could not be started.
    """
    board, subject = desk.board, desk.subject
    if board.going is not None:
        raise already_running()
    keys = tuple(key for key in (subject.key, subject.owner) if key is not None)
    request = Request(
        flow=flow,
        named=history_name(flow, subject.file),
        inputs=inputs,
        folder=desk.folder,
        targets=_targets(desk, flow, mode, nodes),
        earlier=board.earlier(),
        keys=tuple(dict.fromkeys(keys)),
        quiet=True,
    )
    with board.expecting(request):
        return begin(request).place.run_id


def begin(request: Request) -> Going:
    """Start a run in the background; a thread waits for it and settles it.

    Raises:
        LabError: It could not be started.
    """
    with HeldBack():
        going = Going(request, loop=_kernel_loop())
        _attended(going)
    return going


def _attended(going: Going) -> None:
    """Have a thread wait for a run."""
    name = f"iaiflow-run-{going.place.run_id}"
    thread = threading.Thread(target=_attend, args=(going,), name=name, daemon=True)
    with _lock:
        _runs[going] = thread
    thread.start()


def stop(desk: Desk) -> None:
    """Ask the flow's run to end; at the second time, what goes on is left."""
    going = desk.board.going
    if going is not None:
        going.cancel()


def answer(desk: Desk, step: str, outcome: WaitOutcome, value: Any, reason: str) -> None:
    """Answer a step of the flow's run that waits.

    Args:
        desk: The canvas.
        step: The step's path as the canvas has it.
        outcome: Approved or refused; answered, for what a signal ends as well.
        value: What the form asks for, as JSON.
        reason: Why, for people.

    Raises:
        NotFoundError: Nothing goes on, or the step waits for nothing of that kind.
        ConflictError: It was answered already.
        InputError: The value does not fit the form, or that is no answer.
    """
    from iaiflow_lab.service import waits

    going = desk.board.going
    if going is None:
        raise NotFoundError("The flow does not run any more.", code="no-wait")
    run_id, path = going.run_id, going.prefix + step
    going.flush()  # the canvas shows a wait before it is committed
    waits.give(desk.workspace, run_id, path, outcome, value=value, reason=reason)


def clear_cache(desk: Desk, flow: Flow, nodes: Sequence[str]) -> int:
    """Forget outputs of earlier runs, so that nodes are executed again; return how many there were.

    Args:
        desk: The canvas.
        flow: The flow.
        nodes: The nodes; empty: all.

    Raises:
        ConflictError: The flow is running.
    """
    keys = desk.board.keys_of(_outermost(flow, nodes) or tuple(flow.nodes))
    found = [key for key in keys if key in LIVE_CACHE]

    def drop() -> None:
        for key in found:
            LIVE_CACHE.drop(key)

    engine_loop().call_soon_threadsafe(drop)  # before the next run, which starts there as well
    return len(found)


def _targets(desk: Desk, flow: Flow, mode: RunMode, nodes: Sequence[str]) -> Targets:
    from iaiflow_lab.engine.setup import Targets

    chosen = _outermost(flow, nodes)
    if mode in ("until", "from", "only") and not chosen:
        raise InputError("No node is chosen.", remedy="Select a node and run again.")
    match mode:
        case "until":
            return Targets(until=chosen)
        case "from":
            return Targets(start=chosen)
        case "only":
            return Targets(until=chosen, start=chosen)
        case "fresh":
            return Targets(until=chosen, start=tuple(flow.nodes))
        case "retry":
            left = tuple(desk.board.unfinished(flow.nodes))
            if not left:
                raise InputError(
                    "Every node has completed; there is nothing to retry.",
                    remedy="Run the flow, or run it fresh.",
                    code="nothing-to-retry",
                )
            return Targets(start=left)
        case "all":
            return Targets()


def _outermost(flow: Flow, nodes: Sequence[str]) -> tuple[str, ...]:
    """Return the nodes of the flow itself that hold the named ones."""
    found = dict.fromkeys(path.partition("/")[0].partition("[")[0] for path in nodes)
    for node in found:
        if node not in flow.nodes:
            hint = did_you_mean(node, flow.nodes)
            raise NotFoundError(f"There is no node {node!r} in the flow.", remedy=hint)
    return tuple(found)


def _kernel_loop() -> AbstractEventLoop | None:
    """Return the event loop of the kernel's main thread, for nodes that are bound to it."""
    module = sys.modules.get("IPython")
    shell: Any = module.get_ipython() if module is not None else None
    io_loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    return getattr(io_loop, "asyncio_loop", None)


def _attend(going: Going) -> None:
    """Wait for a run and settle it."""
    try:
        while (result := going.look(_PAUSE)) is None:
            going.note("stop again")
        going.settle(result)
    except BaseException as error:
        going.give_up(error)
    finally:
        with _lock:
            _runs.pop(going, None)


def _end_all() -> None:
    """End what still runs when this process ends, so that the history says so."""
    with _lock:
        left = dict(_runs)
    for going in left:
        going.abandon()
    deadline = monotonic() + _LAST_WAIT
    for thread in left.values():
        thread.join(max(0.0, deadline - monotonic()))


# `atexit` comes too late: threads can no longer be started then, and ending a run takes some.
getattr(threading, "_register_atexit", atexit.register)(_end_all)
