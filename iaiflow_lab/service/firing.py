"""Making the runs of schedules: at most one for each moment, however many processes try.

One transaction moves schedules on, each if it still stands where it was read, and writes its runs.
What they are made of is read before, outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import LabError, StoreError
from iaiflow_lab.model import schedule as rules
from iaiflow_lab.model.moment import zone_of
from iaiflow_lab.model.schedule import Catchup, Overlap
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.enqueue import Request
from iaiflow_lab.service import flows, runs, schedules, targets
from iaiflow_lab.service.pinning import Pinned, pin
from iaiflow_lab.service.schedule_rows import Schedule, ScheduleSpec, find
from iaiflow_lab.service.schedule_target import target_of
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.watched_files import Files, encode
from iaiflow_lab.store.database import Row, Transaction

#: A moment that is fired later than this counts as missed, in seconds.
GRACE_S: Final = 60.0
#: How many missed moments of one schedule are made up for, or listed.
MOST_MISSED: Final = 1_000
#: How many are read and written together, and how many moments; one that has more goes alone.
_TOGETHER: Final = 20
_MOMENTS_TOGETHER: Final = 100


@dataclass(slots=True)
class Fired:
    """What became of a schedule's moments."""

    #: The schedule's name.
    name: str
    #: The runs that were made.
    runs: list[str] = field(default_factory=list[str])
    #: How many moments have no run because nothing fired schedules then.
    missed: int = 0
    #: How many have none because an earlier run had not ended.
    overlapped: int = 0
    #: Why no run could be made; "" when it could.
    refusal: str = ""
    #: Why its moments could not be handled, so that they still stand; "" when they were.
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a schedule's runs are made of, or why they cannot be made."""

    pinned: Pinned | None = None
    request: Request | None = None
    refusal: str = ""


def fire_due(
    session: Session, signatures: Signatures, is_stopped: Callable[[], bool] = lambda: False
) -> list[Fired]:
    """Fire every schedule that is due; returns what became of those that nobody else fired.

    One whose moments cannot be reckoned or written is returned with its failure, after the others.

    Args:
        session: An open workspace.
        signatures: The catalog that targets are checked against.
        is_stopped: Asked often; once it says yes, the rest stays due.

    Raises:
        StoreError: The workspace's database or artifacts cannot be written.
    """
    targets_of = _Targets(session, signatures)
    fired: list[Fired] = []
    failed: list[Fired] = []
    for some in _due(session):
        ready: list[_Ready] = []
        for row in some:
            try:
                ready += _ready(session, row["id"], row["next_due"], targets_of)
            except StoreError:
                raise
            except Exception as error:  # such as a zone that this machine does not know
                failed.append(_failed(row["name"], error))
        for part in _parts(ready):
            fired += _write_all(session, part, failed)
        if is_stopped():
            break
    return fired + failed


def _due(session: Session) -> Iterator[Sequence[Row]]:
    """Yield what is due in some at a time; those that stay due keep none from being seen."""
    wanted = {"project": session.project, "now": session.world.clock.now(), "limit": _TOGETHER}
    at, name = float("-inf"), ""
    while True:
        with session.store.db.read() as reader:
            some = reader.all("schedules_due", wanted | {"at": at, "after": name})
        if some:
            yield some
        if len(some) < _TOGETHER:
            return
        at, name = some[-1]["next_fire"], some[-1]["id"]


def _failed(name: str, error: Exception) -> Fired:
    is_ours = isinstance(error, LabError)
    return Fired(name, failure=str(error) if is_ours else f"{type(error).__name__}: {error}")


