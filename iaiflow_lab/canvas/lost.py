"""The run that ended with an earlier kernel: canvases show how far it came, and that it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from iaiflow_lab.canvas.desk import Desk
from iaiflow_lab.canvas.fold import Fold, line_path
from iaiflow_lab.canvas.outbox import OUTBOX
from iaiflow_lab.errors import LabError
from iaiflow_lab.interactive.going import KERNEL_ENDED
from iaiflow_lab.model.run import SETTLED, StepState
from iaiflow_lab.model.version import version_hash
from iaiflow_lab.settings import find_workspace, state_dir

if TYPE_CHECKING:
    from iaiflow_lab.service.history import RunSummary, RunView, StepView

#: How the history says that a run ended with its kernel.
_CODES: Final = frozenset({"kernel-lost", KERNEL_ENDED})


def may_be(desk: Desk) -> bool:
    """Say whether there can be a lost run: the flow has a file, a history, and did not run here."""
    if desk.subject.file is None or desk.board.fold_state.run.values["run_id"]:
        return False
    return (state_dir(find_workspace(desk.folder)) / "lab.db").is_file()


def show(desk: Desk) -> None:
    """Show the flow's latest run when it ended with its kernel and nothing has run since."""
    try:
        run = _find(desk)
    except LabError:
        return  # the history cannot be read now; whoever opens it is told
    board = desk.board
    with board.lock:
        board.fold()
        if run is not None and not board.fold_state.run.values["run_id"]:
            _recall(board.fold_state, run)
    OUTBOX.wake()


def _find(desk: Desk) -> RunView | None:
    from iaiflow_lab.service import history

    flow = desk.draft.flow_or_empty()
    named = history.list_runs(desk.workspace, flow=flow.name, limit=1)
    found = [one for one in named if one.version == version_hash(flow)]  # it was not saved
    found += history.list_runs(desk.workspace, flow=desk.path, limit=1)
    latest = max(found, key=_beginning, default=None)
    if latest is None or latest.error is None or latest.error.code not in _CODES:
        return None
    return history.get(desk.workspace, latest.id)


def _beginning(run: RunSummary) -> float:
    return run.created_at


def _recall(fold: Fold, run: RunView) -> None:
    """Show a run of the history; its values are gone with its kernel."""
    fold.set_run(
        run_id=run.id,
        state=run.state.value,
        reason=run.reason,
        error=msgspec.to_builtins(run.error),
        started_at=run.started_at,
        ended_at=run.ended_at,
    )
    for step in run.steps:  # in the moment of the run: canvases know what was before
        _recall_step(fold, step, run.ended_at)


def _recall_step(fold: Fold, step: StepView, run_ended_at: float | None) -> None:
    path = line_path(step.step)
    state = step.state if step.state in SETTLED else StepState.CANCELLED
    ended_at = step.ended_at or run_ended_at
    line, tick = fold.line(path), fold.tick
    line.move(step.step, state, tick)
    known = {"started_at": step.started_at, "ended_at": ended_at, "attempt": step.attempt}
    for name, value in {**known, "source": "earlier"}.items():
        line.fields.set(name, value, tick)
    if step.error is not None:
        line.fail(step.error, step.step, tick)
    fold.recall(step.step, type=step.type, state=state.value, **known)
