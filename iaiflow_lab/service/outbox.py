"""The outbox of notifications: what is still to be told, grouped into messages, and what was.

A notification is written in the transaction of the change that it tells (`queue.transition`). It
is put into a message, whose id stays the same however often that is tried, so that a message
which arrives twice can be recognised. Each rule has one message on its way at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.quiet import quiet_until
from iaiflow_lab.model.run import TIMED, RunState
from iaiflow_lab.service.missed import Missed, read_missed
from iaiflow_lab.service.notifications import RuleSpec, Told, read_spec
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader, Row, Transaction
from iaiflow_lab.store.waits import Wait, read_wait

#: Longest time for sending one message, in seconds; then another process may try.
LEASE_S: Final = 300.0
#: How often a message is tried, and how long the pauses are at first and at most, in seconds.
MOST_ATTEMPTS: Final = 14
_FIRST_PAUSE_S: Final = 15.0
LONGEST_PAUSE_S: Final = 3_600.0
#: Most notifications in one message.
_MOST_PARTS: Final = 10_000
#: How many of them are told in full; the others are counted.
DETAILED: Final = 20
#: How many events are looked through for the last lines of a step.
_LAST_EVENTS: Final = 20
#: How long what was told is remembered, in seconds.
_REMEMBERED_S: Final = 30 * 86_400.0
_MOOT: Final = "It was answered before it was told."
_FORGOTTEN: Final = "The schedule was deleted before it was told."
_GONE: Final = "The run was deleted before it was told."

_error = msgspec.json.Decoder(ev.ErrorInfo)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be told. Times are seconds since the Unix epoch."""

    told: Told
    #: The run; "" when it is about a schedule.
    run_id: str
    flow: str
    #: The run's state; None when it is about a schedule.
    state: RunState | None
    at: float
    error: ev.ErrorInfo | None = None
    #: The last texts that the failing step wrote, the oldest first.
    said: Sequence[str] = ()
    #: What it waits for.
    waits: Sequence[Wait] = ()
    #: The moment that its schedule named, when it began, and when it ended.
    due_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    #: What a schedule missed.
    missed: Missed | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that is to be sent now."""

    #: The same each time that it is sent.
    id: str
    rule_id: str
    rule: RuleSpec
    #: The first of what it tells, in full.
    items: Sequence[Item]
    #: How many things it tells altogether.
    count: int
    #: How often it was tried, this time included.
    attempt: int


def note_late(session: Session) -> int:
    """Put scheduled runs that are late into the outbox; returns how many were.

    Raises:
        StoreError: The database cannot be used.
    """
    now = session.world.clock.now()
    with session.store.db.read() as reader:
        late = [row["id"] for row in reader.all("late_runs", {"now": now})]
    if late:
        with session.store.db.write() as tx:
            for run_id in late:
                tx.run("notifications_note", {"run_id": run_id, "event": "late", "now": now})
    return len(late)


def due_rules(session: Session) -> list[str]:
    """Return the ids of the rules that have something to send by now.

    Raises:
        StoreError: The database cannot be used.
    """
    with session.store.db.read() as reader:
        rows = reader.all("rules_due", (session.world.clock.now(),))
    return [row["rule_id"] for row in rows]


def take(session: Session, rule_id: str) -> Letter | None:
    """Take the message that a rule is to send now; None when it is to send none.

    Whoever takes it has `LEASE_S` to say what became of it.

    Raises:
        StoreError: The database cannot be used.
    """
    now = session.world.clock.now()
    with session.store.db.write() as tx:
        row = tx.one("rule_of", (rule_id,))
        if row is None:
            return None
        rule = read_spec(row)
        on_its_way = tx.one("message_open", (rule_id,))
        not_before = _not_before(rule, row["sent_at"], on_its_way, now)
        if not_before > now:
            tx.run("notifications_hold", {"rule_id": rule_id, "due": not_before})
            return None
        message_id = on_its_way["message"] if on_its_way else session.world.ids.new("msg")
        if on_its_way is None:
            most = _MOST_PARTS if rule.group_s else 1
            formed = {"rule_id": rule_id, "message": message_id, "now": now, "limit": most}
            tx.run("message_form", formed)
        taken = {"rule_id": rule_id, "message": message_id, "due": now + LEASE_S}
        tx.run("message_take", taken)
        return _letter(tx, taken, rule)


def sent(session: Session, letter: Letter) -> None:
    """Note that a message was sent."""
    now = session.world.clock.now()
    with session.store.db.write() as tx:
        tx.run("message_sent", {"rule_id": letter.rule_id, "message": letter.id, "now": now})
        tx.run("rule_sent", {"rule_id": letter.rule_id, "now": now})
        _release(tx, letter.rule_id, now)


def failed(session: Session, letter: Letter, reason: str, pause: float = 0.0) -> float | None:
    """Note that a message could not be sent.

    Args:
        session: An open workspace.
        letter: The message.
        reason: Why, as a sentence.
        pause: How long the other side asks to be left alone, in seconds.

    Returns:
        When it is tried again, in seconds since the epoch; None: it is given up.
    """
    now, due = session.world.clock.now(), None
    if letter.attempt < MOST_ATTEMPTS:
        own = min(_FIRST_PAUSE_S * 2 ** (letter.attempt - 1), LONGEST_PAUSE_S)
        own *= session.world.rng.uniform(0.8, 1.2)
        due = now + max(own, min(pause, LONGEST_PAUSE_S))
    about = {"rule_id": letter.rule_id, "message": letter.id, "due": due, "error": reason}
    with session.store.db.write() as tx:
        tx.run("message_failed", about)
        if due is None:
            _release(tx, letter.rule_id, now)
    return due


def _release(tx: Transaction, rule_id: str, now: float) -> None:
    """Let what waited for the message on its way have its turn."""
    tx.run("notifications_release", {"rule_id": rule_id, "now": now})


def trim(session: Session) -> None:
    """Forget what was told long ago."""
    with session.store.db.write() as tx:
        tx.run("notifications_trim", (session.world.clock.now() - _REMEMBERED_S,))


def _not_before(rule: RuleSpec, sent_at: float | None, on_its_way: Row | None, now: float) -> float:
    """Return when a rule may send next: now, after its quiet hours, or when its turn comes."""
    quiet = quiet_until(rule.quiet, now) if rule.quiet else None
    if quiet is not None:
        return quiet
    if on_its_way is not None:
        return max(now, on_its_way["due"])
    if sent_at is None or sent_at > now:  # the clock was set back
        return now
    return max(now, sent_at + rule.group_s)


def _letter(tx: Transaction, taken: dict[str, Any], rule: RuleSpec) -> Letter | None:
    """Read what a message tells; what there is nothing more to tell about is left out."""
    items: list[Item] = []
    count = attempts = 0
    for row in tx.all("message_parts", taken):
        attempts = row["attempts"]
        reason = _obsolete(tx, row)
        if reason:
            key = {"run_id": row["run_id"], "event": row["event"], "since": row["since"]}
            rule_id = taken["rule_id"]
            tx.run("notification_settle", {**key, "rule_id": rule_id, "reason": reason})
            continue
        count += 1
        if len(items) < DETAILED:
            items.append(_item(tx, row))
    if not count:
        return None
    return Letter(taken["message"], taken["rule_id"], rule, items, count, attempts)


def _obsolete(reader: Reader, row: Row) -> str:
    """Return why there is nothing to tell any more; "" when there is."""
    if row["event"] == Told.MISSED:
        return _FORGOTTEN if read_missed(reader, row["run_id"], row["since"]) is None else ""
    if reader.one("run_any", (row["run_id"],)) is None:
        return _GONE
    if row["event"] == Told.WAITING and not _asks(reader, row["run_id"]):
        return _MOOT
    return ""


def _asks(reader: Reader, run_id: str) -> list[Wait]:
    waits = (read_wait(row) for row in reader.all("waits_open", (run_id,)))
    return [wait for wait in waits if wait.kind not in TIMED]


def _item(reader: Reader, row: Row) -> Item:
    if row["event"] != Told.MISSED:
        return _run_item(reader, row)
    missed = read_missed(reader, row["run_id"], row["since"])
    assert missed is not None
    return Item(Told.MISSED, "", missed.flow, None, row["made_at"], missed=missed)


def _run_item(reader: Reader, row: Row) -> Item:
    run = reader.one("run_any", (row["run_id"],))
    assert run is not None
    told = Told(row["event"])
    error = _error.decode(run["error"]) if run["error"] else None
    return Item(
        told=told,
        run_id=run["id"],
        flow=run["flow"],
        state=RunState(run["state"]),
        at=row["made_at"],
        error=error,
        said=_said(reader, run["id"], error.step) if error and told is Told.FAILED else (),
        waits=_asks(reader, run["id"]) if told is Told.WAITING else (),
        due_at=run["due_at"],
        started_at=run["started_at"],
        ended_at=run["ended_at"],
    )


def _said(reader: Reader, run_id: str, step: str) -> list[str]:
    """Return the last texts that a step wrote, the oldest first."""
    wanted = {"run_id": run_id, "step": step, "limit": _LAST_EVENTS}
    texts: list[str] = []
    for row in reader.all("last_said", wanted) if step else []:
        event = ev.decode(row["body"])
        if isinstance(event, ev.StepLog):
            texts.append(event.text)
        elif isinstance(event, ev.CellOutput) and event.output.get("output_type") == "stream":
            texts.append(str(event.output.get("text", "")))
    return texts[::-1]