def fire(session: Session, schedule_id: str, due: float, signatures: Signatures) -> Fired | None:
    """Make the runs of a schedule's moment, and handle those that were missed after it.

    A target that cannot run is noted as a miss with the reason; the schedule goes on.

    Args:
        session: An open workspace.
        schedule_id: The schedule.
        due: The moment, as the schedule says it.
        signatures: The catalog that the target is checked against.

    Returns:
        What became of it; None when it is not due, or somebody else has fired it.

    Raises:
        StoreError: The workspace's database or artifacts cannot be written.
    """
    ready = _ready(session, schedule_id, due, _Targets(session, signatures))
    return next(iter(_write(session, ready)), None)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is to be written for a schedule that is due."""

    schedule: Schedule
    agenda: _Agenda
    prepared: _Prepared
    #: Where the schedule goes on to, if it still stands where it was read.
    moved: Mapping[str, Any]
    now: float


def _parts(ready: Sequence[_Ready]) -> Iterator[Sequence[_Ready]]:
    """Divide what is ready, so that others who write wait for no long transaction."""
    part: list[_Ready] = []
    for each in ready:
        if sum(one.agenda.size for one in (*part, each)) > _MOMENTS_TOGETHER and part:
            yield part
            part = []
        part.append(each)
    if part:
        yield part


def _ready(
    session: Session, schedule_id: str, due: float, targets_of: _Targets
) -> Sequence[_Ready]:
    """Return what is to be written for a schedule; nothing when it is not due any more."""
    with session.store.db.read() as reader:
        schedule = find(reader, session, schedule_id)
    now = session.world.clock.now()
    if schedule is None or schedule.next_due != due or schedule.next_fire is None:
        return ()
    if now < schedule.next_fire:
        return ()
    agenda = _agenda(schedule, schedule.next_fire, now)
    prepared = targets_of.prepare(schedule.spec) if agenda.to_make else _Prepared()
    moved = schedules.next_moment(session, schedule.spec.rule, now) | {
        "id": schedule.id,
        "due": due,
        "last_due": agenda.last,
        "changed_at": schedule.changed_at,
    }
    return (_Ready(schedule, agenda, prepared, moved, now),)


def _write_all(session: Session, ready: Sequence[_Ready], failed: list[Fired]) -> Sequence[Fired]:
    """Write what is ready in one transaction; when that fails, each in its own."""
    try:
        return _write(session, ready)
    except StoreError:
        raise
    except Exception as error:  # one of them must not keep the others from firing
        if len(ready) == 1:
            failed.append(_failed(ready[0].schedule.spec.name, error))
            return ()
        return [fired for each in ready for fired in _write_all(session, [each], failed)]


def _write(session: Session, ready: Sequence[_Ready]) -> Sequence[Fired]:
    """Write what is ready in one transaction; what somebody else has written is left out."""
    if not ready:
        return ()
    faults = session.world.faults
    fired: list[Fired] = []
    with session.store.db.write(partial(faults.reach, "fire.before_commit")) as tx:
        for each in ready:
            if tx.run("schedule_advance", each.moved):
                firing = _Firing(session, tx, each.schedule, each.prepared, each.now)
                fired.append(firing.work_off(each.agenda))
    faults.reach("fire.after_commit")
    return fired


def fire_change(
    session: Session,
    schedule: Schedule,
    files: Files,
    changed: Sequence[str],
    signatures: Signatures,
    *,
    was_down: bool = False,
) -> Fired | None:
    """Make the run of a schedule whose files have changed, once for each change.

    Args:
        session: An open workspace.
        schedule: The schedule as it was when its files were compared.
        files: What is there now, with its contents' digests.
        changed: The names of the files that are new or have other contents; empty: none has.
        signatures: The catalog that the target is checked against.
        was_down: Whether it happened while nothing looked.

    Returns:
        What became of it; None when nothing changed, or somebody else has noted it.

    Raises:
        StoreError: The workspace's database or artifacts cannot be written.
    """
    now = session.world.clock.now()
    due = max(now, (schedule.last_due or 0.0) + 1e-3)  # its own moment, whatever the clock does
    makes = bool(changed) and not (was_down and schedule.spec.catchup is Catchup.NONE)
    prepared = _Targets(session, signatures).prepare(schedule.spec) if makes else _Prepared()
    saw = {
        "id": schedule.id,
        "seen": encode(files),
        "known": schedule.seen,
        "last_due": due if changed else None,
        "changed_at": schedule.changed_at,
    }
    what = f"{changed[0]} and {len(changed) - 1} more" if len(changed) > 1 else "".join(changed)
    faults = session.world.faults
    with session.store.db.write(partial(faults.reach, "fire.before_commit")) as tx:
        if not tx.run("schedule_saw", saw) or not changed:
            return None
        firing = _Firing(session, tx, schedule, prepared, now)
        if makes:
            firing.make(due, f"Schedule {schedule.spec.name!r}: {what} changed.")
        else:
            firing.miss(due, "down", f"{what} changed while nothing looked.")
        firing.finish()
    faults.reach("fire.after_commit")
    return firing.fired


def run_now(session: Session, ref: str, signatures: Signatures) -> str:
    """Make a run of a schedule by hand and return its id; its moments stay as they are.

    Where the schedule's runs go one after another, this one does as well.

    Raises:
        NotFoundError: There is no such schedule, or its file has gone.
        LabError: The target cannot run.
    """
    schedule = schedules.get(session, ref)
    pinned, request = _request(session, schedule.spec, signatures)
    prepared = _Prepared(pinned, request)
    with session.store.db.write() as tx:
        firing = _Firing(session, tx, schedule, prepared, session.world.clock.now())
        return firing.put(None, f"Schedule {schedule.spec.name!r}, run by hand.")


@dataclass(frozen=True, slots=True)
class _Agenda:
    """What is to be done about moments that have come."""

    #: Moments for which a run is made.
    to_make: Sequence[float]
    #: Moments that were missed, and for which none is.
    missed: Sequence[float]
    #: Those of `to_make` that are made up for.
    late: frozenset[float]
    #: The first of more that were missed than are listed; None: all are listed.
    cut_from: float | None

    @property
    def last(self) -> float:
        return max((*self.to_make, *self.missed))

    @property
    def size(self) -> int:
        return len(self.to_make) + len(self.missed)


def _agenda(schedule: Schedule, next_fire: float, now: float) -> _Agenda:
    assert schedule.next_due is not None
    spec, first = schedule.spec, schedule.next_due
    moments = rules.due_until(spec.rule, first, now, MOST_MISSED) or [first]
    newest = moments[-1]
    is_late = now - max(newest, next_fire if newest == first else newest) > GRACE_S
    if spec.catchup is Catchup.ALL:
        to_make = moments
    elif spec.catchup is Catchup.LATEST or not is_late:
        to_make = [newest]
    else:
        to_make = []
    return _Agenda(
        to_make=to_make,
        missed=moments[: len(moments) - len(to_make)],
        late=frozenset(moment for moment in to_make if is_late or moment != newest),
        cut_from=first if moments[0] > first else None,
    )


class _Targets:
    """What runs are made of; schedules that fire together and run the same share it."""

    def __init__(self, session: Session, signatures: Signatures) -> None:
        self._session = session
        self._signatures = signatures
        self._known: dict[bytes, _Prepared] = {}

    def prepare(self, spec: ScheduleSpec) -> _Prepared:
        """Return what a schedule's runs are made of, or why they cannot be made."""
        key = msgspec.json.encode([spec.target, spec.version, spec.inputs, spec.options])
        if key not in self._known:
            self._known[key] = self._prepare(spec)
        return self._known[key]

    def _prepare(self, spec: ScheduleSpec) -> _Prepared:
        try:
            return _Prepared(*_request(self._session, spec, self._signatures))
        except StoreError:
            raise
        except LabError as error:
            return _Prepared(refusal=str(error))
        except Exception as error:  # what one target does must not keep the others from firing
            return _Prepared(refusal=f"{type(error).__name__}: {error}")


