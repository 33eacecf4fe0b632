"""Answers to runs that wait: signals, approvals, refusals."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.json_value import find_fault
from iaiflow_lab.model.run import WaitOutcome
from iaiflow_lab.queue import signals
from iaiflow_lab.queue.signals import Delivery, Signal
from iaiflow_lab.service.history import find_row
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Transaction
from iaiflow_lab.store.waits import Answer, Wait, text

T = TypeVar("T")

_NAME: Final = re.compile(r"[^\s\x00-\x1f]{1,200}\Z")
#: Largest answer, in bytes of JSON.
_LARGEST: Final = 1_000_000


def signal(
    session: Session,
    run_id: str,
    name: str,
    payload: Any = None,
    *,
    sender: str = "",
    dedupe: str | None = None,
) -> Delivery:
    """Send a signal to a run: its oldest wait of that name takes it, now or when it opens.

    Args:
        session: An open workspace.
        run_id: The run's id, or its first characters.
        name: What the signal is called.
        payload: JSON.
        sender: Who sends it; "": the user of this process.
        dedupe: A mark; a signal with the same mark and name is taken once by the run.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: The run has ended.
        InputError: The name or the payload cannot be used.
    """
    if not _NAME.match(name):
        raise InputError(
            f"{name!r} is no name of a signal.", remedy="Use 1 to 200 characters without spaces"
        )
    if dedupe is not None and not 1 <= len(dedupe) <= 200:
        raise InputError("The mark against duplicates has 1 to 200 characters.")
    _check(payload)
    sent = Signal(name, payload, sender or local_user(), dedupe)
    return _write(
        session, run_id, lambda tx, found: signals.deliver(tx, session.world, found, sent)
    )


def approve(
    session: Session,
    run_id: str,
    step: str = "",
    *,
    value: Any = None,
    by: str = "",
    reason: str = "",
) -> Wait:
    """Approve what a run waits for; returns the wait.

    Args:
        session: An open workspace.
        run_id: The run's id, or its first characters.
        step: The waiting step's path or node id; "" when only one waits.
        value: What the form asks for, as JSON.
        by: Who approves; "": the user of this process.
        reason: Why, for people.

    Raises:
        NotFoundError: There is no such run, or it waits for no approval.
        ConflictError: It was answered already, or the run has ended.
        InputError: Several steps wait, or the value does not fit the form.
    """
    given = Answer(WaitOutcome.APPROVED, value, by or local_user(), reason)
    return _answer(session, run_id, step, given)


def refuse(
    session: Session,
    run_id: str,
    step: str = "",
    *,
    value: Any = None,
    by: str = "",
    reason: str = "",
) -> Wait:
    """Refuse what a run waits for; like `approve`, but no form has to be filled in."""
    given = Answer(WaitOutcome.REFUSED, value, by or local_user(), reason)
    return _answer(session, run_id, step, given)


def answer(session: Session, run_id: str, step: str, value: Any = None, *, by: str = "") -> Wait:
    """Answer a step that waits for a signal, without naming the signal; returns the wait.

    Raises:
        NotFoundError: There is no such run, or the step waits for no signal.
        ConflictError: It was answered already, or the run has ended.
        InputError: The value does not fit the form.
    """
    return _answer(session, run_id, step, Answer(WaitOutcome.ANSWERED, value, by or local_user()))


def give(
    session: Session, run_id: str, step: str, outcome: WaitOutcome, *, value: Any, reason: str
) -> Wait:
    """Give the answer that a page of this user sends; returns the wait.

    Args:
        session: An open workspace.
        run_id: The run's id.
        step: The waiting step's path.
        outcome: Approved or refused; answered, for what a signal ends as well.
        value: What the form asks for, as JSON.
        reason: Why, for people.

    Raises:
        NotFoundError: There is no such run, or it waits for nothing of that kind.
        ConflictError: It was answered already, or the run has ended.
        InputError: The value does not fit the form, or that is no answer.
    """
    match outcome:
        case WaitOutcome.APPROVED:
            return approve(session, run_id, step, value=value, reason=reason)
        case WaitOutcome.REFUSED:
            return refuse(session, run_id, step, value=value, reason=reason)
        case WaitOutcome.ANSWERED:
            return answer(session, run_id, step, value)
        case _:
            raise InputError(f"{outcome} is no answer.", remedy="Approve or refuse.")


def local_user() -> str:
    """Return the name of the user that this process belongs to."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody on this machine"


def _answer(session: Session, run_id: str, step: str, given: Answer) -> Wait:
    _check(given.value)
    return _write(
        session, run_id, lambda tx, found: signals.answer(tx, session.world, found, step, given)
    )


def _check(value: Any) -> None:
    if fault := find_fault(value):
        raise InputError(f"The answer can't be passed on: {fault.message}", where=fault.place)
    if len(text(value)) > _LARGEST:
        raise InputError(f"An answer has at most {_LARGEST:,} characters of JSON.")


def _write(session: Session, run_id: str, change: Callable[[Transaction, str], T]) -> T:
    """Do something to a run in a transaction of its own."""
    session.coordinator.sweep()
    faults = session.world.faults
    with session.store.db.write(partial(faults.reach, "signal.before_commit")) as tx:
        done = change(tx, find_row(tx, session, run_id)["id"])
    faults.reach("signal.after_commit")
    return done
