"""What steps wait for: opened with the journal, ended once, by an answer or by their moment."""

from __future__ import annotations

from typing import Any

import msgspec

from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model import json_value
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place
from iaiflow_lab.model.run import TIMED, WaitKind, WaitOutcome
from iaiflow_lab.store.database import Reader, Row, Transaction


class Wait(msgspec.Struct, frozen=True):
    """One wait of a run. Times are in seconds since the Unix epoch."""

    run_id: str
    step: str
    #: Tells the waits of one step apart.
    key: str
    #: Id of the node in its flow.
    node: str
    kind: WaitKind
    #: The signal that ends it; "" when none does.
    name: str
    #: What is asked, for people.
    message: str
    #: JSON Schema of the answer.
    form: dict[str, Any] | None
    #: When it ends by itself; None: never.
    due: float | None
    opened_at: float
    #: When it ended; None: it is open.
    answered_at: float | None
    outcome: WaitOutcome | None
    #: The answer, as JSON.
    value: Any
    #: Who gave it; "" when nobody did.
    by: str
    #: Why, in their words.
    reason: str


class Answer(msgspec.Struct, frozen=True):
    """What ends a wait."""

    outcome: WaitOutcome
    value: Any = None
    #: Who gives it; "" when the moment came.
    by: str = ""
    #: Why, in their words.
    reason: str = ""


def read_wait(row: Row) -> Wait:
    """Return a row of the table `waits`."""
    return Wait(
        run_id=row["run_id"],
        step=row["step"],
        key=row["key"],
        node=row["node"],
        kind=WaitKind(row["kind"]),
        name=row["name"],
        message=row["message"],
        form=_json(row["form"]),
        due=row["due"],
        opened_at=row["opened_at"],
        answered_at=row["answered_at"],
        outcome=None if row["outcome"] is None else WaitOutcome(row["outcome"]),
        value=_json(row["answer"]),
        by=row["answered_by"],
        reason=row["reason"],
    )


def open_waits(reader: Reader, run_id: str) -> list[ev.StepWaiting]:
    """Return what the steps of a run wait for, as it was recorded."""
    return [
        ev.StepWaiting(
            at=wait.opened_at,
            step=wait.step,
            node=wait.node,
            key=wait.key,
            wait_kind=wait.kind,
            name=wait.name,
            message=wait.message,
            form=wait.form,
            due=wait.due,
        )
        for wait in map(read_wait, reader.all("waits_open", (run_id,)))
    ]


def answers(reader: Reader, run_id: str) -> list[ev.WaitAnswered]:
    """Return how the waits of a run ended, in order."""
    return [
        ev.WaitAnswered(
            at=row["answered_at"],
            step=row["step"],
            key=row["key"],
            outcome=row["outcome"],
            value=_json(row["answer"]),
            by=row["answered_by"],
            reason=row["reason"],
        )
        for row in reader.all("answers", (run_id,))
    ]


def end(tx: Transaction, wait: Wait, answer: Answer, at: float) -> bool:
    """End an open wait and write the event; False when it has ended already.

    Whoever holds the run is not asked: an answer comes from outside.
    """
    place = {"run_id": wait.run_id, "step": wait.step}
    event = ev.WaitAnswered(
        at=at,
        step=wait.step,
        key=wait.key,
        outcome=answer.outcome,
        value=answer.value,
        by=answer.by,
        reason=answer.reason,
    )
    ended = {
        "key": wait.key,
        "at": at,
        "outcome": answer.outcome.value,
        "answer": None if answer.value is None else text(answer.value),
        "by": answer.by,
        "reason": answer.reason,
    }
    if not tx.run("wait_end", place | ended):
        return False
    tx.run("step_resumed", place)
    numbered = tx.one("journal_extend", (wait.run_id,))
    if numbered is None:
        raise NotFoundError(f"There is no run {wait.run_id!r}.")
    body = ev.encode(event).decode()
    tx.run("event_put", (wait.run_id, numbered["seq"], at, "wait_answered", body))
    return True


def end_due(tx: Transaction, run_id: str, now: float) -> bool:
    """End the waits of a run whose moment has come; says whether there was one."""
    due = [read_wait(row) for row in tx.all("waits_due", (run_id, now))]
    for wait in due:
        outcome = WaitOutcome.DUE if wait.kind in TIMED else WaitOutcome.TIMED_OUT
        end(tx, wait, Answer(outcome), now)
    return bool(due)


def take_early(tx: Transaction, run_id: str, step: str, key: str, at: float) -> None:
    """Give a wait that was just opened the oldest signal that came before it and fits its form."""
    row = tx.one("wait_get", (run_id, step, key))
    if row is None or row["answered_at"] is not None:
        return
    wait = read_wait(row)
    for signal in tx.all("signals_early", (run_id, wait.name)):
        value = _json(signal["payload"])
        if not misfit(value, wait.form):
            tx.run("signal_take", (step, key, signal["id"]))
            end(tx, wait, Answer(WaitOutcome.ANSWERED, value, signal["sender"]), at)
            return


def misfit(value: Any, form: dict[str, Any] | None) -> str:
    """Say in a sentence how an answer breaks its form; "" when it fits."""
    for found in () if form is None else violations(value, form):
        place = spell_place(found.path)
        subject = f"The answer's {place!r}" if place else "The answer"
        return f"{subject} {found.message}"
    return ""


def text(value: Any) -> str:
    """Return a JSON value as text."""
    return json_value.encode(value).decode()


def _json(written: str | None) -> Any:
    return None if written is None else msgspec.json.decode(written)
