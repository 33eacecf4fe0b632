"""What comes to a run from outside while it goes on or waits: signals, approvals, other answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from iaiflow_lab.errors import ConflictError, InputError, NotFoundError
from iaiflow_lab.model.run import NAMED, TERMINAL, TIMED, RunState, WaitOutcome
from iaiflow_lab.queue.rescue import wake
from iaiflow_lab.queue.transition import read_head
from iaiflow_lab.store import waits
from iaiflow_lab.store.database import Transaction
from iaiflow_lab.store.waits import Answer, Wait
from iaiflow_lab.world import World

_WOKEN: Final = "An answer came."
_DECISIONS: Final = frozenset({WaitOutcome.APPROVED, WaitOutcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Signal:
    """A message to a run."""

    name: str
    #: JSON.
    payload: Any
    sender: str
    #: The same mark is taken once for each run and name; None: every signal counts.
    dedupe: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a signal."""

    #: The step that took it; "" when it is kept for a wait that opens later.
    step: str
    #: Whether one with the same mark was there already, so that nothing changed.
    known: bool = False


def deliver(tx: Transaction, world: World, run_id: str, signal: Signal) -> Delivery:
    """Give a signal to the oldest open wait of its name, or keep it for the next one.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: The run has ended.
        InputError: The payload does not fit the form of the wait.
    """
    now = world.clock.now()
    _check_live(tx, run_id)
    moved = waits.end_due(tx, run_id, now)
    signal_id = world.ids.new("signal")
    row = {
        "id": signal_id,
        "run_id": run_id,
        "name": signal.name,
        "payload": waits.text(signal.payload),
        "sender": signal.sender,
        "sent_at": now,
        "dedupe": signal.dedupe,
    }
    if not tx.run("signal_put", row):
        return Delivery("", known=True)
    taker = tx.one("waits_named", (run_id, signal.name))
    if taker is not None:
        wait = waits.read_wait(taker)
        _check(wait, signal.payload)
        tx.run("signal_take", (wait.step, wait.key, signal_id))
        waits.end(tx, wait, Answer(WaitOutcome.ANSWERED, signal.payload, signal.sender), now)
        moved = True
    if moved:
        _wake(tx, run_id, now)
    return Delivery("" if taker is None else taker["step"])


def answer(tx: Transaction, world: World, run_id: str, step: str, given: Answer) -> Wait:
    """End an open wait of a run.

    Args:
        tx: An open transaction.
        world: Gives the time.
        run_id: The run.
        step: The waiting step's path, or its node's id; "" when only one is meant anyway. Of a
            step that waits for several things it is the first one, or `STEP#KEY`.
        given: Approved or refused, for approvals; answered, for what a signal ends as well.

    Returns:
        The wait.

    Raises:
        NotFoundError: There is no such run, or nothing of that kind is waited for.
        ConflictError: The wait has ended already, or the run has.
        InputError: Several waits may be meant, or the answer does not fit the form.
    """
    now = world.clock.now()
    _check_live(tx, run_id)
    waits.end_due(tx, run_id, now)
    wait = _find(tx, run_id, step, given.outcome)
    if given.outcome is not WaitOutcome.REFUSED:
        if given.value is None and wait.form and wait.form.get("type") == "object":
            given = replace(given, value={})
        _check(wait, given.value)
    waits.end(tx, wait, given, now)
    _wake(tx, run_id, now)
    return wait


def _check_live(tx: Transaction, run_id: str) -> None:
    head = read_head(tx, run_id)
    if head.state in TERMINAL:
        raise ConflictError(
            f"Run {run_id} is {head.state} already; it waits for nothing.", code="wrong-state"
        )


def _wake(tx: Transaction, run_id: str, now: float) -> None:
    """Queue a run that is parked: something that it waits for has ended."""
    head = read_head(tx, run_id)
    if head.state is RunState.WAITING:
        wake(tx, head, now, _WOKEN)


def _check(wait: Wait, value: Any) -> None:
    if wrong := waits.misfit(value, wait.form):
        raise InputError(wrong, where=f"step {wait.step}", code="answer-invalid")


def _find(tx: Transaction, run_id: str, step: str, outcome: WaitOutcome) -> Wait:
    decides = outcome in _DECISIONS
    found = [
        wait
        for wait in map(waits.read_wait, tx.all("waits_of", (run_id,)))
        if wait.kind not in TIMED and (wait.kind not in NAMED) == decides
        if step in {"", wait.step, wait.node, f"{wait.step}#{wait.key}"}
    ]
    still_open = [wait for wait in found if wait.answered_at is None]
    steps = sorted({wait.step for wait in still_open})
    if len(steps) > 1:
        listed = ", ".join(steps[:10])
        raise InputError(f"Several steps of the run wait: {listed}.", remedy="Name the step")
    if still_open:
        return still_open[0]
    if found:
        raise _ended(found[-1])
    what = "an approval" if decides else "an answer"
    who = f"Step {step!r} of run {run_id}" if step else f"Run {run_id}"
    remedy = f"`iaiflow runs show {run_id}` says what it waits for"
    raise NotFoundError(f"{who} does not wait for {what}.", remedy=remedy, code="no-wait")


def _ended(wait: Wait) -> ConflictError:
    assert wait.answered_at is not None
    when = datetime.fromtimestamp(wait.answered_at).astimezone().strftime("%d %b %Y %H:%M:%S")
    how = f"was {wait.outcome} by {wait.by}" if wait.by else "ended by itself"
    return ConflictError(
        f"What step {wait.step!r} waited for {how} on {when}.",
        where=f"run {wait.run_id}",
        code="wait-answered",
    )
