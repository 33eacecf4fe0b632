"""The journal of a held run: `engine.ports.Journal` over a coordinator."""

from __future__ import annotations

from collections.abc import Sequence

from iaiflow_lab.model.event import Event, WaitAnswered
from iaiflow_lab.queue.protocol import Claim, Coordinator


class RunJournal:
    """What is appended goes out under the claim's fence.

    Args:
        coordinator: Where the events go.
        claim: The run and its fence.
    """

    def __init__(self, coordinator: Coordinator, claim: Claim) -> None:
        self._coordinator = coordinator
        self._claim = claim

    def append(self, events: Sequence[Event]) -> None:
        """Record `events` in order, all or none.

        Raises:
            StaleFenceError: Another worker holds the run; nothing was recorded.
        """
        self._coordinator.append(self._claim.run_id, self._claim.fence, events)

    def answers(self) -> list[WaitAnswered]:
        """End the waits whose moment has come, and return how all that have ended did.

        Raises:
            StaleFenceError: Another worker holds the run.
        """
        return self._coordinator.answers(self._claim.run_id, self._claim.fence)
