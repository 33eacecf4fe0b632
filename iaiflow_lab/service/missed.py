"""Missed moments of schedules, as people are told of them: those noted together are one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader, Row

#: How many are returned at once.
_MOST: Final = 100
#: How often it is looked for new ones, in seconds.
_LOOK_EVERY_S: Final = 1.0
#: One may be committed so much later than it says, in seconds: many are written in turn.
_SLACK_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Missed:
    """Moments of one schedule that were noted together. Times are seconds since the Unix epoch."""

    schedule_id: str
    #: The schedule's name.
    name: str
    #: The flow's or notebook's path.
    flow: str
    noted_at: float
    count: int
    first_due: float
    last_due: float
    #: Why the last of them has no run.
    message: str


def read_missed(reader: Reader, schedule_id: str, noted_at: float) -> Missed | None:
    """Return what was noted of a schedule at one moment; None when it is forgotten."""
    wanted = {"project": None, "id": schedule_id, "since": noted_at, "until": noted_at, "limit": 1}
    row = reader.one("misses_grouped", wanted)
    return None if row is None else _missed(row)


class NewlyMissed:
    """Finds what is missed, each once.

    Args:
        since: What was noted before this moment is known already, in seconds since the Unix epoch.
    """

    def __init__(self, since: float) -> None:
        self._begin = since
        #: The moment of the latest that was found.
        self._until = since
        self._known: set[tuple[str, float]] = set()
        self._not_before = 0.0

    def look(self, session: Session) -> list[Missed]:
        """Return what was noted since the last look; at most once a second is it looked for."""
        clock = session.world.clock
        if clock.monotonic() < self._not_before:
            return []
        self._not_before = clock.monotonic() + _LOOK_EVERY_S
        since = max(self._begin, self._until - _SLACK_S)
        wanted = {"project": session.project, "id": None, "since": since, "until": 1e12}
        with session.store.db.read() as reader:
            rows = reader.all("misses_grouped", wanted | {"limit": _MOST + len(self._known)})
        found = {(row["schedule_id"], row["noted_at"]): _missed(row) for row in rows}
        news = [missed for key, missed in found.items() if key not in self._known]
        self._until = max([self._until, *(missed.noted_at for missed in news)])
        self._known = {key for key in found if key[1] >= self._until - _SLACK_S}
        return news


def _missed(row: Row) -> Missed:
    return Missed(
        schedule_id=row["schedule_id"],
        name=row["name"],
        flow=row["target"],
        noted_at=row["noted_at"],
        count=row["count"],
        first_due=row["first_due"],
        last_due=row["last_due"],
        message=row["message"],
    )
