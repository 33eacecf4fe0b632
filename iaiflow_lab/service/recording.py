"""Interactive runs: executed by the process that asks for them, recorded like all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iaiflow_lab.model.budget import RunBudget, check_budget
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.enqueue import PRIVATE, Request
from iaiflow_lab.queue.journal import RunJournal
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.queue.protocol import Claim, Settlement
from iaiflow_lab.service import flows, targets
from iaiflow_lab.service.runs import budget_text
from iaiflow_lab.service.session import Session


@dataclass(frozen=True, slots=True)
class InteractiveRun:
    """A run that this process holds and executes."""

    session: Session
    claim: Claim
    #: The value of every parameter, live values included.
    inputs: Mapping[str, Any]
    #: Where the engine records events, under the claim's fence.
    journal: RunJournal

    @property
    def id(self) -> str:
        """The run's id."""
        return self.claim.run_id

    def cancel_requested(self) -> bool:
        """Say whether somebody asked, from outside, for the run's cancellation."""
        return self.session.coordinator.cancel_requested(self.claim.run_id)

    def settle(self, settlement: Settlement) -> None:
        """Record how the run ended.

        Raises:
            StaleFenceError: The run was taken away, because this process seemed to have ended.
        """
        coordinator = self.session.coordinator
        coordinator.settle(self.claim.run_id, self.claim.fence, settlement)


def start_interactive(
    session: Session,
    what: str | Flow,
    inputs: Mapping[str, Any],
    signatures: Signatures,
    *,
    budget: RunBudget | None = None,
    use_cache: bool = True,
) -> InteractiveRun:
    """Record a run of this process and hold it; if the process ends first, it fails `kernel-lost`.

    Args:
        session: An open workspace.
        what: The path of a flow in the workspace, or a flow.
        inputs: Values by parameter name; live values are not recorded.
        signatures: The catalog that the flow is checked against.
        budget: What the models that it asks may take together.
        use_cache: Whether outputs of earlier runs may be used.

    Raises:
        FlowError: The flow has errors.
        InputError: An input is missing, unknown or wrong, or the budget is.
        NotFoundError: There is no such file.
    """
    target = targets.find(session, what, inputs)
    values = targets.check(session, target, signatures, in_kernel=True)
    session.coordinator.sweep()
    owner = owner_name("kernel", session.world.ids)
    request = Request(
        project=session.project,
        flow=target.name,
        source=target.source,
        version=target.version,
        inputs=targets.recorded_text(values),
        queue=PRIVATE + owner,
        priority=0,
        run_at=session.world.clock.now(),
        max_attempts=1,
        use_cache=use_cache,
        budget=budget_text(check_budget(budget)),
    )
    with session.store.db.write() as tx:
        flows.keep_version(tx, session, target.flow, target.version)
        run_id = enqueue.put(tx, session.world, request)
    claim = session.coordinator.claim(owner, (), run_id)
    assert claim is not None  # nobody else may take it, and limits spare it
    session.coordinator.start(claim.run_id, claim.fence)
    return InteractiveRun(session, claim, values, RunJournal(session.coordinator, claim))
