"""Schedules as they are stored and as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model.names import did_you_mean, shorten
from iaiflow_lab.model.run import RunState
from iaiflow_lab.model.schedule import Catchup, FileChange, Overlap, Rule, When, check
from iaiflow_lab.service.runs import Options
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader, Row

_SHORTEST_ID: Final = 8


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """What runs when."""

    #: The flow's or notebook's path in the workspace.
    target: str
    rule: Rule
    #: Unique in the project; "": made from the target.
    name: str = ""
    #: Values by parameter name.
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: A save's number, a version or its first characters, or `now`; None: the file as it is when
    #: the schedule fires.
    version: str | None = None
    catchup: Catchup = Catchup.LATEST
    overlap: Overlap = Overlap.SKIP
    #: Queue, priority, timeout, budget and cache of its runs.
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule. Times are seconds since the Unix epoch."""

    id: str
    spec: ScheduleSpec
    paused: bool
    #: The next moment of its rule; None when there is none, or it is paused.
    next_due: float | None
    #: The same with its jitter.
    next_fire: float | None
    #: The last moment that was handled.
    last_due: float | None
    #: The files that it saw last, as text; None when it looks at none.
    seen: str | None
    created_at: float
    changed_at: float
    #: When it was read.
    read_at: float = field(compare=False, repr=False)
    #: Its last run and the state of that; "" when there was none.
    last_run: str = ""
    last_state: RunState | None = None

    @property
    def state(self) -> str:
        """Return `active`, `paused`, `ended` (nothing is to come) or `broken` (see `fault`)."""
        if self.paused:
            return "paused"
        if self.fault:
            return "broken"
        return "active" if self.next_due is not None or self._looks else "ended"

    @property
    def fault(self) -> str:
        """Return why its moments can't be reckoned on this machine; "" when they can."""
        try:
            check(self.spec.rule)
        except InputError as error:
            return str(error)
        return ""

    @property
    def _looks(self) -> bool:
        """Whether it looks at files, now or later."""
        rule = self.spec.rule
        is_over = rule.end is not None and rule.end < self.read_at
        return isinstance(rule.when, FileChange) and not is_over


@dataclass(frozen=True, slots=True)
class Miss:
    """A moment for which no run was made."""

    schedule_id: str
    #: The schedule's name.
    name: str
    due_at: float
    #: `down`: nothing fired schedules; `overlap`: the run before had not ended; `refused`.
    reason: str
    message: str
    noted_at: float


def find_row(reader: Reader, session: Session, ref: str) -> Row:
    """Return the row of a schedule by its name, its id, or the first characters of that.

    Raises:
        NotFoundError: There is no such schedule.
        InputError: Several ids start like this.
    """
    row = reader.one("schedule_by_name", {"project": session.project, "ref": ref})
    if row is not None:
        return row
    if len(ref) >= _SHORTEST_ID:
        span = {"project": session.project, "start": ref, "end": f"{ref}\uffff"}
        like = reader.all("schedules_like", span)
        if len(like) > 1:
            raise InputError(f"Several schedules start with {ref!r}.", remedy="Give its name")
        if like:
            return like[0]
    known = [row["name"] for row in reader.all("schedules_all", (session.project,))]
    raise NotFoundError(
        f"There is no schedule {shorten(ref)!r}.",
        remedy=did_you_mean(ref, known) or "`iaiflow schedule ls` lists them",
    )


def find(reader: Reader, session: Session, schedule_id: str) -> Schedule | None:
    """Return a schedule by its id, without its last run; None when it was removed."""
    row = reader.one("schedule_by_id", (session.project, schedule_id))
    return None if row is None else _schedule(row, None, session.world.clock.now())


def read_schedule(row: Row, reader: Reader, session: Session) -> Schedule:
    """Return a schedule from its row, with its last run."""
    last = reader.one("scheduled_last", {"id": row["id"]})
    return _schedule(row, last, session.world.clock.now())


def _schedule(row: Row, last: Row | None, now: float) -> Schedule:
    return Schedule(
        id=row["id"],
        spec=_spec(row),
        paused=bool(row["paused"]),
        next_due=row["next_due"],
        next_fire=row["next_fire"],
        last_due=row["last_due"],
        seen=row["seen"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        read_at=now,
        last_run=last["id"] if last else "",
        last_state=RunState(last["state"]) if last else None,
    )


def _spec(row: Row) -> ScheduleSpec:
    rule = Rule(
        when=msgspec.json.decode(row["rule"], type=When),
        zone=row["zone"],
        start=row["starts_at"],
        end=row["ends_at"],
        jitter_s=row["jitter_s"],
    )
    return ScheduleSpec(
        target=row["target"],
        rule=rule,
        name=row["name"],
        inputs=msgspec.json.decode(row["inputs"]),
        version=row["version"],
        catchup=Catchup(row["catchup"]),
        overlap=Overlap(row["overlap"]),
        options=msgspec.json.decode(row["options"], type=Options),
    )
