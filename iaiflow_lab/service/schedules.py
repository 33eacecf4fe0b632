"""Schedules: add, edit, pause, remove, read. Firing them is `service.firing`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import ConflictError, InputError
from iaiflow_lab.model import schedule as rules
from iaiflow_lab.model.moment import format_duration
from iaiflow_lab.model.names import invisible, shorten
from iaiflow_lab.model.schedule import (
    Catchup,
    FileChange,
    Interval,
    Moment,
    Overlap,
    Rule,
    When,
    kind_of,
)
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.service import flows, runs, targets, watched_files
from iaiflow_lab.service.pinning import Pinned, pin
from iaiflow_lab.service.schedule_rows import (
    Miss,
    Schedule,
    ScheduleSpec,
    find,
    find_row,
    read_schedule,
)
from iaiflow_lab.service.schedule_target import resolve, target_of
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Transaction

#: How many moments are shown before a schedule is saved.
_SHOWN: Final = 10
_LONGEST_NAME: Final = 100
_MOST: Final = 10_000
_NO_MOMENT: Final = {"next_due": None, "next_fire": None}


def add(session: Session, spec: ScheduleSpec, signatures: Signatures) -> Schedule:
    """Save a new schedule; a refusal leaves nothing behind.

    Args:
        session: An open workspace.
        spec: What runs when.
        signatures: The catalog that the target is checked against.

    Raises:
        InputError: The rule, an input, an option or the name is wrong, or no moment is to come.
        FlowError: The target has errors.
        NotFoundError: There is no such file or version.
        NotebookError: The file is no notebook.
        ConflictError: Another schedule has this name.
    """
    now = session.world.clock.now()
    spec, pinned = _checked(session, spec, signatures, now)
    schedule_id = session.world.ids.new("sch")
    values = _values(session, spec, now) | {"id": schedule_id, "project": session.project}
    with session.store.db.write() as tx:
        name = spec.name or _free_name(tx, session, spec.target)
        _refuse_taken(tx, session, name, schedule_id)
        _keep(tx, session, pinned)
        tx.run("schedule_put", values | {"name": name})
    return get(session, schedule_id)


def edit(session: Session, ref: str, spec: ScheduleSpec, signatures: Signatures) -> Schedule:
    """Replace what a schedule does; another rule is reckoned from now, the same goes on.

    Raises:
        LabError: As `add`.
        NotFoundError: There is no such schedule.
    """
    old = get(session, ref)
    _replace(session, old, spec, signatures, known=None)
    return get(session, old.id)


def alter(
    session: Session,
    ref: str,
    change: Callable[[ScheduleSpec], ScheduleSpec],
    signatures: Signatures,
) -> Schedule:
    """Change what a schedule does; what others change at the same time stays changed.

    Args:
        session: An open workspace.
        ref: The schedule.
        change: Returns what it is to do, from what it does; called again when that has changed.
        signatures: The catalog that the target is checked against.

    Raises:
        LabError: As `add`.
        NotFoundError: There is no such schedule.
    """
    old = get(session, ref)
    while not _replace(session, old, change(old.spec), signatures, known=old.changed_at):
        old = get(session, old.id)
    return get(session, old.id)


def _replace(
    session: Session,
    old: Schedule,
    spec: ScheduleSpec,
    signatures: Signatures,
    known: float | None,
) -> bool:
    """Write what a schedule does; False: it was changed after `known`, and nothing is written."""
    now = session.world.clock.now()
    spec, pinned = _checked(session, spec, signatures, now)
    values = _values(session, spec, now) | {"id": old.id, "name": spec.name or old.spec.name}
    with session.store.db.write() as tx:
        there = find(tx, session, old.id)
        if there is None or known not in {None, there.changed_at}:
            return False
        if there.spec.rule == spec.rule and not there.paused:  # it goes on, with what is overdue
            fields = ("next_due", "next_fire", "seen")
            values |= {name: getattr(there, name) for name in fields}
        _refuse_taken(tx, session, values["name"], old.id)
        _keep(tx, session, pinned)
        tx.run("schedule_edit", values)
    return True


def preview(session: Session, rule: Rule, count: int = _SHOWN) -> list[Moment]:
    """Return the next moments of a rule that is not saved yet, with what clocks do to them.

    Raises:
        InputError: The rule is wrong.
    """
    now = session.world.clock.now()
    rules.check(rule)
    return rules.next_times(_anchored(rule, now), now, count)


def next_times(session: Session, ref: str, count: int = _SHOWN) -> list[Moment]:
    """Return the next moments of a schedule, with what changes of clocks do to them.

    Raises:
        NotFoundError: There is no such schedule.
        InputError: `count` is out of range.
    """
    if not 1 <= count <= _MOST:
        raise InputError(f"count = {count} is out of range.", remedy=f"Use 1 to {_MOST}")
    found = get(session, ref)
    if found.next_due is None or found.fault:
        return []
    return rules.next_times(found.spec.rule, found.next_due - 1e-3, count)


def get(session: Session, ref: str) -> Schedule:
    """Return a schedule by its name, its id, or the first characters of that.

    Raises:
        NotFoundError: There is no such schedule.
        InputError: Several ids start like this.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, ref)
        return read_schedule(row, reader, session)


