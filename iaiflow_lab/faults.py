"""Named crash points: places where a test may end the process to prove that nothing is lost."""

from __future__ import annotations

import os
from typing import Final, Protocol

#: Environment variable: `POINT` or `POINT:N`, the N-th arrival at which the process ends.
CRASH_AT: Final = "IAIFLOW_CRASH_AT"
#: Exit status of a process that ended at a crash point: as if killed by SIGKILL.
CRASH_STATUS: Final = 137

#: Every crash point, with what has happened when it is reached.
POINTS: Final[dict[str, str]] = {
    "claim.before_commit": "the claim is written, not committed",
    "claim.after_commit": "the run is claimed, the worker has not started it",
    "append.before_commit": "events are written, not committed",
    "append.after_commit": "events are committed, the engine does not know yet",
    "settle.before_commit": "the end of the run is written, not committed",
    "settle.after_commit": "the run has ended, the worker does not know yet",
    "signal.before_commit": "an answer is written, not committed",
    "signal.after_commit": "an answer is committed, its sender does not know yet",
    "fire.before_commit": "the runs of a schedule's moment are written, not committed",
    "fire.after_commit": "the runs of a schedule's moment are committed, nobody knows yet",
    "notify.after_take": "a message is taken, not sent",
    "notify.after_send": "a message is sent, nobody has noted it",
    "artifact.before_rename": "an artifact's bytes are in a temporary file",
    "collect.before_commit": "unused artifacts are gone, their rows are not",
    "remove.after_condemn": "runs have left their project, all that was kept of them is there",
    "remove.before_commit": "rows of a run that is removed are deleted, not committed",
    "step.before_call": "the inputs are ready, the node was not called",
    "step.after_call": "the node has returned, nothing is recorded",
}


class Faults(Protocol):
    """Something that is told whenever a crash point is reached."""

    def reach(self, point: str) -> None:
        """Note that `point` (a key of `POINTS`) was reached; may not return."""
        ...


class NoFaults:
    """Lets every crash point pass."""

    def reach(self, point: str) -> None:
        """Do nothing."""


class CrashAt:
    """Ends the process at the N-th arrival at one point.

    Args:
        point: A key of `POINTS`.
        arrival: Which arrival ends the process, from 1.
    """

    def __init__(self, point: str, arrival: int = 1) -> None:
        if point not in POINTS:
            raise ValueError(f"{point!r} is not a crash point; known: {', '.join(POINTS)}")
        self._point = point
        self._left = arrival

    def reach(self, point: str) -> None:
        """End the process at once, without clean-up, when the time has come."""
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            os._exit(CRASH_STATUS)


def faults_from_environment() -> Faults:
    """Return the faults that `IAIFLOW_CRASH_AT` asks for; usually none."""
    wanted = os.environ.get(CRASH_AT, "")
    if not wanted:
        return NoFaults()
    point, _, arrival = wanted.partition(":")
    return CrashAt(point, int(arrival or 1))
