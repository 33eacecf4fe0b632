"""The journal of a run: append under a fence, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iaiflow_lab.errors import InputError, StaleFenceError
from iaiflow_lab.model import event as ev
from iaiflow_lab.store.database import Reader, Transaction
from iaiflow_lab.store.projection import Projection


def append(tx: Transaction, run_id: str, fence: int, events: Sequence[ev.Event]) -> None:
    """Number and write `events` under `fence`, with everything projected from them.

    Raises:
        StaleFenceError: Another worker holds the run, or nobody does.
        ConflictError: A step or sub-step is already recorded; nothing was written.
        InputError: An event says that the run changed its state or that a wait has ended; only the
            coordinator may.
    """
    numbered = tx.one("journal_number", {"id": run_id, "fence": fence, "n": len(events)})
    if numbered is None:
        raise StaleFenceError(
            f"Run {run_id} is no longer held under fence {fence}; what was written is refused."
        )
    first: int = numbered["seq"] - len(events) + 1
    tx.run_many("event_put", (_row(run_id, seq, e) for seq, e in enumerate(events, first)))
    projection = Projection(run_id)
    for seq, event in enumerate(events, first):
        projection.add(seq, event)
    projection.write(tx)


def _row(run_id: str, seq: int, event: ev.Event) -> tuple[Any, ...]:
    if isinstance(event, ev.RunChanged):
        raise InputError("A run's state is changed by start, settle and cancel, not by an event.")
    if isinstance(event, ev.WaitAnswered):
        raise InputError("A wait is ended by an answer or its moment, not by an event.")
    return (run_id, seq, event.at, kind(event), ev.encode(event).decode())


def kind(event: ev.Event) -> str:
    """Return the name of an event's kind, as on the wire."""
    return str(type(event).__struct_config__.tag)


def outcomes(reader: Reader, run_id: str) -> list[ev.StepFinished]:
    """Return the settled steps of a run, as they were recorded."""
    return [_outcome(row["outcome"]) for row in reader.all("outcomes", (run_id,))]


def substeps(reader: Reader, run_id: str) -> list[ev.SubstepRecorded]:
    """Return the recorded sub-steps of a run."""
    made = [ev.decode(row["body"]) for row in reader.all("substeps", (run_id,))]
    return [event for event in made if isinstance(event, ev.SubstepRecorded)]


def _outcome(body: str) -> ev.StepFinished:
    event = ev.decode(body)
    assert isinstance(event, ev.StepFinished)
    return event


def events_after(
    reader: Reader, run_id: str, after: int = 0, limit: int = 10_000
) -> list[tuple[int, ev.AnyEvent]]:
    """Return up to `limit` events of a run whose number is above `after`, with their numbers."""
    rows = reader.all("events_after", (run_id, after, limit))
    return [(row["seq"], ev.decode(row["body"])) for row in rows]
