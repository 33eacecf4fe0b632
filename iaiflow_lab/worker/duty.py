"""What a supervisor asks of a worker process, and the exit status by which it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Exit status of a worker that must be replaced: threads of a run may go on although it was told
#: to end, or was taken away, so only the end of the process makes the run's state true.
WORN_OUT: Final = 75

#: Exit status of a worker that had no room to record what happened.
DISK_FULL: Final = 76


@dataclass(frozen=True, slots=True)
class Duty:
    """Which runs a worker takes, and for how long."""

    #: Names of queues.
    queues: tuple[str, ...] = ()
    #: Only this run, whatever its queue; "" for any.
    run_id: str = ""
    #: Whether it ends when nothing is due.
    drain: bool = False
