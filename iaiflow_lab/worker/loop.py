"""The life of one worker process: claim a run, execute it, claim the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iaiflow_lab.clock import Clock
from iaiflow_lab.queue.protocol import Coordinator
from iaiflow_lab.worker.execute import Ending, execute_run
from iaiflow_lab.worker.stop import Stop
from iaiflow_lab.world import World

#: Exit status of a worker that must be replaced: threads of a run go on although it was told to
#: end, so only the end of the process makes the run's state true.
WORN_OUT: Final = 75
#: Pauses between two looks for news while idle, in seconds.
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.008
#: How often a claim is tried without news, in seconds: a delayed run becomes due silently.
_CLAIM_EVERY: Final = 0.25


@dataclass(frozen=True, slots=True)
class Duty:
    """Which runs a worker takes, and for how long."""

    #: Names of queues.
    queues: tuple[str, ...] = ("default",)
    #: Only this run; "" for any.
    run_id: str = ""
    #: Whether it ends when nothing is due.
    drain: bool = False


def work(coordinator: Coordinator, world: World, owner: str, duty: Duty, stop: Stop) -> int:
    """Execute runs until asked to end; returns the exit status of the process.

    Raises:
        StoreError: The coordinator's store cannot be used.
    """
    while not stop.soon:
        claim = coordinator.claim(owner, _queues(duty), duty.run_id)
        if claim is not None:
            if execute_run(claim, coordinator, world, stop) is Ending.STUCK:
                return WORN_OUT
        elif duty.drain:
            break
        else:
            _await_news(coordinator, world.clock, stop)
    return 0


def _queues(duty: Duty) -> Sequence[str]:
    return () if duty.run_id else duty.queues


def _await_news(coordinator: Coordinator, clock: Clock, stop: Stop) -> None:
    """Block until something was committed, a claim is worth a try, or the process must end."""
    pause = _FIRST_PAUSE
    deadline = clock.monotonic() + _CLAIM_EVERY
    while not stop.soon and clock.monotonic() < deadline and not coordinator.changed():
        clock.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)