def _request(
    session: Session, spec: ScheduleSpec, signatures: Signatures
) -> tuple[Pinned, Request]:
    pinned = pin(session, target_of(session, spec))
    values = targets.check(session, pinned.target, signatures)
    return pinned, runs.make_request(session, pinned.target, values, spec.options)


class _Firing:
    """The writing side of one firing, inside its transaction."""

    def __init__(
        self,
        session: Session,
        tx: Transaction,
        schedule: Schedule,
        prepared: _Prepared,
        now: float,
    ) -> None:
        self._session = session
        self._tx = tx
        self._schedule = schedule
        self._prepared = prepared
        self._now = now
        self._has_missed = self._to_tell = False
        self.fired = Fired(schedule.spec.name)

    def work_off(self, agenda: _Agenda) -> Fired:
        """Make the runs of an agenda and note its misses."""
        if agenda.cut_from is not None:
            message = f"More than {MOST_MISSED:,} moments were missed; only the newest are listed."
            self.miss(agenda.cut_from, "down", message)
        for due in agenda.missed:
            self.miss(due, "down", "Nothing fired schedules then.")
        for due in agenda.to_make:
            made_up = ", made up for" if due in agenda.late else ""
            self.make(due, f"Schedule {self.fired.name!r}, due {self._shown(due)}{made_up}.")
        return self.finish()

    def finish(self) -> Fired:
        """Forget misses of long ago, and have people told of those that were noted now."""
        if self._has_missed:
            self._tx.run("misses_trim", {"id": self._schedule.id})
        if self._to_tell:
            about = {"schedule_id": self._schedule.id, "now": self._now}
            self._tx.run("notifications_note_missed", about)
        return self.fired

    def make(self, due: float, reason: str) -> None:
        """Make the run of one moment, unless the schedule's policy or its target forbids it."""
        if self._prepared.refusal:
            self.fired.refusal = self._prepared.refusal
            self.miss(due, "refused", self._prepared.refusal)
            return
        if self._tx.one("scheduled_at", (self._schedule.id, due)) is not None:
            return  # made already, before the schedule was set back
        if self._may_follow(due):
            self.put(due, reason)

    def _may_follow(self, due: float) -> bool:
        """See to runs that have not ended, as the policy says; says whether another may be made."""
        overlap = self._schedule.spec.overlap
        if overlap not in {Overlap.SKIP, Overlap.CANCEL}:
            return True  # there may be a thousand, which nobody asks about
        earlier = self._tx.all("scheduled_open", (self._schedule.id,))
        if earlier and overlap is Overlap.SKIP:
            before = earlier[-1]
            self.miss(due, "overlap", f"Run {before['id']} was still {before['state']}.")
            return False
        for before in earlier:
            why = f"Schedule {self.fired.name!r} starts its next run."
            enqueue.cancel(self._tx, self._session.world, before["id"], why)
        return True

    def put(self, due: float | None, reason: str) -> str:
        """Write a run down."""
        pinned, request = self._prepared.pinned, self._prepared.request
        assert pinned is not None
        assert request is not None
        one_by_one = self._schedule.spec.overlap in {Overlap.QUEUE, Overlap.CANCEL}
        request = replace(
            request,
            schedule_id=self._schedule.id,
            due_at=due,
            run_at=self._now if due is None else due,
            serial=f"schedule:{self._schedule.id}" if one_by_one else "",
        )
        flows.keep_version(self._tx, self._session, pinned.target.flow, pinned.target.version)
        run_id = enqueue.put(self._tx, self._session.world, request, reason=reason)
        pinned.keep(self._tx, run_id)
        self.fired.runs.append(run_id)
        return run_id

    def miss(self, due: float, reason: str, message: str) -> None:
        """Note that a moment has no run."""
        self.fired.missed += reason == "down"
        self.fired.overlapped += reason == "overlap"
        self._has_missed = True
        self._to_tell = self._to_tell or reason != "overlap"  # which is what was asked for
        row = {
            "schedule_id": self._schedule.id,
            "due_at": due,
            "reason": reason,
            "message": message,
            "noted_at": self._now,
        }
        self._tx.run("miss_put", row)

    def _shown(self, due: float) -> str:
        local = datetime.fromtimestamp(due, zone_of(self._schedule.spec.rule.zone))
        return f"{local:%Y-%m-%d %H:%M %Z}"
