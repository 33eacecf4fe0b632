"""The life of one worker process: claim a run, execute it, claim the next."""

from __future__ import annotations

import logging
from typing import Final

from iaiflow_lab.clock import Clock
from iaiflow_lab.queue.protocol import Coordinator
from iaiflow_lab.worker.duty import WORN_OUT, Duty
from iaiflow_lab.worker.execute import Ending, execute_run
from iaiflow_lab.worker.stop import Stop
from iaiflow_lab.world import World

#: Pauses between two looks for news while idle, in seconds.
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.008
#: How often a claim is tried without news, in seconds: a delayed run becomes due silently.
_CLAIM_EVERY: Final = 0.25

_log = logging.getLogger("iaiflow.worker")


def work(coordinator: Coordinator, world: World, owner: str, duty: Duty, stop: Stop) -> int:
    """Execute runs until asked to end; returns the exit status of the process.

    Raises:
        StoreError: The coordinator's store cannot be used.
    """
    while not stop.soon:
        claim = coordinator.claim(owner, duty.queues, duty.run_id)
        if claim is not None:
            ending = execute_run(claim, coordinator, world, stop)
            about = {"run": claim.run_id, "attempt": claim.attempt, "ending": ending.name.lower()}
            _log.info("A run was let go.", extra=about)
            if ending is not Ending.SETTLED:
                return WORN_OUT
        elif duty.drain:
            break
        else:
            _await_news(coordinator, world.clock, stop)
    return 0


def _await_news(coordinator: Coordinator, clock: Clock, stop: Stop) -> None:
    """Block until something was committed, a claim is worth a try, or the process must end."""
    pause = _FIRST_PAUSE
    deadline = clock.monotonic() + _CLAIM_EVERY
    while not stop.soon and clock.monotonic() < deadline and not coordinator.changed():
        clock.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)
