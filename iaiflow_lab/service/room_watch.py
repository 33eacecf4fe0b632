"""Says when room for runs goes and comes, and gives the ballast up when the disk is full."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iaiflow_lab.errors import UnavailableError
from iaiflow_lab.model.run import RunState
from iaiflow_lab.service.history import list_runs
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.ballast import BALLAST_SIZE, FULL
from iaiflow_lab.store.store import Store


class RoomWatch:
    """Watches the room of a workspace.

    Args:
        store: The workspace's store.
        tell: Takes a sentence when something changed, for people.
    """

    def __init__(self, store: Store, tell: Callable[[str], None]) -> None:
        self._store = store
        self._tell = tell
        self._short = ""

    def look(self) -> None:
        """Look once: say what has changed, and hold or release the ballast."""
        shortage = self._store.room.shortage()
        short = "" if shortage is None else shortage.what
        if short != self._short:
            self._short = short
            self._tell(shortage.message if shortage else "There is room again: queued runs begin.")
        self._see_to_ballast()

    def _see_to_ballast(self) -> None:
        room, ballast = self._store.room, self._store.ballast
        if ballast.is_held:
            if room.is_full(FULL) and ballast.release():
                size = f"{BALLAST_SIZE / 1_000_000:g} MB"
                self._tell(f"The disk is full: {size} that were kept for this are given up.")
        elif room.has_beside(BALLAST_SIZE):
            ballast.hold()


def check_drained(session: Session, queues: Sequence[str]) -> None:
    """Check that no run of the queues is due and has no room to begin.

    Raises:
        UnavailableError: There is one.
    """
    shortage = session.store.room.shortage()
    if shortage is None:
        return
    now = session.world.clock.now()
    for queue in queues:
        left = list_runs(session, states=[RunState.QUEUED], queue=queue, limit=10_000)
        if any(run.run_at <= now for run in left):
            raise UnavailableError(shortage.message, code=f"no-{shortage.what}")