def list_schedules(session: Session) -> list[Schedule]:
    """Return the schedules of the project, the next to fire first."""
    with session.store.db.read() as reader:
        rows = reader.all("schedules_all", (session.project,))
        return [read_schedule(row, reader, session) for row in rows]


def pause(session: Session, ref: str) -> Schedule:
    """Let a schedule fire no more until it is resumed; what it misses is not made up for.

    Raises:
        NotFoundError: There is no such schedule.
    """
    return _set_paused(session, ref, paused=True)


def resume(session: Session, ref: str) -> Schedule:
    """Let a paused schedule go on, from its next moment.

    Raises:
        NotFoundError: There is no such schedule.
    """
    return _set_paused(session, ref, paused=False)


def remove(session: Session, ref: str) -> None:
    """Delete a schedule; the runs that it made stay.

    Raises:
        NotFoundError: There is no such schedule.
    """
    with session.store.db.write() as tx:
        schedule_id = find_row(tx, session, ref)["id"]
        tx.run("misses_drop", (schedule_id,))
        tx.run("schedule_drop", (schedule_id,))


def misses(session: Session, ref: str | None = None, limit: int = 100) -> list[Miss]:
    """Return moments for which no run was made, the newest first.

    Args:
        session: An open workspace.
        ref: Only those of this schedule.
        limit: How many, 1 to 10,000.

    Raises:
        NotFoundError: There is no such schedule.
        InputError: `limit` is out of range.
    """
    if not 1 <= limit <= _MOST:
        raise InputError(f"limit = {limit} is out of range.", remedy=f"Use 1 to {_MOST}")
    with session.store.db.read() as reader:
        schedule_id = None if ref is None else find_row(reader, session, ref)["id"]
        wanted = {"project": session.project, "id": schedule_id, "limit": limit}
        rows = reader.all("misses_list", wanted)
    return [
        Miss(
            schedule_id=row["schedule_id"],
            name=row["name"],
            due_at=row["due_at"],
            reason=row["reason"],
            message=row["message"],
            noted_at=row["noted_at"],
        )
        for row in rows
    ]


def _checked(
    session: Session, spec: ScheduleSpec, signatures: Signatures, now: float
) -> tuple[ScheduleSpec, Pinned | None]:
    """Return the spec, all of it checked, with its rule anchored, and the version that it pins."""
    rules.check(spec.rule)
    spec = replace(spec, rule=_anchored(spec.rule, now))
    _check_moments(spec.rule, now)
    _check_policies(spec)
    _check_name(spec.name)
    pinned = None if spec.version is None else resolve(session, spec, spec.version)
    if pinned is not None:
        spec = replace(spec, version=pinned.target.version)
    found = pinned or pin(session, target_of(session, spec))
    values = targets.check(session, found.target, signatures)
    runs.make_request(session, found.target, values, spec.options)  # checks the options
    return spec, pinned


def _keep(tx: Transaction, session: Session, pinned: Pinned | None) -> None:
    if pinned is not None:
        flows.keep_version(tx, session, pinned.target.flow, pinned.target.version)


def _anchored(rule: Rule, now: float) -> Rule:
    """Return the rule; an interval without a start counts from now."""
    if isinstance(rule.when, Interval) and rule.start is None:
        return msgspec.structs.replace(rule, start=now)
    return rule


