"""The secrets of a held run: `engine.ports.SecretReader` over a coordinator."""

from __future__ import annotations

from iaiflow_lab.queue.protocol import Claim, Coordinator, SecretValue


class HeldSecrets:
    """Asks for each secret once, when it is needed.

    Args:
        coordinator: Who keeps them.
        claim: The run and its fence.
    """

    def __init__(self, coordinator: Coordinator, claim: Claim) -> None:
        self._coordinator = coordinator
        self._claim = claim
        self._known: dict[str, SecretValue] = {}

    def get(self, name: str) -> str:
        """Return the secret.

        Raises:
            NotFoundError: It is not set in this project.
            StoreError: It cannot be opened.
            StaleFenceError: Another worker holds the run.
        """
        return self._ask(name).value

    def version(self, name: str) -> int:
        """Return its version.

        Raises:
            NotFoundError: It is not set in this project.
            StoreError: It cannot be opened.
            StaleFenceError: Another worker holds the run.
        """
        return self._ask(name).version

    def _ask(self, name: str) -> SecretValue:
        if name not in self._known:
            claim = self._claim
            self._known[name] = self._coordinator.secret(claim.run_id, claim.fence, name)
        return self._known[name]
