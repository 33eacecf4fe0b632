"""What changed since the last look: one run's events, or which runs are new or gone."""

from __future__ import annotations

from typing import Final

import msgspec

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.service import history
from iaiflow_lab.service.history import RunSummary
from iaiflow_lab.service.session import Session
from iaiflow_lab.store import journal

#: How many of the newest runs are looked at, and how many changes are returned at once.
NEWEST: Final = 500
#: An event may be committed so much later than it says, in seconds.
_SLACK_S: Final = 2.0


def page(
    session: Session, run_id: str, after: int, limit: int
) -> tuple[RunState, list[tuple[int, ev.AnyEvent]]]:
    """Return a run's next events and the state that it was in at the same moment.

    Raises:
        NotFoundError: There is no such run.
    """
    with session.store.db.read() as reader:
        row = history.find_row(reader, session, run_id)
        return RunState(row["state"]), journal.events_after(reader, row["id"], after, limit)


class Changed:
    """Finds the runs that changed, each change once.

    Args:
        since: Changes before this moment are known already, in seconds since the Unix epoch.
    """

    def __init__(self, since: float) -> None:
        #: The moment of the latest change that was found.
        self.until = since
        #: The last event that is known of each run, and when it was.
        self._known: dict[str, tuple[int, float]] = {}
        #: Runs that had not ended when they were seen last.
        self._open: set[str] = set()

    def look(self, session: Session) -> list[RunSummary]:
        """Return the runs that changed since the last look, those first that changed first."""
        wanted = {
            "project": session.project,
            "since": self.until - _SLACK_S,
            "newest": NEWEST,
            "limit": NEWEST,
            "named": msgspec.json.encode(sorted(self._open)).decode(),
        }
        with session.store.db.read() as reader:
            rows = reader.all("runs_moved", wanted)
            news = [row for row in rows if self._known.get(row["id"], (0,))[0] != row["seq"]]
            found = history.summaries(reader, session, news)
        for row in news:
            self._known[row["id"]] = (row["seq"], row["moved_at"])
            self.until = max(self.until, row["moved_at"])
            if row["state"] in TERMINAL:
                self._open.discard(row["id"])
            else:
                self._open.add(row["id"])
        oldest = self.until - 2 * _SLACK_S
        self._known = {run: known for run, known in self._known.items() if known[1] >= oldest}
        return found


class Removed:
    """Finds the runs that were removed, each once.

    Args:
        since: What was removed before this moment is known already, in seconds since the epoch.
    """

    def __init__(self, since: float) -> None:
        self._until = since
        #: When each of the latest was removed.
        self._known: dict[str, float] = {}

    def look(self, session: Session) -> list[str]:
        """Return the ids of the runs that were removed since the last look."""
        wanted = {"project": session.project, "since": self._until - _SLACK_S}
        with session.store.db.read() as reader:
            found = {
                row["run_id"]: row["removed_at"] for row in reader.all("removals_since", wanted)
            }
        news = [run_id for run_id in found if run_id not in self._known]
        self._known = found
        self._until = max([self._until, *found.values()])
        return news