def _check_moments(rule: Rule, now: float) -> None:
    looks = isinstance(rule.when, FileChange) and (rule.end is None or rule.end >= now)
    moments = [moment.at for moment in rules.next_times(rule, now, _SHOWN)]
    if not (moments or looks):
        raise InputError(
            "The schedule never fires: all of its moments are past.",
            remedy="Choose a later moment, or a later end",
        )
    gap = min((after - before for before, after in pairwise(moments)), default=rule.jitter_s + 1)
    if moments and rule.jitter_s >= gap:
        raise InputError(
            f"The jitter of {format_duration(rule.jitter_s)} is not shorter than the "
            f"{format_duration(gap)} between two moments.",
            where="jitter",
        )


def _check_policies(spec: ScheduleSpec) -> None:
    if spec.catchup is Catchup.ALL and spec.overlap in {Overlap.SKIP, Overlap.CANCEL}:
        raise InputError(
            f"Catching up on all moments makes runs that overlap, and overlap = {spec.overlap} "
            f"would keep one of them.",
            where="overlap",
            remedy="Choose overlap queue or allow, or catchup latest",
        )
    if spec.options.run_at is not None or spec.options.delay is not None:
        raise InputError("A schedule's runs have no moment or delay of their own.", where="delay")
    if spec.options.idempotency_key is not None:
        raise InputError("A schedule's runs have no key of their own.", where="idempotency_key")


def _check_name(name: str) -> None:
    printable = all(character.isprintable() for character in name) and not invisible(name)
    if len(name) > _LONGEST_NAME or name != name.strip() or not printable:
        raise InputError(
            f"{shorten(name)!r} can't name a schedule.",
            where="name",
            remedy=f"Use up to {_LONGEST_NAME} visible characters",
        )


def _values(session: Session, spec: ScheduleSpec, now: float) -> dict[str, Any]:
    rule = spec.rule
    return {
        "target": spec.target,
        "version": spec.version,
        "inputs": targets.inputs_text(spec.inputs),
        "kind": kind_of(rule.when),
        "rule": msgspec.json.encode(rule.when).decode(),
        "zone": rule.zone,
        "starts_at": rule.start,
        "ends_at": rule.end,
        "catchup": spec.catchup.value,
        "overlap": spec.overlap.value,
        "jitter_s": rule.jitter_s,
        "options": msgspec.json.encode(spec.options).decode(),
        "now": now,
        **next_moment(session, rule, now),
        "seen": _seen_now(session, rule.when),
    }


def next_moment(session: Session, rule: Rule, after: float) -> dict[str, float | None]:
    """Return the columns `next_due` and `next_fire` of a rule after a moment."""
    due = rules.next_due(rule, after)
    late = session.world.rng.uniform(0.0, rule.jitter_s) if rule.jitter_s else 0.0
    return {"next_due": due, "next_fire": None if due is None else due + late}


def _seen_now(session: Session, when: When) -> str | None:
    if not isinstance(when, FileChange):
        return None
    files = watched_files.look(session.workspace, when.patterns)
    return watched_files.encode(watched_files.read(session.workspace, files, {}))


def _set_paused(session: Session, ref: str, *, paused: bool) -> Schedule:
    found = get(session, ref)
    while found.paused is not paused:
        _try_paused(session, found, paused=paused)
        found = get(session, found.id)
    return found


def _try_paused(session: Session, found: Schedule, *, paused: bool) -> None:
    """Pause a schedule or let it go on, unless it was changed meanwhile."""
    rule, now = found.spec.rule, session.world.clock.now()
    moment = _NO_MOMENT if paused else next_moment(session, rule, now)
    seen = _seen_now(session, rule.when)
    known = {"id": found.id, "known": found.changed_at}
    with session.store.db.write() as tx:
        tx.run("schedule_pause", {"paused": paused, "now": now, "seen": seen, **moment, **known})


def _free_name(tx: Transaction, session: Session, target: str) -> str:
    stem = re.sub(r"(\.flow\.json|\.ipynb)\Z", "", Path(target).name)[: _LONGEST_NAME - 10]
    taken = {row["name"] for row in tx.all("schedules_all", (session.project,))}
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return stem if stem not in taken else next(name for name in numbered if name not in taken)


def _refuse_taken(tx: Transaction, session: Session, name: str, schedule_id: str) -> None:
    row = tx.one("schedule_by_name", {"project": session.project, "ref": name})
    if row is not None and row["id"] != schedule_id:
        raise ConflictError(
            f"There is a schedule {name!r} already.",
            where="name",
            remedy="Choose another name, or edit that one",
            code="name-taken",
        )
